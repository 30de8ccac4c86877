"""Files into records: what is new, matched, updated, unchanged, or stays in the trash."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library, ris

from bifolio import Library, limits
from bifolio.library import status
from bifolio.library.trash import Trash
from bifolio.records.reference import ImportedBlocks, ImportedReference, Source, Values
from bifolio.results import ClearedFields, ImportReport

PAPER = {"ID": "1", "TI": "On Paper", "AU": "Doe, Jane", "DO": "10.1000/paper", "PY": "2014"}
INK = {"ID": "2", "TI": "On Ink", "AU": "Roe, R.", "PY": "2015"}


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    return owner_of_a_library(tmp_path)


def counts(imported: ImportReport) -> tuple[int, int, int, int]:
    """Added, updated, unchanged, in the trash."""
    return (imported.added, imported.updated, imported.unchanged, imported.trashed)


def only_id(computer: Computer) -> str:
    (row,) = computer.replica.references.iter_rows(trashed=False)
    return row.id


def test_a_file_is_added_once_and_unchanged_the_second_time(
    office: Computer, tmp_path: Path
) -> None:
    assert counts(office.imports(*ris(tmp_path, PAPER, INK))) == (2, 0, 0, 0)
    state = office.state
    assert counts(office.imports(*ris(tmp_path, PAPER, INK))) == (0, 0, 2, 0)
    assert office.state == state
    assert office.titles() == ["On Ink", "On Paper"]


def test_two_computers_that_import_the_same_file_hold_one_library(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.imports(*ris(tmp_path, PAPER, INK))
    home.imports(*ris(tmp_path, INK, PAPER))
    meet(office, home)
    assert home.titles() == ["On Ink", "On Paper"]
    assert home.replica.references.conflict_count() == 0


def test_a_changed_record_updates_the_reference_that_it_matches(
    office: Computer, tmp_path: Path
) -> None:
    office.imports(*ris(tmp_path, PAPER))
    first = only_id(office)
    changed = PAPER | {"TI": "On Paper, revised", "VL": "7"}
    assert counts(office.imports(*ris(tmp_path, changed))) == (0, 1, 0, 0)
    assert only_id(office) == first
    assert office.shows(first).fields["title"] == "On Paper, revised"
    assert office.shows(first).fields["volume"] == "7"
    assert office.shows(first).conflicts == ()
    assert counts(office.imports(*ris(tmp_path, changed))) == (0, 0, 1, 0)


def test_an_update_leaves_local_edits(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER))
    record = only_id(office)
    office.sets(record, "publisher", "Mine")
    office.imports(*ris(tmp_path, PAPER | {"TI": "On Paper, revised"}))
    assert office.shows(record).fields["publisher"] == "Mine"
    assert office.shows(record).fields["title"] == "On Paper, revised"


def test_a_local_edit_does_not_make_a_file_changed(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER))
    office.sets(only_id(office), "title", "My own title")
    assert counts(office.imports(*ris(tmp_path, PAPER))) == (0, 0, 1, 0)
    assert office.titles() == ["My own title"]


def test_an_update_on_two_computers_ends_in_one_result(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.imports(*ris(tmp_path, PAPER))
    meet(office, home)
    for computer in (office, home):
        assert counts(computer.imports(*ris(tmp_path, PAPER | {"VL": "7"}))) == (0, 1, 0, 0)
    meet(office, home)
    record = only_id(home)
    assert home.shows(record).fields["volume"] == "7"
    assert home.shows(record).conflicts == ()


def test_the_same_source_id_alone_is_no_match(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER))
    other = {"ID": "1", "TI": "Another work of another file", "AU": "Poe, P."}
    assert counts(office.imports(*ris(tmp_path, other))) == (1, 0, 0, 0)
    assert len(office.titles()) == 2


@pytest.mark.parametrize(
    ("before", "after", "matches"),
    [
        ({"DO": "10.1/a"}, {"TI": "New title", "DO": "10.1/A"}, True),
        ({"DO": "10.1/a"}, {"TI": "New title", "DO": "10.1/b"}, False),
        ({"SN": "978-3-16-148410-0"}, {"TI": "New title", "SN": "978-3-16-148410-0"}, True),
        ({}, {"TI": "ON paper.", "VL": "7"}, True),
        ({}, {"TI": "On Paper", "ID": "9", "VL": "7"}, False),
    ],
    ids=["DOI", "another DOI", "ISBN", "title", "another source id"],
)
def test_a_match_needs_the_source_id_and_an_identifier_or_the_title(
    office: Computer,
    tmp_path: Path,
    before: dict[str, str],
    after: dict[str, str],
    matches: bool,
) -> None:
    plain = {"ID": "1", "TI": "On Paper"}
    office.imports(*ris(tmp_path, plain | before))
    imported = office.imports(*ris(tmp_path, plain | after))
    assert (imported.updated, imported.added) == ((1, 0) if matches else (0, 1))


EDITORIAL = {
    "TY": "JOUR",
    "ID": "ed",
    "TI": "Editorial",
    "AU": "Doe, Jane",
    "PY": "2001",
    "T2": "Lingua",
}


@pytest.mark.parametrize(
    ("after", "matches"),
    [
        ({"PY": "2003"}, True),
        ({"AU": "Roe, Rick"}, True),
        ({"PY": "2002", "T2": "Lingua International"}, True),
        ({"DO": "10.1/b", "PY": "2002", "T2": "Nature"}, True),
        ({"AU": "Roe, Rick", "PY": "2015"}, False),
        ({"AU": "Roe, Rick", "T2": "Nature"}, False),
        ({"PY": "2015", "VL": "9"}, False),
    ],
    ids=[
        *("a corrected year", "a corrected author", "a year later", "published after a preprint"),
        *("author and year", "author and journal", "year and volume"),
    ],
)
def test_one_title_under_one_source_id_is_no_match_if_two_details_speak_against_it(
    office: Computer, tmp_path: Path, after: dict[str, str], matches: bool
) -> None:
    office.imports(*ris(tmp_path, EDITORIAL | {"DO": "10.1/a", "VL": "1"}))
    imported = office.imports(*ris(tmp_path, EDITORIAL | {"VL": "1"} | after))
    assert (imported.updated, imported.added) == ((1, 0) if matches else (0, 1))
    again = office.imports(*ris(tmp_path, EDITORIAL | {"VL": "1"} | after))
    assert counts(again) == (0, 0, 1, 0)


def test_a_corrected_record_finds_the_reference_whose_title_was_edited_here(
    office: Computer, tmp_path: Path
) -> None:
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "On Paper"}))
    office.sets(only_id(office), "title", "A title of our own")
    assert counts(office.imports(*ris(tmp_path, {"ID": "1", "TI": "On Paper", "VL": "7"}))) == (
        *(0, 1, 0, 0),
    )
    assert office.shows(only_id(office)).fields["volume"] == "7"
    assert office.titles() == ["A title of our own"]


def test_fields_that_a_newer_version_has_not_are_named(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER | {"VL": "7", "AB": "Words."}))
    key = office.shows(only_id(office)).key
    imported = office.imports(*ris(tmp_path, PAPER | {"IS": "2"}))
    assert imported.updated_keys == (key,)
    assert imported.cleared == (ClearedFields(key, ("abstract", "volume")),)


def test_equal_records_of_one_file_are_one(office: Computer, tmp_path: Path) -> None:
    assert counts(office.imports(*ris(tmp_path, PAPER, PAPER, PAPER))) == (1, 0, 2, 0)
    assert counts(office.imports(*ris(tmp_path, PAPER, PAPER, PAPER))) == (0, 0, 3, 0)
    assert office.titles() == ["On Paper"]


def test_different_records_of_one_file_with_one_id_are_each_kept(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    noted = PAPER | {"N1": "A note of its own"}
    marked = PAPER | {"KW": "marked"}
    assert counts(office.imports(*ris(tmp_path, PAPER, noted, marked))) == (3, 0, 0, 0)
    assert counts(office.imports(*ris(tmp_path, marked, PAPER, noted))) == (0, 0, 3, 0)
    home.imports(*ris(tmp_path, noted, marked, PAPER))
    meet(office, home)
    assert home.titles() == ["On Paper"] * 3


def test_what_is_in_the_trash_stays_there_and_is_named(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER, INK))
    paper = next(
        row for row in office.replica.references.iter_rows(trashed=False) if row.title == "On Paper"
    )
    office.deletes(paper.id)
    for version in (PAPER, PAPER | {"VL": "7"}):
        imported = office.imports(*ris(tmp_path, version, INK))
        assert counts(imported) == (0, 0, 1, 1)
        assert imported.trashed_keys == (paper.key,)
    assert office.titles() == ["On Ink"]


def test_what_went_with_the_trash_stays_away_and_is_named(office: Computer, tmp_path: Path) -> None:
    other = {"ID": "1", "TI": "Another work", "AU": "Poe, P."}
    office.imports(*ris(tmp_path, PAPER, INK))
    (paper,) = (
        row for row in office.replica.references.iter_rows(trashed=False) if row.title != "On Ink"
    )
    office.deletes(paper.id)
    Trash(office.replica).empty()
    for version in (PAPER, PAPER | {"VL": "7"}):
        imported = office.imports(*ris(tmp_path, version, INK))
        assert counts(imported) == (0, 0, 1, 0)
        assert imported.purged_keys == (paper.key,)
    # The same source id alone is no match.
    assert counts(office.imports(*ris(tmp_path, other))) == (1, 0, 0, 0)
    Trash(office.replica).restore([paper.id])
    assert counts(office.imports(*ris(tmp_path, PAPER | {"VL": "7"}))) == (0, 1, 0, 0)
    assert office.titles() == ["Another work", "On Ink", "On Paper"]


def test_of_a_live_and_a_purged_reference_a_record_belongs_to_the_live_one(
    office: Computer, tmp_path: Path
) -> None:
    office.imports(*ris(tmp_path, PAPER))
    office.deletes(only_id(office))
    Trash(office.replica).empty()
    office.adds("c0" * 16, {"type": "book", "title": "Unrelated"})
    office.imports(*ris(tmp_path, INK))
    imported = office.imports(*ris(tmp_path, INK | {"VL": "7"}))
    assert (imported.updated, imported.purged) == (1, 0)


def test_a_dry_run_says_the_same_and_changes_nothing(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER))
    before = office.tables()
    files = ris(tmp_path, PAPER | {"VL": "7"}, INK, INK)
    would = office.imports(*files, dry_run=True)
    assert office.tables() == before
    assert counts(would) == counts(office.imports(*files)) == (1, 1, 1, 0)


def test_every_import_has_a_citation_key_and_two_equal_ones_are_told_apart(
    office: Computer, tmp_path: Path
) -> None:
    paper = {name: value for name, value in PAPER.items() if name != "ID"}
    office.imports(*ris(tmp_path, paper, paper | {"TI": "Paper again", "DO": "10.1000/again"}))
    keys = sorted(
        office.shows(row.id).key for row in office.replica.references.iter_rows(trashed=False)
    )
    assert keys[0] == "doe2014paper"
    assert keys[1].startswith("doe2014paper-")


def test_bulk_work_is_cut_into_bounded_changes(
    office: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHANGE_TARGET_BYTES", 3000)
    records = [{"ID": str(number), "TI": f"Title {number}"} for number in range(60)]
    assert counts(office.imports(*ris(tmp_path, *records))) == (60, 0, 0, 0)
    sizes = [len(one.body) for one in office.replica.changes.unsealed(bytes_max=1 << 30)]
    assert len(sizes) > 4
    assert max(sizes) < 6000


def test_a_record_too_large_is_skipped_and_named_and_the_rest_imported(
    office: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORD_UPDATE_BYTES_MAX", 5000)
    imported = office.imports(*ris(tmp_path, PAPER | {"AB": "x" * 9000}, INK))
    assert counts(imported) == (1, 0, 0, 0)
    (skipped,) = imported.skipped
    assert "5,000" in skipped.reason
    assert office.titles() == ["On Ink"]


def test_progress_reaches_the_end(office: Computer, tmp_path: Path) -> None:
    from bifolio.imports.importer import Importer

    told: list[tuple[int, int]] = []
    Importer(office.replica, file="a.ris").run(
        ris(tmp_path, PAPER, INK), progress=lambda *done: told.append(done)
    )
    assert told[-1] == (2, 2)


def test_a_rebuilt_index_of_imports_equals_the_kept_one(office: Computer, tmp_path: Path) -> None:
    office.imports(*ris(tmp_path, PAPER, INK))
    office.imports(*ris(tmp_path, PAPER | {"VL": "7"}, INK))
    before = office.replica.references.all_rows()
    status.rebuild(office.replica)
    assert office.replica.references.all_rows() == before


def test_a_files_own_blocks_too_large_for_an_envelope_are_skipped_and_named(
    office: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORD_UPDATE_BYTES_MAX", 5000)
    blocks = ImportedBlocks("bibtex", ("@comment{" + "x" * 9000 + "}",))
    imported = office.imports(blocks, *ris(tmp_path, PAPER))
    assert counts(imported) == (1, 0, 0, 0)
    assert "own blocks" in imported.skipped[0].reason
    changes = office.replica.changes.unsealed(bytes_max=1 << 30)
    assert max(len(one.body) for one in changes) < 5000


def test_a_local_edit_that_a_newer_version_contradicts_is_counted_as_a_conflict(
    office: Computer, tmp_path: Path
) -> None:
    office.imports(*ris(tmp_path, PAPER, INK))
    paper = next(
        row for row in office.replica.references.iter_rows(trashed=False) if row.title == "On Paper"
    )
    office.sets(paper.id, "volume", "8")
    files = ris(tmp_path, PAPER | {"VL": "7", "SP": "3"}, INK | {"VL": "9"})
    would = office.imports(*files, dry_run=True)
    done = office.imports(*files)
    assert (done.updated, done.conflicts) == (2, 1)
    assert would == done
    assert [one.field for one in office.shows(paper.id).conflicts] == ["volume"]
    again = office.imports(*ris(tmp_path, PAPER | {"VL": "6", "SP": "3"}))
    assert (again.updated, again.conflicts) == (1, 0)


@pytest.mark.heavy
def test_a_large_file_is_imported_in_little_memory(office: Computer) -> None:
    def file() -> Iterator[ImportedReference]:
        for number in range(400):
            source = Source("ris", "JOUR", str(number), (("AB", f"{number}" * 9_000),))
            values: Values = {"type": "article-journal", "abstract": f"{number} " * 9_000}
            yield ImportedReference(values, source, number)

    tracemalloc.start()
    imported = office.imports_all(file())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert imported.added == 400
    # All of the references at once would be 24 MB.
    assert peak_bytes < 6_000_000


def test_the_groups_of_an_export_read_again_are_those_that_are_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A BibTeX file tells groups by their names: an export of one's own brings no second ones."""
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    with Library.create(tmp_path / "own.bifolio", name="own") as library:
        one = library.add({"title": "One", "type": "book"})
        library.groups.create("Thesis")
        library.groups.create("Intro", parent="Thesis")
        library.groups.add("Thesis/Intro", [one.id])
        file = tmp_path / "own.bib"
        with file.open("wb") as out:
            library.export(out, format="bibtex")
        before = [group.path for group in library.groups.list()]
        for added in ("", "@misc{new, title={New}, groups={Intro}}\n"):
            file.write_text(added + file.read_text("utf-8"), "utf-8")
            report = library.import_files([file])
            assert (report.groups, report.added) == (0, 1 if added else 0)
            assert [group.path for group in library.groups.list()] == before
        found = library.groups.references("Thesis/Intro")
        assert {one.fields["title"] for one in found} == {"One", "New"}


def parts_of_the_search_index(computer: Computer) -> int:
    ((parts,),) = computer.replica.database.rows("SELECT count(DISTINCT segid) FROM refs_fts_idx")
    return int(parts)


def test_an_import_of_most_of_a_library_leaves_the_search_index_in_one_part(
    office: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INDEX_MERGED_MIN", 20)
    monkeypatch.setattr("bifolio.imports.importer._RECORDS_AT_ONCE", 10)

    def papers(first: int, count: int) -> list[dict[str, str]]:
        numbers = range(first, first + count)
        return [{"ID": str(one), "TI": f"On Sheet {one} of {one * 7}"} for one in numbers]

    office.imports(*ris(tmp_path, *papers(0, 40)))
    assert parts_of_the_search_index(office) == 1
    # A few beside many cost what the few cost.
    office.imports(*ris(tmp_path, *papers(100, 12)))
    assert parts_of_the_search_index(office) > 1

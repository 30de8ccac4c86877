"""Several references made one: nothing is lost, and both files go on finding it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library, ris

from bifolio.document import deletion
from bifolio.errors import ReferenceNotFoundError, TrashedReferenceError, UsageError
from bifolio.library import status
from bifolio.library.groups import Groups
from bifolio.library.merge_duplicates import merge
from bifolio.library.trash import Trash
from bifolio.records.attachments import Attachment
from bifolio.records.names import Name
from bifolio.records.reference import Value, Values
from bifolio.replica import lookup

ONE, TWO, THREE = (f"{number:032x}" for number in (1, 2, 3))

KNUTH = (Name("Knuth", "Donald E."), Name("Plass", "Michael F."))


def work(key: str, **more: Value) -> Values:
    values: Values = {"type": "book", "title": "On Paper", "citation-key": key}
    return values | more


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    return owner_of_a_library(tmp_path)


def test_the_kept_one_gets_what_it_lacks_and_the_other_goes_to_the_trash(
    office: Computer,
) -> None:
    office.adds(ONE, work("doe2014", volume="7"))
    office.adds(TWO, work("doe2014b", author=KNUTH, DOI="10.1/a", abstract="Of paper."))
    merged = merge(office.replica, ["doe2014", "doe2014b"])
    kept = office.shows(ONE)
    assert merged.kept == kept
    assert kept.fields["volume"] == "7"
    assert kept.fields["DOI"] == "10.1/a"
    assert kept.fields["abstract"] == "Of paper."
    assert [one["family"] for one in kept.fields["author"]] == ["Knuth", "Plass"]
    assert {(one.field, one.source) for one in merged.taken} == {
        *(("author", "doe2014b"), ("DOI", "doe2014b"), ("abstract", "doe2014b")),
    }
    assert merged.differing == ()
    (gone,) = merged.merged
    assert gone.trashed
    assert gone.merged_into == ONE
    assert kept.conflicts == ()


def test_the_other_key_goes_on_finding_the_work(office: Computer) -> None:
    office.adds(ONE, work("doe2014"))
    office.adds(TWO, work("roe2014", **{"citation-key-aliases": ("roe2013",)}))
    merge(office.replica, ["doe2014", "roe2014"])
    for key in ("doe2014", "roe2014", "roe2013"):
        assert lookup.find(office.replica, key).id == ONE


def test_what_differs_stays_as_the_kept_one_has_it_and_is_named(office: Computer) -> None:
    office.adds(ONE, work("a", volume="7", author=KNUTH[:1], issued={"date-parts": [[2014]]}))
    office.adds(TWO, work("b", volume="8", author=KNUTH, issued={"date-parts": [[2015]]}))
    merged = merge(office.replica, ["a", "b"])
    assert {one.field for one in merged.differing} == {"volume", "author", "issued"}
    (volume,) = [one for one in merged.differing if one.field == "volume"]
    assert (volume.kept, volume.other, volume.source) == ("7", "8", "b")
    assert office.shows(ONE).fields["volume"] == "7"
    assert office.shows(TWO).fields["volume"] == "8"


def test_a_value_written_otherwise_is_no_difference_and_a_more_exact_date_stands(
    office: Computer,
) -> None:
    office.adds(ONE, work("a", title="On Paper.", issued={"date-parts": [[2014]]}, type="document"))
    office.adds(TWO, work("b", title="on paper", issued={"date-parts": [[2014, 5]]}))
    merged = merge(office.replica, ["a", "b"])
    assert merged.differing == ()
    assert office.shows(ONE).fields["title"] == "On Paper."
    assert office.shows(ONE).fields["issued"] == {"date-parts": [[2014, 5]]}
    assert office.shows(ONE).type == "book"


@pytest.mark.parametrize(
    ("field", "mine", "other"),
    [
        ("title", "Programming in C++", "Programming in C#"),
        ("title", "Résumé", "Resume"),
        ("DOI", "10.1000/a-bc", "10.1000/a.bc"),
        ("volume", "12-1", "12/1"),
        ("author", (Name("Müller", "J."),), (Name("Muller", "J."),)),
        ("issued", {"date-parts": [[2014]], "season": 1}, {"date-parts": [[2014, 5]]}),
    ],
)
def test_no_other_value_is_taken_for_the_same_one(
    office: Computer, field: str, mine: Value, other: Value
) -> None:
    office.adds(ONE, work("a") | {field: mine})
    office.adds(TWO, work("b") | {field: other})
    assert [one.field for one in merge(office.replica, ["a", "b"]).differing] == [field]


def test_a_date_with_a_season_says_more_than_the_year(office: Computer) -> None:
    season: Value = {"date-parts": [[2014]], "season": 2}
    office.adds(ONE, work("a", issued={"date-parts": [[2014]]}))
    office.adds(TWO, work("b", issued=season))
    assert merge(office.replica, ["a", "b"]).differing == ()
    assert office.shows(ONE).fields["issued"] == season


@pytest.mark.parametrize(
    ("field", "mine", "other"),
    [
        ("title", "On “Paper”", '  on "paper".'),
        ("DOI", "10.1/A", "https://doi.org/10.1/a"),
        ("page", "12-34", "12–34"),
        ("author", (Name("Doe", "D.E."),), (Name("Doe", "D. E"),)),
    ],
)
def test_ways_of_writing_one_value_are_no_difference(
    office: Computer, field: str, mine: Value, other: Value
) -> None:
    office.adds(ONE, work("a") | {field: mine})
    office.adds(TWO, work("b") | {field: other})
    assert merge(office.replica, ["a", "b"]).differing == ()


def test_elements_without_a_digit_are_not_one_number(office: Computer) -> None:
    office.adds(ONE, work("a", ISSN=("online",)))
    office.adds(TWO, work("b", ISSN=("print",)))
    merge(office.replica, ["a", "b"])
    assert office.shows(ONE).fields["ISSN"] == ["online", "print"]


def test_groups_tags_files_and_numbers_are_united(office: Computer) -> None:
    groups = Groups(office.replica)
    files = [Attachment(f"{name}.pdf", name * 64, 7).to_element() for name in "ab"]
    office.adds(ONE, work("a", tags=("red",), ISBN=("0-201-13448-9",), files=(files[0],)))
    office.adds(TWO, work("b", tags=("red", "blue"), ISBN=("0201134489", "1"), files=(files[1],)))
    for name, ref in (("G", "a"), ("H", "b")):
        groups.create(name)
        groups.add(name, [ref])
    merge(office.replica, ["a", "b"])
    kept = office.shows(ONE)
    assert kept.tags == ("red", "blue")
    assert kept.groups == ("G", "H")
    assert kept.fields["ISBN"] == ["0-201-13448-9", "1"]
    row = office.replica.references.read(ONE)
    assert row is not None
    assert set(row.fields["files"]) == set(files)


def test_notes_that_differ_are_put_together_and_one_inside_the_other_is_not_repeated(
    office: Computer,
) -> None:
    office.adds(ONE, work("a", note="Read in May.", abstract="Of paper."))
    office.adds(TWO, work("b", note="Cited by Roe.", abstract="Of  paper. And of ink."))
    merge(office.replica, ["a", "b"])
    assert office.shows(ONE).fields["note"] == "Read in May.\n\nCited by Roe."
    assert office.shows(ONE).fields["abstract"] == "Of  paper. And of ink."


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("not significant: p > 0.05; see annotated copy", "significant: p < 0.05"),
        ("not significant: p > 0.05", "significant: p > 0.05"),
        ("art", "party"),
        ("art", "art history"),
        ("C++", "C"),
        ("Of paper", "Of PAPER"),
        ("No", "No idea.\nSee there."),
    ],
)
def test_a_note_that_says_something_else_is_put_below_the_other(
    office: Computer, mine: str, other: str
) -> None:
    office.adds(ONE, work("a", note=mine))
    office.adds(TWO, work("b", note=other))
    merge(office.replica, ["a", "b"])
    assert office.shows(ONE).fields["note"] == f"{mine}\n\n{other}"


@pytest.mark.parametrize("part", ["Read in May.", "Cited  by\nRoe.", "Cited by"])
def test_a_line_or_sentence_that_the_other_note_has_is_not_repeated(
    office: Computer, part: str
) -> None:
    whole = "Read in May. Twice.\n\nCited by\nRoe."
    office.adds(ONE, work("a", note=part))
    office.adds(TWO, work("b", note=whole))
    office.adds(THREE, work("c", note=part))
    merge(office.replica, ["a", "b", "c"])
    assert office.shows(ONE).fields["note"] == whole


def test_another_one_than_the_first_may_be_kept(office: Computer) -> None:
    for number, key in enumerate("abc", start=1):
        office.adds(f"{number:032x}", work(key, volume=str(number)))
    merged = merge(office.replica, ["a", "b"], keep="c")
    assert merged.kept.id == THREE
    assert [one.id for one in merged.merged] == [ONE, TWO]
    assert office.titles() == ["On Paper"]


def test_a_merge_of_one_or_of_what_is_not_there_changes_nothing(office: Computer) -> None:
    office.adds(ONE, work("a"))
    office.adds(TWO, work("b"))
    office.deletes(TWO)
    state = office.state
    with pytest.raises(UsageError, match="at least two"):
        merge(office.replica, ["a", "a"])
    with pytest.raises(ReferenceNotFoundError):
        merge(office.replica, ["a", "nobody"])
    with pytest.raises(TrashedReferenceError):
        merge(office.replica, ["a", TWO])
    assert office.state == state


def test_a_merge_is_one_change_and_upkeep_is_what_a_rebuild_gives(office: Computer) -> None:
    office.imports(*ris(office.replica.path, {"ID": "1", "TI": "On Paper"}))
    office.imports(*ris(office.replica.path, {"ID": "2", "TI": "On Paper", "VL": "2"}))
    ids = [row.id for row in office.replica.references.iter_rows(trashed=False)]
    before = office.replica.changes.unsent()
    merge(office.replica, ids)
    assert office.replica.changes.unsent() == before + 1
    rows = office.replica.references.all_rows()
    status.rebuild(office.replica)
    assert office.replica.references.all_rows() == rows


def test_either_file_imported_again_finds_the_merged_reference(
    office: Computer, tmp_path: Path
) -> None:
    first = {"ID": "1", "TI": "On Paper", "DO": "10.1/a"}
    second = {"ID": "x", "TI": "On paper", "VL": "2", "DO": "10.1/A"}
    office.imports(*ris(tmp_path, first))
    office.imports(*ris(tmp_path, second))
    ids = [row.id for row in office.replica.references.iter_rows(trashed=False)]
    assert len(ids) == 2
    merge(office.replica, ids)
    state = office.state
    for records in ([first], [second], [first, second], [second, first]):
        imported = office.imports(*ris(tmp_path, *records))
        assert (imported.added, imported.updated) == (0, 0), records
        assert (imported.unchanged, imported.trashed) == (len(records), 0), records
    assert office.state == state


def test_a_corrected_file_of_the_merged_away_one_updates_the_kept_one(
    office: Computer, tmp_path: Path
) -> None:
    second = {"ID": "x", "TI": "On Paper and Ink", "PY": "2015"}
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "On Paper and Ink"}))
    office.imports(*ris(tmp_path, second))
    kept, other = (row.id for row in office.replica.references.iter_rows(trashed=False))
    merge(office.replica, [kept, other])
    corrected = second | {"PB": "Press"}
    imported = office.imports(*ris(tmp_path, corrected))
    assert (imported.added, imported.updated, imported.trashed) == (0, 1, 0)
    assert office.shows(kept).fields["publisher"] == "Press"
    assert office.imports(*ris(tmp_path, corrected)).unchanged == 1
    assert len(office.titles()) == 1


def test_what_is_restored_is_a_reference_of_its_own_again(office: Computer) -> None:
    office.adds(ONE, work("a"))
    office.adds(TWO, work("b"))
    merge(office.replica, ["a", "b"])
    office.commits(TWO, deletion.plan_restore)
    assert office.shows(TWO).merged_into is None
    assert lookup.find(office.replica, "b").id == TWO
    office.deletes(TWO)
    assert office.shows(TWO).merged_into is None


def test_the_same_merge_on_two_computers_is_made_once(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, work("a", note="Mine."))
    office.adds(TWO, work("b", note="Yours.", author=KNUTH, volume="7", tags=("red",)))
    meet(office, home)
    merge(office.replica, ["a", "b"])
    merge(home.replica, ["a", "b"])
    meet(office, home)
    for computer in (office, home):
        kept = computer.shows(ONE)
        assert kept.fields["note"] == "Mine.\n\nYours."
        assert [one["family"] for one in kept.fields["author"]] == ["Knuth", "Plass"]
        assert kept.conflicts == ()
        assert computer.shows(TWO).trashed
        assert computer.shows(TWO).conflicts == ()


@pytest.mark.parametrize("bare", [True, False])
def test_two_references_merged_into_each_other_both_come_back_flagged(
    tmp_path: Path, bare: bool
) -> None:
    office, home = members(tmp_path, "office", "home")
    more: Values = {} if bare else {"note": "A note."}
    office.adds(ONE, {"type": "book", **more})
    office.adds(TWO, {"type": "book"})
    meet(office, home)
    merge(office.replica, [ONE, TWO])
    merge(home.replica, [TWO, ONE])
    meet(office, home)
    for computer in (office, home):
        for one in (ONE, TWO):
            shown = computer.shows(one)
            assert not shown.trashed
            assert shown.merged_into is None
            assert [conflict.kind for conflict in shown.conflicts] == ["revived"]
    merge(office.replica, [ONE, TWO])
    meet(office, home)
    for computer in (office, home):
        assert not computer.shows(ONE).trashed
        assert computer.shows(TWO).merged_into == ONE


def test_an_edit_unseen_by_the_merge_brings_the_reference_back(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, work("a"))
    office.adds(TWO, work("b"))
    meet(office, home)
    merge(office.replica, ["a", "b"])
    home.sets(TWO, "volume", "9")
    meet(office, home)
    shown = office.shows(TWO)
    assert (shown.trashed, shown.fields["volume"]) == (False, "9")
    assert [conflict.kind for conflict in shown.conflicts] == ["revived"]


def test_a_purged_one_goes_on_standing_for_the_one_that_was_kept(
    office: Computer, tmp_path: Path
) -> None:
    second = {"TI": "On paper", "VL": "2"}
    office.imports(*ris(tmp_path, {"ID": "1", "TI": "On Paper"}))
    office.imports(*ris(tmp_path, second))
    kept, other = (row.id for row in office.replica.references.iter_rows(trashed=False))
    merge(office.replica, [kept, other])
    Trash(office.replica).empty()
    imported = office.imports(*ris(tmp_path, second))
    assert (imported.added, imported.unchanged) == (0, 1)
    assert len(office.titles()) == 1


@pytest.mark.parametrize("seed", range(5))
def test_whoever_merges_what_into_what_at_any_time_no_work_is_lost(
    tmp_path: Path, seed: int
) -> None:
    """Nobody deletes anything: each reference lives, or was merged into one that does, and its
    note is shown by a living one, or listed as a conflict of it."""
    draw = random.Random(seed)
    everybody = members(tmp_path, "office", "home", "train")
    ids = [f"{number:032x}" for number in range(1, 5)]
    for number, record_id in enumerate(ids):
        everybody[0].adds(record_id, {"type": "book", "note": f"note {number}"})
    meet(*everybody)
    for _ in range(8):
        computer, other = draw.sample(everybody, 2)
        living = [one for one in ids if not computer.shows(one).trashed]
        if draw.random() < 0.3:
            computer.learns(other)
        elif len(living) > 1:
            merge(computer.replica, draw.sample(living, 2))
    meet(*everybody)
    for computer in everybody:
        living = [one for one in ids if not computer.shows(one).trashed]
        for record_id in ids:
            into: str | None = record_id
            for _ in ids:
                if into not in living:
                    assert into is not None
                    into = computer.shows(into).merged_into
            assert into in living
        said = str([computer.shows(one).to_json() for one in living])
        assert all(f"note {number}" in said for number in range(4))

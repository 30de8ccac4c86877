"""Whole libraries into a replica: groups, trash and files, again and at a later state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.endnote_libraries import EndNoteLibrary, Group
from tests.support.zotero_libraries import Collection, Item, ZoteroLibrary
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio.attachments import attachments
from bifolio.document import deletion
from bifolio.exports import export
from bifolio.formats import write
from bifolio.imports.attached_files import Intake, items_of
from bifolio.imports.importer import Importer
from bifolio.library import status
from bifolio.library.groups import Groups
from bifolio.library.notes import Annotations, Notes
from bifolio.records.attachments import Attachment
from bifolio.records.reference import ExportedReference, ImportedFile, ImportedReference, Source
from bifolio.replica import lookup
from bifolio.results import ImportReport

PAPER: dict[str, object] = {"author": "Doe, Jane", "title": "On Paper", "year": "2014"}
INK: dict[str, object] = {"author": "Roe, R.", "title": "On Ink", "year": "2015"}
WASTE: dict[str, object] = {"author": "Roe, R.", "title": "On Waste", "trash_state": 1}
PDF = b"%PDF-1.7 of a paper"

LIBRARY = EndNoteLibrary(
    [PAPER | {"rating": "80"}, INK, WASTE],
    groups=[Group("G1", "Methods", [1, 2, 3]), Group("G2", "Intro", [1])],
    sets={"Thesis": ["G2", "G1"]},
    tags={"to read": [2]},
    files={1: {"0123/paper.pdf": PDF}},
)
ZOTERO = ZoteroLibrary(
    [
        Item("AAAA2222", "book", fields={"title": "On Paper"}),
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>Seen</p>"),
        Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:paper.pdf"}),
        Item("BBBB2222", "book", fields={"title": "On Waste"}, trashed=True),
    ],
    [Collection("C1", "Thesis", ["AAAA2222"]), Collection("C2", "Intro", ["BBBB2222"], "C1")],
    files={"PPPP2222/paper.pdf": PDF},
)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    return owner_of_a_library(tmp_path)


def takes(
    computer: Computer, folder: Path, library: EndNoteLibrary | ZoteroLibrary
) -> ImportReport:
    """Import a library as it is now."""
    folder.mkdir(exist_ok=True)
    return takes_path(computer, library.write(folder))


def takes_path(computer: Computer, path: Path, *, keeps_files: bool = True) -> ImportReport:
    importer = Importer(computer.replica, file=str(path), keeps_files=keeps_files)
    return importer.run(items_of(path))


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    """Added, updated, unchanged, in the trash, groups."""
    return (report.added, report.updated, report.unchanged, report.trashed, report.groups)


def tree(computer: Computer) -> dict[str, int]:
    """The groups by path, in order, with how many references each holds."""
    return {one.path: one.count for one in Groups(computer.replica).list()}


def by_title(computer: Computer, title: str, *, trashed: bool = False) -> str:
    """The id of a reference."""
    (found,) = [
        row.id
        for row in computer.replica.references.iter_rows(trashed=trashed)
        if row.title == title
    ]
    return found


def fields(computer: Computer, title: str) -> dict[str, object]:
    return computer.shows(by_title(computer, title)).fields


def held(computer: Computer, title: str) -> Sequence[str]:
    """The names of the files of a reference."""
    row = computer.replica.references.read(by_title(computer, title))
    assert row is not None
    elements = row.fields.get("files", [])
    return [one.name for text in elements if (one := Attachment.from_element(text))]


def test_a_library_comes_with_its_groups_marks_trash_and_files(
    office: Computer, tmp_path: Path
) -> None:
    report = takes(office, tmp_path / "en", LIBRARY)
    assert counts(report) == (2, 0, 0, 1, 3)
    assert (report.files, report.missing_files) == (1, 0)
    assert tree(office) == {"Thesis": 0, "Thesis/Intro": 1, "Thesis/Methods": 2}
    assert office.titles() == ["On Ink", "On Paper"]
    assert by_title(office, "On Waste", trashed=True)
    assert fields(office, "On Paper")["rating"] == "4"
    assert held(office, "On Paper") == ["paper.pdf"]
    row = office.replica.references.read(by_title(office, "On Paper"))
    assert row is not None
    (element,) = row.fields["files"]
    attachment = Attachment.from_element(element)
    assert attachment is not None
    assert office.replica.contents.path(attachment.hash).read_bytes() == PDF


@pytest.mark.parametrize("library", [LIBRARY, ZOTERO], ids=["endnote", "zotero"])
def test_the_same_library_again_changes_nothing(
    office: Computer, tmp_path: Path, library: EndNoteLibrary | ZoteroLibrary
) -> None:
    first = takes(office, tmp_path / "one", library)
    state, tables = office.state, office.tables()
    again = takes(office, tmp_path / "two", library)
    assert counts(again) == (0, 0, first.added, first.trashed, 0)
    assert office.state == state
    assert office.tables() == tables


@pytest.mark.parametrize("library", [LIBRARY, ZOTERO], ids=["endnote", "zotero"])
def test_two_computers_that_import_one_library_hold_one_of_each(
    tmp_path: Path, library: EndNoteLibrary | ZoteroLibrary
) -> None:
    office, home = members(tmp_path, "office", "home")
    takes(office, tmp_path / "a", library)
    takes(home, tmp_path / "b", library)
    before = tree(office)
    meet(office, home)
    assert tree(home) == tree(office) == before
    assert home.titles() == office.titles()
    assert home.replica.references.conflict_count() == 0
    assert home.replica.references.count(trashed=True) == 1


def test_a_later_state_of_the_library_arrives_and_what_was_done_here_stays(
    office: Computer, tmp_path: Path
) -> None:
    takes(office, tmp_path / "en", LIBRARY)
    groups = Groups(office.replica)
    groups.rename("Methods", "Ways")
    office.adds("ab" * 16, {"type": "book", "title": "Of our own"})
    groups.add("Thesis/Ways", ["ab" * 16])
    office.sets(by_title(office, "On Paper"), "title", "On Paper, as I call it")
    later = replace(
        LIBRARY,
        refs=[PAPER | {"rating": "20", "volume": "7"}, INK, WASTE, PAPER | {"title": "New"}],
        groups=[
            Group("G1", "Methods of Old", [1]),
            Group("G2", "Introduction", [2, 4]),
            Group("G3", "Results", [4]),
        ],
        sets={"Thesis": ["G1", "G3", "G2"]},
    )
    report = takes(office, tmp_path / "en", later)
    assert counts(report) == (1, 2, 0, 1, 3)
    shown = fields(office, "On Paper, as I call it")
    assert (shown["rating"], shown["volume"]) == ("1", "7")
    # The rename and the addition here stay; the rename, the order, the addition there arrive.
    assert tree(office) == {
        "Thesis": 0, "Thesis/Ways": 2, "Thesis/Results": 1, "Thesis/Introduction": 2,
    }  # fmt: skip
    kept = office.replica.groups.all()
    status.rebuild(office.replica)
    assert office.replica.groups.all() == kept


def test_two_computers_that_take_in_a_later_state_get_one_result(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    takes(office, tmp_path / "a", LIBRARY)
    meet(office, home)
    later = replace(
        LIBRARY,
        refs=[PAPER | {"volume": "7"}, INK | {"rating": "100"}, WASTE],
        groups=[Group("G1", "Ways", [2]), Group("G2", "Intro", [1, 2])],
    )
    takes(office, tmp_path / "a", later)
    takes(home, tmp_path / "b", later)
    meet(office, home)
    assert tree(home) == {"Thesis": 0, "Thesis/Intro": 2, "Thesis/Ways": 1}
    assert home.replica.references.conflict_count() == 0


def test_what_was_thrown_away_here_stays_so_and_is_named(office: Computer, tmp_path: Path) -> None:
    takes(office, tmp_path / "en", LIBRARY)
    office.deletes(by_title(office, "On Ink"))
    Groups(office.replica).delete("Thesis/Intro")
    later = replace(LIBRARY, refs=[PAPER, INK | {"volume": "7"}, WASTE])
    report = takes(office, tmp_path / "en", later)
    assert counts(report) == (0, 1, 0, 2, 0)
    assert len(report.trashed_keys) == 2
    assert office.titles() == ["On Paper"]
    assert tree(office) == {"Thesis": 0, "Thesis/Methods": 1}


def test_what_came_into_the_trash_can_be_restored_with_its_groups(
    office: Computer, tmp_path: Path
) -> None:
    takes(office, tmp_path / "en", LIBRARY)
    waste = by_title(office, "On Waste", trashed=True)
    office.commits(waste, deletion.plan_restore)
    assert "On Waste" in office.titles()
    assert tree(office)["Thesis/Methods"] == 3
    report = takes(office, tmp_path / "en", LIBRARY)
    assert counts(report) == (0, 0, 3, 0, 0)
    assert "On Waste" in office.titles()


def test_the_library_after_its_xml_and_the_xml_after_the_library_double_nothing(
    tmp_path: Path,
) -> None:
    plain = replace(LIBRARY, tags={}, refs=[PAPER, INK])
    office, home, archive = (
        owner_of_a_library(tmp_path / name) for name in ("one", "two", "three")
    )
    takes(archive, tmp_path / "en", plain)
    xml = tmp_path / "export.xml"
    with xml.open("wb") as out:
        export.export(archive.replica, out, export.ExportOptions("endnote-xml"))

    takes_path(office, xml)
    assert tree(office) == {}
    assert counts(takes(office, tmp_path / "en", LIBRARY)) == (0, 2, 0, 1, 3)
    assert tree(office) == {"Thesis": 0, "Thesis/Intro": 1, "Thesis/Methods": 2}

    takes(home, tmp_path / "en", LIBRARY)
    state = home.state
    assert counts(takes_path(home, xml)) == (0, 0, 2, 0, 0)
    assert home.state == state
    assert fields(home, "On Paper")["rating"] == "4"
    assert office.titles() == home.titles() == ["On Ink", "On Paper"]


def test_a_changed_record_of_the_xml_keeps_what_only_the_library_said(
    office: Computer, tmp_path: Path
) -> None:
    takes(office, tmp_path / "en", LIBRARY)
    path = tmp_path / "en" / "Thesis.enl"
    items = list(items_of(path))
    (paper,) = [one for one in items if isinstance(one, ImportedReference) and one.line == 1]
    changed = ExportedReference("1", {**paper.values, "volume": "99"}, paper.source)
    xml = tmp_path / "export.xml"
    with xml.open("wb") as out:
        write(out, [changed], format="endnote-xml", blocks={})
    assert counts(takes_path(office, xml)) == (0, 1, 0, 0, 0)
    shown = fields(office, "On Paper")
    assert (shown["volume"], shown["rating"]) == ("99", "4")
    assert tree(office) == {"Thesis": 0, "Thesis/Intro": 1, "Thesis/Methods": 2}
    assert held(office, "On Paper") == ["paper.pdf"]


def test_a_library_without_its_files_takes_none_away_and_names_them(
    office: Computer, tmp_path: Path
) -> None:
    path = LIBRARY.write(tmp_path)
    takes_path(office, path)
    alone = tmp_path / "alone" / "Thesis.enl"
    alone.parent.mkdir()
    alone.write_bytes(path.read_bytes())
    report = takes_path(office, alone)
    assert counts(report) == (0, 0, 2, 1, 0)
    assert report.missing_files == 1
    assert [one.what for one in report.left_out] == ["the file 'paper.pdf' of doe2014paper"]
    assert held(office, "On Paper") == ["paper.pdf"]


def test_a_file_of_a_record_without_a_name_is_told_by_the_record_s_number(
    office: Computer,
) -> None:
    source = Source("endnote-xml", "Book", "db:17", ())
    lost = ImportedFile("/lost.pdf", "lost.pdf", None)
    intake = Intake(office.replica, keeps=False)
    intake.with_files(ImportedReference({"type": "book"}, source, 17, files=(lost,)))
    assert [one.what for one in intake.left_out] == ["the file 'lost.pdf' of the record 17"]


def test_a_dry_run_keeps_no_file_and_counts_them(office: Computer, tmp_path: Path) -> None:
    path = LIBRARY.write(tmp_path)
    with office.replica.database.rehearsal():
        report = takes_path(office, path, keeps_files=False)
    assert (report.files, report.groups, report.added) == (1, 3, 2)
    assert not [one for one in office.replica.contents.folder.rglob("*") if one.is_file()]
    assert tree(office) == {}


def test_one_content_of_two_records_is_kept_once(office: Computer, tmp_path: Path) -> None:
    twice = replace(LIBRARY, files={1: {"1/a.pdf": PDF, "2/a.pdf": PDF}, 2: {"3/b.pdf": PDF}})
    assert takes(office, tmp_path / "en", twice).files == 3
    kept = [one for one in office.replica.contents.folder.rglob("*") if one.is_file()]
    assert len(kept) == 1
    assert held(office, "On Paper") == ["a.pdf"]
    assert held(office, "On Ink") == ["b.pdf"]


def test_a_zotero_library_comes_with_collections_notes_trash_and_files(
    office: Computer, tmp_path: Path
) -> None:
    report = takes(office, tmp_path / "z", ZOTERO)
    assert counts(report) == (1, 0, 0, 1, 2)
    assert tree(office) == {"Thesis": 1, "Thesis/Intro": 0}
    assert fields(office, "On Paper")["note"] == "Seen"
    assert held(office, "On Paper") == ["paper.pdf"]


@pytest.mark.parametrize("kind", ["endnote", "zotero"])
def test_a_value_changed_back_there_is_so_here_and_an_older_copy_changes_nothing(
    office: Computer, tmp_path: Path, kind: str
) -> None:
    def of_day(day: int, volume: str) -> EndNoteLibrary | ZoteroLibrary:
        if kind == "endnote":
            return EndNoteLibrary([PAPER | {"volume": volume, "record_last_updated": day}])
        item = Item("AAAA2222", "book", fields={"title": "On Paper", "volume": volume})
        return ZoteroLibrary([replace(item, changed=f"2024-01-0{day} 00:00:00")])

    for day, volume in ((1, "7"), (2, "8"), (3, "7")):
        takes(office, tmp_path / "now", of_day(day, volume))
        assert fields(office, "On Paper")["volume"] == volume
    for older in (of_day(2, "8"), of_day(2, "9")):
        assert counts(takes(office, tmp_path / "old", older)) == (0, 0, 1, 0, 0)
    assert fields(office, "On Paper")["volume"] == "7"


def test_each_note_of_zotero_is_one_and_the_same_on_two_computers(tmp_path: Path) -> None:
    office, laptop = members(tmp_path, "office", "laptop")
    marked = Item(
        "XXXX2222", "annotation", parent="PPPP2222",
        own={"text": "folded twice", "comment": "why?", "pageLabel": "3"},
    )  # fmt: skip
    second = Item("NNNN3333", "note", parent="AAAA2222", note="<p>Two</p>", tags={"idea": 0})
    library = replace(ZOTERO, items=[*ZOTERO.items, second, marked])
    for number, computer in enumerate((office, laptop)):
        takes(computer, tmp_path / f"Z{number}", replace(library, first_id=1 + 100 * number))
    meet(office, laptop)
    record = by_title(office, "On Paper")
    assert [(one.text, one.tags) for one in Notes(office.replica).list(record)] == [
        ("Seen", ()),
        ("Two", ("idea",)),
    ]
    (annotation,) = Annotations(laptop.replica).list(record)
    assert (annotation.text, annotation.comment, annotation.page) == ("folded twice", "why?", "3")
    (attached,) = attachments.list_files(office.replica, record)
    assert annotation.file == attached.hash
    assert conflicts_of(office, record) == []


def test_a_newer_zotero_library_changes_the_same_notes_and_local_edits_stay(
    office: Computer, tmp_path: Path
) -> None:
    second = Item("NNNN3333", "note", parent="AAAA2222", note="<p>Two of many words here</p>")
    third = replace(second, key="NNNN4444", note="<p>Three</p>")
    takes(office, tmp_path / "Z", replace(ZOTERO, items=[*ZOTERO.items, second, third]))
    record = by_title(office, "On Paper")
    notes = Notes(office.replica)
    before = notes.list(record)
    notes.edit(record, 1, append="Mine.")
    mine = notes.add(record, "Of my own.")
    newer = replace(second, note="<p>Two of many more words here</p>")
    first = replace(ZOTERO.items[0], changed="2024-06-01 00:00:00")
    takes(office, tmp_path / "Z", replace(ZOTERO, items=[first, *ZOTERO.items[1:], newer]))
    assert [(one.id, one.text) for one in notes.list(record)] == [
        (before[0].id, "Seen\n\nMine."),
        (mine.id, "Of my own."),
        (before[1].id, "Two of many more words here"),
    ]
    assert conflicts_of(office, record) == []


def conflicts_of(computer: Computer, record: str) -> list[str]:
    row = computer.replica.references.read(record)
    assert row is not None
    return [one.field for one in lookup.conflicts(computer.replica, row)]

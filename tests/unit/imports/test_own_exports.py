"""What Bifolio wrote to a file and comes back as it was written is nothing new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.records.edits import Act, Edit
from bifolio.results import ImportReport

BIB = """@article{doe,
  author = {Doe, Jane},
  title = %s,
  year = 2015,
}
"""
RIS = "TY  - JOUR\nTI  - On Paper\nAU  - Doe, Jane\nPY  - 2015\nER  - \n"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    return Library.create(tmp_path / "own.bifolio", name="own")


def come_back(
    library: Library, text: str, suffix: str, change: Callable[[Path], None] | None = None
) -> ImportReport:
    """The report on the library's own export, read into it again."""
    file = library.path.parent / f"first{suffix}"
    file.write_text(text, encoding="utf-8")
    library.import_files([file])
    return read_again(library, suffix, change)


def read_again(
    library: Library, suffix: str, change: Callable[[Path], None] | None = None
) -> ImportReport:
    out = library.path.parent / f"out{suffix}"
    with out.open("wb") as handle:
        library.export(handle, format="bibtex" if suffix == ".bib" else "ris")
    if change is not None:
        change(out)
    return library.import_files([out])


def counts(report: ImportReport) -> tuple[int, int, int]:
    """Added, updated, unchanged."""
    return report.added, report.updated, report.unchanged


@pytest.mark.parametrize(
    "title",
    [r'"Saving 50% of it"', r"{Sets of the form \{x}", r'"a % b" # " and c"', "{plain}"],
)
def test_a_value_that_the_writer_had_to_write_otherwise_is_no_update(
    library: Library, title: str
) -> None:
    assert counts(come_back(library, BIB % title, ".bib")) == (0, 0, 1)


@pytest.mark.parametrize(
    "author",
    [
        "{Miller, D., Firby, J. and Dean, T.}",
        "{Roe, R. and and Poe, E.}",
        "{Roe, R. and } # x # { and P, E}",
    ],
)
def test_names_that_the_writer_had_to_write_otherwise_are_no_update(
    library: Library, author: str
) -> None:
    text = (BIB % "{On Paper}").replace("{Doe, Jane}", author)
    assert counts(come_back(library, text, ".bib")) == (0, 0, 1)


def test_a_type_that_the_writer_had_to_write_otherwise_is_no_update(library: Library) -> None:
    text = (BIB % "{On Paper}").replace("@article", "@commented")
    assert counts(come_back(library, text, ".bib")) == (0, 0, 1)


@pytest.mark.parametrize(("suffix", "text"), [(".bib", BIB % "{On Paper}"), (".ris", RIS)])
def test_an_edited_reference_that_comes_back_is_no_update(
    library: Library, suffix: str, text: str
) -> None:
    come_back(library, text, suffix)
    (only,) = library.list()
    library.edit(only.key, [Edit("volume", Act.SET, ("7",))])
    assert counts(read_again(library, suffix)) == (0, 0, 1)


@pytest.mark.parametrize("suffix", [".bib", ".ris"])
@pytest.mark.parametrize(("first", "text"), [(".bib", BIB % "{On Paper}"), (".ris", RIS)])
def test_several_notes_that_were_written_as_one_text_come_back_as_themselves(
    library: Library, suffix: str, first: str, text: str
) -> None:
    come_back(library, text, first)
    (only,) = library.list()
    library.notes.add(only.key, "The first note.")
    library.notes.add(only.key, "The second.\n\nWith a paragraph.")
    assert counts(read_again(library, suffix)) == (0, 0, 1)
    (again,) = library.list()
    assert [one.text for one in library.notes.list(again.key)] == [
        "The first note.",
        "The second.\n\nWith a paragraph.",
    ]


def test_another_spelling_of_what_was_imported_is_a_newer_version(library: Library) -> None:
    def respell(file: Path) -> None:
        file.write_text(file.read_text().replace("M\\\"uller's", "Müller's"), encoding="utf-8")

    report = come_back(library, BIB % "{M\\\"uller's Paper}", ".bib", respell)
    assert counts(report) == (0, 1, 0)


def test_a_file_that_was_added_to_an_own_export_comes_in(library: Library) -> None:
    (library.path.parent / "a.pdf").write_bytes(b"%PDF-1.4 a")

    def name_a_file(file: Path) -> None:
        text = file.read_text().replace("year =", "file = {:a.pdf:PDF},\n  year =")
        file.write_text(text, encoding="utf-8")

    report = come_back(library, BIB % "{On Paper}", ".bib", name_a_file)
    assert counts(report) == (0, 1, 0)
    (only,) = library.list()
    assert [one.name for one in library.files.list(only.key)] == ["a.pdf"]


FIRST, SECOND = "The first note.", "The second.\n\nWith a paragraph."


def texts_of(library: Library) -> list[str]:
    (only,) = library.list()
    return [one.text for one in library.notes.list(only.key)]


@pytest.mark.parametrize("note", ["", f"  note = {{{FIRST}}},\n"])
def test_notes_of_a_changed_export_are_the_notes_that_are_here(library: Library, note: str) -> None:
    come_back(library, BIB.replace("  year", f"{note}  year") % "{On Paper}", ".bib")
    (only,) = library.list()
    for text in [SECOND] if note else [FIRST, SECOND]:
        library.notes.add(only.key, text)
    assert counts(read_again(library, ".bib", write_other("2015", "2016"))) == (0, 1, 0)
    assert texts_of(library) == [FIRST, SECOND]
    assert library.conflicts() == []
    # Once more, and with a note that is of the file alone.
    assert counts(read_again(library, ".bib")) == (0, 0, 1)
    report = read_again(library, ".bib", write_other("With a paragraph.", "With another."))
    assert counts(report) == (0, 1, 0)
    assert library.conflicts() == []
    new = "The second.\n\nWith another."
    assert texts_of(library) == [
        f"{FIRST}\n\n{new}" if note else new,
        *[FIRST][bool(note) :],
        SECOND,
    ]


def test_an_own_note_stays_what_it_is_under_a_changed_export(library: Library) -> None:
    come_back(library, BIB % "{On Paper}", ".bib")
    (only,) = library.list()
    library.edit(only.key, [Edit("note", Act.SET, ("Mine.",))])
    library.notes.add(only.key, SECOND)
    read_again(library, ".bib", write_other("2015", "2016"))
    assert (texts_of(library), library.conflicts()) == (["Mine.", SECOND], [])


def test_a_note_that_was_changed_here_and_in_the_file_is_a_conflict(library: Library) -> None:
    come_back(library, BIB.replace("year", "note = {Old.},\n  year") % "{On Paper}", ".bib")
    (only,) = library.list()
    library.notes.add(only.key, SECOND)
    library.edit(only.key, [Edit("note", Act.CLEAR)])
    read_again(library, ".bib", write_other("The second.", "Another. The second."))
    (conflict,) = library.conflicts()
    assert (conflict.field, len(conflict.values)) == ("note", 2)


def test_annotations_of_a_changed_export_are_those_that_are_here(library: Library) -> None:
    come_back(library, BIB % "{On Paper}", ".bib")
    (only,) = library.list()
    marked = {"comment": "Why?", "type": "highlight", "text": "marked", "page": "3"}
    library.annotations.add(only.key, marked)
    library.annotations.add(only.key, {"comment": "Only said."})
    before = library.annotations.list(only.key)
    assert counts(read_again(library, ".bib", write_other("2015", "2016"))) == (0, 1, 0)
    assert [one.comment for one in library.annotations.list(only.key)] == ["Why?", "Only said."]
    assert [one.id for one in library.annotations.list(only.key)] == [one.id for one in before]


def test_undoing_the_import_of_a_changed_export_leaves_the_notes(library: Library) -> None:
    come_back(library, BIB % "{On Paper}", ".bib")
    (only,) = library.list()
    library.notes.add(only.key, FIRST)
    library.notes.add(only.key, SECOND)
    read_again(library, ".bib", write_other("2015", "2016"))
    library.history.undo()
    (again,) = library.list()
    assert again.fields["issued"] == {"date-parts": [[2015]]}
    assert texts_of(library) == [FIRST, SECOND]


def write_other(before: str, after: str) -> Callable[[Path], None]:
    """A change of a file: one text in the place of another."""

    def change(file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")

    return change

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

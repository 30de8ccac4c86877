"""Exports of a library: the keys in them, what is loose in a file, and what stays behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.records.reference import ExportReport


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    with Library.create(tmp_path / "a.bifolio", name="a") as created:
        yield created


def take(library: Library, folder: Path, *files: tuple[str, str]) -> None:
    for name, text in files:
        (folder / name).write_text(text, encoding="utf-8")
    library.import_files([folder / name for name, _ in files])


def give(
    library: Library, folder: Path, format: str = "bibtex", query: str | None = None
) -> tuple[str, ExportReport]:
    with (folder / "out").open("wb") as out:
        report = library.export(out, format=format, query=query)
    return (folder / "out").read_text(encoding="utf-8"), report


def keys(text: str) -> list[str]:
    return re.findall(r"^@\w+\{([^,{}]*),$", text, re.MULTILINE)


def test_a_key_that_is_written_twice_is_named(library: Library, tmp_path: Path) -> None:
    take(
        library,
        tmp_path,
        ("a.bib", "@book{Roe:2019, title={One}}\n@book{doe, title={Two}}\n"),
        ("b.bib", "@book{roe:2019, title={Three}}\n@book{doe, title={Four}}\n"),
    )
    text, report = give(library, tmp_path)
    assert sorted(map(str.lower, keys(text))) == ["doe", "doe", "roe:2019", "roe:2019"]
    assert [one.field for one in report.lost] == ["citation-key", "citation-key"]
    assert all("reads" in one.reason or "read one" in one.reason for one in report.lost)


def test_an_entry_without_a_key_is_written_with_the_one_that_is_shown(
    library: Library, tmp_path: Path
) -> None:
    file = ("a.bib", "@article{, author={Poe, E.}, title={No key}, year=2017}\n")
    take(library, tmp_path, file)
    text, report = give(library, tmp_path)
    assert keys(text) == [one.key for one in library.list()] == ["poe2017no"]
    assert report.lost == []
    take(library, tmp_path, ("again.bib", text), file)
    assert [one.key for one in library.list()] == ["poe2017no"]


def test_references_of_one_import_have_keys_of_their_own_in_every_export(
    library: Library, tmp_path: Path
) -> None:
    ris = "TY  - JOUR\nTI  - Folding {}\nAU  - Doe, J.\nPY  - 2015\nSN  - 1234-567{}\nER  - \n"
    take(library, tmp_path, ("a.ris", ris.format("a", 1) + ris.format("b", 2)))
    shown = {one.key for one in library.list()}
    assert len(shown) == 2
    text, report = give(library, tmp_path)
    assert set(keys(text)) == shown
    assert report.lost == []


def test_a_key_that_bibtex_cannot_read_is_written_another_way_and_named(
    library: Library, tmp_path: Path
) -> None:
    take(library, tmp_path, ("a.bib", "@book{a b, title={One}}\n"))
    text, report = give(library, tmp_path)
    assert keys(text) == ["a-b"]
    assert "written as 'a-b'" in report.lost[0].reason
    take(library, tmp_path, ("again.bib", text))
    assert [one.key for one in library.list()] == ["a b"]


FILE = "Loose text of the file.\n@comment{of the file}\n@string{p = {Press}}\n" + (
    "@book{one, title={One}, publisher=p}\n@book{two, title={Two}}\n"
)


def test_loose_text_is_in_the_export_of_a_whole_library_alone(
    library: Library, tmp_path: Path
) -> None:
    take(library, tmp_path, ("a.bib", FILE))
    assert "Loose text" in give(library, tmp_path)[0]
    text, report = give(library, tmp_path, query="one")
    assert keys(text) == ["one"]
    assert "Loose" not in text
    assert "of the file" not in text
    assert "@string{p = {Press}}" in text
    assert report.lost == []
    live = library.live_export(format="bibtex", query="one")
    with (tmp_path / "live").open("wb") as out:
        live.write(out)
    assert "Loose" not in (tmp_path / "live").read_text(encoding="utf-8")


def test_loose_text_that_would_begin_an_entry_is_never_written(
    library: Library, tmp_path: Path
) -> None:
    take(library, tmp_path, ("a.bib", "write to me@example.org\n\n@book{one, title={One}}\n"))
    text, report = give(library, tmp_path)
    assert "example.org" not in text
    assert "begins an entry" in report.lost[0].reason


def test_preface_lines_of_ris_stay_out_of_a_selection(library: Library, tmp_path: Path) -> None:
    take(library, tmp_path, ("a.ris", "Provider: X\n\nTY  - BOOK\nTI  - One\nER  - \n"))
    assert "Provider" in give(library, tmp_path, "ris")[0]
    assert "Provider" not in give(library, tmp_path, "ris", query="one")[0]

"""Opening an attached file starts no program, script, shortcut or web page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import FileNotOpenedError, Next
from bifolio.home import Home
from bifolio_cli.text.next_steps import word
from bifolio_cli.text.safe_text import escape_line

PDF = b"%PDF-1.7\n%\xe2\xe3\n"

RUNNABLE = (
    "exe bat cmd com scr lnk url desktop app html htm xhtml svg js vbs wsf hta jar docm doc xls "
    "xlsm rtf odt csv command sh py ps1 msi pif cpl reg chm iso dmg pkg xml webloc terminal php ps"
).split()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The library of all tests here, with one reference, to which each attaches its file."""
    folder = tmp_path_factory.mktemp("openable")
    home = Home(folder / "home", device_name="office")
    with Library.create(folder / "Thesis.bifolio", home=home) as made:
        made.add({"title": "On Paper", "citation-key": "paper"})
        yield made


def opened(library: Library, tmp_path: Path, name: str, content: bytes) -> Path:
    """The copy that another program would get of an attached file, which is detached again."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    library.files.add("paper", [tmp_path / "in" / name])
    try:
        return library.files.open_copy("paper", name)
    finally:
        library.files.remove("paper", name)


@pytest.mark.parametrize(
    "name",
    [
        *(f"paper.{suffix}" for suffix in RUNNABLE),
        *(
            "paper",
            "paper.pdf.exe",
            "paper.exe. ",
            "paper.pdf:evil.exe",
            "paper\u202efdp.exe",
        ),
        *("paper.EXE", "CON"),
    ],
)
def test_what_could_run_something_is_not_opened(
    library: Library, tmp_path: Path, name: str
) -> None:
    with pytest.raises(FileNotOpenedError) as caught:
        opened(library, tmp_path, name, PDF)
    refused = caught.value
    assert name in refused.message
    assert refused.next_step is not None
    assert refused.next_step.code is Next.EXPORT_FILE
    assert "bifolio file export paper " in word(refused.next_step)
    assert "\u202e" not in escape_line(refused.message)


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"MZ\x90\x00%PDF-1.7",
            b"\x7fELF%PDF-",
            b"#!/bin/sh\n# %PDF-1.7",
            b"<html>",
            b"",
            b"hello",
        ),
        b"\xca\xfe\xba\xbe%PDF-",
        b" " * 1024 + PDF,
    ],
)
def test_a_program_that_is_called_a_document_is_not_opened(
    library: Library, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(FileNotOpenedError, match="by its content it is"):
        opened(library, tmp_path, "paper.pdf", content)


@pytest.mark.parametrize(
    ("name", "content", "opens_as"),
    [
        ("paper.pdf", PDF, "paper.pdf"),
        ("Paper.PDF", b"\n\n" + PDF, "Paper.pdf"),
        ("a:b.pdf", PDF, "a_b.pdf"),
        ("gnp\u202eexe.pdf", PDF, "gnpexe.pdf"),
        ("-x.pdf", PDF, "_-x.pdf"),
        (".pdf", PDF, "_.pdf"),
        ("paper.pdf. ", PDF, "paper.pdf"),
        ("aux.pdf", PDF, "_aux.pdf"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "a.png"),
        ("a.epub", b"PK\x03\x04", "a.epub"),
        ("notes.txt", b"hello", "notes.txt"),
    ],
)
def test_a_document_is_opened_under_a_safe_name_with_its_true_suffix(
    library: Library, tmp_path: Path, name: str, content: bytes, opens_as: str
) -> None:
    path = opened(library, tmp_path, name, content)
    assert path.name == opens_as
    assert path.read_bytes() == content


def test_a_file_with_a_reserved_name_is_stored_and_exported_under_a_safe_one(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home", device_name="office")
    source = tmp_path / "nul.pdf"
    source.write_bytes(PDF)
    with Library.create(tmp_path / "Thesis.bifolio", home=home) as library:
        ref = library.add({"title": "On Paper"}).id
        (added,) = library.files.add(ref, [source])
        assert added.name == "nul.pdf"
        (tmp_path / "out").mkdir()
        assert library.files.export(ref, "nul.pdf", tmp_path / "out").name == "_nul.pdf"

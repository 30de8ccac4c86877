"""PubMed's nbib (MEDLINE): its files and the cases of Zotero and JabRef."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import zotero
from conformance.expected.bibtex import read_bibtex
from conformance.family import Case, Family


def owns(path: PurePosixPath) -> bool:
    """By its suffix, and the one text that is MEDLINE's."""
    return path.suffix == ".nbib" or path.name == "PubMed_example.txt"


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's and JabRef's."""
    yield from zotero.cases(folder / "zotero" / "medline_nbib.json", "case.nbib")
    for path in sorted((folder / "jabref" / "nbib").iterdir()):
        if path.suffix != ".bib" and path.with_suffix(".bib").exists():
            expected = read_bibtex(path.with_suffix(".bib"))
            yield Case(f"jabref/{path.name}", path.read_bytes(), expected, path.name)


FAMILY: Final = Family("nbib", owns, cases)

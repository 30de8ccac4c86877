"""RIS: search exports, reference managers' exports, and the cases of Zotero and JabRef."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import zotero
from conformance.expected.bibtex import read_bibtex
from conformance.family import Case, Family

#: Texts beside the RIS files that are of other formats, or of none.
_OTHERS: Final = frozenset({"PubMed_example.txt", "WoS_txt_example.txt", "litsearchr.txt"})


def owns(path: PurePosixPath) -> bool:
    """RIS by its suffix, and the texts among the RIS files."""
    if path.suffix == ".txt":
        return path.parts[0] == "ris" and path.name not in _OTHERS
    return path.suffix == ".ris"


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's and JabRef's."""
    yield from zotero.cases(folder / "zotero" / "ris.json", "case.ris")
    for path in sorted((folder / "jabref" / "ris").glob("*.ris")):
        expected = read_bibtex(path.with_suffix(".bib"))
        yield Case(f"jabref/{path.name}", path.read_bytes(), expected, path.name)


FAMILY: Final = Family("ris", owns, cases)

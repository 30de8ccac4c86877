"""``enw`` and Refer: the cases of Zotero, citation.js and the inputs of JabRef."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import zotero
from conformance.expected.csl import read_csl
from conformance.family import Case, Family


def owns(path: PurePosixPath) -> bool:
    """By its suffix."""
    return path.suffix in (".enw", ".end")


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's and citation.js's; JabRef's inputs expect a value here and there only in code."""
    yield from zotero.cases(folder / "zotero" / "refer_enw.json", "case.enw")
    for path in sorted((folder / "citation_js" / "enw").glob("*.enw")):
        expected = read_csl(path.with_suffix(".expected.csl.json"))
        yield Case(f"citation_js/{path.name}", path.read_bytes(), expected, path.name)


FAMILY: Final = Family("enw", owns, cases)

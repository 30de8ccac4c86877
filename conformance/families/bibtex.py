"""BibTeX: real libraries, and the cases of Zotero and Better BibTeX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import better_bibtex, zotero
from conformance.families.bibtex_differences import DIFFERENCES
from conformance.family import Case, Family
from conformance.folders import Folders


def owns(path: PurePosixPath) -> bool:
    """By its suffix, but for the folder of BibLaTeX."""
    return path.suffix in (".bib", ".bibtex") and path.parts[0] != "biblatex"


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's, and Better BibTeX's, whose inputs are among the real files."""
    yield from zotero.cases(folder / "zotero" / "bibtex.json", "case.bib")
    inputs = Folders.from_environment().corpora / "bibtex" / "nasty" / "bbt_import"
    yield from better_bibtex.cases(folder / "bbt_import" / "json", inputs)


FAMILY: Final = Family("bibtex", owns, cases, DIFFERENCES)

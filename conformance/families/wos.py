"""Web of Science: the cases of Zotero."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from conformance.expected import zotero
from conformance.families.services_differences import DIFFERENCES
from conformance.family import Case, Family


def owns(path: PurePosixPath) -> bool:
    """By its suffix, and the one text that is its own."""
    return path.suffix == ".ciw" or path.name == "WoS_txt_example.txt"


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's."""
    yield from zotero.cases(folder / "zotero" / "extra_wos_tagged.json", "case.ciw")


FAMILY = Family("wos", owns, cases, DIFFERENCES)

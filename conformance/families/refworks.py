"""RefWorks: the cases of Zotero."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from conformance.expected import zotero
from conformance.families.services_differences import DIFFERENCES
from conformance.family import Case, Family


def owns(path: PurePosixPath) -> bool:
    """None of the corpora."""
    del path
    return False


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's."""
    yield from zotero.cases(folder / "zotero" / "extra_refworks_tagged.json", "case.txt")


FAMILY = Family("refworks", owns, cases, DIFFERENCES)

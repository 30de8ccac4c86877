"""CSL-JSON: exports of Better BibTeX and citation.js, and Zotero's cases.

CSL's names are ours, so that every item of a real file is its own case, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import zotero
from conformance.expected.csl import csl_values
from conformance.family import Case, Family
from conformance.folders import Folders


def owns(path: PurePosixPath) -> bool:
    """By its folder or CSL's own ending: JSON is many things."""
    return path.name.endswith(".csl.json" if path.parts[0] != "csl_json" else ".json")


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's, and the real files."""
    yield from zotero.cases(folder / "zotero" / "csl_json.json", "case.json")
    for path in sorted((Folders.from_environment().corpora / "csl_json").rglob("*.json")):
        stored = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(stored, list):
            expected = tuple(csl_values(item) for item in stored)
            yield Case(f"itself/{path.name}", path.read_bytes(), expected, "case.json")


FAMILY: Final = Family("csl-json", owns, cases)

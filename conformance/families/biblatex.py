"""BibLaTeX: exports of Better BibTeX, biber's tests, and the cases of pandoc and of
biblatex-csl-converter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import pandoc_yaml
from conformance.expected.csl import csl_values
from conformance.families.bibtex_differences import DIFFERENCES
from conformance.family import Case, Family


def owns(path: PurePosixPath) -> bool:
    """By its folder."""
    return path.parts[0] == "biblatex"


def cases(folder: Path) -> Iterator[Case]:
    """Those of both projects."""
    yield from pandoc_yaml.cases(folder / "pandoc" / "biblatex")
    yield from _read_converted(folder / "biblatex_csl_converter")


def _read_converted(folder: Path) -> Iterator[Case]:
    for path in sorted((folder / "bib").glob("*.bib")):
        result = folder / "csl" / f"{path.stem}.csl"
        if not result.is_file():
            continue
        items = json.loads(result.read_text(encoding="utf-8"))
        keys = _keys(path.with_suffix(".json"))
        expected = tuple(
            csl_values(item) | ({"citation-key": keys[number]} if number in keys else {})
            for number, item in items.items()
        )
        if expected:
            name = f"biblatex_csl_converter/{path.name}"
            yield Case(name, path.read_bytes(), expected, "case.bib")


def _keys(path: Path) -> dict[str, str]:
    """The citation keys by the project's numbers of the entries."""
    if not path.is_file():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8")).get("entries", {})
    return {number: entry["entry_key"] for number, entry in entries.items()}


FAMILY: Final = Family("biblatex", owns, cases, DIFFERENCES)

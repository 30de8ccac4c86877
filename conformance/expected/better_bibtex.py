"""What Better BibTeX expects of a BibTeX file: Zotero's items, with what Zotero has no field for
in lines of ``extra``.

A line ``tex.<name>`` is a BibTeX field that it keeps as it is: it is under our own name for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from conformance.expected.zotero import values
from conformance.family import Case, Expected

_NO_WORKS: Final = frozenset({"attachment", "note", "annotation"})


def cases(folder: Path, inputs: Path) -> Iterator[Case]:
    """Each expected file whose BibTeX file is among the inputs."""
    for path in sorted(folder.iterdir()):
        source = _input(path, inputs)
        if source is not None:
            stored = json.loads(path.read_text(encoding="utf-8"))
            expected = tuple(
                _values(item) for item in stored["items"] if item["itemType"] not in _NO_WORKS
            )
            yield Case(f"bbt/{source.name}", source.read_bytes(), expected, "case.bib")


def _input(path: Path, inputs: Path) -> Path | None:
    """The BibTeX file of an expected one; long names are cut in both."""
    stem = path.name.removesuffix(".json")
    for name in (f"{stem}.bib", stem, f"{stem.removesuffix('.raw')}.bib"):
        if (inputs / name).is_file():
            return inputs / name
    return None


def _values(item: dict[str, Any]) -> Expected:
    extra = item.get("extra") or []
    lines = extra if isinstance(extra, list) else str(extra).splitlines()
    fields = [line for line in map(str, lines) if not line.startswith(("tex.", "Citation Key: "))]
    stored = {name: value for name, value in item.items() if name not in _OF_THE_LIBRARY}
    expected = values(stored | {"extra": "\n".join(fields)})
    for line in map(str, lines):
        name, colon, text = line.partition(": ")
        if colon and name.startswith("tex.") and text.strip():
            expected[f"x.bibtex.{name.removeprefix('tex.').lower()}"] = text.strip()
        elif name == "Citation Key" and text.strip():
            expected.setdefault("citation-key", text.strip())
    if "zotero.extra Type" in expected:
        expected["type"] = expected.pop("zotero.extra Type")
    return expected


#: What a Zotero library says of its own items.
_OF_THE_LIBRARY: Final = frozenset(
    "version dateAdded dateModified key relations uri itemKey libraryID collections select".split()
)

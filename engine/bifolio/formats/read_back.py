"""Whether a reference's text is one record to whoever reads it, so that it reaches into no other.

A member may write any raw value into a source: an end tag, a brace too many, an entry of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final
from xml.parsers import expat

from bifolio.formats.bibtex import blocks
from bifolio.formats.tagged import lines

_KEY: Final = re.compile(r"\s*@\s*\w+\s*[{(]([^,}\n]*)")
#: A reference that says nothing but its type; no reader makes a record of it.
_EMPTY_ENTRY: Final = re.compile(r"@\w+\{,\n\}\s*")


def is_one_record(family: str, text: str, *, whole: bool = True) -> bool:
    """Whether a reader finds one record in the text, and nothing around it.

    Args:
        family: the format's.
        text: what was composed of one reference.
        whole: whether a BibTeX entry must be without damage too: one that is not closed swallows
            what comes after it in other programs. One of the user's own files comes back as it was.
    """
    if family == "bibtex" and not whole:
        return _is_entry(text, damaged_too=True)
    return _READERS[family](text)


def written_key(family: str, text: str) -> str:
    """The key under which programs find a written reference; empty in a format without one."""
    if family == "bibtex":
        found = _KEY.match(text)
        return found.group(1).strip() if found is not None else ""
    if family == "csl-json":
        item = json.loads(text)
        return str(item.get("id") or "") if isinstance(item, dict) else ""
    return ""


def is_outside(family: str, text: str) -> bool:
    """Whether a reader of tagged lines finds no record in a block of a file."""
    split = {"ris": lines.split, "enw": lines.ENW_LINES.split}.get(family)
    return split is None or all(isinstance(one, lines.OutsideText) for one in split(text))


def _is_entry(text: str, *, damaged_too: bool = False) -> bool:
    if _EMPTY_ENTRY.fullmatch(text):
        return True
    found = list(blocks.split(text))
    if len(found) != 1 or not isinstance(found[0], blocks.BibtexEntry):
        return False
    return damaged_too or not found[0].problem


def _is_tagged(text: str) -> bool:
    found = list(lines.split(text))
    return len(found) == 1 and isinstance(found[0], lines.TaggedRecord) and found[0].ended


def _is_enw(text: str) -> bool:
    found = list(lines.ENW_LINES.split(text))
    return len(found) == 1 and isinstance(found[0], lines.TaggedRecord)


def _is_item(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        return isinstance(json.loads(text, parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def _is_xml(text: str) -> bool:
    """Without the reader's tree of elements: a tenth of the time, and stricter."""
    depth = 0
    tops: list[str] = []

    def start(name: str, _: object) -> None:
        nonlocal depth
        if depth == 1:
            tops.append(name)
        depth += 1

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(f"<records>{text}</records>", True)
    except (expat.ExpatError, ValueError):
        return False
    return tops == ["record"] and text.count("<record>") == 1


_READERS: Final[dict[str, Callable[[str], bool]]] = {
    "bibtex": _is_entry,
    "ris": _is_tagged,
    "enw": _is_enw,
    "csl-json": _is_item,
    "endnote-xml": _is_xml,
}

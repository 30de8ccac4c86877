"""What pandoc's readers expect: its native document, whose metadata hold the references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bifolio.records.names import Name
from conformance.expected.dates import read_date
from conformance.family import Expected

_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z]\w*)|([][(){},=]|-?\d+)')

#: pandoc's variables that CSL spells another way.
_NAMES: Final = {"isbn": "ISSN", "number": "issue", "pages": "page", "url": "URL", "doi": "DOI"}


def read_native(path: Path) -> tuple[Expected, ...]:
    """The expected values of all references in the document's metadata."""
    tokens = [
        (text, word, sign) for text, word, sign in _TOKEN.findall(path.read_text(encoding="utf-8"))
    ]
    start = next(place for place, token in enumerate(tokens) if token[0] == "references")
    parsed = _value(iter(tokens[start + 2 :]))
    return tuple(_values(one) for one in parsed if isinstance(one, dict))


def _values(stored: dict[str, Any]) -> Expected:
    expected: Expected = {}
    for name, value in stored.items():
        field = _NAMES.get(name, name)
        if name == "id":
            continue
        if name == "issued":
            expected[field] = read_date(value)
        elif isinstance(value, list):
            expected[field] = tuple(Name.from_csl(one) for one in value)
        else:
            expected[field] = (value,) if field in ("ISSN", "URL") else value
    return expected


def _value(tokens: Iterator[tuple[str, str, str]]) -> Any:
    """The next metadata value: a text, a list or a map."""
    for text, word, sign in tokens:
        if word == "MetaString" or text:
            return text or next(tokens)[0]
        if word == "MetaInlines":
            return _inlines(tokens)
        if word == "MetaList":
            return _list(tokens)
        if word == "MetaMap":
            return _map(tokens)
        if sign in ("]", ")"):
            return None
    return None


def _list(tokens: Iterator[tuple[str, str, str]]) -> list[Any]:
    found: list[Any] = []
    while (value := _value(tokens)) is not None:
        found.append(value)
    return found


def _map(tokens: Iterator[tuple[str, str, str]]) -> dict[str, Any]:
    """The pairs of ``(fromList [(name, value), ...])``, with its closing signs."""
    found: dict[str, Any] = {}
    depth = 0
    for text, _, sign in tokens:
        depth += (sign in ("(", "[")) - (sign in (")", "]"))
        if text:
            found[text] = _value(tokens)
        if depth == 0 and sign == ")":
            break
    return found


def _inlines(tokens: Iterator[tuple[str, str, str]]) -> str:
    parts: list[str] = []
    for text, word, sign in tokens:
        if sign == "]":
            break
        if word in ("Space", "SoftBreak"):
            parts.append(" ")
        elif text:
            parts.append(text)
    return "".join(parts)

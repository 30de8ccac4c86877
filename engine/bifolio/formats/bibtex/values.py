"""A raw BibTeX value: where it ends, and the parts that ``#`` joins; names that are marked.

A tag that a parent gives has ``^`` before its name. A name of the file's own that begins so gets
one more, so that no file can take its own text for inherited. May not know what a field means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: The name under which a comment line inside an entry is kept among its tags.
COMMENT_TAG: Final = "%"

#: Before a tag that a parent gives.
_INHERITED: Final = "^"

_BRACES: Final = re.compile(r"[{}]")
_ESCAPED_BRACE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\([{}])")


def value_end(text: str, at: int, limit: int) -> int | None:
    """Where the value that begins here ends: before its comma or the entry's closing brace.

    Nothing if it does not end before the limit.
    """
    depth, quoted = 0, False
    while at < limit:
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return None if quoted else at
            depth -= 1
        elif character == '"' and depth == 0:
            quoted = not quoted
        elif character == "," and depth == 0 and not quoted:
            return at
        at += 1
    return None


def mark_inherited(name: str) -> str:
    """The tag of a field that a parent gives."""
    return _INHERITED + name


def is_inherited(tag: str) -> bool:
    """Whether a parent gives the tag."""
    return tag.startswith(_INHERITED) and not tag.startswith(_INHERITED * 2)


def name_of(tag: str) -> str:
    """The name of a tag as the file has it."""
    return tag.removeprefix(_INHERITED)


def own_tags(fields: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """The tags of an entry's own fields."""
    for name, raw in fields:
        yield (_INHERITED + name if name.startswith(_INHERITED) else name), raw


def pieces(raw: str) -> list[tuple[str, str]]:
    """The ``#``-joined parts of a raw value: (delimiter ``{``, ``"`` or nothing, text)."""
    raw = raw.strip()
    if "#" not in raw and len(raw) > 1 and (raw[0], raw[-1]) in (("{", "}"), ('"', '"')):
        return [(raw[0], raw[1:-1])]
    found: list[tuple[str, str]] = []
    start = depth = 0
    quoted = False
    for at, character in enumerate(raw):
        if character == "{" and (at == 0 or raw[at - 1] != "\\"):
            depth += 1
        elif character == "}" and (at == 0 or raw[at - 1] != "\\"):
            depth -= 1
        elif character == '"' and depth == 0:
            quoted = not quoted
        elif character == "#" and depth == 0 and not quoted:
            found.append(_undelimit(raw[start:at]))
            start = at + 1
    found.append(_undelimit(raw[start:]))
    return found


def _undelimit(part: str) -> tuple[str, str]:
    part = part.strip()
    if len(part) > 1 and (part[0], part[-1]) in (("{", "}"), ('"', '"')):
        return part[0], part[1:-1]
    return "", part


def with_paired_braces(raw: str) -> str:
    """A raw value with every brace in a pair. BibTeX counts one behind a backslash too, so that a
    lone one ends the entry elsewhere, or swallows the next: it is written as a command."""
    if "\\{" not in raw and "\\}" not in raw:
        return raw
    depth = 0
    for one in _BRACES.findall(raw):
        depth += 1 if one == "{" else -1
        if depth < 0:
            break
    return raw if depth == 0 else _ESCAPED_BRACE.sub(_as_command, raw)


def _as_command(found: re.Match[str]) -> str:
    side = "left" if found.group(2) == "{" else "right"
    return f"{found.group(1)}\\textbrace{side}{{}}"

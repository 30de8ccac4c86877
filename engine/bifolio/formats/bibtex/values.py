"""A raw BibTeX value: where it ends, and the parts that ``#`` joins.

May not know what a field means.
"""

from __future__ import annotations

from typing import Final

#: The name under which a comment line inside an entry is kept among its tags.
COMMENT_TAG: Final = "%"


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

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

#: Values that nothing has to be counted in.
_SIMPLE: Final = re.compile(r'\{[^{}]*\}|\d+|[A-Za-z][\w:.+/-]*|"[^"{}]*"')
_SYNTAX: Final = re.compile(r'[{}"#]')
_BARE: Final = re.compile(r"[^\s{}\",#%()='\\]+")
_BRACES: Final = re.compile(r"[{}]")
_PERCENT: Final = re.compile(r"(?<!\\)%")
_CLOSING: Final = {"{": "}", '"': '"', "": ""}
#: To pandoc no brace behind a backslash is one, though that be the second of two.
_AFTER_BACKSLASH: Final = re.compile(r"\\[{}]")
#: A line's end right before a brace.
_BREAK_BEFORE_BRACE: Final = re.compile(r"(?<!\\)((?:\\\\)+)(?=[{}])")
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


def as_harmless(tag: str, raw: str) -> str:
    """What a tag says, as it damages no entry: a value with every brace in a pair and no percent
    sign between quotation marks; a comment, and what is no field, behind percent signs and without
    braces that are lone."""
    if tag != COMMENT_TAG:
        return _without_quoted_percent(with_paired_braces(raw))
    lines = (raw if raw.count("{") == raw.count("}") else without_lone_braces(raw)).split("\n")
    return "\n".join(one if one.lstrip().startswith("%") else f"% {one.lstrip()}" for one in lines)


def with_paired_braces(raw: str) -> str:
    """A raw value with every brace in a pair. BibTeX counts one behind a backslash too and pandoc
    does not, so that a lone one of either ends the entry elsewhere, or swallows the next: those
    behind backslashes are written as commands. One that is lone in a damaged file goes."""
    escaped = "\\{" in raw or "\\}" in raw
    if not escaped and _SIMPLE.fullmatch(raw) is not None:
        return raw
    if _is_whole(raw):
        if not escaped or _is_whole_to_pandoc(raw):
            return raw
        raw = _BREAK_BEFORE_BRACE.sub(r"\1 ", raw)
        if _is_whole_to_pandoc(raw):
            return raw
    raw = _ESCAPED_BRACE.sub(_as_command, raw)
    return raw if _is_whole(raw) else _repaired(raw)


def _without_quoted_percent(raw: str) -> str:
    """A raw value whose texts with a percent sign are in braces: between quotation marks pandoc
    takes what follows for a comment, and reads nothing of the whole file."""
    if '"' not in raw or _PERCENT.search(raw) is None:
        return raw
    return " # ".join(
        f"{{{text}}}"
        if delimiter == '"' and _PERCENT.search(text)
        else f"{delimiter}{text}{_CLOSING[delimiter]}"
        for delimiter, text in pieces(raw)
    )


def _is_whole_to_pandoc(raw: str) -> bool:
    """Whether the braces without a backslash before them are in pairs."""
    return _is_whole(_AFTER_BACKSLASH.sub("", raw))


def _is_whole(raw: str) -> bool:
    """Whether these are pieces that ``#`` joins: groups, quoted texts, numbers and names."""
    depth, quoted, needs_joint = 0, False, False
    at = 0
    for found in _SYNTAX.finditer(raw):
        sign = found.group()
        if depth == 0 and not quoted:
            between = raw[at : found.start()].strip()
            if between and (needs_joint or _BARE.fullmatch(between) is None):
                return False
            needs_joint = needs_joint or bool(between)
        at = found.end()
        if sign == "{":
            if depth == 0 and not quoted and needs_joint:
                return False
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth < 0:
                return False
            needs_joint = True
        elif sign == '"' and depth == 0:
            if not quoted and needs_joint:
                return False
            quoted = not quoted
            needs_joint = True
        elif sign == "#" and depth == 0 and not quoted:
            if not needs_joint:
                return False
            needs_joint = False
    rest = raw[at:].strip()
    if depth or quoted or (rest and (needs_joint or _BARE.fullmatch(rest) is None)):
        return False
    return needs_joint or bool(rest)


def _repaired(raw: str) -> str:
    """The text in one pair of braces, without those that have no partner."""
    inner = raw.strip()
    if inner[:1] in ("{", '"'):
        inner = inner[1:].removesuffix("}" if inner[0] == "{" else '"')
    return "{" + without_lone_braces(inner) + "}"


def without_lone_braces(inner: str) -> str:
    """The text without the braces that have no partner."""
    open_at: list[int] = []
    lone: set[int] = set()
    for found in _BRACES.finditer(inner):
        if found.group() == "{":
            open_at.append(found.start())
        elif open_at:
            open_at.pop()
        else:
            lone.add(found.start())
    lone |= set(open_at)
    return "".join(one for at, one in enumerate(inner) if at not in lone)


def _as_command(found: re.Match[str]) -> str:
    side = "left" if found.group(2) == "{" else "right"
    return f"{found.group(1)}\\textbrace{side}{{}}"

"""A BibTeX text cut into entries and blocks: the only user of ``bibtexparser``.

The splitter of bibtexparser 2 reads what is well formed, without any of its middlewares. The thin
layer here keeps repeated keys and fields, comment lines inside entries, and salvages what the
splitter gives up: an entry whose braces do not balance is cut at its next line that begins like a
field, and never reaches into the entry after it. Values stay exactly as written, delimiters and
``#`` included. May not know what a field means.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

#: The name under which a comment line inside an entry is kept among its tags.
COMMENT_TAG: Final = "%"

#: Text given to the splitter at once; it holds all of it as objects, about five times its size.
_PIECE_CHARACTERS: Final = 256 * 1024

_LINE_START: Final = re.compile(r"^[ \t]*@\w+[ \t]*[{(]", re.MULTILINE)
_LOOSE_START: Final = re.compile(
    r"^([ \t]*@)\s+(\w+)\s*(?=[{(])|^([ \t]*@\w+)\s*\n\s*(?=[{(])", re.M
)
_HEADER: Final = re.compile(r"@\s*(\w+)\s*([{(])[ \t]*")
_KEY: Final = re.compile(r"\s*([^\s,={}\"]*)\s*(?:,|(?=[\n})])|$)")
#: A key that holds braces: all up to the comma at the end of its line.
_ODD_KEY: Final = re.compile(r"[ \t]*([^\s,=]+),(?=[ \t]*\n)")
_FIELD_LINE: Final = re.compile(r"\n[ \t]*,?[ \t]*[^\W\d][\w.:+@/-]*[ \t]*=")
_FIELD: Final = re.compile(r"\s*,?\s*([^\s,={}\"#%]+)\s*=\s*")
_COMMENT_LINE: Final = re.compile(r"\s*(%[^\n]*)")
_NOT_ENTRIES: Final = frozenset({"string", "preamble", "comment"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``problem`` says what had to be guessed, empty where nothing was."""

    type: str
    key: str
    tags: tuple[tuple[str, str], ...]
    line: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the file that is no entry; ``free`` for text outside of any ``@``."""

    text: str
    line: int
    free: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece that begins like an entry and holds nothing of one."""

    line: int
    reason: str


def split(text: str) -> Iterator[Entry | Block | Unreadable]:
    """Everything in the text, in order."""
    text = _LOOSE_START.sub(lambda found: (found[1] or "") + (found[2] or found[3]), text)
    line = 1
    for piece in _pieces(text):
        yield from _split_piece(piece, line)
        line += piece.count("\n")


def _pieces(text: str) -> Iterator[str]:
    """The text cut where a line begins with ``@word{``: there the splitter starts anew anyway."""
    start = 0
    while len(text) - start > _PIECE_CHARACTERS:
        found = _LINE_START.search(text, start + _PIECE_CHARACTERS)
        if found is None:
            break
        yield text[start : found.start()]
        start = found.start()
    yield text[start:]


def _split_piece(piece: str, line: int) -> Iterator[Entry | Block | Unreadable]:
    from bibtexparser import model
    from bibtexparser.entrypoint import parse_string

    # Its warnings would reach the user's terminal; what it gives up is salvaged and reported here.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    blocks = list(parse_string(piece, parse_stack=[]).blocks)
    starts = _positions(piece, blocks)
    place = counted = 0
    while place < len(blocks):
        block, start = blocks[place], starts[place]
        line += piece.count("\n", counted, start)
        counted = start
        place += 1
        inner = getattr(block, "ignore_error_block", None)
        if isinstance(inner, model.Entry):
            block = inner
        if isinstance(block, model.Entry):
            yield _entry(block, line)
        elif isinstance(block, model.ImplicitComment):
            yield Block(str(block.raw), line, free=True)
        elif isinstance(block, model.ParsingFailedBlock) and inner is None:
            while place < len(blocks) and isinstance(blocks[place], model.ImplicitComment):
                place += 1
            end = starts[place] if place < len(blocks) else len(piece)
            yield from _salvage(piece[start:end], line)
        else:
            yield Block(str(block.raw), line, free=False)


def _positions(piece: str, blocks: list[Any]) -> list[int]:
    """Where each block begins: each holds its own text, and they come in order."""
    positions, at = [], 0
    for block in blocks:
        at = max(piece.find(block.raw, at), at)
        positions.append(at)
        at += len(block.raw)
    return positions


def _entry(block: Any, line: int) -> Entry | Unreadable:
    header = _HEADER.match(block.raw)
    kind = header.group(1) if header else block.entry_type
    tags: list[tuple[str, str]] = []
    for one in block.fields:
        name, raw = one.key, one.value
        if "%" in name:
            *comments, name = [part.strip() for part in name.split("\n")]
            tags += [(COMMENT_TAG, comment) for comment in comments if comment]
            if name.startswith("%"):
                tags.append((COMMENT_TAG, f"{name} = {raw},"))
                continue
        tags.append((name, raw))
    key = block.key.strip()
    return Entry(kind, key, tuple(tags), line) if key or tags else _nothing(kind, line)


def _nothing(kind: str, line: int) -> Unreadable:
    return Unreadable(line, f"@{kind} has neither a key nor a field")


def _salvage(region: str, line: int) -> Iterator[Entry | Block | Unreadable]:
    """What a region holds that the splitter gave up: one entry with its fields, or a block."""
    header = _HEADER.match(region)
    kind = header.group(1) if header else ""
    if header is None or kind.lower() in _NOT_ENTRIES:
        yield Block(region.strip(), line, free=False, problem=f"@{kind} is not closed")
        return
    found = _KEY.match(region, header.end()) or _ODD_KEY.match(region, header.end())
    key, at = (found.group(1), found.end()) if found else ("", header.end())
    tags, doubts = _salvage_fields(region, at)
    if not key and not tags:
        yield _nothing(kind, line)
        return
    named = f"@{kind} '{key}'" if key else f"@{kind} without a key"
    problem = f"{named}: {doubts}; it was read as far as possible" if doubts else ""
    yield Entry(kind, key, tuple(tags), line, problem)


def _salvage_fields(region: str, at: int) -> tuple[list[tuple[str, str]], str]:
    """The fields from here on, and what was wrong with them."""
    tags: list[tuple[str, str]] = []
    doubts: list[str] = []
    while at < len(region):
        comment = _COMMENT_LINE.match(region, at)
        if comment is not None:
            tags.append((COMMENT_TAG, comment.group(1).rstrip()))
            at = comment.end()
            continue
        found = _FIELD.match(region, at)
        if found is None:
            end = region.find("\n", at)
            end = len(region) if end < 0 else end + 1
            stray = region[at:end].strip().strip(",").strip()
            if stray.strip("})"):
                tags.append((COMMENT_TAG, stray))
                doubts.append(f"'{stray[:40]}' belongs to no field")
            at = end
            continue
        raw, at, balanced = _salvage_value(region, found.end())
        tags.append((found.group(1), raw))
        if not balanced:
            doubts.append(f"the braces or quotes of '{found.group(1)}' do not balance")
    return tags, "; ".join(doubts)


def _salvage_value(region: str, at: int) -> tuple[str, int, bool]:
    """(raw value, where to go on, whether it balanced) of the value that begins here."""
    end = value_end(region, at)
    next_line = _FIELD_LINE.search(region, at)
    if end is not None and (next_line is None or end <= next_line.start()):
        return region[at:end].strip(), end, True
    cut = next_line.start() if next_line else len(region)
    raw = region[at:cut].strip()
    if next_line is None:
        raw = raw.removesuffix(")") if raw.endswith("\n)") else raw
        raw = raw[:-1].rstrip() if raw.endswith("\n}") else raw
    return raw.rstrip(",").rstrip(), cut, False


def value_end(text: str, at: int) -> int | None:
    """Where the value that begins here ends: before its comma or the entry's closing brace."""
    depth, quoted = 0, False
    while at < len(text):
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
            found.append(_undelimited(raw[start:at]))
            start = at + 1
    found.append(_undelimited(raw[start:]))
    return found


def _undelimited(part: str) -> tuple[str, str]:
    part = part.strip()
    if len(part) > 1 and (part[0], part[-1]) in (("{", "}"), ('"', '"')):
        return part[0], part[1:-1]
    return "", part

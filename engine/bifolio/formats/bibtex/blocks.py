"""A BibTeX text cut into entries and blocks.

What is well formed is read by regular expressions, a field at a time. What is between a line
that begins like an entry and the next such line is read by itself: an entry that the expressions
cannot read is salvaged (``bibtex.salvage``) from there and never reaches into the one after it.
Repeated keys and fields, and comment lines inside entries, are kept. Values stay exactly as
written, delimiters and ``#`` included. May not know what a field means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bifolio import limits
from bifolio.formats.bibtex.salvage import salvage
from bifolio.formats.bibtex.values import COMMENT_TAG

_LINE_START: Final = re.compile(r"^[ \t]*@[ \t]*\w+\s*[{(]", re.MULTILINE)
_START: Final = re.compile(
    r"(?:^[ \t]*@[ \t]*(\w+)\s*|(?<!\\)@(\w+)[ \t]*)([{(])[ \t]*", re.MULTILINE
)
_NOT_ENTRIES: Final = frozenset({"string", "preamble", "comment"})

#: What follows an entry's end only where a brace too many closed it: a comma and a field, or a
#: field on a line of its own whose text is in braces or quotes.
_GOES_ON: Final = re.compile(
    r"\s*,\s*([A-Za-z][\w.:+-]*\s*=)|[ \t]*\n\s*([A-Za-z][\w.:+-]*\s*=\s*[{\"])"
)

#: A line of fields that is behind an entry's end.
_FIELD_BEHIND: Final = re.compile(r"\n[ \t]*,?[ \t]*[A-Za-z][\w.:+-]*[ \t]*=[ \t]*[{\"\w]")

#: Braces nested deeper are left to the salvage, which counts them one by one.
_NESTED: Final = 8


@dataclass(frozen=True, slots=True)
class BibtexEntry:
    """One entry; ``problem`` says what had to be guessed, empty where nothing was, and
    ``is_remark`` that it lost nothing."""

    type: str
    key: str
    tags: tuple[tuple[str, str], ...]
    line: int
    problem: str = ""
    is_remark: bool = False


@dataclass(frozen=True, slots=True)
class BibtexBlock:
    """A block of the file that is no entry; ``free`` for text outside of any ``@``."""

    text: str
    line: int
    free: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableBlock:
    """A piece that begins like an entry and holds nothing of one."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Syntax:
    """The expressions for blocks in one kind of delimiters."""

    key: re.Pattern[str]
    field: re.Pattern[str]
    block: re.Pattern[str]


def _syntax(close: str, *, escapes: bool) -> _Syntax:
    """Possessive throughout, so that no text is tried twice.

    Args:
        close: what closes the block.
        escapes: whether a brace behind a backslash counts, as most programs have it; BibTeX
            itself counts every brace.
    """
    plain, escaped = (r"[^{}\\]++|\\.", r"|\\.") if escapes else (r"[^{}]++", "")
    braced = rf"\{{(?:{plain})*+\}}"
    for _ in range(_NESTED):
        braced = rf"\{{(?:{plain}|{braced})*+\}}"
    not_quoted = r'[^"{}\\]++' if escapes else r'[^"{}]++'
    quoted = rf'"(?:{not_quoted}{escaped}|{braced})*+"'
    bare = rf'[^{{}}",={close if close == ")" else ""}]++'
    value = rf"(?:{bare}|{quoted}|{braced})*+"
    name = r'([^\s,={}"%@][^,={}"\n]*+)'
    field = (
        rf"[\s,]*+(?:{name}\s*+=\s*+({value})(?:,|(?=\{close}))"
        # a comment line, or a disabled field of several lines
        rf"|(%[^\n={{}},\"]*+=[ \t]*+(?:{quoted}|{braced})[^\n]*+|%[^\n]*+)|(\{close}))"
    )
    return _Syntax(
        re.compile(rf'\s*+([^,={{}}"\n{close}]*+)\s*+(?:,|(?=\{close}))'),
        re.compile(field, re.DOTALL),
        re.compile(rf"(?:[^{{}}{close}\\]++|\\.|{braced})*+\{close}", re.DOTALL),
    )


#: By the opening delimiter, in the order in which they are tried.
_SYNTAX: Final = {
    "{": (_syntax("}", escapes=True), _syntax("}", escapes=False)),
    "(": (_syntax(")", escapes=True), _syntax(")", escapes=False)),
}


def split(text: str) -> Iterator[BibtexEntry | BibtexBlock | UnreadableBlock]:
    """Everything in the text, in order."""
    line, start = 1, 0
    while start < len(text):
        following = _LINE_START.search(text, start + 1)
        end = following.start() if following else len(text)
        yield from _split_region(text, start, end, line)
        line += text.count("\n", start, end)
        start = end


def _split_region(
    text: str, at: int, end: int, line: int
) -> Iterator[BibtexEntry | BibtexBlock | UnreadableBlock]:
    """The blocks between two lines that begin like entries."""
    counted = at
    while at < end:
        start = _block_start(text, at, end)
        stop = start.start() if start else end
        free = text[at:stop].strip()
        if free.strip("})], \t\n"):  # a brace too many, by itself, is no text
            first = text.index(free[0], at)
            yield BibtexBlock(free, line + text.count("\n", counted, first), free=True)
        if start is None:
            return
        line += text.count("\n", counted, stop)
        counted = stop
        block, at = _block(text, start, end, line)
        yield block


def _block_start(text: str, at: int, end: int) -> re.Match[str] | None:
    """The next beginning of a block that no ``%`` before it on its line makes a comment."""
    while (found := _START.search(text, at, end)) is not None:
        line = text.rfind("\n", at, found.start()) + 1 or at
        if not text[line : found.start()].lstrip().startswith("%"):
            return found
        at = found.end()
    return None


def _block(
    text: str, start: re.Match[str], end: int, line: int
) -> tuple[BibtexEntry | BibtexBlock | UnreadableBlock, int]:
    """The block that begins here, and where to go on."""
    kind = start.group(1) or start.group(2)
    syntaxes = _SYNTAX[start.group(3)]
    if kind.lower() in _NOT_ENTRIES:
        for syntax in syntaxes:
            if (found := syntax.block.match(text, start.end(), end)) is not None:
                return BibtexBlock(
                    text[start.start() : found.end()].strip(), line, free=False
                ), found.end()
        problem = f"@{kind} is not closed"
        return BibtexBlock(
            text[start.start() : end].strip(), line, free=False, problem=problem
        ), end
    for syntax in syntaxes:
        if (read := _parse_well_formed(text, start.end(), end, syntax)) is not None:
            key, tags, at, early = read
            return _entry(kind, key, tags, line, _early_words(text, start, early, line)), at
    key, tags, doubts, lossless = salvage(text[start.start() : end], start.end() - start.start())
    return _entry(kind, key, tags, line, doubts, is_remark=lossless), end


def _early_words(text: str, start: re.Match[str], early: int, line: int) -> str:
    if not early:
        return ""
    closed = line + text.count("\n", start.start(), early)
    return f"a brace in line {closed} closes it before its other fields, which are kept"


def _parse_well_formed(
    text: str, at: int, end: int, syntax: _Syntax
) -> tuple[str, list[tuple[str, str]], int, int] | None:
    """(key, tags, end, where a brace too many closed it or 0) of an entry; nothing if anything
    else in it is not as it should be."""
    found = syntax.key.match(text, at, end)
    if found is None:
        return None
    key, at = found.group(1).strip(), found.end()
    tags: list[tuple[str, str]] = []
    early = 0
    while (found := syntax.field.match(text, at, end)) is not None:
        at = found.end()
        name, raw, comment, closed = found.groups()
        if closed:
            more = _GOES_ON.match(text, at, end) if tags or _is_behind(text, at, end) else None
            if more is None and _is_behind(text, at, end):
                return None  # a brace in a value closed it: each line is looked at
            if more is None:
                return key, tags, at, early
            early = early or at - 1
            at = more.start(more.lastindex or 0)
            continue
        if len(tags) > limits.IMPORT_RECORD_VALUES_MAX:
            continue  # enough for its reader to see that there are too many
        if comment:
            tags.append((COMMENT_TAG, comment.rstrip()))
        else:
            tags.append((name.rstrip(), raw.rstrip()))
    return None


def _is_behind(text: str, at: int, end: int) -> bool:
    """Whether fields of an entry are behind its end, which a brace too many closed: the braces of
    what follows close one more than they open."""
    if text.find("=", at, end) < 0:
        return False
    other = _START.search(text, at, end)
    stop = other.start() if other else end
    if _FIELD_BEHIND.search(text, at, stop) is None:
        return False
    return text.count("}", at, stop) > text.count("{", at, stop)


def _entry(
    kind: str,
    key: str,
    tags: list[tuple[str, str]],
    line: int,
    doubts: str = "",
    *,
    is_remark: bool = False,
) -> BibtexEntry | UnreadableBlock:
    if not key and not tags:
        return UnreadableBlock(line, f"@{kind} has neither a key nor a field")
    named = f"@{kind} '{key}'" if key else f"@{kind} without a key"
    words = doubts if is_remark else f"{doubts}; it was read as far as possible"
    problem = f"{named}: {words}" if doubts else ""
    return BibtexEntry(kind, key, tuple(tags), line, problem, is_remark)

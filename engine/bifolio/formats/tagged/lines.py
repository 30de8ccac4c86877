"""Records of tagged lines (``TY  - JOUR``): the reader of RIS, and that of enw and nbib.

A line that has no tag continues the one before it. ``TY`` begins a record (in small letters one
whose tags may all be small), ``ER`` (in any case, or missing) ends it, and a tag outside of any
record begins one without a type: a ``TY`` that comes later in it gives its type. Text outside of
records is kept; a bare counter (``12.``) between records is layout. May not know what a tag means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bifolio import limits
from bifolio.formats.bounds import TOO_LONG, TOO_MANY, OutsideTexts

#: Two characters, blanks (one is enough), a hyphen, and a space or the line's end. In capitals and
#: before two blanks a tag may be longer (``PMID  - 1``), or its text begin at once (``TY  -JOUR``).
_TAG_LINE: Final = re.compile(
    r"(?=[A-Za-z][A-Za-z0-9])"
    r"(?:([A-Za-z][A-Za-z0-9])[ \t]{1,3}-(?:[ \t](.*)|)"
    r"|([A-Z][A-Z0-9]{2,5})(?: {2,3}|\t)-(?:[ \t](.*)|)"
    r"|([A-Z][A-Z0-9]|[Tt][Yy]) {2,3}-([^\s-].*)|([Tt][Yy])[ \t]?-[ \t]*([^\s-].*))"
)
_COUNTER: Final = re.compile(r"\d+\.?")
#: Tags of two characters, as nearly every line has one, before two blanks, a hyphen and a blank.
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAIN_TAGS: Final = frozenset(
    one + other for one in _CAPITALS for other in _CAPITALS + "0123456789"
)
_PLAIN_JOINT: Final = "  - "

#: Something before the first record, or after the end of one, that is neither blank nor a counter.
_LAYOUT: Final = r"(?:[ \t]*(?:\d+\.?[ \t]*)?\n)*+(?:[ \t]*(?:\d+\.?[ \t]*)?\Z)?+"
_OUTSIDE: Final = re.compile(_LAYOUT + r"(?!TY[ \t]{0,3}-|\Z)", re.IGNORECASE)
_BETWEEN: Final = re.compile(
    r"^ER[ \t]{1,3}-[^\n]*\n" + _LAYOUT + r"(?!TY[ \t]{0,3}-|\Z)", re.IGNORECASE | re.MULTILINE
)

START: Final = "TY"
END: Final = "ER"

#: What a record says once, by any of its tags: two that say it are two records.
_SAME: Final = {"T1": "TI", "CT": "TI"}
_ONCE: Final = frozenset({"TI", "T1", "CT"})

#: What tells of a search and of no work: by itself, outside of any record, it is none (Ovid's
#: ``C1  - Database`` behind a record's end).
_OF_A_SEARCH: Final = frozenset({"C1", "DB", "DP"})

#: Characters that are cut into lines together.
_AT_ONCE = 65_536


@dataclass(slots=True)
class TaggedRecord:
    """One record: the type as written, and its (tag, raw value) pairs in order."""

    line: int
    type: str = ""
    tags: list[tuple[str, str]] = field(default_factory=list)
    #: Whether an end tag closed it.
    ended: bool = False
    #: Whether a ``TY`` began it right behind a line of a record that nothing ended.
    goes_on: bool = False
    #: Whether it was put together of what is before and what is behind a ``TY`` in its midst.
    is_joined: bool = False
    #: Whether its first line is its type.
    is_typed_first: bool = False
    #: Why it is not taken: it holds more than a record may, and not all of that was kept.
    refusal: str = ""
    characters: int = 0

    @property
    def is_no_work(self) -> bool:
        """Whether these are lines outside of any record that tell of a search alone."""
        bare = not (self.type or self.ended or self.refusal) and bool(self.tags)
        return bare and all(tag in _OF_A_SEARCH for tag, _ in self.tags)

    def add(self, tag: str, value: str) -> None:
        """One line with a tag, if there is room for it."""
        self.characters += len(tag) + len(value)
        if len(self.tags) >= limits.IMPORT_RECORD_VALUES_MAX:
            self.refusal = self.refusal or TOO_MANY
        elif self.characters > limits.IMPORT_RECORD_CHARACTERS_MAX:
            self.refusal = self.refusal or TOO_LONG
        else:
            self.tags.append((tag, value))

    def hold(self, line: str, pending: list[str]) -> None:
        """One line without a tag, if there is room for it."""
        self.characters += len(line)
        if (
            len(pending) >= limits.IMPORT_RECORD_LINES_MAX
            or self.characters > limits.IMPORT_RECORD_CHARACTERS_MAX
        ):
            self.refusal = self.refusal or TOO_LONG
        else:
            pending.append(line)


@dataclass(frozen=True, slots=True)
class OutsideText:
    """Text between records or before the first."""

    line: int
    text: str
    #: Whether there was more of it than is kept.
    is_cut: bool = False


def is_tag_line(line: str) -> bool:
    """Whether the reader would take this line for a tag of its own."""
    return bool(_TAG_LINE.fullmatch(line))


def _lines(text: str) -> Iterator[str]:
    """The lines of a text, without a list of them all."""
    start = 0
    while (end := text.find("\n", start + _AT_ONCE)) >= 0:
        yield from text[start:end].split("\n")
        start = end + 1
    yield from text[start:].split("\n")


def split(text: str) -> Iterator[TaggedRecord | OutsideText]:
    """All records and all text outside of them, in order."""
    return _join_parts(_split(text))


def _split(text: str) -> Iterator[TaggedRecord | OutsideText]:
    """The same, where every ``TY`` begins a record."""
    record: TaggedRecord | None = None
    pending: list[str] = []
    outside = OutsideTexts(most=limits.IMPORT_RECORD_LINES_MAX)
    outside_line = 1
    small = False
    for number, line in enumerate(_lines(text), 1):
        written, value = _tag_and_value(line)
        tag = _tag(written, small=small) if written else ""
        if tag == "":
            if record is not None:
                record.hold(line, pending)
            elif line.strip() and not _COUNTER.fullmatch(line.strip()):
                outside_line = outside_line if outside.texts else number
                outside.add(line.rstrip())
            continue
        if outside.texts:
            yield OutsideText(outside_line, "\n".join(outside.texts), outside.is_cut)
            outside = OutsideTexts(most=limits.IMPORT_RECORD_LINES_MAX)
        parted = bool(pending) and not any(map(str.strip, pending))
        if pending:
            if record is not None:
                _continue(record, pending, counted=tag == START)
            pending = []
        if tag == START or (record is None and tag != END):
            goes_on = tag == START and record is not None and not parted
            if record is not None:
                yield record
            record = TaggedRecord(number, goes_on=goes_on)
            small = written.islower()
        if record is None:
            continue
        if tag == START:
            record.type = value
        elif tag == END:
            record.ended = True
            yield record
            record, small = None, False
        else:
            record.add(tag, value)
    if record is not None:
        _continue(record, pending, counted=False)
        yield record
    if outside.texts:
        yield OutsideText(outside_line, "\n".join(outside.texts), outside.is_cut)


def _join_parts(
    found: Iterable[TaggedRecord | OutsideText],
) -> Iterator[TaggedRecord | OutsideText]:
    """Records in whose midst a ``TY`` is, put together again: the lines before it have no type of
    their own (or the same once more), and say nothing that those after it say too."""
    before: TaggedRecord | None = None
    for one in found:
        if isinstance(one, TaggedRecord) and one.is_no_work:
            tags = "\n".join(f"{tag}  - {value}" for tag, value in one.tags)
            one = OutsideText(one.line, tags)
        if before is not None:
            if isinstance(one, TaggedRecord) and _is_rest_of(before, one):
                for tag, value in one.tags:
                    before.add(tag, value)
                before.type, before.ended, before.is_joined = one.type, one.ended, True
                before.refusal = before.refusal or one.refusal
                one = before
            else:
                yield before
            before = None
        if isinstance(one, TaggedRecord) and not one.ended:
            before = one
        else:
            yield one
    if before is not None:
        yield before


def _is_rest_of(before: TaggedRecord, rest: TaggedRecord) -> bool:
    """Whether a ``TY`` began these lines in the midst of the record of those before it."""
    if not rest.goes_on or not rest.ended or not before.tags:
        return False
    said = {tag for tag, value in before.tags if value}
    again = {tag for tag, value in rest.tags if value}
    if before.type:
        return before.type == rest.type and bool(again) and not said & again
    return not {_SAME.get(tag, tag) for tag in said} & {
        _SAME.get(tag, tag) for tag in again if tag in _ONCE
    }


def _tag_and_value(line: str) -> tuple[str, str]:
    """(tag as written, value) of a line; an empty tag where it has none."""
    if line[2:6] == _PLAIN_JOINT and line[:2] in _PLAIN_TAGS:
        return line[:2], line[6:].strip()
    found = _TAG_LINE.fullmatch(line)
    if found is None:
        return "", ""
    short, value, longer, other, tight, close, _, _ = found.groups()
    if short:
        return short, (value or "").strip()
    if longer:
        return longer, (other or "").strip()
    return (tight or found.group(7)), (close or found.group(8)).strip()


def _tag(written: str, *, small: bool) -> str:
    """The tag; nothing if the line only looks like one (``in - vitro``).

    Args:
        small: the record began with a ``ty`` in small letters; if not, only ``TY`` and ``ER``.
    """
    if written.isupper():
        return written
    upper = written.upper()
    return upper if small or upper in (START, END) else ""


def holds_outside_text(text: str) -> bool:
    """Whether there may be text outside of records; no only where there is none for certain."""
    return _OUTSIDE.match(text) is not None or _BETWEEN.search(text) is not None


def _continue(record: TaggedRecord, lines: list[str], *, counted: bool) -> None:
    """Join lines without a tag to the value before them; the blank ones at the end are layout.

    Args:
        counted: a number by itself behind an empty line counts the next record.
    """
    while lines and not lines[-1].strip():
        lines.pop()
    counter = len(lines) > 1 and not lines[-2].strip() and _COUNTER.fullmatch(lines[-1].strip())
    if counted and counter:
        lines.pop()
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return
    if not record.tags:
        record.type = " ".join([record.type, *(line.strip() for line in lines)]).strip()
        return
    tag, value = record.tags[-1]
    record.tags[-1] = (tag, "\n".join([value, *(line.rstrip() for line in lines)]))


@dataclass(frozen=True, slots=True)
class LineLayout:
    """How the records of a format without an end tag are written, one tag per line."""

    #: Its groups are the tag and the value.
    pattern: re.Pattern[str]
    #: The tag that begins a record.
    start: str
    #: Whether the start tag gives the type and is no tag of its own.
    typed: bool
    #: Tags of which a record has at least one, where an empty line may be inside of one too.
    telling: frozenset[str] = frozenset()

    def is_tag_line(self, line: str) -> bool:
        """Whether the reader would take this line for a tag of its own."""
        return bool(self.pattern.fullmatch(line))

    def split(self, text: str) -> Iterator[TaggedRecord | OutsideText]:
        """All records and all text before the first, in order.

        Where an empty line parts records, one comes to its end there; what follows without
        anything that tells a work (an abstract, its keywords) still belongs to it.
        """
        before: TaggedRecord | None = None
        for one in self._split(text):
            if (
                isinstance(one, TaggedRecord)
                and before is not None
                and self._belongs_to(one, before)
            ):
                for tag, value in one.tags:
                    before.add(tag, value)
                before.refusal = before.refusal or one.refusal
                continue
            if before is not None:
                yield before
            before = None
            if isinstance(one, TaggedRecord):
                before = one
            else:
                yield one
        if before is not None:
            yield before

    def _belongs_to(self, one: TaggedRecord, before: TaggedRecord) -> bool:
        """Whether lines behind an empty line are of the record before them: they tell no work, or
        only what a record that begins with its type has not told (one of the two has a title)."""
        if not self.telling or one.type:
            return False
        told = {tag for tag, _ in one.tags} & self.telling
        if not told:
            return True
        known = {tag for tag, _ in before.tags} & self.telling
        return before.is_typed_first and not told & known and "T" in told | known

    def _split(self, text: str) -> Iterator[TaggedRecord | OutsideText]:
        record: TaggedRecord | None = None
        pending: list[str] = []
        outside = OutsideTexts(most=limits.IMPORT_RECORD_LINES_MAX)
        started = False
        for number, line in enumerate(_lines(text), 1):
            found = self.pattern.fullmatch(line)
            if found is None:
                if record is None:
                    outside.add(line.rstrip())
                else:
                    record.hold(line.rstrip(), pending)
                continue
            tag, value = found.group(1), (found.group(2) or "").strip()
            parted = bool(pending) and not pending[-1]
            if record is not None:
                _continue_plainly(record, pending)
            pending = []
            starts = tag == self.start and (started or not self.typed)
            if record is None or starts or parted:
                if record is not None:
                    yield record
                elif any(outside.texts):
                    whole = "\n".join(outside.texts).strip("\n")
                    yield OutsideText(1, whole, outside.is_cut)
                record = TaggedRecord(number)
                started = False
            if tag == self.start:
                started = True
            if tag == self.start and self.typed:
                record.is_typed_first = not record.tags
                record.type = value
            else:
                record.add(tag, value)
        if record is not None:
            _continue_plainly(record, pending)
            yield record


def _continue_plainly(record: TaggedRecord, lines: list[str]) -> None:
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and record.tags:
        tag, value = record.tags[-1]
        record.tags[-1] = (tag, "\n".join([value, *lines]))
    elif lines:
        record.type = " ".join([record.type, *(line.strip() for line in lines)]).strip()


#: EndNote's ``.enw``: a percent sign, one of the known characters, a blank or the line's end.
ENW_LINES: Final = LineLayout(
    re.compile(r"%([0-9A-Zf@!$\]&()*+^><\[~?#=])(?:[ \t](.*)|)"),
    start="0",
    typed=True,
    telling=frozenset("AEBTJDIC0"),
)

#: PubMed's nbib: a tag of up to four characters, padded, and a hyphen.
NBIB_LINES: Final = LineLayout(
    re.compile(r"([A-Z][A-Z0-9]{1,3})(?=-(?: |$)| {1,2}-) {0,2}- ?(.*)"),
    start="PMID",
    typed=False,
)

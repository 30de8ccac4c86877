"""A record's flat keys, parsed.

A key is a name and a slot, with U+001F between its parts; its value is ``[stamp, value]``. A
text is a shared text under ``field␟slot␟n``. What fits neither is of a newer version: it is
carried untouched and enters the state hash. Knows nothing of pycrdt and of what fields mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple, TypeVar, cast

from msgspec import Struct

from bifolio.clock import is_stamp, stamp_milliseconds
from bifolio.ids import IMPORT_MARK, JOIN_MARK, SEPARATOR, SLOT_LENGTHS

_Found = TypeVar("_Found")

#: Where in an import's slot the mapping's version is: behind the mark and what names the source.
_MAPPING_PLACE = 6


class Live(NamedTuple):
    """One live value of a register."""

    stamp: str
    slot: str
    value: str | None

    @property
    def rank(self) -> tuple[str, str]:
        """What decides between concurrent values: the greatest is shown."""
        return (self.stamp, self.slot)


#: Makes a Live in half the time of a call.
_new_live = tuple.__new__

#: ``Live.rank``.
_rank = itemgetter(0, 1)


class Entries(Struct, frozen=True, eq=False):
    """All that a record's map holds. Each register's live values are newest first."""

    registers: dict[str, list[Live]]
    texts: dict[str, str]
    unknown: dict[str, object]
    #: The names of registers by what is before their first separator, once it was asked for, and
    #: those without one under "".
    _under: dict[str, list[str]] = {}
    #: What was read of them, by who read it.
    _readings: dict[object, object] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entries):
            return NotImplemented
        return (self.registers, self.texts, self.unknown) == (
            other.registers,
            other.texts,
            other.unknown,
        )

    def __ne__(self, other: object) -> bool:
        return not self == other  # a Struct's own asks its own notion of equality

    __hash__ = None  # type: ignore[assignment]

    def live(self, name: str) -> list[Live]:
        """The live values of a register, newest first; empty where it was never written."""
        return self.registers.get(name, [])

    def keys(self) -> set[str]:
        """The keys of all live values of registers."""
        return {join(name, live.slot) for name, lives in self.registers.items() for live in lives}

    def by_head(self) -> dict[str, list[str]]:
        """The names of the registers by what is before their first separator; those that have none
        under "". Not to be written to."""
        known = self._under
        if not known:
            known[""] = plain = []
            for name in self.registers:
                head, separator, _ = name.partition(SEPARATOR)
                if not separator:
                    plain.append(name)
                elif head in known and head:
                    known[head].append(name)
                else:
                    known.setdefault(head or SEPARATOR, []).append(name)
        return known

    def under(self, prefix: str) -> list[str]:
        """The names of the registers that begin with ``prefix`` and a separator."""
        head, separator, _ = prefix.partition(SEPARATOR)
        found = self.by_head().get(head, []) if head else []
        start = prefix + SEPARATOR
        return [name for name in found if name.startswith(start)] if separator else found

    def read_once(self, read: Callable[[Entries], _Found]) -> _Found:
        """What ``read`` finds in these entries, which never change: found the first time only."""
        if read not in self._readings:
            self._readings[read] = read(self)
        return cast(_Found, self._readings[read])


def join(*parts: str) -> str:
    """The key of these parts."""
    return SEPARATOR.join(parts)


def find_new_values(before: Entries, after: Entries, name: str) -> list[Live]:
    """The values of a register that are new in the later state, newest first."""
    known = {(live.slot, live.stamp) for live in before.live(name)}
    return [live for live in after.live(name) if (live.slot, live.stamp) not in known]


def is_import(live: Live) -> bool:
    """Whether an import wrote this value."""
    return is_import_slot(live.slot, live.stamp)


def is_import_slot(slot: str, stamp: str) -> bool:
    """Whether an import wrote what has this slot and stamp, here or in a library that joined: no
    clock of ours gives the millisecond zero."""
    return slot.startswith((IMPORT_MARK, JOIN_MARK)) and stamp_milliseconds(stamp) == 0


def parse_entries(content: Mapping[str, object]) -> Entries:
    """Parse a record's map as Python values (shared texts as ``str``)."""
    registers: dict[str, list[Live]] = {}
    texts: dict[str, str] = {}
    unknown: dict[str, object] = {}
    several: dict[str, None] = {}
    stamp: object = object()  # many values in a row have the same: it is looked at once
    for key, value in content.items():
        if type(value) is list:
            name, _, slot = key.rpartition(SEPARATOR)
            if name and len(slot) in SLOT_LENGTHS and len(value) == 2:
                given, text = value
                if (text is None or type(text) is str) and (given == stamp or is_stamp(given)):
                    stamp = given
                    live = _new_live(Live, (given, slot, text))
                    lives = registers.get(name)
                    if lives is None:
                        registers[name] = [live]
                    else:
                        lives.append(live)
                        several[name] = None
                    continue
        elif type(value) is str:
            texts[key] = value
            continue
        unknown[key] = value
    for name in several:
        registers[name].sort(key=_rank, reverse=True)
    return Entries(registers, texts, unknown)


def without_superseded_imports(entries: Entries) -> Entries:
    """The entries without what an older mapping made of a source that a newer one mapped too."""
    if not _has_several_imports(entries):
        return entries
    newest: dict[str, str] = {}
    several = False
    for lives in entries.registers.values():
        for live in lives:
            if _names_source(live):
                source, version = live.slot[:_MAPPING_PLACE], live.slot[_MAPPING_PLACE]
                known = newest.setdefault(source, version)
                several = several or known != version
                newest[source] = max(known, version)
    if not several:
        return entries

    def stands(live: Live) -> bool:
        if not _names_source(live):
            return True
        return newest[live.slot[:_MAPPING_PLACE]] == live.slot[_MAPPING_PLACE]

    kept = {
        name: standing
        for name, lives in entries.registers.items()
        if (standing := [live for live in lives if stands(live)])
    }
    return Entries(kept, entries.texts, entries.unknown)


def _names_source(live: Live) -> bool:
    return live.slot.startswith(IMPORT_MARK) and is_import(live)


def _has_several_imports(entries: Entries) -> bool:
    """Whether more than one import may have written: of one alone nothing is superseded."""
    first = ""
    for lives in entries.registers.values():
        for live in lives:
            slot = live.slot
            if slot != first and slot.startswith(IMPORT_MARK):
                if first:
                    return True
                first = slot
    return False

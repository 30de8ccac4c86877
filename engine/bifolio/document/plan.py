"""A plan: writes that are made together, in one transaction, after all of them are checked.

pycrdt commits what an exception interrupts, and panics on a lone surrogate (PITFALLS 37), so
everything is validated here before a transaction is opened. Knows nothing of pycrdt.
"""

from __future__ import annotations

from msgspec import Struct, field

from bifolio.clock import is_stamp
from bifolio.document.entries import Entries, Live, join
from bifolio.errors import InvalidValueError
from bifolio.ids import SEPARATOR, SLOT_LENGTHS


class Writer(Struct, frozen=True):
    """Who writes and when: the incarnation's slot and the change's stamp."""

    slot: str
    stamp: str


class TextEdit(Struct, frozen=True):
    """Replace ``removed`` characters at ``start`` of a text as it was by ``inserted``."""

    start: int
    removed: int
    inserted: str


class Plan(Struct):
    """Writes to one record. A key is written once; a put wins over a removal of the same key."""

    writer: Writer
    puts: dict[str, str | None] = field(default_factory=dict)
    removals: set[str] = field(default_factory=set)
    new_texts: dict[str, str] = field(default_factory=dict)
    text_edits: dict[str, list[TextEdit]] = field(default_factory=dict)
    #: The stamps of puts that have another one than the writer's: what keeps an order.
    stamps: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.puts or self.removals or self.new_texts or self.text_edits)

    def alone(self) -> Entries:
        """What a record holds that holds this plan and nothing else."""
        return self.alone_as(self.writer.slot)

    def alone_as(self, slot: str) -> Entries:
        """``alone``, with another slot in the place of the writer's, all through."""
        old, stamp, stamps = self.writer.slot, self.writer.stamp, self.stamps
        end = -len(old) - 1
        registers = {
            key[:end].replace(old, slot): [
                Live(
                    stamps.get(key, stamp),
                    slot,
                    value.replace(old, slot) if value is not None else None,
                )
            ]
            for key, value in self.puts.items()
        }
        texts = {
            key.replace(old, slot): text.replace(old, slot) for key, text in self.new_texts.items()
        }
        return Entries(registers, texts, {})

    def after(self, before: Entries) -> Entries | None:
        """What a record holds after this plan that held ``before``; None where a text changes, and
        where anything lies under the keys that has another form."""
        if self.new_texts or self.text_edits:
            return None
        registers = dict(before.registers)
        for key in self.removals | self.puts.keys():
            if key in before.texts or key in before.unknown:
                return None
            name, _, slot = key.rpartition(SEPARATOR)
            lives = [live for live in registers.get(name, ()) if live.slot != slot]
            if key in self.puts:
                live = Live(self.stamps.get(key, self.writer.stamp), slot, self.puts[key])
                if not name or len(slot) not in SLOT_LENGTHS or not is_stamp(live.stamp):
                    return None
                lives.append(live)
                lives.sort(key=lambda one: one.rank, reverse=True)
            if lives:
                registers[name] = lives
            else:
                registers.pop(name, None)
        return Entries(registers, before.texts, before.unknown)

    def put(self, name: str, value: str | None, *, seen: list[Live]) -> None:
        """Write the register under our slot and delete every other slot that was seen."""
        self.puts[join(str(check_storable(name)), self.writer.slot)] = check_storable(value)
        if seen:
            self.remove(name, [live for live in seen if live.slot != self.writer.slot])

    def remove(self, name: str, seen: list[Live]) -> None:
        """Delete the values of a register that were seen."""
        self.removals.update(join(name, live.slot) for live in seen)

    def new_text(self, entries: Entries, field_name: str, content: str) -> str:
        """Plan a text under a key never written before; returns the text's name ``slot␟n``."""
        number = 0
        while (key := join(field_name, self.writer.slot, str(number))) in entries.texts or (
            key in self.new_texts
        ):
            number += 1
        self.new_texts[key] = content if check_storable(content) is not None else ""
        return join(self.writer.slot, str(number))

    def edit_text(self, key: str, edits: list[TextEdit]) -> None:
        """Plan edits of one text, positions counted in the text as it is."""
        for edit in edits:
            check_storable(edit.inserted)
        self.text_edits.setdefault(key, []).extend(edits)


def check_storable(value: str | None) -> str | None:
    """The value, if every computer can store it.

    Raises:
        InvalidValueError: a lone surrogate, which no encoding carries.
    """
    if value is not None:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidValueError(
                "text",
                expected="Unicode text",
                got=f"half of a character (a lone surrogate) at position {error.start}",
            ) from None
    return value


def escape(element: str) -> str:
    """An element as part of a key: the separator may not occur in it."""
    return element.replace("%", "%25").replace(SEPARATOR, "%1F")

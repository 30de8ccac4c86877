"""What a library that joins another one offers of a record, and how the two are put together.

A record that one import made, and nobody edited, is offered as it is. Of any other, what is live
is offered as one update that its content names (``content_names``): the same stamps and values,
each text as it reads, nothing of what was deleted or who deleted it. So two computers that join
with equal records offer the same bytes, and nothing bears the name of a device of another library.

Where the joined library has the imports that the record was made of, what it has of them stays,
and what either of the two had replaced or deleted is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from bifolio.document import deletion, positions, texts
from bifolio.document.content_names import STAND_IN_CLIENT, name_update, stand_in
from bifolio.document.entries import Entries, Live, join
from bifolio.document.plan import Plan
from bifolio.document.record import RecordDocument, flatten
from bifolio.document.rejoining import text_name
from bifolio.document.update_identity import is_content_named
from bifolio.document.update_structure import UpdateStructure, read_update
from bifolio.ids import CONTENT_CLIENTS, JOIN_MARK, SEPARATOR
from bifolio.records.canonical import canonical_json


def offered_update(record_id: str, state: bytes) -> bytes:
    """What a joining library offers of a record.

    Raises:
        DocumentError: the state cannot be read.
    """
    state = flatten(state)
    if is_content_named(record_id, state, read_update(state, is_own=True)):
        return state
    return snapshot_update(record_id, RecordDocument(state).visible())


def snapshot_update(record_id: str, entries: Entries) -> bytes:
    """What is live in a record, as one update that its content names."""
    values: dict[str, object] = {}
    fields = {key.partition(SEPARATOR)[0] for key in entries.texts}
    seen: deletion.Seen = {}
    for name, lives in entries.registers.items():
        if name in deletion.MARKS or name.split(SEPARATOR)[0] == texts.MODIFIED:
            continue
        if name not in fields:
            for slot, live in zip(_slots(len(lives)), lives, strict=False):
                values[join(name, slot)] = [live.stamp, live.value]
                seen[slot] = max(live.stamp, seen.get(slot, ""))
    for field in sorted(fields):
        values.update(_texts(entries, field))
    if deletion.is_trashed(entries):  # a group, which still has a place for what is in it
        stamp = max(seen.values(), default="")
        values[join(deletion.REGISTER, next(_slots(1)))] = [stamp, canonical_json(seen)]
    made = RecordDocument.of_values(values, client_id=STAND_IN_CLIENT).state()
    return name_update(record_id, made, stem=JOIN_MARK).update


def _texts(entries: Entries, field: str) -> Iterator[tuple[str, object]]:
    """The live texts of a field, each under a register of its own, in the order that they have."""
    found = texts.values(entries, field)
    stamp = found[0].stamp if found else ""
    for slot, one in zip(_slots(len(found)), found, strict=False):
        # An edit that a replacement had not seen is shown after it, however late it is.
        stamp = min(stamp, one.stamp)
        name = None
        if one.content is not None:
            name = join(slot, "0")
            yield join(field, name), one.content
        yield join(field, slot), [stamp, canonical_json({"seen": {}, "text": name})]


def _slots(count: int) -> Iterator[str]:
    """A slot for each of so many values, the greatest first; the rest has none."""
    for ordinal in reversed(positions.DIGITS[:count]):
        yield stand_in(JOIN_MARK) + ordinal


class _Side:
    """A record as one of the two libraries has it."""

    def __init__(self, state: bytes) -> None:
        self.entries = RecordDocument(state).entries()
        self._structure: UpdateStructure = read_update(state, is_own=True)
        self._keys = self._structure.keys

    def contents(self, name: str, live: Live) -> set[int]:
        """The contents that wrote a value; none where a device did."""
        found = self._keys.get(join(name, live.slot), set())
        return {client for client in found if client >= CONTENT_CLIENTS}

    def knows(self, clients: set[int]) -> bool:
        """Whether it has merged any of these contents."""
        return any(client in self._structure.structs for client in clients)

    def text(self, name: str, live: Live) -> str | None:
        """What a text reads."""
        text = text_name(live)
        return self.entries.texts.get(join(name, text)) if text else None

    def edited(self, name: str, live: Live) -> bool:
        """Whether somebody edited a text."""
        text = text_name(live)
        return any(edited == text for edited, _ in texts.edit_marks(self.entries, name))


def plan_union(plan: Plan, *, own: bytes, remote: bytes, offered: bytes) -> None:
    """Plan what is to be deleted where an offered record meets the joined library's.

    Args:
        plan: removals are added to it.
        own: the record's state in the library that joins.
        remote: its state in the joined library.
        offered: what ``offered_update`` made of the first.
    """
    ours, theirs = _Side(own), _Side(remote)
    copies = RecordDocument(offered).entries()
    for name, lives in theirs.entries.registers.items():
        plan.remove(
            name,
            [
                live
                for live in lives
                if live not in ours.entries.live(name) and ours.knows(theirs.contents(name, live))
            ],
        )
    for name, lives in ours.entries.registers.items():
        for live in lives:
            if not theirs.knows(ours.contents(name, live)):
                continue
            if text_name(live) is None:
                plan.remove(name, [one for one in copies.live(name) if _says(one, live)])
            else:
                _plan_text(plan, name, live, ours, theirs, copies)


def _plan_text(
    plan: Plan, name: str, live: Live, ours: _Side, theirs: _Side, copies: Entries
) -> None:
    """Of a text that both libraries have: the one that was edited stays, or both."""
    here, there = ours.text(name, live), theirs.text(name, live)
    if here == there or not ours.edited(name, live):
        copied = [
            one
            for one in copies.live(name)
            if (text := text_name(one)) and copies.texts.get(join(name, text)) == here
        ]
        plan.remove(name, copied)
    elif live in theirs.entries.live(name) and not theirs.edited(name, live):
        plan.remove(name, [live])


def _says(copy: Live, live: Live) -> bool:
    return (copy.stamp, copy.value) == (live.stamp, live.value)

"""The past of a record: its changes opened and replayed, one after the other.

The index says which changes touched the record, so the cost follows them and not the library.
A change that this device cannot open (a copied folder, before it joined), or that a newer program
merged here before this one, is left out, and what comes after it may then be missing too:
``is_whole`` tells.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.envelope import Header, parse_envelope
from bifolio.document.entries import Entries
from bifolio.document.record import RecordDocument
from bifolio.errors import DocumentError, NewerFormatError, NotAMemberError
from bifolio.ids import device_tag, slot_tag
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.storage.history import LoggedChange
from bifolio.wire.changes import Change


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a record: what the record held before it and after it."""

    logged: LoggedChange
    before: Entries
    after: Entries


class Replay:
    """What happened, read from the changes; for one transaction or snapshot."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._member_log = LibraryMembership(replica)
        self._keys: dict[int, bytes | None] = {}
        self._opened: OrderedDict[int, tuple[Change, ...] | None] = OrderedDict()

    def change(self, logged: LoggedChange) -> Change | None:
        """The change itself; None where this device cannot open it."""
        changes = self.changes_in(logged.change)
        if changes is None or logged.place >= len(changes):
            return None
        return changes[logged.place]

    def steps(
        self, record_id: str, *, takes: Callable[[LoggedChange], bool] = lambda _: True
    ) -> Iterator[Step]:
        """The changes of a record in causal order, those that had no effect left out.

        Where a snapshot brought the record, what it held then comes between, and is no step.

        Args:
            record_id: of any record, also of one that is not here any more.
            takes: which changes are replayed at all.
        """
        document = RecordDocument()
        before = document.entries()
        aside = {one.contents for one in self._replica.quarantined.of_record(record_id)}
        base = self._replica.snapshots.base(record_id)
        for logged in self._replica.journal.index.of_record(record_id):
            if base is not None and logged.number > base.after:
                _merges(document, base.state)
                before, base = document.entries(), None
            change = self.change(logged) if takes(logged) else None
            if change is None:
                continue
            updates = [
                update for one, update in change.records if one == record_id and update not in aside
            ]
            merged = [_merges(document, update) for update in updates]
            if any(merged):
                after = document.entries()
                yield Step(logged, before, after)
                before = after

    def then_and_now(self, record_id: str, *, through: str) -> tuple[Entries, Entries]:
        """What the changes of a record up to a stamp give, and what all of them give.

        As a rule the later ones come last, and one replay gives both.
        """
        aside = {one.contents for one in self._replica.quarantined.of_record(record_id)}
        logged = self._replica.journal.index.of_record(record_id)
        earlier = [one for one in logged if one.stamp <= through]
        document = RecordDocument()
        self._merge_all(document, record_id, earlier, aside)
        then = document.entries()
        if logged[: len(earlier)] == earlier:
            self._merge_all(document, record_id, logged[len(earlier) :], aside)
        else:
            document = RecordDocument()
            self._merge_all(document, record_id, logged, aside)
        return then, document.entries()

    def _merge_all(
        self,
        document: RecordDocument,
        record_id: str,
        logged: Sequence[LoggedChange],
        aside: Set[bytes],
    ) -> None:
        for one in logged:
            change = self.change(one)
            for touched, update in change.records if change is not None else ():
                if touched == record_id and update not in aside:
                    _merges(document, update)

    def changes_in(self, number: int) -> tuple[Change, ...] | None:
        """The changes in a row of ``changes``; the last few rows are kept opened."""
        if number in self._opened:
            self._opened.move_to_end(number)
        else:
            self._opened[number] = self._open(number)
            if len(self._opened) > limits.BODIES_OPEN_MAX:
                self._opened.popitem(last=False)
        return self._opened[number]

    def can_open(self, number: int) -> bool:
        """Whether this device has the key to a row of ``changes``."""
        header = self._header(number)
        return header is None or self._key(header.generation) is not None

    def author(self, number: int) -> str:
        """The tag of the device that sealed a row of ``changes``, or that wrote it while unsealed:
        in a copied folder, or under this device's earlier keys, that is another one's."""
        header = self._header(number)
        if header is not None:
            return device_tag(header.device)
        slot = self._replica.changes.slot_of_unsealed(number)
        return slot_tag(slot) if slot else self._replica.keys.tag

    def _header(self, number: int) -> Header | None:
        stored = self._replica.changes.body(number)
        return parse_envelope(stored[0]).header if stored and stored[1] and stored[0] else None

    def _key(self, generation: int) -> bytes | None:
        """The content key of a generation; a copied folder's device has none that it can open."""
        if generation not in self._keys:
            try:
                self._keys[generation] = self._member_log.key(generation)
            except NotAMemberError:
                self._keys[generation] = None
        return self._keys[generation]

    def _open(self, number: int) -> tuple[Change, ...] | None:
        stored = self._replica.changes.body(number)
        if stored is None or not stored[0]:  # its content was damaged, and is to come again
            return None
        raw, is_sealed = stored
        if not is_sealed:
            return (Change.parse(raw),)
        envelope = parse_envelope(raw)
        key = self._key(envelope.header.generation)
        try:
            return self._replica.formats.read_past(envelope, key).changes if key else None
        except NewerFormatError:
            return None


def _merges(document: RecordDocument, update: bytes) -> bool:
    """Merge an update; whether it brought anything. One that cannot be read brought nothing here
    when it came either, whatever is still known of that."""
    try:
        return document.merge_incomplete(update)
    except DocumentError:
        return False


def ensure_index(replica: Replica) -> None:
    """Read the changes of a file that an earlier version wrote, once."""
    if replica.meta.history_unread:
        with replica.database.transaction():
            if replica.meta.history_unread:
                rebuild_index(replica)


def rebuild_index(replica: Replica) -> None:
    """Derive again which change touched which record; inside a transaction.

    The changes keep their order, which no envelope tells; where one of them is not known, all are
    numbered in the order of their envelopes, which is causal too. Where this device cannot open
    an envelope, what is known of all of them stays.
    """
    past = Replay(replica)
    voided = replica.voided.numbers()
    rows = [number for number in replica.changes.numbers() if number not in voided]
    if not all(past.can_open(number) for number in rows):
        return
    index = replica.journal.index
    known = index.numbers()
    places = {(row, place) for row in rows for place in range(len(past.changes_in(row) or ()))}
    index.clear()
    for row in rows:
        replica.journal.receive(
            row,
            past.changes_in(row) or (),
            device=past.author(row),
            known=known if places == known.keys() else None,
        )
    replica.meta.history_unread = False

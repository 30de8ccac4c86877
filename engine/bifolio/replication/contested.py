"""A record of which two different updates bear the same names: made again without the losers.

A device that writes two different things under one client id and clock, and shows each to another
replica, would part these for ever: a document keeps the first and takes the other for known. So
the outcome is a rule about all updates of the record that were ever received, not about their
order: of two updates that claim a clock of one client, the one with the lower hash is merged. What
lost is set aside with its author's name, and what builds on it waits. The record is made again of
its changes, once in a transaction, however many updates of it are contested. What a snapshot
brought of it is taken as it is: what claims a place in that and is something else has lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bifolio.document.record import RecordDocument
from bifolio.document.update_identity import UpdateAuthor, check_identity, check_settings
from bifolio.document.update_structure import UpdateStructure, read_update
from bifolio.errors import DocumentError, IncompleteUpdateError
from bifolio.history.replay import Replay
from bifolio.ids import SETTINGS_ID, content_hash
from bifolio.replica.replica import Replica
from bifolio.storage.quarantined_updates import INCOMPLETE, REFUSED

#: Finds the author of a merged envelope by its hash.
AuthorOf = Callable[[bytes], UpdateAuthor | None]

#: What is said of an update that lost.
WROTE_ANOTHER = "its author wrote something else there"


@dataclass(frozen=True, slots=True)
class Update:
    """An update as an envelope brought it. Both are None for an own one that is not sealed."""

    contents: bytes
    author: UpdateAuthor | None
    envelope: bytes | None

    @property
    def device(self) -> bytes | None:
        """Its author's signing key."""
        return self.author.signing_key if self.author is not None else None


@dataclass(frozen=True, slots=True)
class Unmerged:
    """An update that the record goes without, and why."""

    update: Update
    kind: str
    reason: str
    needs: tuple[int, int] | None = None


@dataclass(slots=True)
class RebuiltRecord:
    """A record made again of its changes."""

    document: RecordDocument
    unmerged: list[Unmerged] = field(default_factory=list)


def rebuild(
    replica: Replica,
    author_of: AuthorOf,
    record_id: str,
    held: RecordDocument,
    *,
    voided: Iterable[bytes] = (),
) -> RebuiltRecord | None:
    """Make a record again of all its changes that are here.

    Args:
        replica: where the changes are; nothing is written.
        author_of: finds the author of an envelope.
        record_id: of the record.
        held: what the record is now; where a snapshot brought it, that is what it begins with.
        voided: updates in it that do not count any more, and are in its history no longer.

    Returns:
        None where the changes are not all that made the record: this device cannot open one, or
        the record came in another way.
    """
    base = replica.snapshots.base(record_id)
    found = _updates(replica, author_of, record_id, after=base.after if base else 0)
    if found is None:
        return None
    structures: dict[bytes, UpdateStructure] = {}
    refused: list[Unmerged] = []
    sound: list[Update] = []
    for update in found:
        try:
            structure = read_update(update.contents)
            if update.author is not None:
                check_identity(record_id, update.contents, structure, update.author)
        except DocumentError as error:
            refused.append(Unmerged(update, REFUSED, error.reason))
        else:
            structures[update.contents] = structure
            sound.append(update)
    lost = losers(structures)
    document = RecordDocument(base.state if base else None)
    if base is not None:
        lost |= {
            contents
            for contents, structure in structures.items()
            if document.has_of(structure) and not document.begins_as(structure)
        }
    counting = [one for one in sound if one.contents not in lost]
    rebuilt = _merge_all(document, record_id, counting, structures)
    rebuilt.unmerged += refused
    rebuilt.unmerged += [
        Unmerged(one, REFUSED, WROTE_ANOTHER) for one in sound if one.contents in lost
    ]
    reached = dict(rebuilt.document.clocks())
    without = [structures.get(one.update.contents) for one in rebuilt.unmerged]
    for known in (*without, *map(_read, voided)):
        for client, structs in known.structs.items() if known is not None else ():
            reached[client] = max(reached.get(client, 0), structs[-1].end)
    if any(reached.get(client, 0) < clock for client, clock in held.clocks().items()):
        return None
    return rebuilt


def _read(contents: bytes) -> UpdateStructure | None:
    """What an update holds; None where that cannot be read, and so was never merged."""
    try:
        return read_update(contents)
    except DocumentError:
        return None


def losers(structures: Mapping[bytes, UpdateStructure]) -> set[bytes]:
    """Of updates that claim the same clocks of a client, those that are not merged.

    A function of the set alone: the update with the lowest hash is taken, then the next one that
    claims nothing of what was taken, and so on.

    Args:
        structures: what each update's bytes hold, the names in them its author's.
    """
    lost: set[bytes] = set()
    taken: dict[int, list[tuple[int, int]]] = {}
    for contents in sorted(structures, key=content_hash):
        claimed = [
            (client, (start, start + count))
            for client, (start, count) in structures[contents].ranges.items()
        ]
        if any(
            start < other_end and other_start < end
            for client, (start, end) in claimed
            for other_start, other_end in taken.get(client, ())
        ):
            lost.add(contents)
            continue
        for client, one in claimed:
            taken.setdefault(client, []).append(one)
    return lost


def is_in_snapshot(
    replica: Replica, record_id: str, held: RecordDocument, structure: UpdateStructure
) -> bool:
    """Whether an update begins as what a snapshot brought in its place: then it is the same one,
    which came in another chain too."""
    base = replica.snapshots.base(record_id)
    return (
        base is not None
        and RecordDocument(base.state).has_of(structure)
        and held.begins_as(structure)
    )


def _updates(
    replica: Replica, author_of: AuthorOf, record_id: str, *, after: int
) -> list[Update] | None:
    """The updates of a record after a change of the history in causal order, each once of each
    author; None where one cannot be opened."""
    past = Replay(replica)
    authors: dict[int, tuple[UpdateAuthor | None, bytes | None]] = {}
    found: dict[tuple[bytes, bytes | None], Update] = {}
    for logged in replica.journal.index.of_record(record_id):
        if logged.number <= after:
            continue
        change = past.change(logged)
        if change is None:
            return None
        if logged.change not in authors:
            envelope = replica.changes.hash_of(logged.change)
            author = author_of(envelope) if envelope is not None else None
            if author is None and envelope is not None:
                return None
            authors[logged.change] = (author, envelope)
        for contents in (update for one, update in change.records if one == record_id):
            update = Update(contents, *authors[logged.change])
            found.setdefault((contents, update.device), update)
    return list(found.values())


def _merge_all(
    document: RecordDocument,
    record_id: str,
    updates: Iterable[Update],
    structures: Mapping[bytes, UpdateStructure],
) -> RebuiltRecord:
    """Merge updates into a document, in their order; one that lacks a part when that came."""
    waiting = [Unmerged(one, INCOMPLETE, "") for one in updates]
    refused: list[Unmerged] = []
    while True:
        left: list[Unmerged] = []
        for outcome in _merge_each(document, record_id, waiting, structures):
            (left if outcome.kind == INCOMPLETE else refused).append(outcome)
        if len(left) == len(waiting):
            return RebuiltRecord(document, [*refused, *left])
        waiting = left


def _merge_each(
    document: RecordDocument,
    record_id: str,
    waiting: Iterable[Unmerged],
    structures: Mapping[bytes, UpdateStructure],
) -> Iterator[Unmerged]:
    """Merge what can be merged now; the others, each with the reason."""
    for one in waiting:
        update = one.update
        try:
            checked = document.check(update.contents, structures[update.contents])
            if update.author is not None and record_id == SETTINGS_ID:
                check_settings(document, update.contents, checked, update.author)
            document.merge(update.contents, checked)
        except IncompleteUpdateError as error:
            yield Unmerged(update, INCOMPLETE, error.reason, error.needs)
        except DocumentError as error:
            yield Unmerged(update, REFUSED, error.reason)

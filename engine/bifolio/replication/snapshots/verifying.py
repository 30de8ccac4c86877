"""A snapshot compared with the changes that are here: is it what they give? (Invariant I9.)

Who holds the changes knows what each record was at the snapshot's position: what it is now, if no
later change touched it, and otherwise what a replay up to there gives. So a snapshot in which its
maker wrote something that nobody signed, or left something out, is found. Where what is here does
not tell, as where an earlier snapshot brought more than this one covers, nothing is said: a word
against an honest maker would keep the library from shrinking.
"""

from __future__ import annotations

from collections.abc import Set

from bifolio.crypto.envelope import parse_envelope, read_header
from bifolio.crypto.snapshot import Snapshot
from bifolio.document import snapshot_states
from bifolio.document.record import RecordDocument
from bifolio.errors import DocumentError, EnvelopeError, NewerFormatError
from bifolio.history.replay import Replay
from bifolio.ids import incarnation_client_id
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.snapshots import making
from bifolio.replication.snapshots.reading import SnapshotFacts, SnapshotReader
from bifolio.storage.quarantined_updates import REFUSED
from bifolio.wire.snapshot_parts import Replaced


def verify(
    replica: Replica,
    member_log: LibraryMembership,
    snapshot: Snapshot,
    known: Set[str] = frozenset(),
) -> bool | None:
    """Whether a snapshot whose chunks are here is what the changes here give; what is in one that
    is right counts as arrived at the relay.

    Args:
        replica: what is here.
        member_log: the members.
        snapshot: to be compared.
        known: the records that this very snapshot brought here, checked and stored as it has them.

    Returns:
        None where this replica cannot tell: it lacks some of the changes, or cannot read it.
    """
    with replica.database.transaction():
        if not making.has_all_merged(replica, member_log):
            return None
        try:
            reader = SnapshotReader(replica, member_log, snapshot)
        except EnvelopeError:
            return None  # they came damaged, which is no word about the maker
        try:
            facts = reader.facts()
            comparison = _Comparison(replica, member_log, snapshot, facts)
            is_right = comparison.compare(reader, known)
            if is_right:
                replica.snapshot_source.note_in_snapshot(facts.covered)
            return is_right
        except (NewerFormatError, _CannotTellError):
            return None
        except (EnvelopeError, DocumentError):
            # Its maker may know members that this replica does not know, or not any more.
            membership = member_log.membership()
            head = snapshot.header.membership_head
            return False if membership is None or membership.knows(head) else None


def note_arrived(replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> None:
    """What is in a snapshot that is believed counts as arrived at the relay, if it can be read."""
    with replica.database.transaction():
        try:
            facts = SnapshotReader(replica, member_log, snapshot).facts()
        except (EnvelopeError, NewerFormatError):
            return
        replica.snapshot_source.note_in_snapshot(facts.covered)


def brings_cut_off_only(
    replica: Replica, member_log: LibraryMembership, snapshot: Snapshot
) -> bool:
    """Whether all that a snapshot would add to the records here was written by its maker, or by who
    lost the right to write: nobody else could be harmed by it, as a member may write what it likes.

    Raises:
        EnvelopeError, DocumentError, NewerFormatError: it cannot be read.
    """
    membership = member_log.membership()
    reader = SnapshotReader(replica, member_log, snapshot)
    facts = reader.facts()
    others = {
        incarnation_client_id(one.device, one.slot, one.nonce)
        for one in facts.declared
        if one.device != snapshot.header.device
        and not (membership is not None and membership.is_cut(one.device))
    }
    for record_id, state in reader.records():
        here = RecordDocument(replica.records.state(record_id)).clocks()
        for client, structs in snapshot_states.read_state(state).structs.items():
            if client in others and structs[-1].end > here.get(client, 0):
                return False
    return True


class _CannotTellError(Exception):
    """What is here does not tell whether the snapshot is right."""


class _Comparison:
    """One snapshot next to what is here; inside one transaction."""

    def __init__(
        self,
        replica: Replica,
        member_log: LibraryMembership,
        snapshot: Snapshot,
        facts: SnapshotFacts,
    ) -> None:
        self._replica = replica
        self._member_log = member_log
        self._snapshot = snapshot
        self._facts = facts
        self._replay = Replay(replica)
        #: The rows of ``changes`` that the snapshot does not cover.
        self._later: set[int] = set()

    def compare(self, reader: SnapshotReader, known: Set[str]) -> bool | None:
        replica, covered = self._replica, self._facts.covered
        voided_here = replica.voided.all_hashes()
        if not set(replica.snapshots.covered()) - voided_here <= covered:
            return None  # what came by an earlier snapshot cannot be taken out again
        here = set(replica.changes.hashes())
        if any(one in voided_here or not replica.changes.is_merged(one) for one in covered - here):
            return None
        cursor = replica.meta.cursor
        through = self._through()
        if cursor is None or cursor.position < through:
            return None
        voided = replica.voided.numbers()
        # One that was sealed again carries what the snapshot has of the first one.
        again = {by for one, by, _ in replica.snapshot_source.replaced() if one in covered}
        self._later.update(replica.snapshot_source.unsealed())
        for number, envelope_hash, position in replica.snapshot_source.log_places():
            if number in voided:
                if envelope_hash in covered:
                    return None  # it counts there, by its maker's word
                continue
            if envelope_hash in self._facts.passed:
                return None  # it does not count there, and here not by what its author wrote
            if envelope_hash in covered or envelope_hash in again:
                continue
            self._later.add(number)
            if position is not None and 0 < position <= through:
                if not self._is_same_log():
                    return None
                return False  # the log had it there, and the snapshot leaves it out
        return (
            self._are_chains_right()
            and self._are_replacements_right()
            and self._are_records_right(reader, known)
        )

    def _through(self) -> int:
        """How far the log that is known here is the one that the snapshot was made of."""
        header, cursor = self._snapshot.header, self._replica.meta.cursor
        if cursor is None or cursor.epoch != header.epoch:
            return 0
        if cursor.position <= header.n:
            is_other = header.n == cursor.position and header.chain_hash != cursor.chain_hash
            return 0 if is_other else header.n
        here = self._replica.log_hashes.compare(header.epoch, header.n, header.chain_hash)
        return 0 if here is False else header.n

    def _is_same_log(self) -> bool:
        """Whether the log is known here to be the one that the snapshot was made of."""
        header, cursor = self._snapshot.header, self._replica.meta.cursor
        if cursor is not None and cursor.position == header.n:
            return True
        here = self._replica.log_hashes.compare(header.epoch, header.n, header.chain_hash)
        return here is True

    def _are_chains_right(self) -> bool:
        """Whether each chain ends where the covered envelopes of it end."""
        replica, covered = self._replica, self._facts.covered
        beginnings = (one for one in replica.snapshot_source.beginnings() if one[0] in covered)
        ends = [one for one in replica.snapshots.chains() if one.hash in covered]
        here = making.find_chains(replica, beginnings, before=ends)
        wrong = set(here) ^ set(self._snapshot.header.chains)
        if any(not replica.changes.is_stored(one.hash) for one in wrong):
            raise _CannotTellError  # where it is in its chain is known to its makers alone
        return not wrong

    def _are_replacements_right(self) -> bool:
        """Whether it says what covered envelopes say themselves of those that they replace, each of
        its own author's: what builds on one of these does not wait for it."""
        changes, said = self._replica.changes, set(self._facts.replaced)
        here = set(making.find_replaced(self._replica, self._facts.covered))
        for one in said ^ here:
            by = changes.beginning(one.by)
            if by is None:
                raise _CannotTellError  # it came here by a snapshot too
            other = changes.beginning(one.hash)
            is_own = other is not None and read_header(other).device == read_header(by).device
            if one in here and not is_own:
                raise _CannotTellError  # its maker may have seen that it is another's
            if one in said and other is not None and not is_own and self._claims(one):
                raise _CannotTellError  # or may not have seen that yet
            return False
        return True

    def _claims(self, one: Replaced) -> bool:
        """Whether an envelope that is here says itself that it carries another one's changes."""
        stored = self._replica.changes.envelope(one.by)
        if stored is None:
            raise _CannotTellError
        envelope = parse_envelope(stored.envelope)
        key = self._member_log.key(envelope.header.generation)
        if key is None:
            raise _CannotTellError
        return one.hash in self._replica.formats.read_past(envelope, key).replaces

    def _are_records_right(self, reader: SnapshotReader, known: Set[str]) -> bool:
        replica = self._replica
        touched = replica.journal.index.records_of_changes(self._later)
        left = set(replica.records.all_ids())
        for record_id, state in reader.records():
            if record_id in known and record_id in left:
                left.discard(record_id)
                continue
            snapshot_states.check_state(record_id, state, self._facts.slots)
            if record_id not in left:
                return False
            left.discard(record_id)
            expected = replica.records.state(record_id)
            if record_id in touched:
                expected = self._state_before(record_id)
            if expected is not None and snapshot_states.is_same_state(record_id, state, expected):
                continue
            if any(one.kind == REFUSED for one in replica.quarantined.of_record(record_id)):
                raise _CannotTellError  # its maker may not have known yet which of two lost
            if record_id in touched and self._may_have_later(record_id, state):
                raise _CannotTellError
            return False
        return all(one in touched and self._state_before(one) is None for one in left)

    def _may_have_later(self, record_id: str, state: bytes) -> bool:
        """Whether what a snapshot has of a record is all here, some of it in a change that it does
        not cover: its author may have put that into another envelope, which came here by a
        snapshot, so that nobody can read it."""
        if not self._replica.snapshots.has_any():
            return False
        here = RecordDocument(self._replica.records.state(record_id)).clocks()
        there = RecordDocument(state).clocks()
        return all(end <= here.get(client, 0) for client, end in there.items())

    def _state_before(self, record_id: str) -> bytes | None:
        """A record's state without the later changes; None where it was not there."""
        base = self._replica.snapshots.base(record_id)
        history = self._replica.journal.index.of_record(record_id)
        if base is not None and any(
            one.number <= base.after and one.change in self._later for one in history
        ):
            # It began with more than this snapshot covers: only a replay of everything tells.
            if self._replica.snapshots.has_any():
                raise _CannotTellError
            base = None
        document = RecordDocument(base.state if base is not None else None)
        is_there = base is not None
        aside = {one.contents for one in self._replica.quarantined.of_record(record_id)}
        for logged in history:
            if logged.change in self._later or (base is not None and logged.number <= base.after):
                continue
            change = self._replay.change(logged)
            if change is None:
                raise _CannotTellError
            for one, update in change.records:
                if one == record_id and update not in aside:
                    document.merge_incomplete(update)
                    is_there = True
        return document.state() if is_there else None

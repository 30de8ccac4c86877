"""A replica's statements and snapshots as a sync session sees them."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set

from bifolio import limits
from bifolio.crypto.envelope import read_header
from bifolio.crypto.snapshot import CoveredChain, Snapshot, parse_snapshot
from bifolio.crypto.statement import Verdict
from bifolio.errors import BifolioError, DocumentError, EnvelopeError, Next, NextStep
from bifolio.ids import device_tag, digest
from bifolio.replica.lookup import device_names
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import refilling
from bifolio.replication.inbox import Inbox
from bifolio.replication.outbox import Outbox
from bifolio.replication.snapshots import asserted, loading, making, verifying
from bifolio.replication.snapshots.believing import Belief, ToldSnapshot, read_told
from bifolio.replication.snapshots.statements import StatementBook
from bifolio.sync.snapshot_store import Purpose, SnapshotTask
from bifolio.wire.log_chain import log_start
from bifolio.wire.position import LogPosition
from bifolio.wire.snapshot_messages import SnapshotState

_DAY_MS = 24 * 3600 * 1000


class SnapshotDesk:
    """What ``sync.snapshots`` asks of a replica."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._book = StatementBook(replica, member_log)
        self._epoch = b""
        self._verdicts: dict[bytes, Sequence[bytes]] = {}
        self._has_moved = False
        #: Those that the relay told of which a second device, or this one before, found right.
        self._believed: set[bytes] = set()
        #: Whether the one to load is believed on its maker's word alone.
        self._is_on_makers_word = False
        #: The one of which only the place in the log counts.
        self._place_only = b""
        self._lacks_key = False
        #: The snapshot that was loaded on this connection, and the references that were not here
        #: before and are stored as it has them.
        self._loaded = b""
        self._arrived: Set[str] = frozenset()
        #: Whether the relay's log begins behind its first entry; and whether it was asked for its
        #: snapshots on this connection.
        self._lacks_beginning = False
        self._has_looked = False

    # --- statements -----------------------------------------------------------------------

    def is_statement_due(self) -> bool:
        """Whether where this replica stands is to be said now."""
        return self._book.is_due()

    def state(self) -> bytes | None:
        """Where this replica stands, signed, and noted as said; None where it cannot say."""
        return self._book.state()

    def learn_statements(self, statements: Sequence[bytes]) -> None:
        """Where the others stand, as far as members signed it."""
        self._book.learn(statements)

    # --- before the log -------------------------------------------------------------------

    def must_look(self, epoch: bytes, floor: int) -> bool:
        """Whether the log alone may not bring all."""
        self._lacks_beginning = floor > 0
        meta = self._replica.meta
        cursor = meta.cursor
        return (
            bool(meta.snapshot_loading)
            or cursor is None
            or cursor.epoch != epoch
            or cursor.position < floor
            or refilling.asks_for_snapshot(self._replica)
            # What an envelope waits for may have come to the relay inside of a snapshot.
            or self._replica.changes.waiting() > 0
            # Nor what is here: the relay may take the snapshot by which it came.
            or self._has_gap(epoch)
        )

    def choose(
        self, told: Sequence[SnapshotState], *, epoch: bytes, floor: int
    ) -> SnapshotTask | None:
        """The snapshot to begin with, before the log is pulled; None where the log will do."""
        loading_id, self._epoch = self._loading_id(), epoch
        known = self._told(told)
        self._lacks_key = False
        for one in known:
            self._verdicts[one.snapshot.id] = one.raw_verdicts
            if one.is_whole and (
                one.snapshot.id == loading_id or self._is_wanted(one, epoch=epoch, floor=floor)
            ):
                if self._member_log.key(one.snapshot.header.generation) is None:
                    self._lacks_key = True
                    continue
                self._is_on_makers_word = one.belief is Belief.BY_MAKER
                return _task(Purpose.LOAD, one.snapshot)
        if position_only := self._find_place(known, epoch=epoch, floor=floor):
            return _task(Purpose.LOAD, position_only)
        return None

    def lacks_key(self) -> bool:
        """Whether a snapshot would have been chosen whose key this device was not given."""
        return self._lacks_key

    def _find_place(
        self, known: Sequence[ToldSnapshot], *, epoch: bytes, floor: int
    ) -> Snapshot | None:
        """A snapshot that nobody with a right says is right, as where who did lost it since, and
        that is all here: where the log has nothing before it, it tells from where that goes on."""
        cursor = self._replica.meta.cursor
        position = cursor.position if cursor is not None and cursor.epoch == epoch else 0
        if position >= floor:
            return None
        is_merged = self._replica.changes.is_merged
        for one in known:
            header = one.snapshot.header
            is_unseen = one.is_whole and one.belief is Belief.UNSEEN
            is_here = is_unseen and all(is_merged(end.hash) for end in header.chains)
            if is_here and header.epoch == epoch:
                self._place_only = one.snapshot.id
                return one.snapshot
        return None

    def _is_wanted(self, one: ToldSnapshot, *, epoch: bytes, floor: int) -> bool:
        replica, header = self._replica, one.snapshot.header
        if one.belief <= Belief.UNSEEN:
            return False
        if refilling.asks_for_snapshot(replica):
            return True
        cursor = replica.meta.cursor
        position = cursor.position if cursor is not None and cursor.epoch == epoch else 0
        # One of an earlier log is there because this log does not have what it brings.
        is_gone = position < floor or header.epoch != epoch
        is_below = position < floor and header.epoch == epoch
        if not is_below and all(self._has_place(end.hash) for end in header.chains):
            return False
        if one.belief is Belief.BY_MAKER:
            return is_gone or self._is_waited_for(header.chains)
        is_new = not replica.changes.has_sealed() and not replica.snapshots.has_any()
        is_waited_for = replica.changes.waiting() > 0
        return is_gone or is_waited_for or (is_new and header.n > position)

    def _is_waited_for(self, chains: Sequence[CoveredChain]) -> bool:
        """Whether what comes before an envelope that waits here may be in there."""
        pending = self._replica.pending
        ends = {(end.device, end.chain): end.seq for end in chains}
        for device, _ in pending.count_by_author():
            for _, beginning in pending.beginnings(device) if device is not None else ():
                header = read_header(beginning)
                if 1 < header.seq <= ends.get((header.device, header.chain), 0) + 1:
                    return True
        return False

    def _has_place(self, envelope_hash: bytes) -> bool:
        """Whether the next envelope of a chain that ends with this one can be merged."""
        replica = self._replica
        is_stored = replica.changes.is_stored(envelope_hash)
        return is_stored or replica.snapshots.is_covered(envelope_hash)

    def _loading_id(self) -> bytes:
        raw = self._replica.meta.snapshot_loading
        return parse_snapshot(raw).id if raw else b""

    # --- chunks ---------------------------------------------------------------------------

    def count_chunks(self, snapshot: bytes) -> int:
        """How many of its chunks are here, from an earlier connection."""
        return self._replica.snapshots.count_chunks(snapshot)

    def keep_chunk(self, snapshot: bytes, number: int, sealed: bytes) -> None:
        """Keep a chunk; those of other snapshots make room."""
        with self._replica.database.transaction():
            if number == 0:
                self._replica.snapshots.remove_chunks(but=[snapshot, self._kept_id()])
                self._replica.meta.snapshot_made = b""
            self._replica.snapshots.add_chunk(snapshot, number, sealed)

    def read_chunk(self, snapshot: bytes, number: int) -> bytes | None:
        """A chunk of a snapshot made here."""
        return self._replica.snapshots.chunk(snapshot, number)

    # --- a snapshot that is here ----------------------------------------------------------

    def load(self, task: SnapshotTask) -> LogPosition | None:
        """Merge a snapshot; None, and noted why, where it is not what it should be."""
        replica = self._replica
        snapshot = parse_snapshot(task.header)
        if snapshot.id == self._place_only:
            return loading.take_place(replica, snapshot)
        position = self._load(snapshot, keeps_place=False)
        return self._log_start(position) if position is not None else None

    def merge(self, task: SnapshotTask) -> bool:
        """Merge what the log cannot bring, as its authors lost the right to write it."""
        is_merged = self._load(parse_snapshot(task.header), keeps_place=True) is not None
        # What this computer wrote on top, or waited, may be offered now.
        self._has_moved |= is_merged
        return is_merged

    def _load(self, snapshot: Snapshot, *, keeps_place: bool) -> LogPosition | None:
        replica, member_log = self._replica, self._member_log
        is_own = (
            snapshot.header.device == replica.keys.sign_public
        )  # as where a backup takes its place
        is_unproved = self._is_on_makers_word and not is_own
        try:
            if is_unproved and keeps_place:
                is_unproved = not verifying.brings_cut_off_only(replica, member_log, snapshot)
            position, self._arrived = loading.load(
                replica, member_log, snapshot, keeps_place=keeps_place
            )
            self._loaded = snapshot.id
        except BifolioError as error:
            if not isinstance(error, DocumentError | EnvelopeError):
                raise
            self._forget_chunks()
            maker = self._name_of(snapshot.header.device)
            self._note(
                f"The snapshot that {maker} made of this library was not loaded: {error.reason}.",
                NextStep(Next.TELL_RELAY_OPERATOR),
            )
            return None
        with replica.database.transaction():
            meta = replica.meta
            if is_unproved:
                meta.snapshot_unproved = snapshot.id
            meta.snapshot_kept = snapshot.raw
            meta.snapshot_kept_verdicts = self._verdicts.get(snapshot.id, ())
        Inbox(replica, self._member_log).retry_newer()
        self._move_rivals(snapshot)
        return position

    def _log_start(self, position: LogPosition) -> LogPosition:
        """From where the log goes on: one of an earlier log brought nothing of this one."""
        if position.epoch == self._epoch:
            return position
        replica = self._replica
        start = LogPosition(self._epoch, 0, log_start(replica.library_id, self._epoch))
        with replica.database.transaction():
            replica.meta.cursor = None
        return start

    def verify(self, task: SnapshotTask) -> bytes | None:
        """What was found of a snapshot, signed; None where this replica cannot tell."""
        replica = self._replica
        snapshot = parse_snapshot(task.header)
        # What is stored as it came with this very snapshot is what it has.
        known = self._arrived if snapshot.id == self._loaded else frozenset[str]()
        is_right = verifying.verify(replica, self._member_log, snapshot, known)
        if is_right is None and snapshot.id in self._believed:
            # Whatever waits here: it is with the relay.
            verifying.note_arrived(replica, self._member_log, snapshot)
        if is_right is None and making.has_all_merged(replica, self._member_log):
            # Of one that its maker alone calls right nothing counts as arrived: what is here goes
            # in another chain, at worst a second time.
            self._has_moved = self._move_rivals(snapshot)
        self._forget_chunks()
        if is_right is None:
            return None
        header = snapshot.header
        if not self._may_vouch(snapshot, is_right=is_right):
            return None
        if is_right:
            self._has_moved = self._move_rivals(snapshot)
        else:
            maker = self._name_of(header.device)
            self._note(
                f"A snapshot that {maker} made is not what the changes of this library give.",
                None,
            )
        membership = self._member_log.membership()
        if membership is None or not membership.may_write(replica.keys.sign_public):
            return None  # a reader compares it for what counts as arrived, and says nothing
        verdict = Verdict(
            library=replica.library_id,
            device=replica.keys.sign_public,
            snapshot=snapshot.id,
            is_right=is_right,
            said_ms=replica.runtime.now_ms(),
        )
        return verdict.sign(replica.keys)

    def _may_vouch(self, snapshot: Snapshot, *, is_right: bool) -> bool:
        """Whether this replica's word on a snapshot counts for anything. Not where it began with
        another one on its maker's word: what that brought is what it would compare with; of its own
        one it says so where nobody else can. Where it agrees with one that a second device found
        right, what it began with is proved."""
        meta = self._replica.meta
        if not meta.snapshot_unproved:
            return True
        if is_right and snapshot.id in self._believed:
            with self._replica.database.transaction():
                meta.snapshot_unproved = b""
        return is_right and asserted.speaks_alone(self._replica, self._member_log, snapshot)

    def take_moved(self) -> bool:
        """Whether a snapshot that was verified left out what is here, which is to be offered in
        another chain now; once."""
        moved, self._has_moved = self._has_moved, False
        return moved

    def _move_rivals(self, snapshot: Snapshot) -> bool:
        """What is here and not in a snapshot, where that has another envelope of the same author
        in its place: the relay has no place for it in its chain, and nobody else may have it.

        The other one may be known through the snapshot alone, so that no two envelopes are here
        that could be compared: what was in the snapshot counts as arrived by now, and the rest is
        what it left out.
        """
        replica, membership = self._replica, self._member_log.membership()
        may_seal = membership is not None and membership.may_write(replica.keys.sign_public)
        if membership is None or membership.needs_newer or not may_seal:
            return False
        ends = [(end.chain, end.seq) for end in snapshot.header.chains]
        outbox = Outbox(replica, self._member_log)
        found = replica.snapshot_source.unsent_of(ends)
        for envelope_hash in found:
            outbox.move_chain(envelope_hash)
        return bool(found)

    def _forget_chunks(self) -> None:
        replica = self._replica
        with replica.database.transaction():
            replica.snapshots.remove_chunks(but=[self._kept_id()])

    # --- once all is settled --------------------------------------------------------------

    def is_look_due(self) -> bool:
        """Whether the relay was not asked for its snapshots for a while, or nobody can begin with
        what it had then."""
        if not self._has_looked and self._shuts_out_newcomers():
            return True
        waited_ms = self._replica.runtime.now_ms() - self._replica.meta.snapshots_looked_ms
        return not 0 <= waited_ms < limits.STATEMENT_INTERVAL_S * 1000

    def note_look(self, told: Sequence[SnapshotState]) -> None:
        """The relay said which snapshots it holds."""
        replica = self._replica
        known = [one for one in self._told(told) if one.is_whole and one.belief > Belief.UNSEEN]
        with replica.database.transaction():
            meta = replica.meta
            self._has_looked = True
            meta.snapshots_looked_ms = replica.runtime.now_ms()
            newest = known[0].snapshot.header if known else None
            meta.snapshot_last = (newest.n, newest.size_bytes) if newest is not None else None

    def next_task(
        self,
        told: Sequence[SnapshotState],
        failed: Collection[bytes],
        compared: Collection[bytes] = (),
    ) -> SnapshotTask | None:
        """What to do once both sides have every change; may make a snapshot."""
        known = self._told(told)
        if (mine := self._unsent(known, failed)) is not None:
            return mine
        for one in known:
            own = one.verdict_of(self._replica.keys.sign_public)
            if one.belief is Belief.ATTESTED or (own is not None and own.is_right):
                self._believed.add(one.snapshot.id)
                self._note_proved(one)
            if asserted.brings_cut_off(self._replica, self._member_log, one):
                self._is_on_makers_word = one.belief is Belief.BY_MAKER
                return _task(Purpose.MERGE, one.snapshot)
            if one.is_whole and one.snapshot.id not in compared and self._should_verify(one):
                return _task(Purpose.VERIFY, one.snapshot)
        self._note_unshared(known)
        if {*failed} - {self._kept_id()} or not self._may_make(known):
            return None
        snapshot = making.make(self._replica, self._member_log)
        return _task(Purpose.SEND, snapshot) if snapshot is not None else None

    def _note_unshared(self, known: Sequence[ToldSnapshot]) -> None:
        """What counts by a snapshot's word alone goes to the others in a snapshot of ours, where
        the relay has none with it: no envelope can bring it."""
        cursor = self._replica.meta.cursor
        # The relay takes no other one at the same place: then once the log goes on.
        is_taken = cursor is not None and any(
            one.is_whole
            and one.raw_verdicts
            and (one.snapshot.header.epoch, one.snapshot.header.n)
            == (cursor.epoch, cursor.position)
            for one in known
        )
        end = asserted.find_unshared(self._replica, self._member_log, known)
        if cursor is not None and end is not None and not is_taken:
            self._set_gap(digest(cursor.epoch, cursor.chain_hash, end))

    def _note_proved(self, one: ToldSnapshot) -> None:
        """A second device found a snapshot right: what began with it on its maker's word may be
        vouched for from now on."""
        meta = self._replica.meta
        if meta.snapshot_unproved == one.snapshot.id and one.belief is Belief.ATTESTED:
            with self._replica.database.transaction():
                meta.snapshot_unproved = b""

    def _unsent(
        self, known: Sequence[ToldSnapshot], failed: Collection[bytes]
    ) -> SnapshotTask | None:
        """The snapshot that was made here, if the relay does not have all of it."""
        raw = self._replica.meta.snapshot_made
        if not raw:
            return None
        snapshot = parse_snapshot(raw)
        header, cursor = snapshot.header, self._replica.meta.cursor
        held = [one for one in known if one.snapshot.id == snapshot.id]
        is_old = cursor is None or cursor.epoch != header.epoch
        is_old |= self._replica.snapshots.count_chunks(snapshot.id) != header.chunks
        is_old |= any(one.snapshot.header.n > header.n for one in known)
        is_old |= snapshot.id in failed
        if is_old or (held and held[0].is_whole):
            with self._replica.database.transaction():
                self._replica.meta.snapshot_made = b""
            return None
        return _task(Purpose.SEND, snapshot)

    def _should_verify(self, one: ToldSnapshot) -> bool:
        own = self._replica.keys.sign_public
        membership = self._member_log.membership()
        if membership is None:
            return False
        header = one.snapshot.header
        if self._replica.snapshot_source.has_unsent_of(
            [(end.chain, end.seq) for end in header.chains]
        ):
            return True  # what is here counts as arrived only once it is seen to be in there
        if self._replica.meta.snapshot_unproved and one.snapshot.id in self._believed:
            return True  # it may prove what this replica began with
        if not membership.may_write(own):
            return False
        if one.verdict_of(own) is not None:
            return False
        if header.device == own:
            # What a relay lacked, others may lack too, and cannot compare.
            gap = self._replica.meta.gap
            is_answer = gap is not None and gap == (header.epoch, self._replica.meta.gap_answered)
            is_answer |= asserted.speaks_alone(self._replica, self._member_log, one.snapshot)
            return is_answer or self._shuts_out_newcomers() or not self._book.has_others()
        return not any(verdict.device != header.device for verdict in one.verdicts)

    def _may_make(self, known: Sequence[ToldSnapshot]) -> bool:
        """Whether a snapshot is due and this replica may make it now."""
        replica, meta = self._replica, self._replica.meta
        now_ms = replica.runtime.now_ms()
        is_waiting = any(
            one.belief is Belief.UNSEEN
            and not one.is_orphan
            and now_ms - one.snapshot.header.made_ms < _DAY_MS
            for one in known
        )
        # One that nobody has compared yet does not have what the relay lacks.
        is_answer = meta.cursor is not None and self._has_gap(meta.cursor.epoch)
        may_speak = is_answer and not asserted.may_be_proved(replica, self._member_log, known)
        if not self._is_due() or (meta.snapshot_unproved and not may_speak):
            return False
        if is_waiting and not is_answer:
            return False
        if not self._book.can_state() or not making.has_all(replica, self._member_log):
            return False
        if is_answer or not self._book.has_others() or self._shuts_out_newcomers():
            return True  # others wait for it, and few can make it
        if not meta.snapshot_not_before_ms:
            drawn = int.from_bytes(replica.runtime.random_bytes(4), "big") / 2**32
            with replica.database.transaction():
                meta.snapshot_not_before_ms = now_ms + int(drawn * limits.SNAPSHOT_WAIT_S * 1000)
        return now_ms >= meta.snapshot_not_before_ms

    def _is_due(self) -> bool:
        """Whether the log since the last snapshot outweighs it, or cannot bring all that is
        here."""
        replica = self._replica
        cursor = replica.meta.cursor
        if cursor is not None and self._has_gap(cursor.epoch):
            return True
        if self._shuts_out_newcomers():
            return True
        last = replica.meta.snapshot_last
        position, size_bytes = last if last is not None else (0, 0)
        if last is None:
            size_bytes = replica.records.size_bytes() // limits.SNAPSHOT_STATES_DIVISOR
        log_bytes = replica.snapshot_source.bytes_after(position)
        return log_bytes > max(size_bytes, limits.SNAPSHOT_LOG_BYTES_MIN)

    def _shuts_out_newcomers(self) -> bool:
        """Whether the beginning of the log is gone and no snapshot may be begun with, as where all
        who called one right lost the right to write or took new keys: who comes now waits for the
        next one, and so that is due at once."""
        return self._lacks_beginning and self._replica.meta.snapshot_last is None

    def note_sent(self, task: SnapshotTask) -> None:
        """The relay has all of a snapshot that was made here."""
        replica = self._replica
        with replica.database.transaction():
            if task.id != self._kept_id():
                replica.meta.gap_answered = replica.meta.gap[1] if replica.meta.gap else b""
                replica.meta.snapshot_made = b""
                replica.meta.snapshot_not_before_ms = 0
            replica.snapshots.remove_chunks(but=[self._kept_id()])

    # --- a relay that lacks the middle of a chain ---------------------------------------------

    def note_gap(self, envelope_hash: bytes) -> bool:
        """The relay's log lacks what is before an envelope in its chain. Where that came here
        inside of a snapshot, nobody may have it otherwise: the relay gets one, once for each such
        envelope: one that says so without end gets no more than that.

        Returns:
            whether it is so.
        """
        replica = self._replica
        beginning = replica.changes.beginning(envelope_hash)
        if beginning is None or not replica.snapshots.is_covered(read_header(beginning).previous):
            return False
        self._set_gap(envelope_hash)
        return True

    def _set_gap(self, name: bytes) -> None:
        """A snapshot is due for what is named, unless one was sent for it."""
        meta = self._replica.meta
        if meta.cursor is not None and name not in (meta.gap_answered, meta.gap and meta.gap[1]):
            with self._replica.database.transaction():
                meta.gap = (meta.cursor.epoch, name)

    def _has_gap(self, epoch: bytes) -> bool:
        """Whether a relay's log has such a gap, and was sent no snapshot for it yet."""
        gap = self._replica.meta.gap
        return gap is not None and gap[0] == epoch and gap[1] != self._replica.meta.gap_answered

    # --- a relay with another log -----------------------------------------------------------

    def find_base(self, told: Sequence[SnapshotState]) -> SnapshotTask | None:
        """The snapshot that was loaded here, where the relay has lost what it brought."""
        replica = self._replica
        raw = replica.meta.snapshot_kept
        if not raw:
            return None
        snapshot = parse_snapshot(raw)
        held: dict[tuple[bytes, bytes], int] = {}
        for one in self._told(told):
            if one.is_whole:
                for end in one.snapshot.header.chains:
                    place = (end.device, end.chain)
                    held[place] = max(held.get(place, 0), end.seq)
        is_lacking = any(
            held.get((end.device, end.chain), 0) < end.seq and not self._has_position(end.hash)
            for end in snapshot.header.chains
        )
        if not is_lacking or replica.snapshots.count_chunks(snapshot.id) < snapshot.header.chunks:
            return None
        return _task(Purpose.SEND, snapshot)

    def _has_position(self, envelope_hash: bytes) -> bool:
        replica = self._replica
        positions = (
            replica.snapshots.position(envelope_hash),
            replica.changes.position(envelope_hash),
        )
        return any(one is not None for one in positions)

    def verdicts_on(self, snapshot: bytes) -> Sequence[bytes]:
        """What members are known to have found of the snapshot that was loaded here."""
        return self._replica.meta.snapshot_kept_verdicts if snapshot == self._kept_id() else ()

    def _kept_id(self) -> bytes:
        raw = self._replica.meta.snapshot_kept
        return parse_snapshot(raw).id if raw else b""

    # --- small steps ----------------------------------------------------------------------

    def _told(self, told: Sequence[SnapshotState]) -> list[ToldSnapshot]:
        membership = self._member_log.membership()
        if membership is None:
            return []
        replica = self._replica
        return read_told(
            told, membership, library=replica.library_id, device=replica.keys.sign_public
        )

    def _name_of(self, device: bytes) -> str:
        return device_names(self._replica).get(device_tag(device), "another computer")

    def _note(self, reason: str, next_step: NextStep | None) -> None:
        with self._replica.database.transaction():
            notes = [one for one in self._replica.meta.notes if one[0] != reason]
            self._replica.meta.notes = [*notes, (reason, next_step)]


def _task(purpose: Purpose, snapshot: Snapshot) -> SnapshotTask:
    return SnapshotTask(purpose, snapshot.id, snapshot.raw, snapshot.header.chunks)

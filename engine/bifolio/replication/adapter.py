"""A replica as a sync session sees it: implements ``sync.store.SyncStore``."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.attachments.transfer_store import TransferStore
from bifolio.crypto.keys import KeyPair
from bifolio.crypto.membership import deletion_message, invite_keys, recovery_keys
from bifolio.crypto.relay_token import parse_relay_token
from bifolio.errors import (
    BifolioError,
    EnvelopeError,
    KeysReplacedError,
    NextStep,
    NotAMemberError,
    RelayTokenError,
    RemovedError,
)
from bifolio.ids import content_hash, device_tag
from bifolio.replica import lookup
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import joining
from bifolio.replication.greeting import make_hello, relay_name
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.member_acts import InviteAct, MemberAct, owed_keys
from bifolio.replication.outbox import Outbox
from bifolio.replication.snapshots.desk import SnapshotDesk
from bifolio.sync.store import OfferedPlace, OutgoingEnvelope, ReceivedBatch
from bifolio.wire.messages import AttestedPosition, Challenge, Hello
from bifolio.wire.position import LogPosition


class ReplicaAdapter:
    """One replica, for one or more connections.

    ``join_secret`` is a ticket's secret while this device is to become a member with it, or with
    ``is_recovery`` that of a recovery code;
    ``invite_secret`` that of a ticket to be made for any number of editors; ``act`` what the user
    does to the members; ``expected`` where the log ended when the
    ticket was made; ``only_file`` the one content to be carried, if it is only one; ``again`` if
    the relay is to hold the library although an owner deleted it there.
    """

    def __init__(
        self,
        replica: Replica,
        member_log: LibraryMembership,
        *,
        join_secret: bytes | None = None,
        is_recovery: bool = False,
        invite_secret: bytes | None = None,
        act: MemberAct | None = None,
        expected: LogPosition | None = None,
        only_file: str | None = None,
        again: bool = False,
    ) -> None:
        self.snapshots = SnapshotDesk(replica, member_log)
        self.files = TransferStore(replica, member_log, only=only_file)
        self._replica = replica
        self._member_log = member_log
        self._inbox = Inbox(replica, member_log)
        self._outbox = Outbox(replica, member_log)
        self._join_secret = join_secret
        self._is_recovery = is_recovery
        self._act = act
        #: The head of the membership log under which this computer owed nobody a key.
        self._nothing_owed_at = b""
        #: The hash of the last record that gives keys which are owed.
        self._owed = b""
        if invite_secret is not None:
            self._act = InviteAct(member_log, invite_secret)
        self._expected = expected
        self._again = again

    def become_member(self) -> None:
        """This device is a member: from now on it speaks for itself."""
        self._join_secret = None

    def monotonic_ms(self) -> int:
        """The milliseconds of a clock that nobody sets."""
        return int(self._replica.runtime.monotonic_s() * 1000)

    def make_hello(self, challenge: Challenge) -> Hello:
        """HELLO, signed by this device, or by the ticket's key while it joins."""
        replica = self._replica
        signer: KeyPair = replica.keys
        if self._join_secret is not None:
            signer = self._keys_of(self._join_secret)
        cursor = self.cursor()
        expected = self.ticket_position()
        tally = self.files.tally()
        return make_hello(
            signer,
            challenge,
            library=replica.library_id,
            relay=relay_name(replica.meta.relay_url),
            join=self._join_secret is not None,
            cursor=cursor.position if cursor else 0,
            attested=AttestedPosition(expected.epoch, expected.position) if expected else None,
            blob_tally=tally.n if tally else 0,
        )

    def _keys_of(self, secret: bytes) -> KeyPair:
        """The keys that the holder of a ticket or a recovery code greets with."""
        return recovery_keys(secret) if self._is_recovery else invite_keys(secret)

    def prove_token(self, nonce: bytes, genesis: bytes) -> tuple[bytes, bytes]:
        """The id of the relay's token, and the proof that this replica has it; empty without one.

        One that was sealed to another device came with a copied folder: it is not ours to use.
        """
        sealed = self._replica.meta.relay_token
        if not sealed:
            return b"", b""
        try:
            token = parse_relay_token(self._replica.keys.unseal(sealed).decode("ascii"))
        except (EnvelopeError, RelayTokenError, UnicodeDecodeError):
            return b"", b""
        return token.id, token.prove(nonce, genesis)

    def sign_deletion(self, nonce: bytes) -> bytes:
        """This device's signature of the wish that a relay deletes the library."""
        replica = self._replica
        return replica.keys.sign(deletion_message(nonce=nonce, library=replica.library_id))

    def members(self) -> Sequence[bytes]:
        """The membership log as known."""
        membership = self._member_log.membership()
        return membership.records if membership else ()

    def learn_members(self, records: Sequence[bytes]) -> None:
        """Follow the membership log, and merge what waited for it."""
        self._member_log.learn(records)
        for error in self._member_log.wrong_keys:
            self.note(error.message, error.next_step)
        self._inbox.follow_cuts()
        if self._replica.changes.waiting() or self._replica.meta.not_kept:
            self._inbox.retry_pending()

    def continues_members(self, record: bytes) -> bool:
        """Whether a record follows the last one of the membership log."""
        return self._member_log.is_next(record)

    def meet_members(self, records: Sequence[bytes]) -> int | None:
        """Make one membership log of ours and the relay's."""
        try:
            shared = self._member_log.meet(records)
        except NotAMemberError:
            raise self.no_right() from None
        self._inbox.follow_cuts()
        if self._replica.changes.waiting():
            self._inbox.retry_pending()
        return shared

    def carry_record(self) -> bytes | None:
        """The record that carries what lost against the relay's log."""
        return self._member_log.carry()

    def is_member(self) -> bool:
        """Whether this device is a member."""
        return self._member_log.role() is not None

    def join_record(self) -> bytes | None:
        """The record by which this device joins; None if it need not.

        A member without the content key joins again: an owner's own key is in no record, and
        went with the replica that was lost.
        """
        if self._join_secret is None:
            return None
        if self._member_log.role() is not None and self._member_log.has_key():
            return None
        if self._is_recovery:
            return self._member_log.recover(self._join_secret)
        return self._member_log.join(self._join_secret)

    def own_record(self, *, log_is_merged: bool) -> bytes | None:
        """The next record of what the user does to the members, or of keys that are owed them."""
        membership = self._member_log.membership()
        if membership is None:
            return None
        if self._act is not None:
            record = self._act.next_record(membership, log_is_merged=log_is_merged)
            if record is not None or not log_is_merged:
                return record
        if not log_is_merged or self._join_secret is not None:
            return None
        if membership.head == self._nothing_owed_at:
            return None
        record = owed_keys(self._replica, self._member_log, membership)
        if record is None:
            self._nothing_owed_at = membership.head
        else:
            self._owed = content_hash(record)
        return record

    def give_up_owed(self, record_hash: bytes) -> bool:
        """Whether a record that the relay refused was a key that is owed: its sync goes on without,
        and the next one tries again. A refusal that names nothing is of none."""
        membership = self._member_log.membership()
        if not record_hash or record_hash != self._owed or membership is None:
            return False
        self._nothing_owed_at = membership.head
        return True

    def no_right(self) -> BifolioError:
        """That this device is no member, or who removed it."""
        remover = self._member_log.remover()
        if remover is None:
            membership, own = self._member_log.membership(), self._replica.keys.sign_public
            if membership is not None and membership.role_of(membership.current(own)) is not None:
                return KeysReplacedError()
            return NotAMemberError()
        name = lookup.device_name(lookup.device_names(self._replica), device_tag(remover))
        return RemovedError(by=name)

    def cursor(self) -> LogPosition | None:
        """How far the log is merged."""
        return self._replica.meta.cursor

    def ticket_position(self) -> LogPosition | None:
        """Where the log ended when this replica's ticket was made."""
        return self._expected

    def is_wanted_again(self) -> bool:
        """Whether the user brings the library to the relay just now."""
        return self._again

    def forget_log(self) -> bool:
        """Nothing counts as acknowledged any more; whether the relay had it, and lost it."""
        with self._replica.database.transaction():
            meta = self._replica.meta
            meta.sent_through = max(meta.sent_through, self._replica.changes.last_acknowledged())
            self._replica.changes.forget_positions()
            self._replica.snapshots.forget_positions()
            self._replica.pending.begin_epoch()
            self._replica.newer_envelopes.forget_positions()
            self._replica.transfers.forget_relay()
            self._replica.meta.cursor = None
            self._replica.meta.forget(
                "stated", "snapshot_last", "snapshots_looked_ms", "gap", "gap_answered"
            )
            is_other, meta.is_at_another_relay = meta.is_at_another_relay, False
        return not is_other

    def receive(
        self,
        after: int,
        envelopes: Sequence[bytes],
        cursor: LogPosition,
        passed: Sequence[tuple[int, bytes]],
    ) -> ReceivedBatch:
        """Merge log entries and move the cursor."""
        batch = [
            Received(envelope, position)
            for position, envelope in enumerate(envelopes, start=after + 1)
        ]
        merged = self._inbox.receive(batch, cursor=cursor, passed=passed)
        return ReceivedBatch(merged.changes, is_lawful=merged.lawful > 0)

    def acknowledge(
        self,
        receipts: Sequence[tuple[bytes, int]],
        cursor: LogPosition,
        passed: Sequence[tuple[int, bytes]],
    ) -> None:
        """Note what the relay stored up to the cursor."""
        if not receipts and cursor == self.cursor():
            return
        with self._replica.database.transaction():
            for envelope_hash, position in receipts:
                self._replica.changes.set_position(envelope_hash, position)
                self._replica.newer_envelopes.set_position(envelope_hash, position)
            self._replica.log_hashes.add(cursor.epoch, passed)
            self._replica.meta.cursor = cursor

    def settle_join_offers(self) -> None:
        """Make changes of what a joining library brings."""
        joining.settle_offers(self._replica)

    def seal(self) -> None:
        """Seal what waits."""
        self._outbox.seal()

    def next_outgoing(self, *, after: int, bytes_max: int) -> Sequence[OutgoingEnvelope]:
        """Envelopes that the relay does not have."""
        return self._outbox.offers(after=after, bytes_max=bytes_max)

    def offered_places(self, *, after: int, count_max: int) -> Sequence[tuple[int, OfferedPlace]]:
        """Where envelopes are that the relay may have, without our knowing."""
        return self._outbox.places(after=after, count_max=count_max)

    def restart_chain(self, envelope: bytes, proof: bytes) -> bool:
        """Put what the relay did not take of a chain into a new one, once it is proved."""
        return self._outbox.restart_chain(envelope, proof)

    def may_move(self, envelope: bytes) -> bool:
        """Whether this device may put an envelope into a chain of its own."""
        return self._outbox.may_move(envelope)

    def restart_own_chain(self, envelope: bytes) -> bool:
        """Put what the relay did not take of a chain of ours into a new one."""
        return self._outbox.restart_own_chain(envelope)

    def continue_chain(self, envelope: bytes, *, seq: int, head: bytes) -> bool:
        """Offer what the relay lacks of a chain, or put the rest of it into a new one."""
        return self._outbox.continue_chain(envelope, seq=seq, head=head)

    def note_gap(self, envelope: bytes) -> bool:
        """The relay lacks what comes before an envelope: it may have to get a snapshot."""
        return self.snapshots.note_gap(envelope)

    def seal_without_right_again(self, envelope: bytes) -> bool:
        """Seal a chain of ours again of which an envelope was sealed without a right to it."""
        return self._outbox.seal_without_right_again(envelope)

    def lacks_right(self, envelope: bytes) -> bool:
        """Whether an envelope is another's who had no right to it."""
        return self._outbox.lacks_right(envelope)

    def is_replaced(self, envelope: bytes) -> bool:
        """Whether the changes of an envelope are here in another one too."""
        return bool(self._replica.changes.replacing([envelope]))

    def retry_newer(self) -> int:
        """A sync begins: merge what an earlier program could not read; returns the new changes."""
        return self._inbox.retry_newer().changes

    def is_in_chain(self, envelope: bytes, *, seq: int, head: bytes) -> bool | None:
        """Whether an envelope is part of its chain up to a head, as far as can be told."""
        return self._outbox.is_in_chain(envelope, seq=seq, head=head)

    def move_chain(self, envelope: bytes) -> None:
        """Put what the relay did not take of a chain into a new one."""
        self._outbox.move_chain(envelope)

    def note(self, reason: str, next_step: NextStep | None) -> None:
        """Keep a refusal for ``status`` until a sync succeeds without it."""
        with self._replica.database.transaction():
            notes = [one for one in self._replica.meta.notes if one[0] != reason]
            self._replica.meta.notes = [*notes, (reason, next_step)]

    def clear_notes(self) -> None:
        """A new attempt begins: what it finds is noted again."""
        if self._replica.meta.notes:
            with self._replica.database.transaction():
                self._replica.meta.notes = ()


def membership_head(member_log: LibraryMembership) -> bytes:
    """The head of the membership log as known; zeros where it is not."""
    membership = member_log.membership()
    return content_hash(membership.records[-1]) if membership else bytes(32)

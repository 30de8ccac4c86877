"""Where the replicas of a library are in the relay's log, by what they signed (DESIGN §6).

A replica has *passed* a position when its statement says so. One that has said nothing for thirty
days holds nobody up any more: what went meanwhile, a snapshot brings it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.crypto.statement import Statement
from bifolio.errors import EnvelopeError
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.storage.statements import KnownStatement

_GONE_MS = int(limits.REPLICA_GONE_S * 1000)


class StatementBook:
    """This replica's statement, and those of the others."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log

    def is_due(self) -> bool:
        """Whether where this replica stands is to be said now."""
        meta = self._replica.meta
        cursor, stated = meta.cursor, meta.stated
        if cursor is None or not cursor.position:
            return False
        if stated is None:
            return self.can_state()
        waited_s = (self._replica.runtime.now_ms() - meta.stated_at_ms) / 1000
        has_news = stated[0] != cursor.position and waited_s >= limits.STATEMENT_INTERVAL_S
        if not has_news and 0 <= waited_s < limits.STATEMENT_AGAIN_S:
            return False
        return self.can_state()

    def can_state(self) -> bool:
        """Whether all up to the cursor is merged, and all that this replica wrote is with the
        relay."""
        replica = self._replica
        return not (
            replica.pending.has_of_log()
            or replica.newer_envelopes.waiting()
            or replica.meta.not_kept
            or replica.meta.snapshot_loading
            or replica.changes.unsent()
        )

    def state(self) -> bytes | None:
        """Where this replica stands, signed, and noted as said; None where it cannot say."""
        replica = self._replica
        with replica.database.transaction():
            meta = replica.meta
            cursor = meta.cursor
            if cursor is None or not self.can_state():
                return None
            now_ms = replica.runtime.now_ms()
            # Of two statements the later one holds, whatever happened to the clock.
            said_ms = max(now_ms, meta.stated[1] + 1 if meta.stated is not None else 0)
            said = Statement(
                library=replica.library_id,
                device=replica.keys.sign_public,
                replica=_replica_name(replica),
                epoch=cursor.epoch,
                n=cursor.position,
                chain_hash=cursor.chain_hash,
                said_ms=said_ms,
            )
            meta.stated, meta.stated_at_ms = (cursor.position, said_ms), now_ms
            meta.stated_since_ms = meta.stated_since_ms or now_ms
            self._keep(said)
            self._note_passed()
        return said.sign(replica.keys)

    def learn(self, raws: Sequence[bytes]) -> None:
        """Keep the statements that members signed; what else is among them is passed over."""
        membership = self._member_log.membership()
        if membership is None:
            return
        with self._replica.database.transaction():
            for raw in raws:
                try:
                    said = Statement.parse(raw)
                except EnvelopeError:
                    continue
                right = said.library == self._replica.library_id
                if right and membership.role_of(said.device) is not None:
                    self._keep(said)
            self._note_passed()

    def _note_passed(self) -> None:
        """For who asks outside of a sync; inside a transaction."""
        meta = self._replica.meta
        cursor, passed = meta.cursor, self.passed()
        meta.passed_by_all = (cursor.epoch, passed) if cursor is not None and passed else None

    def passed(self) -> int:
        """The position in the relay's log that every replica has passed that is still there; 0
        before that is known."""
        replica = self._replica
        membership, cursor = self._member_log.membership(), replica.meta.cursor
        if membership is None or cursor is None or not replica.meta.stated_since_ms:
            return 0
        now_ms = replica.runtime.now_ms()
        members = {member.device for member in membership.members}
        here = [one for one in self._live(now_ms) if one.device in members]
        silent = members - {one.device for one in here}
        if silent and now_ms - replica.meta.stated_since_ms < _GONE_MS:
            return 0
        if any(one.epoch != cursor.epoch for one in here):
            return 0
        own = (replica.keys.sign_public, _replica_name(replica))
        if not any((one.device, one.replica) == own for one in here):
            return 0
        return min(one.n for one in here)

    def has_others(self) -> bool:
        """Whether another device that may write was heard in the last thirty days."""
        membership = self._member_log.membership()
        own = self._replica.keys.sign_public
        return membership is not None and any(
            one.device != own and membership.may_write(one.device)
            for one in self._live(self._replica.runtime.now_ms())
        )

    def _live(self, now_ms: int) -> list[KnownStatement]:
        return [one for one in self._replica.statements.all() if now_ms - one.heard_ms < _GONE_MS]

    def _keep(self, said: Statement) -> None:
        # By this computer's time: another one's clock must neither pin anything nor free it.
        self._replica.statements.write(
            KnownStatement(
                said.device,
                said.replica,
                said.epoch,
                said.n,
                said.said_ms,
                self._replica.runtime.now_ms(),
            )
        )


def _replica_name(replica: Replica) -> bytes:
    """16 bytes that name this replica among those of its device."""
    return replica.meta.replica_id[:16].ljust(16, b"\x00")

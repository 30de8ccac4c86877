"""Promises broken on purpose: each by one line of the engine, put otherwise while a run lasts.

What a simulation does not notice it does not check. ``test_mutations`` runs each until it is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from bifolio.crypto.envelope import Envelope
from bifolio.crypto.membership import Membership, Permission
from bifolio.crypto.membership.forks import MergedLogs
from bifolio.document import registers
from bifolio.ids import incarnation_client_id
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Incarnation, Replica
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.judging import Judge
from bifolio.sync.store import OutgoingEnvelope, ReceivedBatch
from bifolio.wire.changes import Body
from bifolio.wire.position import LogPosition


def acknowledge_before_commit() -> AbstractContextManager[Any]:
    """(I1) What is offered counts as stored before the relay has said so."""
    offered = ReplicaAdapter.next_outgoing

    def next_outgoing(
        self: ReplicaAdapter, *, after: int, bytes_max: int
    ) -> Sequence[OutgoingEnvelope]:
        found = offered(self, after=after, bytes_max=bytes_max)
        with self._replica.database.transaction():
            for one in found:
                self._replica.changes.set_position(one.hash, 1)
        return found

    return patch.object(ReplicaAdapter, "next_outgoing", next_outgoing)


def move_the_cursor_alone() -> AbstractContextManager[Any]:
    """(I1) Now and then the cursor moves, and what came up to it is not kept."""
    receive, calls = ReplicaAdapter.receive, count(1)

    def forgetful(
        self: ReplicaAdapter,
        after: int,
        envelopes: Sequence[bytes],
        cursor: LogPosition,
        passed: Sequence[tuple[int, bytes]],
    ) -> ReceivedBatch:
        kept = envelopes if next(calls) % 5 else ()
        return receive(self, after, kept, cursor, passed)

    return patch.object(ReplicaAdapter, "receive", forgetful)


def reuse_a_client_id() -> AbstractContextManager[Any]:
    """(I8) A device writes under one slot and one client id, whichever copy it writes in."""

    def take(self: Replica, offset: float) -> Incarnation:
        slot, nonce = f"{self.keys.tag}AAAA", bytes(8)
        client_id = incarnation_client_id(self.keys.sign_public, slot, nonce)
        if not self._incarnations.has(slot):
            self._incarnations.add(slot, client_id, nonce=nonce)
        return Incarnation(slot, nonce, client_id, offset)

    return patch.object(Replica, "_take_incarnation", take)


def skip_the_membership_check() -> AbstractContextManager[Any]:
    """(DESIGN §7) Whoever signs an envelope may write."""
    return patch("bifolio.crypto.membership.Membership.permits", lambda *_: Permission.PERMITTED)


@contextmanager
def drop_what_lost() -> Iterator[None]:
    """(DESIGN §11) Of two lists of members the one that lost is forgotten, whichever that is."""

    def follow_alone(
        _: LibraryMembership, ours: Membership, __: Membership, ___: MergedLogs
    ) -> Membership:
        return ours

    with (
        # Each where it is used: what a module imported by name is not changed in another one.
        patch("bifolio.crypto.membership.forks.lost_to", lambda *_: ()),
        patch("bifolio.replica.membership.lost_to", lambda *_: ()),
        patch.object(LibraryMembership, "_absorb", follow_alone),
    ):
        yield


def apply_before_the_frontier() -> AbstractContextManager[Any]:
    """(I4) What an envelope builds on need not be here."""

    def check_frontier(self: Judge, envelope: Envelope, _: Body) -> None:
        header = envelope.header
        self._places[envelope.hash] = (header.device, header.chain, header.seq)

    return patch.object(Judge, "check_frontier", check_frontier)


def forget_a_kept_value() -> AbstractContextManager[Any]:
    """(DESIGN §4) Of several values of a field one is shown, and the others are nowhere."""
    distinct = registers.distinct
    return patch.object(registers, "distinct", lambda lives: distinct(lives)[:1])


MUTATIONS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        acknowledge_before_commit,
        move_the_cursor_alone,
        reuse_a_client_id,
        skip_the_membership_check,
        drop_what_lost,
        apply_before_the_frontier,
        forget_a_kept_value,
    )
}
NAMES = tuple(MUTATIONS)


@contextmanager
def applied(name: str) -> Iterator[None]:
    """The mutation of this name; none for an empty one."""
    if not name:
        yield
        return
    with MUTATIONS[name]():
        yield

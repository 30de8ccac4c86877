"""What a sync session needs of a replica. ``replication.adapter`` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bifolio.sync.files import FilePort
from bifolio.wire.messages import Hello
from bifolio.wire.position import LogPosition


@dataclass(frozen=True, slots=True)
class Offer:
    """An envelope that the relay does not have: where it stands here, and what it carries."""

    number: int
    hash: bytes
    chain: bytes
    envelope: bytes
    changes: int


class Port(Protocol):
    """A replica as a session sees it. Every method is one transaction or reads one moment."""

    @property
    def files(self) -> FilePort:
        """The contents of its files."""

    def greeting(self, version: int, nonce: bytes) -> Hello:
        """HELLO, signed by this device, or by the ticket's key while it joins."""

    def members(self) -> Sequence[bytes]:
        """The membership log as known; empty before anything is."""

    def learn_members(self, records: Sequence[bytes]) -> None:
        """Follow the membership log; MembershipError where a record breaks the rules."""

    def is_member(self) -> bool:
        """Whether this device is a member by the membership log as known."""

    def join_record(self) -> bytes | None:
        """The record by which this device joins on top of the log; None if it need not."""

    def invite_record(self) -> bytes | None:
        """The record of an invite that waits to be appended; None if none does."""

    def cursor(self) -> LogPosition | None:
        """How far the log is merged; None before the first contact."""

    def expected(self) -> LogPosition | None:
        """Where the log stood when this replica's ticket was made; None without one."""

    def forget_log(self) -> None:
        """The relay's log is not the one we know: nothing counts as acknowledged any more."""

    def receive(self, after: int, envelopes: Sequence[bytes], cursor: LogPosition) -> int:
        """Merge log entries after a position and move the cursor; returns the new changes."""

    def acknowledge(self, receipts: Sequence[tuple[bytes, int]], cursor: LogPosition) -> None:
        """Note what the relay stored up to the cursor: (hash, position), and the cursor."""

    def settle_offers(self) -> None:
        """The whole log is merged: make changes of what a joining library brings."""

    def seal(self) -> None:
        """Seal what waits; NotAMemberError without the right to."""

    def offers(self, *, after: int, bytes_max: int) -> Sequence[Offer]:
        """Envelopes that the relay does not have, in causal order, after a number."""

    def restart_chain(self, chain: bytes) -> None:
        """The relay refused to continue a chain: put what it did not take into a new one."""

    def note(self, reason: str, next_step: str) -> None:
        """Keep a refusal for ``status``."""

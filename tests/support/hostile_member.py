"""A member that writes what no Bifolio writes: for tests of what other members believe.

It is a real member: it joined by a ticket, holds the library's key and signs with its own. What it
seals is up to the test: any body, any update, any value of a header, each in a chain of its own
unless the test says otherwise. It is pushed through a real relay, or handed to a replica.

    mallory = HostileMember.on(computer)              # after 'bifolio attach TICKET' there
    mallory.push(relay.url, mallory.says(mallory.change((record_id, b"\\xff" * 40))))
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.support.relay_client import RelayClient

from bifolio.clock import make_stamp
from bifolio.crypto.envelope import KIND_CHANGES, NO_PREVIOUS, Envelope, Header, seal
from bifolio.crypto.keys import DeviceKeys
from bifolio.document import editing
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.ids import NONCE_BYTES, RandomBytes, incarnation_client_id, random_slot
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import Values
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.wire.changes import Body, Change, Incarnation
from bifolio.wire.messages import Ack, Message, Nack, Pull, Push

if TYPE_CHECKING:
    from tests.support.computer import Computer

#: When its changes say that they were made, in milliseconds.
_NOW_MS = 1_700_000_010_000


@dataclass(slots=True)
class HostileMember:
    """One device with the right to write, and a chain that it writes as it likes."""

    library: bytes
    keys: DeviceKeys
    membership_head: bytes
    generation: int
    content_key: bytes
    seed: int = 1
    chain: bytes = field(init=False)
    #: Its incarnation, whose client id is its own.
    slot: str = field(init=False)
    nonce: bytes = field(init=False)
    seq: int = 0
    previous: bytes = NO_PREVIOUS
    _random: RandomBytes = field(init=False, repr=False)
    _ticks: Iterator[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.keys.name} {self.seed}").randbytes
        self.chain = self._random(16)
        self.slot = random_slot(self.keys.tag, self._random)
        self.nonce = self._random(NONCE_BYTES)
        self._ticks = itertools.count()

    # --- how it comes to be ------------------------------------------------------------------

    @classmethod
    def of(cls, replica: Replica, member_log: LibraryMembership, *, seed: int = 1) -> HostileMember:
        """The device of this replica, which is a member; its own chain is not touched."""
        membership = member_log.membership()
        assert membership is not None
        generation, key = member_log.newest_key()
        return cls(replica.library_id, replica.keys, membership.head, generation, key, seed)

    @classmethod
    def on(cls, computer: Computer, *, seed: int = 1) -> HostileMember:
        """The device of a computer on which 'bifolio attach TICKET' was run."""
        with computer.opened() as library:
            replica = library._replica
            return cls.of(replica, LibraryMembership(replica), seed=seed)

    # --- what it writes ----------------------------------------------------------------------

    @property
    def client_id(self) -> int:
        """Under which it may write."""
        return incarnation_client_id(self.keys.sign_public, self.slot, self.nonce)

    def document(self, state: bytes | None = None) -> RecordDocument:
        """A record in which it writes as itself."""
        return RecordDocument(state, client_id=self.client_id)

    def writes(self, document: RecordDocument, values: Values) -> bytes:
        """An update in which nothing is wrong: a new reference with these values, or its fields
        set."""
        plan = Plan(Writer(self.slot, self.stamp()))
        entries = document.entries()
        if entries.live("kind"):
            edits = [Edit(name, Act.SET, (str(value),)) for name, value in values.items()]
            editing.plan_edits(plan, entries, edits)
        else:
            editing.plan_creation(plan, entries, kind="reference", values=values)
        return document.write(plan)

    def stamp(self) -> str:
        """The next time of its clock."""
        return make_stamp(milliseconds=_NOW_MS + next(self._ticks), counter=0)

    def change(self, *records: tuple[str, bytes], stamp: str | None = None) -> Change:
        """A change of these records: ids and updates."""
        return Change(stamp or self.stamp(), records)

    def says(self, *changes: Change, frontier: Sequence[bytes] = (), **parts: Any) -> Envelope:
        """The next envelope of its chain, with these changes.

        Args:
            changes: what it carries.
            frontier: what it claims to build on.
            parts: other parts of the body, by the names that ``Body`` gives them; it declares its
                incarnation unless they say otherwise.
        """
        parts.setdefault("incarnations", (Incarnation(self.slot, self.nonce),))
        return self.seals(Body(tuple(frontier), changes, **parts).serialize())

    def seals(self, plaintext: bytes, *, moves: bool = True, **header: Any) -> Envelope:
        """The next envelope of its chain, with any plaintext.

        Args:
            plaintext: what members read.
            moves: whether the chain goes on behind it; otherwise a second one takes its place.
            header: values of the header that differ from what they should be.
        """
        written = replace(
            Header(
                library=self.library,
                generation=self.generation,
                device=self.keys.sign_public,
                chain=self.chain,
                seq=self.seq + 1,
                previous=self.previous,
                kind=KIND_CHANGES,
                membership_head=self.membership_head,
            ),
            **header,
        )
        envelope = seal(
            written,
            plaintext,
            content_key=self.content_key,
            keys=self.keys,
            random_bytes=self._random,
        )
        if moves:
            self.seq, self.previous = written.seq, envelope.hash
        return envelope

    def starts_incarnation(self) -> None:
        """What comes next is written under another client id of its own."""
        self.slot = random_slot(self.keys.tag, self._random)
        self.nonce = self._random(NONCE_BYTES)

    def starts_chain(self) -> None:
        """What comes next begins another chain."""
        self.chain, self.seq, self.previous = self._random(16), 0, NO_PREVIOUS

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What is written inside lies in a chain of its own, so that nothing waits for it."""
        before = (self.chain, self.seq, self.previous)
        self.starts_chain()
        try:
            yield
        finally:
            self.chain, self.seq, self.previous = before

    # --- the relay ---------------------------------------------------------------------------

    def push(self, url: str, *envelopes: Envelope) -> list[Message]:
        """Push through a real relay; what it answered, an Ack or a Nack for each message."""
        return asyncio.run(self._push(url, envelopes))

    async def _push(self, url: str, envelopes: Sequence[Envelope]) -> list[Message]:
        answers: list[Message] = []
        async with RelayClient(url, self.library, self.keys) as client:
            position = client.welcome.n
            while True:  # to the end of the log, from where one may push
                await client.send(Pull(position))
                part = await client.next()
                if position >= getattr(part, "n", 0):
                    break
                position += len(getattr(part, "envelopes", ()))
            for envelope in envelopes:
                await client.send(Push((envelope.raw,)))
                while not isinstance(answer := await client.next(), Ack | Nack):
                    pass
                answers.append(answer)
        return answers

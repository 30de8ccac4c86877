"""A small client of the relay, over a real socket, for tests and measurements.

Walks the real ``ClientConnection``; keeps no replica. ``Author`` makes envelopes of one chain.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection as Socket
from websockets.asyncio.client import connect

from bifolio import limits
from bifolio.crypto.envelope import (
    KIND_CHANGES,
    NO_PREVIOUS,
    Envelope,
    Header,
    author_chain,
    seal,
)
from bifolio.crypto.keys import DeviceKeys, KeyPair, new_device_keys
from bifolio.crypto.membership import (
    Membership,
    Role,
    invite_keys,
    make_genesis,
    make_invite,
    make_join,
)
from bifolio.replication.greeting import make_hello, relay_name
from bifolio.wire.connection import ClientConnection
from bifolio.wire.messages import (
    Ack,
    Append,
    AttestedPosition,
    Challenge,
    Create,
    Envelopes,
    Members,
    Message,
    Nack,
    Pull,
    Push,
    Welcome,
)

M = TypeVar("M", bound=Message)

CONTENT_KEY = bytes(range(32))


def seeded(seed: int) -> Callable[[int], bytes]:
    """Random bytes that are the same in every run."""
    return random.Random(seed).randbytes


class Author:
    """A device that seals envelopes of one chain after the other."""

    def __init__(self, membership: Membership, keys: DeviceKeys, *, seed: int = 1) -> None:
        self.membership = membership
        self.keys = keys
        self._random = seeded(seed)
        self.chain = self._random(16)
        self.seq = 0
        self.previous = NO_PREVIOUS

    @property
    def author_chain(self) -> bytes:
        """The chain as that of this device alone."""
        return author_chain(self.keys.sign_public, self.chain)

    def envelope(self, plaintext: bytes = b"a change", **changed: Any) -> Envelope:
        """The next envelope of the chain, with some values of its header as given."""
        self.seq += 1
        header = Header(
            library=self.membership.library_id,
            generation=0,
            device=self.keys.sign_public,
            chain=self.chain,
            seq=self.seq,
            previous=self.previous,
            kind=KIND_CHANGES,
            membership_head=self.membership.head,
        )
        envelope = seal(
            replace(header, **changed),
            plaintext,
            content_key=CONTENT_KEY,
            keys=self.keys,
            random_bytes=self._random,
        )
        self.previous = envelope.hash
        return envelope

    def envelopes(self, count: int, plaintext: bytes = b"a change") -> list[Envelope]:
        """The next envelopes of the chain."""
        return [self.envelope(plaintext) for _ in range(count)]


class SharedLibrary:
    """A library with an owner, and as many more devices as a test lets join."""

    def __init__(self, seed: int = 1) -> None:
        self.random = seeded(seed)
        self.owner = new_device_keys("owner", self.random)
        self.genesis = make_genesis(self.owner, self.random, content_key=CONTENT_KEY)
        self.membership = Membership.from_records([self.genesis])
        self.id = self.membership.library_id

    def invite(
        self, role: Role = Role.EDITOR, *, uses: int | None = None, expires_ms: int | None = None
    ) -> tuple[bytes, bytes]:
        """The secret of a new ticket, and its record, which the membership now has."""
        secret = self.random(32)
        record = make_invite(
            self.membership,
            self.owner,
            ticket_secret=secret,
            role=role,
            generation=0,
            content_key=CONTENT_KEY,
            uses=uses,
            expires_ms=expires_ms,
        )
        self.membership = self.membership.append(record)
        return secret, record

    def join(self, secret: bytes, name: str = "laptop") -> tuple[DeviceKeys, bytes]:
        """A new member's keys, and its join, which the membership now has."""
        keys = new_device_keys(name, self.random)
        record = make_join(self.membership, keys, ticket_secret=secret)
        self.membership = self.membership.append(record)
        return keys, record

    def with_member(self, role: Role = Role.EDITOR) -> DeviceKeys:
        """A new member's keys; the membership has its invite and join."""
        secret, _ = self.invite(role)
        return self.join(secret)[0]

    def author(self, keys: DeviceKeys | None = None, *, seed: int = 1) -> Author:
        """An author under the membership as it is now."""
        return Author(self.membership, keys or self.owner, seed=seed)


def ticket_keys(secret: bytes) -> KeyPair:
    """The keys that a ticket's holder greets with."""
    return invite_keys(secret)


class RelayClient:
    """One connection to a relay; a context manager that greets on entering."""

    def __init__(
        self,
        url: str,
        library: bytes,
        keys: KeyPair,
        *,
        join: bool = False,
        cursor: int = 0,
        attested: AttestedPosition | None = None,
    ) -> None:
        self._url = url
        self._library = library
        self._keys = keys
        self._join = join
        self._cursor = cursor
        self._attested = attested
        self.wire = ClientConnection()
        self.socket: Socket
        self.welcome: Welcome
        self.nonce = b""

    async def __aenter__(self) -> RelayClient:
        self.socket = await connect(
            self._url,
            compression=None,
            max_size=limits.MESSAGE_BYTES_MAX,
            max_queue=2,
            close_timeout=0.5,
        )
        challenge = await self.receive(Challenge)
        self.nonce = challenge.nonce
        await self.send(
            make_hello(
                self._keys,
                challenge,
                library=self._library,
                relay=relay_name(self._url),
                join=self._join,
                cursor=self._cursor,
                attested=self._attested,
            )
        )
        self.welcome = await self.receive(Welcome)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.socket.close()

    async def send(self, message: Message) -> None:
        """Send a message, if it is our turn."""
        await self.socket.send(self.wire.send(message))

    async def next(self, *, timeout_s: float = 10.0) -> Message:
        """The next message, whatever it is."""
        async with asyncio.timeout(timeout_s):
            raw = await self.socket.recv()
        assert isinstance(raw, bytes)
        return self.wire.receive(raw)

    async def receive(self, kind: type[M], *, timeout_s: float = 10.0) -> M:
        """The next message, which must be of this kind."""
        message = await self.next(timeout_s=timeout_s)
        assert isinstance(message, kind), message
        return message

    async def create(self, genesis: bytes) -> Welcome:
        """Create the library here."""
        await self.send(Create(genesis))
        self.welcome = await self.receive(Welcome)
        return self.welcome

    async def append(
        self, expected_head: bytes, record: bytes, *, fresh: bool = False
    ) -> Members | Nack:
        """Append a membership record."""
        await self.send(Append(expected_head, record, fresh))
        message = await self.next()
        assert isinstance(message, Members | Nack)
        return message

    async def push(self, *envelopes: Envelope) -> None:
        """Push envelopes; what becomes of them comes in its own time."""
        await self.send(Push(tuple(envelope.raw for envelope in envelopes)))

    async def pushed(self, *envelopes: Envelope) -> Ack:
        """Push envelopes and take their one acknowledgement."""
        await self.push(*envelopes)
        return await self.receive(Ack)

    async def pull_all(self, after: int = 0) -> list[bytes]:
        """Every entry after a position; the connection is live afterwards."""
        found: list[bytes] = []
        while True:
            await self.send(Pull(after + len(found)))
            part = await self.receive(Envelopes)
            assert part.after == after + len(found)
            found.extend(part.envelopes)
            if after + len(found) >= part.n:
                return found


async def created(url: str, library: SharedLibrary) -> None:
    """Create the library on the relay, with all its membership records."""
    async with RelayClient(url, library.id, library.owner) as client:
        await client.create(library.genesis)
        head = hashlib.blake2b(library.genesis, digest_size=32).digest()
        for record in library.membership.records[1:]:
            answer = await client.append(head, record)
            assert isinstance(answer, Members), answer
            head = answer.head

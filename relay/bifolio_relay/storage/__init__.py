"""What a store of logs must do, whatever it is made of, and the plain values it speaks in.

``tests/contract/test_log_storage.py`` holds for every store that claims to be one. A store checks
what depends on what it holds (a chain's order, room, the expected head); who wrote an envelope
and whether they might is the ``rules``' to check before. May not know of connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bifolio.crypto.envelope import Envelope
from bifolio.wire.messages import NO_HASH, BlobState, BlobTally, Code


@dataclass(frozen=True, slots=True)
class LibraryHead:
    """Where a library's logs end.

    ``size_bytes`` is that of all its envelopes; entries up to ``floor`` are gone.
    """

    epoch: bytes
    n: int
    chain_hash: bytes
    size_bytes: int
    floor: int
    members: int
    members_head: bytes


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last envelope of a chain, and the one device whose chain it is."""

    device: bytes
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """The envelope stands in the log at this position; ``fresh`` if it is new there."""

    hash: bytes
    position: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Something was not taken; ``subject`` is its hash, ``seq`` and ``head`` its chain's last."""

    code: Code
    subject: bytes
    detail: str
    seq: int = 0
    head: bytes = NO_HASH


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The store could not read or write this library now; another try may succeed."""

    subject: bytes
    reason: str


Outcome = Placed | Refused | Unavailable


class BlobStorage(Protocol):
    """A store of blobs, the sealed contents of files. Used by one thread at a time.

    Every method raises ``RelayStorageError`` when the store as a whole fails; then nothing of
    that call is kept. A blob's chunks are held from the first on, without a gap.
    """

    def states(self, library: bytes, blobs: Sequence[bytes]) -> tuple[BlobState, ...]:
        """How much of each is held, in the order given; nothing for a library that is not held."""
        ...

    def drops(self, library: bytes) -> int:
        """How often blobs of the library were dropped; never falls."""
        ...

    def tally(self, library: bytes) -> BlobTally | None:
        """How many times a blob was completed or dropped, with the chain's hash; None at first."""
        ...

    def tally_hash(self, library: bytes, n: int) -> bytes | None:
        """The chain's hash when a blob had been completed or dropped ``n`` times.

        None where that has not been so often, at 0, and for a library that is not held.
        """
        ...

    def size_bytes(self, library: bytes) -> int:
        """The sealed sizes of its blobs, those that are not whole counted in full."""
        ...

    def store_chunk(
        self,
        library: bytes,
        blob: bytes,
        *,
        size_bytes: int,
        number: int,
        sealed: bytes,
        library_bytes_max: int,
    ) -> BlobState | Refused:
        """Hold the next chunk of a blob; returns how much is held then.

        What is told to be whole is durable. Of an unfinished blob a store that was not closed may
        hold less than it told, but for the first chunk.

        A chunk that is held already, or that would leave a gap, changes nothing. A chunk of the
        wrong length, and another size than the blob is held with, is INVALID; a first chunk for
        whose blob there is no room is QUOTA; a library that is not held is UNKNOWN_LIBRARY.
        """
        ...

    def read_chunk(self, library: bytes, blob: bytes, number: int) -> bytes | None:
        """One sealed chunk; None if it is not held. A blob whose bytes are gone is dropped."""
        ...

    def drop(self, library: bytes, blobs: Sequence[bytes]) -> int:
        """Hold these no longer, durably; returns ``drops``, which counts if any was held."""
        ...


class LogStorage(Protocol):
    """A store of logs, and of blobs beside them. Used by one thread at a time.

    Every method raises ``RelayStorageError`` when the store as a whole fails; then nothing of
    that call is kept.
    """

    @property
    def blobs(self) -> BlobStorage:
        """The blobs of the same libraries."""
        ...

    def create_library(self, library: bytes, *, epoch: bytes, genesis: bytes, head: bytes) -> bool:
        """Hold a library durably, its membership log beginning with ``genesis``.

        False, and nothing changed, if it is held already.
        """
        ...

    def count_libraries(self) -> int:
        """How many libraries are held."""
        ...

    def library_head(self, library: bytes) -> LibraryHead | None:
        """Where its logs end; None for a library that is not held."""
        ...

    def chain_hash(self, library: bytes, n: int) -> bytes | None:
        """The log's chain hash after ``n`` entries, also below the floor.

        None beyond the end of the log and for a library that is not held.
        """
        ...

    def chain_head(self, library: bytes, chain: bytes) -> ChainHead | None:
        """The last envelope of a chain; None if there is no envelope of it."""
        ...

    def members(self, library: bytes, *, start: int, limit: int) -> tuple[bytes, ...]:
        """Up to ``limit`` membership records from number ``start``.

        Empty beyond the end and for a library that is not held.
        """
        ...

    def append_member(
        self, library: bytes, *, expected_head: bytes, record: bytes, head: bytes
    ) -> bool:
        """Append a membership record durably; ``head`` is the head with it.

        False, and nothing changed, if the head is not ``expected_head`` or the library not held.
        """
        ...

    def append(
        self, envelopes: Sequence[Envelope], *, library_bytes_max: int
    ) -> tuple[Outcome, ...]:
        """Append envelopes of any libraries in one durable commit; one outcome for each.

        In the order given, each on top of those before it. ``Placed`` is told only after the
        commit. The same envelope again is placed where it stands; another one at its place in
        its chain, or one that does not link, is FORK; one that leaves some out is GAP; one in
        another device's chain is FORBIDDEN; past ``library_bytes_max`` it is QUOTA; a library
        that is not held is UNKNOWN_LIBRARY. What fails for one library is ``Unavailable``, with
        none of its envelopes kept, and does not touch the others.
        """
        ...

    def read(
        self, library: bytes, *, after: int, bytes_max: int, count_max: int
    ) -> tuple[bytes, ...]:
        """The entries after+1, after+2, ..., without a gap, up to about ``bytes_max``.

        At least one if there is one; empty at or beyond the end, below the floor, and for a
        library that is not held.
        """
        ...

    def close(self) -> None:
        """Release the store; it is not used after."""
        ...

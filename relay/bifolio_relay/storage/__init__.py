"""What a store of the relay must do, whatever it is made of, and the plain values it speaks in.

==================== =================================================================
``sqlite``           the store for one machine: its event loop's side, and who watches
``sqlite_log``       the logs in SQLite: blocking, used by one thread
``sqlite_admin``     who came when and by which token, and what goes: blocking as well
``sqlite_snapshots`` statements and snapshots in SQLite: blocking as well
``sqlite_blobs``     the blobs in a folder, their facts in SQLite: blocking as well
``sqlite_file``      the file: whose it is, its tables, its lock, its transactions
``sqlite_checks``    whether what the file holds is what was written to it
``sqlite_mending``   mending it from what is whole, and what was damaged kept
``watchers``         who waits for which library's growth, inside one process
``deletions``        what a store promises of libraries that their owners deleted
==================== =================================================================

A store keeps what it is given and compares what it holds with what the caller expects; what may
enter is decided before, by ``rules`` and ``blob_rules``. **Several relay processes may use one
store at once**: so every write says what it was decided by, and one that finds the store elsewhere
changes nothing from there on. ``tests/contract`` holds for every store that claims to be one, with
two of them on the same data. May not know of connections.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from bifolio.crypto.envelope import Envelope
from bifolio.crypto.membership import ChainEnd
from bifolio.crypto.snapshot import CoveredChain
from bifolio.wire.messages import BlobState, BlobTally
from bifolio_relay.storage.deletions import Deletions


@dataclass(frozen=True, slots=True)
class LibraryHead:
    """Where a library's logs end: ``size_bytes`` is that of all its envelopes, ``members_bytes`` of
    its membership records; entries up to ``floor`` are gone."""

    epoch: bytes
    n: int
    chain_hash: bytes
    size_bytes: int
    floor: int
    members: int
    members_head: bytes
    members_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LibraryFacts:
    """What whoever runs the relay is told of a library; ``members`` is None where not counted yet.

    ``file_bytes`` is what its files cost, unfinished ones in full.
    """

    library: bytes
    created_ms: int
    used_ms: int
    members: int | None
    entries: int
    log_bytes: int
    files: int
    file_bytes: int
    token_label: str | None


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as the relay keeps it; ``uses`` and ``expires_ms`` are None where unlimited."""

    id: bytes
    public: bytes
    label: str
    uses: int | None
    used: int
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A device's role by the index of roles; ``is_known`` is false where there is no index."""

    is_known: bool
    role: str | None


#: Roles that devices have now, or have no more.
Roles = Mapping[bytes, str | None]


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last envelope of a chain, and the one device whose chain it is."""

    device: bytes
    seq: int
    hash: bytes


#: By device, and by its chains, where a record says that they end.
Cuts = Mapping[bytes, Mapping[bytes, ChainEnd]]

#: The last envelope of each of some chains; None for a chain without any.
ChainHeads = Mapping[bytes, ChainHead | None]


@dataclass(frozen=True, slots=True)
class Heads:
    """Where a library and some of its chains end, at one moment."""

    library: LibraryHead
    chains: ChainHeads


@dataclass(frozen=True, slots=True)
class Place:
    """What the log holds at a chain's seq: the envelope with this hash, at this position."""

    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Envelopes of one library in the order of their entries, and what they were decided by.

    ``chain_heads`` has each of their chains as it was before the first of them.
    """

    library: bytes
    members_head: bytes
    chain_heads: ChainHeads
    envelopes: tuple[Envelope, ...]


class Stop(Enum):
    """Why no more of it was kept."""

    MOVED = auto()  #: the store is not where the caller expected it: read it and decide again
    FULL = auto()  #: the disk has no room
    FAILED = auto()  #: this library can be neither read nor written now


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: the positions of those that were kept, from the first on.

    ``head`` is where the library ends now, None if it is not held. All were kept where ``stop`` is
    None; ``is_full`` tells that the disk had no room.
    """

    positions: tuple[int, ...]
    head: LibraryHead | None
    stop: Stop | None = None
    reason: str = ""
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class LogSlice:
    """Entries without a gap, and the log's length when they were read."""

    envelopes: tuple[bytes, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Growth:
    """How far a library has come: entries, membership records, and blobs completed or dropped."""

    n: int = 0
    members: int = 0
    blobs: int = 0


@dataclass(frozen=True, slots=True)
class UploadLease:
    """The right to send a blob: nobody but ``device`` stores chunks of it until it expires.

    ``until_ms`` is what storing a chunk moves the end to; ``now_ms`` is the caller's clock.
    """

    device: bytes
    now_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class BlobView:
    """How much of some blobs is held, at one moment.

    Arguments:
        states: of each of them, in the order asked.
        senders: the device with an upload lease that has not expired, of each.
        cost_bytes: what all the library's blobs cost (``quotas.blob_cost``), unfinished ones in
            full, with what was noted of those that came and went.
        drops: how often blobs of the library were dropped; never falls.
        tally: how many times one was completed or dropped, with the chain's hash; None at first.
    """

    states: tuple[BlobState, ...]
    senders: tuple[bytes | None, ...]
    cost_bytes: int
    drops: int
    tally: BlobTally | None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """One sealed chunk and the sealed size of its blob."""

    size_bytes: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class HeldStatement:
    """The newest statement of a replica: how far it is, and when that was heard."""

    device: bytes
    replica: bytes
    n: int
    heard_ms: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class HeldVerdict:
    """What a device found of a snapshot."""

    device: bytes
    is_right: bool
    raw: bytes


@dataclass(frozen=True, slots=True)
class HeldSnapshot:
    """A snapshot, whole or in part.

    ``device`` made it, ``carrier`` sends it; ``n`` is its position in this log. ``held`` chunks of
    ``chunks`` are there, from the first on, ``stored_bytes`` of ``size_bytes``.
    """

    id: bytes
    header: bytes
    device: bytes
    carrier: bytes
    n: int
    chunks: int
    size_bytes: int
    begun_ms: int
    touched_ms: int
    held: int = 0
    stored_bytes: int = 0
    is_whole: bool = False
    is_attested: bool = False
    verdicts: tuple[HeldVerdict, ...] = ()


class SnapshotStorage(Protocol):
    """A store of statements and snapshots.

    Every method raises ``RelayStorageError`` when the store as a whole fails; then nothing of
    that call is kept. What a method has returned of a write survives power loss. For a library
    that is not held all is empty, and nothing is kept.
    """

    async def read_statements(self, library: bytes) -> tuple[HeldStatement, ...]:
        """The statement of each replica."""
        ...

    async def write_statement(
        self, library: bytes, statement: HeldStatement, *, dropped: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Keep a replica's statement in the place of its earlier one, and no more those of
        ``dropped`` (device, replica)."""
        ...

    async def read_snapshots(self, library: bytes) -> tuple[HeldSnapshot, ...]:
        """All snapshots, whole or in part."""
        ...

    async def add_snapshot(self, library: bytes, snapshot: HeldSnapshot) -> None:
        """Begin a snapshot; one that is there already stays as it is."""
        ...

    async def store_chunk(
        self, library: bytes, snapshot: bytes, number: int, sealed: bytes, *, now_ms: int
    ) -> int | Stop:
        """Hold the next chunk; how many are held then. One that is held already changes nothing.

        ``Stop.MOVED`` if it is not the next one, or the snapshot is not there; ``Stop.FULL`` if the
        disk has no room.
        """
        ...

    async def finish_snapshot(
        self, library: bytes, snapshot: bytes, *, root: bytes, chains: Sequence[CoveredChain]
    ) -> bool:
        """All chunks are there: it is whole, if ``root`` is the hash over theirs.

        Each of ``chains`` that does not reach so far in the log ends there from now on.
        """
        ...

    async def read_chunk(self, library: bytes, snapshot: bytes, number: int) -> bytes | None:
        """One chunk; None if it is not held."""
        ...

    async def remove_snapshots(self, library: bytes, snapshots: Sequence[bytes]) -> None:
        """Hold these no longer."""
        ...

    async def write_verdict(self, library: bytes, snapshot: bytes, verdict: HeldVerdict) -> None:
        """Keep what a device found, in the place of what it found before."""
        ...

    async def mark_attested(self, library: bytes, snapshot: bytes, attested: bool) -> None:
        """Note whether a snapshot counts for something."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """The bytes that the disk has free, and how many of them no file takes."""

    free_bytes: int
    reserve_bytes: int

    @property
    def has_for_files(self) -> bool:
        """Whether there is room for files."""
        return self.free_bytes > self.reserve_bytes

    @property
    def has_for_logs(self) -> bool:
        """Whether there is room for the logs to go on."""
        return self.free_bytes > 1 << 20


class BlobStorage(Protocol):
    """A store of blobs, the sealed contents of files.

    Every method raises ``RelayStorageError`` when the store as a whole fails; then nothing of
    that call is kept. A blob's chunks are held from the first on, without a gap.
    """

    async def look(self, library: bytes, blobs: Sequence[bytes], *, now_ms: int) -> BlobView:
        """How much of each is held; nothing for a library that is not held."""
        ...

    async def read_tally_hash(self, library: bytes, n: int) -> bytes | None:
        """The chain's hash when a blob had been completed or dropped ``n`` times.

        None where that has not been so often, at 0, and for a library that is not held.
        """
        ...

    async def store_chunk(
        self,
        library: bytes,
        blob: bytes,
        *,
        size_bytes: int,
        number: int,
        sealed: bytes,
        lease: UploadLease,
    ) -> BlobView | Stop:
        """Hold the next chunk of a blob, and give the device the lease until the blob is whole.

        What is told to be whole is durable. Of an unfinished blob a store that was not closed may
        hold less than it told, except for the first chunk. The lease is in the store; it is renewed
        in steps.

        ``Stop.MOVED``, and nothing changed, if it is not the next chunk, the blob is held with
        another size, another device has the lease, or the library is not held; ``Stop.FULL`` if the
        disk has no room. That number and length fit the size is the caller's to check.
        """
        ...

    async def release_uploads(self, library: bytes, device: bytes) -> None:
        """The device sends no more for now: others may go on where it stopped."""
        ...

    async def read_chunk(self, library: bytes, blob: bytes, number: int) -> StoredChunk | None:
        """One chunk; None if it is not held. A blob whose bytes are gone is dropped."""
        ...

    async def drop(self, library: bytes, blobs: Sequence[bytes], *, now_ms: int) -> BlobView:
        """Hold these no longer, durably; ``drops`` counts once if any was held."""
        ...


class LogStorage(Deletions, Protocol):
    """A store of logs, and of blobs next to them.

    Every method raises ``RelayStorageError`` when the store as a whole fails; then nothing of
    that call is kept. What a method has returned of a write survives power loss.
    """

    @property
    def blobs(self) -> BlobStorage:
        """The blobs of the same libraries."""
        ...

    @property
    def snapshots(self) -> SnapshotStorage:
        """The statements and snapshots of the same libraries."""
        ...

    async def create_library(
        self,
        library: bytes,
        *,
        epoch: bytes,
        genesis: bytes,
        head: bytes,
        roles: Roles | None = None,
        token: bytes | None = None,
        now_ms: int = 0,
    ) -> bool:
        """Hold a library durably, its membership log beginning with ``genesis``.

        ``roles`` is what the genesis makes of its devices, for the index; without them there is
        none until ``write_roles``. ``token`` is the id of the token that allowed it.
        False, and nothing changed, if it is held already.
        """
        ...

    async def read_standing(self, library: bytes, device: bytes) -> Standing:
        """A device's role, by an index: what it costs does not depend on the library's size.

        For a library that is not held: known, and none.
        """
        ...

    async def write_roles(self, library: bytes, *, head: bytes, roles: Roles) -> bool:
        """Make the index of all roles at this head; False if the head is another one now."""
        ...

    async def note_use(self, library: bytes, *, now_ms: int) -> None:
        """A member used the library."""
        ...

    async def remove_unused(self, *, before_ms: int, count_max: int) -> tuple[bytes, ...]:
        """Remove libraries that no token allowed, with nothing beyond their genesis and last used
        before this time, those first that were not used longest; which they were."""
        ...

    async def read_token(self, token: bytes) -> TokenFacts | None:
        """The token with this id; None if there is none."""
        ...

    async def use_token(self, token: bytes, library: bytes, *, now_ms: int) -> bool:
        """Count a use of a token, durably; for a library that it was used for before it counts
        none. False, and nothing changed, if it is used up, revoked, or not there."""
        ...

    async def count_libraries(self) -> int:
        """How many libraries are held."""
        ...

    async def read_head(self, library: bytes) -> LibraryHead | None:
        """Where its logs end; None for a library that is not held."""
        ...

    async def read_heads(self, library: bytes, chains: Sequence[bytes]) -> Heads | None:
        """Where it and these of its chains end; None for a library that is not held."""
        ...

    async def read_chain_hashes(
        self, library: bytes, positions: Sequence[int]
    ) -> tuple[bytes | None, ...]:
        """The log's chain hash after each of so many entries, also below the floor.

        None beyond the end of the log and for a library that is not held.
        """
        ...

    async def find_places(
        self, library: bytes, links: Sequence[tuple[bytes, int]]
    ) -> tuple[Place | None, ...]:
        """What the log holds at each of these (chain, seq), also below the floor."""
        ...

    async def read_members(self, library: bytes, *, start: int, limit: int) -> tuple[bytes, ...]:
        """Up to ``limit`` membership records from number ``start``.

        Empty beyond the end and for a library that is not held.
        """
        ...

    async def append_member(
        self,
        library: bytes,
        *,
        expected_head: bytes,
        expected_chain_heads: ChainHeads,
        record: bytes,
        head: bytes,
        cuts: Cuts | None = None,
        roles: Roles | None = None,
    ) -> bool:
        """Append a membership record durably; ``head`` is the head with it.

        ``roles`` is what it changes of them, for the index; without them the index is gone.

        False, and nothing changed, if the head is not ``expected_head``, one of the chains does
        not end where it is expected, the log has more of a device in ``cuts`` than they leave it,
        or the library is not held. So a record that says where the
        chains of a device end is true of the log at its own moment; and ``append`` takes nothing
        that was decided by an earlier head.
        """
        ...

    async def replace_members(
        self,
        library: bytes,
        *,
        expected_head: bytes,
        kept: int,
        records: Sequence[bytes],
        head: bytes,
        roles: Roles | None = None,
    ) -> bool:
        """Put these records in the place of all but the first ``kept``, durably and at once.

        ``head`` is the head with them, and they are not fewer than those that go: a log that
        others watch does not shrink. ``roles`` is as for ``append_member``.

        False, and nothing changed, if the head is not ``expected_head``, the log would be
        shorter, or the library is not held.
        """
        ...

    async def append(self, batches: Sequence[Batch]) -> tuple[BatchResult, ...]:
        """Append batches of different libraries, together and durably; one result for each.

        Positions are told only when they are durable. **Of each batch a prefix is kept**: up to
        the first envelope whose chain does not end where the batch expected it, nothing at all
        if the membership's head is not the expected one or the library is not held
        (``Stop.MOVED``). What fails for one library is ``Stop.FAILED`` and does not touch the
        others. That each envelope follows the one before it in its chain is the caller's to check.
        """
        ...

    async def read(self, library: bytes, *, after: int, bytes_max: int, count_max: int) -> LogSlice:
        """The entries after+1, after+2, ..., up to about ``bytes_max``, and the log's length.

        At least one entry if there is one; none at or beyond the end, below the floor, and for a
        library that is not held, whose length is 0.
        """
        ...

    async def room(self) -> Room:
        """How much room there is for logs, and for files."""
        ...

    async def find_damaged(self) -> Sequence[tuple[bytes | None, str]]:
        """Check one more library, and what is of the store itself, beside all other work; what is
        damaged of it: its id, None of the store itself, and what, in words.

        Called again and again it comes round to all of them.
        """
        ...

    async def mend(self, library: bytes | None) -> None:
        """Put a library, or the store itself, right from what is whole. What is lost leaves the
        log, which has a new epoch then, so that members offer it again; all of it is kept apart.

        Raises:
            RelayStorageError: there is no room.
        """
        ...

    async def prune(self, library: bytes, *, floor: int) -> None:
        """Let the entries up to ``floor`` go, or up to the end; the floor never falls.

        Membership, chain hashes and the places of envelopes stay whole: one that is offered again
        is known. May take several steps, each durable.
        """
        ...

    def watch(self, library: bytes) -> AsyncGenerator[Growth, None]:
        """How far the library has come: at once, and again whenever it has grown.

        Written through this store, or through another one on the same data. Several growths may
        come as one. Also for a library that is not held yet. Raises ``RelayStorageError``.
        """
        ...

    async def close(self) -> None:
        """Release the store; it is not used after."""
        ...

"""Who may do what with a library's blobs: the relay's rules over the store of blobs.

Every member may ask and read; who may write may store and drop. What a blob holds, and what it is
called, the relay cannot know. Knows nothing of connections.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.membership import Membership
from bifolio.wire.messages import BlobState, BlobTally, Code, nothing_of
from bifolio_relay.storage import BlobStorage, Refused


@dataclass(frozen=True, slots=True)
class LookForBlobs:
    """How much of each of these is held? Answered by ``BlobStates`` or ``Refused``."""

    library: bytes
    device: bytes
    blobs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StoreChunk:
    """Hold one more chunk of a blob; answered by ``BlobStates`` or ``Refused``.

    ``carrier`` names the connection that brings it.
    """

    library: bytes
    device: bytes
    blob: bytes
    size_bytes: int
    number: int
    sealed: bytes
    carrier: bytes


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """One chunk of a blob; answered by ``ChunkPart``, ``BlobStates`` or ``Refused``."""

    library: bytes
    device: bytes
    blob: bytes
    number: int


@dataclass(frozen=True, slots=True)
class DropBlobs:
    """Hold these no longer; answered by ``BlobStates`` or ``Refused``."""

    library: bytes
    device: bytes
    blobs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BlobStates:
    """How much of some blobs is held; ``news`` if the library's other connections want to know.

    ``drops`` counts how often blobs of this library were dropped: who finds another count than
    before asks again for all that it believed to be here. ``tally`` is how often blobs of it were
    completed or dropped, by which a client knows a relay that has forgotten some.
    """

    states: tuple[BlobState, ...]
    drops: int
    tally: BlobTally | None
    news: bool = False


@dataclass(frozen=True, slots=True)
class ChunkPart:
    """One chunk, as it was stored."""

    blob: bytes
    size_bytes: int
    number: int
    sealed: bytes


BlobQuestion = LookForBlobs | StoreChunk | ReadChunk | DropBlobs
BlobAnswer = BlobStates | ChunkPart | Refused


class BlobLedger:
    """The blobs of all libraries of one relay."""

    def __init__(self, storage: BlobStorage, *, library_bytes_max: int) -> None:
        self._storage = storage
        self._library_bytes_max = library_bytes_max
        #: Which connection is sending each unfinished blob: one content comes from one computer.
        self._carriers: dict[tuple[bytes, bytes], bytes] = {}

    def gone(self, carrier: bytes) -> None:
        """A connection ended: others may go on with what it was sending."""
        self._carriers = {
            place: other for place, other in self._carriers.items() if other != carrier
        }

    def answer(self, question: BlobQuestion, membership: Membership) -> BlobAnswer:
        """The answer to one question of a device, by the library's membership.

        Raises:
            RelayStorageError: the store failed.
        """
        if isinstance(question, StoreChunk | ReadChunk):
            subject = question.blob
        else:
            subject = b"".join(question.blobs[:1])
        if membership.role_of(question.device) is None:
            return Refused(Code.FORBIDDEN, subject, "only members have to do with its files")
        writes = isinstance(question, StoreChunk | DropBlobs)
        if writes and not membership.may_write(question.device, head=membership.head):
            return Refused(Code.FORBIDDEN, subject, "a reader stores and drops no files")
        match question:
            case LookForBlobs():
                states = self._storage.states(question.library, question.blobs)
                return self._states(question.library, states)
            case StoreChunk():
                return self._store(question)
            case ReadChunk():
                return self._read(question)
            case DropBlobs():
                self._storage.drop(question.library, question.blobs)
                gone = tuple(map(nothing_of, question.blobs))
                return self._states(question.library, gone, news=True)

    def _store(self, question: StoreChunk) -> BlobStates | Refused:
        if question.size_bytes > limits.BLOB_BYTES_MAX:
            return Refused(Code.TOO_BIG, question.blob, f"at most {limits.BLOB_BYTES_MAX} bytes")
        place = (question.library, question.blob)
        if self._carriers.get(place, question.carrier) != question.carrier:
            return Refused(Code.TAKEN, question.blob, "another computer is sending it")
        stored = self._storage.store_chunk(
            question.library,
            question.blob,
            size_bytes=question.size_bytes,
            number=question.number,
            sealed=question.sealed,
            library_bytes_max=self._library_bytes_max,
        )
        if isinstance(stored, Refused):
            self._carriers.pop(place, None)
            return stored
        held_now = stored.held == question.number + 1
        if stored.whole:
            self._carriers.pop(place, None)
        elif held_now:  # a connection is remembered for what it brings, not for what it names
            self._carriers[place] = question.carrier
        return self._states(question.library, (stored,), news=stored.whole and held_now)

    def _read(self, question: ReadChunk) -> ChunkPart | BlobStates:
        sealed = self._storage.read_chunk(question.library, question.blob, question.number)
        states = self._storage.states(question.library, [question.blob])
        if sealed is None:
            return self._states(question.library, states)
        return ChunkPart(question.blob, states[0].size_bytes, question.number, sealed)

    def _states(
        self, library: bytes, states: tuple[BlobState, ...], *, news: bool = False
    ) -> BlobStates:
        return BlobStates(states, self._storage.drops(library), self._storage.tally(library), news)

"""The blobs of all libraries of one relay: the rules about them applied to the store of blobs.

``blob_rules`` decides; this carries out. Where the store has moved between a look and a write, it
looks and decides again. Knows nothing of connections.
"""

from __future__ import annotations

from collections.abc import Callable

from bifolio import limits
from bifolio.wire.messages import nothing_of
from bifolio_relay import blob_rules
from bifolio_relay.requests import (
    BlobAnswer,
    BlobQuestion,
    BlobStates,
    ChunkPart,
    DropBlobs,
    LookForBlobs,
    ReadChunk,
    Rejected,
    StoreChunk,
)
from bifolio_relay.storage import BlobStorage, BlobView, Stop, UploadLease


class BlobService:
    """Answers questions about blobs."""

    def __init__(
        self, storage: BlobStorage, now_ms: Callable[[], int], *, library_bytes_max: int
    ) -> None:
        self._storage = storage
        self._now_ms = now_ms
        self._library_bytes_max = library_bytes_max

    async def answer(self, question: BlobQuestion, role: str | None) -> BlobAnswer:
        """The answer to one question of a device, by its role in the library.

        Raises:
            RelayStorageError: the store failed.
        """
        rejected = blob_rules.judge_device(question, role)
        if rejected is not None:
            return rejected
        match question:
            case LookForBlobs():
                return blob_rules.states_of(await self._look(question.library, question.blobs))
            case StoreChunk():
                return await self._store(question)
            case ReadChunk():
                return await self._read(question)
            case DropBlobs():
                return await self._drop(question)

    async def count_drops(self, library: bytes) -> int:
        """How often blobs of a library were dropped."""
        return (await self._look(library, ())).drops

    async def release(self, library: bytes, device: bytes) -> None:
        """Others may send what the device was sending.

        Raises:
            RelayStorageError: the store failed.
        """
        await self._storage.release_uploads(library, device)

    async def _store(self, question: StoreChunk) -> BlobStates | Rejected:
        wrong = blob_rules.check_chunk(question)
        if wrong is not None:
            return wrong
        for _ in range(limits.RELAY_DECIDED_AGAIN_MAX):
            view = await self._look(question.library, (question.blob,))
            answer = blob_rules.judge_chunk(
                question, view, library_bytes_max=self._library_bytes_max
            )
            if answer is not None:
                return answer
            now_ms = self._now_ms()
            lease_ms = int(limits.RELAY_UPLOAD_LEASE_S * 1000)
            stored = await self._storage.store_chunk(
                question.library,
                question.blob,
                size_bytes=question.size_bytes,
                number=question.number,
                sealed=question.sealed,
                lease=UploadLease(question.device, now_ms, now_ms + lease_ms),
            )
            if isinstance(stored, BlobView):
                return blob_rules.states_of(stored, news=stored.states[0].whole)
            if stored is Stop.FULL:
                return blob_rules.reject_full(question)
        return blob_rules.reject_taken(question)

    async def _read(self, question: ReadChunk) -> ChunkPart | BlobStates:
        blob = question.blob
        chunk = await self._storage.read_chunk(question.library, blob, question.number)
        if chunk is None:
            return blob_rules.states_of(await self._look(question.library, (blob,)))
        return ChunkPart(blob, chunk.size_bytes, question.number, chunk.sealed)

    async def _drop(self, question: DropBlobs) -> BlobStates:
        view = await self._storage.drop(question.library, question.blobs, now_ms=self._now_ms())
        gone = tuple(map(nothing_of, question.blobs))
        return BlobStates(gone, view.drops, view.tally, news=True)

    async def _look(self, library: bytes, blobs: tuple[bytes, ...]) -> BlobView:
        return await self._storage.look(library, blobs, now_ms=self._now_ms())

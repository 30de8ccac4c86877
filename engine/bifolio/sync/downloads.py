"""Contents on their way here from the relay, a few chunks at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bifolio.sync.counts import ByteProgress, Counts
from bifolio.sync.line import Line
from bifolio.sync.relay_blobs import RelayBlobs
from bifolio.sync.store import ChunkOutcome, FileStore, TransferItem
from bifolio.wire.messages import Chunk, Message, PullChunk


@dataclass(slots=True)
class _Download:
    item: TransferItem
    next_to_ask: int
    next_to_come: int


class Downloads:
    """What is to be fetched, and what is being fetched.

    ``left_out`` holds the blobs that this connection leaves alone for now; it is shared with
    the other parts that carry files on it.
    """

    def __init__(
        self,
        store: FileStore,
        blobs: RelayBlobs,
        left_out: set[bytes],
        counts: Counts,
        line: Line,
    ) -> None:
        self._store = store
        self._line = line
        self._blobs = blobs
        self._left_out = left_out
        self._counts = counts
        self._queue: dict[bytes, TransferItem] = {}
        self._under_way: dict[bytes, _Download] = {}
        #: What is to be fetched as soon as the relay has it.
        self._wanted: set[bytes] = set()
        self.progress = ByteProgress()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be fetched that the relay may have."""
        return not self._queue and not self._under_way

    @property
    def is_under_way(self) -> bool:
        """Whether something is being fetched."""
        return bool(self._under_way)

    def plan(self, items: Iterable[TransferItem]) -> None:
        """These are to be fetched; what is under way goes on."""
        self._queue = {one.blob: one for one in items if one.blob not in self._under_way}
        self._wanted = set(self._queue)
        self.progress.left = sum(one.size_bytes for one in self._queue.values()) + sum(
            one.item.bytes_from(one.next_to_come) for one in self._under_way.values()
        )

    def offer(self, items: Iterable[TransferItem]) -> None:
        """The relay has these whole now; what had to wait for another computer is fetched."""
        for item in items:
            blob = item.blob
            is_waited_for = blob not in self._queue and blob not in self._under_way
            if blob in self._wanted and is_waited_for and blob not in self._left_out:
                self._queue[blob] = item
                self.progress.left += item.size_bytes

    def receive(self, message: Chunk) -> ChunkOutcome | None:
        """A chunk came; what became of it, None if it was not waited for."""
        download = self._under_way.get(message.blob)
        if download is None:
            return None  # given up in the meantime
        if message.number != download.next_to_come:
            return None  # asked for twice, because all was asked for again
        download.next_to_come += 1
        self._line.note_news(message.blob + message.number.to_bytes(8), len(message.sealed))
        self.progress.move(len(message.sealed))
        outcome = self._store.write_chunk(download.item, message.number, message.sealed)
        if outcome is ChunkOutcome.MORE:
            return outcome
        del self._under_way[message.blob]
        self._wanted.discard(message.blob)
        if outcome is ChunkOutcome.WHOLE:
            self._counts.files_received += 1
        else:
            self._left_out.add(message.blob)
        if outcome is ChunkOutcome.USELESS:
            self._blobs.drop(message.blob)
        return outcome

    def stop(self, blob: bytes) -> TransferItem | None:
        """Give up what is being fetched of a blob; the content, if anything was."""
        download = self._under_way.pop(blob, None)
        if download is None:
            return None
        self._store.give_up(download.item)
        return download.item

    def stop_all(self) -> None:
        """Give up whatever is being fetched; the chunks that are here stay."""
        for blob in tuple(self._under_way):
            self.stop(blob)

    def decide(self) -> list[Message]:
        """Ask for as many chunks as may be under way at once."""
        messages: list[Message] = []
        while self._chunks_asked() < self._line.chunks_in_flight:
            download = next(
                (one for one in self._under_way.values() if one.next_to_ask < one.item.chunks),
                None,
            )
            if download is None:
                if not self._begin_next():
                    break
                continue
            messages.append(PullChunk(download.item.blob, download.next_to_ask))
            download.next_to_ask += 1
        return messages

    def _begin_next(self) -> bool:
        """Take up the next content to be fetched; False if there is none."""
        while self._queue:
            item = self._queue.pop(next(iter(self._queue)))
            if not self._blobs.state(item.blob).whole or item.blob in self._left_out:
                self.progress.left -= item.size_bytes
                continue
            # The last chunk is always asked for: with it the content is checked.
            start = min(self._store.count_received(item), item.chunks - 1)
            self._under_way[item.blob] = _Download(item, start, start)
            self.progress.left -= item.size_bytes - item.bytes_from(start)
            return True
        return False

    def _chunks_asked(self) -> int:
        return sum(one.next_to_ask - one.next_to_come for one in self._under_way.values())

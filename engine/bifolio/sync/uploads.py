"""Contents on their way to the relay, a few chunks at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bifolio import limits
from bifolio.sync.counts import ByteProgress, Counts
from bifolio.sync.line import Line
from bifolio.sync.relay_blobs import RelayBlobs
from bifolio.sync.store import FileStore, TransferItem
from bifolio.wire.messages import BlobState, Chunk, Code, Message


@dataclass(slots=True)
class _Upload:
    item: TransferItem
    next: int
    in_flight: int = 0
    acknowledged: bool = False  # until then one chunk is under way: another may be sending it
    setbacks: int = 0

    @property
    def may_go_on(self) -> bool:
        if self.next >= self.item.chunks:
            return False
        return self.acknowledged or not self.in_flight


class Uploads:
    """What is to be sent, and what is being sent.

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
        self._under_way: dict[bytes, _Upload] = {}
        #: The size of the smallest content for which there was no room.
        self._quota_bytes: int | None = None
        self.progress = ByteProgress()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be sent."""
        return not self._queue and not self._under_way

    @property
    def is_under_way(self) -> bool:
        """Whether something is being sent."""
        return bool(self._under_way)

    def plan(self, items: Iterable[TransferItem]) -> None:
        """These are to be sent; what is under way goes on."""
        self._queue = {one.blob: one for one in items if one.blob not in self._under_way}
        self.progress.left = sum(one.size_bytes for one in self._queue.values()) + sum(
            one.item.bytes_from(one.next) for one in self._under_way.values()
        )

    def acknowledge(self, state: BlobState) -> None:
        """The relay said how much it holds, of what is being sent perhaps."""
        upload = self._under_way.get(state.blob)
        if upload is None:
            return
        item = upload.item
        upload.in_flight = max(0, upload.in_flight - 1)
        upload.acknowledged = True
        self._line.note_moved(item.size_bytes // item.chunks)
        self._line.note_news(item.blob + state.held.to_bytes(8), item.size_bytes // item.chunks)
        self.progress.move(item.size_bytes // item.chunks)
        if state.whole:
            del self._under_way[item.blob]
            self._counts.files_sent += 1
        elif not upload.in_flight and upload.next != state.held:
            # Where the relay has more or less than we thought, it is right, but not for ever.
            upload.next = state.held
            upload.setbacks += 1
            if upload.setbacks > limits.SETBACKS_MAX:
                self.stop(item.blob)
                self._left_out.add(item.blob)

    def stop(self, blob: bytes) -> TransferItem | None:
        """Give up what is being sent of a blob; the content, if anything was."""
        upload = self._under_way.pop(blob, None)
        if upload is None:
            return None
        self._store.give_up(upload.item)
        return upload.item

    def stop_all(self) -> None:
        """Give up whatever is being sent."""
        for blob in tuple(self._under_way):
            self.stop(blob)

    def refuse(self, item: TransferItem, code: Code, detail: str) -> None:
        """The relay does not take a content; for want of room no larger one either."""
        self._store.note_refusal(item, code, detail)
        if code is Code.QUOTA:
            smallest = self._quota_bytes
            self._quota_bytes = min(item.size_bytes, smallest or item.size_bytes)

    def decide(self) -> list[Message]:
        """As many chunks as may be under way at once."""
        messages: list[Message] = []
        while self._chunks_in_flight() < self._line.chunks_in_flight:
            upload = next((one for one in self._under_way.values() if one.may_go_on), None)
            if upload is None and not self._begin_next():
                break
            if upload is None:
                continue
            item = upload.item
            sealed = self._store.read_chunk(item, upload.next)
            if sealed is None:
                # Gone, or damaged here: what the relay has of it came from the same file.
                del self._under_way[item.blob]
                self._left_out.add(item.blob)
                if upload.next:
                    self._blobs.drop(item.blob)
                continue
            messages.append(Chunk(item.blob, item.size_bytes, upload.next, sealed))
            upload.next += 1
            upload.in_flight += 1
        return messages

    def _begin_next(self) -> bool:
        """Take up the next content to be sent; False if there is none."""
        while self._queue:
            item = self._queue.pop(next(iter(self._queue)))
            state = self._blobs.state(item.blob)
            is_too_big = self._quota_bytes is not None and item.size_bytes >= self._quota_bytes
            if state.whole or item.blob in self._left_out:
                self.progress.left -= item.size_bytes
            elif is_too_big:
                self.progress.left -= item.size_bytes
                self._store.note_refusal(item, Code.QUOTA, "no room for a smaller one either")
            else:
                self._under_way[item.blob] = _Upload(item, state.held)
                self.progress.left -= item.size_bytes - item.bytes_from(state.held)
                return True
        return False

    def _chunks_in_flight(self) -> int:
        return sum(one.in_flight for one in self._under_way.values())

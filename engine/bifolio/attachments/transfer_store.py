"""A replica's files as a sync session sees them: implements ``sync.store.FileStore``.

What is received is kept in ``files/incoming`` under the content's hash, chunk after chunk, until it
is whole and has that hash; so an interrupted transfer goes on where it stopped. Two processes may
receive one content at the same time: both write the same bytes in the same places. What is sent is
hashed on the way: the last chunk of a content that was damaged here is never sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bifolio import limits
from bifolio.attachments import garbage_collection
from bifolio.attachments.attachments import NO_ROOM
from bifolio.crypto.blob import (
    BlobKey,
    chunk_count,
    generation_of,
    sealed_size,
)
from bifolio.disk import make_private_folder, touch_private
from bifolio.errors import EnvelopeError, NotAMemberError
from bifolio.ids import content_hasher
from bifolio.replica.blob_keys import BlobKeys
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.sync.backoff import DAMAGED_FILE
from bifolio.sync.store import ChunkOutcome, TransferItem
from bifolio.wire.messages import BlobTally, Code

#: Whose contents a replica fetches by itself.
FETCH_ALL = "all"


@dataclass(slots=True)
class _Open:
    """A content that is being read or written: its file, what is hashed, and the next chunk."""

    file: BinaryIO
    hashed: hashlib.blake2b
    next: int
    key: BlobKey
    unsynced_bytes: int = 0


class TransferStore:
    """The files of one replica, for one or more connections.

    ``only`` is the hash of the one content that is to be carried, where a user wants just that.
    """

    def __init__(
        self, replica: Replica, member_log: LibraryMembership, *, only: str | None = None
    ) -> None:
        self._replica = replica
        self._keys = BlobKeys(replica, member_log)
        self._only = only
        self._reading: dict[str, _Open] = {}
        self._writing: dict[str, _Open] = {}
        self._collected: dict[bytes, str] = {}

    # --- what is to be carried ------------------------------------------------------------

    def begin(self, epoch: bytes, drops: int, tally_hash: bytes | None) -> None:
        """A connection is open; what was under way on an earlier one is given up."""
        self.close()
        replica = self._replica
        with replica.database.transaction():
            dropped = replica.meta.blob_drops != (epoch, drops)
            tally = self.tally()
            # A relay that was restored from a backup has forgotten what came after it, and the
            # log need not show that: contents follow the log, some hours later at times.
            forgotten = tally is not None and tally.hash != tally_hash
            if dropped or forgotten:
                replica.transfers.forget_relay()
                replica.meta.blob_drops = (epoch, drops)
                replica.meta.blob_tally = None
            replica.transfers.reconcile(set(replica.contents.hashes()))

    def tally(self) -> BlobTally | None:
        """The tally of the relay's blobs by which something was last noted to be there."""
        stored = self._replica.meta.blob_tally
        return BlobTally(*stored) if stored else None

    def close(self) -> None:
        """Give up what is under way; what was received stays."""
        for one in (*self._reading.values(), *self._writing.values()):
            one.file.close()
        self._reading.clear()
        self._writing.clear()

    def give_up(self, item: TransferItem) -> None:
        """Nothing more of it is read or written on this connection; what was received stays."""
        for opened in (self._reading, self._writing):
            one = opened.pop(item.hash, None)
            if one is not None:
                one.file.close()

    def note_drops(self, drops: int, *, by_us: bool) -> bool:
        """So many drops were counted; True if others dropped something."""
        replica = self._replica
        if drops == self._known_drops()[1]:
            return False
        with replica.database.transaction():
            epoch, known = self._known_drops()
            replica.meta.blob_drops = (epoch, drops)
            if by_us and drops == known + 1:
                return False
            replica.transfers.forget_relay()
        return True

    def _known_drops(self) -> tuple[bytes, int]:
        return self._replica.meta.blob_drops or (b"", 0)

    def to_send(self) -> Sequence[TransferItem]:
        """Contents that are here and not known to be on the relay, the oldest first."""
        if self._only is not None:
            return ()
        self._notice_others()
        items = []
        for hash, _ in self._replica.transfers.to_send():
            with contextlib.suppress(OSError):  # gone since; the next connection notices
                items.append(self._item(hash, self._replica.contents.path(hash).stat().st_size))
        return items

    def _notice_others(self) -> None:
        """Other processes may have put contents here: an import, a copy, another sync."""
        replica = self._replica
        here = [one for one in replica.transfers.absent() if replica.contents.has(one)]
        if here:
            with replica.database.transaction():
                for hash in here:
                    replica.transfers.mark_arrived(hash)

    def to_fetch(self) -> Sequence[TransferItem]:
        """Contents that are not here and wanted, the oldest first."""
        policy = self._replica.meta.files_policy or FETCH_ALL
        everything = policy == FETCH_ALL and self._only is None
        return [
            self._item(hash, size, not_before_ms)
            for hash, size, not_before_ms in self._replica.transfers.to_fetch(
                all_of_them=everything
            )
            if self._only in (None, hash)
        ]

    def to_find(self) -> Sequence[TransferItem]:
        """Contents that are neither here nor known to be on the relay."""
        if self._only is not None:
            return ()
        return [self._item(hash, size) for hash, size in self._replica.transfers.not_here()]

    def note_on_relay(self, items: Sequence[TransferItem], tally: BlobTally | None) -> None:
        """The relay has these contents whole, and so many blobs were completed or dropped."""
        with self._replica.database.transaction():
            for item in items:
                self._replica.transfers.mark_on_relay(item.hash, there=True)
            if tally is not None:
                self._replica.meta.blob_tally = (tally.n, tally.hash)

    def note_refusal(self, item: TransferItem, code: Code, detail: str) -> None:
        """The relay did not take it: ``file list`` and ``status`` say so."""
        reason = NO_ROOM if code is Code.QUOTA else detail or str(code)
        with self._replica.database.transaction():
            self._replica.transfers.mark_refused(item.hash, reason)

    def now_ms(self) -> int:
        """The computer's time."""
        return self._replica.runtime.now_ms()

    def collect(self) -> Sequence[bytes]:
        """Drop contents that nothing has named for a while; the blobs to be dropped too."""
        self._collected |= {
            self._keys.blob(hash): hash for hash in garbage_collection.collect(self._replica)
        }
        return list(self._collected)

    def note_dropped(self, blobs: Sequence[bytes]) -> None:
        """The relay holds these no longer, as it was asked."""
        gone = [self._collected.pop(blob) for blob in blobs if blob in self._collected]
        garbage_collection.note_dropped_by_relay(self._replica, gone)

    # --- sending --------------------------------------------------------------------------

    def read_chunk(self, item: TransferItem, number: int) -> bytes | None:
        """A sealed chunk; None if the content is not here any more, or damaged."""
        reading = self._reading.pop(item.hash, None)
        if reading is not None and reading.next != number:
            reading.file.close()
            reading = None
        try:
            path = self._replica.contents.path(item.hash)
            reading = reading or self._open_at(
                path, number, self._keys.of(item.hash, item.size_bytes)
            )
            piece = reading.file.read(limits.CHUNK_BYTES)
        except OSError:
            self._lost(item)
            return None
        reading.hashed.update(piece)
        reading.next += 1
        last = reading.next == item.chunks
        if last and reading.hashed.hexdigest() != item.hash:
            reading.file.close()
            self._set_aside(item)
            return None
        if last:
            reading.file.close()
        else:
            self._reading[item.hash] = reading
        return reading.key.seal(number, piece)

    def _lost(self, item: TransferItem) -> None:
        with self._replica.database.transaction():
            self._replica.transfers.mark_missing(item.hash)

    def _set_aside(self, item: TransferItem) -> None:
        with self._replica.database.transaction():
            self._replica.contents.set_aside(item.hash)
            self._replica.transfers.mark_missing(item.hash)

    # --- receiving ------------------------------------------------------------------------

    def count_received(self, item: TransferItem) -> int:
        """How many whole chunks of a content are here."""
        try:
            size = self._incoming_path(item).stat().st_size
        except OSError:
            return 0
        return size // limits.CHUNK_BYTES

    def write_chunk(self, item: TransferItem, number: int, sealed: bytes) -> ChunkOutcome:
        """Keep a chunk; with the last one the content gets its place, if it has its hash."""
        path = self._incoming_path(item)
        try:
            key = self._keys.of(item.hash, item.size_bytes, generation_of(sealed))
            piece = key.open(number, sealed)
        except (EnvelopeError, NotAMemberError):
            return self._discard_damaged(item)
        writing = self._writing.pop(item.hash, None)
        with self._replica.contents.writing():
            if writing is None or writing.next != number:
                if writing is not None:
                    writing.file.close()
                make_private_folder(path.parent)
                touch_private(path)
                writing = self._open_at(path, number, key, mode="r+b")
            self._write(writing, piece)
            if writing.next < item.chunks:
                self._writing[item.hash] = writing
                return ChunkOutcome.MORE
            os.fsync(writing.file.fileno())
            writing.file.close()
        if writing.hashed.hexdigest() != item.hash:
            return self._discard_damaged(item)
        self._replica.contents.take_in(path, item.hash)
        with self._replica.database.transaction():
            self._replica.transfers.mark_arrived(item.hash)
            self._replica.transfers.mark_on_relay(item.hash, there=True)
        return ChunkOutcome.WHOLE

    @staticmethod
    def _write(writing: _Open, piece: bytes) -> None:
        writing.file.write(piece)
        writing.file.flush()  # a killed process loses nothing of what it was told
        writing.hashed.update(piece)
        writing.next += 1
        writing.unsynced_bytes += len(piece)
        if writing.unsynced_bytes >= limits.RECEIVED_SYNC_BYTES:
            os.fsync(writing.file.fileno())
            writing.unsynced_bytes = 0

    def _discard_damaged(self, item: TransferItem) -> ChunkOutcome:
        """What came is not the content: it is asked for again later, each time much later."""
        writing = self._writing.pop(item.hash, None)
        if writing is not None:
            writing.file.close()
        self._incoming_path(item).unlink(missing_ok=True)
        replica = self._replica
        failures = replica.transfers.read(item.hash).failures
        wait_s = DAMAGED_FILE.bound_s(failures)
        with replica.database.transaction():
            replica.transfers.mark_failed(
                item.hash, not_before_ms=self.now_ms() + int(wait_s * 1000)
            )
        return ChunkOutcome.USELESS if failures else ChunkOutcome.DAMAGED

    # --- small steps ------------------------------------------------------------------------

    @staticmethod
    def _open_at(path: Path, number: int, key: BlobKey, *, mode: str = "rb") -> _Open:
        """A file opened at a chunk, with what is before it hashed."""
        file: BinaryIO = path.open(mode)  # type: ignore[assignment]
        hashed = content_hasher()
        left = number * limits.CHUNK_BYTES
        while left and (piece := file.read(min(left, limits.CONTENT_PIECE_BYTES))):
            hashed.update(piece)
            left -= len(piece)
        file.seek(number * limits.CHUNK_BYTES)
        return _Open(file, hashed, number, key)

    def _incoming_path(self, item: TransferItem) -> Path:
        return self._replica.contents.incoming(item.hash)

    def _item(self, hash: str, size: int, not_before_ms: int = 0) -> TransferItem:
        return TransferItem(
            hash, self._keys.blob(hash), sealed_size(size), chunk_count(size), not_before_ms
        )

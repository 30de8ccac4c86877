"""The contents of attached files in a bundle: the same sealed pieces that a relay would get.

A piece names its content by a keyed hash, so a bundle tells nobody which files are in it. One that
is cut short, altered or not named by any reference here is left out, and the rest goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bifolio import limits
from bifolio.crypto.blob import chunk_count, generation_of, sealed_size
from bifolio.disk import make_private_folder, touch_private, unfinished_name
from bifolio.errors import EnvelopeError, NotAMemberError
from bifolio.ids import content_hasher
from bifolio.replica.blob_keys import BlobKeys
from bifolio.replica.replica import Replica
from bifolio.wire.bundle_parts import Chunk


def sealed_pieces(
    replica: Replica, keys: BlobKeys, wanted: Iterable[tuple[str, int]]
) -> Iterator[Chunk]:
    """The contents of these hashes and sizes that are here, piece after piece.

    One that is not what it should be ends before its last piece, and is not taken anywhere.
    """
    for hash, size in wanted:
        with suppress(FileNotFoundError), replica.contents.path(hash).open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                continue
            key, hashed, count = (
                keys.of(hash, sealed_size(size)),
                content_hasher(),
                chunk_count(size),
            )
            for number in range(count):
                piece = file.read(limits.CHUNK_BYTES)
                hashed.update(piece)
                if number == count - 1 and hashed.hexdigest() != hash:
                    break
                yield Chunk(key.blob, key.sealed_size, number, key.seal(number, piece))


@dataclass(slots=True)
class _Arriving:
    """A content of which pieces came: where it is put together, and what follows."""

    hash: str
    size: int
    path: Path
    hashed: hashlib.blake2b
    next: int = 0


class Arrivals:
    """Contents on their way out of one bundle: one at a time, as their pieces follow each other."""

    def __init__(self, replica: Replica, keys: BlobKeys) -> None:
        self._replica = replica
        self._keys = keys
        self._wanted: dict[bytes, tuple[str, int]] | None = None
        self._arriving: _Arriving | None = None
        #: How many contents came whole that were not here.
        self.files = 0

    def take(self, chunk: Chunk) -> None:
        """A piece: kept where it is the next one of a content that is named here and not here."""
        arriving = self._arriving
        if chunk.number == 0:
            self.close()
            self._arriving = arriving = self._begin(chunk)
        if arriving is None or chunk.number != arriving.next:
            return
        try:
            size = sealed_size(arriving.size)
            key = self._keys.of(arriving.hash, size, generation_of(chunk.sealed))
            if (chunk.blob, chunk.sealed_size) != (key.blob, size):
                raise EnvelopeError("a piece is of another content")
            piece = key.open(chunk.number, chunk.sealed)
        except (EnvelopeError, NotAMemberError):
            self.close()
            return
        with self._replica.contents.writing(), arriving.path.open("ab") as file:
            file.write(piece)
            arriving.hashed.update(piece)
            arriving.next += 1
            is_last = arriving.next == chunk_count(arriving.size)
            if is_last:
                file.flush()
                os.fsync(file.fileno())
        if is_last:
            self._end(arriving)

    def close(self) -> None:
        """Give up what is under way."""
        if self._arriving is not None:
            self._arriving.path.unlink(missing_ok=True)
            self._arriving = None

    def _begin(self, chunk: Chunk) -> _Arriving | None:
        hash, size = self._names().get(chunk.blob, ("", 0))
        contents = self._replica.contents
        if not hash or contents.has(hash) or sealed_size(size) != chunk.sealed_size:
            return None
        path = unfinished_name(contents.incoming(hash))
        with contents.writing():
            make_private_folder(path.parent)
            touch_private(path)
        return _Arriving(hash, size, path, content_hasher())

    def _end(self, arriving: _Arriving) -> None:
        self._arriving = None
        if arriving.hashed.hexdigest() != arriving.hash:
            arriving.path.unlink(missing_ok=True)
            return
        self._replica.contents.take_in(arriving.path, arriving.hash)
        with self._replica.database.transaction():
            self._replica.transfers.mark_arrived(arriving.hash)
        self.files += 1

    def _names(self) -> dict[bytes, tuple[str, int]]:
        """The contents that references name, by what they are called in a bundle. Pieces come
        after the envelopes, so that what a bundle brings is named already."""
        if self._wanted is None:
            named = self._replica.references.attachments.contents()
            self._wanted = {self._keys.blob(hash): (hash, size) for hash, size in named}
        return self._wanted

"""The pages of an SQLite file as its last commit left them: the file, and its log over it.

Of the write-ahead log that counts what SQLite itself would count: frames with the log's salt and
with checksums that follow each other, up to the last one that ends a commit.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

#: What every SQLite file begins with, and the size of the header.
MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100

_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_PAGE_SIZES = tuple(1 << power for power in range(9, 17))
_DEFAULT_PAGE_BYTES = 4096

#: Where the header has the number of the first page of the free list.
_FREE_LIST = 32


class Pages:
    """The pages of one file; numbered from 1, as SQLite does. Close it after use."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        size = path.stat().st_size
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
        self._over: dict[int, bytes] = {}
        wal = path.with_name(path.name + "-wal")
        raw = wal.read_bytes() if wal.is_file() else b""
        self.page_bytes = self._find_page_size(raw)
        self.count = size // self.page_bytes
        if len(raw) > _WAL_HEADER_BYTES:
            self._lay_over(raw)

    def close(self) -> None:
        """Let go of the file."""
        if self._map is not None:
            self._map.close()
        self._file.close()

    def read(self, number: int) -> bytes:
        """A page; empty where the file has none of this number."""
        over = self._over.get(number)
        if over is not None:
            return over
        start = (number - 1) * self.page_bytes
        if self._map is None or number < 1 or start + self.page_bytes > len(self._map):
            return b""
        return self._map[start : start + self.page_bytes]

    def header(self) -> bytes:
        """The file's header, 100 bytes."""
        return self.read(1)[:HEADER_BYTES]

    def image(self) -> bytes:
        """All of it as one file without a log."""
        whole = bytearray(b"".join(self.read(one) for one in range(1, self.count + 1)))
        whole[18:20] = b"\x01\x01"  # a file in memory has no log
        return bytes(whole)

    def free(self) -> set[int]:
        """The pages of the free list, as far as it can be followed: what they hold is deleted."""
        found: set[int] = set()
        trunk = _u32(self.header(), _FREE_LIST) if self.count else 0
        while trunk and trunk <= self.count and trunk not in found:
            found.add(trunk)
            page = self.read(trunk)
            count = min(_u32(page, 4), self.page_bytes // 4 - 2)
            found.update(_u32(page, 8 + 4 * one) for one in range(count))
            trunk = _u32(page, 0)
        return found

    def _find_page_size(self, wal: bytes) -> int:
        """By the header, or by the log's; a damaged one names no size that there is."""
        head = self._map[:HEADER_BYTES] if self._map is not None else b""
        said = int.from_bytes(head[16:18], "big") if len(head) >= 18 else 0
        sizes = [65536 if said == 1 else said]
        if len(wal) >= 12:
            sizes.append(_u32(wal, 8))
        # The default is what ours have: one flipped bit makes another power of two of it.
        candidates = [_DEFAULT_PAGE_BYTES, *(one for one in sizes if one in _PAGE_SIZES)]
        length = len(self._map) if self._map is not None else 0
        fitting = [one for one in candidates if length % one == 0 and self._looks_so(one)]
        return fitting[0] if fitting else _DEFAULT_PAGE_BYTES

    def _looks_so(self, size: int) -> bool:
        """Whether the pages after the first begin, at this size, as pages of trees do."""
        if self._map is None:
            return False
        starts = range(size, min(len(self._map), 64 * size), size)
        kinds = [self._map[start] for start in starts]
        return not kinds or 2 * sum(kind in (0, 2, 5, 10, 13) for kind in kinds) >= len(kinds)

    def _lay_over(self, raw: bytes) -> None:
        magic = _u32(raw, 0)
        if magic not in _WAL_MAGIC or _u32(raw, 8) != self.page_bytes:
            return
        order = ">" if magic & 1 else "<"
        salt = raw[16:24]
        sums = _checksum(raw[:24], (0, 0), order)
        if sums != struct.unpack(">II", raw[24:32]):
            return
        waiting: dict[int, bytes] = {}
        size = _FRAME_HEADER_BYTES + self.page_bytes
        for start in range(_WAL_HEADER_BYTES, len(raw) - size + 1, size):
            head = raw[start : start + _FRAME_HEADER_BYTES]
            page = raw[start + _FRAME_HEADER_BYTES : start + size]
            if head[8:16] != salt:
                break
            sums = _checksum(page, _checksum(head[:8], sums, order), order)
            if sums != struct.unpack(">II", head[16:24]):
                break
            number, pages_after = struct.unpack(">II", head[:8])
            waiting[number] = page
            if pages_after:  # the frame ends a commit
                self._over.update(waiting)
                self.count = pages_after
                waiting = {}


def _checksum(raw: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(raw) // 4}I", raw)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second


def _u32(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "big")

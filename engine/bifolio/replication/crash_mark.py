"""What is being merged, in a file that outlives the process: which envelope ended it.

The file ``merging`` is in the replica's folder while envelopes are merged, and names the one at
work. It is never synced to the disk: the operating system keeps it when a process ends, and after
a power cut nobody asks. Who finds it, with the right to write, knows that a process ended there.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from pathlib import Path

from bifolio.ids import content_hash

FILE = "merging"

#: Named while documents are saved: no single envelope's doing.
SAVING = content_hash(b"saving")
_HASH_BYTES = len(SAVING)


class CrashMark:
    """The mark of one replica's folder. All calls are made inside a write transaction, so that
    there is one at a time. A folder that cannot be written to has none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._descriptor: int | None = None
        self._mapped: mmap.mmap | None = None

    def is_there(self) -> bool:
        """Whether somebody merges now, or ended while merging."""
        return self._path.exists()

    def read(self) -> bytes | None:
        """The hash of the envelope at which another process ended."""
        with suppress(OSError):
            found = self._path.read_bytes()
            if len(found) == _HASH_BYTES:
                return found
        return None

    def set(self, envelope_hash: bytes) -> None:
        """This envelope is merged from now on.

        A write into the file's page in memory, 0.2 microseconds: the page is the operating
        system's, and outlives the process. Where a file system has none, two calls of the system.
        """
        if self._mapped is not None:
            self._mapped[:] = envelope_hash
            return
        with suppress(OSError):
            if self._descriptor is None:
                flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(self._path, flags, 0o600)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            # Written before it is mapped: a page without room on the disk would end the process.
            if os.write(self._descriptor, envelope_hash) == _HASH_BYTES:
                with suppress(ValueError):
                    self._mapped = mmap.mmap(self._descriptor, _HASH_BYTES)

    def clear(self) -> None:
        """Nothing is merged any more."""
        if self._mapped is not None:
            self._mapped.close()
            self._mapped = None
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
        with suppress(OSError):
            self._path.unlink()

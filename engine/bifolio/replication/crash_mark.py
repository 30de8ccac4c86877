"""What is being merged, in a file that outlives the process: which envelope ended it.

The file ``merging`` in the replica's folder names the envelope at work, and nothing between
merges. It is never synced to the disk: the operating system keeps it when a process ends, and after
a power cut nobody asks. Who finds one named, with the right to write, knows that a process ended
there. The file stays: to make it and take it away cost as much as a fifth of merging an edit, and a
process may have it mapped.
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

#: Named between merges.
_NOTHING = bytes(_HASH_BYTES)


class CrashMark:
    """The mark of one replica's folder. All that write it do so inside a write transaction, so that
    there is one at a time. A folder that cannot be written to has none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._mapped: mmap.mmap | None = None

    def is_there(self) -> bool:
        """Whether somebody merges now, or ended while merging."""
        return self.read() is not None

    def read(self) -> bytes | None:
        """The hash of the envelope at which another process ended."""
        if self._mapped is not None:
            found = self._mapped[:]
        else:
            try:
                found = self._path.read_bytes()
            except OSError:
                return None
        return found if len(found) == _HASH_BYTES and found != _NOTHING else None

    def set(self, envelope_hash: bytes) -> None:
        """This envelope is merged from now on.

        A write into the file's page in memory, 0.2 microseconds: the page is the operating
        system's, and outlives the process. Where a file system has none, four calls of the system.
        """
        if self._mapped is not None:
            self._mapped[:] = envelope_hash
        else:
            self._write(envelope_hash, os.O_CREAT)

    def clear(self) -> None:
        """Nothing is merged any more."""
        if self._mapped is not None:
            self._mapped[:] = _NOTHING
        elif self.is_there():
            self._write(_NOTHING, 0)

    def _write(self, named: bytes, how: int) -> None:
        """Write into the file, and map it for the next time."""
        with suppress(OSError):
            flags = os.O_RDWR | how | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self._path, flags, 0o600)
            try:
                # Written before it is mapped: a page without room on the disk would end us.
                if os.write(descriptor, named) == _HASH_BYTES:
                    with suppress(ValueError):
                        self._mapped = mmap.mmap(descriptor, _HASH_BYTES)
            finally:
                os.close(descriptor)

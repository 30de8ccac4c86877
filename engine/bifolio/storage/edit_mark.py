"""When the last edit was made, noted outside the database and its log.

A log (``-wal``) that somebody removes takes with it what was committed and not yet written into the
database, and the database looks whole: it is what it was some edits ago. The mark next to it then
has a later stamp than the database.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_NAME = "last-edit"
_STAMP_LENGTH = 18


class EditMark:
    """The mark in a library's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def write(self, stamp: str) -> None:
        """Note the stamp of an edit that was committed, unless another process noted a later one; a
        mark that cannot be written is none."""
        with suppress(OSError):
            flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self._path, flags, 0o600)
            try:
                if (_read_stamp(os.read(descriptor, _STAMP_LENGTH + 1)) or "") < stamp:
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    os.write(descriptor, stamp.encode())
            finally:
                os.close(descriptor)

    def read(self) -> str | None:
        """The stamp of the last edit; None where it is not known."""
        try:
            said = self._path.read_bytes()
        except OSError:
            return None
        return _read_stamp(said)


def _read_stamp(said: bytes) -> str | None:
    """The stamp that a mark holds; None of any other content."""
    text = said.decode(errors="replace")
    is_stamp = len(text) == _STAMP_LENGTH and not text.strip("0123456789abcdef")
    return text if is_stamp else None

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
        if (self.read() or "") >= stamp:
            return
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                os.write(descriptor, stamp.encode())
            finally:
                os.close(descriptor)

    def read(self) -> str | None:
        """The stamp of the last edit; None where it is not known."""
        try:
            said = self._path.read_bytes()
        except OSError:
            return None
        text = said.decode(errors="replace")
        is_stamp = len(text) == _STAMP_LENGTH and all(one in "0123456789abcdef" for one in text)
        return text if is_stamp else None

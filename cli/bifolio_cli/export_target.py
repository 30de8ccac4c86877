"""Where an export goes: a file that appears whole or not at all, a device, or the terminal."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bifolio.disk import write_whole
from bifolio_cli.text.safe_text import escape_controls


@contextmanager
def target(file: Path | None) -> Iterator[BinaryIO]:
    """Where the references go. A file appears whole under its name, or not at all."""
    if file is None:
        yield cast("BinaryIO", _TerminalText()) if sys.stdout.isatty() else sys.stdout.buffer
        sys.stdout.flush()
        return
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if file.exists() and not file.is_file():
        # A device or a pipe (/dev/stdout) is written to; it must not be replaced by a file.
        with file.open("wb") as out:
            yield out
        return
    # Through a link to the file that it names: a paper's folder often holds such a link.
    with write_whole(file.resolve(), mode=None) as out:
        yield out


class _TerminalText:
    """The write side of a file that shows UTF-8 on a terminal with its controls spelled out."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, chunk: bytes) -> int:
        sys.stdout.write(escape_controls(self._decoder.decode(chunk).replace("\r\n", "\n")))
        return len(chunk)

    def flush(self) -> None:
        sys.stdout.flush()

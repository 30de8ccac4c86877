"""Where an export goes: a file that appears whole or not at all, a device, or the terminal."""

from __future__ import annotations

import codecs
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bifolio_cli.text.reference_text import escape_controls


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
    place = file.resolve()
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        # The user knows the file's name, not that of its forerunner.
        raise OSError(error.errno, error.strerror, str(file)) from error
    unfinished = Path(name)
    try:
        with open(descriptor, "wb") as out:  # noqa: PTH123 - a descriptor, not a path
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.chmod(_permissions(place))
        unfinished.replace(place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _permissions(file: Path) -> int:
    """Those of the file that is replaced, otherwise what a new file gets here."""
    if file.exists():
        return file.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class _TerminalText:
    """The write side of a file that shows UTF-8 on a terminal with its controls spelled out."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, chunk: bytes) -> int:
        sys.stdout.write(escape_controls(self._decoder.decode(chunk).replace("\r\n", "\n")))
        return len(chunk)

    def flush(self) -> None:
        sys.stdout.flush()

"""``export --watch``: a file that is written again whenever the library changes.

A version of the file that another program wrote meanwhile is kept next to it, never overwritten.
"""

from __future__ import annotations

import shutil
import signal
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from bifolio.disk import hash_file
from bifolio.ids import content_hasher
from bifolio_cli.export_target import target
from bifolio_cli.json_documents import WatchedExport
from bifolio_cli.output import Output
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.records.reference import ExportReport

#: How often the library is asked whether it changed: a statement of some microseconds.
_POLL_S = 0.25


class Standing(Protocol):
    """What ``Library.live_export`` gives."""

    #: References that the last ``write`` composed.
    composed: int

    def has_changed(self) -> bool:
        """Whether the library changed since the last ``write``."""

    def write(self, out: BinaryIO) -> ExportReport:
        """Write all of it as it is now."""


def keep_current(standing: Standing, file: Path, output: Output) -> None:
    """Write the file now and after each change, until SIGINT or SIGTERM, which end it well."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError):  # not in the main thread: the caller ends it
            signal.signal(number, lambda *_: stop.set())
    written = ""
    lost_before = -1
    while not stop.is_set():
        if standing.has_changed() or not file.exists():
            if written and (kept := _set_aside(file, written)) is not None:
                output.remark(f"Another program changed {file}; its version is kept in {kept}.")
            with target(file) as out:
                ours = _Digesting(out)
                report = standing.write(cast("BinaryIO", ours))
            # Of what was written, not of what is there now: that may be somebody's by this moment.
            written = ours.digest()
            if output.json:
                output.document(
                    WatchedExport(report.exported, standing.composed, file, len(report.lost))
                )
            else:
                at = datetime.now().astimezone().strftime("%H:%M:%S")
                output.say(f"{at} {count(report.exported, 'reference')} in {file}.")
                if report.lost and len(report.lost) != lost_before:
                    lost = count(len(report.lost), "value")
                    output.remark(f"The format cannot hold {lost}; 'bifolio export' lists them.")
                lost_before = len(report.lost)
        stop.wait(_POLL_S)


def _set_aside(file: Path, written: str) -> Path | None:
    """Keep a copy of a file that is not as we wrote it; None where it is, or is gone.

    A copy, so that a reader of the file always finds one.
    """
    if not file.is_file() or hash_file(file) == written:
        return None
    number = 1
    while (place := file.with_name(f"{file.stem}.edited-{number}{file.suffix}")).exists():
        number += 1
    shutil.copy2(file, place)
    return place


class _Digesting:
    """The write side of a file, which remembers the digest of what went through it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hasher = content_hasher()

    def write(self, chunk: bytes) -> int:
        self._hasher.update(chunk)
        return self._out.write(chunk)

    def digest(self) -> str:
        return self._hasher.hexdigest()

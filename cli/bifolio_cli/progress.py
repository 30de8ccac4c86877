"""Progress bars on stderr, for a person at a terminal and for nobody else.

rich is loaded when the first report comes, so that what ends at once never pays for it.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from bifolio.results import IN_BYTES, Stage
from bifolio_cli.text.safe_text import escape_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Percentage and remaining time next to a bar, and the blanks between all of them.
_BESIDE_WIDTH = 18

#: The stages of a sync whose pieces are told: how many went, of how many, and how fast. The others
#: share their line with a file's name.
_COUNTED = frozenset({Stage.RECEIVING, Stage.SENDING})

_LABELS = {
    Stage.RECEIVING: "receiving",
    Stage.SENDING: "sending",
    Stage.RECEIVING_FILES: "receiving files",
    Stage.SENDING_FILES: "sending files",
    Stage.READING: "reading",
    Stage.IMPORTING: "importing",
    Stage.WRITING: "writing",
    Stage.COPYING: "copying",
    Stage.PACKING: "packing",
    Stage.CHECKING: "checking",
    Stage.RESTORING: "restoring",
    Stage.CHECKING_RECORDS: "records",
    Stage.CHECKING_FILES: "files",
    Stage.READING_FILES: "reading files",
}


class Report(Protocol):
    """What the library tells of a stage: how much is done, of how much, and of which file."""

    def __call__(self, stage: Stage, done: int, total: int, file: str = "", /) -> None:
        """Show it."""


class ProgressBars:
    """One bar for each stage and file; a context manager that clears them."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._bars: dict[tuple[Stage, str], TaskID] = {}

    def __enter__(self) -> Report | None:
        """What the library calls with what it does; None where nobody watches."""
        return self._report if sys.stderr.isatty() else None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _report(self, stage: Stage, done: int, total: int, file: str = "", /) -> None:
        if not total:  # there is nothing to do of it
            return
        if self._progress is None:
            self._progress = _start()
        bar = (stage, file)
        if bar not in self._bars:
            from rich.markup import escape

            width = self._progress.console.width
            room = width - bar_width(width) - _BESIDE_WIDTH
            description = escape(shorten_label(escape_line(label_of(stage, file)), room))
            self._bars[bar] = self._progress.add_task(
                description,
                total=total,
                in_bytes=stage in IN_BYTES,
                is_counted=stage in _COUNTED,
            )
        self._progress.update(self._bars[bar], completed=done, total=total)


def label_of(stage: Stage, file: str = "") -> str:
    """What comes before a bar: the stage, of a file its name."""
    if not file:
        return _LABELS[stage]
    return f"{file}: {_LABELS[stage]}" if stage is Stage.READING else file


def shorten_label(label: str, room: int) -> str:
    """A label on as many columns: a file's name without its folder, and without its middle if
    need be."""
    name = label.rpartition(os.sep)[2]
    if len(name) <= room:
        return name
    end = max(1, room // 2)
    return f"{name[: max(1, room - end - 1)]}…{name[-end:]}"


def bar_width(width: int) -> int:
    """How many columns of a terminal of this width a bar has."""
    return min(40, width // 4)


def _start() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Amount(DownloadColumn):
        """How much is done of how much, in bytes or in pieces."""

        def render(self, task: Task) -> Text:
            if task.fields["in_bytes"]:
                return super().render(task)
            if not task.fields["is_counted"]:
                return Text()
            return Text(f"{task.completed:,.0f}/{task.total or 0:,.0f}", style="progress.download")

    class Rate(TransferSpeedColumn):
        """How much goes in a second, in bytes or in pieces."""

        def render(self, task: Task) -> Text:
            if task.fields["in_bytes"]:
                return super().render(task)
            if not task.fields["is_counted"]:
                return Text()
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.1f}/s" if speed else "?", style="progress.data.speed")

    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=bar_width(console.width)),
        TextColumn("{task.percentage:>3.0f} %"),
        Amount(),
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    progress.start()
    return progress

"""Progress bars on stderr, for a person at a terminal and for nobody else.

rich is loaded when the first report comes, so that what ends at once never pays for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from bifolio_cli.rendering import escape_controls

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Report = Callable[[str, int, int], None]

#: What is counted in bytes, by the name of its bar.
IN_BYTES = ("copying", "sending files", "receiving files")


#: Percentage and remaining time beside a bar, and the blanks between all of them.
_BESIDE_WIDTH = 18


class ProgressBars:
    """One bar per label (a file, a direction of a sync); a context manager that clears them."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Report | None:
        """What the library calls with (label, done, total); None where nobody watches."""
        return self._report if sys.stderr.isatty() else None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _report(self, label: str, done: int, total: int) -> None:
        if not total:  # there is nothing to do of it
            return
        if self._progress is None:
            self._progress = _start()
        if label not in self._bars:
            from rich.markup import escape

            width = self._progress.console.width
            room = width - bar_width(width) - _BESIDE_WIDTH
            description = escape(shortened(escape_controls(label), room))
            self._bars[label] = self._progress.add_task(description, total=total)
        self._progress.update(self._bars[label], completed=done, total=total)


def shortened(label: str, room: int) -> str:
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
        """How many bytes are done of how many; nothing where it is not bytes that are counted."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.description in IN_BYTES else Text()

    class Rate(TransferSpeedColumn):
        """Bytes per second; nothing where it is not bytes that are counted."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.description in IN_BYTES else Text()

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

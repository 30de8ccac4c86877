"""The demo's child processes: whatever ends the demo, none of them outlives it.

An exception that a signal raises in the middle of a start would lose the process that has just
been made, so signals wait there, and while everything is cleared away.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO

#: A relay ends within its own grace of a few seconds, a command at once.
_END_TIMEOUT_S = 30.0

_NUMBERS = [
    signal.SIGINT,
    signal.SIGTERM,
    # A terminal that is closed.
    *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []),
]


class Processes:
    """Starts processes and knows which ones run; a context manager that watches for signals."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []
        self._undisturbed = False
        self._waiting: int | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Processes:
        for number in _NUMBERS:
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """A signal that comes in here takes effect at the end of it."""
        self._undisturbed = True
        try:
            yield
        finally:
            self._undisturbed = False
        if self._waiting is not None:
            _raise(self._waiting)

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        variables: dict[str, str],
        stderr: int | IO[bytes],
    ) -> subprocess.Popen[str]:
        """A process in a folder, whose stdout can be read and whose stdin is empty."""
        with self.undisturbed():
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
            )
            self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """End a process as a service is ended, by force if it does not; an ended one is let go."""
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        self._running.remove(process)

    def end_all(self) -> None:
        """End whatever runs; from here on no signal disturbs."""
        self._undisturbed = True
        for process in list(self._running):
            self.end(process)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._waiting = number
        if not self._undisturbed:
            _raise(number)


def _raise(number: int) -> None:
    """Ctrl-C as Python has it, any other signal with the exit code that shells give it."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)

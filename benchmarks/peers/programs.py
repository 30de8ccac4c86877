"""Other programs as processes: what they print, and servers that run for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.support.processes import (
    ProcessFailedError,
    children,
    high_water_mark,
    run_process,
)

FOLDER: Final = Path(__file__).parent

#: Servers of others, and the protocol that their clients speak.
SERVERS: Final = {
    "y-websocket": "y-websocket",
    "hocuspocus": "hocuspocus",
    "pycrdt-websocket": "y-websocket",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server of a peer."""

    protocol: str
    url: str
    process: subprocess.Popen[str]

    def client(self, task: str, *arguments: str) -> dict[str, Any]:
        """What clients found: ``clients.mjs`` says which tasks there are."""
        return run_node("clients.mjs", self.protocol, self.url, task, *arguments)

    @contextmanager
    def loaded(self, library: Path) -> Iterator[None]:
        """A client that has brought a library, and stays: a server may let go of what nobody has
        open."""
        command = [*_node("clients.mjs"), self.protocol, self.url, "load", str(library)]
        with _running(command):
            yield

    def peak_bytes(self) -> int:
        """The most memory that it has held so far, whatever started it included."""
        return max(map(high_water_mark, (self.process.pid, *children(self.process.pid))))


def run_node(script: str, *arguments: str) -> dict[str, Any]:
    """What a script of this folder prints, as JSON.

    Raises:
        ProcessFailedError: it failed, or the peers are not installed.
    """
    ended = run_process([*_node(script), *arguments], environment=_environment())
    found: dict[str, Any] = ended.document()
    return found


@contextmanager
def running_server(name: str) -> Iterator[Server]:
    """One of ``SERVERS`` on a port of its own, for the time of the block."""
    if name == "pycrdt-websocket":
        command = [sys.executable, str(FOLDER / "pycrdt_server.py")]
    else:
        command = [*_node("servers.mjs"), name]
    with _running(command) as (process, port):
        yield Server(SERVERS[name], f"ws://127.0.0.1:{port}", process)


@contextmanager
def _running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has printed its first line, for the time of the block.

    It leads a group of its own: ``node`` may be a script that starts the real one.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(),
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            if not line:
                raise ProcessFailedError(f"{' '.join(command)} ended at once")
            yield process, line
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _node(script: str) -> list[str]:
    if not (FOLDER / "node_modules").is_dir():
        raise ProcessFailedError("the peers are not installed: run 'make bench-peers'")
    return ["node", "--no-warnings", str(FOLDER / script)]


def _environment() -> dict[str, str]:
    """Node comes with the virtual environment."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**os.environ, "PATH": path}

"""Whole processes as a user starts them: how long each took and how much memory it held.

The memory is the kernel's own high-water mark (VmHWM), read while the process runs: what
``wait4`` reports includes the memory of the process that it was forked from.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SAMPLE_S = 0.005
#: Looking for further processes takes a millisecond.
_SAMPLES_PER_SEARCH = 20
_STOP_TIMEOUT_S = 10.0
_FORK_TIMEOUT_S = 60.0

#: A variable that the tests set: they ask whether a benchmark works, and not how long it takes.
FORKED = "BENCHMARK_FORKED"


class ProcessFailedError(Exception):
    """A process that had to succeed did not: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that is over: how long it took, and how long it kept a core busy meanwhile.

    Where other programs share the cores, the latter is what compares.
    """

    seconds: float
    cpu_s: float
    peak_bytes: int
    output: str

    def document(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.output)


@dataclass(frozen=True, slots=True)
class Computer:
    """One home: a device with its key and its library."""

    home: Path

    @property
    def library(self) -> Path:
        """The folder of its library."""
        return self.home / "Library.bifolio"

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its commands run."""
        kept = {name: value for name, value in os.environ.items() if "BIFOLIO" not in name}
        return kept | {
            "BIFOLIO_HOME": str(self.home),
            "BIFOLIO_LIBRARY": str(self.library),
            "BIFOLIO_DEVICE": self.home.name,
        }

    def run(self, *arguments: str) -> Ended:
        """Run ``bifolio`` with ``--json``."""
        return run_process([*_BIFOLIO, *arguments, "--json"], environment=self.environment)

    def new_library(self, *files: Path) -> int:
        """Make its library and import files; returns how many references it holds."""
        self.run("init", str(self.library), "--name", "Benchmark")
        added = 0
        for file in files:
            added += int(self.run("import", str(file)).document()["added"])
        return added

    @contextmanager
    def watching(self) -> Iterator[subprocess.Popen[str]]:
        """``bifolio sync --watch`` for the time of the block."""
        with subprocess.Popen(
            [*_BIFOLIO, "sync", "--watch", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        ) as process:
            try:
                yield process
            finally:
                _stop(process)


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay."""

    pid: int
    url: str

    def peak_bytes(self) -> int:
        """The most memory that it has held so far."""
        return high_water_mark(self.pid)

    def health(self) -> dict[str, Any]:
        """What ``/healthz`` says."""
        address = self.url.replace("ws://", "http://") + "/healthz"
        with urllib.request.urlopen(address, timeout=10) as answer:
            facts: dict[str, Any] = json.load(answer)
        return facts


@contextmanager
def running_relay(folder: Path) -> Iterator[Relay]:
    """A relay process on a port of its own, for the time of the block."""
    if os.environ.get(FORKED):
        with _forked_relay(folder) as relay:
            yield relay
        return
    with subprocess.Popen(
        [sys.executable, "-m", "bifolio_relay.server", "--port", "0", "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield _relay(process.pid, process.stdout.readline())
        finally:
            _stop(process)


@contextmanager
def _forked_relay(folder: Path) -> Iterator[Relay]:
    """The same as a fork of a process that has loaded it."""
    from tests.support import command_server

    started = command_server.start(
        ["relay", "--port", "0", "--data", str(folder)],
        environment=os.environ,
        folder=Path.cwd(),
        out=folder.with_suffix(".out"),
        log=folder.with_suffix(".log"),
    )
    try:
        yield _relay(started.pid, started.first_line())
    finally:
        started.end(signal.SIGTERM, within_s=_STOP_TIMEOUT_S)


def _relay(pid: int, said: str) -> Relay:
    """The relay whose first line this is."""
    if not said.startswith("listening on "):
        raise ProcessFailedError(f"the relay said: {said!r}")
    return Relay(pid, said.removeprefix("listening on ").strip())


def run_process(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a process to its end.

    Raises:
        ProcessFailedError: its exit code was not 0.
    """
    is_script = command[0] == sys.executable and command[1].endswith(".py")
    if os.environ.get(FORKED) and (is_script or (*command[:1],) == _BIFOLIO):
        return _run_forked(command, environment or os.environ)
    cpu_before_s = _ended_cpu_s()
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        watch = _MemoryWatch(process.pid)
        output, errors = process.communicate()
        seconds = time.perf_counter() - began
        peak_bytes = watch.end()
    if process.returncode != 0:
        raise ProcessFailedError(f"{' '.join(command)} ended with {process.returncode}: {errors}")
    return Ended(seconds, _ended_cpu_s() - cpu_before_s, peak_bytes, output)


def _run_forked(command: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """The same command as a fork of a process that has loaded it: no figure of it means much."""
    from tests.support import command_server

    began = time.perf_counter()
    run = command_server.run_script if command[0] == sys.executable else command_server.run
    ended = run(command[1:], environment=environment, folder=Path.cwd(), timeout_s=_FORK_TIMEOUT_S)
    seconds = time.perf_counter() - began
    if ended.exit_code != 0:
        words = " ".join(command)
        raise ProcessFailedError(f"{words} ended with {ended.exit_code}: {ended.stderr}")
    return Ended(seconds, ended.cpu_s, ended.peak_bytes, ended.stdout)


class _MemoryWatch:
    """Reads the high-water marks of a process and of those that it started, until told to end:
    each only ever grows, and their sum is the peak, though they may not have met."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {pid: 0}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        self._over.set()
        self._thread.join()
        return sum(self._peaks.values())

    def _watch(self) -> None:
        samples = 0
        while True:
            if samples % _SAMPLES_PER_SEARCH == 0:
                for child in children(self._pid):
                    self._peaks.setdefault(child, 0)
            for pid, peak_bytes in self._peaks.items():
                self._peaks[pid] = max(peak_bytes, high_water_mark(pid))
            samples += 1
            if self._over.wait(_SAMPLE_S):
                return


def children(pid: int) -> list[int]:
    """The processes that a process has started; none where the system is not Linux."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which may hold anything but ends with the last bracket.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def high_water_mark(pid: int) -> int:
    """The kernel's VmHWM in bytes; 0 where the process is over, or the system is not Linux."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _ended_cpu_s() -> float:
    """The processor time of every process that this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


_BIFOLIO = (str(Path(sys.executable).with_name("bifolio")),)

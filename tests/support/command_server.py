"""Commands of ``bifolio``, each in a process of its own, without starting an interpreter for each.

A server process loads what the command loads, once, and forks for every command: the fork runs
the console script's function with an environment, a folder, a closed keyboard and streams of its
own, and ends with its exit code. Nothing of one command is left for the next but what importing
leaves. ``run_all`` runs many commands in one fork (``command_stream``), ``start`` begins one that
goes on, such as a relay. Most of an end-to-end test
would be the starts of interpreters; `make test-all` starts them (``BIFOLIO_TEST_EXEC``), as do
the tests that kill, wrap or read a process while it runs.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).parents[2]

#: What commands load when they need it; of the packages, every module (see ``_load``).
_LOADED = """
pycrdt websockets.asyncio.client sqlite_utils lxml.etree nacl.bindings difflib calendar shutil
bifolio_cli.main bifolio_cli.application
""".split()
_PACKAGES = "bifolio bifolio_relay bifolio_cli.commands bifolio_cli.text".split()

_servers = threading.local()


def is_available() -> bool:
    """Whether this system can fork, and nobody asked for whole processes."""
    return hasattr(os, "fork") and not os.environ.get("BIFOLIO_TEST_EXEC")


@dataclass(frozen=True, slots=True)
class Ended:
    """How one fork ended, and what it used; its peak includes what it was forked with."""

    exit_code: int
    stdout: str
    stderr: str
    cpu_s: float
    peak_bytes: int


class Started:
    """A command that runs until it is ended, such as a relay."""

    def __init__(self, pid: int, out: Path) -> None:
        self.pid = pid
        self._out = out

    def first_line(self, *, within_s: float = 60.0) -> str:
        """The first line that it prints; what there is of it if none comes in time."""
        deadline = time.monotonic() + within_s
        while not (printed := self._out.read_text("utf-8")).endswith("\n"):
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
        return printed.partition("\n")[0]

    def end(self, number: signal.Signals, *, within_s: float) -> int:
        """End it with a signal; its exit code, or the signal's number below zero."""
        os.kill(self.pid, number)
        (code, *_) = _ask(["wait", self.pid], within_s)
        return int(code)


def run(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout_s: float
) -> Ended:
    """One command, to its end."""
    return _run("command", arguments, environment, folder, timeout_s)


def run_all(
    commands: Sequence[Sequence[str]],
    *,
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
) -> Ended:
    """``command_stream`` with these commands, to its end."""
    return _run("stream", list(map(list, commands)), environment, folder, timeout_s)


def start(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, out: Path, log: Path
) -> Started:
    """A command that goes on; what it prints goes to ``out``, its stderr is added to ``log``."""
    out.write_bytes(b"")
    streams = [str(out), str(log)]
    asked = ["start", "command", list(arguments), dict(environment), str(folder), *streams]
    (pid,) = _ask(asked, 60.0)
    return Started(int(pid), out)


def _run(
    kind: str,
    what: Sequence[object],
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
) -> Ended:
    with tempfile.TemporaryDirectory() as streams:
        out, errors = Path(streams) / "out", Path(streams) / "errors"
        asked = ["run", kind, list(what), dict(environment), str(folder), str(out), str(errors)]
        code, cpu_s, peak_bytes = _ask(asked, timeout_s)
        return Ended(
            int(code), out.read_text("utf-8"), errors.read_text("utf-8"), cpu_s, int(peak_bytes)
        )


def _ask(request: Sequence[object], timeout_s: float) -> list[Any]:
    """The answer of this thread's server, which is started with the first request."""
    server: subprocess.Popen[str] | None = getattr(_servers, "server", None)
    if server is None or server.poll() is not None:
        server = _servers.server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.command_server"],
            cwd=_CHECKOUT,
            env=dict(os.environ) | {"PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        atexit.register(_end, server)
    watchdog = threading.Timer(timeout_s, server.kill)
    watchdog.start()
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
    finally:
        watchdog.cancel()
    assert answer, f"{request[:3]}: no end within {timeout_s:g} seconds"
    found: list[Any] = json.loads(answer)
    return found


def _end(server: subprocess.Popen[str]) -> None:
    """End a server with the tests."""
    server.kill()
    server.communicate()


def _serve() -> None:
    """Fork for each request and answer with how the fork ended, or with its process id."""
    _load()
    for line in sys.stdin:
        verb, *request = json.loads(line)
        if verb == "wait":
            answer: list[object] = _wait(*request)
        else:
            child = os.fork()
            if child == 0:
                _become(*request)
            answer = [child] if verb == "start" else _wait(child)
        print(json.dumps(answer), flush=True)


def _wait(child: int) -> list[object]:
    _, status, used = os.wait4(child, 0)
    peak_bytes = used.ru_maxrss * 1024
    return [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, peak_bytes]


def _load() -> None:
    """Import what commands import, so that a fork finds it there."""
    for module in _LOADED:
        import_module(module)
    for package in map(import_module, _PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            import_module(found.name)


def _entry(kind: str) -> Callable[[list[Any]], int]:
    """The function that a fork runs with what was asked for."""
    if kind == "stream":
        from tests.support.command_stream import run_all

        return run_all
    from bifolio_cli.main import run

    return run


def _become(
    kind: str, what: list[Any], environment: dict[str, str], folder: str, out: str, errors: str
) -> None:
    """Be one command from here on; does not return."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, path in ((1, out), (2, errors)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        try:
            code = _entry(kind)(what)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()

"""Commands of ``bifolio``, each in a process of its own, without starting an interpreter for each.

A server process loads what the command loads, once, and forks for every command: the fork runs
the console script's function with an environment, a folder, what is typed in (nothing, if not
said) and streams of its own, and ends with its exit code. Nothing of one command is left for the
next but what importing leaves. ``run_all`` runs many commands in one fork (``command_stream``),
``start`` begins one that goes on, such as a relay; ``run_script`` runs a script, whose own commands
are forks of the same.
Most of an end-to-end test would be the starts of interpreters; `make test-all` starts them
(``BIFOLIO_TEST_EXEC``), as do the tests that kill, wrap or read a process while it runs.
"""

from __future__ import annotations

import atexit
import gc
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
from runpy import run_path
from typing import Any

_CHECKOUT = Path(__file__).parents[2]

#: What commands load when they need it; of the packages, every module (see ``_load``).
_LOADED = """
pycrdt websockets.asyncio.client sqlite_utils lxml.etree nacl.bindings difflib calendar shutil
bifolio_cli.main bifolio_cli.application
""".split()
_PACKAGES = "bifolio bifolio_relay bifolio_cli.commands bifolio_cli.text".split()

#: One command loads it, with a library that takes longer than all else together.
_LEFT_OUT = "bifolio.serve.assistant"

_servers = threading.local()

#: Whether this process has loaded what commands load: that of a server, and every fork of it.
_loaded = False


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
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
    typed: str = "",
) -> Ended:
    """One command, to its end; ``typed`` is what it reads on stdin."""
    return _run("command", arguments, environment, folder, timeout_s, typed)


def run_all(
    commands: Sequence[Sequence[str]],
    *,
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
) -> Ended:
    """``command_stream`` with these commands, to its end."""
    return _run("stream", list(map(list, commands)), environment, folder, timeout_s)


def run_script(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout_s: float
) -> Ended:
    """A Python script with its arguments, as ``__main__``, to its end."""
    return _run("script", command, environment, folder, timeout_s)


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
    typed: str = "",
) -> Ended:
    with tempfile.TemporaryDirectory() as made:
        paths = [Path(made) / name for name in ("out", "errors", "typed")]
        out, errors, typed_in = paths
        typed_in.write_text(typed, "utf-8")
        asked = ["run", kind, list(what), dict(environment), str(folder), *map(str, paths)]
        code, cpu_s, peak_bytes = _ask(asked, timeout_s)
        return Ended(
            int(code), out.read_text("utf-8"), errors.read_text("utf-8"), cpu_s, int(peak_bytes)
        )


class _Server:
    """A server process, and the two pipes to it; it ends when nobody can ask it any more."""

    def __init__(self) -> None:
        theirs, ours = os.pipe()
        answers, answering = os.pipe()
        self.requests = os.fdopen(ours, "w", encoding="utf-8")
        self.answers = os.fdopen(answers, encoding="utf-8")
        self.pid = self._fork(theirs, answering) if _loaded else self._start(theirs, answering)
        os.close(theirs)
        os.close(answering)
        atexit.register(self.end)
        # Loading takes seconds, and far more on a busy computer: no request's deadline counts it.
        assert self.answers.readline(), "the server of commands ended before it was ready"

    def end(self) -> None:
        """Kill it, once."""
        pid, self.pid = self.pid, 0
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _start(self, requests: int, answers: int) -> int:
        """In an interpreter of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.command_server"],
            cwd=_CHECKOUT,
            env=dict(os.environ) | {"PYTHONUTF8": "1"},
            stdin=requests,
            stdout=answers,
        )
        process.returncode = 0  # it is waited for by its id
        return process.pid

    def _fork(self, requests: int, answers: int) -> int:
        """In a fork of this one, which is one of a server."""
        pid = os.fork()
        if pid == 0:
            self.requests.close()
            self.answers.close()
            os.dup2(requests, 0)
            os.dup2(answers, 1)
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            _answer()
            os._exit(0)
        return pid


def _ask(request: Sequence[object], timeout_s: float) -> list[Any]:
    """The answer of this thread's server, which is started with the first request."""
    server: _Server | None = getattr(_servers, "server", None)
    if server is None or not server.pid:
        server = _servers.server = _Server()
    watchdog = threading.Timer(timeout_s, server.end)
    watchdog.start()
    try:
        server.requests.write(json.dumps(request) + "\n")
        server.requests.flush()
        answer = server.answers.readline()
    finally:
        watchdog.cancel()
    assert answer, f"{request[:3]}: no end within {timeout_s:g} seconds"
    found: list[Any] = json.loads(answer)
    return found


def serve() -> None:
    """Be a server, to the end of stdin."""
    _load()
    _answer()


def _answer() -> None:
    """Say that it is ready; then fork for each request, and answer with how the fork ended, or
    with its process id."""
    print("ready", flush=True)
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
    global _loaded
    for module in _LOADED:
        import_module(module)
    for package in map(import_module, _PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if found.name != _LEFT_OUT:
                import_module(found.name)
    from tests.support.empty_databases import copy_new_databases, create_database

    copy_new_databases()
    with tempfile.TemporaryDirectory() as folder:
        create_database(Path(folder) / "library.sqlite").close()  # forks find the copy
    gc.collect()
    gc.freeze()  # no collection of a fork looks at what was loaded
    _loaded = True


def _entry(kind: str) -> Callable[[list[Any]], int]:
    """The function that a fork runs with what was asked for."""
    if kind == "stream":
        from tests.support.command_stream import run_all

        return run_all
    if kind == "script":
        return _run_path
    from bifolio_cli.main import run

    return run


def _run_path(command: list[str]) -> int:
    """Be the script; it says its exit code by ``SystemExit``."""
    sys.argv = list(command)
    run_path(command[0], run_name="__main__")
    return 0


def _become(
    kind: str,
    what: list[Any],
    environment: dict[str, str],
    folder: str,
    out: str,
    errors: str,
    typed: str = os.devnull,
) -> None:
    """Be one command from here on; does not return."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        os.dup2(os.open(typed, os.O_RDONLY), 0)
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
        server: _Server | None = getattr(_servers, "server", None)
        if server is not None:
            server.end()  # what its commands used is reported with what this one did
    finally:
        os._exit(code)


if __name__ == "__main__":
    # By its name, so that forks find that everything is loaded.
    from tests.support import command_server

    command_server.serve()

"""Commands of ``bifolio``, each in a process of its own, without starting an interpreter for each.

A server process loads what the command loads, once, and forks for every command: the fork runs
the console script's function with an environment, a folder, a closed keyboard and streams of its
own, and ends with its exit code. Nothing of one command is left for the next but what importing
leaves. ``run_all`` runs many commands in one fork (``command_stream``). Most of an end-to-end test
would be the starts of interpreters; `make test-all` starts them (``BIFOLIO_TEST_EXEC``), as do
the tests that kill, wrap or read a process while it runs.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).parents[2]

#: What commands load when they need it; of the packages, every module (see ``_load``).
_LOADED = "pycrdt websockets.asyncio.client sqlite_utils lxml.etree".split()
_PACKAGES = "bifolio bifolio_cli.commands".split()

_servers = threading.local()


def is_available() -> bool:
    """Whether this system can fork, and nobody asked for whole processes."""
    return hasattr(os, "fork") and not os.environ.get("BIFOLIO_TEST_EXEC")


def run(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout_s: float
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    return _forked("command", arguments, environment, folder, timeout_s)


def run_all(
    commands: Sequence[Sequence[str]],
    *,
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
) -> tuple[int, str, str]:
    """The same of ``command_stream`` with these commands."""
    return _forked("stream", list(map(list, commands)), environment, folder, timeout_s)


def _forked(
    kind: str,
    what: Sequence[object],
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
) -> tuple[int, str, str]:
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
    with tempfile.TemporaryDirectory() as streams:
        out, errors = Path(streams) / "out", Path(streams) / "errors"
        request = [kind, list(what), dict(environment), str(folder), str(out), str(errors)]
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
        assert answer, f"{what}: no end within {timeout_s:g} seconds"
        return int(answer), out.read_text("utf-8"), errors.read_text("utf-8")


def _end(server: subprocess.Popen[str]) -> None:
    """End a server with the tests."""
    server.kill()
    server.communicate()


def _serve() -> None:
    """Fork for each request, wait for the command's end, and say its exit code."""
    _load()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


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
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
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

"""A library served from the process of automatic sync: it comes and goes with its setting, and
neither stops the other."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.deadlines import until

from bifolio import Library, limits
from bifolio.autosync import control
from bifolio.autosync.registry import LOG, Registry
from bifolio.autosync.supervisor import Companion, run
from bifolio.home import Home
from bifolio.serve import beside_sync
from bifolio.serve.beside_sync import serve_beside


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(beside_sync, "_LOOK_S", 0.05)
    return Home(tmp_path / "home")


@pytest.fixture
def library(tmp_path: Path, home: Home) -> Path:
    """A library that is on; it has no relay, which is the worker's trouble and nobody else's."""
    path = tmp_path / "A.bifolio"
    with Library.create(path, home=home) as opened:
        opened.add({"type": "book", "title": "Served"})
    Registry(home).add(path)
    return path


@contextmanager
def running(home: Home, companion: Companion) -> Iterator[None]:
    """The process, in a thread of the test."""
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=(home, stopping, None, companion))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_served(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/users/0/items", timeout=5) as one:
            return b"Served" in one.read()
    except (urllib.error.URLError, OSError):
        return False


def problem(home: Home) -> str | None:
    found = control.status(home).serving
    return found.problem if found is not None else None


def test_a_library_is_served_as_long_as_the_setting_says_so(home: Home, library: Path) -> None:
    port, other = free_port(), free_port()
    with running(home, serve_beside):
        assert control.status(home).serving is None
        control.serve(home, library, port)
        until(lambda: is_served(port), what="it is served")
        until(lambda: problem(home) == "", what="the status says so")
        control.serve(home, library, other)
        until(lambda: is_served(other), what="it is served on the other port")
        assert not is_served(port)
        assert control.stop_serving(home, library)
        until(lambda: not is_served(other), what="it is served no more")
        control.serve(home, library, port)
        until(lambda: is_served(port), what="it is served again")
    assert not is_served(port)
    assert problem(home) == "The process of automatic sync is not running."


def test_a_port_that_is_taken_is_said_and_tried_again(
    home: Home, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_RETRY_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        control.serve(home, library, port)
        context = running(home, serve_beside)
        context.__enter__()
        try:
            said = f"Port {port} is taken by another program."
            until(lambda: problem(home) == said, what="the status says who has the port")
            taken.close()
            until(lambda: is_served(port), what="it is served")
            log = (Registry(home).folder / LOG).read_text()
            assert "not serving: port-taken" in log
            assert str(library) not in log
        finally:
            context.__exit__(None, None, None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_fails_next_to_syncing_begins_again_and_syncing_goes_on(
    home: Home, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AUTOSYNC_RETRY_MAX_S", 0.2)
    begun = []

    def fail(_: Home, __: threading.Event, ___: Callable[[str], None]) -> None:
        begun.append(1)
        raise RuntimeError("a fault of its own")

    with running(home, fail):
        until(lambda: len(begun) > 1, what="it began again")
        (synced,) = control.status(home).libraries
        assert (synced.path, bool(synced.reason)) == (library, True)  # its worker went on


def test_turning_a_library_off_ends_its_serving(home: Home, library: Path) -> None:
    control.serve(home, library, 23119)
    assert not control.stop_serving(home, library.with_name("B.bifolio"))
    control.turn_off(home, library)
    assert control.status(home).serving is None


def test_a_library_without_a_relay_is_served_and_the_process_runs_for_it_alone(
    home: Home, library: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    Registry(home).remove(library)  # what is not attached is not kept in sync
    stopping = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        arguments = (home, stopping, None, serve_beside)
        threads.append(threading.Thread(target=run, args=arguments))
        threads[-1].start()

    try:
        control.serve_alone(home, library, port, start)
        until(lambda: is_served(port), what="it is served")
        status = control.status(home)
        assert (status.running, status.libraries) == (True, ())
        assert control.turn_off(home, library)
        until(lambda: not control.is_running(home), what="the process ended by itself")
        assert not is_served(port)
    finally:
        stopping.set()
        for one in threads:
            one.join(30)

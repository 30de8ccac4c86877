"""Automatic sync through the command: two computers in sync without a sync command."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.deadlines import until
from tests.support.relay_process import RelayProcess

from bifolio.autosync import control
from bifolio.home import Home
from bifolio.results import Link, SyncedLibrary


@contextmanager
def turned_on(*computers: Computer) -> Iterator[list[dict[str, Any]]]:
    """Automatic sync on each; whatever happens, no process is left."""
    try:
        yield [computer.run("autosync", "on", "--process") for computer in computers]
    finally:
        for computer in computers:
            if control.is_running(home_of(computer)):
                computer.call("autosync", "off", "--all")


def home_of(computer: Computer) -> Home:
    return Home(computer.home, device_name=computer.name)


def state_of(computer: Computer) -> SyncedLibrary:
    """What ``autosync status`` says of the one library, asked without a command."""
    (line,) = control.status(home_of(computer)).libraries
    return line


def shows(computer: Computer, key: str, title: str) -> None:
    """Wait until a computer shows a title, without any command on it."""

    def look() -> bool:
        with computer.opened() as library:
            return bool(library.show(key).fields["title"] == title)

    until(look, what=f"{computer.name} shows {title}")


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.heavy
def test_two_computers_stay_in_sync_by_themselves_until_it_is_turned_off(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    with turned_on(desk, laptop) as (at_desk, at_laptop):
        assert at_desk["running"]
        assert at_desk["pid"] != at_laptop["pid"]
        assert at_desk["starts_at_login"], "the desktop's autostart folder has it"
        assert [one["path"] for one in at_desk["libraries"]] == [str(desk.library)]
        desk.run("edit", "work0", "title=Without a sync")
        shows(laptop, "work0", "Without a sync")

        own_relay.kill()
        until(lambda: state_of(desk).link is Link.WAITING, what="it waits for the relay")
        desk.run("edit", "work1", "title=While the relay was away")
        (library,) = desk.run("autosync", "status")["libraries"]
        assert (library["link"], library["unsent"]) == ("waiting", 1)
        assert "cannot be reached" in library["reason"]
        own_relay.start()
        shows(laptop, "work1", "While the relay was away")

        # A command never waits for the process, whatever that does.
        os.kill(at_desk["pid"], signal.SIGSTOP)
        desk.run("edit", "work2", "title=While it was stopped")
        assert control.status(home_of(desk)).libraries[0].unsent == 1
        os.kill(at_desk["pid"], signal.SIGCONT)
        shows(laptop, "work2", "While it was stopped")

        again = desk.run("autosync", "on", "--process")
        assert again["pid"] == at_desk["pid"], "a second 'on' starts no second one"
        os.kill(at_laptop["pid"], signal.SIGKILL)
        until(lambda: control.status(home_of(laptop)).restarts == 1, what="it began again")
        assert "SIGKILL" in laptop.call("autosync", "status").stdout
        # Its parent is in its session: with both of them nothing is left to begin it again.
        os.killpg(os.getpgid(control.status(home_of(laptop)).pid or 0), signal.SIGKILL)
        until(lambda: state_of(laptop).link is Link.STOPPED, what="the status says so")
        laptop.run("edit", "work0", "title=Before it began again")
        assert laptop.run("autosync", "on", "--process")["pid"] != at_laptop["pid"]
        shows(desk, "work0", "Before it began again")

        off = desk.run("autosync", "off")
        assert (off["running"], off["libraries"], off["starts_at_login"]) == (False, [], False)
        until(lambda: has_ended(at_desk["pid"]), what="the process has ended")
        desk.run("edit", "work0", "title=Made after it was off")
        assert desk.run("status")["unsent"] == 1
    log = desk.home / "autosync" / "log.txt"
    for private in ("Work", "work0", "Without a sync", "Shared works", "Doe", str(desk.home)):
        assert private not in log.read_text()


def test_a_library_without_a_relay_is_not_turned_on(desk: Computer) -> None:
    desk.run("init")
    assert "attach" in desk.fails("autosync", "on", "--process")
    assert not control.status(home_of(desk)).libraries


@pytest.mark.heavy
def test_a_library_without_a_relay_is_served_until_it_is_turned_off(desk: Computer) -> None:
    desk.run("init")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    on = desk.call("autosync", "on", "--process", "--serve", "--port", port, exits=0)
    try:
        assert "has no relay, so it is served and not synced" in on.stderr
        until(
            lambda: desk.run("autosync", "status")["serving"]["problem"] == "",
            what="it is served",
        )
        assert desk.run("serve", "status")["address"] == f"http://127.0.0.1:{port}/"
        off = desk.run("autosync", "on", "--process", "--no-serve")
        assert (off["running"], off["serving"]) == (False, None)
    finally:
        desk.call("autosync", "off", "--all")


@pytest.mark.heavy
def test_a_library_is_served_by_the_process_that_syncs_it_and_again_after_kill_9(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def titles() -> list[str]:
        address = f"http://127.0.0.1:{port}/api/users/0/items/top?sort=title"
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                return [str(one["data"]["title"]) for one in json.loads(answer.read())]
        except OSError:
            return []

    with turned_on(laptop):
        try:
            on = desk.run("autosync", "on", "--process", "--serve", "--port", str(port))
            assert (on["serving"]["path"], on["serving"]["port"]) == (str(desk.library), port)
            until(lambda: bool(titles()), what="it is served")
            laptop.run("edit", "work0", "title=From the other computer")
            until(lambda: "From the other computer" in titles(), what="what was synced is served")
            os.kill(on["pid"], signal.SIGKILL)
            until(lambda: not titles(), what="it is gone")
            until(lambda: bool(titles()), what="it is served again")
            assert desk.run("autosync", "status")["serving"]["problem"] == ""
            desk.run("autosync", "on", "--process", "--no-serve")
            until(lambda: not titles(), what="it is served no more")
        finally:
            desk.call("autosync", "off", "--all")

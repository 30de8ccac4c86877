"""``bifolio serve`` as it is run: a process that other programs ask, killed and asked again."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from benchmarks.support.bibliography import write_bibliography
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.deadlines import until
from tests.support.relay_process import RelayProcess


@dataclass(frozen=True)
class Process:
    """A process that serves, and its address."""

    popen: subprocess.Popen[str]
    address: str

    def ask(
        self, path: str, value: object = None, *, method: str = "", **headers: str
    ) -> tuple[Any, dict[str, str]]:
        body = json.dumps(value).encode() if value is not None else None
        named = {name.replace("_", "-"): one for name, one in headers.items()}
        named["User-Agent"] = "a program"
        method = method or ("POST" if body else "GET")
        asked = urllib.request.Request(self.address + path, data=body, headers=named, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            raw = answer.read()
            return json.loads(raw) if raw else None, {
                name.lower(): one for name, one in answer.headers.items()
            }

    def write(self, titles: list[str], **headers: str) -> list[str]:
        """Make books; their keys."""
        _, answered = self.ask("api/users/0/items?limit=1")
        server = answered["zotero-server-id"]
        leave, _ = self.ask("api/local/authorize", {"appName": "Test"}, Zotero_Server_ID=server)
        items = [{"itemType": "book", "title": one} for one in titles]
        key = leave["key"]
        made, _ = self.ask(
            "api/users/0/items", items, Zotero_Server_ID=server, Zotero_API_Key=key, **headers
        )
        return list(made["success"].values())


@contextmanager
def serving(computer: Computer, *options: str) -> Iterator[Process]:
    """Serve a computer's library on any free port."""
    process = computer.start("--json", "serve", "--zotero", "--port", "0", *options)
    try:
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        yield Process(process, json.loads(said)["address"])
    finally:
        process.kill()
        process.communicate()


def titles(process: Process) -> list[str]:
    found, _ = process.ask("api/users/0/items/top?sort=title")
    return [str(one["data"]["title"]) for one in found]


def test_programs_find_what_commands_write_and_commands_what_programs_write(
    desk: Computer,
) -> None:
    desk.run("init")
    desk.run("add", "type=book", "title=By a command")
    assert desk.run("serve", "status") == {"address": None, "programs": []}
    (allowed,) = desk.run("serve", "allow", "Test")["programs"]
    assert (allowed["name"], allowed["keys"]) == ("Test", 0)
    with serving(desk) as process:
        assert titles(process) == ["By a command"]
        assert desk.run("serve", "status")["address"] == process.address
        process.write(["By a program"])
        desk.run("add", "type=book", "title=By another command")
        assert titles(process) == ["By a command", "By a program", "By another command"]
        said = [action["text"] for entry in desk.run("log") for action in entry["what"]]
        assert "Test: wrote 1 item" in said
        desk.run("serve", "revoke", "Test")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            process.write(["Late"])
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(30) == 0
    assert desk.run("serve", "status") == {"address": None, "programs": []}


def write_until_killed(
    process: Process, seconds: float, begun: list[str] | None = None
) -> dict[str, str]:
    """Write from three threads, kill -9 in the middle; the titles that were answered, by key.

    Args:
        begun: is given the titles that were sent, each with itself as its token.
    """
    answered: dict[str, str] = {}

    def keep_writing(thread: int) -> None:
        with suppress(OSError, http.client.HTTPException):
            for number in range(10_000):
                title = f"Book {process.popen.pid} {thread} {number}"
                if begun is not None:
                    begun.append(title)
                (key,) = process.write([title], Zotero_Write_Token=title)
                answered[key] = title

    threads = [threading.Thread(target=keep_writing, args=(number,)) for number in range(3)]
    for one in threads:
        one.start()
    until(lambda: len(answered) >= 3, what="something was answered")
    time.sleep(seconds)
    process.popen.kill()
    process.popen.wait(30)
    for one in threads:
        one.join(60)
    return answered


@pytest.mark.heavy
def test_what_was_answered_is_there_after_kill_9(desk: Computer) -> None:
    desk.run("init")
    desk.run("serve", "allow", "Test")
    begun: list[str] = []
    with serving(desk) as process:
        answered = write_until_killed(process, 0.2, begun)
    with serving(desk) as process:
        found, _ = process.ask("api/users/0/items/top")
        there = {one["key"]: one["data"]["title"] for one in found}
        assert {key: there.get(key) for key in answered} == answered
        assert len(there) <= len(answered) + 3  # what was written as it ended
        # Who got no answer sends the same again: it is done, once.
        for title in begun:
            if title not in answered.values():
                with suppress(urllib.error.HTTPError):  # 412: it was done before the end
                    process.write([title], Zotero_Write_Token=title)
        assert sorted(titles(process)) == sorted(begun)


def test_it_says_what_is_missing_and_who_has_the_port(desk: Computer) -> None:
    desk.run("init")
    assert "--zotero" in desk.fails("serve", exits=2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = desk.fails("serve", "--zotero", "--port", str(port))
    assert said.startswith(f"Port {port} is taken by another program. Close that program")


@pytest.mark.heavy
def test_an_import_of_ten_thousand_goes_on_while_programs_ask(desk: Computer) -> None:
    desk.run("init")
    desk.run("serve", "allow", "Test")
    desk.run("add", "type=book", "title=First")
    write_bibliography(desk.home / "many.bib", 10_000)
    with serving(desk) as process:
        importing = desk.start("--json", "import", desk.home / "many.bib")
        versions = []
        while importing.poll() is None:
            found, headers = process.ask("api/users/0/items/top?limit=100")
            versions.append(int(headers["last-modified-version"]))
            total = int(headers["total-results"])
            assert len(found) == min(100, total)
            process.write(["Meanwhile"])
        imported = json.loads(importing.communicate()[0])
        assert versions == sorted(versions)
        _, headers = process.ask("api/users/0/items/top?limit=1")
        expected = 1 + imported["added"] + len(versions)
        assert int(headers["total-results"]) == expected


@pytest.mark.heavy
def test_kill_9_in_an_import_and_a_sync_loses_no_answered_write(
    desk: Computer, laptop: Computer, own_relay: RelayProcess
) -> None:
    share(own_relay.url, desk, laptop)
    desk.run("serve", "allow", "Test")
    write_bibliography(desk.home / "many.bib", 10_000)
    answered: dict[str, str] = {}
    importing = desk.start("--json", "import", desk.home / "many.bib")
    for number in range(3):
        with serving(desk) as process:
            answered |= write_until_killed(process, 1.5)
        laptop.run("edit", "work0", f"title=Round {number}")
        laptop.run("sync")
        desk.run("sync")
    imported = json.loads(importing.communicate()[0])
    with serving(desk) as process:
        found, headers = process.ask("api/users/0/items/top")
        there = {one["key"]: one["data"]["title"] for one in found}
        assert {key: there.get(key) for key in answered} == answered
        assert int(headers["total-results"]) == len(there) >= imported["added"]
        assert "Round 2" in there.values()  # what was synced is served
        desk.run("edit", "work1", "title=By a command")
        found, _ = process.ask("api/users/0/items/top?q=%22By%20a%20command%22")
        assert [one["data"]["title"] for one in found] == ["By a command"]

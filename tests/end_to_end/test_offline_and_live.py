"""Edits without a relay, and edits that travel at once."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer, Outcome, check_for_faults
from tests.support.convergence import assert_same_library
from tests.support.relay_process import RelayProcess

#: What a busy test machine may need; the time measured is printed.
CARRIED_WITHIN_S = 5.0

SYNC_KEYS = set("pushed pulled files_sent files_received kept_back conflicts state".split())


class Watch:
    """``bifolio sync --watch`` on one computer: its rounds, as they are printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.errors = ""
        self._rounds: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def round_with(self, counted: str, *, within_s: float = 20.0) -> dict[str, Any]:
        """The next round in which so counted changes (``pushed``, ``pulled``) are not none."""
        deadline = time.monotonic() + within_s
        while True:
            report = self._rounds.get(timeout=max(0.0, deadline - time.monotonic()))
            if report[counted]:
                return report

    def first_round(self) -> dict[str, Any]:
        """The round that says that it is connected and has everything."""
        return self._rounds.get(timeout=20)

    def end(self) -> int:
        """Ctrl-C; the exit code. What it said on stderr is then in ``errors``."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=20)
        self._reader.join(timeout=20)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._rounds.put(json.loads(line))


@contextmanager
def watching(computer: Computer) -> Iterator[Watch]:
    """``sync --watch`` while the block runs; it must end well."""
    watch = Watch(computer.start("sync", "--watch", "--json"))
    try:
        yield watch
    except BaseException:
        watch.process.kill()
        watch.end()
        raise
    assert watch.end() == 0, watch.errors
    check_for_faults(Outcome(0, "", watch.errors))


def test_an_edit_with_the_relay_down_is_kept_and_pushed_at_the_next_sync(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    own_relay.stop()
    began = time.monotonic()
    desk.run("edit", "work0", "title=Made offline")
    took = time.monotonic() - began
    print(f"an edit with the relay down, as a whole process: {took:.2f} s")
    assert "Your edits are kept here" in desk.fails("sync")
    assert desk.run("status")["unsent"] == 1

    own_relay.start()
    assert desk.run("sync")["pushed"] == 1
    assert laptop.run("sync")["pulled"] == 1
    assert laptop.run("show", "work0")["fields"]["title"] == "Made offline"
    assert_same_library(desk, laptop)


def test_watching_computers_carry_an_edit_over_at_once(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    with watching(desk) as at_desk, watching(laptop) as at_laptop:
        for watch in (at_desk, at_laptop):
            first = watch.first_round()
            assert set(first) == {
                "pushed",
                "kept_back",
                "pulled",
                "files_sent",
                "files_received",
                "conflicts",
                "moved_to",
                "state",
            }
        began = time.monotonic()
        desk.run("edit", "work0", "title=Seen at once")
        edited = time.monotonic()
        arrived = at_laptop.round_with("pulled", within_s=CARRIED_WITHIN_S)
        ended = time.monotonic()
        print(
            f"merged on the other computer {ended - began:.3f} s after the edit's command was "
            f"started, {ended - edited:.3f} s after it had ended"
        )
        assert laptop.run("show", "work0")["fields"]["title"] == "Seen at once"
        assert at_desk.round_with("pushed")["state"] == arrived["state"]

        laptop.run("edit", "work1", "title=And back")
        at_desk.round_with("pulled", within_s=CARRIED_WITHIN_S)
        assert desk.run("show", "work1")["fields"]["title"] == "And back"
    assert_same_library(desk, laptop)


@pytest.mark.heavy
def test_watching_goes_on_after_the_relay_was_killed_and_came_back(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    with watching(desk) as at_desk:
        at_desk.first_round()
        own_relay.kill()
        desk.run("edit", "work0", "title=Made while it was away")
        own_relay.start()
        at_desk.round_with("pushed")
        assert laptop.run("sync")["pulled"] == 1
    assert "cannot be reached" in at_desk.errors
    assert_same_library(desk, laptop)

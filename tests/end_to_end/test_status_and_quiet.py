"""Cases J3 and N1: nothing is sent without need, and ``status`` says where a replica stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.arrangements import make_library, share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess


def test_sync_after_convergence_sends_no_change(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """J3: not from either side, and the relay stores nothing more."""
    share(own_relay.url, desk, laptop)
    desk.run("edit", "work0", "title=One")
    laptop.run("edit", "work0", "title=Two")
    laptop.run("delete", "work1")
    assert_converges(desk, laptop)

    own_relay.stop()
    stored = own_relay.stored_bytes()
    own_relay.start()
    for _ in range(2):
        for computer in (desk, laptop):
            report = computer.run("sync")
            assert (report["pushed"], report["pulled"]) == (0, 0)
    own_relay.stop()
    log_length = len(own_relay.log.read_bytes())
    assert len(own_relay.stored_bytes()) - log_length <= len(stored)
    own_relay.start()


@pytest.mark.heavy
def test_status_says_what_is_unsent_when_the_relay_was_last_heard_and_what_to_do(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """N1: unsent changes and files, last contact, state hash, reasons with their next step."""
    make_library(desk, "@book{one, title = {One}}\n")
    alone = desk.run("status")
    assert alone["relay"] is None
    assert alone["unsent"] > 0
    assert (alone["references"], alone["trashed"], alone["unsent_files"]) == (1, 0, 0)

    began = datetime.now(UTC)
    ticket = desk.run("attach", own_relay.url)["ticket"]
    attached = desk.run("status")
    assert (attached["unsent"], attached["waiting"], attached["refusals"]) == (0, 0, [])
    relay = attached["relay"]
    assert (relay["url"], relay["reachable"]) == (own_relay.url, True)
    last_sync = datetime.fromisoformat(relay["last_sync"])
    # Shown in milliseconds, so it may seem to lie just before.
    assert began.timestamp() - 0.001 <= last_sync.timestamp() <= datetime.now(UTC).timestamp()

    desk.run("edit", "one", "title=Offline")
    own_relay.stop()
    assert own_relay.url in desk.fails("sync")
    offline = desk.run("status")
    assert offline["unsent"] == 1
    assert offline["relay"] == {**relay, "reachable": False}
    assert offline["state"] != attached["state"]
    assert len(bytes.fromhex(offline["state"])) == 32
    sentences = desk.call("status", exits=0).stdout
    for part in (
        "not reached",
        "1 change of this computer not sent",
        relay["last_sync"],
        offline["state"],
    ):
        assert part in sentences

    own_relay.wipe()
    own_relay.start()
    desk.run("sync")
    (refusal,) = desk.run("status")["refusals"]
    assert "lost part of its log" in refusal["reason"]
    assert refusal["next"]
    assert refusal["reason"] in desk.call("status", exits=0).stdout

    laptop.run("attach", ticket, laptop.library)
    healed = desk.run("sync")
    assert healed["state"] == laptop.run("status")["state"] == desk.run("status")["state"]
    assert desk.run("status")["refusals"] == []

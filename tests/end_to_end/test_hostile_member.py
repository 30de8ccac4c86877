"""Case J2: a member sends sealed content that is hostile, of every kind, through a real relay.

Each is refused and its author named; every other change arrives; no process ends; the state hashes
are equal.
"""

from __future__ import annotations

import msgpack
import pytest
from tests.support import yjs_updates as yjs
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.hostile_member import HostileMember
from tests.support.relay_process import RelayProcess

from bifolio.ids import SEPARATOR
from bifolio.wire.changes import Body, Incarnation


def hostile_updates(mallory: HostileMember) -> dict[str, bytes]:
    """One update of each kind, by what is wrong with it."""
    mine = mallory.client_id
    key = f"title{SEPARATOR}{mallory.slot}"
    foreign = yjs.pair(mallory.stamp(), "in another's name")
    others_key = f"title{SEPARATOR}{'A' * 12}"
    huge = yjs.number((1 << 31) - 1)
    value = yjs.entry(key, yjs.pair(mallory.stamp(), "x"))
    return {
        "garbage": b"\xff" * 40,
        "nested a thousand": yjs.update(yjs.entry(key, yjs.nested(1_000)), client=mine),
        "nested a hundred thousand": yjs.update(yjs.entry(key, yjs.nested(100_000)), client=mine),
        "nested maps": yjs.update(yjs.entry(key, yjs.nested(100_000, maps=True)), client=mine),
        "another's client id": yjs.update(yjs.entry(key, yjs.NULL), client=4711),
        "another's slot": yjs.update(yjs.entry(others_key, foreign), client=mine),
        "a part that is missing": yjs.update(value, client=mine, clock=1000),
        "a delete of what is not there": yjs.update(deletes=[(4711, 0, 5)]),
        "a struct of many gigabytes": b"\x01\x01" + yjs.number(mine) + b"\x00\x00" + huge,
        "a child of a plain value": yjs.of_clients(
            (mine, 0, [value, yjs.piece("x", parent=(mine, 0))])
        ),
    }


def hostile_bodies(mallory: HostileMember) -> dict[str, bytes]:
    """One plaintext of each kind."""
    stamp = bytes.fromhex(mallory.stamp())
    foreign = (Incarnation("A" * 12, b"n" * 8),)
    records = [[bytes([1]) * 16, b""]] * 1_500_000
    return {
        "no body": b"\xc1",
        "a list that claims two billion": b"\x94\x02\x90\xdd\x7f\xff\xff\xff",
        "a million records": msgpack.packb([2, [], [[stamp, records]], {}]),
        "thirty megabytes of nothing": bytes(30 << 20),
        "nested without end": b"\x94\x02" + b"\x91" * 100_000,
        "a foreign slot declared": Body((), (), incarnations=foreign).serialize(),
    }


@pytest.fixture
def attacked(own_relay: RelayProcess, desk: Computer, laptop: Computer) -> HostileMember:
    share(own_relay.url, desk, laptop)
    return HostileMember.on(laptop)


def test_j2_hostile_content_of_every_kind_costs_its_author_and_nobody_else(
    own_relay: RelayProcess, desk: Computer, laptop: Computer, attacked: HostileMember
) -> None:
    mallory = attacked
    (target, *_) = desk.run("list")
    sent = []
    for update in hostile_updates(mallory).values():
        with mallory.elsewhere():
            mallory.starts_incarnation()
            sent.append(mallory.says(mallory.change((target["id"], update))))
    for plaintext in hostile_bodies(mallory).values():
        with mallory.elsewhere():
            sent.append(mallory.seals(plaintext))
    for number in range(5):  # what nobody can ever merge
        with mallory.elsewhere():
            sent.append(mallory.says(frontier=(bytes([number + 1]) * 32,)))
    mallory.push(own_relay.url, *sent)

    desk.run("edit", target["key"], "title=After the attack")
    desk.run("sync")
    laptop.run("edit", "work1", "title=Written by the honest program there")
    laptop.run("sync")
    desk.run("sync")

    at_desk, at_laptop = desk.run("status"), laptop.run("status")
    assert at_desk["state"] == at_laptop["state"]
    titles = {one["fields"]["title"] for one in desk.run("list")}
    assert {"After the attack", "Written by the honest program there"} <= titles
    said = [one["reason"] for one in at_desk["refusals"]]
    assert said
    for reason in said:
        assert "laptop" in reason, "the author is named"
    for steps in at_desk["refusals"]:
        assert steps["next"]["text"]
    assert at_desk["unsent"] == at_laptop["unsent"] == 0
    assert desk.call("doctor", "--offline").exit_code == 3


@pytest.mark.heavy
def test_nobody_needs_the_whole_attack_to_be_over_to_go_on(
    own_relay: RelayProcess, desk: Computer, attacked: HostileMember
) -> None:
    mallory = attacked
    (target, *_) = desk.run("list")
    for update in hostile_updates(mallory).values():
        with mallory.elsewhere():
            mallory.starts_incarnation()
            mallory.push(own_relay.url, mallory.says(mallory.change((target["id"], update))))
        desk.run("edit", target["key"], "note=Still here")
        desk.run("sync")
    assert desk.run("status")["unsent"] == 0

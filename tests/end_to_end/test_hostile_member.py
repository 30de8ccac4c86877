"""Case J2: a member sends sealed content that is hostile, of every kind, through a real relay.

Each is refused and its author named; every other change arrives; no process ends; the state hashes
are equal.
"""

from __future__ import annotations

from pathlib import Path

import msgpack
import pytest
from tests.support import lax_relay
from tests.support import yjs_updates as yjs
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.hostile_member import HostileMember
from tests.support.relay_process import RelayProcess

from bifolio.ids import SEPARATOR
from bifolio.wire.changes import Body, Incarnation
from bifolio.wire.messages import Ack, Code, Nack


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


@pytest.mark.heavy
def test_i2_what_a_reader_pushes_is_refused_by_every_replica_though_its_relay_lets_it_pass(
    own_relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path: Path
) -> None:
    share(own_relay.url, desk, laptop)
    reader = Computer.make(tmp_path, "ada")
    reader.run("attach", desk.run("invite", "--role", "reader")["ticket"])
    mallory = HostileMember.on(reader)
    made = mallory.writes(mallory.document(), {"title": "By a reader", "type": "book"})
    (target, *_) = desk.run("list")
    with reader.opened() as library:
        state = library._replica.records.read(target["id"])
        assert state is not None
        edited = mallory.writes(mallory.document(state.state), {"title": "Edited by a reader"})
    envelopes = [
        mallory.says(mallory.change(("ab" * 16, made))),
        mallory.says(mallory.change((target["id"], edited))),
    ]
    # The relay itself refuses it; one that is altered does not.
    (refusal,) = mallory.push(own_relay.url, envelopes[0])
    assert isinstance(refusal, Nack)
    assert refusal.code is Code.FORBIDDEN
    own_relay.stop()
    before = desk.run("status")["state"]
    with lax_relay.running(own_relay.data, port=own_relay.port) as url:
        assert url == own_relay.url
        answers = mallory.push(url, *envelopes)
        assert [type(one) for one in answers] == [Ack, Ack]
        for computer in (desk, laptop, desk):
            computer.run("sync")
        newcomer = Computer.make(tmp_path, "newcomer")
        newcomer.run("attach", desk.run("invite")["ticket"])
        laptop.run("add", "title=After", "citation-key=after")
        for computer in (laptop, desk, newcomer):
            computer.run("sync")
    states = {one.run("status")["state"] for one in (desk, laptop, newcomer)}
    assert len(states) == 1
    assert before not in states
    for computer in (desk, laptop, newcomer):
        titles = {one["fields"]["title"] for one in computer.run("list")}
        assert "After" in titles
        assert not {"By a reader", "Edited by a reader"} & titles
        said = [one["reason"] for one in computer.run("status")["refusals"]]
        assert any("ada" in one and "had no right to write" in one for one in said), said

"""A relay is put back to an earlier state while somebody joins: two lists of members.

Where the relay's is the one that goes on, a computer that has the other follows it, and carries
what lost on top; the same rule says when it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator

from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import Membership, Role, invite_keys, make_join
from bifolio.ids import content_hash, digest
from bifolio_relay.requests import AppendMember, MembersPart

TICKET = b"t" * 32
NEW_SECRET = b"n" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def membership(world: Simulator, number: int = 0) -> Membership:
    known = world.computers[number].member_log.membership()
    assert known is not None
    return known


def _draw(number: int, count: int) -> bytes:
    """Bytes for the keys of one of the devices that might join."""
    return digest(number.to_bytes(4, "big"), size=count)


def forked(world: Simulator, *, relay_wins: bool) -> DeviceKeys:
    """The owner has an invite that the relay forgot, and the relay a join; who joined."""
    owner = world.computers[0]
    sync(world.relay, owner, invite_secret=TICKET)
    for computer in world.computers:
        sync(world.relay, computer)
    before, copy = membership(world), world.relay.copy()
    sync(world.relay, owner, invite_secret=NEW_SECRET)
    lost = membership(world).records[-1]
    world.relay.roll_back(copy)
    number = 0
    while True:
        number += 1
        keys = new_device_keys("new", partial(_draw, number))
        join = make_join(before, keys, ticket_secret=TICKET)
        if (content_hash(join) < content_hash(lost)) is relay_wins:
            break
    answer = world.relay.answer(
        AppendMember(before.library_id, invite_keys(TICKET).sign_public, before.head, join)
    )
    assert isinstance(answer, MembersPart)
    return keys


def test_a_list_that_lost_is_carried_on_top_of_the_relays(world: Simulator) -> None:
    newcomer = forked(world, relay_wins=True)
    sync(world.relay, world.computers[0])
    merged = membership(world)
    assert merged.role_of(newcomer.sign_public) is Role.EDITOR
    assert merged.is_open_invite(invite_keys(NEW_SECRET).sign_public)
    for number in (1, 2):
        sync(world.relay, world.computers[number])
        assert membership(world, number) == merged
    assert not world.computers[0].replica.meta.lost_members
    sync(world.relay, world.computers[0])
    assert membership(world) == merged


def test_a_list_that_wins_takes_the_place_of_the_relays(world: Simulator) -> None:
    newcomer = forked(world, relay_wins=False)
    before = membership(world)
    sync(world.relay, world.computers[0])
    merged = membership(world)
    assert merged.records[: len(before.records)] == before.records
    assert merged.role_of(newcomer.sign_public) is Role.EDITOR
    for number in (1, 2):
        sync(world.relay, world.computers[number])
        assert membership(world, number) == merged
    assert sync(world.relay, world.computers[0]) < 10
    assert membership(world) == merged


def test_changes_made_under_the_list_that_lost_reach_everybody(world: Simulator) -> None:
    owner = world.computers[0]
    forked(world, relay_wins=True)
    record = world.typist.add(owner)
    sync(world.relay, owner)
    for computer in world.computers[1:]:
        sync(world.relay, computer)
        assert computer.replica.references.read(record) is not None

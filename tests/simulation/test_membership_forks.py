"""A relay is put back to an earlier state while somebody joins: two lists of members.

Where the relay's is the one that goes on, a computer that has the other follows it, and carries
what lost on top; the same rule says when it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, empty_computer
from tests.simulation.relay import SimulatedRelay, sync
from tests.simulation.simulator import Simulator

from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import Membership, Role, invite_keys, make_join
from bifolio.ids import content_hash, digest
from bifolio.records.edits import Act, Edit
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


def title(world: Simulator, computer: Computer, record: str) -> None:
    """Somebody builds on what another one wrote."""
    world.typist.make(computer, record, Edit("title", Act.SET, ("built on it",)))


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


def test_who_is_still_to_carry_its_own_join_gives_an_emptied_relay_the_library(
    world: Simulator,
) -> None:
    """Found by seed 1075: it had followed a list without itself, and then the relay was wiped."""
    owner, copy = world.computers[0], world.relay.copy()
    newcomer = empty_computer(
        world.folder / "new", seed=9, clock=Clock(), name="new", library=owner
    )
    world.computers.append(newcomer)
    newcomer.join_secret = world.ticket_secret
    sync(world.relay, newcomer)
    record = world.typist.add(newcomer)
    world.relay.roll_back(copy)
    sync(world.relay, owner, invite_secret=NEW_SECRET)
    newcomer.member_log.meet(membership(world).records)
    assert newcomer.member_log.role() is None
    world.relay.roll_back(None)
    sync(world.relay, newcomer)
    assert newcomer.member_log.role() is Role.EDITOR
    sync(world.relay, owner)
    assert membership(world) == membership(world, 3)
    assert owner.replica.references.read(record) is not None


def test_what_lost_twice_is_carried_behind_what_it_follows(
    world: Simulator, tmp_path: Path
) -> None:
    """Found by seed 13080: a list lost behind the fork of the next one that lost, and what lost
    first was to be carried first; none of it was, and whoever had it wrote under unknown heads."""
    owner = world.computers[0]
    first, backup = world.relay.copy(), owner.copy_file(tmp_path / "backup")
    sync(world.relay, owner, invite_secret=TICKET)
    second = world.relay.copy()
    newcomer = empty_computer(
        world.folder / "new", seed=9, clock=Clock(), name="new", library=owner
    )
    world.computers.append(newcomer)
    newcomer.join_secret = TICKET
    sync(world.relay, newcomer)
    record = world.typist.add(newcomer)
    world.relay.roll_back(second)
    sync(world.relay, owner, invite_secret=NEW_SECRET)
    newcomer.member_log.meet(membership(world).records)
    world.relay.roll_back(first)
    owner.restore(backup)
    sync(world.relay, owner, invite_secret=b"o" * 32)
    newcomer.member_log.meet(membership(world).records)
    assert newcomer.member_log.role() is None
    sync(world.relay, newcomer)
    assert newcomer.member_log.role() is Role.EDITOR
    assert not newcomer.replica.meta.lost_members
    sync(world.relay, owner)
    assert membership(world) == membership(world, 3)
    assert owner.replica.references.read(record) is not None


@pytest.mark.heavy
def test_who_was_left_out_of_a_used_up_ticket_stops_nobody_and_is_heard_with_another(
    world: Simulator,
) -> None:
    """Found by seed 1117: what the one left out had written stopped every member that had it."""
    owner, *laptops = world.computers
    world.admission.invite(owner, world.relay, uses=1)
    ticket = world.admission.tickets[-1]
    second = SimulatedRelay(world.folder / "relay-2", 5)
    second.roll_back(world.relay.copy())
    world.relays.append(second)
    relays, records, newcomers = (world.relay, second), [], []
    for number, (relay, laptop) in enumerate(zip(relays, laptops, strict=True)):
        place = world.folder / f"new {number}"
        newcomer = empty_computer(
            place, seed=20 + number, clock=Clock(), name=place.name, library=owner
        )
        newcomer.join_secret = ticket.secret
        world.computers.append(newcomer)
        newcomers.append(newcomer)
        sync(relay, newcomer)
        world.admission.note(newcomer)
        records.append(world.typist.add(newcomer))
        sync(relay, newcomer)
        sync(relay, laptop)
        title(world, laptop, records[-1])
        sync(relay, laptop)
    for relay in (*relays[::-1], *relays):
        for member in (*laptops, owner):
            sync(relay, member)
    log = membership(world)
    assert sum(log.role_of(one.keys.sign_public) is not None for one in newcomers) == 1
    assert sum(len(one.replica.meta.notes) > 0 for one in laptops) > 0
    world.heal()
    for record in records:
        assert all(one.replica.references.read(record) is not None for one in world.computers)

"""Computers that take new keys, and libraries that move: what the simulation found going wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.simulation.computer import Clock, Computer
from tests.simulation.members import demote, membership_of, remove
from tests.simulation.relay import SimulatedRelay, sync
from tests.simulation.runs import run_seed
from tests.simulation.simulator import Simulator

from bifolio.crypto.envelope import parse_envelope, read_header
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import Permission, Role
from bifolio.history.replay import rebuild_index
from bifolio.ids import content_hash
from bifolio.records.edits import Act, Edit
from bifolio.replication.drafts import find_draft
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.member_acts import RotateAct
from bifolio.replication.outbox import Outbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay; everybody has everything."""
    made = Simulator(tmp_path, seed=1, moves=True)
    made.typist.add(made.computers[0])
    sync_all(made)
    yield made
    made.close()


def sync_all(world: Simulator) -> None:
    assert world.devices is not None
    for _ in range(2):
        for computer in world.computers:
            world.devices.sync(computer)


def rotate(world: Simulator, computer: Computer) -> DeviceKeys:
    """``bifolio device rotate`` on a computer; its next keys."""
    assert world.devices is not None
    fresh = new_device_keys(computer.name, world.choose.randbytes)
    fresh = replace(fresh, earlier=(computer.home_keys.sign_public,))
    computer.next_keys = fresh
    network = world.devices.network
    assert network.run(network.remote(computer).rotate(fresh))
    computer.home_keys, computer.next_keys = fresh, None
    return fresh


def retitle(world: Simulator, computer: Computer, title: str) -> str:
    record = next(iter(computer.replica.references.iter_rows(trashed=False))).id
    world.typist.make(computer, record, Edit("title", Act.SET, (title,)))
    return record


def rotate_behind_a_backup(
    world: Simulator, computer: Computer, folder: Path, *, is_sealed: bool = False
) -> tuple[str, Path]:
    """New keys, and a backup of before that holds an edit which was never sent; its record."""
    before = computer.copy_file(folder / "before")
    record = retitle(world, computer, "in the backup alone")
    if is_sealed:
        Outbox(computer.replica, computer.member_log).seal()
    backup = computer.copy_file(folder / "backup")
    computer.restore(before)
    rotate(world, computer)
    return record, backup


def test_who_may_only_read_takes_new_keys_and_keeps_its_draft(world: Simulator) -> None:
    """The edits that it may not send were to be written again, which it may not either."""
    owner, laptop, _ = world.computers
    record = retitle(world, laptop, "never sent")
    demote(owner, world.relay, laptop.keys.sign_public)
    sync(world.relay, laptop)
    assert laptop.member_log.role() is Role.READER
    fresh = rotate(world, laptop)
    assert membership_of(laptop).role_of(fresh.sign_public) is Role.READER
    assert [one.id for one in find_draft(laptop.replica, laptop.member_log).records] == [record]


def test_a_backup_of_before_new_keys_stops_no_sync_of_who_may_only_read(
    world: Simulator, tmp_path: Path
) -> None:
    """Found by seed 11144."""
    owner, laptop, _ = world.computers
    record, backup = rotate_behind_a_backup(world, laptop, tmp_path)
    demote(owner, world.relay, laptop.keys.sign_public)
    laptop.restore(backup)
    sync_all(world)
    sync_all(world)
    assert [one.id for one in find_draft(laptop.replica, laptop.member_log).records] == [record]


def test_a_backup_of_before_new_keys_brings_what_was_not_sent(
    world: Simulator, tmp_path: Path
) -> None:
    """Under the keys of before it could be signed by nobody."""
    owner, laptop, _ = world.computers
    record, backup = rotate_behind_a_backup(world, laptop, tmp_path)
    laptop.restore(backup)
    sync_all(world)
    shown = owner.replica.references.read(record)
    assert shown is not None
    assert shown.title == "in the backup alone"


def test_what_a_backup_has_not_sent_is_its_computer_s_though_nobody_knows_of_its_new_keys(
    world: Simulator, tmp_path: Path
) -> None:
    """Found by seeds 13080, 13352 and 20183: the relay was put back too, and the computer came in
    again by a ticket; its edits stayed there, unsent without end, and nobody else showed them."""
    owner, laptop, _ = world.computers
    earlier = world.relay.copy()
    record, backup = rotate_behind_a_backup(world, laptop, tmp_path)
    world.relay.roll_back(earlier)
    laptop.restore(backup)
    secret = b"n" * 32
    sync(world.relay, owner, invite_secret=secret)
    laptop.join_secret = secret
    sync(world.relay, laptop)
    sync_all(world)
    assert laptop.replica.changes.unsent() == 0
    for computer in (owner, laptop):
        shown = computer.replica.references.read(record)
        assert shown is not None
        assert shown.title == "in the backup alone"
    assert owner.state() == laptop.state()


def test_a_backup_of_before_new_keys_brings_what_was_sealed_and_not_sent(
    world: Simulator, tmp_path: Path
) -> None:
    """It lies behind the end of the old keys: it was refused as a stranger's. Seed 10039."""
    owner, laptop, _ = world.computers
    record, backup = rotate_behind_a_backup(world, laptop, tmp_path, is_sealed=True)
    laptop.restore(backup)
    sync_all(world)
    sync_all(world)
    for computer in (owner, laptop):
        shown = computer.replica.references.read(record)
        assert shown is not None
        assert shown.title == "in the backup alone"
    assert laptop.replica.changes.unsent() == 0


def test_what_was_sealed_before_new_keys_stays_a_draft_of_who_may_only_read(
    world: Simulator, tmp_path: Path
) -> None:
    owner, laptop, _ = world.computers
    record, backup = rotate_behind_a_backup(world, laptop, tmp_path, is_sealed=True)
    demote(owner, world.relay, laptop.keys.sign_public)
    laptop.restore(backup)
    sync_all(world)
    sync_all(world)
    assert [one.id for one in find_draft(laptop.replica, laptop.member_log).records] == [record]


def test_whose_an_unsent_edit_is_does_not_change_where_the_index_is_made_again(
    world: Simulator, tmp_path: Path
) -> None:
    """Found by seed 11159: a rebuild gave this device what another one had written."""
    owner, laptop, _ = world.computers
    _, backup = rotate_behind_a_backup(world, laptop, tmp_path)
    demote(owner, world.relay, laptop.keys.sign_public)
    laptop.restore(backup)
    sync_all(world)
    before = laptop.replica.journal.index.all_rows()
    with laptop.replica.database.transaction():
        rebuild_index(laptop.replica)
    assert laptop.replica.journal.index.all_rows() == before


def test_two_rotations_of_one_device_at_once_make_one_record(world: Simulator) -> None:
    """Found by seed 11288: the slower process said that its own keys follow themselves."""
    _, laptop, _ = world.computers
    fresh = rotate(world, laptop)
    act = RotateAct(laptop.replica, laptop.member_log, fresh)
    assert act.next_record(membership_of(laptop), log_is_merged=True) is None
    sync(world.relay, laptop, act=act)


def test_everybody_follows_an_owner_to_another_relay_that_is_gone_meanwhile(
    world: Simulator, tmp_path: Path
) -> None:
    assert world.devices is not None
    owner, laptop, other = world.computers
    there = SimulatedRelay(tmp_path / "there", 1)
    world.relays.append(there)
    network = world.devices.network
    network.add(there)
    network.run(network.remote(owner).attach(there.url, None))
    with network.without(there.url):
        world.devices.sync(laptop)
    assert laptop.replica.meta.relay_url == world.relay.url
    for computer in (laptop, other):
        world.devices.sync(computer)
        assert computer.replica.meta.relay_url == there.url


def test_a_content_key_that_no_owner_has_any_more_comes_from_who_has_it(
    world: Simulator, tmp_path: Path
) -> None:
    """Found by seeds 12135 and 13080: a copy of the owner's computer took new keys on a relay that
    was put back, and the content key that the owner had made meanwhile was sealed to its old ones;
    what a member had written under it waited without end."""
    owner, laptop, third = world.computers
    copy = Computer(owner.copy_file(tmp_path / "copy"), owner.keys, Clock(), 7, owner.content_key)
    earlier = world.relay.copy()
    remove(owner, world.relay, third.keys.sign_public, draw=world.choose.randbytes)
    sync(world.relay, laptop)
    record = world.typist.add(laptop)
    sync(world.relay, laptop)
    world.relay.roll_back(earlier)
    rotate(world, copy)
    world.computers = [copy, laptop]
    sync_all(world)
    sync_all(world)
    assert copy.member_log.keys() == laptop.member_log.keys()
    assert copy.replica.references.read(record) is not None
    log = membership_of(copy)
    sync_all(world)
    assert membership_of(laptop) == log
    owner.close()
    third.close()


def test_of_two_envelopes_at_the_end_of_replaced_keys_all_take_the_same_one(
    world: Simulator, tmp_path: Path
) -> None:
    """Found by seed 13080: of a copied folder both had written at one place. The end of the keys
    names one of them, and the computer with the new keys showed the other one too, for ever."""
    owner, laptop, _ = world.computers
    world.typist.add(laptop)
    sync_all(world)
    older = laptop.copy_file(tmp_path / "older")
    copy = Computer(laptop.copy_file(tmp_path / "copy"), laptop.keys, Clock(), 7, b"")
    retitle(world, copy, "written in the copy")
    (beside,) = sealed(copy)
    retitle(world, laptop, "written here")
    (end,) = sealed(laptop)
    assert read_header(beside).seq == read_header(end).seq
    sync_all(world)
    before = laptop.copy_file(tmp_path / "before")
    laptop.restore(older)
    for one in (beside, end):
        Inbox(laptop.replica, laptop.member_log).receive([Received(one, None)])
        assert laptop.replica.changes.is_merged(content_hash(one))
    backup = laptop.copy_file(tmp_path / "backup")
    laptop.restore(before)
    rotate(world, laptop)
    laptop.restore(backup)
    sync_all(world)
    for computer in (owner, laptop):
        membership = membership_of(computer)
        assert membership.permits(parse_envelope(end)) is Permission.PERMITTED
        assert membership.permits(parse_envelope(beside)) is Permission.FORBIDDEN
    sync_all(world)
    assert len({one.state() for one in world.computers}) == 1
    copy.close()


def sealed(computer: Computer) -> list[bytes]:
    """What a computer seals now."""
    changes = computer.replica.changes
    before = set(changes.hashes())
    Outbox(computer.replica, computer.member_log).seal()
    found = [changes.envelope(one) for one in changes.hashes() if one not in before]
    return [one.envelope for one in found if one is not None]


@pytest.mark.heavy
@pytest.mark.parametrize("moving_seed", [8, 10_072, 10_104, 11_047, 11_063, 11_112, 11_159])
def test_nothing_is_lost_where_keys_and_relays_change(moving_seed: int) -> None:
    assert run_seed(moving_seed, 300, "").failure == ""


@pytest.mark.heavy
@pytest.mark.parametrize("moving_seed", [12_087, 12_120])
def test_nothing_is_lost_where_keys_change_in_two_lists_of_members(moving_seed: int) -> None:
    """Their quick sisters are in ``tests/unit/crypto/membership/test_announcing.py``."""
    assert run_seed(moving_seed, 200, "").failure == ""


def test_nothing_is_lost_where_keys_and_relays_change_for_a_while() -> None:
    """The small sister."""
    assert run_seed(8, 40, "").failure == ""

"""A snapshot that is sealed under a key which a member was not given yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, empty_computer
from tests.simulation.members import membership_of, remove
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator, any_log_is_worth_a_snapshot
from tests.simulation.test_snapshot_lost_rights import forget_log, right, told
from tests.simulation.test_snapshot_verdicts import make
from tests.simulation.test_snapshots import DAY_S, floor_of, make_snapshot, pass_time, write_much

from bifolio.errors import Next, RelayRefusedError, as_next_step
from bifolio.replication.snapshots.desk import SnapshotDesk

SECRET = b"n" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other; any log is worth a snapshot."""
    with any_log_is_worth_a_snapshot():
        made = Simulator(tmp_path, seed=1)
        yield made
        made.close()


def who_joined_on_a_list_that_lost(world: Simulator) -> Computer:
    """The relay forgot its join; there is another key and a snapshot by then, and a log that begins
    behind it."""
    owner, _, other = world.computers
    sync(world.relay, owner, invite_secret=SECRET)
    copy = world.relay.copy()
    joined = empty_computer(world.folder / "new", seed=9, clock=Clock(), name="new", library=owner)
    joined.clock.wall_s = owner.clock.wall_s
    joined.join_secret = SECRET
    sync(world.relay, joined)
    joined.join_secret = None
    world.relay.roll_back(copy)
    remove(owner, world.relay, other.keys.sign_public, draw=world.choose.randbytes)
    world.computers.remove(other)
    other.close()
    write_much(world)
    make_snapshot(world)
    pass_time(world, 31 * DAY_S)
    make_snapshot(world)
    assert floor_of(world) > 0
    return joined


def test_a_snapshot_whose_key_is_not_here_is_not_fetched(world: Simulator) -> None:
    """The small sister."""
    owner, laptop, other = world.computers
    world.typist.add(laptop)
    for computer in (laptop, owner):
        sync(world.relay, computer)
    snapshot, _ = make(laptop)
    header = snapshot.header
    forget_log(owner)
    desk = SnapshotDesk(owner.replica, owner.member_log)
    state = told(snapshot, right(snapshot, other))
    assert desk.choose([state], epoch=header.epoch, floor=header.n) is not None
    assert not desk.lacks_key()
    with owner.replica.database.transaction():
        owner.member_log._keys.remove(header.generation)
    assert desk.choose([state], epoch=header.epoch, floor=header.n) is None
    assert desk.lacks_key()


@pytest.mark.heavy
def test_who_lacks_the_key_of_the_snapshot_is_sent_to_an_owner(world: Simulator) -> None:
    """Found by seed 19: it was told that nobody calls the snapshot right, and to ask who runs the
    relay."""
    joined = who_joined_on_a_list_that_lost(world)
    owner = world.computers[0]
    with pytest.raises(RelayRefusedError) as caught:
        sync(world.relay, joined)
    assert caught.value.next_step == as_next_step(Next.SYNC_TICKET_MAKER)
    assert [step for _, step in joined.replica.meta.notes] == [caught.value.next_step]
    assert membership_of(joined).role_of(joined.keys.sign_public) is not None
    sync(world.relay, owner)
    sync(world.relay, joined)
    assert joined.state() == owner.state()

"""Who came in by a list of members that lost alone, and was removed there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, empty_computer
from tests.simulation.history import check_equal
from tests.simulation.members import membership_of, remove
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator

from bifolio.crypto.membership import Role
from bifolio.errors import BifolioError
from bifolio.records.edits import Act, Edit
from bifolio.replication.drafts import find_draft
from bifolio.replication.member_acts import RoleAct


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """An owner, two laptops and a relay that all know each other."""
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def test_what_a_newcomer_wrote_who_was_removed_by_a_list_that_lost_is_the_same_everywhere(
    world: Simulator,
) -> None:
    """Found by seed 208 with rights: who had merged it kept it, and the others never took it, as
    nobody was to seal it again."""
    owner, laptop, third = world.computers
    act = RoleAct(owner.replica, owner.member_log, laptop.keys.sign_public, Role.OWNER)
    sync(world.relay, owner, act=act)
    shared = world.typist.add(owner)
    for computer in world.computers:
        sync(world.relay, computer)
    before = world.relay.copy()
    late = empty_computer(world.folder / "late", seed=9, clock=Clock(), name="late", library=owner)
    world.computers.append(late)
    late.join_secret = world.ticket_secret
    sync(world.relay, late)
    gone = world.typist.add(late)
    world.typist.make(late, shared, Edit("title", Act.SET, ("by the newcomer",)))
    for computer in (late, laptop):
        sync(world.relay, computer)
    assert laptop.replica.references.read(gone) is not None
    remove(laptop, world.relay, late.keys.sign_public, draw=world.choose.randbytes)
    # The owner has heard of nothing of that, and removes one who came with the same ticket.
    world.relay.roll_back(before)
    remove(owner, world.relay, third.keys.sign_public, draw=world.choose.randbytes)
    for computer in (laptop, owner, laptop, owner):
        sync(world.relay, computer)
    assert not membership_of(laptop).has_met(late.keys.sign_public)
    assert laptop.replica.references.read(gone) is None
    check_equal([owner, laptop])
    # The newcomer has all of it, as a draft.
    late.join_secret = None
    with pytest.raises(BifolioError):
        sync(world.relay, late)
    draft = find_draft(late.replica, late.member_log)
    assert {one.id for one in draft.records} == {gone, shared}

"""The oracle knows what a computer writes again as its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulation.history import Act, typed_in
from tests.simulation.members import demote, promote
from tests.simulation.relay import sync
from tests.simulation.simulator import Simulator
from tests.simulation.test_snapshot_verdicts import seal_last

from bifolio.records.edits import Act as EditAct
from bifolio.records.edits import Edit
from bifolio.replication.inbox import Inbox, Received

ROE = ("author", "Roe, Zed")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    made = Simulator(tmp_path, seed=1)
    yield made
    made.close()


def test_a_name_that_was_written_again_did_not_come_back(world: Simulator) -> None:
    """Seed 475 with snapshots and rights: who had edited a reference that counts nowhere any more
    wrote it again as its own; its first author had removed a name from it, and got the right to
    send both."""
    owner, author, holder = world.computers
    for computer in world.computers:
        sync(world.relay, computer)
    record = world.typist.add(author)
    world.typist.make(author, record, Edit("author", EditAct.ADD, ("Roe, Zed",)))
    Inbox(holder.replica, holder.member_log).receive([Received(seal_last(author), None)])
    world.typist.make(holder, record, Edit("title", EditAct.SET, ("On top",)))
    demote(owner, world.relay, author.keys.sign_public)
    noted = set(world.history.events)
    sync(world.relay, holder)
    (again,) = world.history.events.keys() - noted
    event = world.history.events[again]
    assert (event.record, event.act) == (record, Act.EDIT)
    assert ROE in event.typed
    assert world.history.authors[again] == holder.keys.sign_public
    world.typist.make(author, record, Edit("author", EditAct.REMOVE, ("Roe, Zed",)))
    promote(owner, world.relay, author.keys.sign_public)
    for _ in range(2):
        for computer in (author, holder, owner):
            sync(world.relay, computer)
    for computer in world.computers:
        assert ROE in typed_in(computer, record)
        world.history.check_contents(computer)
    del world.history.events[again]
    with pytest.raises(AssertionError, match="came back"):
        world.history.check_contents(owner)

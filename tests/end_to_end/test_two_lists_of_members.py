"""Case L2: a relay put back or copied while computers join: nobody is locked out, all edits stay.

Two lists of members come of it. Whichever goes on, every computer that ever joined syncs without a
word, and in the end all show the same library.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import SharedView, assert_converges, assert_same_library
from tests.support.relay_process import RelayProcess

ORDERS = [*permutations(("desk", "laptop", "phone", "tablet"))][::5]


@pytest.fixture
def second_relay(tmp_path: Path) -> Iterator[RelayProcess]:
    """A relay at another address, which is not started yet."""
    folder = tmp_path / "second"
    folder.mkdir()
    relay = RelayProcess(folder)
    yield relay
    if relay._process is not None:
        relay.kill()


class World:
    """One relay that loses what it learnt, and computers that come one after the other."""

    def __init__(self, relay: RelayProcess, folder: Path) -> None:
        self.relay, self.folder = relay, folder
        self.backup = folder / "backup"
        self.computers: dict[str, Computer] = {}

    def computer(self, name: str) -> Computer:
        made = Computer.make(self.folder, name)
        self.computers[name] = made
        return made

    def joins(self, name: str, ticket: str) -> Computer:
        """A further computer joins, and edits what is there."""
        computer = self.computer(name)
        computer.run("attach", ticket, computer.library)
        computer.run("add", f"title=Made by {name}", f"key={name}")
        computer.run("edit", "work0", f"note+=Seen by {name}.")
        computer.run("sync")
        return computer

    def back_up(self) -> None:
        self.relay.stop()
        shutil.copytree(self.relay.data, self.backup)
        self.relay.start()

    def put_back(self) -> None:
        self.relay.stop()
        self.relay.wipe()
        shutil.copytree(self.backup, self.relay.data)
        self.relay.start()


def begin(relay: RelayProcess, folder: Path) -> tuple[World, str]:
    """An owner and a second computer, a ticket for more, and a copy of the relay."""
    world = World(relay, folder)
    ticket = share(relay.url, world.computer("desk"), world.computer("laptop"))
    world.back_up()
    return world, ticket


def check(world: World, *made_by: str) -> SharedView:
    """Nobody has anything left, and every edit is there."""
    view = assert_converges(*world.computers.values())
    check_edits(world, view, *made_by)
    return view


def check_edits(world: World, view: SharedView, *made_by: str) -> None:
    """A relay that was put back or copied has told two stories: that is found out, and said."""
    assert view.keys == {"work0", "work1", "work2", *made_by}
    for name in made_by:
        assert f"Seen by {name}." in view.fields("work0")["note"]
    for computer in world.computers.values():
        status = computer.run("status")
        assert (status["unsent"], status["waiting"]) == (0, 0), computer
        reasons = [one["reason"] for one in status["refusals"]]
        assert [one for one in reasons if "restored from an older copy" not in one] == []


def edit_everywhere(world: World) -> None:
    for number, (name, computer) in enumerate(world.computers.items()):
        computer.run("edit", "work1", f"note+=Once more by {name}.")
        computer.run("edit", "work2", f"title=By number {number}")


def test_a_relay_is_put_back_and_a_computer_joins(own_relay: RelayProcess, tmp_path: Path) -> None:
    """Those who joined before the loss come back, the owner last."""
    world, ticket = begin(own_relay, tmp_path)
    world.joins("phone", ticket)
    world.computers["laptop"].run("sync")
    world.put_back()
    world.joins("tablet", ticket)
    for name in ("phone", "laptop", "desk"):
        world.computers[name].run("sync")
    check(world, "phone", "tablet")


@pytest.mark.heavy
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_a_relay_is_put_back_and_all_come_in_any_order(
    own_relay: RelayProcess, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """With a further ticket on the side that is lost, by which the phone joined."""
    world, ticket = begin(own_relay, tmp_path)
    later = world.computers["desk"].run("invite")["ticket"]
    world.joins("phone", later)
    world.joins("watch", ticket)
    world.put_back()
    world.joins("tablet", ticket)
    edit_everywhere(world)
    for name in order:
        world.computers[name].run("sync")
    check(world, "phone", "watch", "tablet")


@pytest.mark.heavy
@pytest.mark.parametrize("first", ["desk", "laptop", "phone", "tablet"])
def test_a_relay_is_put_back_and_then_wiped(
    own_relay: RelayProcess, tmp_path: Path, first: str
) -> None:
    world, ticket = begin(own_relay, tmp_path)
    world.joins("phone", ticket)
    world.put_back()
    world.joins("tablet", ticket)
    edit_everywhere(world)
    own_relay.stop()
    own_relay.wipe()
    own_relay.start()
    world.computers[first].run("sync")
    check(world, "phone", "tablet")


@pytest.mark.heavy
def test_a_relay_is_put_back_again_and_again(own_relay: RelayProcess, tmp_path: Path) -> None:
    """Each time somebody joins, and is alone with what it knows of the relay."""
    world, ticket = begin(own_relay, tmp_path)
    names = ("phone", "watch", "tablet", "reader")
    for name in names:
        world.joins(name, ticket)
        world.put_back()
    for name in (*names[::-1], "laptop", "desk"):
        world.computers[name].run("sync")
    check(world, *names)


@pytest.mark.heavy
def test_a_relay_is_copied_and_computers_join_at_both(
    own_relay: RelayProcess, second_relay: RelayProcess, tmp_path: Path
) -> None:
    """The owner moves to the copy's address and back; then both relays hold one library."""
    world, ticket = begin(own_relay, tmp_path)
    desk, laptop = world.computers["desk"], world.computers["laptop"]
    shutil.copytree(world.backup, second_relay.data)
    second_relay.start()
    world.joins("phone", ticket)
    there = desk.run("attach", second_relay.url)["ticket"]
    tablet = world.joins("tablet", there)
    laptop.run("edit", "work1", "page=3")
    laptop.run("sync")
    desk.run("edit", "work1", "volume=7")
    desk.run("sync")

    desk.run("attach", own_relay.url)
    laptop.run("sync")
    desk.run("attach", second_relay.url)
    desk.run("sync")
    tablet.run("sync")
    desk.run("attach", own_relay.url)
    for _ in range(2):
        for computer in world.computers.values():
            computer.run("sync")
    view = assert_same_library(*world.computers.values())
    check_edits(world, view, "phone", "tablet")
    assert (view.fields("work1")["page"], view.fields("work1")["volume"]) == ("3", "7")


@pytest.mark.heavy
def test_who_joined_at_a_copy_comes_to_the_other_relay_alone(
    own_relay: RelayProcess, second_relay: RelayProcess, tmp_path: Path
) -> None:
    """The copy is gone, with the owner's last visit: the tablet carries its own join."""
    world, ticket = begin(own_relay, tmp_path)
    desk = world.computers["desk"]
    shutil.copytree(world.backup, second_relay.data)
    second_relay.start()
    world.joins("phone", ticket)
    there = desk.run("attach", second_relay.url)["ticket"]
    tablet = world.joins("tablet", there)
    second_relay.stop()
    tablet.run("attach", own_relay.url)
    desk.run("attach", own_relay.url)
    check_edits(world, assert_converges(*world.computers.values()), "phone", "tablet")

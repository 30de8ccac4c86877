"""Where a record of the members may lead a computer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.cases import each

from bifolio import Library
from bifolio.home import Home
from bifolio.replica.replica import Replica
from bifolio.replication import moving
from bifolio.replication.moving import may_follow
from bifolio.storage.meta import FormerRelay, SaidRelay

NETWORK, LOCAL = "wss://relay.example", "ws://127.0.0.1:8787"


@each(
    ("address", "from_network", "from_local"),
    [
        ("wss://new.example", True, True),
        ("ws://192.168.1.7:8787", True, True),
        ("wss://new.example/path", True, True),
        ("ws://127.0.0.1:9999", False, True),
        ("ws://localhost:9999", False, True),
        ("ws://[::1]:9999", False, True),
        ("ws://[::ffff:127.0.0.1]:9999", False, True),
        ("ws://0.0.0.0:9999", False, True),
        ("ws://169.254.169.254", False, False),
        ("ws://224.0.0.1", False, False),
        ("ws://[fe80::1]", False, False),
        ("http://new.example", False, False),
        ("wss://user:word@new.example", False, False),
        ("wss://new.example\nHost: other", False, False),
        ("wss:///nobody", False, False),
        ("", False, False),
        ("wss://" + "a" * 3000, False, False),
    ],
)
def test_where_a_record_may_lead(address: str, from_network: bool, from_local: bool) -> None:
    assert may_follow(address, NETWORK) is from_network
    assert may_follow(address, LOCAL) is from_local


OLD, NEW = "wss://old.example", "wss://new.example"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    """That of an owner's library, on a relay that nobody asks."""
    home = Home(tmp_path / "home", device_name="office")
    with Library.create(tmp_path / "T.bifolio", home=home) as library:
        moving.leave(library._replica, OLD, by="office")
        yield library._replica


def untold(replica: Replica) -> list[str]:
    return [one.url for one in replica.meta.former_relays if not one.is_told]


def test_a_detached_computer_tells_the_relay_that_it_was_on_when_it_comes_to_another(
    replica: Replica,
) -> None:
    moving.detach(replica)
    assert (replica.meta.relay_url, replica.meta.detached_from) == ("", OLD)
    moving.leave(replica, NEW, by="office")
    assert untold(replica) == [OLD]
    move = replica.meta.relay_move
    assert move is not None
    assert (move.url, replica.meta.is_at_another_relay) == (OLD, True)
    assert replica.meta.detached_from == ""


def test_a_detached_computer_that_comes_back_has_nothing_to_tell(replica: Replica) -> None:
    moving.detach(replica)
    moving.leave(replica, OLD, by="office")
    assert untold(replica) == []
    assert (replica.meta.relay_move, replica.meta.is_at_another_relay) == (None, False)


def test_a_relay_that_deleted_the_library_is_told_nothing_and_lost_nothing(
    replica: Replica,
) -> None:
    moving.detach(replica, is_deleted=True)
    assert untold(replica) == []
    moving.leave(replica, OLD, by="office")
    assert replica.meta.is_at_another_relay


def test_a_computer_that_does_not_get_to_another_relay_is_detached_as_before(
    replica: Replica,
) -> None:
    moving.detach(replica)
    place = moving.read_place(replica)
    moving.leave(replica, NEW, by="office")
    moving.put_back(replica, place)
    assert moving.read_place(replica) == place
    assert (replica.meta.relay_url, replica.meta.detached_from) == ("", OLD)


def test_where_another_owner_had_put_the_library_is_told_of_each_move(replica: Replica) -> None:
    with replica.database.transaction():
        replica.meta.former_relays = [FormerRelay(NEW, b"token", 1, looked_ms=2, is_told=True)]
        replica.meta.said_relay = SaidRelay(NEW, "tag", b"record")
    moving.remember_said(replica, "wss://third.example")
    assert untold(replica) == [NEW]
    assert replica.meta.former_relays[0].token == b"token"

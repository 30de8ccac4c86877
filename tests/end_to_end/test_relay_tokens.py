"""A relay that takes new libraries only with a token, and what its operator sees and removes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess


@pytest.fixture
def closed_relay(tmp_path: Path) -> Iterator[RelayProcess]:
    """A relay that wants tokens."""
    with RelayProcess(tmp_path, "--require-token") as running:
        yield running


def new_token(operator: Computer, relay: RelayProcess, *options: str) -> str:
    made = operator.run("relay", "token", "create", "--data", relay.data, *options)
    token: str = made["token"]
    return token


def libraries_of(operator: Computer, relay: RelayProcess) -> list[dict[str, object]]:
    found: list[dict[str, object]] = operator.run("relay", "libraries", "--data", relay.data)
    return found


def test_without_a_token_a_new_library_is_refused_in_one_sentence(
    closed_relay: RelayProcess, desk: Computer
) -> None:
    make_library(desk, numbered_entries(2))
    said = desk.fails("attach", closed_relay.url)
    assert "takes new libraries only with a token" in said
    assert "bifolio attach RELAY_URL --token TOKEN" in said
    assert desk.run("status")["relay"] is None
    assert libraries_of(desk, closed_relay) == []


def test_with_a_token_a_library_comes_and_other_computers_need_none(
    closed_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    token = new_token(desk, closed_relay, "--label", "Ada", "--uses", "1", "--expires", "30d")
    make_library(desk, numbered_entries(2))
    attached = desk.run("attach", closed_relay.url, "--token", token)
    laptop.run("attach", attached["ticket"], laptop.library)
    (held,) = libraries_of(desk, closed_relay)
    assert held["id"] == attached["library"]
    assert (held["token"], held["members"]) == ("Ada", 2)
    # Used up: another library does not come with it.
    make_library(other := desk.with_library(desk.home / "Other.bifolio"), numbered_entries(1))
    said = other.fails("attach", closed_relay.url, "--token", token)
    assert "used as often as it may be" in said


@pytest.mark.heavy
def test_what_the_relay_lost_comes_back_by_the_token_that_is_kept(
    closed_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    token = new_token(desk, closed_relay, "--uses", "1")
    make_library(desk, numbered_entries(2))
    attached = desk.run("attach", closed_relay.url, "--token", token)
    laptop.run("attach", attached["ticket"], laptop.library)
    desk.run("relay", "remove", attached["library"], "--yes", "--data", closed_relay.data)
    assert libraries_of(desk, closed_relay) == []
    # The other computer has no token, and says what to do; the first one fills the relay again.
    assert "only with a token" in laptop.fails("sync")
    desk.run("sync")
    laptop.run("edit", "work0", "title=Back")
    laptop.run("sync")
    desk.run("sync")
    assert desk.run("show", "work0")["fields"]["title"] == "Back"


def test_a_token_that_ended_or_is_anothers_is_refused(
    closed_relay: RelayProcess, desk: Computer, tmp_path: Path
) -> None:
    make_library(desk, numbered_entries(1))
    revoked = new_token(desk, closed_relay, "--label", "gone")
    desk.run("relay", "token", "revoke", "gone", "--data", closed_relay.data)
    assert "was revoked" in desk.fails("attach", closed_relay.url, "--token", revoked)
    expired = new_token(desk, closed_relay, "--expires", "1d")
    with sqlite3.connect(closed_relay.data / "relay.sqlite") as database:
        database.execute("UPDATE token SET expires_ms = 1 WHERE revoked_ms IS NULL")
    database.close()
    assert "has expired" in desk.fails("attach", closed_relay.url, "--token", expired)
    (tmp_path / "another").mkdir()
    with RelayProcess(tmp_path / "another") as another:
        foreign = new_token(desk, another)
    assert "does not know" in desk.fails("attach", closed_relay.url, "--token", foreign)


def test_a_token_is_in_no_error_no_url_and_nowhere_on_the_relay(
    closed_relay: RelayProcess, desk: Computer
) -> None:
    token = new_token(desk, closed_relay)
    make_library(desk, numbered_entries(1))
    for damaged in (token[:-3], token.upper(), "bifolio-relay-" + "A" * 59, "secret words"):
        said = desk.fails("attach", closed_relay.url, "--token", damaged)
        assert damaged not in said
        assert "Copy the token again" in said
    desk.run("attach", closed_relay.url, "--token", token)
    secret = token.removeprefix("bifolio-relay-")
    stored = closed_relay.stored_bytes()
    assert secret[20:].encode() not in stored
    assert token not in str(desk.run("relay", "token", "list", "--data", closed_relay.data))
    # Sealed to this device: a copy of the library's folder does not give it away.
    kept = b"".join(path.read_bytes() for path in desk.library.iterdir() if path.is_file())
    assert secret[20:40].encode() not in kept


@pytest.mark.heavy
def test_the_operator_removes_one_library_and_the_computers_keep_theirs(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, entries=numbered_entries(3))
    share(own_relay.url, laptop, entries=numbered_entries(2))
    first, second = libraries_of(desk, own_relay)
    assert first["changes"]
    assert first["log_bytes"]
    said = desk.fails("relay", "remove", "ffff", "--yes", "--data", own_relay.data)
    assert "no library whose id begins with 'ffff'" in said
    unconfirmed = desk.fails("relay", "remove", str(first["id"]), "--data", own_relay.data, exits=2)
    assert "Nothing was removed" in unconfirmed
    removed = desk.run("relay", "remove", str(first["id"])[:10], "--yes", "--data", own_relay.data)
    assert removed == {"id": first["id"], "removed": True}
    assert libraries_of(desk, own_relay) == [second]
    assert len(desk.run("list")) == 3
    # Open to everybody: the next sync brings it back.
    desk.run("sync")
    assert len(libraries_of(desk, own_relay)) == 2


def test_a_folder_without_a_relay_is_named(desk: Computer, tmp_path: Path) -> None:
    said = desk.fails("relay", "libraries", "--data", tmp_path / "nothing")
    assert "no relay has kept data there" in said
    assert not (tmp_path / "nothing").exists()

"""New keys for a computer, by real commands: its work goes on, the old keys are worth nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.arrangements import make_library
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess


def keys(computer: Computer) -> set[str]:
    return {one["key"] for one in computer.run("list")}


def test_a_computer_takes_new_keys_in_all_of_its_libraries(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop = (Computer.make(tmp_path, name) for name in ("office", "laptop"))
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    laptop.run("attach", office.run("invite")["ticket"])
    alone = laptop.with_library(laptop.home / "Alone.bifolio")
    make_library(alone, "@book{alone, title = {Alone}}\n")
    laptop.run("add", "title=Unsent", "citation-key=unsent")
    before = laptop.run("device", "show")
    assert [one["role"] for one in before["libraries"]] == ["editor", "owner"]
    thief = Computer(tmp_path / "thief", "laptop", tmp_path / "thief" / "Library.bifolio")
    shutil.copytree(laptop.home, thief.home)

    done = laptop.run("device", "rotate", "--yes")
    assert done["is_done"]
    assert [one["is_done"] for one in done["libraries"]] == [True, True]
    after = laptop.run("device", "show")
    assert after["fingerprint"] == done["fingerprint"] != before["fingerprint"]
    for number, one in enumerate((laptop, alone)):
        one.run("add", f"title=Later {number}", f"citation-key=later{number}")
    laptop.run("sync")
    office.run("sync")
    laptop.run("sync")  # the next content key, which the old ones did not get
    assert keys(office) == {"first", "unsent", "later0"}
    assert keys(alone) == {"alone", "later1"}
    assert [one["name"] for one in office.run("members")] == ["office", "laptop"]
    events = office.run("log", "--member", "laptop")
    assert {one["by"] for one in events} == {"laptop"}
    assert len(events) >= 2
    # Whoever has a copy of the old keys is no member, and gets nothing that follows.
    thief.run("add", "title=By a thief")
    assert "keys were replaced" in thief.fails("sync")
    assert thief.run("device", "rotate", "--yes", exits=3)["is_done"] is False
    office.run("add", "title=Secret", "citation-key=secret")
    office.run("sync")
    thief.fails("sync")
    assert keys(thief) & {"later0", "secret"} == set()
    laptop.run("sync")
    assert "secret" in keys(laptop)


@pytest.mark.heavy
def test_what_a_computer_did_under_earlier_keys_is_not_another_s(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    desk = Computer.make(tmp_path, "desk")
    make_library(desk, "@book{first, title = {First}}\n")
    desk.run("attach", own_relay.url, "--no-backup")
    for _ in range(2):
        desk.run("device", "rotate", "--yes")
        assert desk.run("log", "--remote") == desk.run("log", "--new") == []
    assert len(desk.run("log", "--member", "desk")) == len(desk.run("log"))


@pytest.mark.heavy
def test_a_rotation_that_reaches_no_relay_goes_on_later(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    office = Computer.make(tmp_path, "office")
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    alone = office.with_library(office.home / "Alone.bifolio")
    make_library(alone, "@book{alone, title = {Alone}}\n")
    own_relay.stop()
    before = office.run("device", "show")["fingerprint"]
    done = office.run("device", "rotate", "--yes", exits=3)
    assert sorted(one["is_done"] for one in done["libraries"]) == [False, True]
    assert office.run("device", "show")["fingerprint"] == before
    # Both libraries go on meanwhile, each under the key that it knows.
    for one in (office, alone):
        one.run("add", "title=Meanwhile", "citation-key=meanwhile")
    own_relay.start()
    office.run("sync")
    again = office.run("device", "rotate", "--yes")
    assert again["is_done"]
    assert (
        again["fingerprint"] == done["fingerprint"] == office.run("device", "show")["fingerprint"]
    )
    for one in (office, alone):
        one.run("edit", "meanwhile", "title=After")
    office.run("sync")
    other = Computer.make(tmp_path, "other")
    other.run("attach", office.run("invite")["ticket"])
    assert keys(other) == {"first", "meanwhile"}
    assert other.run("show", "meanwhile")["fields"]["title"] == "After"


@pytest.mark.heavy
def test_a_stolen_laptop_is_removed_and_what_its_thief_made_of_its_key(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    """docs/security.md, "a laptop is stolen": its thief takes new keys before it is removed."""
    office, laptop = (Computer.make(tmp_path, name) for name in ("office", "laptop"))
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    laptop.run("attach", office.run("invite", "--own")["ticket"])
    laptop.run("device", "rotate", "--yes")
    removed = office.run("member", "remove", "laptop")
    assert [one["name"] for one in removed["removed"]] == ["laptop"]
    office.run("add", "title=Secret", "citation-key=secret")
    office.run("sync")
    assert "office removed this computer" in laptop.fails("sync")
    assert keys(laptop) == {"first"}
    assert [one["name"] for one in office.run("members")] == ["office"]


@pytest.mark.heavy
def test_a_name_is_given_by_one_verb_or_the_other(own_relay: RelayProcess, tmp_path: Path) -> None:
    office = Computer.make(tmp_path, "office")
    make_library(office, "@book{first, title = {First}}\n")
    office.run("attach", own_relay.url, "--no-backup")
    assert office.run("device", "rename", "desk")["name"] == "desk"
    office.run("device", "rotate", "--yes")
    assert [one["name"] for one in office.run("members")] == ["desk"]

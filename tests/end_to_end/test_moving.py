"""A library moves to another relay, by real commands: every computer follows by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.arrangements import make_library
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess

from bifolio.replica.folder import open_database
from bifolio.storage.meta import Meta


@pytest.fixture
def new_relay(tmp_path: Path) -> Iterator[RelayProcess]:
    with relay_in(tmp_path / "new") as running:
        yield running


def relay_in(folder: Path) -> RelayProcess:
    folder.mkdir()
    return RelayProcess(folder)


def keys(computer: Computer) -> set[str]:
    return {one["key"] for one in computer.run("list")}


def relay_of(computer: Computer) -> str:
    url: str = computer.run("status")["relay"]["url"]
    return url


def shared(relay: RelayProcess, tmp_path: Path, *names: str) -> list[Computer]:
    """Computers with one library: the first two own it, the others edit."""
    computers = [Computer.make(tmp_path, name) for name in names]
    make_library(computers[0], "@book{first, title = {First}}\n")
    computers[0].run("attach", relay.url, "--no-backup")
    for number, one in enumerate(computers[1:]):
        role = "owner" if number == 0 else "editor"
        one.run("attach", computers[0].run("invite", "--role", role)["ticket"])
    computers[0].run("sync")
    return computers


def test_every_computer_follows_through_the_relay_so_far(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    ada.run("add", "title=Unsent", "citation-key=unsent")
    old_ticket = office.run("invite")["ticket"]
    attached = laptop.run("attach", new_relay.url, "--no-backup")
    assert (attached["moved_from"], attached["is_told"], attached["is_said"]) == (
        own_relay.url,
        True,
        True,
    )
    report = ada.run("sync")
    assert report["moved_to"] == new_relay.url
    status = ada.run("status")["relay"]
    assert (status["url"], status["reachable"]) == (new_relay.url, True)
    assert (status["moved"]["url"], status["moved"]["by"]) == (own_relay.url, "laptop")
    said = office.call("sync", exits=0).stdout
    assert f"An owner moved the library to {new_relay.url}, and this computer followed." in said
    assert keys(office) == {"first", "unsent"}
    # A ticket of before leads to the relay of now.
    late = Computer.make(tmp_path, "late")
    late.run("attach", old_ticket)
    assert (relay_of(late), keys(late)) == (new_relay.url, {"first", "unsent"})
    # Nobody needs the old one any more.
    own_relay.stop()
    ada.run("add", "title=Later", "citation-key=later")
    assert ada.run("sync")["moved_to"] == ""
    office.run("sync")
    assert keys(office) == {"first", "unsent", "later"}


@pytest.mark.heavy
def test_the_old_relay_is_gone_and_comes_back(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    own_relay.stop()
    attached = office.run("attach", new_relay.url, "--no-backup")
    assert (attached["is_told"], attached["is_said"]) == (False, True)
    # By a bundle.
    bundle = tmp_path / "members.bundle"
    office.run("bundle", "export", bundle)
    laptop.run("bundle", "import", bundle)
    assert laptop.run("sync")["moved_to"] == new_relay.url
    ada.fails("sync")
    assert relay_of(ada) == own_relay.url
    # By the old relay, when it answers again: any computer tells it.
    own_relay.start()
    with_later_clock(laptop).run("sync")
    assert ada.run("sync")["moved_to"] == new_relay.url
    assert keys(ada) == {"first"}


def with_later_clock(computer: Computer) -> Computer:
    """What would be tried in five minutes is tried now."""
    database = open_database(computer.library)
    try:
        meta = Meta(database)
        with database.transaction():
            meta.former_relays = [replace(one, looked_ms=0) for one in meta.former_relays]
    finally:
        database.close()
    return computer


@pytest.mark.heavy
def test_two_owners_move_at_once_to_one_relay(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    with relay_in(tmp_path / "third") as third:
        office.run("attach", new_relay.url, "--no-backup")
        laptop.run("attach", third.url, "--no-backup")
        office.run("add", "title=At new", "citation-key=new")
        laptop.run("add", "title=At third", "citation-key=third")
        for _ in range(2):
            for one in (office, laptop, ada):
                with_later_clock(one).run("sync")
        places = {relay_of(one) for one in (office, laptop, ada)}
        assert len(places) == 1
        assert all(keys(one) == {"first", "new", "third"} for one in (office, laptop, ada))


@pytest.mark.heavy
def test_a_relay_that_does_not_answer_or_lacks_the_library_moves_nobody(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, _, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    office.run("attach", new_relay.url, "--no-backup")
    new_relay.stop()
    ada.run("add", "title=Goes on", "citation-key=on")
    assert ada.run("sync")["pushed"] == 1
    assert relay_of(ada) == own_relay.url
    (said,) = [one["reason"] for one in ada.run("status")["refusals"]]
    assert "which does not answer. This computer stays with" in said
    new_relay.wipe()
    new_relay.start()
    ada.run("sync")
    (said,) = [one["reason"] for one in ada.run("status")["refusals"]]
    assert "which does not hold it" in said
    office.run("sync")  # gives the library to it again
    assert ada.run("sync")["moved_to"] == new_relay.url
    assert ada.run("status")["refusals"] == []


@pytest.mark.heavy
def test_who_is_no_owner_moves_alone(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, _, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    said = ada.call("attach", new_relay.url, "--no-backup", exits=0).stdout
    assert f"Only this computer left {own_relay.url}" in said
    office.run("sync")
    assert relay_of(office) == own_relay.url


@pytest.mark.heavy
def test_where_a_stolen_owner_led_the_library_counts_no_more(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    """The laptop is stolen and moves the library: the office removes it, and says where it is."""
    office, laptop, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    laptop.run("attach", new_relay.url, "--no-backup")
    ada.run("sync")
    assert relay_of(ada) == new_relay.url
    office.run("attach", own_relay.url, "--no-backup")
    office.run("member", "remove", "laptop")
    assert relay_of(office) == own_relay.url
    with_later_clock(ada).run("sync")
    with_later_clock(ada).run("sync")
    assert relay_of(ada) == own_relay.url
    assert "removed this computer" in laptop.fails("sync")


@pytest.mark.heavy
def test_an_owner_deletes_the_library_on_its_relay_and_every_computer_keeps_it(
    own_relay: RelayProcess, tmp_path: Path
) -> None:
    office, _, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    assert "owner" in ada.fails("relay", "delete", "--yes")
    ada.run("add", "title=Unsent", "citation-key=unsent")
    assert office.run("relay", "delete", "--yes")["relay"] == own_relay.url
    assert office.run("status")["relay"] is None
    assert own_relay.stored_bytes().count(b"First") == 0
    said = ada.fails("sync")
    assert "an owner deleted it here on" in said
    assert "Everything is kept here" in said
    assert keys(ada) == {"first", "unsent"}
    assert "an owner deleted it here on" in ada.fails("sync")
    # Any replica can bring it again.
    ada.run("attach", own_relay.url, "--no-backup")
    office.run("attach", own_relay.url, "--no-backup")
    assert keys(office) == {"first", "unsent"}


@pytest.mark.heavy
def test_a_watching_computer_follows_while_it_is_connected(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop = shared(own_relay, tmp_path, "office", "laptop")
    watch = laptop.start("sync", "--watch")
    assert watch.stdout is not None
    try:
        watch.stdout.readline()
        office.run("attach", new_relay.url, "--no-backup")
        said = ""
        while new_relay.url not in said:
            said = watch.stdout.readline()
            assert said
    finally:
        watch.terminate()
        watch.communicate(timeout=30)
    assert relay_of(laptop) == new_relay.url


@pytest.mark.heavy
def test_a_detached_computer_says_where_the_library_went(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, _, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    assert ada.run("detach")["relay"] == own_relay.url
    assert ada.run("status")["known_relay"] is None
    office.run("attach", new_relay.url, "--no-backup")
    bundle = tmp_path / "for-ada.bifolio-bundle"
    office.run("bundle", "export", bundle)
    taken = ada.run("bundle", "import", bundle)
    assert taken["moved_to"] == {"url": new_relay.url, "by": "office"}
    assert ada.run("bundle", "import", bundle)["moved_to"] is None
    assert ada.run("status")["known_relay"] == taken["moved_to"]
    assert ada.run("status")["relay"] is None
    said = f"office said that the library is on {new_relay.url} now"
    assert said in ada.call("status", exits=0).stdout
    (listed,) = ada.run("libraries")
    assert (listed["relay"], listed["known_relay"]) == (None, new_relay.url)
    assert new_relay.url in ada.call("libraries", exits=0).stdout
    assert f"bifolio attach {new_relay.url}" in ada.fails("sync")
    # Where it was: the others are not there any more.
    attached = ada.run("attach", own_relay.url, "--no-backup")
    assert attached["known"] == taken["moved_to"]
    ada.run("detach")
    assert ada.run("attach", new_relay.url, "--no-backup")["known"] is None
    ada.run("add", "title=Back", "citation-key=back")
    ada.run("sync")
    office.run("sync")
    assert keys(office) == {"first", "back"}
    assert ada.run("status")["known_relay"] is None


@pytest.mark.heavy
def test_a_detached_owner_tells_the_relay_that_it_was_on(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, _, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    office.run("detach")
    attached = office.run("attach", new_relay.url, "--no-backup")
    assert (attached["moved_from"], attached["is_told"], attached["known"]) == (
        own_relay.url,
        True,
        None,
    )
    assert office.run("status")["refusals"] == []
    assert ada.run("sync")["moved_to"] == new_relay.url
    # And one on which another owner had put the library meanwhile, as a bundle says.
    with relay_in(tmp_path / "third") as third:
        office.run("detach")
        laptop = Computer(tmp_path / "laptop", "laptop", tmp_path / "laptop" / "Library.bifolio")
        laptop.run("attach", third.url, "--no-backup")
        assert ada.run("sync")["moved_to"] == third.url
        bundle = tmp_path / "for-the-office.bifolio-bundle"
        laptop.run("bundle", "export", bundle)
        office.run("bundle", "import", bundle)
        said = office.call("attach", own_relay.url, "--no-backup", exits=0).stdout
        assert "the other computers follow here by themselves at their next sync" in said
        assert ada.run("sync")["moved_to"] == own_relay.url
        assert laptop.run("sync")["moved_to"] == own_relay.url
        # Also where that one was told of a move before.
        office.run("detach")
        laptop.run("attach", third.url, "--no-backup")
        laptop.run("bundle", "export", bundle)
        office.run("bundle", "import", bundle)
        assert office.run("attach", new_relay.url, "--no-backup")["is_told"]
        assert laptop.run("sync")["moved_to"] == new_relay.url


@pytest.mark.heavy
def test_a_bundle_says_where_the_library_went_to_who_is_on_the_old_relay(
    own_relay: RelayProcess, new_relay: RelayProcess, tmp_path: Path
) -> None:
    office, laptop, ada = shared(own_relay, tmp_path, "office", "laptop", "ada")
    own_relay.stop()
    laptop.run("attach", new_relay.url, "--no-backup")
    bundle = tmp_path / "for-ada.bifolio-bundle"
    laptop.run("bundle", "export", bundle)
    said = ada.call("bundle", "import", bundle, exits=0).stdout
    assert f"laptop said that the library is on {new_relay.url} now: this computer follows" in said
    assert "follows with its next sync" in ada.call("status", exits=0).stdout
    assert ada.run("sync")["moved_to"] == new_relay.url
    assert ada.run("status")["known_relay"] is None
    assert office.run("status")["known_relay"] is None

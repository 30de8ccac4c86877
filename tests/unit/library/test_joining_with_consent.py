"""What a ticket is for is said before anything is shared; and a mistaken join is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.errors import TicketError
from bifolio.home import Home
from bifolio.library import backups, tickets
from bifolio.results import ActionKind, UndoneJoin


def home(folder: Path, name: str) -> Home:
    return Home(folder / f"home of {name}", device_name=name)


def test_a_preview_says_whose_the_library_is_and_what_would_be_shared(tmp_path: Path) -> None:
    with (
        RelayProcess(tmp_path) as relay,
        Library.create(
            tmp_path / "T.bifolio", name="Thesis", home=home(tmp_path, "office")
        ) as office,
        Library.create(tmp_path / "Own.bifolio", home=home(tmp_path, "laptop")) as own,
    ):
        office.add({"title": "Theirs", "citation-key": "theirs"})
        ticket = office.attach(relay.url, backup=False).ticket
        own.add({"title": "Mine", "citation-key": "mine"})
        before = own.status()
        seen = own.preview(f"Dear Ada,\n> {ticket[:60]}\n> {ticket[60:]}.\nBest wishes")
        assert (seen.name, seen.maker, seen.role, seen.members) == ("Thesis", "office", "editor", 1)
        assert (seen.shared, seen.is_same, seen.is_empty, seen.is_attached) == (
            1,
            False,
            False,
            False,
        )
        assert own.status() == before
        office.members.revoke(office.members.invites()[0].id)
        with pytest.raises(TicketError, match="closed it"):
            own.preview(ticket)


def test_an_undo_takes_back_what_a_mistaken_join_shared(tmp_path: Path) -> None:
    with (
        RelayProcess(tmp_path) as relay,
        Library.create(tmp_path / "T.bifolio", home=home(tmp_path, "office")) as office,
        Library.create(tmp_path / "Own.bifolio", home=home(tmp_path, "laptop")) as own,
    ):
        office.add({"title": "Theirs", "citation-key": "theirs"})
        ticket = office.attach(relay.url, backup=False).ticket
        own.add({"title": "Mine", "citation-key": "mine"})
        with own.command():
            joined = own.join(ticket)
        assert joined.backup is not None
        assert joined.backup.exists()
        office.sync()
        assert {one.key for one in office.list()} == {"theirs", "mine"}
        (entry, *_) = own.history.log()
        assert [one.kind for one in entry.what] == [ActionKind.JOINED]
        rehearsed = own.history.undo(dry_run=True)
        undone = own.history.undo()
        assert undone.joined == rehearsed.joined == UndoneJoin("editor", joined.backup)
        own.sync()
        office.sync()
        assert {one.key for one in office.list()} == {"theirs"}
        assert own.status().state == office.status().state
        # It goes on as one of the members until it leaves; other undos say nothing of that.
        again = own.history.undo(undone.id)
        assert again.joined is None
        own.add({"title": "More"})
        assert own.history.undo().joined is None
        own.history.undo(again.id)
        own.members.leave()
        place = backups.restore(joined.backup, tmp_path / "Back.bifolio").path
        with Library.open(place, home=home(tmp_path, "laptop")) as back:
            assert {one.key for one in back.list()} == {"mine"}


@each(
    ("address", "is_local"),
    [
        ("ws://127.0.0.1:8787", True),
        ("ws://127.9.9.9", True),
        ("ws://[::1]:1", True),
        ("wss://localhost", True),
        ("wss://LOCALHOST.:9", True),
        ("ws://office.local:8787", False),
        ("ws://192.168.1.4:8787", False),
    ],
)
def test_an_address_of_this_computer_alone_is_known(address: str, is_local: bool) -> None:
    assert tickets.is_local_address(address) is is_local

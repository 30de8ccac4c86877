"""A library of the Bifolio whose list of members is not read any more: used, and brought along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.old_library import old_library
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.errors import Next, NextStep, OldMembershipError
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.storage.database import Database
from bifolio.storage.members import Members

STEP = NextStep(Next.JOIN_NEW_LIBRARY)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Library]:
    path, home = old_library(tmp_path)
    with Library.open(path, home=home) as library:
        yield library


def titles(library: Library) -> list[str]:
    return [str(one.fields["title"]) for one in library.list()]


def test_everything_local_goes_on(old: Library) -> None:
    assert titles(old) == ["On Paper"]
    (row,) = old.list()
    old.edit(row.id, [Edit("note", Act.SET, ("A note.",))])
    old.add({"type": "book", "title": "On Ink"})
    assert sorted(titles(old)) == ["On Ink", "On Paper"]


def test_status_says_in_one_sentence_how_it_goes_on(old: Library) -> None:
    (refusal,) = old.status().refusals
    assert refusal.reason.count(". ") == 0
    assert "earlier Bifolio" in refusal.reason
    assert refusal.next == STEP


def test_sync_invite_and_attach_say_the_same_and_change_nothing(old: Library) -> None:
    for act in (old.sync, old.invite, lambda: old.attach("ws://127.0.0.1:9")):
        with pytest.raises(OldMembershipError) as caught:
            act()
        assert caught.value.next_step == STEP
    assert titles(old) == ["On Paper"]


def test_it_joins_a_new_library_and_brings_its_references(old: Library, tmp_path: Path) -> None:
    (row,) = old.list()
    old.edit(row.id, [Edit("note", Act.SET, ("A note.",))])
    (tmp_path / "relay").mkdir()
    with RelayProcess(tmp_path / "relay") as relay:
        new_home = Home(tmp_path / "new-home", device_name="new")
        with Library.create(tmp_path / "new", home=new_home) as new:
            new.add({"type": "book", "title": "On Glue"})
            ticket = new.attach(relay.url).ticket
            joined = old.join(ticket)
            assert joined.library == new.status().library_id
            old.sync()
            new.sync()
            assert sorted(titles(new)) == sorted(titles(old)) == ["On Glue", "On Paper"]
            assert old.status().refusals == ()
            assert old.status().state == new.status().state


def test_the_form_of_todays_records_is_told_by_their_first_bytes(tmp_path: Path) -> None:
    with Library.create(tmp_path / "new", home=Home(tmp_path / "h", device_name="h")) as library:
        assert library.status().refusals == ()
    with closing(Database.open(tmp_path / "new" / "library.sqlite")) as database:
        assert Members(database).count() == 1
        assert not Members(database).is_of_an_earlier_program()

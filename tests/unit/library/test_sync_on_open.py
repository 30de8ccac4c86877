"""A library that syncs when it is opened and closed, and never fails for its relay."""

from __future__ import annotations

from pathlib import Path

from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.home import Home


def test_opening_and_closing_sync_and_a_relay_that_is_away_is_a_notice(tmp_path: Path) -> None:
    desk, laptop = Home(tmp_path / "desk"), Home(tmp_path / "laptop")
    with RelayProcess(tmp_path) as relay:
        with Library.create(tmp_path / "Desk.bifolio", home=desk) as library:
            ticket = library.attach(relay.url, backup=False).ticket
        Library.attach_new(ticket, tmp_path / "Laptop.bifolio", home=laptop).close()

        with Library.open(tmp_path / "Desk.bifolio", home=desk, sync=True) as library:
            library.add({"title": "Sent at the close", "citation-key": "first"})
            assert library.notices == []
        with Library.open(tmp_path / "Laptop.bifolio", home=laptop, sync=True) as library:
            assert library.show("first").fields["title"] == "Sent at the close"
            relay.stop()
            library.add({"title": "Kept"})
        (notice,) = library.notices
        assert "cannot be reached" in notice.message

        with Library.open(tmp_path / "Laptop.bifolio", home=laptop, sync=True) as library:
            (notice,) = library.notices
            assert "Your edits are kept here" in notice.message
            assert library.status().unsent == 1
            relay.start()
        with Library.open(tmp_path / "Laptop.bifolio", home=laptop) as library:
            assert library.status().unsent == 0


def test_a_library_without_a_relay_opens_and_closes_as_ever(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "Desk.bifolio", home=home).close()
    with Library.open(tmp_path / "Desk.bifolio", home=home, sync=True) as library:
        library.add({"title": "Alone"})
        assert library.notices == []
    library.close()

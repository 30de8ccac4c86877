"""A library whose log outweighs it: the relay gets a snapshot, and a newcomer begins with that."""

from __future__ import annotations

import random
import sqlite3

import pytest
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess

#: So many references with notes of so many characters: some 1.5 MB that compress badly.
REFERENCES, NOTE_CHARACTERS = 500, 4_000

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _bibliography() -> str:
    choose = random.Random(1)
    return "".join(
        f"@book{{key{number}, title = {{Book {number}}}, "
        f"note = {{{''.join(choose.choices(_LETTERS, k=NOTE_CHARACTERS))}}}}}\n"
        for number in range(REFERENCES)
    )


def _count(computer: Computer, table: str) -> int:
    with sqlite3.connect(computer.library / "library.sqlite") as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return found


@pytest.mark.heavy
def test_a_newcomer_begins_with_a_snapshot_and_its_history_says_where_it_begins(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    desk.run("init", desk.library, "--name", "Large")
    file = desk.home / "large.bib"
    file.write_text(_bibliography())
    desk.run("import", file)
    ticket = desk.run("attach", own_relay.url)["ticket"]
    desk.run("edit", "key1", "title=After the snapshot")
    desk.run("sync")

    assert laptop.run("attach", ticket, laptop.library)["references"] == REFERENCES

    assert 0 < _count(laptop, "changes") < _count(desk, "changes")
    assert _count(laptop, "covered") > 0
    view = assert_converges(desk, laptop)
    assert len(view.references) == REFERENCES
    laptop.run("edit", "key2", "title=By the newcomer")
    events = laptop.run("history", "key2")
    assert [one["what"] for one in events] == ["begins", "edited"]
    assert_converges(desk, laptop)
    assert laptop.run("doctor")["well"]

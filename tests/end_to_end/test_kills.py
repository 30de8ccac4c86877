"""``kill -9`` of a relay and of commands, and several commands on one replica at once."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import TYPOGRAPHY, numbered_entries, real_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_same_library
from tests.support.deadlines import until
from tests.support.relay_process import RelayProcess

from bifolio.crypto.keys import seal_to
from bifolio.crypto.ticket import Ticket
from bifolio.library.beginnings import create_attached
from bifolio.replication import joining

#: Enough for several changes, so that a kill falls between two commits or into one.
BIG_FILE_REFERENCES = 700

PARALLEL_EDITS = 8


def size(file: Path) -> int:
    """The size of a file that may not be there."""
    return file.stat().st_size if file.exists() else 0


def index_rows(library: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What lists, searches and imports read, of a file that SQLite finds whole."""
    with closing(sqlite3.connect(library / "library.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        # Compares the full-text index with the rows that it indexes; raises where they differ.
        database.execute("INSERT INTO refs_fts (refs_fts, rank) VALUES ('integrity-check', 1)")
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info (refs)")]
        columns.remove("number")
        shown = ", ".join(f'"{name}"' for name in columns)
        references = database.execute(f"SELECT {shown} FROM refs ORDER BY id").fetchall()
        sources = database.execute("SELECT * FROM sources").fetchall()
    return references, sorted(sources, key=repr)


def test_what_the_relay_acknowledged_survives_its_kill(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(own_relay.url, desk, laptop)
    for number in range(3):
        desk.run("edit", f"work{number}", f"title=Acknowledged {number}")
        assert desk.run("sync")["pushed"] == 1
        own_relay.kill()
        own_relay.start()
        assert laptop.run("sync")["pulled"] == 1
        shown = laptop.run("show", f"work{number}")["fields"]["title"]
        assert shown == f"Acknowledged {number}"
    assert_same_library(desk, laptop)


@pytest.mark.parametrize(
    "written_bytes",
    [1, *(pytest.param(later, marks=pytest.mark.heavy) for later in (300_000, 1_500_000))],
)
def test_an_import_killed_at_any_moment_leaves_a_whole_library_that_a_second_one_completes(
    desk: Computer, written_bytes: int
) -> None:
    """Killed when this much was written to SQLite's log: in the first commit, and in later ones."""
    desk.run("init")
    file = desk.home / "big.bib"
    file.write_text(real_entries(TYPOGRAPHY, first=0, count=BIG_FILE_REFERENCES), "utf-8")
    log = desk.library / "library.sqlite-wal"
    before = size(log)
    running = desk.start("import", file)
    until(
        lambda: size(log) >= before + written_bytes or running.poll() is not None,
        what="the import's first commits",
    )
    assert running.poll() is None, "the import was over before it could be killed"
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=20)
    assert running.returncode == -signal.SIGKILL

    survived = desk.run("status")["references"]
    print(f"killed after {written_bytes:,} bytes: {survived} references are there")
    assert 0 <= survived < BIG_FILE_REFERENCES
    rows = index_rows(desk.library)
    assert len(rows[0]) == survived
    with desk.opened() as library:
        assert library.rebuild_index() == survived
    assert index_rows(desk.library) == rows

    again = desk.run("import", file)
    assert again["added"] == BIG_FILE_REFERENCES - survived
    assert again["unchanged"] == survived
    assert len({one["id"] for one in desk.run("list")}) == BIG_FILE_REFERENCES


@pytest.mark.parametrize(
    ("goes_on_with", "is_ticket_kept"),
    [
        ("attach", False),
        ("sync", True),
        pytest.param("attach", True, marks=pytest.mark.heavy),
        pytest.param("sync", False, marks=pytest.mark.heavy),
    ],
)
def test_an_attach_that_was_killed_goes_on(
    relay: RelayProcess, desk: Computer, laptop: Computer, is_ticket_kept: bool, goes_on_with: str
) -> None:
    """The folder is there, and the relay was not spoken to: the same command goes on, and so does
    a sync where the ticket was kept already."""
    ticket = share(relay.url, desk)
    parsed = Ticket.decode(ticket)
    create_attached(laptop.library, parsed.library, parsed.relay, "all").close()
    if is_ticket_kept:
        with laptop.opened() as library, library._replica.database.transaction():
            joining.keep_ticket(library._replica, parsed.secret)
    if goes_on_with == "sync" and not is_ticket_kept:
        assert "ticket" in laptop.fails("sync")
        laptop.run("attach", ticket)
    elif goes_on_with == "sync":
        laptop.run("sync")
    else:
        laptop.run("attach", ticket, laptop.library)
        assert "not empty" in laptop.fails("attach", ticket, laptop.library)
    assert_same_library(desk, laptop)
    with laptop.opened() as library:
        assert goes_on_with == "sync" or not library._replica.meta.ticket_secret


@pytest.mark.heavy
def test_an_owner_s_attach_that_was_killed_at_once_goes_on_with_a_sync(
    desk: Computer, relay: RelayProcess, tmp_path: Path
) -> None:
    """An owner's key is in no record: without its ticket the sync ended well, and could read
    nothing."""
    make_library(desk, numbered_entries(2))
    desk.run("attach", relay.url)
    ticket = desk.run("invite", "--uses", "any")["ticket"]
    parsed = Ticket.decode(ticket)
    again = desk.with_library(tmp_path / "Again.bifolio")
    with desk.opened() as library:
        sealed = seal_to(library._replica.keys.box_public, parsed.secret)
    create_attached(
        again.library, parsed.library, parsed.relay, "all", ticket_secret=sealed
    ).close()
    again.run("sync")
    assert_same_library(desk, again)


def test_an_owner_s_attach_with_a_used_ticket_leaves_nothing_behind(
    desk: Computer, laptop: Computer, relay: RelayProcess, tmp_path: Path
) -> None:
    make_library(desk, numbered_entries(2))
    ticket = desk.run("attach", relay.url)["ticket"]
    laptop.run("attach", ticket, laptop.library)
    assert "who have joined" in desk.fails("attach", ticket, tmp_path / "Again.bifolio")
    assert not (tmp_path / "Again.bifolio").exists()


@pytest.mark.heavy
def test_a_computer_killed_before_it_derived_what_it_received_lists_all_of_it(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """Small sisters: ``tests/unit/replica/test_derivation.py``."""
    entries = real_entries(TYPOGRAPHY, first=0, count=BIG_FILE_REFERENCES)
    ticket = share(relay.url, desk, entries=entries)
    running = laptop.start("attach", ticket, laptop.library)
    until(lambda: waiting_to_be_derived(laptop.library) or running.poll() is not None, what="it")
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=20)
    waits = waiting_to_be_derived(laptop.library)
    print(f"killed while {waits} references waited to be derived")
    assert waits
    stored = records_of(laptop.library)
    assert len(laptop.run("list")) == stored
    assert waiting_to_be_derived(laptop.library) == 0
    laptop.run("sync")
    assert_same_library(desk, laptop)
    rows = index_rows(laptop.library)
    with laptop.opened() as library:
        library.rebuild_index()
    assert index_rows(laptop.library) == rows


def waiting_to_be_derived(library: Path) -> int:
    return count(library, "SELECT count(*) FROM underived")


def records_of(library: Path) -> int:
    return count(library, "SELECT count(*) FROM records WHERE kind = 'reference'")


def count(library: Path, question: str) -> int:
    """What a library's file answers; 0 while it is not there."""
    if not (library / "library.sqlite").is_file():
        return 0
    with closing(sqlite3.connect(library / "library.sqlite")) as database:
        return int(database.execute(question).fetchone()[0])


@pytest.mark.heavy
def test_commands_that_edit_one_library_at_once_all_succeed(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    running = [
        desk.start("edit", "work0", "--json", f"tags+=edit {number}", f"x.edit{number}=made")
        for number in range(PARALLEL_EDITS)
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * PARALLEL_EDITS, ended

    shown = desk.run("show", "work0")
    assert sorted(shown["tags"]) == [f"edit {number}" for number in range(PARALLEL_EDITS)]
    for number in range(PARALLEL_EDITS):
        assert shown["fields"][f"x.edit{number}"] == ["made"]
    assert desk.run("status")["conflicts"] == 0
    rows = index_rows(desk.library)
    with desk.opened() as library:
        library.rebuild_index()
    assert index_rows(desk.library) == rows


@pytest.mark.heavy
def test_commands_beside_a_running_watch_lose_nothing(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    watch = desk.start("sync", "--watch", "--json")
    try:
        assert watch.stdout is not None
        watch.stdout.readline()
        edits = [desk.start("edit", "work0", f"tags+=t{number}") for number in range(4)]
        for edit in edits:
            edit.communicate(timeout=60)
            assert edit.returncode == 0
        desk.run("sync")
        laptop.run("sync")
        assert sorted(laptop.run("show", "work0")["tags"]) == ["t0", "t1", "t2", "t3"]
    finally:
        watch.kill()
        watch.communicate(timeout=20)
    until(lambda: desk.run("status")["unsent"] == 0, what="everything sent")
    assert_same_library(desk, laptop)

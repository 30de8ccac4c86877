"""The SQLite store's own promises: files that are not ours, two relays, failures kept apart."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary

from bifolio.errors import RelayStorageError
from bifolio_relay.storage import Placed, Unavailable
from bifolio_relay.storage.sqlite import FILE_NAME, SqliteLogStorage

ROOM = 1 << 30


def held(store: SqliteLogStorage, seed: int) -> SharedLibrary:
    library = SharedLibrary(seed)
    store.create_library(
        library.id, epoch=b"e" * 16, genesis=library.genesis, head=library.membership.head
    )
    return library


def test_commits_are_durable_and_the_file_is_marked(tmp_path: Path) -> None:
    SqliteLogStorage(tmp_path).close()
    store = SqliteLogStorage(tmp_path)
    pragma = store._connection.execute
    assert pragma("PRAGMA synchronous").fetchone() == (2,)
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA application_id").fetchone() != (0,)
    assert pragma("PRAGMA user_version").fetchone() == (3,)
    store.close()


def test_a_second_relay_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    store = SqliteLogStorage(tmp_path)
    with pytest.raises(RelayStorageError, match="another relay"):
        SqliteLogStorage(tmp_path)
    store.close()
    SqliteLogStorage(tmp_path).close()


def test_a_damaged_file_is_named_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"this is no database at all, " * 100)
    with pytest.raises(RelayStorageError, match="damaged"):
        SqliteLogStorage(tmp_path)
    assert path.read_bytes() == b"this is no database at all, " * 100


def test_a_file_of_a_newer_relay_is_not_touched(tmp_path: Path) -> None:
    SqliteLogStorage(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RelayStorageError, match="newer relay"):
        SqliteLogStorage(tmp_path)


def test_a_file_of_an_earlier_relay_gets_what_it_lacks(tmp_path: Path) -> None:
    SqliteLogStorage(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript("DROP TABLE blob_tally; PRAGMA user_version = 2;")
    connection.close()
    store = SqliteLogStorage(tmp_path)
    assert store.blobs.tally(b"l" * 16) is None
    store.close()


def test_another_programs_database_is_not_touched(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(RelayStorageError, match="another program"):
        SqliteLogStorage(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RelayStorageError, match="cannot be made"):
        SqliteLogStorage(tmp_path / "file" / "below")


def test_one_librarys_failure_undoes_that_library_alone(tmp_path: Path) -> None:
    store = SqliteLogStorage(tmp_path)
    broken, sound = held(store, 1), held(store, 2)
    broken_author, sound_author = broken.author(), sound.author()
    # A trigger stands in for a damaged page: SQLite's own error from inside one library's part.
    store._connection.execute(
        "CREATE TRIGGER damage BEFORE INSERT ON entry WHEN new.library = 1 AND new.position = 2"
        " BEGIN SELECT raise(ABORT, 'damaged'); END"
    )
    outcomes = store.append(
        [*broken_author.envelopes(2), *sound_author.envelopes(2)], library_bytes_max=ROOM
    )
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, Placed, Placed]
    head = store.library_head(broken.id)
    assert head is not None
    assert head.n == 0
    assert store.read(broken.id, after=0, bytes_max=ROOM, count_max=9) == ()
    store.close()


def test_a_failed_commit_keeps_nothing_and_the_store_goes_on(tmp_path: Path) -> None:
    store = SqliteLogStorage(tmp_path)
    library = held(store, 1)
    author = library.author()
    envelopes = author.envelopes(1, library.random(200_000))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(RelayStorageError, match="full"):
        store.append(envelopes, library_bytes_max=ROOM)
    store._connection.execute("PRAGMA max_page_count = 1000000")
    (outcome,) = store.append(envelopes, library_bytes_max=ROOM)
    assert isinstance(outcome, Placed)
    store.close()

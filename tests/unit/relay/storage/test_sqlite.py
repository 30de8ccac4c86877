"""The SQLite store's own promises: files that are not ours, several relays, failures kept apart."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary

from bifolio.crypto.envelope import Envelope
from bifolio.errors import RelayStorageError
from bifolio_relay.storage import Batch, BatchResult, Stop
from bifolio_relay.storage.sqlite import SqliteLogStorage
from bifolio_relay.storage.sqlite_file import FILE_NAME, SqliteFile
from bifolio_relay.storage.sqlite_log import SqliteLogs


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[SqliteLogs]:
    file = SqliteFile(tmp_path)
    yield SqliteLogs(file)
    file.close()


def open_and_close(folder: Path, *, shared: bool = False) -> None:
    SqliteFile(folder, shared=shared).close()


def held(logs: SqliteLogs, seed: int) -> SharedLibrary:
    library = SharedLibrary(seed)
    logs.create_library(library.id, b"e" * 16, library.genesis, library.membership.head)
    return library


def append(logs: SqliteLogs, *rows: Sequence[Envelope]) -> tuple[BatchResult, ...]:
    """Append envelopes of one author to the library of each."""
    batches = []
    for envelopes in rows:
        header = envelopes[0].header
        heads = logs.read_heads(header.library, [header.chain])
        assert heads is not None
        head = heads.library.members_head
        batches.append(Batch(header.library, head, heads.chains, tuple(envelopes)))
    return logs.append(batches)


def test_commits_are_durable_and_the_file_is_marked(tmp_path: Path) -> None:
    open_and_close(tmp_path)
    file = SqliteFile(tmp_path)
    pragma = file.connection.execute
    assert pragma("PRAGMA synchronous").fetchone() == (2,)
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA application_id").fetchone() != (0,)
    assert pragma("PRAGMA user_version").fetchone() == (8,)
    file.close()


@pytest.mark.parametrize(("first", "second"), [(False, False), (False, True), (True, False)])
def test_two_relays_on_one_folder_are_refused_unless_both_share_it(
    tmp_path: Path, *, first: bool, second: bool
) -> None:
    file = SqliteFile(tmp_path, shared=first)
    with pytest.raises(RelayStorageError, match="another relay"):
        SqliteFile(tmp_path, shared=second)
    file.close()
    open_and_close(tmp_path, shared=second)


def test_relays_that_share_a_folder_open_it_together(tmp_path: Path) -> None:
    files = [SqliteFile(tmp_path, shared=True) for _ in range(3)]
    for file in files:
        file.close()
    open_and_close(tmp_path)


def test_leases_of_a_relay_that_is_gone_hold_nobody_up(tmp_path: Path) -> None:
    def leases(*, shared: bool) -> int:
        file = SqliteFile(tmp_path, shared=shared)
        count: int = file.connection.execute("SELECT count(*) FROM upload_lease").fetchone()[0]
        file.close()
        return count

    file = SqliteFile(tmp_path)
    held(SqliteLogs(file), 1)
    file.connection.execute("INSERT INTO upload_lease VALUES (1, x'01', x'02', 9999999999999)")
    file.close()
    assert leases(shared=True) == 1  # it may be another one's that runs
    assert leases(shared=False) == 0


def test_a_watch_ends_with_the_reason_when_the_store_fails(tmp_path: Path) -> None:
    async def scenario() -> None:
        storage = SqliteLogStorage(tmp_path, shared=True)
        watch = storage.watch(b"l" * 16)
        await anext(watch)
        damager = sqlite3.connect(tmp_path / FILE_NAME)
        damager.execute("ALTER TABLE library RENAME TO lost")
        damager.close()
        with pytest.raises(RelayStorageError):
            async with asyncio.timeout(10):
                await anext(watch)
        await storage.close()

    asyncio.run(scenario())


def test_a_damaged_file_is_named_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"this is no database at all, " * 100)
    with pytest.raises(RelayStorageError, match="damaged"):
        SqliteFile(tmp_path)
    assert path.read_bytes() == b"this is no database at all, " * 100


def test_a_file_of_a_newer_relay_is_not_touched(tmp_path: Path) -> None:
    open_and_close(tmp_path)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RelayStorageError, match="newer relay"):
        SqliteFile(tmp_path)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_file_of_an_earlier_relay_gets_what_it_lacks(tmp_path: Path, version: int) -> None:
    tables = ["blob", "blob_room", "blob_tally", "upload_lease", "token_use", "token"]
    tables += ["deleted_library", "snapshot_verdict", "snapshot_chunk", "snapshot", "statement"]
    lacking = {1: tables, 2: tables[2:], 3: tables[3:], 4: tables[4:]}[version]
    file = SqliteFile(tmp_path)
    library = held(SqliteLogs(file), 1)
    file.close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    for (index,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE name LIKE 'copy_of_%'"
    ).fetchall():
        connection.execute(f"DROP INDEX {index}")
    connection.execute("DROP TABLE chunk_check")
    for table in lacking:
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP TABLE member_role")
    for column in ("members_bytes", "created_ms", "used_ms", "token", "roles_known"):
        connection.execute(f"ALTER TABLE library DROP COLUMN {column}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    file = SqliteFile(tmp_path)
    assert SqliteLogs(file).count_libraries() == 1
    assert SqliteLogs(file).read_growth(library.id).members == 1
    head = SqliteLogs(file).read_head(library.id)
    assert head is not None
    assert head.members_bytes == len(library.genesis)
    assert not SqliteLogs(file).read_standing(library.id, library.owner.sign_public).is_known
    for table in tables:
        assert file.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    file.close()


def test_another_programs_database_is_not_touched(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(RelayStorageError, match="another program"):
        SqliteFile(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RelayStorageError, match="cannot be made"):
        SqliteFile(tmp_path / "file" / "below")


def test_one_librarys_failure_undoes_that_library_alone(logs: SqliteLogs) -> None:
    broken, sound = held(logs, 1), held(logs, 2)
    # A trigger stands in for a damaged page: SQLite's own error from inside one library's part.
    logs._connection.execute(
        "CREATE TRIGGER damage BEFORE INSERT ON entry WHEN new.library = 1 AND new.position = 2"
        " BEGIN SELECT raise(ABORT, 'damaged'); END"
    )
    failed, kept = append(logs, broken.author().envelopes(2), sound.author().envelopes(2))
    assert (failed.positions, failed.stop, failed.reason) == ((), Stop.FAILED, "damaged")
    assert (kept.positions, kept.stop) == ((1, 2), None)
    head = logs.read_head(broken.id)
    assert head is not None
    assert head.n == 0
    assert logs.read(broken.id, 0, 1 << 30, 9).envelopes == ()


def test_a_failed_commit_keeps_nothing_and_the_store_goes_on(logs: SqliteLogs) -> None:
    library = held(logs, 1)
    envelopes = library.author().envelopes(1, library.random(200_000))
    pages = logs._connection.execute("PRAGMA page_count").fetchone()[0]
    logs._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(RelayStorageError, match="full"):
        append(logs, envelopes)
    logs._connection.execute("PRAGMA max_page_count = 1000000")
    (result,) = append(logs, envelopes)
    assert result.positions == (1,)

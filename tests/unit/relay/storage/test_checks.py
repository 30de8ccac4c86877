"""What the relay's check of its own copy takes for damage, and what reading a damaged one costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.relay_client import SharedLibrary

from bifolio.crypto.blob import SEAL_BYTES, sealed_size
from bifolio.crypto.membership import rules
from bifolio.crypto.membership.records import Record, parse_record
from bifolio_relay.storage import BlobView, UploadLease
from bifolio_relay.storage.sqlite_blobs import FolderBlobs
from bifolio_relay.storage.sqlite_checks import Damage, Round, blob_path, read_members
from bifolio_relay.storage.sqlite_file import SqliteFile
from bifolio_relay.storage.sqlite_log import SqliteLogs

ONE = b"1" * 32


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    file = SqliteFile(tmp_path)
    yield file
    file.close()


@pytest.fixture
def library(file: SqliteFile) -> SharedLibrary:
    library = SharedLibrary()
    SqliteLogs(file).create_library(library.id, b"e" * 16, library.genesis, library.membership.head)
    return library


@pytest.fixture
def blobs(file: SqliteFile, library: SharedLibrary) -> FolderBlobs:
    blobs = FolderBlobs(file)
    sealed = bytes(5 + SEAL_BYTES)
    lease = UploadLease(b"d" * 32, 0, 1000)
    stored = blobs.store_chunk(library.id, ONE, sealed_size(5), 0, sealed, lease)
    assert isinstance(stored, BlobView)
    return blobs


def check_all(file: SqliteFile) -> list[Damage]:
    """All that one round of checks finds."""
    checks = Round(file.path, file.folder)
    return [one for _ in range(8) for one in checks.step()]


@pytest.mark.usefixtures("blobs")
def test_a_file_that_is_damaged_is_found(file: SqliteFile, library: SharedLibrary) -> None:
    assert check_all(file) == []
    path = blob_path(file.folder, library.id, ONE)
    path.write_bytes(bytes([1]) + path.read_bytes()[1:])
    assert {(one.library, one.what) for one in check_all(file)} == {(library.id, "1 of its files")}


def test_a_file_that_a_member_drops_while_it_is_checked_is_not_damaged(
    file: SqliteFile,
    library: SharedLibrary,
    blobs: FolderBlobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise everybody's connections to the library would end for it."""

    def dropped(folder: Path, library_id: bytes, blob: bytes) -> Path:
        blobs.drop(library_id, [blob], 0)
        return blob_path(folder, library_id, blob)

    monkeypatch.setattr("bifolio_relay.storage.sqlite_checks.blob_path", dropped)
    assert check_all(file) == []
    assert not blobs.look(library.id, [ONE], 0).states[0].held


def test_a_damaged_list_of_members_is_read_at_the_cost_of_its_records(
    file: SqliteFile, library: SharedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        library.with_member()
    records = library.membership.records
    key = file.library_key(library.id)
    assert key is not None
    file.connection.executemany(
        "INSERT OR REPLACE INTO member VALUES (?, ?, ?)",
        [(key, number, record) for number, record in enumerate(records)],
    )
    last = len(records) - 1
    file.connection.execute(
        "UPDATE member SET record = ? WHERE library = ? AND number = ?", (b"rot", key, last)
    )
    parsed = []

    def counted(raw: bytes) -> Record:
        parsed.append(raw)
        return parse_record(raw)

    monkeypatch.setattr(rules, "parse_record", counted)
    members = read_members(file.connection, key)
    assert members.is_short
    assert tuple(members.records) == records[:last]
    assert members.head == rules.Membership.from_records(records[:last]).head
    assert len(parsed) <= 3 * len(records)
    with sqlite3.connect(file.path) as connection:
        assert read_members(connection, key) == members
    connection.close()

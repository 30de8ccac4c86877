"""Mending the relay's file from what is whole of it; members offer the rest again.

What is counted is counted again. Where an entry's envelope is lost, it and what follows in its
author's chain leave the log, and the log gets a new epoch: its members see by it, as with a relay
that was wiped, that they have to offer what it lacks. A membership log goes on behind its last
whole record, and members append the rest. A file that SQLite refuses is filled into a fresh one.
All that is taken away is kept in the folder ``damaged``.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bifolio.crypto.membership import library_id_of
from bifolio.disk import make_private_folder, sync_folder, touch_private
from bifolio.errors import EnvelopeError, MembershipError
from bifolio.salvage.filling import fill
from bifolio.salvage.pages import Pages
from bifolio.salvage.trees import Trees
from bifolio.wire.log_chain import log_next, log_start
from bifolio_relay.quotas import blob_cost
from bifolio_relay.storage import sqlite_checks
from bifolio_relay.storage.sqlite_checks import CheckedEntry
from bifolio_relay.storage.sqlite_file import (
    APPLICATION_ID,
    FILE_NAME,
    VERSION,
    make_tables,
    remove_library,
)

DAMAGED_NAME = "damaged"
_EPOCH_BYTES = 16
_MENDED = f"{FILE_NAME}.mended"

#: Made again from others: they are not read of a file that SQLite refuses.
_DERIVED = frozenset({"chain", "member_role", "upload_lease"})


def mend_file(folder: Path) -> None:
    """Fill what can be read of a relay's file into a fresh one, which takes its place.

    Nobody may have the file open.

    Raises:
        OSError: there is no room for it; nothing was changed.
    """
    path, fresh = folder / FILE_NAME, folder / f".{FILE_NAME}-{secrets.token_hex(4)}"
    touch_private(fresh)
    try:
        with (
            closing(Pages(path)) as pages,
            closing(sqlite3.connect(fresh, isolation_level=None)) as connection,
        ):
            trees = Trees(pages)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN")
            make_tables(connection)
            fill(connection, trees, trees.schema(), leave_out=_DERIVED)
            connection.execute("COMMIT")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("BEGIN")
            for key, library in sqlite_checks.libraries(connection):
                mend_library(connection, folder, key, library)
            connection.execute("COMMIT")
        keep_copy(folder)
        fresh.rename(folder / _MENDED)
        sync_folder(folder)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    finish_mending(folder)


def can_be_mended(folder: Path) -> bool:
    """Whether a file that SQLite refuses has the tables of a relay's."""
    path = folder / FILE_NAME
    if not path.is_file() or not path.stat().st_size:
        return False
    with closing(Pages(path)) as pages:
        names = {part.name for part in Trees(pages).schema()}
    return len(names & {"library", "entry", "chain", "member", "blob", "token"}) > 3


def finish_mending(folder: Path) -> None:
    """Go on where the replacing of a damaged file was interrupted; as a rule there is nothing."""
    mended = folder / _MENDED
    if not mended.exists():
        return
    for suffix in ("-wal", "-shm"):
        (folder / (FILE_NAME + suffix)).unlink(missing_ok=True)
    mended.rename(folder / FILE_NAME)
    sync_folder(folder)


def keep_copy(folder: Path) -> Path:
    """Keep the file as it is, with its log, in the folder of what was damaged."""
    kept = folder / DAMAGED_NAME
    make_private_folder(kept)
    target = kept / f"relay-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.sqlite"
    for suffix in ("-wal", ""):
        source = folder / (FILE_NAME + suffix)
        if source.exists():
            shutil.copyfile(source, f"{target}{suffix}")
            Path(f"{target}{suffix}").chmod(0o600)
    sync_folder(kept)
    return target


def mend_library(connection: sqlite3.Connection, folder: Path, key: int, library: bytes) -> None:
    """Put a library right from what is whole of it; inside a transaction."""
    members = sqlite_checks.read_members(connection, key)
    if members.records:
        try:
            library = library_id_of(members.records[0])
            connection.execute("UPDATE OR IGNORE library SET id = ? WHERE key = ?", (library, key))
        except (MembershipError, EnvelopeError, ValueError):
            members.records.clear()
    if not members.records:
        # Without its first record no member can be known: whoever comes gives all of it again.
        remove_library(connection, key)
        return
    connection.execute(
        "DELETE FROM member WHERE library = ? AND number NOT BETWEEN 0 AND ?",
        (key, len(members.records) - 1),
    )
    connection.execute("DELETE FROM member_role WHERE library = ?", (key,))
    connection.execute(
        "UPDATE library SET members = ?, members_head = ?, members_bytes = ?, roles_known = 0"
        " WHERE key = ?",
        (len(members.records), members.head, sum(map(len, members.records)), key),
    )
    _drop_damaged_snapshots(connection, key)
    connection.executemany(  # each computer says it again
        "DELETE FROM statement WHERE library = ? AND device = ? AND replica = ?",
        sqlite_checks.find_damaged_statements(connection, key),
    )
    _mend_log(connection, folder, key, library)
    _mend_blobs(connection, folder, key, library)


def _mend_log(connection: sqlite3.Connection, folder: Path, key: int, library: bytes) -> None:
    entries = list(sqlite_checks.check_entries(connection, key, library))
    devices: dict[bytes, bytes] = dict(
        connection.execute("SELECT id, device FROM chain WHERE library = ?", (key,)).fetchall()
    )
    covered = sqlite_checks.covered_ends(connection, key)
    begins = {one.chain: one.seq for one in reversed(entries)}
    kept, lost = _split(entries, {chain: seq - 1 for chain, seq in begins.items()})
    epoch, floor = connection.execute(
        "SELECT epoch, floor FROM library WHERE key = ?", (key,)
    ).fetchone()
    has_gap = [one.position for one in entries] != list(range(1, len(entries) + 1))
    # The hash of an entry without its envelope is nowhere else: its members' logs differ from it.
    has_gap |= any(one.is_wrong and one.position <= floor for one in entries)
    if lost or has_gap:
        # What was pruned is of the earlier log, of which the snapshots are.
        pruned = [one for one in entries if one.position <= floor]
        kept, lost = _split(
            [one for one in entries if one.position > floor],
            {chain: one.seq for chain, one in covered.items()},
        )
        _keep_pieces(connection, folder, key, library, lost)
        lost += pruned
        epoch, floor = secrets.token_bytes(_EPOCH_BYTES), 0
        connection.execute("UPDATE snapshot SET n = 0 WHERE library = ?", (key,))
        connection.execute("DELETE FROM statement WHERE library = ?", (key,))
    for one in lost:
        connection.execute(
            "DELETE FROM entry WHERE library = ? AND position = ?", (key, one.position)
        )
    chain_hash = log_start(library, epoch)
    ends: dict[bytes, CheckedEntry] = {}
    for position, one in enumerate(kept, start=1):
        chain_hash = log_next(chain_hash, one.hash)
        if one.is_wrong or position != one.position or chain_hash != one.chain_hash or lost:
            connection.execute(
                "UPDATE entry SET position = ?, chain = ?, seq = ?, hash = ?, chain_hash = ?"
                " WHERE library = ? AND position = ?",
                (position, one.chain, one.seq, one.hash, chain_hash, key, one.position),
            )
        ends[one.chain] = one
        if one.device is not None:
            devices[one.chain] = one.device
    places = {chain: (one.seq, one.hash) for chain, one in ends.items()}
    for chain, end in covered.items():
        devices.setdefault(chain, end.device)
        if end.seq > places.get(chain, (0, b""))[0]:
            places[chain] = end.seq, end.hash
    connection.execute("DELETE FROM chain WHERE library = ?", (key,))
    connection.executemany(
        "INSERT INTO chain (library, id, device, seq, hash) VALUES (?, ?, ?, ?, ?)",
        [
            (key, chain, devices[chain], *place)
            for chain, place in places.items()
            if chain in devices
        ],
    )
    connection.execute(
        "UPDATE library SET epoch = ?, floor = ?, n = ?, chain_hash = ?, size_bytes = ?"
        " WHERE key = ?",
        (epoch, floor, len(kept), chain_hash, sum(one.size_bytes for one in kept), key),
    )
    if lost or has_gap:
        connection.execute("DELETE FROM blob_tally WHERE library = ?", (key,))


def _drop_damaged_snapshots(connection: sqlite3.Connection, key: int) -> None:
    """Members make new ones, or send again the one that they began with."""
    for snapshot in list(sqlite_checks.find_damaged_snapshots(connection, key)):
        for table in ("snapshot_chunk", "snapshot_verdict"):
            connection.execute(f"DELETE FROM {table} WHERE snapshot = ?", (snapshot,))
        connection.execute("DELETE FROM snapshot WHERE key = ?", (snapshot,))
    for table in ("snapshot_chunk", "snapshot_verdict"):
        connection.execute(f"DELETE FROM {table} WHERE snapshot NOT IN (SELECT key FROM snapshot)")


def _split(
    entries: list[CheckedEntry], begins: Mapping[bytes, int]
) -> tuple[list[CheckedEntry], list[CheckedEntry]]:
    """The entries that stay, and those that go: damaged ones, and in each chain what follows.

    Args:
        begins: behind which place a chain may begin, where that is not its first: a snapshot has
            what came before.
    """
    kept: list[CheckedEntry] = []
    lost: list[CheckedEntry] = []
    ends: dict[bytes, int] = {}
    for one in entries:
        if one.chain in ends:
            follows = one.seq == ends[one.chain] + 1
        else:
            follows = 1 <= one.seq <= begins.get(one.chain, 0) + 1
        if one.is_lost or not follows:
            lost.append(one)
        else:
            ends[one.chain] = one.seq
            kept.append(one)
    return kept, lost


def _keep_pieces(
    connection: sqlite3.Connection,
    folder: Path,
    key: int,
    library: bytes,
    lost: list[CheckedEntry],
) -> None:
    kept = folder / DAMAGED_NAME
    make_private_folder(kept)
    for one in lost:
        (raw,) = connection.execute(
            "SELECT envelope FROM entry WHERE library = ? AND position = ?", (key, one.position)
        ).fetchone()
        name = f"{library.hex()[:8]}-{one.position}-{secrets.token_hex(2)}.envelope"
        touch_private(kept / name)
        (kept / name).write_bytes(raw)


def _mend_blobs(connection: sqlite3.Connection, folder: Path, key: int, library: bytes) -> None:
    """Damaged files are dropped: members that have them send them again."""
    damaged = list(sqlite_checks.find_damaged_blobs(connection, folder, key, library))
    for blob in damaged:
        place = (key, blob)
        connection.execute("DELETE FROM blob WHERE library = ? AND id = ?", place)
        connection.execute("DELETE FROM chunk_check WHERE library = ? AND blob = ?", place)
        path = sqlite_checks.blob_path(folder, library, blob)
        if path.exists():
            kept = folder / DAMAGED_NAME
            make_private_folder(kept)
            path.rename(kept / f"{blob.hex()}.blob")
    sizes = connection.execute("SELECT size_bytes FROM blob WHERE library = ?", (key,)).fetchall()
    room = sum(blob_cost(size) for (size,) in sizes)
    known = connection.execute("SELECT drops FROM blob_room WHERE library = ?", (key,)).fetchone()
    drops = (known[0] if known else 0) + bool(damaged)
    if sizes or known or damaged:
        connection.execute(
            "INSERT OR REPLACE INTO blob_room (library, size_bytes, drops) VALUES (?, ?, ?)",
            (key, room, drops),
        )
    connection.execute(
        "DELETE FROM chunk_check WHERE library = ? AND NOT EXISTS (SELECT 1 FROM blob"
        " WHERE blob.library = chunk_check.library AND blob.id = chunk_check.blob"
        " AND chunk_check.number BETWEEN 0 AND held - 1)",
        (key,),
    )

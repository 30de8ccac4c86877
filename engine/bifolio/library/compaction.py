"""A library's file and files made as small as they can be without losing anything.

What goes is what nobody needs: contents that no reference names and that every replica has passed,
chunks of snapshots that were sent or taken the place of, room in the file that nothing uses. States
that an earlier version stored as they are, are stored compressed. Records, changes and history stay
as they are, so that nothing that another computer may still send finds anything missing.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bifolio.attachments import garbage_collection
from bifolio.crypto.snapshot import parse_snapshot
from bifolio.home import Home
from bifolio.library import device
from bifolio.replica import folder
from bifolio.replica.replica import Replica, Runtime
from bifolio.results.compaction import CompactionReport, Saving, SavingKind
from bifolio.storage.index import SearchIndex

#: States that are stored again in one transaction.
_AT_ONCE = 500


def compact(path: Path, home: Home, *, dry_run: bool = False) -> CompactionReport:
    """Make a library as small as it can be.

    Args:
        path: the library's folder.
        home: this device's home.
        dry_run: only say what would be saved. Of the file itself that is the room that nothing
            uses now; what writing it again gains besides, is seen when it is done.

    Raises:
        LibraryError: it is no library, another program holds it, or there is no room: writing the
            file again takes as much as it has.
    """
    before = _size(path)
    with closing(folder.open_database(path)) as database:
        replica = Replica(path, database, lambda: device.load_keys(home).keys, Runtime())
        unused = database.unused_bytes()
        waiting = [one for one in garbage_collection.list_unnamed(replica) if not one.is_passed]
        savings = compact_opened(replica, dry_run=dry_run)
    if not dry_run:
        unused = max(before - _size(path) - sum(one.bytes for one in savings), 0)
    savings.append(Saving(SavingKind.UNUSED_ROOM, 1, unused))
    would_be = max(before - sum(one.bytes for one in savings), 0)
    return CompactionReport(
        path=path,
        dry_run=dry_run,
        bytes_before=before,
        bytes_after=would_be if dry_run else _size(path),
        savings=tuple(one for one in savings if one.bytes),
        waiting_files=len(waiting),
        waiting_bytes=sum(one.size_bytes for one in waiting),
    )


def compact_opened(replica: Replica, *, dry_run: bool = False) -> list[Saving]:
    """The same of a replica that is open; what it saved, but for the room that nothing used."""
    savings = [
        _contents(replica, dry_run=dry_run),
        _chunks(replica, dry_run=dry_run),
        _states(replica, dry_run=dry_run),
    ]
    if not dry_run:
        with replica.database.transaction():
            SearchIndex(replica.database).optimize()
        replica.database.compact()
    return savings


def _contents(replica: Replica, *, dry_run: bool) -> Saving:
    """Contents that nothing names and that every replica has passed."""
    gone = [one for one in garbage_collection.list_unnamed(replica) if one.is_passed]
    if not dry_run:
        garbage_collection.collect(replica)
    return Saving(SavingKind.FILES, len(gone), sum(one.size_bytes for one in gone))


def _chunks(replica: Replica, *, dry_run: bool) -> Saving:
    """Chunks of snapshots but of the one that a relay may need again, and of one on its way."""
    with replica.database.transaction():
        meta = replica.meta
        headers = (meta.snapshot_kept, meta.snapshot_made, meta.snapshot_loading)
        kept = [parse_snapshot(one).id for one in headers if one]
        count, size = replica.snapshots.size_of_chunks(but=kept)
        if not dry_run:
            replica.snapshots.remove_chunks(but=kept)
    return Saving(SavingKind.SNAPSHOT_PARTS, count, size)


def _states(replica: Replica, *, dry_run: bool) -> Saving:
    """States that are stored as they are and need not be."""
    count = saved = 0
    unpacked = replica.records.unpacked_ids()
    for start in range(0, len(unpacked), _AT_ONCE):
        with replica.database.transaction():
            for record_id in unpacked[start : start + _AT_ONCE]:
                gained = replica.records.pack(record_id, dry_run=dry_run)
                count, saved = count + (gained > 0), saved + gained
    return Saving(SavingKind.STATES, count, saved)


def _size(path: Path) -> int:
    """The bytes of everything in a library's folder, but of what SQLite keeps while it is open."""
    found = (one for one in path.rglob("*") if one.is_file() and not one.name.endswith("-shm"))
    return sum(one.stat().st_size for one in found)

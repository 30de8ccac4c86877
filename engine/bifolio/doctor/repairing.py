"""Mending a library: its file from what is whole, the rest from the relay with a sync."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bifolio.crypto import key_condition as conditions
from bifolio.disk import hash_file
from bifolio.doctor import leftovers
from bifolio.errors import BifolioError, LibraryError, Next
from bifolio.home import Home
from bifolio.library import status
from bifolio.library.counting import say_count
from bifolio.repair import mending
from bifolio.repair.damage import Damages
from bifolio.replica import folder
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica, Runtime
from bifolio.replication.remote import Remote
from bifolio.replication.run_blocking import run_blocking
from bifolio.results import Progress, Stage
from bifolio.results.doctor import RepairReport


def repair(
    path: Path, home: Home, *, offline: bool = False, progress: Progress | None = None
) -> RepairReport:
    """Mend what is damaged of a library here; what is whole stays as it is, and nothing is lost:
    the damaged file and the damaged contents are kept.

    Args:
        path: the library's folder.
        home: this device's home.
        offline: whether the relay is left alone.
        progress: told of what takes long.

    Raises:
        LibraryError: it is no library, or there is no room.
    """
    key = conditions.examine(home.path, name=home.device_name, use_keyring=home.use_keyring)
    runtime = Runtime()
    try:
        mended = mending.mend(path, key.keys, runtime)
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be mended: {error.strerror or error}. It is as it was.",
            path=path,
            next_step=Next.FREE_DISK_SPACE,
        ) from error
    with closing(folder.open_database(path)) as database:
        replica = Replica(path, database, lambda: mending.given(key.keys, path), runtime)
        if replica.meta.lost_edits is not None:
            with database.transaction():
                replica.meta.lost_edits = None
        if replica.meta.damaged_tables:
            with database.transaction():
                replica.meta.damaged_tables = ()
        leftovers.sweep(path, home)
        files = _set_files_aside(replica, progress)
        merged = status.repair(replica) if key.keys is not None else 0
        waits = None
        if mended.damages.waits_for_relay or files:
            waits = "the relay was not asked"
        if replica.meta.relay_url and not offline and key.keys is not None:
            try:
                run_blocking(Remote(replica, LibraryMembership(replica)).sync(progress))
                waits = None
            except BifolioError as error:
                waits = waits and error.message
    return RepairReport(describe(mended.damages), mended.kept, files, merged, waits)


def describe(damages: Damages) -> tuple[str, ...]:
    """A sentence for each kind of damage: what, how much, and from what it is mended."""
    return tuple(
        f"{name_of(table)}: {say_count(count, 'damaged piece')}, mended {source}"
        for (table, source), count in sorted(damages.found.items())
    )


def name_of(table: str) -> str:
    """What is damaged: a table or an index of the library's file, or the file."""
    if table == folder.FILE:
        return f"the file {folder.FILE}"
    is_index = table.startswith(("idx_", "copy_of_", "sqlite_autoindex_"))
    return f"the {'index' if is_index else 'table'} '{table}'"


def _set_files_aside(replica: Replica, progress: Progress | None) -> int:
    """Set damaged contents aside, so that whole ones are fetched again; how many they were."""
    contents = sorted(replica.contents.hashes())
    damaged = []
    for done, hash in enumerate(contents, start=1):
        try:
            if hash_file(replica.contents.path(hash)) != hash:
                damaged.append(hash)
        except OSError:
            continue
        if progress is not None:
            progress(Stage.CHECKING_FILES, done, len(contents))
    for hash in damaged:
        with replica.database.transaction():
            replica.contents.set_aside(hash)
            replica.transfers.mark_missing(hash)
            replica.transfers.mark_wanted(hash)
    return len(damaged)

"""The files of a library that is mended: a fresh one beside it, the damaged one set aside.

The fresh file takes the place of the damaged one when it is whole and on the disk, and not before:
a kill leaves the one or the other (``replica.folder.finish_mending``). The damaged file is kept in
the folder ``damaged`` of the library.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bifolio.crypto.keys import DeviceKeys
from bifolio.disk import make_private_folder, sync_folder
from bifolio.errors import (
    BifolioError,
    BusyLibraryError,
    DamagedLibraryError,
    KeyFileError,
    NewerLibraryError,
    NotALibraryError,
)
from bifolio.repair.damage import Damages, Source
from bifolio.repair.mender import Mender
from bifolio.replica import folder
from bifolio.replica.replica import Replica, Runtime
from bifolio.storage.database import Database
from bifolio.storage.salvaging import (
    DERIVED_TABLES,
    has_damaged_version,
    has_text_index,
    looks_like_ours,
    salvage,
    tree_names,
)

_OF_AN_INDEX = re.compile(r"(?:missing from index|in index) (\w+)")
_OF_A_TREE = re.compile(r"[Tt]ree (?:page )?(\d+)")
_OF_THE_TEXT_INDEX = "malformed inverted index"
_COPY = "copy_of_"


@dataclass(frozen=True, slots=True)
class Mended:
    """What was found, and where the damaged file is kept; None where nothing was."""

    damages: Damages
    kept: Path | None = None


def inspect(path: Path, keys: DeviceKeys | None, runtime: Runtime) -> Damages:
    """What of a library's file is damaged, found on a copy that is thrown away.

    Raises:
        NotALibraryError, NewerLibraryError: it is no library's, or a newer program's.
        BusyLibraryError: another program writes for too long.
    """
    with tempfile.TemporaryDirectory(prefix="bifolio-") as temporary, _held(path) as database:
        return _prepare(path, database, Path(temporary), keys, runtime)


def prepare_copy(path: Path, work: Path, keys: DeviceKeys | None, runtime: Runtime) -> Damages:
    """Make a mended copy of a library's file in a folder; the library is only read."""
    database = None
    with suppress(BifolioError):
        database = Database.open(path / folder.FILE)
    with closing(database) if database is not None else nullcontext():
        return _prepare(path, database, work, keys, runtime)


def mend(path: Path, keys: DeviceKeys | None, runtime: Runtime) -> Mended:
    """Mend a library's file from what is whole; nothing is changed where nothing is damaged.

    Raises:
        NotALibraryError, NewerLibraryError: it is no library's, or a newer program's.
        BusyLibraryError: another program writes for too long.
        OSError: there is no room for a fresh file.
    """
    work = path / f".mending-{runtime.random_bytes(4).hex()}"
    make_private_folder(work)
    try:
        with _held(path) as database:
            damages = _prepare(path, database, work, keys, runtime)
            if not damages.found:
                return Mended(damages)
            fresh = Database.open(work / folder.FILE)
            with closing(fresh):
                reason = fresh.integrity()
                if reason != "ok":
                    raise DamagedLibraryError(path, reason=f"it could not be mended: {reason}")
                fresh.settle()
            kept = _keep_damaged(path, runtime)
            folder.replace_database(path, work / folder.FILE)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Mended(damages, kept)


def _keep_damaged(path: Path, runtime: Runtime) -> Path:
    kept = path / folder.DAMAGED
    make_private_folder(kept)
    moment = f"{datetime.fromtimestamp(runtime.wall_s(), UTC):%Y%m%d-%H%M%S}"
    target = kept / f"library-{moment}-{runtime.random_bytes(2).hex()}.sqlite"
    for suffix in ("-wal", ""):
        source = path / (folder.FILE + suffix)
        if source.exists():
            shutil.copyfile(source, target.with_name(target.name + suffix))
            target.with_name(target.name + suffix).chmod(0o600)
    sync_folder(kept)
    return target


@contextmanager
def _held(path: Path) -> Iterator[Database | None]:
    """The library's file, opened and kept from other writers; None where it cannot be opened."""
    folder.finish_mending(path)
    try:
        database = Database.open(path / folder.FILE)
    except NotALibraryError:
        if not looks_like_ours(path / folder.FILE):
            raise
        yield None
        return
    except BusyLibraryError:
        raise
    except NewerLibraryError as error:
        # What a newer program wrote would be left out of a file of today's schema.
        if not has_damaged_version(path / folder.FILE, error.version):
            raise
        yield None
        return
    except BifolioError:
        if not (path / folder.FILE).is_file():
            raise
        yield None
        return
    with closing(database):
        held = ExitStack()
        with suppress(DamagedLibraryError):  # then nobody else can write either
            held.enter_context(database.transaction())
        try:
            yield database
        finally:
            with suppress(BifolioError):
                held.close()


def _prepare(
    path: Path,
    database: Database | None,
    work: Path,
    keys: DeviceKeys | None,
    runtime: Runtime,
) -> Damages:
    """Make the fresh file in a folder; what was found damaged."""
    fresh = work / folder.FILE
    reasons = ["it cannot be opened"] if database is None else _reasons(database)
    damages = Damages()
    lost: tuple[str, ...] = ()
    if reasons:
        salvaged = salvage(path / folder.FILE, fresh)
        for table, count in salvaged.mended.items():
            damages.add(table, Source.CONTENT if table.startswith(_COPY) else Source.COPY, count)
        for table, count in salvaged.broken.items():
            damages.add(table, Source.RECORDS if _is_derived(table) else Source.CONTENT, count)
        lost = tuple(salvaged.lost)
        _note_reasons(path, reasons, damages)
    else:
        # By a connection of its own: one that writes cannot be copied from.
        with closing(Database.open(path / folder.FILE)) as reading:
            reading.back_up(fresh)
    with closing(Database.open(fresh)) as opened:
        replica = Replica(work, opened, lambda: given(keys, path), runtime)
        mender = Mender(replica, has_keys=keys is not None)
        mender.damages.found.update(damages.found)
        return mender.mend(lost)


def given(keys: DeviceKeys | None, path: Path) -> DeviceKeys:
    """The device's keys; KeyFileError where they cannot be read."""
    if keys is None:
        raise KeyFileError(path, reason="it cannot be read")
    return keys


def _reasons(database: Database) -> list[str]:
    """What SQLite says is wrong with the file; nothing of what is derived in the text index."""
    try:
        said = database.integrity().splitlines()
    except DamagedLibraryError as error:
        said = [error.reason]
    if not has_text_index(database):
        said.append("in index refs_fts_config")
    return [one for one in said if one != "ok" and not one.startswith((_OF_THE_TEXT_INDEX, "***"))]


def _note_reasons(path: Path, reasons: list[str], damages: Damages) -> None:
    """Name what SQLite found, as far as it is mended by making it again."""
    names = tree_names(path / folder.FILE)
    found: dict[str, int] = {}
    for reason in reasons:
        if (index := _OF_AN_INDEX.search(reason)) is not None:
            name = index.group(1)
        elif (tree := _OF_A_TREE.search(reason)) is not None:
            name = names.get(int(tree.group(1)), folder.FILE)
        else:
            name = folder.FILE
        found[name] = found.get(name, 0) + 1
    named = {table for table, _ in damages.found}
    for name, count in found.items():
        is_named = name.removeprefix(_COPY) in named or (name == folder.FILE and named)
        if not is_named:
            damages.add(name, Source.RECORDS if _is_derived(name) else Source.CONTENT, count)


def _is_derived(name: str) -> bool:
    return name in DERIVED_TABLES or name.startswith("refs_fts")

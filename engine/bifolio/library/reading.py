"""Reading what is whole of a library that is damaged, on a disk that is full, or read-only.

Whoever only reads goes on with a copy that is thrown away: of a damaged library one that was mended
(``repair``), of one that cannot be written the file as it is, in memory where it must be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from msgspec import Struct

from bifolio import lazy
from bifolio.crypto.keys import DeviceKeys
from bifolio.errors import (
    DATA_FAULTS,
    BifolioError,
    DamagedLibraryError,
    ForeignSchemaError,
    LibraryError,
    Next,
    NextStep,
    NotALibraryError,
    ReadOnlyLibraryError,
    StorageFullError,
    TemporaryFolderFullError,
)
from bifolio.replica import folder
from bifolio.replica.replica import Replica, Runtime
from bifolio.results import Notice, ReferenceView
from bifolio.storage.database import Database
from bifolio.storage.underived import Underived

if TYPE_CHECKING:
    import shutil
    import tempfile
else:
    shutil = lazy.module("shutil")
    tempfile = lazy.module("tempfile")

T = TypeVar("T")

#: Of a whole file, what keeps it from being opened for writing.
_NOT_WRITABLE = (ReadOnlyLibraryError, StorageFullError)

#: What a damaged file looks like to who opens it.
_DAMAGED = (DamagedLibraryError, ForeignSchemaError, NotALibraryError)


class Opened(Struct, frozen=True):
    """An opened file, what its user should know where it can only be read, and the folder of the
    copy that is read in its place."""

    database: Database
    notice: Notice | None = None
    copy: Path | None = None


def open_file(path: Path, load_keys: Callable[[], DeviceKeys], *, reading: bool) -> Opened:
    """A library's file, for who only reads as far as it is whole.

    Raises:
        LibraryError: it is none, newer, or nothing of it can be read.
    """
    if not reading:
        return Opened(folder.open_database(path))
    try:
        return Opened(folder.open_database(path))
    except _NOT_WRITABLE as error:
        return Opened(_open_image(path, load_keys), Notice(_said(error)))
    except _DAMAGED as error:
        if not mending_can(path):
            raise
        copy = _make_folder(path)
        try:
            return Opened(rescue(path, copy, load_keys)[0], damage_notice(error), copy)
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise


def _open_image(path: Path, load_keys: Callable[[], DeviceKeys]) -> Database:
    """A file that cannot be written; what nothing is derived of yet is derived in memory."""
    database = Database.open_image(path / folder.FILE)
    if Underived(database).is_empty():
        return database
    database.close()
    database = Database.open_image(path / folder.FILE, in_memory=True)
    Replica(path, database, load_keys, Runtime()).drain()
    database.forbid_writing()
    return database


def _said(error: LibraryError) -> str:
    """Why a library is only read, without what an edit would have come to."""
    return error.message.partition(" Nothing was changed")[0].partition(" The change was not")[0]


def mending_can(path: Path) -> bool:
    """Whether a file that is not known as a library's was one before its header was damaged."""
    from bifolio.storage.salvaging import looks_like_ours

    file = path / folder.FILE
    return file.is_file() and file.stat().st_size > 0 and looks_like_ours(file)


class Reader:
    """Reads one replica; where its file is damaged, from a mended copy of it."""

    def __init__(
        self,
        replica: Replica,
        load_keys: Callable[[], DeviceKeys],
        tell: Callable[[Notice], None],
    ) -> None:
        self._replica = replica
        self._load_keys = load_keys
        self._tell = tell
        self._rescued: Replica | None = None
        self._folders: list[Path] = []

    def read(self, work: Callable[[Replica], T]) -> T:
        """What ``work`` reads."""
        if self._rescued is not None:
            return work(self._rescued)
        try:
            return work(self._replica)
        except (DamagedLibraryError, *DATA_FAULTS) as error:
            return work(self._rescue(error))

    def write(self, out: BinaryIO, work: Callable[[Replica], T]) -> T:
        """What ``work`` reads and writes to a file; where damage shows itself in the middle, the
        file is written again from its beginning, unless it can only be written once."""
        start = out.tell() if out.seekable() else None
        try:
            return work(self._rescued or self._replica)
        except (DamagedLibraryError, *DATA_FAULTS) as error:
            if self._rescued is not None or start is None:
                raise
            out.seek(start)
            out.truncate()
            return work(self._rescue(error))

    def iterate(
        self, work: Callable[[Replica], Iterator[ReferenceView]]
    ) -> Iterator[ReferenceView]:
        """The references that ``work`` reads, each once."""
        seen = set()
        try:
            for one in work(self._rescued or self._replica):
                seen.add(one.id)
                yield one
        except (DamagedLibraryError, *DATA_FAULTS) as error:
            if self._rescued is not None:
                raise
            for one in work(self._rescue(error)):
                if one.id not in seen:
                    yield one

    def note(self, opened: Opened) -> None:
        """What was opened may be a copy already."""
        if opened.notice is not None:
            self._tell(opened.notice)
        if opened.copy is not None:
            self._folders.append(opened.copy)

    def close(self) -> None:
        """Throw away what was copied."""
        if self._rescued is not None:
            self._rescued.database.close()
            self._rescued = None
        while self._folders:
            shutil.rmtree(self._folders.pop(), ignore_errors=True)

    def _rescue(self, error: Exception) -> Replica:
        """A mended copy; a fault of another kind than damage is raised as it is."""
        path = self._replica.path
        copy = _make_folder(path)
        self._folders.append(copy)
        database, is_damaged = rescue(path, copy, self._load_keys)
        if not isinstance(error, LibraryError):
            if not is_damaged:
                database.close()
                raise error
            error = DamagedLibraryError(path, reason="a value in it cannot be read")
        self._tell(damage_notice(error))
        replica = self._replica
        self._rescued = Replica(replica.path, database, self._load_keys, replica.runtime)
        return self._rescued


def _make_folder(path: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="bifolio-"))
    except OSError as error:
        raise TemporaryFolderFullError(path, folder=tempfile.gettempdir()) from error


def rescue(path: Path, work: Path, load_keys: Callable[[], DeviceKeys]) -> tuple[Database, bool]:
    """A mended copy of a damaged library's file in a folder, to be read and thrown away; and
    whether anything was damaged.

    Raises:
        TemporaryFolderFullError: there is no room for it.
    """
    from bifolio.repair import mending

    try:
        keys = load_keys()
    except BifolioError:
        keys = None
    try:
        damages = mending.prepare_copy(path, work, keys, Runtime())
        database = Database.open(work / folder.FILE)
    except (OSError, StorageFullError, ReadOnlyLibraryError) as error:
        raise TemporaryFolderFullError(path, folder=str(work.parent)) from error
    database.forbid_writing()
    return database, bool(damages.found)


def damage_notice(error: LibraryError) -> Notice:
    """What a user is told whose library is read from a mended copy."""
    reason = getattr(error, "reason", "its file cannot be opened")
    return Notice(
        f"The library at {error.path} is damaged ({reason}). What is whole is shown.",
        NextStep(Next.REPAIR_LIBRARY),
    )

"""Backups: one portable file with a library and its attached files (docs/storage.md).

A backup is made next to its place, synced, read back and checked, and only then gets its name. It
is restored as a new replica, never over a library. It carries no device key: the content keys in
it are sealed to the device, so that a restore on another device edits normally and asks for a
ticket when it syncs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bifolio.disk import (
    create_private,
    keep_private,
    make_private_folder,
    sync_folder,
    touch_private,
    unfinished_name,
)
from bifolio.errors import (
    BackupError,
    BackupTakenError,
    DamagedBackupError,
    NewerBackupError,
)
from bifolio.home import Home
from bifolio.library import status
from bifolio.library.reading import Reader
from bifolio.replica import folder, restored
from bifolio.replica.replica import Replica
from bifolio.results import Backup, BackupContents, Progress, RestoredLibrary, Stage
from bifolio.storage import archive
from bifolio.storage.archive import Archive
from bifolio.storage.contents import CONTENT_MODE, Contents
from bifolio.storage.database import Database, reason_against
from bifolio.storage.manifest import DATABASE, Manifest, ManifestEntry
from bifolio.storage.meta import Meta
from bifolio.storage.migrations import LATEST
from bifolio.storage.transfers import Transfers

SUFFIX = ".bifolio-backup"


class Backups:
    """The backups of one opened library."""

    def __init__(self, replica: Replica, home: Home, reader: Reader | None = None) -> None:
        self._replica = replica
        self._home = home
        self._reader = reader

    def create(
        self, target: Path | None = None, *, files: bool = True, progress: Progress | None = None
    ) -> Backup:
        """Make a backup, and check it.

        Args:
            target: its file, or a folder for it; by default the home's folder of backups.
            files: whether the attached files' contents are in it.
            progress: told of each stage.

        Raises:
            BackupTakenError: the file is there already.
            LibraryError, DamagedBackupError: it was not made; nothing is left behind.
        """
        held = BackupContents.ALL if files else BackupContents.NONE
        if self._reader is None:
            return self._create(target, held, progress)
        # Of a damaged library a backup of what is whole.
        return self._reader.read(
            lambda one: Backups(one, self._home)._create(target, held, progress)
        )

    def create_before_attach(self, progress: Progress | None = None) -> Backup:
        """The backup that is made unasked; attaching touches no file, so none is in it."""
        return self._create(None, BackupContents.NONE, progress)

    def create_before_join(self, progress: Progress | None = None) -> Backup:
        """The backup that is made unasked; a join leaves the trash behind, so its files, which
        no reference would name any more, are in it."""
        return self._create(None, BackupContents.TRASHED, progress)

    def _create(
        self, target: Path | None, held: BackupContents, progress: Progress | None
    ) -> Backup:
        place = self._place(target)
        if place.exists():
            raise BackupTakenError(place)
        if target is None:
            make_private_folder(place.parent)
            keep_private(place.parent)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = unfinished_name(place)
        copied = unfinished.with_name(unfinished.name + ".sqlite")
        try:
            touch_private(copied)
            account, wanted = self._copy(copied, held, progress)
            sources = [(DATABASE, copied), *self._contents(held, wanted)]
            _pack(unfinished, sources, account, progress)
            copied.unlink()
            backup = _check_entries(unfinished, progress)
            if place.exists():
                raise BackupTakenError(place)
            unfinished.rename(place)
            sync_folder(place.parent)
        finally:
            copied.unlink(missing_ok=True)
            unfinished.unlink(missing_ok=True)
        return _describe(place, backup, verified=True)

    def _place(self, target: Path | None) -> Path:
        stem = self._replica.path.stem
        name = f"{stem}-{self._now():%Y%m%d-%H%M%S}-{os.urandom(2).hex()}{SUFFIX}"
        if target is None:
            return self._home.backups / name
        target = target.absolute()
        return target / name if target.is_dir() else target

    def _copy(
        self, target: Path, held: BackupContents, progress: Progress | None
    ) -> tuple[Manifest, frozenset[str]]:
        """Copy the SQLite file, and say what is in it and which contents go with it: all of one
        moment."""
        replica = self._replica
        tell = (lambda done, total: progress(Stage.COPYING, done, total)) if progress else None
        with replica.snapshot():
            wanted = self._wanted_contents(held)
            account = Manifest(
                made_at=f"{self._now():%Y-%m-%dT%H:%M:%SZ}",
                device=self._home.device_name,
                library=replica.library_id.hex(),
                name=replica.meta.name,
                references=replica.references.count(trashed=False),
                trashed=replica.references.count(trashed=True),
                state=status.state_hash(replica),
                storage_version=LATEST,
                files=str(held),
                absent=sum(not replica.contents.has(one) for one in wanted),
            )
            replica.database.back_up(target, tell)
        return account, wanted

    def _wanted_contents(self, held: BackupContents) -> frozenset[str]:
        """The contents that references name, as far as they are to be in the backup."""
        attachments = self._replica.references.attachments
        match held:
            case BackupContents.ALL:
                return frozenset(hash for hash, _ in attachments.contents())
            case BackupContents.TRASHED:
                return frozenset(attachments.contents_of_the_trash())
            case BackupContents.NONE:
                return frozenset()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._replica.runtime.wall_s(), UTC)

    def _contents(self, held: BackupContents, wanted: frozenset[str]) -> Iterator[tuple[str, Path]]:
        """The contents on this computer, by their names in a backup; in a whole one those too
        that no reference names now: an undo could want them."""
        contents = self._replica.contents
        for hash in sorted(contents.hashes()):
            if held is BackupContents.ALL or hash in wanted:
                path = contents.path(hash)
                yield f"{folder.FILES}/{path.parent.name}/{hash}", path


def list_backups(
    home: Home, *, check: bool = False, progress: Progress | None = None
) -> list[Backup]:
    """The backups in the home's folder, the newest first; one that cannot be used says why.

    Args:
        home: whose backups.
        check: whether to check every hash in each, which reads them whole.
        progress: told of each stage.
    """
    found = []
    for path in sorted(home.backups.glob(f"*{SUFFIX}")):
        try:
            found.append(verify(path, progress=progress) if check else _glance(path))
        except BackupError as error:
            size = path.stat().st_size if path.exists() else 0
            found.append(Backup(path, size, fault=error.message))
    return sorted(found, key=lambda one: (one.made_at, one.path), reverse=True)


def verify(path: Path, *, progress: Progress | None = None) -> Backup:
    """Check every hash in a backup, and the integrity of the library in it.

    Raises:
        NotABackupError, DamagedBackupError, NewerBackupError.
    """
    with tempfile.TemporaryDirectory(prefix="bifolio-") as temporary:
        copied = Path(temporary) / DATABASE
        account = _check_entries(path, progress, library_to=copied)
        _check_library(path, copied)
    return _describe(path, account, verified=True)


def restore(path: Path, target: Path, *, progress: Progress | None = None) -> RestoredLibrary:
    """Make a new replica of a backup; everything is checked on the way.

    Args:
        path: the backup.
        target: the replica's folder; nothing may be there.
        progress: told of each stage.

    Raises:
        PathTakenError, ReadOnlyLibraryError: it cannot be made there.
        NotABackupError, DamagedBackupError, NewerBackupError: nothing was made.
    """
    replica_id = os.urandom(16)
    with Archive.open(path) as opened:
        account = opened.manifest
        _check_version(path, account)

        def build(unfinished: Path) -> None:
            tell = _report_stage(Stage.RESTORING, account.entries, progress)
            for entry in account.entries:
                place = unfinished / entry.name
                make_private_folder(place.parent)
                with create_private(place) as written:
                    opened.extract(entry, written, tell)
                if entry.is_content:
                    place.chmod(CONTENT_MODE)
            _check_library(path, unfinished / DATABASE)
            database = Database.open(unfinished / DATABASE)
            try:
                with database.transaction():
                    restored.begin_anew(database, replica_id)
                    present = set(Contents(unfinished / folder.FILES).hashes())
                    Transfers(database).reconcile(present)
            finally:
                database.close()

        folder.place(target.absolute(), build)
    sync_folder(target.absolute().parent)
    database = folder.open_database(target.absolute())
    try:
        name = Meta(database).name
    finally:
        database.close()
    backup = _describe(path, account, verified=True)
    return RestoredLibrary(
        path=target.absolute(),
        library=account.library,
        replica=replica_id.hex(),
        name=name,
        references=account.references,
        files=backup.files,
        backup=backup,
    )


def _pack(
    target: Path,
    sources: list[tuple[str, Path]],
    account: Manifest,
    progress: Progress | None,
) -> None:
    total = sum(path.stat().st_size for _, path in sources if path.exists())
    with create_private(target) as written:
        archive.write(written, sources, account, _count_pieces(Stage.PACKING, total, progress))


def _check_entries(
    path: Path, progress: Progress | None, *, library_to: Path | None = None
) -> Manifest:
    """A backup's manifest, after every entry was read and hashed; the library is kept on the way
    where it is to be looked into."""
    with Archive.open(path) as opened:
        account = opened.manifest
        _check_version(path, account)
        tell = _report_stage(Stage.CHECKING, account.entries, progress)
        for entry in account.entries:
            if entry.is_content or library_to is None:
                opened.check(entry, tell)
            else:
                with create_private(library_to) as written:
                    opened.extract(entry, written, tell)
    return account


def _glance(path: Path) -> Backup:
    with Archive.open(path) as opened:
        return _describe(path, opened.manifest, verified=False)


def _describe(path: Path, account: Manifest, *, verified: bool) -> Backup:
    contents = [one for one in account.entries if one.is_content]
    return Backup(
        path=path,
        size=path.stat().st_size,
        library=account.library,
        name=account.name,
        made_at=account.made_at,
        device=account.device,
        references=account.references,
        trashed=account.trashed,
        state=account.state,
        files=len(contents),
        contents=BackupContents(account.files),
        absent=account.absent,
        damaged=tuple(Path(one.name).name for one in contents if not one.is_whole),
        verified=verified,
    )


def _check_version(path: Path, account: Manifest) -> None:
    if account.storage_version > LATEST:
        raise NewerBackupError(path, version=account.storage_version, known=LATEST)


def _check_library(path: Path, copied: Path) -> None:
    """Whether the library of the backup at ``path`` is one, whole, and nothing besides."""
    if (reason := reason_against(copied)) is not None:
        raise DamagedBackupError(path, reason=reason)


def _report_stage(
    stage: Stage, entries: tuple[ManifestEntry, ...], progress: Progress | None
) -> Callable[[int], None]:
    return _count_pieces(stage, sum(one.size for one in entries), progress)


def _count_pieces(stage: Stage, total: int, progress: Progress | None) -> Callable[[int], None]:
    """Adds up pieces for a report of the whole."""
    done = 0

    def tell(piece: int) -> None:
        nonlocal done
        done += piece
        if progress is not None:
            progress(stage, done, max(done, total))

    return tell

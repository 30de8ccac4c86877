"""The files of a library, as programs use them: ``library.files``.

Adding and removing work offline; ``fetch`` goes to the relay where a content is not here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from bifolio import lazy
from bifolio.attachments import attachments, garbage_collection, opened_copies
from bifolio.disk import pieces, write_whole
from bifolio.errors import (
    DamagedFileError,
    FileNotHereError,
    Next,
    UnwritableFileError,
    next_step,
)
from bifolio.ids import content_hasher
from bifolio.library.openable import check_openable
from bifolio.records.fields import COPY_ORIGIN
from bifolio.records.file_names import safe_file_name
from bifolio.replica import lookup
from bifolio.replica.note_views import annotation_views, note_views
from bifolio.replica.replica import Replica
from bifolio.results import FileState, FileText, FileView, FreedSpace, Policy, ReferenceView, Stage
from bifolio.storage.contents import Progress
from bifolio.storage.texts import FILE as TEXTS_FILE
from bifolio.storage.texts import StoredText

if TYPE_CHECKING:
    from bifolio.attachments import file_texts
    from bifolio.replication.remote import Remote
else:
    file_texts = lazy.module("bifolio.attachments.file_texts")


class TextToRead(Struct, frozen=True):
    """A file whose text nobody has read yet; ``read`` needs no library, in any thread."""

    path: Path
    name: str
    hash: str

    def read(self) -> FileText:
        """The text, in a minute at most."""
        found = file_texts.read_text(self.path, self.name)
        return FileText(found.text, found.pages, found.pages_read)


class Files:
    """The files attached to references."""

    def __init__(self, replica: Replica, remote: Callable[[], Remote]) -> None:
        self._replica = replica
        self._remote = remote

    @property
    def policy(self) -> Policy:
        """Which contents this replica fetches by itself."""
        return Policy(self._replica.meta.files_policy or Policy.ALL)

    @policy.setter
    def policy(self, policy: Policy) -> None:
        with self._replica.database.transaction():
            self._replica.meta.files_policy = str(policy)

    @property
    def fetches_on_demand(self) -> bool:
        """Whether opening a file fetches it where it is not here."""
        return self.policy is not Policy.NONE

    def add(
        self, ref: str, paths: Sequence[Path | str], *, progress: Progress | None = None
    ) -> Sequence[FileView]:
        """Attach files to a reference, in one change; their contents are copied into the library.

        A file of a name that the reference has already replaces it.

        Raises:
            ReferenceNotFoundError, TrashedReferenceError, UnreadableFileError, FileNameError,
            StorageFullError and others: nothing was attached.
        """
        return attachments.attach(self._replica, ref, [Path(path) for path in paths], progress)

    def list(self, ref: str | None = None) -> Iterator[FileView]:
        """The files of one reference, or of all live ones."""
        if ref is None:
            return attachments.list_all_files(self._replica)
        return attachments.list_files(self._replica, lookup.find(self._replica, ref).id)

    def remove(self, ref: str, name: str) -> FileView:
        """Take a file off a reference.

        Raises:
            FileNotFoundInReferenceError, AmbiguousFileError, TrashedReferenceError and others.
        """
        return attachments.detach(self._replica, ref, name)

    def clean(self) -> FreedSpace:
        """Drop the contents here that no reference names any more, without waiting for others.

        What lies in the trash keeps its files. An undo no longer finds what was dropped.

        Returns:
            how many were here, and their bytes; the relay's go once every replica has passed.
        """
        removed, freed_bytes = garbage_collection.clean(self._replica)
        return FreedSpace(removed, freed_bytes)

    def find(self, ref: str, name: str) -> FileView:
        """One file of a reference, by name, ``NAME~HASH`` or the beginning of its hash.

        Raises:
            FileNotFoundInReferenceError, AmbiguousFileError and others.
        """
        return attachments.find_file(self._replica, lookup.find(self._replica, ref), name)

    def export(self, ref: str, name: str, target: Path | str) -> Path:
        """Write a file's content to a path, or into a folder under its own name.

        In a folder the name is made safe for every system (``records.file_names``).

        Raises:
            FileNotHereError: ``fetch`` it first.
            DamagedFileError: what is here is not what was attached; it is set aside.
            UnwritableFileError: it cannot be written there; what was there is still there.
        """
        file = self.find(ref, name)
        path = Path(target)
        path = path / safe_file_name(file.name) if path.is_dir() else path
        self._copy(file, path)
        return path

    def open_copy(self, ref: str, name: str) -> Path:
        """A copy under the file's own name, for another program to open and to work on.

        What is written there is named by ``changed_copies`` and the status until it is attached
        (``add`` with its path), or deleted. A copy that was changed is given again as it is.

        Raises:
            FileNotOpenedError: it is no document, or not what its name says.
            FileNotHereError, DamagedFileError and others.
        """
        file = self.find(ref, name)
        content = self._replica.contents.path(file.hash)
        if not content.is_file():
            raise _not_here(file)
        opened = check_openable(file, content)
        path = opened_copies.place_of(self._replica, file.hash, opened)
        opened_copies.make(self._replica, file.hash, path, lambda at: self._copy(file, at))
        return path

    def content_path(self, ref: str, name: str) -> Path | None:
        """Where the content of a file of a reference lies, to be read; None where it is not here.

        Raises:
            FileNotFoundInReferenceError, AmbiguousFileError and others.
        """
        content = self._replica.contents.path(self.find(ref, name).hash)
        return content if content.is_file() else None

    def md5(self, ref: str, content_hash: str) -> str | None:
        """The MD5 of a file of a reference, for programs that know files by it; None where its
        content is not here.

        Raises:
            FileNotFoundInReferenceError and others.
        """
        content = self.content_path(ref, content_hash)
        if content is None:
            return None
        with content.open("rb") as reading:
            return hashlib.file_digest(
                reading, partial(hashlib.md5, usedforsecurity=False)
            ).hexdigest()

    def text(self, ref: str, name: str) -> FileText | None:
        """What a file says: a PDF (with ``bifolio[pdf]``), an HTML page or a plain text.

        It is read once for each content, a PDF by a process of its own with bounded time, and
        kept next to the library's file.

        Returns:
            None where it is of no kind that has a text, or its content is not here; empty where
            there is nothing to read in it, such as in a scan.

        Raises:
            FileNotFoundInReferenceError, AmbiguousFileError and others.
        """
        file = self.find(ref, name)
        found = file_texts.find_text(self._replica, file.hash, file.name)
        return FileText(found.text, found.pages, found.pages_read) if found is not None else None

    def text_to_read(self, ref: str, name: str) -> FileText | TextToRead | None:
        """``text`` in two steps, for who must not wait: what is known, or what is to be read.

        Raises:
            FileNotFoundInReferenceError, AmbiguousFileError and others.
        """
        file = self.find(ref, name)
        if (known := file_texts.known_text(self._replica, file.hash)) is not None:
            return FileText(known.text, known.pages, known.pages_read)
        path = self._replica.contents.path(file.hash)
        if not file_texts.may_have_text(file.name) or not path.is_file():
            return None
        return TextToRead(path, file.name, file.hash)

    def keep_text(self, hash: str, text: FileText, *, given: bool = False) -> None:
        """Keep what a file says, by its content's hash.

        Args:
            given: another program says so: it is not read again.
        """
        reader = 0 if given else file_texts.READER
        stored = StoredText(text.text, text.pages, text.pages_read, reader)
        file_texts.keep_text(self._replica, hash, stored)

    @property
    def texts_version(self) -> int:
        """Another number whenever more is known of what files say; 0 where nothing is."""
        try:
            return (self._replica.path / TEXTS_FILE).stat().st_mtime_ns
        except OSError:
            return 0

    def hashes_with_text(self, named: Sequence[tuple[str, str]]) -> set[str]:
        """Those of these contents that have a text, or may have one: not read yet.

        Args:
            named: hashes, with the names of their files.
        """
        texts = file_texts.texts_of(self._replica)
        wanted = [hash for hash, _ in named]
        read = texts.known(wanted, reader=file_texts.READER)
        unread = {one for one, name in named if one not in read and file_texts.may_have_text(name)}
        return texts.with_text(wanted) | unread

    def read_texts(
        self, *, seconds: float | None = None, progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Read what files say that nobody has read yet, so that ``fulltext:`` finds it.

        Args:
            seconds: how long at most; None: until all are read.
            progress: told how many of how many are read.

        Returns:
            how many are left.
        """
        until_s = time.monotonic() + seconds if seconds is not None else float("inf")
        _, left = file_texts.read_missing(self._replica, until_s=until_s, progress=progress)
        return left

    def changed_copies(self) -> Sequence[Path]:
        """The opened copies that hold what is attached nowhere."""
        return [one.path for one in opened_copies.find_changed(self._replica)]

    def fetch(
        self,
        ref: str,
        name: str,
        *,
        progress: Callable[[Stage, int, int], None] | None = None,
    ) -> FileView:
        """Have a file's content here, from the relay if need be, whatever the policy is.

        Raises:
            FileNotHereError: the relay does not have it either; the error says who does.
            RelayUnreachableError and others: nothing was changed.
        """
        from bifolio.replication.run_blocking import run_blocking

        return run_blocking(self.fetch_async(ref, name, progress=progress))

    async def fetch_async(
        self,
        ref: str,
        name: str,
        *,
        progress: Callable[[Stage, int, int], None] | None = None,
    ) -> FileView:
        """``fetch`` in an event loop."""
        file = self.find(ref, name)
        contents = self._replica.contents
        if contents.has(file.hash):
            return file
        if not self._replica.meta.relay_url:
            raise _not_here(file)
        with self._replica.database.transaction():
            self._replica.transfers.mark_wanted(file.hash)
        await self._remote().sync(progress, only_file=file.hash)
        file = self.find(ref, name)
        if not contents.has(file.hash):
            raise _not_here(file)
        return file

    def _copy(self, file: FileView, path: Path) -> None:
        source = self._replica.contents.path(file.hash)
        if not source.is_file():
            raise _not_here(file)
        try:
            with write_whole(path, mode=None) as writing:
                if _copy_content(source, writing) != file.hash:
                    raise DamagedFileError(file.name)
        except DamagedFileError:
            self._set_aside(file)
            raise
        except OSError as error:
            raise UnwritableFileError(path, reason=error.strerror or str(error)) from error

    def _set_aside(self, file: FileView) -> None:
        """A damaged content is kept under another name, and fetched again by the next sync."""
        with self._replica.database.transaction():
            self._replica.contents.set_aside(file.hash)
            self._replica.transfers.mark_missing(file.hash)


def _copy_content(source: Path, writing: BinaryIO) -> str:
    """Copy a content; its hash as it was read."""
    hasher = content_hasher()
    with source.open("rb") as reading:
        for piece in pieces(reading):
            hasher.update(piece)
            writing.write(piece)
    return hasher.hexdigest()


#: Where the content of a file is that is not on this computer, in words, and the next step.
_ELSEWHERE = {
    FileState.ON_RELAY: ("the relay has it, and it was not fetched yet", Next.FETCH_FILE),
    FileState.MISSING: (
        "it was lost here, and no computer is known to have it",
        Next.ATTACH_FILE_AGAIN,
    ),
    FileState.DAMAGED: ("it came damaged from the relay", Next.SYNC_WHERE_FILE_IS_WHOLE),
}


def _not_here(file: FileView) -> FileNotHereError:
    if file.state in _ELSEWHERE:
        where, step = _ELSEWHERE[file.state]
        return FileNotHereError(file.label, where=where, next_step=step)
    if file.device is not None:
        return FileNotHereError(
            file.label,
            where=f"it is only on {file.device}",
            next_step=next_step(Next.SYNC_OTHER_COMPUTER, device=file.device),
        )
    return FileNotHereError(
        file.label,
        where="the computer that imported it has not sent it yet",
        next_step=Next.SYNC_IMPORTING_COMPUTER,
    )


def show_whole(replica: Replica, ref: str) -> ReferenceView:
    """A reference with its notes and annotations, and with the names of its files that no computer
    is known to have.

    Raises:
        ReferenceNotFoundError, AmbiguousReferenceError.
    """
    row = lookup.find(replica, ref)
    shown = lookup.show(replica, row).with_fields(
        notes=note_views(row), annotations=annotation_views(row.fields)
    )
    if row.fields.get(COPY_ORIGIN):
        from bifolio.library.copy_references import origin_of

        shown = shown.with_fields(copied_from=origin_of(replica, row))
    if not shown.files:
        return shown
    files = attachments.list_files(replica, shown.id)
    lost = tuple(one.label for one in files if one.state is FileState.MISSING)
    return shown.with_fields(lost_files=lost) if lost else shown

"""A backup's file: one ZIP (ZIP64) with a library's SQLite file, attached files and a manifest.

ZIP, so that any program can take the attached files out, whatever becomes of Bifolio. The SQLite
file is deflated, contents are stored as they are: PDFs are compressed already. Everything is
streamed. An archive is untrusted when it is read: its names are checked against what a backup may
hold, sizes against its manifest, and what comes out is hashed on the way.
"""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from bifolio import limits
from bifolio.errors import DamagedBackupError, NewerBackupError, NotABackupError
from bifolio.ids import content_hasher
from bifolio.storage import manifest as manifests
from bifolio.storage.manifest import DATABASE, MANIFEST, Manifest, ManifestEntry, is_entry_name

#: Called with the bytes that were just done.
Tell = Callable[[int], None]

#: The fastest level: 26 % of a library of 10,000 references at 94 MB/s; the slowest, 23 % at 22.
_DEFLATE_LEVEL = 1

#: How the library and the manifest may be packed, and how contents are; zipfile would try others.
_FORMS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_STORED = (zipfile.ZIP_STORED,)

#: Of an entry's flags the one that says that it is encrypted.
_LOCKED = 0x1

#: What is before an entry's name, and the end of an archive (APPNOTE.TXT 4.3): its fixed part, the
#: longest comment, and ZIP64's part with what locates it.
_ENTRY_HEADER_BYTES = 30
_END_MARK = b"PK\x05\x06"
_END64_MARK = b"PK\x06\x06"
_END_BYTES = 22
_END_LOCATOR_BYTES = 20
_END_BYTES_MAX = 64 * 1024 + 256

#: What ``zipfile`` raises on bytes that are no archive, or on one that was damaged.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    KeyError,
)


def write(
    target: BinaryIO, sources: Sequence[tuple[str, Path]], account: Manifest, tell: Tell
) -> Manifest:
    """Write a backup to an open file.

    A source that vanished since it was listed is left out: its reference was purged meanwhile.

    Args:
        target: an empty file, open for writing.
        sources: the entries' names and where their bytes are; the SQLite file is the first.
        account: what the manifest says besides the entries.
        tell: called with the bytes of the sources as they are read.

    Returns:
        the manifest as written.
    """
    entries = []
    with zipfile.ZipFile(
        target, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=_DEFLATE_LEVEL
    ) as archive:
        for name, path in sources:
            try:
                source = path.open("rb")
            except FileNotFoundError:
                if name == DATABASE:
                    raise
                continue
            with source, archive.open(_header(name), "w", force_zip64=True) as member:
                entries.append(_copy_entry(name, source, member, tell))
        written = account.with_entries(tuple(entries))
        archive.writestr(MANIFEST, written.serialize())
    return written


class Archive:
    """A backup, opened for reading; a context manager."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, account: Manifest) -> None:
        self.path = path
        self.manifest = account
        self._archive = archive

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Open a backup and read its manifest; its entries are not read yet.

        Raises:
            NotABackupError, DamagedBackupError, NewerBackupError.
        """
        _check_beginning(path)
        _check_size_of_contents(path)
        with _broken(path):
            archive = zipfile.ZipFile(path)
        try:
            with _broken(path):
                return cls(path, archive, _read_manifest(path, archive))
        except BaseException:
            archive.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._archive.close()

    def check(self, entry: ManifestEntry, tell: Tell) -> None:
        """Read an entry to its end.

        Raises:
            DamagedBackupError: it is not what the manifest says.
        """
        for piece in self._pieces(entry):
            tell(len(piece))

    def extract(self, entry: ManifestEntry, target: BinaryIO, tell: Tell) -> None:
        """Write an entry's bytes to an open file.

        Raises:
            DamagedBackupError: it is not what the manifest says; the target is then worth nothing.
        """
        for piece in self._pieces(entry):
            target.write(piece)
            tell(len(piece))

    def _pieces(self, entry: ManifestEntry) -> Iterator[bytes]:
        hashed = content_hasher()
        size = 0
        with _broken(self.path):
            member = self._archive.open(entry.name)
        with member:
            while True:
                with _broken(self.path):
                    piece = member.read(limits.BACKUP_PIECE_BYTES)
                if not piece:
                    break
                size += len(piece)
                if size > entry.size:
                    break
                hashed.update(piece)
                yield piece
        if size != entry.size or hashed.hexdigest() != entry.hash:
            reason = f"{entry.name} in it is not what was written"
            raise DamagedBackupError(self.path, reason=reason)


def _header(name: str) -> zipfile.ZipInfo | str:
    """A content's header stores it as it is; by its name alone an entry is deflated."""
    if name == DATABASE:
        return name
    header = zipfile.ZipInfo(name)
    header.external_attr = 0o600 << 16
    return header


def _copy_entry(name: str, source: IO[bytes], member: IO[bytes], tell: Tell) -> ManifestEntry:
    hashed = content_hasher()
    size = 0
    while piece := source.read(limits.BACKUP_PIECE_BYTES):
        hashed.update(piece)
        member.write(piece)
        size += len(piece)
        tell(len(piece))
    return ManifestEntry(name, size, hashed.hexdigest())


def _check_beginning(path: Path) -> None:
    """An honest word on what is no archive at all, before ``zipfile`` searches it."""
    if not path.exists():
        raise NotABackupError(path, found="nothing is there")
    if path.is_dir():
        raise NotABackupError(path, found="it is a folder")
    with path.open("rb") as file:
        beginning = file.read(4)
    if not beginning:
        raise NotABackupError(path, found="it is empty")
    if beginning != b"PK\x03\x04":
        raise NotABackupError(path, found="it is another program's file, or its beginning is lost")


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    headers = {one.filename: one for one in archive.infolist()}
    if len(headers) != len(archive.infolist()):
        raise DamagedBackupError(path, reason="an entry is in it twice")
    header = headers.get(MANIFEST)
    if header is None:
        raise NotABackupError(path, found="it is an archive of something else")
    del headers[MANIFEST]
    if header.compress_type not in _FORMS:
        raise DamagedBackupError(path, reason="its manifest is packed in an unknown way")
    room = len(headers) * limits.BACKUP_MANIFEST_ENTRY_BYTES_MAX
    if header.file_size > room + limits.BACKUP_MANIFEST_FACTS_BYTES_MAX:
        raise DamagedBackupError(path, reason="its manifest is too long for what it holds")
    with archive.open(header) as member:
        raw = member.read(header.file_size)
    version = manifests.version_of(raw)
    if version is not None and version > manifests.VERSION:
        raise NewerBackupError(path, version=version, known=manifests.VERSION)
    if (reason := _find_false_entry(archive.infolist(), archive.start_dir)) is not None:
        raise DamagedBackupError(path, reason=reason)
    strange = next((name for name in headers if not is_entry_name(name)), None)
    if strange is not None:
        reason = f"it holds {strange[:80]!r}, which is no part of a backup"
        raise DamagedBackupError(path, reason=reason)
    account = manifests.parse(raw) if version is not None else None
    if account is None:
        raise DamagedBackupError(path, reason="its manifest cannot be read")
    sizes = {one.name: one.size for one in account.entries}
    if len(sizes) != len(account.entries) or DATABASE not in sizes:
        raise DamagedBackupError(path, reason="its manifest names no library, or an entry twice")
    if sizes != {name: one.file_size for name, one in headers.items()}:
        raise DamagedBackupError(path, reason="its entries are not those that its manifest names")
    return account


def _find_false_entry(headers: Sequence[zipfile.ZipInfo], end: int) -> str | None:
    """Why the entries are not as ``write`` writes them, by the table of contents alone.

    Args:
        end: where the table of contents begins.
    """
    at = 0
    for one in sorted(headers, key=lambda header: header.header_offset):
        if one.filename != one.orig_filename or one.flag_bits & _LOCKED:
            return "an entry in it has a false name, or is locked"
        if one.compress_type not in (_FORMS if one.filename in (DATABASE, MANIFEST) else _STORED):
            return "an entry in it is packed in another way than a backup's"
        if one.compress_type == zipfile.ZIP_STORED and one.compress_size != one.file_size:
            return "an entry in it has two sizes"
        most = one.compress_size * limits.ARCHIVE_RATIO_MAX + limits.ARCHIVE_SMALL_BYTES
        if one.file_size > most:
            return "an entry in it unpacks to more than can be true"
        if one.header_offset < at:
            return "its entries overlap"
        at = one.header_offset + _ENTRY_HEADER_BYTES + len(one.filename) + one.compress_size
    return "its entries overlap" if at > end else None


def _check_size_of_contents(path: Path) -> None:
    """How many entries there are, before ``zipfile`` makes an object of each."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES_MAX))
        end = file.read(_END_BYTES_MAX)
    place = end.rfind(_END_MARK)
    if place < 0 or place + _END_BYTES > len(end):
        return  # ``zipfile`` says what is wrong
    length = int.from_bytes(end[place + 12 : place + 16], "little")
    wide = end[: place - _END_LOCATOR_BYTES].rfind(_END64_MARK)
    if length == 0xFFFFFFFF and wide >= 0:
        length = int.from_bytes(end[wide + 40 : wide + 48], "little")
    if length > limits.BACKUP_CONTENTS_BYTES_MAX:
        raise DamagedBackupError(path, reason="it holds more files than a library can have")


@contextmanager
def _broken(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise DamagedBackupError(path, reason=f"it cannot be read ({reason[:200]})") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # of the disk
            raise
        raise DamagedBackupError(path, reason="its table of contents is damaged") from error

"""The file of a bundle: written whole or not at all, and checked whole before it is used.

A cloud's program or a stick gives half a file, the same one under three names, or somebody else's:
nothing is taken from a bundle before all of it was read once and its end fits.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bifolio import limits
from bifolio.disk import write_whole
from bifolio.errors import (
    BundleTakenError,
    DamagedBundleError,
    EnvelopeError,
    ForeignBundleError,
    NewerBundleError,
    NewerFormatError,
    NotABundleError,
    UnwritableBundleError,
)
from bifolio.ids import content_hasher
from bifolio.wire.bundle_parts import (
    END,
    HEAD,
    LENGTH_BYTES,
    MAGIC,
    End,
    Head,
    encode_head,
    encode_part,
    read_end,
    read_head,
    read_part,
)

#: The ending of a bundle's name; a bundle of any name is one.
SUFFIX = ".bundle"

_CUT_SHORT = "it is cut short"

#: A pipe that somebody put in the place of a bundle must not make us wait.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class BundleWriter:
    """Writes one part after the other into an open file."""

    def __init__(self, file: BinaryIO, head: Head) -> None:
        self._file = file
        self._hashed = content_hasher()
        self._parts = 0
        self._put(MAGIC)
        self._add(encode_head(head))

    def add(self, name: str, content: object) -> None:
        """A part (``wire.bundle_parts``)."""
        self._add(encode_part(name, content))

    def finish(self) -> None:
        """The last part: without it the bundle is cut short."""
        self._put(encode_part(END, End(self._parts, self._hashed.digest())))

    def _add(self, raw: bytes) -> None:
        self._parts += 1
        self._put(raw)

    def _put(self, raw: bytes) -> None:
        self._hashed.update(raw)
        self._file.write(raw)


@contextmanager
def writing(path: Path, head: Head) -> Iterator[BundleWriter]:
    """A new bundle, which takes its name, also that of an older one of its library, when all of it
    is on the disk.

    Raises:
        BundleTakenError: something else has the name.
        UnwritableBundleError: it cannot be written; what had the name has it.
    """
    _check_place(path, head.library)
    try:
        with write_whole(path, mode=None) as file:
            writer = BundleWriter(file, head)
            yield writer
            writer.finish()
    except OSError as error:
        raise UnwritableBundleError(path, reason=error.strerror or str(error)) from error


def _check_place(path: Path, library: bytes) -> None:
    """What has the name of a new bundle must be a bundle of the same library, or half of one."""
    if not os.path.lexists(path):
        return
    try:
        with Bundle.open(path) as bundle:
            head = bundle.read_first()
    except DamagedBundleError:
        return  # it began like one: an export to it, or its copy, was interrupted
    except (NotABundleError, NewerBundleError) as error:
        raise BundleTakenError(path) from error
    if head.library != library:
        raise BundleTakenError(path)


class Bundle:
    """An open bundle, to be read. Use ``open``."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.path = path

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Bundle]:
        """Open a file that may be a bundle.

        Raises:
            NotABundleError: it is none, or cannot be read.
        """
        try:
            descriptor = os.open(path, _OPEN)
        except OSError as error:
            raise NotABundleError(path, reason=_why(error)) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotABundleError(path, reason="it is not an ordinary file")
        with os.fdopen(descriptor, "rb") as file:
            yield cls(file, path)

    def begins_like_one(self) -> bool:
        """Whether its first bytes are those of a bundle."""
        with suppress(OSError):
            self._file.seek(0)
            return self._file.read(len(MAGIC)) == MAGIC
        return False

    def read_first(self) -> Head:
        """What the bundle says that it is; the rest is not looked at.

        Raises:
            NotABundleError, DamagedBundleError, NewerBundleError.
        """
        for name, content in self.parts():
            return self._read_head(name, content)
        raise DamagedBundleError(self.path, reason=_CUT_SHORT)

    def check(self) -> Head:
        """Read all of it, and find out that it is whole; what it is.

        Raises:
            NotABundleError, DamagedBundleError, NewerBundleError.
        """
        head: Head | None = None
        hashed = content_hasher()
        before = hashed.copy()
        for parts, raw in enumerate(self._raw_parts(hashed)):
            name, content = self._understood(raw)
            if head is None:
                head = self._read_head(name, content)
            if name == END:
                self._check_end(content, parts, before)
                return head
            before = hashed.copy()
        raise DamagedBundleError(self.path, reason=_CUT_SHORT)

    def check_of(self, library: bytes) -> Head:
        """``check``, and that it is this library's.

        Raises:
            NotABundleError, DamagedBundleError, NewerBundleError, ForeignBundleError.
        """
        head = self.check()
        if head.library != library:
            raise ForeignBundleError(
                self.path, bundle_id=head.library.hex(), library_id=library.hex()
            )
        return head

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """The parts up to its end, by name; what need not be understood is left out.

        Raises:
            NotABundleError, DamagedBundleError, NewerBundleError: also where it was altered since
                it was checked.
        """
        for raw in self._raw_parts(content_hasher()):
            name, content = self._understood(raw)
            if name == END:
                return
            if name:
                yield name, content

    def refuse(self, error: EnvelopeError) -> DamagedBundleError | NewerBundleError:
        """What is wrong with a part, as a fault of this bundle."""
        if isinstance(error, NewerFormatError):
            return NewerBundleError(self.path, needs=error.needs)
        return DamagedBundleError(self.path, reason=error.reason)

    def _understood(self, raw: bytes) -> tuple[str, bytes]:
        """A part by its name, which is empty for one to be passed over."""
        try:
            return read_part(raw) or ("", b"")
        except EnvelopeError as error:
            raise self.refuse(error) from error

    def _read_head(self, name: str, content: bytes) -> Head:
        if name != HEAD:
            raise DamagedBundleError(self.path, reason="it does not say what it is")
        try:
            return read_head(content)
        except EnvelopeError as error:
            raise self.refuse(error) from error

    def _check_end(self, content: bytes, parts: int, before: hashlib.blake2b) -> None:
        try:
            end = read_end(content)
        except EnvelopeError as error:
            raise self.refuse(error) from error
        if end != End(parts, before.digest()) or self._read(1):
            raise DamagedBundleError(self.path, reason="it was altered after it was made")

    def _raw_parts(self, hashed: hashlib.blake2b) -> Iterator[bytes]:
        """Each part without its length, read within its bound."""
        if not self.begins_like_one():
            raise NotABundleError(self.path)
        hashed.update(MAGIC)
        is_first = True
        while length := self._read(LENGTH_BYTES):
            size = int.from_bytes(length, "big")
            most = limits.BUNDLE_HEAD_BYTES_MAX if is_first else limits.BUNDLE_PART_BYTES_MAX
            if len(length) == LENGTH_BYTES and not 0 < size <= most:
                raise DamagedBundleError(self.path, reason="a part of it has no length that it can")
            raw = self._read(size)
            if len(length) < LENGTH_BYTES or len(raw) < size:
                raise DamagedBundleError(self.path, reason=_CUT_SHORT)
            hashed.update(length + raw)
            is_first = False
            yield raw

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise DamagedBundleError(self.path, reason=_why(error)) from error


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "nothing is there"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return error.strerror or str(error)

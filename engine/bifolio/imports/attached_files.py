"""The files of imported records: into the replica's contents, and into the records' sources.

A file is looked at while its library is being read, because an unpacked one is gone afterwards. A
content that is here already is not written again; until a record names it, it is reserved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from bifolio import limits
from bifolio.attachments import garbage_collection
from bifolio.disk import open_below
from bifolio.errors import FileTooLargeError, UnreadableFileError
from bifolio.formats import LinkedFiles, add_facts, is_library, read, read_library
from bifolio.ids import content_hasher
from bifolio.imports.matching import with_citation_key
from bifolio.records.attachments import Attachment
from bifolio.records.citation_keys import NAMELESS
from bifolio.records.library_facts import LibraryFacts, LibraryFile
from bifolio.records.reference import (
    ImportedBlocks,
    ImportedFile,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    SkippedRecord,
)
from bifolio.replica.replica import Replica
from bifolio.storage.contents import Content

Item = ImportedReference | ImportedBlocks | ImportedGroup | SkippedRecord | LeftOut


def items_of(
    path: Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    zotero_group: str | None = None,
    links: LinkedFiles | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Item]:
    """Everything that a path holds, be it a file of references or a whole library."""
    if is_library(path, format):
        yield from read_library(
            path, format=format, zotero_group=zotero_group, links=links, progress=progress
        )
    else:
        yield from read(path, format=format, encoding=encoding, links=links, progress=progress)


class Intake:
    """Takes in the files of one import."""

    def __init__(self, replica: Replica, *, keeps: bool) -> None:
        """Args: keeps: whether contents are kept, or only looked at for a dry run."""
        self._replica = replica
        self._keeps = keeps
        self.taken = 0
        self.unwanted_links = 0
        self.left_out: list[LeftOut] = []

    def with_files(self, reference: ImportedReference) -> ImportedReference:
        """The reference with its files' hashes in its source and its values.

        A file that is missing or cannot be read is named; the record remembers that it has one.
        """
        if not reference.files:
            return reference
        files = tuple(self._take(one, reference) for one in reference.files)
        facts = replace(reference.source.library or LibraryFacts(), files=files)
        source = replace(reference.source, library=facts)
        values = add_facts(reference.values, facts, format=source.format)
        return replace(reference, source=source, values=values, files=())

    def _take(self, file: ImportedFile, reference: ImportedReference) -> LibraryFile:
        attachment = None
        if file.is_unwanted_link:
            self.unwanted_links += 1
            return LibraryFile(file.path, file.name, None)
        try:
            if file.place is None or file.folder is None:
                self._name(file, reference, file.reason)
            else:
                content = self._content(file.folder, file.place)
                attachment = Attachment(file.name, content.hash, content.size)
                self.taken += 1
        except UnreadableFileError as error:
            self._name(file, reference, error.reason)
        except FileTooLargeError as error:
            self._name(file, reference, f"it has more than {error.limit_bytes:,} bytes")
        return LibraryFile(file.path, file.name, attachment)

    def _content(self, folder: Path, place: Path) -> Content:
        try:
            opened = open_below(folder, place)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UnreadableFileError(place, reason=reason) from error
        with opened:
            hashed = content_hasher()
            size = 0
            for piece in _pieces(opened, place):
                hashed.update(piece)
                size += len(piece)
                if size > limits.CONTENT_BYTES_MAX:
                    raise FileTooLargeError(place, limit_bytes=limits.CONTENT_BYTES_MAX)
            content = Content(hashed.hexdigest(), size)
            if self._keeps and not garbage_collection.reserve(self._replica, content.hash):
                opened.seek(0)
                return self._replica.contents.add_opened(opened, place)
            return content

    def _name(self, file: ImportedFile, reference: ImportedReference, reason: str) -> None:
        key = with_citation_key(reference.values)["citation-key"]
        # What has neither author, year nor title is told by its number in its own library.
        number = reference.source.id.rpartition(":")[2]
        who = f"the record {number}" if key == NAMELESS and number else key
        self.left_out.append(LeftOut(f"the file '{file.name}' of {who}", reason))


def _pieces(opened: BinaryIO, place: Path) -> Iterator[bytes]:
    try:
        while piece := opened.read(limits.CONTENT_PIECE_BYTES):
            yield piece
    except OSError as error:
        raise UnreadableFileError(place, reason=error.strerror or str(error)) from error

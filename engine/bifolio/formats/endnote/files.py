"""The PDFs that EndNote's XML names: they are in the library's own folder, if that is at hand.

``internal-pdf://0123456789/paper.pdf`` is ``0123456789/paper.pdf`` below ``PDF`` in the folder
``.Data`` of the library, which is next to the XML where somebody exported it there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from bifolio.formats.databases.foreign_attachments import (
    is_own_folder,
    locate_attachment,
    locate_beside,
)
from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.formats.databases.locate_library import sibling
from bifolio.formats.endnote.records import attribute_of, path_of
from bifolio.formats.endnote.text import plain_text, read_raw
from bifolio.records.library_facts import LibraryFacts
from bifolio.records.reference import ImportedFile, ImportedReference

_SCHEME: Final = "internal-pdf://"
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class XmlAttachments:
    """The files of the records of one XML file."""

    def __init__(self, xml: Path, links: LinkedFiles | None = None) -> None:
        self._xml = xml
        self._links = links
        self._folders: dict[str, Path | None] = {}

    def add_to(self, reference: ImportedReference) -> ImportedReference:
        """The record with its files; as it is where no library is next to the XML, and no file
        that it names by a path of its own."""
        folder = self._folder(_library_name(reference.source.tags))
        beside = tuple(
            locate_beside(path, self._xml, self._links)
            for path in _own_paths(reference.source.tags)
        )
        if folder is None and not beside:
            return reference
        inside = _paths(reference.source.tags) if folder is not None else []
        files = (*(_file(path, folder) for path in inside if folder is not None), *beside)
        source = replace(reference.source, library=LibraryFacts(files=()))
        return replace(reference, source=source, files=files)

    def _folder(self, library: str) -> Path | None:
        if library not in self._folders:
            names = dict.fromkeys((library, self._xml.stem))
            found = [sibling(self._xml.parent, f"{name}.Data") for name in names if name]
            data = next((one for one in found if one is not None and one.is_dir()), None)
            pdfs = sibling(data, "PDF") if data is not None else None
            own = pdfs is not None and is_own_folder(pdfs, self._xml.parent)
            self._folders[library] = pdfs if own else None
        return self._folders[library]


def _library_name(tags: tuple[tuple[str, str], ...]) -> str:
    """The library's name without its suffix, as the record gives it."""
    for tag, raw in tags:
        if path_of(tag) == "database":
            name = attribute_of(tag, "name") or plain_text(read_raw(raw))
            return name.strip().removesuffix(".enl").replace("/", "_")
    return ""


def _paths(tags: tuple[tuple[str, str], ...]) -> list[str]:
    addresses = [
        plain_text(read_raw(raw)).strip()
        for tag, raw in tags
        if path_of(tag) == "urls/pdf-urls/url"
    ]
    return [one.removeprefix(_SCHEME) for one in addresses if one.startswith(_SCHEME)]


def _own_paths(tags: tuple[tuple[str, str], ...]) -> list[str]:
    """The paths of PDFs that are in no library's folder."""
    addresses = (
        plain_text(read_raw(raw)).strip()
        for tag, raw in tags
        if path_of(tag) == "urls/pdf-urls/url"
    )
    found = []
    for one in addresses:
        if one.lower().startswith("file:"):
            found.append(unquote(urlsplit(one).path))
        elif one and not _ADDRESS.match(one):
            found.append(unquote(one))
    return found


def _file(path: str, folder: Path) -> ImportedFile:
    """The file; some versions of EndNote write its name as an address, with ``%20``."""
    as_written = locate_attachment(path, folder)
    if as_written.place is None and (plain := unquote(path)) != path:
        return locate_attachment(plain, folder)
    return as_written

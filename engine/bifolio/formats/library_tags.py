"""What an export says next to a reference: its groups and its files, as the format has them.

JabRef's ``groups`` and ``file`` in BibTeX, ``L1`` in RIS, addresses of PDFs in EndNote's XML. Other
formats have a place for neither.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from msgspec.structs import replace

from bifolio.formats.bibtex import library_fields
from bifolio.formats.bibtex.entries import in_braces
from bifolio.formats.endnote.records import path_of, sort_tags
from bifolio.formats.endnote.text import Run, write_raw
from bifolio.formats.registry import BIBTEX, ENDNOTE_XML, RIS, Family
from bifolio.records.reference import ExportedReference, Source

#: The formats that name files.
FORMATS_WITH_FILES: Final = frozenset({"bibtex", "biblatex", "ris", "endnote-xml"})
_WITH_FILES: Final = frozenset({BIBTEX.name, RIS.name, ENDNOTE_XML.name})

_PDF_URL: Final = "urls/pdf-urls/url"
_GROUPS: Final = frozenset({"groups", "mendeley-groups"})


def is_said(field: str, reference: ExportedReference, family: Family) -> bool:
    """Whether an export in this format says a reference's groups, or its files."""
    if field == "files":
        return reference.files is not None and family.name in _WITH_FILES
    if family is not BIBTEX:
        return False
    source = reference.source
    said = source is not None and source.format == BIBTEX.name and source.library is not None
    return reference.groups is not None or (
        said and source is not None and source.library is not None
        and source.library.groups is not None
    )  # fmt: skip


def with_library_tags(source: Source, reference: ExportedReference, family: Family) -> Source:
    """The record with its groups and its files; as it is where nothing is to be said of them."""
    if family is BIBTEX:
        source = _with_groups(source, reference)
    if reference.files is None or family.name not in _WITH_FILES:
        return source
    files = reference.files
    if family is BIBTEX:
        kept = [pair for pair in source.tags if not library_fields.is_file_field(pair[0].lower())]
        added = [("file", in_braces(library_fields.written_files(files)))] if files else []
    elif family is RIS:
        kept = [pair for pair in source.tags if pair[0] != "L1" or _is_address(pair[1])]
        added = [("L1", path) for path in files]
    else:
        kept = [pair for pair in source.tags if path_of(pair[0]) != _PDF_URL]
        added = [(_PDF_URL, write_raw([Run(quote(path), None)])) for path in files]
        return replace(source, tags=tuple(sort_tags([*kept, *added])))
    return replace(source, tags=(*kept, *added))


def _is_address(raw: str) -> bool:
    return raw.strip().lower().startswith(("http://", "https://", "ftp://"))


def _with_groups(source: Source, reference: ExportedReference) -> Source:
    groups = reference.groups
    if groups is None:
        return source
    own = [pair for pair in source.tags if pair[0].lower() in _GROUPS]
    if not groups and not own:
        return source
    written = library_fields.written_groups(groups)
    if len(own) == 1 and own[0][0].lower() == "groups" and own[0][1].strip("{} ") == written:
        return source
    kept = tuple(pair for pair in source.tags if pair[0].lower() not in _GROUPS)
    return replace(source, tags=(*kept, *([("groups", in_braces(written))] if groups else [])))

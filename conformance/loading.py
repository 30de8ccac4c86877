"""A file read to its end by the product's own reader, and references written by its writer."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from bifolio.formats import read, write
from bifolio.records.reference import (
    ExportedReference,
    ExportReport,
    ImportedBlocks,
    ImportedReference,
    SkippedRecord,
)

#: A file's suffix in each format.
SUFFIXES: Final = {
    "ris": ".ris",
    "bibtex": ".bib",
    "biblatex": ".bib",
    "csl-json": ".json",
    "enw": ".enw",
    "endnote-xml": ".xml",
    "nbib": ".nbib",
}

_OF_A_LIBRARY: Final = ("groups", "files")


@dataclass(slots=True)
class Loaded:
    """Everything that one file gave."""

    references: list[ImportedReference] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    blocks: dict[str, ImportedBlocks] = field(default_factory=dict)


def load(path: Path, format: str | None = None) -> Loaded:
    """Read a file to its end.

    Raises:
        FileFormatError: nothing of it can be read.
    """
    loaded = Loaded()
    for found in read(path, format=format):
        if isinstance(found, ImportedReference):
            # What belongs to a library is no part of a reference's description.
            own = {name: one for name, one in found.values.items() if name not in _OF_A_LIBRARY}
            loaded.references.append(replace(found, values=own))
        elif isinstance(found, ImportedBlocks):
            loaded.blocks[found.record_id()] = found
        elif isinstance(found, SkippedRecord):
            loaded.skipped.append(found)
    return loaded


def export(
    references: Iterable[ExportedReference],
    format: str,
    blocks: Mapping[str, ImportedBlocks],
) -> tuple[bytes, ExportReport]:
    """The bytes of an export, and its report."""
    out = io.BytesIO()
    report = write(out, references, format=format, blocks=blocks)
    return out.getvalue(), report


def reload(folder: Path, content: bytes, format: str) -> Loaded:
    """Read bytes as a file of this format.

    An export without any reference is an empty file of some formats: it gives nothing.
    """
    path = folder / f"again{SUFFIXES[format]}"
    path.write_bytes(content)
    return load(path, format if content.strip() else None)

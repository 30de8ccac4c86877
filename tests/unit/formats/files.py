"""What the tests of formats share: files made on the spot, and whole round trips."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bifolio.formats import LinkedFiles, is_library, read, read_library, write
from bifolio.records.reference import (
    ExportedReference,
    ExportReport,
    ImportedBlocks,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    SkippedRecord,
    Values,
)

GOLDEN = Path(__file__).parents[2] / "golden"

#: A file's name in each format.
NAMES = {
    "ris": "a.ris",
    "bibtex": "a.bib",
    "biblatex": "a.bib",
    "csl-json": "a.json",
    "enw": "a.enw",
    "endnote-xml": "a.xml",
}


@dataclass
class Loaded:
    """Everything that one file gave."""

    references: list[ImportedReference] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    blocks: dict[str, ImportedBlocks] = field(default_factory=dict)
    groups: list[ImportedGroup] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def values(self) -> list[Values]:
        return [reference.values for reference in self.references]


def load(
    path: Path,
    *,
    format: str | None = None,
    zotero_group: str | None = None,
    links: LinkedFiles | None = None,
) -> Loaded:
    """Read a file or a library to its end."""
    loaded = Loaded()
    whole = is_library(path, format)
    for found in (
        read_library(path, format=format, zotero_group=zotero_group, links=links)
        if whole
        else read(path, format=format, links=links)
    ):
        if isinstance(found, ImportedReference):
            loaded.references.append(found)
        elif isinstance(found, ImportedBlocks):
            loaded.blocks[found.record_id()] = found
        elif isinstance(found, ImportedGroup):
            loaded.groups.append(found)
        elif isinstance(found, LeftOut):
            loaded.left_out.append(found)
        else:
            loaded.skipped.append(found)
    return loaded


def export(
    references: Iterable[ExportedReference],
    format: str,
    blocks: dict[str, ImportedBlocks] | None = None,
) -> tuple[str, ExportReport]:
    """The text of an export, and its report."""
    out = io.BytesIO()
    report = write(out, references, format=format, blocks=blocks or {})
    return out.getvalue().decode(), report


def exported(loaded: Loaded, *, with_source: bool = True) -> list[ExportedReference]:
    """A file's references on their way out."""
    return [
        ExportedReference(one.record_id(), one.values, one.source if with_source else None)
        for one in loaded.references
    ]


def load_content(folder: Path, content: str | bytes, name: str = "library.bib") -> Loaded:
    """Read a text or bytes as a file of this name."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(path)

"""Whole EndNote libraries (EndNote 20 and later): the rows of a database to references.

A row becomes the record that EndNote's own XML export would hold, under the same identity, so that
the library and its XML are one source; what the XML has no word for (groups, tags, trash, rating,
read status, files) are the library's facts. May not know where the database and the files were
found, nor what an element means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bifolio import limits
from bifolio.errors import FileFormatError
from bifolio.formats.bounds import TOO_MANY, reason_against
from bifolio.formats.databases.foreign_attachments import locate_attachment
from bifolio.formats.databases.safe_xml import parse_xml
from bifolio.formats.databases.sqlite import ForeignDatabase, as_number, as_text
from bifolio.formats.endnote import records as endnote_records
from bifolio.formats.endnote import xml as endnote_xml
from bifolio.formats.endnote.columns import COLUMNS, STYLE_FIELDS, UNREAD, type_of
from bifolio.formats.endnote.groups import GroupTree, read_groups, read_tags
from bifolio.formats.endnote.text import Run, attributes, write_raw
from bifolio.formats.library_facts import add_facts
from bifolio.records.library_facts import LibraryFacts
from bifolio.records.reference import (
    ImportedFile,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    SkippedRecord,
    Source,
)

Read = ImportedReference | ImportedGroup | SkippedRecord | LeftOut

_LIBRARY_ID: Final = 14
_JOURNALS: Final = frozenset({"17 Journal Article"})
_STARS: Final = 20  # a rating is 0 to 100 in steps of a fifth


@dataclass(frozen=True, slots=True)
class _Library:
    """What holds for all records of a library."""

    id: str
    tree: GroupTree
    tags: dict[int, tuple[str, ...]]
    files: dict[int, list[str]]
    folder: Path | None


def is_endnote(database: ForeignDatabase) -> bool:
    """Whether this is a database of EndNote's."""
    return {"id", "reference_type", "title"} <= set(database.columns("refs"))


def read(database: ForeignDatabase, *, folder: Path | None, file: str) -> Iterator[Read]:
    """All groups, then all records, by number.

    Args:
        folder: where the files of the records lie (``.Data/PDF``), None where it is not there.
        file: what the library is called in messages.

    Raises:
        FileFormatError: the database is none of EndNote's, or damaged.
    """
    if not is_endnote(database):
        raise FileFormatError(file, expected="an EndNote library", got="another kind of database")
    library = _library(database, folder)
    yield from library.tree.groups
    yield from library.tree.left_out
    types: Counter[int] = Counter()
    for row in database.records("refs"):
        number = as_number(row["id"])
        reference = _reference(row, number, library)
        if isinstance(reference, str):
            yield SkippedRecord(file, 0, f"the record {number}{reference}")
            continue
        types[as_number(row["reference_type"])] += 1
        yield reference
    yield from _name_doubtful_types(types)


def _library(database: ForeignDatabase, folder: Path | None) -> _Library:
    own_id = ""
    for row in database.records("misc"):
        if row.get("code") == _LIBRARY_ID and not own_id:
            own_id = as_text(row.get("value")).strip()
    files: dict[int, list[tuple[int, str]]] = {}
    for place, row in enumerate(database.records("file_res")):
        kept = files.setdefault(as_number(row.get("refs_id")), [])
        kept.append((as_number(row.get("file_pos")) or place, as_text(row.get("file_path"))))
    return _Library(
        own_id,
        read_groups(database, format=endnote_xml.NAME, library=own_id),
        read_tags(database),
        {number: [path for _, path in sorted(kept)] for number, kept in files.items()},
        folder,
    )


def _reference(row: dict[str, Any], number: int, library: _Library) -> ImportedReference | str:
    """The reference of a row, or why there is none."""
    kind = type_of(as_number(row["reference_type"])).type
    paths = library.files.get(number, [])
    tags = list(_tags(row, kind))
    if not tags and not paths:
        return " holds nothing but its type"
    many = len(paths) + len(library.tree.members.get(number, ()))
    if reason := TOO_MANY if many > limits.IMPORT_RECORD_VALUES_MAX else reason_against(tags):
        return f": {reason}"
    tags += [("urls/pdf-urls/url", _bare(f"internal-pdf://{path}")) for path in paths]
    own_id = f"{library.id}:{number}" if library.id else ""
    origin = [("rec-number", _bare(str(number)))]
    if library.id:
        key = f'foreign-keys/key[@app="EN"][@db-id="{library.id}"]'
        origin.append((key, _bare(str(number))))
    tags_in_order = endnote_records.sort_tags([*origin, *tags])
    facts = _facts(row, number, library)
    source = Source(endnote_xml.NAME, kind, own_id, tuple(tags_in_order), library=facts)
    mapped = endnote_xml.trace(source, None)
    if mapped.is_cut:
        return f": {TOO_MANY}"
    return ImportedReference(
        add_facts(mapped.values, facts, format=source.format),
        source,
        number,
        files=tuple(_files(paths, library.folder)),
    )


def _facts(row: dict[str, Any], number: int, library: _Library) -> LibraryFacts:
    """What the library says next to the record; its files' contents are looked at later."""
    rating = as_text(row.get("rating")).strip()
    stars = round(int(rating) / _STARS) if rating.isdigit() else 0
    return LibraryFacts(
        groups=library.tree.members.get(number, ()),
        files=(),
        tags=library.tags.get(number, ()),
        rating=str(min(stars, 5)) if stars else "",
        read_status="read" if as_text(row.get("read_status")).strip() == "1" else "",
        trashed=bool(as_number(row.get("trash_state"))),
        changed=as_text(row.get("record_last_updated")) or "0",
    )


def _tags(row: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """The elements of a row, column by column."""
    styles = _styles(row.get("text_styles"))
    known = {column.name for column in COLUMNS}
    for column in COLUMNS:
        text = as_text(row.get(column.name))
        if not text.strip():
            continue
        runs = _runs(text, styles.get(column.name, []))
        if column.name == "research_notes":
            yield from (
                (column.element, write_raw(one)) for one in endnote_records.note_pieces(runs)
            )
            continue
        for one in _split(runs) if column.many else [runs]:
            yield column.element, write_raw(one)
            if column.name == "secondary_title" and kind in _JOURNALS:
                yield "periodical/full-title", write_raw(one)
    for name, value in row.items():
        if name not in known and name not in UNREAD and (text := as_text(value)).strip():
            yield name.replace("_", "-"), write_raw(_runs(text, []))


def _styles(raw: object) -> dict[str, list[tuple[int, str]]]:
    """By column: where each run begins, and its face."""
    root = parse_xml(raw)
    found: dict[str, list[tuple[int, str]]] = {}
    for field in root.iter("field") if root is not None else ():
        name = STYLE_FIELDS.get(field.get("id", ""))
        runs = [
            (int(start), run.get("face", "normal"))
            for run in field.iter("run")
            if (start := run.get("start", "")).isdigit()
        ]
        if name is not None and runs:
            found[name] = sorted(runs)
    return found


def _runs(text: str, styles: list[tuple[int, str]]) -> list[Run]:
    """The text in runs of one face each."""
    bounds = [(0, "normal"), *styles]
    ends = [start for start, _ in bounds[1:]] + [len(text)]
    return [
        Run(text[start:end], _style(face))
        for (start, face), end in zip(bounds, ends, strict=True)
        if text[start:end]
    ]


def _style(face: str) -> str:
    return attributes([("face", face), ("font", "default"), ("size", "100%")])


def _split(runs: list[Run]) -> Iterator[list[Run]]:
    """The elements of a list; EndNote parts them with a carriage return."""
    current: list[Run] = []
    for run in runs:
        first, *rest = run.text.replace("\n", "\r").split("\r")
        current.append(Run(first, run.style))
        for one in rest:
            yield from _if_text(current)
            current = [Run(one, run.style)]
    yield from _if_text(current)


def _if_text(runs: list[Run]) -> Iterator[list[Run]]:
    if "".join(run.text for run in runs).strip():
        yield [run for run in runs if run.text]


def _files(paths: list[str], folder: Path | None) -> Iterator[ImportedFile]:
    for path in paths:
        yield locate_attachment(path.replace("\\", "/"), folder)


def _name_doubtful_types(types: Counter[int]) -> Iterator[LeftOut]:
    """Types that are not known for sure, named once each."""
    for number, count in sorted(types.items()):
        row = type_of(number)
        what = f"the type of {count} {'reference' if count == 1 else 'references'}"
        if row.type.startswith("EndNote type"):
            yield LeftOut(what, f"EndNote's type number {number} is not known here; kept as it is")
        elif not row.seen:
            label = row.type.partition(" ")[2]
            yield LeftOut(
                what,
                f"EndNote's type number {number} was taken for {label}, by its place in EndNote's "
                "list of types",
            )


def _bare(text: str) -> str:
    return write_raw([Run(text, None)])

"""EndNote's ``.enw`` and the older Refer: tagged records to values and back.

A tag is the character after ``%``; the type after ``%0`` is EndNote's label of it. May know those
tags and labels, not files or the other formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bifolio.formats.endnote.rules import (
    ARTICLES,
    NUMBERED,
    VERSIONED,
    WHOLE_BOOKS,
    WHOLE_WORKS,
    csl_type_of_label,
    endnote_label,
    gather_issued,
    gather_languages,
    gather_rule,
    gather_serial_numbers,
    is_pubmed,
    issued_texts,
    page_range,
    type_number,
    write_name,
    written_languages,
)
from bifolio.formats.entities import escape, unescape
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_of, is_doi
from bifolio.formats.mapping.fields import ENW_FIELDS, WRITTEN_FIELDS
from bifolio.formats.mapping.meanings import enw_meanings, is_taken, written_name
from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.roundtrip_fields import restore, roundtrip_name, roundtrip_texts
from bifolio.formats.tagged.lines import ENW_LINES
from bifolio.records.dates import date_text
from bifolio.records.fields import FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

_EXTRA: Final = "x.enw."
_ROUNDTRIP_LINE: Final = re.compile(r"(x-[^:\s]+): ?(.*)", re.DOTALL)


# --- reading ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """What the meaning of a tag depends on, its own text apart."""

    #: The CSL type.
    kind: str
    #: The first text of each tag, on one line.
    given: dict[str, str]
    #: What the type gives a meaning of its own.
    meanings: dict[str, str]


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of a record and which fields each tag fed."""
    del blocks
    given: dict[str, str] = {}
    for tag, raw in source.tags:
        text = " ".join(unescape(raw).split())
        if text and tag not in given:
            given[tag] = text
        elif text and tag == "G":
            given[tag] += f"\n{text}"
    record = _Record(_csl_type(source.type, given), given, enw_meanings(type_number(source.type)))
    collector = FieldCollector(len(source.tags))
    collector.derive("type", record.kind)
    for index, (tag, raw) in enumerate(source.tags):
        if stripped := unescape(raw).strip():
            _gather(collector, index, tag, stripped, record)
    return collector.finish()


def _csl_type(label: str, given: dict[str, str]) -> str:
    """The CSL type of a label; without one, that of the tags, as the older Refer had it."""
    if label.strip():
        return csl_type_of_label(label)
    if "J" in given:
        return "article-journal"
    if "B" in given:
        return "chapter"
    return "book" if "I" in given else UNKNOWN_TYPE


def _gather(collector: FieldCollector, index: int, tag: str, raw: str, record: _Record) -> None:
    """Give one line to the field that its tag means in a record of this type."""
    given = record.given
    text = " ".join(raw.split())
    carried = _ROUNDTRIP_LINE.fullmatch(raw) if tag == "Z" and raw.startswith("x-") else None
    if carried and (restored := restore(carried.group(1), carried.group(2))) is not None:
        collector.restore(index, restored)
    elif tag in ("D", "8"):
        gather_issued(
            collector, index, text, given.get("D", ""), given.get("8", ""),
            of_year=tag == "D", extra=_EXTRA + tag,
        )  # fmt: skip
    elif tag == "G" and "G" not in record.meanings:
        gather_languages(collector, index, given["G"])
    elif tag == "@":
        gather_serial_numbers(collector, index, raw, record.kind, _EXTRA + tag)
    else:
        field, rank, value = _meaning(tag, text, record)
        if field:
            gather_rule(collector, index, field, value, raw, rank=rank, extra=_EXTRA + tag)
        else:
            collector.append(index, _EXTRA + tag, raw)


def _meaning(tag: str, text: str, record: _Record) -> tuple[str, int, str]:
    """(field, rank, text) of a tag in this record; an empty field where it means none."""
    kind, given = record.kind, record.given
    whole = kind in WHOLE_BOOKS
    if tag == "2" and re.fullmatch(r"PMC\d+", text):
        return "PMCID", 0, text
    if (own := record.meanings.get(tag)) is not None:
        if tag == "P":
            text = page_range(text)
        return "" if own == "-" else own, 1 if own == "page" else 0, text
    if tag in ("J", "B"):
        field = "collection-title" if tag == "B" and whole else "container-title"
        return field, "JB".index(tag), text
    if tag == "N":
        return "number" if kind in NUMBERED else "issue", 0, text
    if tag == "P":
        pages = kind in WHOLE_WORKS and not re.search(r"\d\s*[-–]", text)
        return "number-of-pages" if pages else "page", 0, page_range(text)
    if tag == "&":
        return "" if kind in WHOLE_WORKS else "page", 1, text
    if tag == "7":
        return "version" if kind in VERSIONED else "edition", 0, text
    if tag == "M":
        pubmed = is_pubmed(text, given.get("W", ""), given.get("~", ""))
        return "PMID" if pubmed else "accession-number", 0, text
    if tag == "R":
        return "DOI" if is_doi(text) else "", 0, doi_of(text)
    if tag == "F":
        return "" if " " in text else "citation-key", 0, text
    field, rank = ENW_FIELDS.get(tag, ("", 0))
    return field, rank, text


# --- writing ---------------------------------------------------------------------------------


def written_type(values: Values, dialect: str) -> str:
    """EndNote's label of a type."""
    del dialect
    return endnote_label(values).partition(" ")[2]


def emit(field: str, values: Values, dialect: str, kind: str) -> list[tuple[str, str]]:
    """The (tag, value) pairs that say a field; none where there is no place for it."""
    del dialect
    return [(tag, escape(text)) for tag, text in _emit(field, values, kind)]


def _emit(field: str, values: Values, kind: str) -> list[tuple[str, str]]:
    value = values[field]
    if is_extra(field):
        return _emit_extra(field, value)
    tag = _written_tag(field, kind)
    if not tag:
        return []
    form = FORMS[field]
    if form is Form.NAMES:
        return [(tag, write_name(name)) for name in value if isinstance(name, Name)]
    if form is Form.STRINGS:
        return [(tag, one) for one in value if isinstance(one, str)]
    if isinstance(value, dict):
        if field == "issued":
            year, day = issued_texts(value)
            return [("D", year), ("8", day)] if day else [("D", year)]
        return [(tag, date_text(value))]
    text = str(value)
    if field == "language":
        return [(tag, one) for one in written_languages(text)]
    plain = form is Form.TEXT or field == "author-address"
    return [(tag, text if plain else " ".join(text.split()))]


def _written_tag(field: str, label: str) -> str:
    """The tag under which a type has a field; empty where it has no place for it."""
    meanings = enw_meanings(type_number(label))
    if own := written_name(field, meanings):
        return own
    tag = _general_tag(field, csl_type_of_label(label))
    return "" if is_taken(tag, field, meanings) else tag


def _general_tag(field: str, csl: str) -> str:
    if field == "container-title":
        return "" if csl in WHOLE_BOOKS else "J" if csl in ARTICLES else "B"
    special: dict[str, str] = {
        "issue": "" if csl in NUMBERED else "N",
        "number": "N" if csl in NUMBERED else "",
        "page": "P",
        "number-of-pages": "P" if csl in WHOLE_WORKS else "",
        "edition": "" if csl in VERSIONED else "7",
        "version": "7" if csl in VERSIONED else "",
        "accession-number": "M",
        "PMCID": "2",
        "ISBN": "@",
        "ISSN": "@",
    }
    tag: str = special.get(field, WRITTEN_FIELDS["enw"].get(field, ""))
    return tag


def _emit_extra(field: str, value: Value) -> list[tuple[str, str]]:
    tag = field.removeprefix(_EXTRA)
    if tag != field and len(tag) == 1 and tag != "0" and ENW_LINES.is_tag_line(f"%{tag} "):
        return [(tag, one) for one in value if isinstance(one, str)]
    return _carry(field, value)


def carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    """The round-trip fields of a field: notes at the record's end."""
    return [(tag, escape(text)) for tag, text in _carry(field, value)]


def _carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    return [("Z", f"{roundtrip_name(field)}: {text}") for text in roundtrip_texts(field, value)]


def render(source: Source) -> str:
    """The record's text; a continuation that looks like a tag is set in by a space."""
    lines = [f"%0 {source.type}"] if source.type else []
    for tag, raw in source.tags:
        # An empty line at the end would part the record from the tags behind it.
        first, *rest = raw.rstrip().split("\n")
        lines.append(f"%{tag} {first}")
        lines += [f" {line}" if ENW_LINES.is_tag_line(line) else line for line in rest]
    return "\n".join(lines) + "\n\n"

"""Zotero's items to values: what each field of an item means.

An item's source is its type and its tags: ``creator/<role>``, ``tag``, ``tag/automatic``, notes and
annotations (``zotero.children``), ``relation``, ``link``, and Zotero's fields by their names. May
not know the database that they come from (``zotero.library``).
"""

from __future__ import annotations

import re
from typing import Any, Final

from bifolio.formats import dates
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_of, is_doi, split_identifiers
from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.mapping.zotero import BY_TYPE, CSL_TYPES, FIELD_OF, ROLE_OF
from bifolio.formats.zotero.children import gather_child
from bifolio.formats.zotero.notes import annotation_text, note_text
from bifolio.records.canonical import stored_json
from bifolio.records.dates import CslDate, parse_date
from bifolio.records.fields import FORMS, TYPES, Form
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source, Value

NAME: Final = "zotero"

_EXTRA: Final = "x.zotero."
_CREATOR: Final = "creator/"

#: Zotero stores ``2019-05-00 May 2019``: the date for sorting, then what was typed.
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?: (.*))?", re.DOTALL)
_MOMENT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}(?::\d{2})?Z?")

#: A line of the field *extra* that says another field, as Zotero itself reads it.
_LINE: Final = re.compile(r"\s*([A-Za-z][A-Za-z _-]{1,40}?)\s*:\s*(\S.*?)\s*")

#: What such a line may say: fields of one value, by their names without case.
_SAYABLE: Final = {
    name.lower(): name
    for name, form in FORMS.items()
    if form in (Form.STRING, Form.DATE)
    and name not in ("rating", "read-status", "author-address", "annote")
}


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of an item and which fields each of its tags fed."""
    del blocks
    collector = FieldCollector(len(source.tags))
    collector.derive("type", CSL_TYPES.get(source.type, UNKNOWN_TYPE))
    for index, (tag, raw) in enumerate(source.tags):
        if not raw.strip():
            continue
        if tag.startswith(_CREATOR):
            _gather_creator(collector, index, tag.removeprefix(_CREATOR), raw)
        elif tag == "note":
            collector.append(index, "note", note_text(raw))
        elif tag == "annotation":
            collector.append(index, "annotation", annotation_text(_object(raw)))
        elif gather_child(collector, index, tag, raw):
            pass
        elif tag == "extra":
            _gather_extra(collector, index, raw)
        else:
            _gather_field(collector, index, tag, raw, source.type)
    return collector.finish()


def zotero_date(raw: str) -> CslDate:
    """The date that Zotero stored; what it could not take apart stays as it was typed."""
    moment = _MOMENT.fullmatch(raw.strip())
    if moment is not None:
        return parse_date(moment.group(1))
    found = _DATE.fullmatch(raw.strip())
    if found is None:
        return dates.year_date(raw.strip())
    year, month, day, typed = found.groups()
    typed = (typed or "").strip()
    exact = dates.year_date(typed)
    if "date-parts" in exact:
        return exact
    if year == "0000" or len(set(re.findall(r"\d{4}", typed)) - {year}) > 0:
        return {"literal": typed or raw.strip()}
    worded = dates.worded_date(year, typed) if typed else None
    if worded is not None:
        return worded
    parts = [year, *(part for part in (month, day) if part != "00")]
    return parse_date("-".join(parts)) if month != "00" or day == "00" else parse_date(year)


def _gather_creator(collector: FieldCollector, index: int, role: str, raw: str) -> None:
    stored = _object(raw)
    literal, family, given = (
        str(stored.get(part) or "").strip() for part in ("name", "lastName", "firstName")
    )
    name = Name(literal=literal) if literal else Name(family=family, given=given)
    if not literal and not family:
        name = Name(literal=given)
    if any((name.literal, name.family)):
        collector.append(index, ROLE_OF.get(role, "contributor"), name)


def _gather_field(collector: FieldCollector, index: int, tag: str, raw: str, kind: str) -> None:
    field, rank = FIELD_OF.get(tag, ("", 0))
    field = BY_TYPE.get((kind, tag), field)
    if not field:
        collector.append(index, _EXTRA + tag, raw.strip())
        return
    form = FORMS[field]
    if field in ("ISBN", "ISSN"):
        for one in split_identifiers(raw):
            collector.append(index, field, one)
    elif form in (Form.STRINGS, Form.TEXT):
        collector.append(index, field, raw.strip())
    elif form is Form.DATE:
        collector.candidate(index, field, zotero_date(raw), rank=rank, extra=_EXTRA + tag)
    else:
        text = raw.strip()
        if field == "DOI" and is_doi(text):
            text = doi_of(text)
        collector.candidate(index, field, text, rank=rank, extra=_EXTRA + tag)


def _gather_extra(collector: FieldCollector, index: int, raw: str) -> None:
    """The lines of *extra*: those that say another field do, the others are a note."""
    rest: list[str] = []
    for line in raw.splitlines():
        found = _LINE.fullmatch(line)
        name = "-".join(re.split(r"[ _]+", found.group(1).strip())).lower() if found else ""
        field = _SAYABLE.get(name, "")
        value = found.group(2) if found else ""
        if field == "type":
            field = "type" if value in TYPES else ""
        if not field:
            rest.append(line)
        elif FORMS[field] is Form.DATE:
            collector.candidate(
                index, field, dates.year_date(value), rank=5, extra=_EXTRA + "extra"
            )
        else:
            rank = -1 if field == "type" else 5
            collector.candidate(index, field, value, rank=rank, extra=_EXTRA + "extra")
    collector.append(index, "note", "\n".join(rest).strip())


def said_by(line: str) -> tuple[str, Value] | None:
    """The field that a line of *extra* says, and its value; None of a line that says none."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    field = _SAYABLE.get("-".join(re.split(r"[ _]+", found.group(1).strip())).lower(), "")
    value = found.group(2)
    if not field or (field == "type" and value not in TYPES):
        return None
    return field, dates.year_date(value) if FORMS[field] is Form.DATE else value


def _object(raw: str) -> dict[str, Any]:
    stored = stored_json(raw)
    return stored if isinstance(stored, dict) else {}

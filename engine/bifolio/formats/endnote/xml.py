"""EndNote XML: records to values and back.

May know EndNote's elements and what they mean in each type, not how XML is read and written
(``endnote.records``), files or the other formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bifolio.formats.endnote import records as endnote_records
from bifolio.formats.endnote.records import NOTES, attribute_of, path_of
from bifolio.formats.endnote.rules import (
    ARTICLES,
    NUMBERED,
    VERSIONED,
    WHOLE_BOOKS,
    WHOLE_WORKS,
    csl_type,
    endnote_label,
    gather_issued,
    gather_rule,
    gather_serial_numbers,
    is_pubmed,
    issued_texts,
    page_range,
    type_number,
    write_name,
)
from bifolio.formats.endnote.text import (
    Run,
    plain_text,
    read_raw,
    rich_text,
    runs_of_plain_text,
    runs_of_rich_text,
    write_raw,
)
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_of, is_doi
from bifolio.formats.mapping.fields import ENDNOTE_FIELDS, WRITTEN_FIELDS
from bifolio.formats.mapping.meanings import endnote_meanings, is_taken, written_name
from bifolio.formats.roundtrip_fields import restore, roundtrip_name, roundtrip_texts
from bifolio.records.dates import date_text
from bifolio.records.fields import FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

NAME: Final = "endnote-xml"

Tags = list[tuple[str, str]]

_EXTRA: Final = "x.endnote."
_YEAR: Final = "dates/year"
_DAY: Final = "dates/pub-dates/date"
_EDITORS: Final = "contributors/secondary-authors/author"
_SERIES_EDITORS: Final = "contributors/tertiary-authors/author"
_CONTAINER: Final = "titles/secondary-title"
_JOURNAL: Final = "periodical/full-title"
_PROCEEDINGS: Final = "custom3"
_PLACE: Final = "pub-location"
_SECOND_PLACE: Final = "custom1"

#: What is said of a meeting and of its proceedings; each of the elements decides about both.
_TITLES: Final = ("container-title", "event-title")
_PLACES: Final = ("event-place", "publisher-place")
_TOGETHER: Final = {
    _CONTAINER: _TITLES, _PROCEEDINGS: _TITLES, _PLACE: _PLACES, _SECOND_PLACE: _PLACES
}  # fmt: skip

#: Where the record comes from: kept in the source, no field of a reference.
_ORIGIN: Final = frozenset("database source-app rec-number foreign-keys foreign-keys/key".split())

_RICH: Final = frozenset(
    "title title-short container-title collection-title original-title reviewed-title "
    "translated-title event-title abstract note annotation".split()
)
_ROUNDTRIP_LINE: Final = re.compile(r"(x-[^:\s]+): ?(.*)", re.DOTALL)
_PATH: Final = re.compile(r"[a-z][a-z0-9-]*(?:/[a-z][a-z0-9-]*)*")

#: A label that can be a citation key: people also keep projects and remarks there.
_KEY: Final = re.compile(r"(?=\S*[^\W\d])\S*\d{2}\S*")

_MEETINGS: Final = frozenset({"10"})
_PAPERS: Final = frozenset({"47"})


def identity(tags: tuple[tuple[str, str], ...]) -> str:
    """The library's own id and the record's number in it; empty where the file has not both."""
    for tag, raw in tags:
        if path_of(tag) == "foreign-keys/key":
            library, number = attribute_of(tag, "db-id"), plain_text(read_raw(raw)).strip()
            if library and number and attribute_of(tag, "app") in ("EN", ""):
                return f"{library}:{number}"
    return ""


# --- reading ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """What the meaning of an element depends on, its own text apart."""

    #: The CSL type.
    kind: str
    #: EndNote's number of its own type.
    number: str
    #: The first text of each path, on one line.
    given: dict[str, str]
    #: What the type gives a meaning of its own.
    meanings: dict[str, str]


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of a record and which fields each element fed."""
    del blocks
    given: dict[str, str] = {}
    elements: list[tuple[str, list[Run], str]] = []
    for tag, raw in source.tags:
        path, runs = path_of(tag), read_raw(raw)
        plain = plain_text(runs).strip()
        elements.append((path, runs, plain))
        if plain and path not in given:
            given[path] = " ".join(plain.split())
    number = type_number(source.type)
    record = _Record(csl_type(source.type), number, given, endnote_meanings(number))
    collector = FieldCollector(len(source.tags))
    collector.derive("type", record.kind)
    for index, (path, runs, plain) in enumerate(elements):
        if plain and path not in _ORIGIN:
            _gather(collector, index, path, runs, plain, record)
    return collector.finish()


def _gather(
    collector: FieldCollector, index: int, path: str, runs: list[Run], plain: str, record: _Record
) -> None:
    """Give one element to the field that it means in a record of this type."""
    given = record.given
    text = " ".join(plain.split())
    carried = _ROUNDTRIP_LINE.fullmatch(plain) if path == NOTES else None
    if carried and (restored := restore(carried.group(1), carried.group(2))) is not None:
        collector.restore(index, restored)
    elif path in (_YEAR, _DAY):
        gather_issued(
            collector, index, text, given.get(_YEAR, ""), given.get(_DAY, ""),
            of_year=path == _YEAR, extra=_EXTRA + path,
        )  # fmt: skip
    elif path in ("isbn", "issn"):
        gather_serial_numbers(collector, index, plain, record.kind, _EXTRA + path)
    else:
        field, rank, value = _meaning(path, text, record)
        lines = plain
        if field in _RICH and any(run.faces for run in runs):
            lines = rich_text(runs).strip()
            value = " ".join(lines.split())
        if field in ("original-title", "reviewed-title") and "\n" in lines:
            field = ""  # a table of contents or a citation: more than a title
        if field:
            gather_rule(collector, index, field, value, lines, rank=rank, extra=_EXTRA + path)
        else:
            collector.append(index, _EXTRA + path, plain)
        if record.number in _MEETINGS:
            for other in _TOGETHER.get(path, ()):
                collector.feed(index, other)


def _meaning(path: str, text: str, record: _Record) -> tuple[str, int, str]:
    """(field, rank, text) of an element; an empty field where it means none."""
    kind, given = record.kind, record.given
    if path == "pages":
        text = page_range(text)
    if path == "custom2" and re.fullmatch(r"PMC\d+", text):
        return "PMCID", 0, text
    if record.number in _MEETINGS and path in _TOGETHER:
        return *_meeting(path, given), text
    if (own := record.meanings.get(path)) is not None:
        return "" if own == "-" else own, 1 if own == "page" else 0, text
    if path == "electronic-resource-num":
        if is_doi(text):
            return "DOI", 0, doi_of(text)
        return "URL" if re.fullmatch(r"\w+://\S+", text) else "", 0, text
    if path == "accession-num":
        origins = [given.get(f"remote-database-{part}", "") for part in ("provider", "name")]
        return "PMID" if is_pubmed(text, *origins) else "accession-number", 0, text
    return *_by_kind(path, text, kind), text


def _by_kind(path: str, text: str, kind: str) -> tuple[str, int]:
    """(field, rank) of an element whose meaning depends on the CSL type alone."""
    whole = kind in WHOLE_BOOKS
    match path:
        case "contributors/secondary-authors/author":
            return "collection-editor" if whole else "editor", 0
        case "contributors/tertiary-authors/author":
            return "editor" if whole else "collection-editor", 0
        case "titles/secondary-title":
            return ("collection-title", 1) if whole else ("container-title", 0)
        case "number":
            return _number(kind), 0
        case "pages":
            return _pages(text, kind), 0
        case "edition":
            return "version" if kind in VERSIONED else "edition", 0
        case "custom7":
            return _article_number(text, kind), 0
        case "label":
            return "citation-key" if _KEY.fullmatch(text) else "", 0
        case _:
            return ENDNOTE_FIELDS.get(path, ("", 0))


def _meeting(path: str, given: dict[str, str]) -> tuple[str, int]:
    """(field, rank) of the elements that name a meeting, its proceedings, or the place of either.

    EndNote has the meeting in ``secondary-title`` and its proceedings in ``custom3``; where there
    is but one title it is that of the proceedings. A place in ``pub-location`` is the meeting's
    where ``custom1`` has the publisher's.
    """
    if path in (_CONTAINER, _PROCEEDINGS):
        meeting = path == _CONTAINER and _PROCEEDINGS in given
        return "event-title" if meeting else "container-title", 0
    both = _PLACE in given and _SECOND_PLACE in given
    meeting = path == (_PLACE if both else _SECOND_PLACE)
    return "event-place" if meeting else "publisher-place", 0


def _number(kind: str) -> str:
    if kind in NUMBERED:
        return "number"
    return "collection-number" if kind in WHOLE_BOOKS else "issue"


def _pages(text: str, kind: str) -> str:
    ranged = re.search(r"\d\s*[-–—]", text)
    return "number-of-pages" if kind in WHOLE_WORKS and not ranged else "page"


def _article_number(text: str, kind: str) -> str:
    article = kind in ARTICLES or kind == "paper-conference"
    return "article-number" if article and re.search(r"\d", text) and " " not in text else ""


# --- writing ---------------------------------------------------------------------------------


def written_type(values: Values, dialect: str) -> str:
    """EndNote's number and label of a type."""
    del dialect
    return endnote_label(values)


def emit(field: str, values: Values, dialect: str, kind: str) -> Tags:
    """The elements that say a field; none where EndNote has no place for it."""
    del dialect
    value = values[field]
    if is_extra(field):
        return _emit_extra(field, value)
    csl, number = csl_type(kind), type_number(kind)
    if field == "container-title" and csl in ARTICLES:
        return [(path, _rich(str(value))) for path in (_CONTAINER, _JOURNAL)]
    path = _written_path(field, values, csl, number)
    if not path:
        return []
    form = FORMS[field]
    if form is Form.NAMES:
        return [(path, _plain(write_name(name))) for name in value if isinstance(name, Name)]
    if form is Form.STRINGS:
        texts = [one for one in value if isinstance(one, str)]
        return [(path, _plain(one)) for one in (["\n".join(texts)] if path == "isbn" else texts)]
    if _EXTRA + path in values:
        return []  # EndNote reads one such element, and something else is in it
    if isinstance(value, dict):
        if field != "issued":
            return [(path, _plain(date_text(value)))]
        year, day = issued_texts(value)
        return [(_YEAR, _plain(year)), *([(_DAY, _plain(day))] if day else [])]
    return [(path, _rich(str(value)) if field in _RICH else _plain(str(value)))]


def _written_path(field: str, values: Values, csl: str, number: str) -> str:
    """The element under which a type has a field; empty where it has no place for it."""
    if number in _MEETINGS and field in (*_TITLES, *_PLACES):
        return _written_meeting(field, values)
    meanings = endnote_meanings(number)
    if own := written_name(field, meanings):
        return own
    path = _general_path(field, csl, number)
    return "" if is_taken(path, field, meanings) else path


def _general_path(field: str, csl: str, number: str) -> str:
    whole = csl in WHOLE_BOOKS
    special: dict[str, str] = {
        "editor": _SERIES_EDITORS if whole else _EDITORS,
        "collection-editor": _EDITORS if whole else _SERIES_EDITORS,
        "container-title": "" if whole else _JOURNAL if number in _PAPERS else _CONTAINER,
        "issue": "number" if _number(csl) == "issue" else "",
        "number": "number" if csl in NUMBERED else "",
        "collection-number": "number" if whole else "",
        "page": "pages",
        "number-of-pages": "pages" if csl in WHOLE_WORKS else "",
        "edition": "" if csl in VERSIONED else "edition",
        "version": "edition" if csl in VERSIONED else "",
        "article-number": "custom7",
        "accession-number": "accession-num",
        "PMID": "accession-num",
        "PMCID": "custom2",
        "DOI": "electronic-resource-num",
        "ISBN": "isbn",
        "ISSN": "isbn",
        "citation-key": "label",
    }
    path: str = special.get(field, WRITTEN_FIELDS["endnote"].get(field, ""))
    return path


def _written_meeting(field: str, values: Values) -> str:
    """The element of a meeting, its proceedings, or the place of either (see ``_meeting``)."""
    if field in _TITLES:
        both = all(title in values for title in _TITLES)
        if field == "event-title":
            return _CONTAINER if both else ""
        return _PROCEEDINGS if both else _CONTAINER
    both = all(place in values for place in _PLACES)
    return _PLACE if (field == "event-place") == both else _SECOND_PLACE


def _plain(text: str) -> str:
    return write_raw(runs_of_plain_text(text))


def _rich(text: str) -> str:
    return write_raw(runs_of_rich_text(text))


def _emit_extra(field: str, value: Value) -> Tags:
    path = field.removeprefix(_EXTRA)
    plain = path != field and _PATH.fullmatch(path) and path not in (*_ORIGIN, "ref-type", "style")
    if plain and not path.startswith(f"{NOTES}/") and path != NOTES:
        return [(path, _plain(one)) for one in value if isinstance(one, str)]
    return carry(field, value)


def carry(field: str, value: Value | None) -> Tags:
    """The round-trip fields of a field: lines at the end of the research notes."""
    name = roundtrip_name(field)
    return [(NOTES, _plain(f"{name}: {text}")) for text in roundtrip_texts(field, value)]


def render(source: Source) -> str:
    """The record's XML and a line's end."""
    return endnote_records.render(source.type, source.tags) + "\n"

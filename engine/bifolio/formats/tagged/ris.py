"""RIS: tagged records to values and back.

What a tag means depends on the type and on the other tags next to it (``JO`` is a name or an
abbreviation, ``SN`` an ISSN, ISBN or number): all of that is decided here. May know RIS's tags and
types, not files or the other formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bifolio.formats import dates
from bifolio.formats.bounds import split_list
from bifolio.formats.endnote.rules import (
    ARTICLES,
    NUMBERED,
    VERSIONED,
    WHOLE_BOOKS,
    WHOLE_WORKS,
    gather_languages,
    gather_serial_numbers,
    is_pubmed,
    page_range,
    written_languages,
)
from bifolio.formats.entities import escape, unescape
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_in_address, doi_of, is_doi, split_urls
from bifolio.formats.mapping.fields import RIS_FIELDS, WRITTEN_FIELDS
from bifolio.formats.mapping.meanings import is_taken, ris_meanings, written_name
from bifolio.formats.mapping.types import RIS_TYPES, UNKNOWN_TYPE, WRITTEN_TYPES
from bifolio.formats.names import parse_ris_name, write_ris_name
from bifolio.formats.pages import join_range, split_range
from bifolio.formats.roundtrip_fields import restore, roundtrip_name, roundtrip_texts
from bifolio.formats.tagged.labels import labelled_note
from bifolio.formats.tagged.lines import is_tag_line
from bifolio.records.fields import FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.people import split_people
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

_EXTRA: Final = "x.ris."

#: Tags whose meaning depends on their own text or on the tags next to them.
_DEPENDENT: Final = frozenset("M3 DO DI C2 U1 U2 SP T2 JO BT JF IS M1 CP AN L2".split())

#: A paper that was read at a meeting and need not be printed, by its code and EndNote's label.
_PAPERS: Final = frozenset({"CPAPER", "CONFERENCE PAPER"})

#: What is said of a meeting and of its proceedings; each of the tags decides about both.
_MEETINGS: Final = frozenset("container-title event-title event-place publisher-place".split())
_TITLES: Final = ("container-title", "event-title")
_PLACES: Final = ("event-place", "publisher-place")
_TOGETHER: Final = {"T2": _TITLES, "C3": _TITLES, "CP": _TITLES, "C1": _PLACES, "CY": _PLACES}
#: ``26957754[pmid]``, ``PMC4756000 [PMCID]``.
_PUBMED_ID: Final = re.compile(r"(\d+|PMC\d+) ?\[pmc?id\]", re.IGNORECASE)
#: The longest text that is taken for an issue; some databases put remarks and addresses there.
_ISSUE_LENGTH_MAX: Final = 60
_ROUNDTRIP_LINE: Final = re.compile(r"(x-[^:\s]+): ?(.*)", re.DOTALL)


# --- reading ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """What the meaning of a tag depends on, its own text apart."""

    #: The CSL type.
    kind: str
    #: What comes after ``TY``, in capitals.
    code: str
    #: The first text of each tag, on one line.
    given: dict[str, str]
    #: What the type gives a meaning of its own.
    meanings: dict[str, str]


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of a record and which fields each tag fed."""
    del blocks  # text outside of records says nothing of them
    given: dict[str, str] = {}
    raws = [unescape(raw) if "&" in raw else raw for _, raw in source.tags]
    texts = [" ".join(raw.split()) for raw in raws]
    for (tag, _), text in zip(source.tags, texts, strict=True):
        if text and tag not in given:
            given[tag] = text
        elif text and tag == "LA":
            given[tag] += f"\n{text}"
    code = source.type.upper()
    record = _Record(csl_type(source.type), code, given, ris_meanings(code))
    collector = FieldCollector(len(source.tags))
    collector.derive("type", record.kind)
    for index, ((tag, _), raw, text) in enumerate(zip(source.tags, raws, texts, strict=True)):
        if text:
            _gather(collector, index, tag, raw.strip(), text, record)
    return collector.finish()


_KEYWORDS: Final = re.compile(r"[;\n]")


def csl_type(written: str) -> str:
    """The CSL type of what comes after ``TY``: a code, or EndNote's name for it."""
    return RIS_TYPES.get(" ".join(written.lower().split()), UNKNOWN_TYPE)


def _gather(
    collector: FieldCollector, index: int, tag: str, raw: str, text: str, record: _Record
) -> None:
    """Give one line to the field that its tag means in a record of this type.

    Args:
        raw: the line's text as it is.
        text: the same on one line, without doubled blanks.
    """
    carried = _ROUNDTRIP_LINE.fullmatch(raw) if tag == "N1" and raw.startswith("x-") else None
    if carried and (restored := restore(carried.group(1), carried.group(2))) is not None:
        collector.restore(index, restored)
        return
    if tag in ("PY", "Y1", "DA"):
        _gather_issued(collector, index, tag, text, record.given)
        return
    if tag == "EP" and record.given.get("SP") and _page_field(record) == "page":
        collector.feed(index, "page")
        return
    if tag == "LA" and "LA" not in record.meanings:
        gather_languages(collector, index, record.given["LA"])
        return
    if tag == "N1" and (said := labelled_note(raw)) is not None:
        label, text = said
        if label in ("ISBN", "ISSN"):
            gather_serial_numbers(collector, index, text, record.kind, _EXTRA + tag)
        else:
            _gather_value(collector, index, tag, label, 9, text, text)
        return
    if tag == "SN":
        gather_serial_numbers(collector, index, raw, record.kind, _EXTRA + tag)
        return
    field, rank, value = _meaning(tag, text, record)
    if field == "":
        collector.append(index, _EXTRA + tag, raw)
        return
    _gather_value(collector, index, tag, field, rank, value, raw)
    if record.kind == "paper-conference":
        for other in _TOGETHER.get(tag, ()):
            collector.feed(index, other)


def _gather_value(
    collector: FieldCollector, index: int, tag: str, field: str, rank: int, value: str, raw: str
) -> None:
    form = FORMS[field]
    if form is Form.NAMES:
        for person in split_people(value):
            collector.append(index, field, parse_ris_name(person))
    elif form is Form.TEXT:
        lines = "\n".join(map(str.strip, raw.split("\n"))) if "\n" in raw else raw
        collector.append(index, field, lines.strip())
    elif field == "URL":
        for address in split_urls(value):
            collector.append(index, field, address)
            if doi := doi_in_address(address):
                collector.derive("DOI", doi)
    elif field == "tags":
        if ";" not in raw and "\n" not in raw:
            collector.append(index, field, value)
            return
        for keyword in split_list(_KEYWORDS, raw):
            collector.append(index, field, " ".join(keyword.split()))
    elif field == "author-address":
        collector.append(index, field, value)
    elif form is Form.DATE:
        date, whole = dates.ris_date(value)
        collector.candidate(index, field, date, rank=rank, extra=_EXTRA + tag)
        if not whole:
            collector.append(index, _EXTRA + tag, value)
    else:
        collector.candidate(index, field, value, rank=rank, extra=_EXTRA + tag)


def _meaning(tag: str, text: str, record: _Record) -> tuple[str, int, str]:
    """(field, rank, text) of a tag in this record; an empty field where it means none."""
    kind, given = record.kind, record.given
    if tag not in _DEPENDENT and (tag not in _TOGETHER or kind != "paper-conference"):
        return *_by_type(tag, kind, record.code), text
    if tag in ("M3", "DO", "DI") and (tag != "M3" or is_doi(text)):
        return "DOI", ("DO", "DI", "M3").index(tag), doi_of(text)
    if tag == "C2" and re.fullmatch(r"PMC\d+", text):
        return "PMCID", 1, text
    if tag in ("U1", "U2") and (found := _PUBMED_ID.fullmatch(text)) is not None:
        return "PMID" if found.group(1).isdigit() else "PMCID", 2, found.group(1)
    if kind == "paper-conference" and tag in ("T2", "JO", "JF", "BT", "C1", "C3", "CY", "CP"):
        return *_meeting(tag, text, record), text
    if tag == "SP":
        return _page_field(record), 0, _pages(text, given.get("EP", ""))
    if tag in record.meanings:
        return *_by_type(tag, kind, record.code), text
    if tag in ("T2", "JO", "BT", "JF"):
        return *_container(tag, kind, given), text
    if tag in ("IS", "M1", "CP"):
        return *_number(tag, text, kind, given), text
    if tag == "AN":
        pubmed = is_pubmed(text, given.get("DB", ""), given.get("DP", ""))
        if given.get("DB") == "PMC" and text.startswith("PMC"):
            return "PMCID", 0, text
        return "PMID" if pubmed else "accession-number", 0, text
    if tag == "L2":
        return "URL" if "://" in text and not text.startswith("file:") else "", 0, text
    return *_by_type(tag, kind, record.code), text


@lru_cache(maxsize=4096)
def _by_type(tag: str, kind: str, code: str) -> tuple[str, int]:
    """(field, rank) of a tag as far as the type alone decides."""
    own = ris_meanings(code).get(tag)
    if own is not None:
        return "" if own == "-" else own, 2 if own == "page" else 0
    if tag in ("A2", "A3"):
        return "collection-editor" if (tag == "A2") == (kind in WHOLE_BOOKS) else "editor", 0
    if tag == "ET":
        return "version" if kind in VERSIONED else "edition", 0
    return RIS_FIELDS.get(tag, ("", 0))


def _meeting(tag: str, text: str, record: _Record) -> tuple[str, int]:
    """(field, rank) of the tags that name a meeting, its volume of papers, or the place of either.

    EndNote has the meeting in ``T2`` and its proceedings in ``C3``, the Web of Science the meeting
    in ``CP``; most others have nothing but the proceedings in ``T2``. A place in ``CY`` is that of
    a paper's meeting, elsewhere where ``C1`` has the publisher's.
    """
    given, paper = record.given, record.code in _PAPERS
    if tag == "CP":
        return ("issue", 1) if _is_number(text) else ("event-title", 0)
    if tag in ("C1", "CY"):
        both = paper or ("C1" in given and "CY" in given)
        meeting = tag == "CY" if both else tag == "C1"
        return "event-place" if meeting else "publisher-place", 0
    if tag == "C3":
        return ("", 0) if paper else ("container-title", 0)
    named = not _is_number(given.get("CP", "0"))
    if tag == "T2" and not named and (paper or "C3" in given):
        return "event-title", 0
    if tag == "JO":
        return "container-title", 4
    return "container-title", 1 + ("JF", "T2", "BT").index(tag)


def _is_number(text: str) -> bool:
    """Whether the text is an issue's number and no name."""
    return not re.search(r"[^\W\d]{3}", text)


def _container(tag: str, kind: str, given: dict[str, str]) -> tuple[str, int]:
    """(field, rank) of the tags that name what a work appeared in."""
    if kind in WHOLE_BOOKS:
        return {"T2": ("collection-title", 1), "BT": ("title", 3)}.get(tag, ("", 0))
    if tag == "JO":
        full = given.get("JF") or given.get("T2")
        if full and full != given["JO"]:
            return "container-title-short", 3
        return "container-title", 3
    # A full name in JF is the journal; T2 next to it may be a section's title.
    return "container-title", ("JF", "T2", "BT").index(tag)


def _number(tag: str, text: str, kind: str, given: dict[str, str]) -> tuple[str, int]:
    if tag == "CP":
        return ("issue", 1) if _is_number(text) else ("event-title", 0)
    if kind in WHOLE_BOOKS and tag == "M1":
        return "collection-number", 1
    if kind in NUMBERED:
        return "number", 0 if tag == "IS" else 2
    if tag == "IS" and kind == "chapter" and given.get("NV"):
        return "number-of-volumes", 1
    if tag == "M1" and kind not in ARTICLES:
        return "number", 0
    return ("issue", 0 if tag == "IS" else 2) if len(text) <= _ISSUE_LENGTH_MAX else ("", 0)


def _page_field(record: _Record) -> str:
    own = record.meanings.get("SP")
    if own is not None:
        return own
    whole = record.kind in WHOLE_WORKS and not record.given.get("EP")
    return "number-of-pages" if whole and "-" not in record.given.get("SP", "") else "page"


def _pages(start: str, end: str) -> str:
    if not end or start == end or start.endswith((f"-{end}", f"–{end}")):
        return page_range(start)
    return join_range(start, end)


def _gather_issued(
    collector: FieldCollector, index: int, tag: str, text: str, given: dict[str, str]
) -> None:
    """One of the three tags of the date: the most telling wins if they agree on the year."""
    date, whole = dates.ris_date(text)
    year = _year(given)
    if tag == "DA" and "date-parts" not in date and year.isdigit():
        within = dates.month_and_day(int(year), text)
        if within is not None:
            date, whole = within, True
    parts = date.get("date-parts")
    if parts is None:
        # A year that is none says more than a day that is none.
        collector.candidate(index, "issued", date, rank=6 if tag == "DA" else 5)
        other = any(given.get(name, text) != text for name in ("PY", "Y1", "DA"))
        if other:
            collector.append(index, _EXTRA + tag, text)
        return
    if tag != "PY" and year.isdigit() and str(parts[0][0]) != year:
        collector.append(index, _EXTRA + tag, text)
        return
    # A day beats a month, a month a year; among equals PY, then Y1.
    detail = 3 - len(parts[0]) - (1 if "season" in date or len(parts) > 1 else 0)
    collector.candidate(index, "issued", date, rank=detail)
    if not whole:
        collector.append(index, _EXTRA + tag, text)


def _year(given: dict[str, str]) -> str:
    """The year that ``PY`` says, or ``DA``, or the ``Y1`` that both have replaced."""
    if "PY" in given:
        date = {} if given["PY"][:4].isdigit() else dates.ris_date(given["PY"])[0]
        return str(date["date-parts"][0][0]) if "date-parts" in date else given["PY"][:4]
    date = dates.ris_date(given["DA"])[0] if "DA" in given else {}
    return str(date["date-parts"][0][0]) if "date-parts" in date else given.get("Y1", "")[:4]


# --- writing ---------------------------------------------------------------------------------


def written_type(values: Values, dialect: str) -> str:
    """The code for a CSL type."""
    del dialect
    kind = str(values.get("type", UNKNOWN_TYPE))
    if kind == "paper-conference" and "event-title" in values and "container-title" not in values:
        return "CPAPER"
    return WRITTEN_TYPES["ris"].get(kind, "GEN")


def emit(field: str, values: Values, dialect: str, kind: str) -> list[tuple[str, str]]:
    """The (tag, value) pairs that say a field; none where RIS has no place for it."""
    del dialect
    return [(tag, escape(text)) for tag, text in _emit(field, values, kind)]


def _emit(field: str, values: Values, kind: str) -> list[tuple[str, str]]:
    value = values[field]
    if is_extra(field):
        return _emit_extra(field, value)
    csl = csl_type(kind)
    tag = _written_tag(field, values, csl, kind)
    if not tag:
        return []
    form = FORMS[field]
    if form is Form.NAMES:
        return [(tag, write_ris_name(name)) for name in value if isinstance(name, Name)]
    if form is Form.STRINGS:
        return [(tag, one) for one in value if isinstance(one, str)]
    if form is Form.DATE:
        return _emit_date(field, value, tag)
    text = str(value)
    if field == "page":
        return _emit_pages(text)
    if field == "language":
        return [(tag, one) for one in written_languages(" ".join(text.split()))]
    return [(tag, text if form is Form.TEXT else _one_line(field, text))]


def _written_tag(field: str, values: Values, csl: str, code: str) -> str:
    """The tag under which a type has a field; empty where it has no place for it."""
    meanings = ris_meanings(code.upper())
    if csl == "paper-conference" and field in _MEETINGS:
        return _written_meeting(field, values, code.upper())
    if own := written_name(field, meanings):
        return own
    tag = _general_tag(field, csl)
    return "" if is_taken(tag, field, meanings) else tag


def _general_tag(field: str, csl: str) -> str:
    special: dict[str, str] = {
        "editor": "A3" if csl in WHOLE_BOOKS else "A2",
        "collection-editor": "A2" if csl in WHOLE_BOOKS else "A3",
        "container-title": "" if csl in WHOLE_BOOKS else "T2",
        "event-title": "CP",
        "issue": "" if csl in NUMBERED else "IS",
        "number": "IS" if csl in NUMBERED else "M1",
        "number-of-pages": "SP" if csl in WHOLE_WORKS else "",
        "edition": "ET",
        "version": "ET" if csl in VERSIONED else "",
        "ISBN": "SN",
        "ISSN": "SN",
        "PMCID": "C2",
        "accession-number": "AN",
    }
    tag: str = special.get(field, WRITTEN_FIELDS["ris"].get(field, ""))
    return tag


def _written_meeting(field: str, values: Values, code: str) -> str:
    """The tag of a meeting, its proceedings, or the place of either (``_meeting`` reads them)."""
    paper = code in _PAPERS
    both_places = paper or ("event-place" in values and "publisher-place" in values)
    if field == "event-place":
        return "CY" if both_places else "C1"
    if field == "publisher-place":
        return "C1" if both_places else "CY"
    both_titles = "event-title" in values and "container-title" in values
    if paper:
        return "T2" if field == "event-title" else "JF"
    if field == "event-title":
        return "T2" if both_titles else "CP"
    return "C3" if both_titles else "T2"


def _one_line(field: str, text: str) -> str:
    return text if field == "author-address" else " ".join(text.split())


def _emit_date(field: str, value: Value, tag: str) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return []
    if any(not 1000 <= end[0] <= 9999 for end in value.get("date-parts", ())):
        return []  # four digits are all that a reader takes for a year
    text = dates.write_ris_date(value)
    if field != "issued" or "literal" in value or "/" not in text:
        return [(tag, text)]
    return [("PY", text[:4]), ("DA", text)]


def _emit_pages(text: str) -> list[tuple[str, str]]:
    ends = split_range(text)
    if ends is not None and join_range(*ends) == text:
        return [("SP", ends[0]), ("EP", ends[1])]
    return [("SP", text)]


def _emit_extra(field: str, value: Value) -> list[tuple[str, str]]:
    tag = field.removeprefix(_EXTRA)
    if tag != field and re.fullmatch(r"[A-Z][A-Z0-9]{1,5}", tag) and tag not in ("TY", "ER"):
        return [(tag, one) for one in value if isinstance(one, str)]
    return _carry(field, value)


def carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    """The round-trip fields of a field: notes at the record's end."""
    return [(tag, escape(text)) for tag, text in _carry(field, value)]


def _carry(field: str, value: Value | None) -> list[tuple[str, str]]:
    return [("N1", f"{roundtrip_name(field)}: {text}") for text in roundtrip_texts(field, value)]


def render(source: Source) -> str:
    """The record's text; a continuation that looks like a tag is set in by a space."""
    lines = [f"TY  - {source.type}"]
    for tag, raw in source.tags:
        first, *rest = raw.split("\n")
        lines.append(f"{tag}  - {first}")
        lines += [f" {line}" if is_tag_line(line) else line for line in rest]
    return "\n".join(lines) + "\nER  - \n\n"

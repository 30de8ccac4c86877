"""What EndNote's formats, RIS, XML and ``enw``, share: types, names, dates and serial numbers.

May know EndNote's conventions, not how any of the formats is written down.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats import dates
from bifolio.formats.date_words import MONTHS
from bifolio.formats.entities import unescape
from bifolio.formats.field_collector import FieldCollector
from bifolio.formats.identifiers import (
    bare_serial_number,
    doi_in_address,
    is_isbn,
    is_issn,
    split_identifiers,
    split_urls,
)
from bifolio.formats.mapping.meanings import endnote_number
from bifolio.formats.mapping.types import ENDNOTE_TYPES, RIS_TYPES, UNKNOWN_TYPE, WRITTEN_TYPES
from bifolio.formats.names import parse_ris_name, write_ris_name
from bifolio.formats.pages import plain_range
from bifolio.records.dates import CslDate, date_text
from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from bifolio.records.people import split_people
from bifolio.records.reference import Values

WHOLE_BOOKS: Final = frozenset("book classic collection".split())
WHOLE_WORKS: Final = WHOLE_BOOKS | {"thesis", "report", "manuscript", "pamphlet"}
ARTICLES: Final = frozenset("article-journal article-magazine article-newspaper".split())
NUMBERED: Final = frozenset(
    "report patent standard bill legislation regulation hearing article".split()
)
VERSIONED: Final = frozenset({"software", "dataset"})
_ISSN_TYPES: Final = ARTICLES | {"periodical", "paper-conference", "article"}

_PUBMED: Final = re.compile(r"pubmed|medline|nlm|national library of medicine", re.IGNORECASE)
_INITIALS: Final = re.compile(r"((?:\w\.[ -]?)+) ?(\w[^.,]+)")


def csl_type_of_label(label: str) -> str:
    """The CSL type of EndNote's label."""
    return RIS_TYPES.get(" ".join(label.lower().split()), UNKNOWN_TYPE)


def csl_type(written: str) -> str:
    """The CSL type of ``17 Journal Article``.

    The number decides: users rename types. But where the label is another of EndNote's own ones
    the label decides: some programs write numbers of their own.
    """
    number, _, label = written.partition(" ")
    by_number = ENDNOTE_TYPES.get(number)
    if by_number is None or endnote_number(label) not in ("", number):
        return csl_type_of_label(label if number.isdigit() else written)
    return by_number


def type_number(written: str) -> str:
    """EndNote's number of ``17 Journal Article``, by the label where the number is another's."""
    number, _, label = written.partition(" ")
    return endnote_number(label if number.isdigit() else written) or number


def endnote_label(values: Values) -> str:
    """EndNote's number and label for the type."""
    kind = str(values.get("type", UNKNOWN_TYPE))
    if kind == "paper-conference" and "container-title" not in values:
        return "47 Conference Paper"
    return WRITTEN_TYPES["endnote"].get(kind, "13 Generic")


def is_pubmed(text: str, *sources: str) -> bool:
    """Whether an accession number of these sources is PubMed's."""
    return text.isdigit() and any(_PUBMED.search(source) for source in sources)


def read_name(text: str) -> Name:
    """``Last, First, Suffix``; a comma at the end marks a body; ``C. D. Last`` is a person too."""
    written = " ".join(text.split())
    initials = _INITIALS.fullmatch(written)
    if initials is not None:
        return Name(family=initials.group(2).strip(), given=initials.group(1).strip())
    return parse_ris_name(written)


def write_name(name: Name) -> str:
    """The name as EndNote has it: a body ends in a comma."""
    return f"{name.literal}," if name.literal else write_ris_name(name)


def issued_texts(date: CslDate) -> tuple[str, str]:
    """(year, day or month) of a date as EndNote's two fields have it."""
    parts = date.get("date-parts")
    if parts is None or len(parts) != 1 or date.get("season") or date.get("circa"):
        return date_text(date), ""
    year, *rest = parts[0]
    words = [MONTHS[rest[0] - 1][:3], *map(str, rest[1:])] if rest else []
    return f"{year:04d}", " ".join(words)


def page_range(text: str) -> str:
    """The pages with one mark between first and last."""
    return plain_range(text)


def gather_issued(
    collector: FieldCollector,
    index: int,
    text: str,
    year: str,
    day: str,
    *,
    of_year: bool,
    extra: str,
) -> None:
    """One of the two fields of a date: the year, or the year with what the other says more.

    Args:
        year, day: what the record's two fields say, empty where it has not both.
        of_year: whether this one is the year's.
        extra: where a day goes that is no date of this year.
    """
    date = dates.worded_date(year, day) if day else None
    if of_year:
        collector.candidate(index, "issued", date or dates.year_date(text), extra=extra)
        if dates.is_open(text):
            collector.append(index, extra, text)
    elif date is not None:
        collector.candidate(index, "issued", date)
    elif year:
        collector.append(index, extra, text)
    else:
        collector.candidate(index, "issued", dates.year_date(text), rank=1)


def gather_serial_numbers(
    collector: FieldCollector, index: int, raw: str, kind: str, extra: str
) -> None:
    """ISSNs, ISBNs, or the number of a report or patent."""
    for part in split_identifiers(raw.replace("\r", "\n")):
        text = bare_serial_number(part)
        if is_issn(text):
            collector.append(index, "ISSN", text)
        elif is_isbn(text):
            collector.append(index, "ISBN", text)
        elif kind in ("report", "patent", "standard"):
            collector.candidate(index, "number", text, rank=1, extra=extra)
        else:
            collector.append(index, "ISSN" if kind in _ISSN_TYPES else "ISBN", text)


def gather_languages(collector: FieldCollector, index: int, texts: str) -> None:
    """The languages of a record, each of which is a line of its own: one text, and all of it.

    Args:
        texts: all that the record's tags of that name say, one to a line.
    """
    collector.candidate(index, "language", "; ".join(dict.fromkeys(texts.split("\n"))))


def written_languages(text: str) -> list[str]:
    """The lines that say a text of languages."""
    parts = [part.strip() for part in text.split(";")]
    return parts if all(parts) and "; ".join(parts) == text else [text]


def gather_rule(
    collector: FieldCollector,
    index: int,
    field: str,
    value: str,
    raw: str,
    *,
    rank: int,
    extra: str,
) -> None:
    """Give a text to its field in the form of the field's values.

    Args:
        value: the text on one line.
        raw: the text with its lines.
        extra: the extra field for a claim that another one beats.
    """
    form = FORMS[field]
    if form is Form.NAMES:
        for person in split_people(value):
            collector.append(index, field, read_name(person))
    elif form is Form.TEXT:
        lines = [line.strip() for line in raw.split("\n")]
        collector.append(index, field, "\n".join(lines).strip())
    elif field == "URL":
        for address in split_urls(value):
            collector.append(index, field, address)
            if doi := doi_in_address(address):
                collector.derive("DOI", doi)
    elif field == "tags":
        for keyword in re.split(r"[;\n]", unescape(raw)):
            collector.append(index, field, " ".join(keyword.split()))
    elif field == "author-address":
        collector.append(index, field, value)
    elif form is Form.DATE:
        collector.candidate(index, field, _date(value), rank=rank, extra=extra)
    else:
        collector.candidate(index, field, value, rank=rank, extra=extra)


def _date(text: str) -> CslDate:
    date = dates.any_date(text)
    if "date-parts" in date:
        return date
    written, whole = dates.ris_date(text)
    return written if whole else date

"""PubMed's nbib (MEDLINE): tagged records to values. It is only read.

May know PubMed's tags and publication types, not files or the other formats.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats import dates
from bifolio.formats.endnote.rules import gather_languages
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import bare_serial_number, is_isbn
from bifolio.formats.mapping.fields import NBIB_FIELDS
from bifolio.formats.mapping.types import NBIB_TYPES
from bifolio.formats.names import parse_ris_name
from bifolio.records.dates import CslDate
from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from bifolio.records.reference import ImportedBlocks, Source

_EXTRA: Final = "x.nbib."
_ARTICLES: Final = frozenset({"journal article", "journal articles"})
_MARKED: Final = re.compile(r"(\S+) \[(doi|pii)\]", re.IGNORECASE)
_DAY: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBERS: Final = re.compile(r"(\d{4}) (\d{1,2})(?: (\d{1,2}))?")
_DEGREE: Final = re.compile(r"([^,]*(?:Dissertation|Thesis)[^,]*), *(.+)")
_CITATION: Final = re.compile(r"\bv\d+|\bn\d+ p\d+|\d+\(\d+\)|\bpp?\.? ?\d+")
_FULL_NAMES: Final = {"AU": "FAU", "ED": "FED"}


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of a record and which fields each tag fed."""
    del blocks
    given: dict[str, str] = {}
    texts = [" ".join(raw.split()) for _, raw in source.tags]
    for (tag, _), text in zip(source.tags, texts, strict=True):
        if text and tag not in given:
            given[tag] = text
        elif text and tag == "LA":
            given[tag] += f"\n{text}"
    collector = FieldCollector(len(source.tags))
    collector.derive("type", _csl_type(source, given))
    before = ""
    for index, ((tag, _), text) in enumerate(zip(source.tags, texts, strict=True)):
        if text:
            _gather(collector, index, tag, text, before, given)
        before = tag
    return collector.finish()


def _csl_type(source: Source, given: dict[str, str]) -> str:
    """PubMed holds articles; books and their chapters have a book title; ERIC says what it is."""
    if given.get("BTI"):
        return "chapter" if given.get("TI") else "book"
    kinds = [raw.strip().lower() for tag, raw in source.tags if tag == "PT"]
    # What ERIC has that no journal and no publisher of books brought out is a report.
    other = "report" if _is_eric(given) and not given.get("JT") else "article-journal"
    return next((csl for kind, csl in NBIB_TYPES if kind in kinds), other)


def _gather(
    collector: FieldCollector, index: int, tag: str, text: str, before: str, given: dict[str, str]
) -> None:
    """Give one tag to its field."""
    if tag in _FULL_NAMES and before == _FULL_NAMES[tag]:
        collector.feed(index, NBIB_FIELDS[tag][0])  # the short form of the name before it
    elif tag == "CN":
        collector.append(index, "author", Name(literal=text))
    elif tag in ("DP", "DEP"):
        _gather_issued(collector, index, tag, text, given)
    elif tag in ("LID", "AID"):
        marked = _MARKED.fullmatch(text)
        kind = marked.group(2).lower() if marked is not None else ""
        if marked is not None and kind == "doi":
            collector.candidate(index, "DOI", marked.group(1), extra=_EXTRA + tag)
        elif marked is not None and tag == "LID" and "PG" not in given:
            # Where an article has no pages, its publisher's number is what is cited.
            collector.candidate(index, "article-number", marked.group(1), extra=_EXTRA + tag)
        elif re.fullmatch(r"https?://\S+", text):
            collector.append(index, "URL", text)
        else:
            collector.append(index, _EXTRA + tag, text)
    elif tag == "PT":
        rank = 1 if text.lower() in _ARTICLES else 0
        collector.candidate(index, "genre", text, rank=rank, extra=_EXTRA + tag)
    elif tag == "SO" and _is_eric(given):
        _gather_eric_source(collector, index, text)
    elif tag == "LA":
        gather_languages(collector, index, given["LA"])
    elif tag == "JT" and collector.first("type") in ("book", "thesis"):
        collector.candidate(index, "publisher", text, rank=1, extra=_EXTRA + tag)
    elif tag == "BTI":
        collector.candidate(index, "container-title" if given.get("TI") else "title", text)
    elif tag in NBIB_FIELDS:
        field, rank = NBIB_FIELDS[tag]
        _gather_field(collector, index, tag, field, text, rank)
    else:
        collector.append(index, _EXTRA + tag, text)


def _gather_field(
    collector: FieldCollector, index: int, tag: str, field: str, text: str, rank: int
) -> None:
    form = FORMS[field]
    if form is Form.NAMES:
        short = tag in _FULL_NAMES and "," not in text
        collector.append(index, field, _short_name(text) if short else parse_ris_name(text))
    elif field in ("ISSN", "ISBN"):
        number = bare_serial_number(text)
        if any(map(str.isdigit, number)):  # ERIC names the kind even where it has no number
            collector.append(index, "ISBN" if is_isbn(number) else field, number)
    elif form in (Form.STRINGS, Form.TEXT) or field == "author-address":
        collector.append(index, field, text)
    else:
        collector.candidate(index, field, text, rank=rank, extra=_EXTRA + tag)


def _is_eric(given: dict[str, str]) -> bool:
    return given.get("OWN") == "ERIC" or given.get("OID", "").startswith(("EJ", "ED"))


def _gather_eric_source(collector: FieldCollector, index: int, text: str) -> None:
    """ERIC's source: who published it, for a thesis behind its degree; never a citation."""
    degree = _DEGREE.fullmatch(text)
    if degree is not None:
        collector.candidate(index, "publisher", degree.group(2))
        collector.candidate(index, "genre", degree.group(1), rank=-1, extra=_EXTRA + "SO")
    elif _CITATION.search(text):
        collector.append(index, _EXTRA + "SO", text)
    else:
        collector.candidate(index, "publisher", text, extra=_EXTRA + "SO")


def _short_name(text: str) -> Name:
    """``van Es ACGM``: the initials come last."""
    family, _, initials = text.rpartition(" ")
    if not family or not initials.isupper():
        return parse_ris_name(text)
    return parse_ris_name(f"{family}, {initials}")


def _gather_issued(
    collector: FieldCollector, index: int, tag: str, text: str, given: dict[str, str]
) -> None:
    """``DP`` is the date; that of the electronic edition counts where there is no other."""
    if tag == "DEP" and given.get("DP"):
        collector.append(index, _EXTRA + tag, text)
        return
    collector.candidate(index, "issued", _date(text))


def _date(text: str) -> CslDate:
    """``2019 Nov 5``, ``2013 Jan-Feb``, ``2019 Winter``, ``20190918``."""
    if (day := _DAY.fullmatch(text)) is not None:
        return dates.year_date("-".join(day.groups()))
    if (numbers := _NUMBERS.fullmatch(text)) is not None:
        return dates.year_date("-".join(f"{int(part):02d}" for part in numbers.groups() if part))
    year, _, rest = text.partition(" ")
    return (dates.worded_date(year, rest) if rest else None) or dates.any_date(text)

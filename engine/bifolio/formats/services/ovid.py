"""Ovid's tags: what each means, and its one line for journal, volume, pages and date."""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats import dates
from bifolio.formats.names import parse_ris_name
from bifolio.formats.services.rules import (
    NOTHING,
    Table,
    Tracing,
    fields,
    gather,
    lines,
    worded_type,
)
from bifolio.records.names import split_initials

_FIELDS: Final = fields("""
container-title: JN JT
volume: VO VI
issue: IP
page: PG
DOI: DO DI
ISSN: IS IL
ISBN: IB
language: LG LA
abstract: AB
tags: ID KW KP
source: DB
author-address: IN
publisher-place: PL
license: RO
number: PN
""") | dict.fromkeys(("VN", "XL", "UP"), (NOTHING, 0))

_TYPES: Final = {
    "journal": "article-journal",
    "journal article": "article-journal",
    "article": "article-journal",
    "peer reviewed journal": "article-journal",
    "book": "book",
    "authored book": "book",
    "edited book": "book",
    "book section": "chapter",
    "book chapter": "chapter",
    "chapter": "chapter",
    "conference paper": "paper-conference",
    "conference proceeding": "paper-conference",
    "dissertation abstract": "thesis",
    "dissertation": "thesis",
    "patent": "patent",
}
_TAIL: Final = re.compile(r"\s*\[[A-Za-z][^\[\]]*\]\.?$")
_AFTER_INITIALS: Final = re.compile(r"(?<=[A-Z])\.\s+(?=[^\W\d_]{2})")
_DEGREES: Final = re.compile(
    r"(?:[\s,]+(?:Ph\.?D\.?|M\.?D\.?|MPH|MSc|M\.?S\.?|B\.?Sc?\.?|FACSM|DrPH|R\.?N\.?|Dr\.?"
    r"|\d[\d,]*|[+*#]|,))+$"
)
_DOI: Final = re.compile(r"10\.\d{4,9}/\S+")
_VOLUME: Final = re.compile(
    r"(?P<journal>.+?)[.,]?\s+(?:Vol\.?\s*)?(?P<volume>\d+[A-Z]?)\s?\((?P<issue>[^()]*)\)"
    r"(?P<rest>.*)"
)
_VOLUME_ONLY: Final = re.compile(
    r"(?P<journal>.+?)\.\s+(?:Vol\.?\s*)?(?P<volume>\d+[A-Z]?)(?P<issue>)(?P<rest>[,:;. ].*)"
)
_AFTER_DATE: Final = re.compile(
    r"(?P<journal>.+?)\s+(?P<date>(?:[A-Z][a-z]+(?:[/-][A-Z][a-z]+)?\.?(?:\s\d{1,2},?)?\s)?\d{4})"
    r";\s*(?P<volume>\w+)(?:\((?P<issue>[^()]*)\))?(?P<rest>.*)"
)
_PAGES: Final = re.compile(
    r"\(?\b(?:pp?\.?|pages?)\s*(?P<named>[A-Za-z]?\d[\w.]*(?:\s*-\s*[A-Za-z]?\d\w*)?)"
    r"|^\s*:\s*(?P<behind>[A-Za-z]?\d\w*(?:-[A-Za-z]?\d\w*)?)"
)
_ISSUED: Final = re.compile(
    r"(?P<before>[A-Z][a-z]{2,8}\.?(?:[/-][A-Z][a-z]{2,8}\.?)?(?:\s\d{1,2},?)?)\s(?P<year>\d{4})"
    r"|(?P<first>\d{4})(?P<after>\s[A-Z][a-z]{2,8}(?:[/-][A-Z][a-z]{2,8})?(?:\s\d{1,2})?)?"
)
#: ``Kamp, R. [Editor], Doe, J. [Editor]. The book.:371-397, 2004.``
_IN_BOOK: Final = re.compile(
    r"(?P<people>(?:[^\[\]]+\[Ed[^\]]*\],?\s*)+)\.\s*(?P<book>.+?)\.?:\s*(?P<pages>\w+-\w+),?"
    r"\s*(?P<rest>.*)"
)
_EDITOR: Final = re.compile(r"\s*([^\[\]]+?)\s*\[Ed[^\]]*\],?")
_BOOK_DATE: Final = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


def _type_of(record: Tracing) -> str:
    said = [raw for tag, raw in record.source.tags if tag in ("PT", "DT")]
    for text in said:
        for one in re.split(r"[;\n.]", text):
            words = " ".join(one.lower().split())
            if csl := _TYPES.get(words) or worded_type(words):
                if csl == "book" and _is_part(record):
                    return "chapter"
                return csl
    if "BT" in record.given:
        return "chapter" if _is_part(record) else "book"
    return "article-journal"


def _is_part(record: Tracing) -> bool:
    """Whether the title is another one than that of the book."""
    title = _title(record.given.get("TI", "")).lower()
    book = record.given.get("BT", "").lower()
    return bool(title and book) and not book.startswith(title[:40])


def _title(text: str) -> str:
    """The title without what kind of article it is, and without the full stop at its end."""
    text = " ".join(text.split())
    while (cut := _TAIL.sub("", text)) != text:
        text = cut
    text = text.strip()
    if text.startswith('"') and text.rstrip(".").endswith('"'):
        text = text.rstrip(".").strip('"')
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def _special(record: Tracing, index: int, tag: str, text: str) -> bool:
    extra = f"x.ovid.{tag}"
    if tag == "TI":
        record.collector.candidate(index, "title", _title(text))
    elif tag in ("AU", "AF", "ED"):
        if tag == "AF" and "AU" in record.given:
            return False
        for one in lines(text):
            parted = [one] if "[" in one or "(" in one else one.split(";")
            for person in _several(one) or map(str.strip, parted):
                _gather_person(record, index, person, is_editor=tag == "ED")
    elif tag == "SO":
        _gather_source(record, index, " ".join(text.split()))
    elif tag == "BT":
        book = " ".join(text.split())
        if record.kind == "chapter":
            name = re.split(r"\.\s", book, maxsplit=1)[0]
            record.collector.candidate(index, "container-title", name, extra=extra)
        if (year := _BOOK_DATE.search(book)) is not None and "YR" not in record.given:
            record.collector.candidate(index, "issued", dates.year_date(year.group()), rank=3)
    elif tag in ("PB", "PU"):
        publisher, _, place = " ".join(text.split()).partition("; " if ";" in text else ", ")
        record.collector.candidate(index, "publisher", publisher, extra=extra)
        record.collector.candidate(index, "publisher-place", place, rank=1, extra=extra)
    elif tag in ("YR", "DP", "DG", "PD"):
        _gather_issued(record, index, tag, " ".join(text.split()))
    elif tag in ("DO", "DI"):
        found = _DOI.search(text)
        if found is None:
            return False
        gather(record, index, "DOI", found.group().rstrip("."), extra=extra)
    elif tag in ("IS", "IL", "IB"):
        gather(record, index, "ISSN", re.sub(r"\s*\([^()]*\)|\.$", "", text), extra=extra)
    elif tag in ("AN", "UI"):
        number = " ".join(text.split()).rstrip(".")
        record.collector.candidate(index, "accession-number", number, extra=extra)
    elif tag == "PG":
        gather(record, index, "page", text.removeprefix("pp").strip(" .p"), extra=extra)
    else:
        return False
    return True


def _several(text: str) -> list[str]:
    """The people of ``Doe J. Roe RA. Poe P``; none where it is one, or of another form."""
    people = [one.strip(" .") for one in _AFTER_INITIALS.split(text.strip())]
    people = [one for one in people if one]
    parted = len(people) > 1 and all(split_initials(one) is not None for one in people)
    return people if parted else []


def _gather_person(record: Tracing, index: int, text: str, *, is_editor: bool) -> None:
    role = "editor" if is_editor or re.search(r"\[Ed(?:itor)?\b|\(Ed\.\)", text) else "author"
    plain = _DEGREES.sub("", re.sub(r"\s*[\[(][^\])]*[\])]\.?", "", text)).rstrip(" .,;")
    initials = re.search(r"\b[A-Z]\.?$", plain)
    if initials is not None and text.rstrip(" ;").startswith(plain + "."):
        plain += "."
    if plain:
        record.collector.append(index, role, parse_ris_name(plain))


def _gather_source(record: Tracing, index: int, text: str) -> None:
    """``Journal. 43(5), Sep 2015, pp. 623-634`` and its like, in parts; else as it is."""
    found = _AFTER_DATE.fullmatch(text) or _VOLUME.fullmatch(text) or _VOLUME_ONLY.fullmatch(text)
    if record.kind == "chapter" and (inside := _IN_BOOK.match(text)) is not None:
        for person in _EDITOR.findall(inside.group("people")):
            record.collector.append(index, "editor", parse_ris_name(person.strip(" ,")))
        record.collector.candidate(index, "container-title", inside.group("book").strip())
        gather(record, index, "page", inside.group("pages"), rank=1)
        if date := _date(inside.group("rest")):
            record.collector.candidate(index, "issued", date, rank=2)
        return
    if found is None or record.kind in ("book", "chapter", "patent"):
        record.collector.append(index, "x.ovid.SO", text)
        return
    said, collector = found.groupdict(), record.collector
    rest = said["rest"]
    collector.candidate(index, "container-title", said["journal"].strip(" .,"), rank=1)
    collector.candidate(index, "volume", said["volume"], rank=1)
    collector.candidate(index, "issue", (said["issue"] or "").strip(), rank=1)
    if (pages := _PAGES.search(rest)) is not None:
        written = pages.group("named") or pages.group("behind")
        gather(record, index, "page", written.replace(" ", "").rstrip("."), rank=1)
    date = _date(said.get("date") or rest)
    if date:
        # The year of publication by itself says less.
        collector.candidate(index, "issued", date, rank=2)


def _gather_issued(record: Tracing, index: int, tag: str, text: str) -> None:
    date = _date(text)
    if not date:
        record.collector.append(index, f"x.ovid.{tag}", text)
    elif tag == "YR":
        record.collector.candidate(index, "issued", date, rank=3)
    else:
        record.collector.candidate(index, "issued", date, rank=1)


def _date(text: str) -> dict[str, object]:
    """The date that a text holds, with month and day where it names them."""
    found = _ISSUED.search(text)
    if found is None:
        return {}
    year = found.group("year") or found.group("first")
    words = (found.group("before") or found.group("after") or "").replace("/", "-").strip()
    return dict((dates.worded_date(year, words) if words else None) or dates.year_date(year))


TABLE: Final = Table("ovid", _FIELDS, _type_of, _special)

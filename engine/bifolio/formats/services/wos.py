"""Web of Science's tags (``.ciw``, ``savedrecs.txt``): what each means."""

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
    gather_ends,
    lines,
)
from bifolio.records.names import Name

_FIELDS: Final = fields("""
editor: BE ED
title: TI
container-title-short: JI
collection-title: SE
volume: VL
issue: IS
article-number: AR
publisher: PU
publisher-place: PI
event-title: CT
event-place: CL
DOI: DI
ISSN: SN EI
ISBN: BN
PMID: PM
accession-number: UT
abstract: AB
tags: DE ID
language: LA
author-address: C1
genre: DT
""") | {"DA": (NOTHING, 0)}

#: The full names before the short ones of the same people.
_SHORT: Final = {"AU": "AF", "BA": "BF"}
_PAPER: Final = re.compile(r"proceedings paper|meeting abstract", re.IGNORECASE)
_YEAR: Final = re.compile(r"\d{4}")
_ARTICLES: Final = frozenset({"article-journal"})


def _type_of(record: Tracing) -> str:
    kind, given = record.source.type[:1].upper(), record.given
    told = given.get("DT", "")
    if kind == "P":
        return "patent"
    if kind == "J":
        return "article-journal"
    if _PAPER.search(told) or "CT" in given:
        return "paper-conference"
    title, source = (given.get(tag, "").strip(" .").lower() for tag in ("TI", "SO"))
    if kind in "BS" and title and source and title != source:
        return "chapter"
    return "book" if kind in "BS" and kind else "article-journal"


def _special(record: Tracing, index: int, tag: str, text: str) -> bool:
    collector, given = record.collector, record.given
    if tag in ("AU", "AF", "BA", "BF"):
        _gather_people(record, index, tag, text)
    elif tag == "CA":
        for one in lines(text.replace(";", "\n")):
            collector.append(index, "author", Name(literal=" ".join(one.split())))
    elif tag in ("DE", "ID"):
        gather(record, index, "tags", " ".join(text.split()))  # a keyword may be on two lines
    elif tag == "SO":
        name = "title" if record.kind == "book" and "TI" not in given else "container-title"
        if record.kind != "book" or name == "title":
            gather(record, index, name, text, extra="x.wos.SO")
    elif tag == "J9":
        short = "" if "JI" in given else " ".join(text.split())
        collector.candidate(index, "container-title-short", short, rank=1, extra="x.wos.J9")
    elif tag in ("PY", "PD"):
        _gather_issued(record, index, tag, " ".join(text.split()))
    elif tag in ("BP", "EP"):
        gather_ends(record, index, given.get("BP", ""), given.get("EP", ""), extra=f"x.wos.{tag}")
    elif tag == "PN" and record.kind == "patent":
        gather(record, index, "number", text)
    elif tag == "PG" and record.kind not in _ARTICLES and "BP" not in given:
        gather(record, index, "number-of-pages", text)
    else:
        return False
    return True


def _gather_people(record: Tracing, index: int, tag: str, text: str) -> None:
    """The authors; those of the book where the part has authors of its own."""
    of_book = tag in ("BA", "BF") and ("AU" in record.given or "AF" in record.given)
    name = "container-author" if of_book else "author"
    if (full := _SHORT.get(tag)) is not None and full in record.given:
        record.collector.feed(index, name)
        return
    for one in lines(text):
        record.collector.append(index, name, parse_ris_name(_person(" ".join(one.split()))))


def _person(text: str) -> str:
    """``YANG Y`` of patents is a family name and initials."""
    family, _, initials = text.rpartition(" ")
    return f"{family}, {initials}" if family and "," not in text and initials.isupper() else text


def _gather_issued(record: Tracing, index: int, tag: str, text: str) -> None:
    year, day = record.given.get("PY", ""), record.given.get("PD", "")
    if not _YEAR.fullmatch(year):
        record.collector.candidate(index, "issued", dates.any_date(text), extra=f"x.wos.{tag}")
        return
    words = _YEAR.sub("", day).strip(" ,")
    whole = dates.worded_date(year, words) if words else None
    if tag == "PD" and whole is None:
        if day != year:
            record.collector.append(index, "x.wos.PD", text)
        return
    record.collector.candidate(index, "issued", whole or dates.year_date(year))


TABLE: Final = Table("wos", _FIELDS, _type_of, _special)

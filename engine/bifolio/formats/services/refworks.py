"""RefWorks' tags (its Tagged Format): what each means. Tables and small decisions."""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats import dates
from bifolio.formats.endnote.rules import WHOLE_BOOKS
from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.services.rules import (
    NOTHING,
    Table,
    Tracing,
    fields,
    gather,
    gather_ends,
    worded_type,
)

_FIELDS: Final = fields("""
author: A1
title: T1
title-short: ST
volume: VO
issue: IS
publisher: PB
publisher-place: PP
edition: ED
ISSN: SN
DOI: DO
PMID: PMID
PMCID: PMCID
accession-number: AN
call-number: CN
language: LA
abstract: AB
note: NO
tags: K1
URL: UL LK
author-address: AD
accessed: RD
original-title: OT
source: DS
archive: DB
event-title: T4
""") | dict.fromkeys(("ID", "OL", "SR"), (NOTHING, 0))

_TYPES: Final = {
    "book, section": "chapter",
    "book, edited": "book",
    "book, whole": "book",
    "abstract": "article-journal",
    "journal, electronic": "article-journal",
    "artwork": "graphic",
    "bills/resolutions": "bill",
    "case/court decisions": "legal_case",
    "conference proceedings": "paper-conference",
    "dissertation/thesis": "thesis",
    "dissertation": "thesis",
    "grant": "report",
    "laws/statutes": "legislation",
    "magazine article": "article-magazine",
    "monograph": "book",
    "motion picture": "motion_picture",
    "music score": "musical_score",
    "newspaper article": "article-newspaper",
    "online discussion forum": "post",
    "personal communication": "personal_communication",
    "sound recording": "song",
    "unpublished material": "manuscript",
    "video/dvd": "motion_picture",
    "web page": "webpage",
    "computer program": "software",
}
_IN_NOTE: Final = re.compile(r"doi:\s*(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PARENTHESIS: Final = re.compile(r"\s*\([a-z][^()]*\)", re.IGNORECASE)


def _type_of(record: Tracing) -> str:
    words = " ".join(record.source.type.lower().split())
    return _TYPES.get(words) or worded_type(words) or UNKNOWN_TYPE


def _special(record: Tracing, index: int, tag: str, text: str) -> bool:
    given, extra = record.given, f"x.refworks.{tag}"
    if tag in ("A2", "A3", "A4", "A5", "A6"):
        roles = {"A2": "editor", "A3": "collection-editor", "A4": "translator", "A6": "editor"}
        if tag not in roles:
            return False
        gather(record, index, roles[tag], text, extra=extra)
    elif tag in ("JF", "JO"):
        short = tag == "JO" and "JF" in given
        gather(record, index, "container-title-short" if short else "container-title", text,
               rank=0 if short else 1, extra=extra)  # fmt: skip
    elif tag in ("T2", "T3", "WT"):
        series = tag == "T3" or (tag == "T2" and record.kind in WHOLE_BOOKS)
        name = "collection-title" if series else "container-title"
        gather(record, index, name, text, extra=extra)
    elif tag in ("YR", "FD"):
        _gather_issued(record, index, tag, " ".join(text.split()))
    elif tag in ("SP", "OP"):
        gather_ends(record, index, given.get("SP", ""), given.get("OP", ""), extra=extra)
    elif tag == "SN":
        gather(record, index, "ISSN", _PARENTHESIS.sub("", text), extra=extra)
    elif tag == "NO" and (found := _IN_NOTE.fullmatch(text)) is not None:
        gather(record, index, "DOI", found.group(1), rank=1, extra=extra)
    else:
        return False
    return True


def _gather_issued(record: Tracing, index: int, tag: str, text: str) -> None:
    year, day = record.given.get("YR", ""), record.given.get("FD", "")
    day = day.removesuffix(year).strip(" ,/")
    whole = None
    if year and (numbers := re.fullmatch(r"(\d{1,2})/(\d{1,2})", day)) is not None:
        month, number = map(int, numbers.groups())
        written = dates.any_date(f"{year}-{month:02d}-{number:02d}")
        whole = written if "date-parts" in written else None
    elif year and day:
        whole = dates.worded_date(year, day)
    if tag == "FD" and whole is None and year:
        record.collector.append(index, "x.refworks.FD", text)
        return
    record.collector.candidate(
        index, "issued", whole or dates.any_date(year or day), extra=f"x.refworks.{tag}"
    )


TABLE: Final = Table("refworks", _FIELDS, _type_of, _special)

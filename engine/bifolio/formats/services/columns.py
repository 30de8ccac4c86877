"""Tables with a line of column names: what Scopus and PubMed export as CSV, and what columns mean.

A record's tags are its columns. ``csv`` of the standard library reads the cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bifolio import limits
from bifolio.formats import dates
from bifolio.formats.bounds import TOO_LONG
from bifolio.formats.names import parse_ris_name
from bifolio.formats.services.rules import (
    NOTHING,
    Table,
    Tracing,
    fields,
    gather,
    gather_ends,
    worded_type,
)

_SCOPUS: Final = fields(
    """
title: Title
container-title: Source title
container-title-short: Abbreviated Source Title
volume: Volume
issue: Issue
article-number: Art. No.|Article No.
number-of-pages: Number of pages
DOI: DOI
URL: Link
ISSN: ISSN
ISBN: ISBN
PMID: PubMed ID
abstract: Abstract
tags: Author Keywords|Index Keywords
publisher: Publisher
event-title: Conference name
event-place: Conference location
language: Language of Original Document
accession-number: EID
author-address: Affiliations
genre: Document Type
source: Source
""",
    separator="|",
) | {"Cited by": (NOTHING, 0), "Page count": (NOTHING, 0)}
_SCOPUS_TYPES: Final = {
    "article": "article-journal",
    "article in press": "article-journal",
    "review": "article-journal",
    "letter": "article-journal",
    "editorial": "article-journal",
    "note": "article-journal",
    "short survey": "article-journal",
    "erratum": "article-journal",
    "data paper": "article-journal",
    "business article": "article-journal",
    "retracted": "article-journal",
    "conference paper": "paper-conference",
    "conference review": "paper-conference",
    "book": "book",
    "book chapter": "chapter",
    "report": "report",
    "preprint": "article",
}
_PUBMED: Final = fields(
    """
PMID: PMID
title: Title
container-title: Journal/Book
PMCID: PMCID
DOI: DOI
""",
    separator="|",
) | dict.fromkeys(("First Author", "Create Date"), (NOTHING, 0))
_CITATION: Final = re.compile(
    r"(?P<journal>.+?)\.\s+(?P<year>\d{4})(?:\s(?P<day>[A-Z][^;:.]*?))?"
    r"(?:;(?P<volume>[^(:;.]*)(?:\((?P<issue>[^)]*)\))?(?::(?P<pages>[^.;]*))?)?[.:].*",
    re.DOTALL,
)
_NUMBER_BEHIND: Final = re.compile(r"\s*\(\d+\)\s*$")
_SCOPUS_NAME: Final = re.compile(r"(.+?) ((?:[^\W\d_]{1,2}\.-?){1,6})")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its empty cells left out."""

    line: int
    tags: tuple[tuple[str, str], ...]
    refusal: str = ""


def rows(text: str) -> Iterator[Row]:
    """The rows below the line of column names."""
    head, _, _ = text.partition("\n")
    separator = max(",;\t", key=head.count)
    limit = csv.field_size_limit(limits.IMPORT_RECORD_CHARACTERS_MAX)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator)
    try:
        names = [name.strip() for name in next(reader, [])]
        line = reader.line_num + 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield Row(line, (), TOO_LONG)
                return
            tags = tuple(
                (name or f"column {place}", cell.strip())
                for place, (name, cell) in enumerate(_with_names(names, cells), 1)
                if cell.strip()
            )
            if tags:
                yield Row(line, tags)
            line = reader.line_num + 1
    finally:
        csv.field_size_limit(limit)


def _with_names(names: list[str], cells: list[str]) -> list[tuple[str, str]]:
    names = names + [f"column {place}" for place in range(len(names) + 1, len(cells) + 1)]
    return list(zip(names, cells, strict=False))


def _scopus_type(record: Tracing) -> str:
    words = record.given.get("Document Type", "").lower()
    return _SCOPUS_TYPES.get(words) or worded_type(words) or "article-journal"


def _scopus_special(record: Tracing, index: int, tag: str, text: str) -> bool:
    given, collector = record.given, record.collector
    if tag in ("Authors", "Author full names"):
        if tag == "Authors" and "Author full names" in given:
            collector.feed(index, "author")
            return True
        for one in _people(text):
            collector.append(index, "author", parse_ris_name(one))
    elif tag == "Editors":
        for one in _people(text):
            collector.append(index, "editor", parse_ris_name(one))
    elif tag == "Year":
        collector.candidate(index, "issued", dates.year_date(text))
    elif tag in ("Page start", "Page end"):
        gather_ends(
            record, index, given.get("Page start", ""), given.get("Page end", ""),
            extra=f"x.scopus-csv.{tag}",
        )  # fmt: skip
    elif tag in ("ISSN", "ISBN"):
        gather(record, index, tag, _issn(text) if tag == "ISSN" else text)
    else:
        return False
    return True


def _issn(text: str) -> str:
    """Scopus leaves the hyphen out, and perhaps the zeros before it."""
    parts = re.split(r"[;,\s]+", text)
    padded = (one.zfill(8) if one[:-1].isdigit() and len(one) < 9 else one for one in parts)
    return "; ".join(
        f"{one[:4]}-{one[4:]}" if len(one) == 8 and one[:7].isdigit() else one for one in padded
    )


def _people(text: str) -> list[str]:
    """The names of a cell: ``Doe J.; Roe R.``, ``Doe J., Roe R.``, ``Doe, J.; Roe, R. (123)``."""
    parts = [_NUMBER_BEHIND.sub("", one).strip() for one in text.split(";")]
    if len(parts) == 1 and text.count(",") and _SCOPUS_NAME.fullmatch(text.split(",")[0].strip()):
        parts = [one.strip() for one in text.split(",")]
    people = []
    for one in filter(None, parts):
        found = _SCOPUS_NAME.fullmatch(one) if "," not in one else None
        people.append(f"{found.group(1)}, {found.group(2)}" if found is not None else one)
    return people


def _pubmed_type(record: Tracing) -> str:
    del record
    return "article-journal"


def _pubmed_special(record: Tracing, index: int, tag: str, text: str) -> bool:
    collector = record.collector
    if tag == "Authors":
        for one in text.rstrip(". ").split(","):
            family, _, initials = one.strip().rpartition(" ")
            if family and initials.isupper():
                collector.append(index, "author", parse_ris_name(f"{family}, {initials}"))
            elif one.strip():
                collector.append(index, "author", parse_ris_name(one.strip()))
    elif tag == "Citation":
        found = _CITATION.fullmatch(" ".join(text.split()) + " ")
        if found is None:
            return False
        said = found.groupdict()
        day = dates.worded_date(said["year"], said["day"] or "") if said["day"] else None
        collector.candidate(index, "issued", day or dates.year_date(said["year"]))
        collector.candidate(index, "container-title-short", said["journal"])
        collector.candidate(index, "volume", (said["volume"] or "").strip())
        collector.candidate(index, "issue", (said["issue"] or "").strip())
        if said["pages"]:
            gather(record, index, "page", said["pages"])
    elif tag == "Publication Year":
        collector.candidate(index, "issued", dates.year_date(text), rank=1)
    else:
        return False
    return True


SCOPUS: Final = Table("scopus-csv", _SCOPUS, _scopus_type, _scopus_special)
PUBMED: Final = Table("pubmed-csv", _PUBMED, _pubmed_type, _pubmed_special)

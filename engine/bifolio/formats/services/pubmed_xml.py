"""PubMed's XML: articles and books as records of nbib, which say the same in lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bifolio.formats.services.elements import BrokenXml, children, find, split, text_at, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_RECORDS: Final = frozenset({"PubmedArticle", "PubmedBookArticle", "MedlineCitation"})


@dataclass(frozen=True, slots=True)
class PubmedRecord:
    """One article or book, with nbib's tags."""

    line: int
    tags: tuple[tuple[str, str], ...]


def records(text: str) -> Iterator[PubmedRecord | BrokenXml]:
    """All articles and books of a file."""
    for found in split(text, _RECORDS):
        if isinstance(found, BrokenXml):
            yield found
            continue
        line = found.sourceline or 1
        book = find(found, "BookDocument")
        tags = _book(book) if book is not None else _article(found)
        yield PubmedRecord(line, tuple((tag, raw) for tag, raw in tags if raw))


def _article(found: _Element) -> Iterator[tuple[str, str]]:
    citation = (
        find(found, "MedlineCitation") if find(found, "MedlineCitation") is not None else found
    )
    article = find(citation, "Article")
    journal = find(article, "Journal")
    yield "PMID", text_at(citation, "PMID")
    if (owner := citation.get("Owner") if citation is not None else None) is not None:
        yield "OWN", str(owner)
    for one in children(journal, "ISSN") if journal is not None else ():
        yield "IS", f"{text_of(one)} ({one.get('IssnType', '')})"
    yield "VI", text_at(journal, "JournalIssue/Volume")
    yield "IP", text_at(journal, "JournalIssue/Issue")
    issued = find(journal, "JournalIssue/PubDate")
    yield "DP", _date(issued)
    yield "TI", text_at(article, "ArticleTitle")
    yield "TT", text_at(article, "VernacularTitle")
    yield "PG", text_at(article, "Pagination/MedlinePgn")
    for one in children(article, "ELocationID") if article is not None else ():
        yield "LID", f"{text_of(one)} [{one.get('EIdType', '')}]"
    yield from _described(article)
    yield (
        "TA",
        text_at(citation, "MedlineJournalInfo/MedlineTA") or text_at(journal, "ISOAbbreviation"),
    )
    yield "JT", text_at(journal, "Title")
    for heading in _all(citation, "MeshHeadingList", "MeshHeading"):
        yield "MH", "/".join(text_of(one) for one in children(heading))
    for listed in children(citation, "KeywordList") if citation is not None else ():
        for one in children(listed, "Keyword"):
            yield "OT", text_of(one)
    yield "CI", text_at(article, "Abstract/CopyrightInformation")
    yield "DEP", _date(find(article, "ArticleDate")) if article is not None else ""
    yield from _ids(find(found, "PubmedData"))


def _book(found: _Element) -> Iterator[tuple[str, str]]:
    book = find(found, "Book")
    yield "PMID", text_at(found, "PMID")
    yield "BTI", text_at(book, "BookTitle")
    yield "TI", text_at(found, "ArticleTitle")
    yield "PB", text_at(book, "Publisher/PublisherName")
    yield "PL", text_at(book, "Publisher/PublisherLocation")
    yield "DP", _date(find(book, "PubDate"))
    yield "VI", text_at(book, "Volume")
    yield "EN", text_at(book, "Edition")
    yield "CTI", text_at(book, "CollectionTitle")
    for one in children(book, "Isbn") if book is not None else ():
        yield "ISBN", text_of(one)
    for listed in children(book, "AuthorList") if book is not None else ():
        role = "FED" if listed.get("Type") == "editors" else "FAU"
        yield from _people(listed, role)
    yield "PG", text_at(found, "Pagination/MedlinePgn")
    yield from _described(found)
    yield from _ids(found)


def _described(article: _Element | None) -> Iterator[tuple[str, str]]:
    """What an article and a book say alike."""
    if article is None:
        return
    pieces = []
    for one in _all(article, "Abstract", "AbstractText"):
        label = str(one.get("Label") or "")
        pieces.append(f"{label}: {text_of(one)}" if label else text_of(one))
    yield "AB", " ".join(pieces)
    for listed in children(article, "AuthorList"):
        yield from _people(listed, "FED" if listed.get("Type") == "editors" else "FAU")
    for one in children(article, "Language"):
        yield "LA", text_of(one)
    for one in [*_all(article, "PublicationTypeList", "PublicationType"),
                *children(article, "PublicationType")]:  # fmt: skip
        yield "PT", text_of(one)


def _people(listed: _Element, role: str) -> Iterator[tuple[str, str]]:
    for one in children(listed, "Author"):
        family, suffix = text_at(one, "LastName"), text_at(one, "Suffix")
        given = text_at(one, "ForeName") or text_at(one, "FirstName") or text_at(one, "Initials")
        if family:
            yield role, ", ".join(part for part in (family, given, suffix) if part)
        else:
            yield "CN", text_at(one, "CollectiveName")
        for place in _all(one, "AffiliationInfo", "Affiliation"):
            yield "AD", text_of(place)


def _ids(place: _Element | None) -> Iterator[tuple[str, str]]:
    for one in _all(place, "ArticleIdList", "ArticleId") if place is not None else ():
        kind = one.get("IdType", "")
        if kind == "pmc":
            yield "PMC", text_of(one)
        elif kind in ("doi", "pii"):
            yield "AID", f"{text_of(one)} [{kind}]"


def _all(place: _Element | None, outer: str, inner: str) -> list[_Element]:
    if place is None:
        return []
    return [one for listed in children(place, outer) for one in children(listed, inner)]


def _date(place: _Element | None) -> str:
    """``2019 Nov 5`` as nbib has it."""
    if place is None:
        return ""
    if whole := text_at(place, "MedlineDate"):
        return whole
    parts = (text_at(place, name) for name in ("Year", "Month", "Day"))
    season = text_at(place, "Season")
    return " ".join(part for part in (*parts, season) if part)

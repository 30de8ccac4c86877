"""The operators of the search language: one table, from which parser, messages and page speak."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from bifolio.records.terms import Mark


class Kind(Enum):
    """What follows an operator's colon."""

    TEXT = "a word, or a phrase in quotes, of one text"
    VALUE = "a whole value; with * at its end its beginning"
    YEARS = "a year, a range of years, or a comparison"
    DAYS = "a day, a month, a year, today, yesterday, a number of days such as 7d, or a range"
    NUMBERS = "a number from 0 to 5, or a range"
    TYPE = "a type"
    GROUP = "a group"
    FIELD = "a field"
    FILE = "a word, or a phrase in quotes, of what a file says"
    STATE = "a state"


class Operator(Struct, frozen=True):
    """One operator: its name, other names of it, and what it finds."""

    name: str
    kind: Kind
    example: str
    finds: str
    columns: tuple[str, ...] = ()
    mark: Mark | None = None
    synonyms: tuple[str, ...] = ()


def _text(
    name: str, example: str, finds: str, *columns: str, synonyms: tuple[str, ...] = ()
) -> Operator:
    return Operator(name, Kind.TEXT, example, finds, columns=columns, synonyms=synonyms)


def _value(
    name: str, mark: Mark, example: str, finds: str, *, synonyms: tuple[str, ...] = ()
) -> Operator:
    return Operator(name, Kind.VALUE, example, finds, mark=mark, synonyms=synonyms)


OPERATORS: tuple[Operator, ...] = (
    _text("title", "title:folding", "words of the title", "title"),
    _text("author", 'author:"donald knuth"', "words of the authors' names", "author"),
    _text("editor", "editor:bibby", "words of the editors' names", "editor"),
    _text(
        *("creator", "creator:bibby", "words of anybody's name: authors, editors, translators..."),
        *("author", "editor", "creators"),
        synonyms=("name",),
    ),
    _text(
        *(
            "container",
            "journal:tugboat",
            "words of the journal, book, series or event",
            "container",
        ),
        synonyms=("journal", "booktitle", "series"),
    ),
    _text("abstract", "abstract:hyphenation", "words of the abstract", "abstract"),
    _text("note", 'note:"to read"', "words of notes and annotations", "note"),
    Operator(
        *("fulltext", Kind.FILE, 'fulltext:"line breaks"'),
        "words of attached files: PDFs, HTML pages and texts, as far as they are on this computer",
    ),
    Operator(
        *("year", Kind.YEARS, "year:2015..2020"),
        "the year of publication; also `2015`, `2015..`, `..2020`, `>2015`, `<=2020`",
    ),
    Operator(
        *("added", Kind.DAYS, "added:2026-11"),
        "when it came into the library; also `today`, `yesterday`, `7d` (the last seven days), "
        "`2026-11-01..2026-11-15`, `>=2026-11`",
        synonyms=("created", "dateadded"),
    ),
    Operator(
        *("modified", Kind.DAYS, "modified:7d"),
        "when it was last changed, written as for `added:`",
        synonyms=("changed", "datemodified"),
    ),
    _value(
        *("tag", Mark.TAG, 'tag:"to read"', "a whole tag"), synonyms=("tags", "keyword", "keywords")
    ),
    Operator(
        *("group", Kind.GROUP, "group:Thesis/Chapter"),
        "what is in a group: its name, its path or its id",
    ),
    Operator(
        *("type", Kind.TYPE, "type:article"),
        "a CSL type, and those that it begins: `article` finds `article-journal` too",
    ),
    Operator(
        *("has", Kind.FIELD, "has:file"), "references that have a field: `has:note`, `has:DOI`"
    ),
    Operator(
        *("is", Kind.STATE, "is:unread"),
        "`is:read`, `is:unread` (all that are not read), `is:conflict`",
    ),
    Operator(
        *("rating", Kind.NUMBERS, "rating:4..5"),
        "the rating; also `4`, `4..`, `>3`, and `none`",
        mark=Mark.RATING,
    ),
    _value("status", Mark.STATUS, "status:read", "the read status as it was written"),
    _value(
        *("key", Mark.KEY, "key:knuth1984*", "a citation key, also one from before a merge"),
        synonyms=("citekey", "citation-key"),
    ),
    _value("doi", Mark.DOI, "doi:10.1000/xyz", "a DOI, with or without https://doi.org/"),
    _value("isbn", Mark.ISBN, "isbn:0-201-13448-9", "an ISBN, with or without hyphens"),
    _value("issn", Mark.ISSN, "issn:0896-3207", "an ISSN"),
    _value("pmid", Mark.PMID, "pmid:12345678", "a PubMed id"),
    _value("pmcid", Mark.PMCID, "pmcid:PMC12345", "a PubMed Central id"),
    _value("url", Mark.URL, "url:tug.org*", "an address, with or without https://"),
)

BY_NAME: dict[str, Operator] = {
    name: operator for operator in OPERATORS for name in (operator.name, *operator.synonyms)
}

#: The states of ``is:``.
STATES = ("read", "unread", "conflict")

#: What ``has:`` calls a field that has another name.
HAS_NAMES = {
    "file": "files",
    "pdf": "files",
    "group": "groups",
    "year": "issued",
    "date": "issued",
    "journal": "container-title",
    "container": "container-title",
    "status": "read-status",
    "notes": "note",
    "annotations": "annotation",
}

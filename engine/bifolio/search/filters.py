"""Queries that a program makes, where no user typed the search language."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.records.folding import is_run_of_characters, words
from bifolio.records.terms import Mark, mark, year_range
from bifolio.search.query import NOTHING, All, Either, InFile, Marked, Not, Query, Text

#: The columns that hold who wrote a work and what it is called.
_NAMED = ("title", "author", "editor", "creators")

#: Whole values that a word may be, where it is looked for everywhere.
_VALUES = (Mark.KEY, Mark.DOI, Mark.ISBN, Mark.ISSN, Mark.PMID, Mark.PMCID, Mark.URL)


def with_words(text: str, *, everywhere: bool, in_files: bool = False) -> Query:
    """What has words that begin as those of a text: in titles, names and years, or everywhere.

    What is in quotes is one phrase.

    Args:
        in_files: in what files say, too.
    """
    parts: list[Query] = []
    for number, piece in enumerate(text.split('"')):
        for one in [piece] if number % 2 else piece.split():
            found = tuple(words(one))
            if not found:
                continue
            runs_on = not number % 2 and not is_run_of_characters(found[-1])
            columns = () if everywhere else _NAMED
            marks = [mark(kind, one) for kind in _VALUES] if everywhere and not number % 2 else ()
            part: Query = Text(found, prefix=runs_on, columns=columns, marks=tuple(marks))
            if in_files:
                part = Either((part, InFile(found, runs_on)))
            year = one.strip()
            if not number % 2 and year.isdecimal() and len(year) == 4:
                part = Either((part, *in_years(int(year), int(year))))
            parts.append(part)
    return all_of(parts)


def in_years(first: int, last: int) -> tuple[Query, ...]:
    """What was published from one year to another."""
    return tuple(Marked(one, prefix) for one, prefix in year_range(first, last))


def with_tag(name: str) -> Query:
    """What has a tag."""
    return Marked(mark(Mark.TAG, name))


def of_type(kind: str) -> Query:
    """What is of a CSL type."""
    return Marked(mark(Mark.TYPE, kind))


def in_group(group_id: str) -> Query:
    """The members of a group that is filled by hand."""
    return Marked(mark(Mark.GROUP, group_id))


def with_doi(doi: str) -> Query:
    """What has a DOI."""
    return Marked(mark(Mark.DOI, doi))


def all_of(parts: Sequence[Query]) -> Query:
    """What all of the parts find; everything where there are none."""
    if not parts:
        return Marked(mark(Mark.ANY))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def any_of(parts: Sequence[Query]) -> Query:
    """What any of the parts finds; nothing where there are none."""
    if not parts:
        return NOTHING
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def none_of(part: Query) -> Query:
    """What the part does not find."""
    return Not(part)

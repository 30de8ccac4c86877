"""Marks: what a search finds of a reference that is no word of its texts.

Each mark is one word of the index that nobody can type: U+E000, a letter for what it is about,
and the value as one word. The index holds them next to the texts, so that a whole query is one
expression over one index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

from bifolio.lazy import pattern
from bifolio.records.folding import one_word
from bifolio.records.notes import is_part

_BEGINNING = "\ue000"

#: Between two names and two tags: a phrase never runs from one into the next.
BOUNDARY = _BEGINNING

#: Years are written as five digits from the year -10000 on, so that their order is that of
#: numbers; what lies outside is put at the ends.
_YEAR_OFFSET = 10_000
_YEAR_LAST = 99_999
_YEAR_DIGITS = 5

_RESOLVER = pattern(r"^(?:https?://)?(?:dx\.)?doi\.org/|^doi:\s*", re.IGNORECASE)
_SCHEME = pattern(r"^[a-z][a-z0-9+.-]*://(?:www\.)?", re.IGNORECASE)


class Mark(StrEnum):
    """What a mark is about."""

    ANY = "a"
    TAG = "t"
    GROUP = "g"
    YEAR = "y"
    TYPE = "c"
    KEY = "k"
    DOI = "d"
    ISBN = "b"
    ISSN = "s"
    PMID = "p"
    PMCID = "m"
    URL = "u"
    RATING = "r"
    STATUS = "e"
    HAS = "h"
    CONFLICT = "x"


def mark(kind: Mark, value: str = "") -> str:
    """The word in the index that stands for a value."""
    return _BEGINNING + kind + one_word(normalize(kind, value))


def _remembering(kind: Mark, *, count: int) -> Callable[[str], str]:
    """The marks of one kind, so many of them remembered."""
    return lru_cache(maxsize=count)(partial(mark, kind))


#: For values that many references share: fields, types, tags, groups. An import makes some
#: twenty marks of each reference, most of them these.
_SHARED_COUNT = 10_000
#: For values of one reference: its marks before an edit are those after it.
_OWN_COUNT = 64

_any_mark = _remembering(Mark.ANY, count=1)
_type_mark = _remembering(Mark.TYPE, count=_SHARED_COUNT)
_key_mark = _remembering(Mark.KEY, count=_OWN_COUNT)


@lru_cache(maxsize=10_000)
def _field_mark(name: str) -> str:
    """The mark of having a field; any part of any note is the note."""
    return mark(Mark.HAS, name.partition(":")[0] if is_part(name) else name)


def normalize(kind: Mark, value: str) -> str:
    """The value as it is compared: identifiers without the ways of writing them."""
    value = value.strip()
    if kind is Mark.DOI:
        return _RESOLVER.sub("", value)
    if kind in (Mark.ISBN, Mark.ISSN):
        return re.sub(r"[^0-9Xx]", "", value)
    if kind is Mark.URL:
        return _SCHEME.sub("", value).rstrip("/")
    return value


def year_mark(year: int) -> str:
    """The mark of a year."""
    return _BEGINNING + Mark.YEAR + _year_digits(year)


def year_range(low: int | None, high: int | None) -> list[tuple[str, bool]]:
    """The marks of the years of a range; True where all that begin so are meant.

    2015 to 2020 are the words 12015 to 12019 and 12020, 2000 to 2029 the beginnings 1200, 1201
    and 1202: a range is some forty of them at most.
    """
    first = 0 if low is None else int(_year_digits(low))
    last = _YEAR_LAST if high is None else int(_year_digits(high))
    found = []
    while first <= last:
        zeros = 0
        while first % 10 ** (zeros + 1) == 0 and first + 10 ** (zeros + 1) - 1 <= last:
            if zeros + 1 == _YEAR_DIGITS:
                break
            zeros += 1
        digits = f"{first:0{_YEAR_DIGITS}d}"[: _YEAR_DIGITS - zeros]
        found.append((_BEGINNING + Mark.YEAR + digits, zeros > 0))
        first += 10**zeros
    return found


def marks_of(
    *,
    key: str,
    type: str,
    fields: Mapping[str, Any],
    columns: Sequence[str],
    year: int | None,
    in_conflict: bool,
) -> Iterator[str]:
    """Every mark of a reference.

    Args:
        fields: its CSL-JSON fields.
        columns: the fields that it has next to them (``title``, ``note``...).
    """
    yield _any_mark("")
    yield _type_mark(type)
    for one in (key, *_texts(fields.get("citation-key-aliases"))):
        if one:
            yield _key_mark(one)
    for name, value_mark in _VALUE_MARKS:
        if (value := fields.get(name)) is not None:
            yield from map(value_mark, _texts(value))
    if year is not None:
        yield year_mark(year)
    if in_conflict:
        yield mark(Mark.CONFLICT)
    yield from map(_field_mark, columns)
    yield from map(_field_mark, [name for name, value in fields.items() if value])


#: The fields of which each value is a mark.
VALUES: tuple[tuple[Mark, str], ...] = (
    (Mark.TAG, "tags"),
    (Mark.GROUP, "groups"),
    (Mark.DOI, "DOI"),
    (Mark.ISBN, "ISBN"),
    (Mark.ISSN, "ISSN"),
    (Mark.PMID, "PMID"),
    (Mark.PMCID, "PMCID"),
    (Mark.URL, "URL"),
    (Mark.RATING, "rating"),
    (Mark.STATUS, "read-status"),
)
_SHARED = (Mark.TAG, Mark.GROUP, Mark.ISSN, Mark.RATING, Mark.STATUS)
_VALUE_MARKS = tuple(
    (name, _remembering(kind, count=_SHARED_COUNT if kind in _SHARED else _OWN_COUNT))
    for kind, name in VALUES
)


def _texts(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return (value,)
    return [str(one) for one in value] if isinstance(value, list | tuple) else ()


def _year_digits(year: int) -> str:
    shifted = min(max(year + _YEAR_OFFSET, 0), _YEAR_LAST)
    return f"{shifted:0{_YEAR_DIGITS}d}"

"""How alike two references are, and why: 100 is one work by every sign.

An identifier that both carry decides nearly alone. Otherwise the title counts, and everything that
speaks against it lowers the score: another year, first author, volume, page, edition, kind of
work. Works of one title, year and author that differ in volume, pages or number are different
works: a yearly report, letters to an editor, parts of a series.

Pure; the only user of rapidfuzz.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz import fuzz

from bifolio.records.folding import words
from bifolio.records.terms import Mark, normalize

#: A title under this similarity is another title, whatever else agrees.
TITLE_MIN: Final = 75.0

#: What the signs against cost, in points of a hundred.
_COSTS: Final = {
    "year": 25,
    "year by one": 4,
    "first author": 35,
    "first author missing": 6,
    "year missing": 4,
    "volume": 25,
    "issue": 30,
    "page": 30,
    "page of many": 12,
    "number": 25,
    "edition": 30,
    "date": 15,
    "container": 20,
    "type": 25,
    "numbers in the title": 45,
}

#: A title of so many words is no heading of a column.
_TELLING_WORDS: Final = 6

#: No more than this where both carry another identifier of one kind.
_OTHER_IDENTIFIER_MOST: Final = 60.0
#: One identifier but another title: chapters with the DOI or the ISBN of their book.
_OTHER_TITLE_MOST: Final = 70.0

#: Kinds of work that are never one another; what is in no kind may be anything.
_KINDS: Final = {
    "article": "article article-journal article-magazine article-newspaper review review-book",
    "book": "book classic collection periodical",
    "part": "chapter entry entry-dictionary entry-encyclopedia",
    "paper": "paper-conference speech event",
    "thesis": "thesis",
    "patent": "patent",
    "report": "report standard",
    "software": "software dataset",
    "film": "motion_picture broadcast song musical_score",
}
_KIND_OF: Final = {one: kind for kind, many in _KINDS.items() for one in many.split()}

#: Kinds that tools call by one another's name: a paper is an article in one, a chapter in another.
_NEAR: Final = (
    {"article", "paper"},
    {"part", "paper"},
    {"report", "book"},
    {"report", "article"},
    {"book", "paper"},
)

_ROMAN: Final = re.compile(r"[ivx]{1,5}")
_ARXIV: Final = re.compile(r"(?:arxiv[:/ ]\s*|abs/)(\d{4}\.\d{4,5}|[a-z-]+/\d{7})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a reference tells works apart, ready to be compared."""

    id: str
    title: str
    title_words: tuple[str, ...]
    numbers: tuple[str, ...]
    year: int | None
    date: tuple[int, ...]
    authors: tuple[str, ...]
    kind: str
    volume: str
    issue: str
    page: str
    number: str
    edition: str
    container: tuple[str, ...]
    identifiers: frozenset[tuple[str, str]]
    isbns: frozenset[str]

    @classmethod
    def of(
        cls, record_id: str, *, type: str, title: str, year: int | None, fields: Mapping[str, Any]
    ) -> Traits:
        """The traits of a reference.

        Args:
            title: as it is shown.
            fields: its CSL-JSON fields.
        """
        found = tuple(words(title))
        return cls(
            id=record_id,
            title=" ".join(found),
            title_words=found,
            numbers=tuple(sorted(one for one in found if one.isdigit() or _ROMAN.fullmatch(one))),
            year=year,
            date=_date(fields.get("issued")),
            authors=tuple(_families(fields)),
            kind=_KIND_OF.get(type, ""),
            volume=_plain(fields.get("volume")),
            issue=_plain(fields.get("issue")),
            page=_first_page(fields),
            number=_plain(fields.get("number")),
            edition=_plain(fields.get("edition")),
            container=tuple(words(_text(fields.get("container-title")))),
            identifiers=frozenset(_identifiers(fields)),
            isbns=frozenset(
                normalize(Mark.ISBN, one).upper() for one in _as_list(fields.get("ISBN"))
            ),
        )


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two references are, and why, in words."""

    score: float
    why: tuple[str, ...]


def may_reach(one: Traits, other: Traits, score: float) -> bool:
    """Whether two references can be this much alike, by what costs next to nothing to see.

    Most pairs of a block are not: it takes a fifth of the time of comparing them.
    """
    if one.identifiers & other.identifiers or one.isbns & other.isbns:
        return True
    least = 0
    if one.numbers != other.numbers and len(one.title_words) == len(other.title_words):
        least += _COSTS["numbers in the title"]
    if one.year is not None and other.year is not None and abs(one.year - other.year) > 1:
        least += _COSTS["year"]
    for name in ("volume", "issue"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and mine != theirs:
            least += _COSTS[name]
    return 100 - least >= score


def compare_works(one: Traits, other: Traits) -> Similarity:
    """Compare two references."""
    title = _title_likeness(one, other)
    why = [f"title {title:.0f} %" if title < 100 else "same title"]
    score = title
    for sign in _against(one, other):
        score -= _COSTS[sign if sign != "page" or not _is_telling(one, other) else "page of many"]
        why.append(_AGAINST.get(sign, f"another {sign}"))
    why += _agreements(one, other)
    shared = one.identifiers & other.identifiers
    if shared:
        named = ", ".join(sorted(f"same {kind}" for kind, _ in shared))
        most = 100.0 if title >= TITLE_MIN or not (one.title and other.title) else _OTHER_TITLE_MOST
        lowered = max(min(score, 100.0), 99.0 if most == 100.0 else most)
        return Similarity(min(lowered, most), (named, *why))
    if title < TITLE_MIN:
        return Similarity(max(score - 20, 0.0), tuple(why))
    if one.isbns & other.isbns and one.kind == other.kind and one.kind != "part":
        score = max(score, min(95.0, score + 20))
        why.insert(0, "same ISBN")
    if others := _differing_identifiers(one, other):
        score = min(score, _OTHER_IDENTIFIER_MOST)
        why += [f"another {kind}" for kind in others]
    return Similarity(max(min(score, 100.0), 0.0), tuple(why))


_AGAINST: Final = {
    "year by one": "year differs by one",
    "first author missing": "first author missing in one",
    "year missing": "year missing in one",
    "numbers in the title": "other numbers in the title",
    "type": "another kind of work",
}


def _title_likeness(one: Traits, other: Traits) -> float:
    if one.title == other.title:
        return 100.0 if one.title else 0.0
    if one.title.replace(" ", "") == other.title.replace(" ", ""):
        return 100.0
    alike = fuzz.ratio(one.title, other.title)
    # A title without its subtitle, where what is there says enough.
    shorter, longer = sorted((one.title_words, other.title_words), key=len)
    if len(shorter) >= 4 and longer[: len(shorter)] == shorter:
        alike = max(alike, 92.0)
    return alike


def _against(one: Traits, other: Traits) -> Iterator[str]:
    """The signs that these are two works."""
    if one.numbers != other.numbers and len(one.title_words) == len(other.title_words):
        yield "numbers in the title"
    yield from _against_by_year(one, other)
    yield from _against_by_author(one, other)
    for name in ("volume", "issue", "page", "number", "edition"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and mine != theirs:
            yield name
    if one.container and other.container and not _one_container(one.container, other.container):
        yield "container"
    kinds = {one.kind, other.kind} - {""}
    if len(kinds) == 2 and kinds not in _NEAR:
        yield "type"


def _is_telling(one: Traits, other: Traits) -> bool:
    """Whether title, author and volume say so much that a page may be another tool's way of
    counting: 1-15 of an article that has a number."""
    return (
        len(one.title_words) >= _TELLING_WORDS
        and one.title == other.title
        and one.authors[:1] == other.authors[:1] != ()
        and one.volume == other.volume != ""
    )


def _against_by_year(one: Traits, other: Traits) -> Iterator[str]:
    if one.year is None or other.year is None:
        if one.year != other.year:
            yield "year missing"
    elif abs(one.year - other.year) == 1:
        yield "year by one"
    elif one.year != other.year:
        yield "year"
    elif any(mine != theirs for mine, theirs in zip(one.date[1:], other.date[1:], strict=False)):
        yield "date"


def _against_by_author(one: Traits, other: Traits) -> Iterator[str]:
    if not one.authors or not other.authors:
        if one.authors or other.authors:
            yield "first author missing"
    elif not _one_name(one.authors[0], other.authors[0]) and not (
        {one.authors[0], other.authors[0]} <= set(one.authors) & set(other.authors)
    ):
        yield "first author"


def _one_name(mine: str, theirs: str) -> bool:
    """Whether two family names may be one: a particle, a hyphen or a letter apart."""
    return (
        mine == theirs
        or fuzz.ratio(mine, theirs) >= 85
        or bool(set(mine.split()) & set(theirs.split()))
    )


def _agreements(one: Traits, other: Traits) -> Iterator[str]:
    if one.year is not None and one.year == other.year:
        yield "year equal"
    if one.authors and other.authors and _one_name(one.authors[0], other.authors[0]):
        yield "first author equal"
    for name in ("volume", "page"):
        if getattr(one, name) and getattr(one, name) == getattr(other, name):
            yield f"{name} equal"


def _differing_identifiers(one: Traits, other: Traits) -> list[str]:
    """The kinds of identifier of which both carry one, and not the same."""
    mine = {kind for kind, _ in one.identifiers}
    theirs = {kind for kind, _ in other.identifiers}
    return sorted(mine & theirs)


def _one_container(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether two journals' names may be one: alike, one inside the other, or abbreviated."""
    if fuzz.token_set_ratio(" ".join(mine), " ".join(theirs)) >= 85:
        return True
    shorter, longer = sorted((mine, theirs), key=lambda one: len("".join(one)))
    if len(shorter) == 1 and shorter[0] == "".join(word[0] for word in longer if len(word) > 3):
        return True
    # Each word of an abbreviation begins a word of the whole, in order.
    remaining = iter(longer)
    return all(any(word.startswith(short) for word in remaining) for short in shorter)


def _families(fields: Mapping[str, Any]) -> Iterator[str]:
    for role in ("author", "editor"):
        names = fields.get(role)
        if isinstance(names, list) and names:
            for name in names:
                if isinstance(name, dict):
                    given = str(name.get("family") or name.get("literal") or "")
                    folded = " ".join(words(given))
                    if folded:
                        yield folded
            return


def _first_page(fields: Mapping[str, Any]) -> str:
    page = _text(fields.get("page")) or _text(fields.get("article-number"))
    found = words(page)
    return found[0].lstrip("0") if found else ""


def _date(issued: object) -> tuple[int, ...]:
    parts = issued.get("date-parts") if isinstance(issued, dict) else None
    return tuple(parts[0]) if isinstance(parts, list) and parts else ()


def _identifiers(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, name in ((Mark.DOI, "DOI"), (Mark.PMID, "PMID"), (Mark.PMCID, "PMCID")):
        value = normalize(kind, _text(fields.get(name))).lower().rstrip(".")
        if value:
            yield name, value
    for name in ("URL", "archive_location", "number", "note"):
        for text in (_text(fields.get(name)), *_as_list(fields.get(name))):
            if found := _ARXIV.search(text):
                yield "arXiv id", found.group(1).lower()


def _plain(value: object) -> str:
    return " ".join(words(_text(value))).lstrip("0")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_list(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []

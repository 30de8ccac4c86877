"""Searches against an oracle: any query over any references finds exactly what reading each
reference in turn finds.

The oracle knows the words of each text, because it made them; it shares no code with the parser,
the folding or the index.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.examples import examples
from tests.unit.replica.builders import Computer, owner_of_a_library

from bifolio.document import groups as group_documents
from bifolio.library.groups import Groups
from bifolio.records.names import Name
from bifolio.records.reference import Values
from bifolio.records.sorting import Order, Sort
from bifolio.search.search import Searches

#: Each word as it may be written in a text, and as the oracle compares it.
WORDS = {
    "paper": ("paper", "Paper", "PAPER,"),
    "papers": ("papers", "Papers."),
    "papier": ("papier", "(Papier)"),
    "ink": ("ink", "Ink;"),
    "inks": ("inks",),
    "the": ("the", "The"),
    "muller": ("Müller", "muller", "Mu\u0308ller"),
    "strasse": ("Straße", "strasse"),
    "学": ("学",),
    "习": ("习",),
    "2015": ("2015",),
    "x": ("x", "X"),
}
TAGS = ("To read", "thesis", "C++", "C", "théâtre", "Thesis two")
TYPES = ("article-journal", "article", "book", "webpage")
TEXTS = ("title", "abstract", "note", "container")
REFERENCES = 60

Predicate = Callable[["Work"], bool]


@dataclass
class Work:
    """A reference as the oracle sees it: words by text, and values."""

    texts: dict[str, list[list[str]]]
    type: str
    year: int | None
    tags: set[str]
    groups: set[str]
    key: str
    rating: str | None
    read: bool
    values: Values = field(default_factory=dict)

    def runs(self, *names: str) -> Iterator[list[str]]:
        """The runs of words in which a phrase may stand."""
        for name in names or tuple(self.texts):
            yield from self.texts.get(name, [])


def draw_text(draw: random.Random, most: int) -> tuple[str, list[str]]:
    chosen = [draw.choice(list(WORDS)) for _ in range(draw.randint(1, most))]
    written = " ".join(draw.choice(WORDS[word]) for word in chosen)
    return written, chosen


def make_work(draw: random.Random, number: int) -> Work:
    values: Values = {"citation-key": f"key{number}", "type": draw.choice(TYPES)}
    texts: dict[str, list[list[str]]] = {}
    names = {
        "title": "title",
        "abstract": "abstract",
        "note": "note",
        "container": "container-title",
    }
    for name in TEXTS:
        if name == "title" or draw.random() < 0.5:
            values[names[name]], words = draw_text(draw, 6)
            texts[name] = [words]
    for role in ("author", "editor"):
        people = []
        for _ in range(draw.randint(0, 2)):
            family, given = draw.choice(("Müller", "Paper", "Ink")), draw.choice(("Jo", "The"))
            people.append(Name(family, given))
            folded = {"Müller": "muller", "Paper": "paper", "Ink": "ink", "Jo": "jo", "The": "the"}
            names_around = [folded[family], folded[given], folded[family]]
            texts.setdefault(role, []).append(names_around)
        if people:
            values[role] = tuple(people)
    tags = {tag for tag in TAGS if draw.random() < 0.25}
    if tags:
        values["tags"] = tuple(sorted(tags))
        texts["tags"] = [_tag_words(tag) for tag in tags]
    year = draw.choice((None, -44, 1999, 2014, 2015, 2016, 2020))
    if year is not None:
        values["issued"] = {"date-parts": [[year]]}
    rating = draw.choice((None, "0", "3", "5"))
    if rating is not None:
        values["rating"] = rating
    read = draw.random() < 0.5
    if read:
        values["read-status"] = "read"
    groups = {name for name in ("Red", "Blue") if draw.random() < 0.4}
    return Work(
        *(texts, str(values["type"]), year, {tag.lower() for tag in tags}, groups),
        *(f"key{number}", rating, read, values),
    )


def _tag_words(tag: str) -> list[str]:
    return tag.lower().replace("é", "e").replace("â", "a").replace("+", "").split()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Computer, dict[str, Work]]:
    """A library of random references, and what the oracle knows of each."""
    office = owner_of_a_library(tmp_path_factory.mktemp("oracle"))
    groups = Groups(office.replica)
    ids = {name: groups.create(name).id for name in ("Red", "Blue")}
    draw = random.Random(2026)
    works = {f"{number:032x}": make_work(draw, number) for number in range(REFERENCES)}
    for record_id, work in works.items():
        office.adds(record_id, work.values)
        for name in sorted(work.groups):
            put_in(office, record_id, ids[name])
    for record_id in list(works)[:5]:
        office.deletes(record_id)
        del works[record_id]
    groups.create("Smart", query="group:Red (paper OR year:2015)")
    return office, works


def put_in(office: Computer, record_id: str, group: str) -> None:
    office.commits(record_id, lambda plan, entries: group_documents.plan_add(plan, entries, group))


# --- queries, each with what it means to the oracle -------------------------------------------


def has_run(runs: Iterator[list[str]], words: list[str], *, prefix: bool) -> bool:
    """Whether the words stand in a row in one of the runs."""
    return any(
        run[start : start + len(words) - 1] == words[:-1]
        and start + len(words) <= len(run)
        and (
            run[start + len(words) - 1].startswith(words[-1])
            if prefix
            else run[start + len(words) - 1] == words[-1]
        )
        for run in runs
        for start in range(len(run))
    )


@st.composite
def words_terms(draw: st.DrawFn) -> tuple[str, Predicate]:
    column = draw(st.sampled_from(("", "title", "author", "editor", "abstract", "note", "journal")))
    text = {"journal": "container"}.get(column, column)
    places = (text,) if text else ()
    before = f"{column}:" if column else ""
    if draw(st.booleans()):
        word = draw(st.sampled_from(list(WORDS)))
        cut = draw(st.integers(1, len(word)))
        star = draw(st.booleans())
        typed = word[:cut]
        prefix = star or (len(typed) >= 4)
        exact = len(typed) == 1 and typed in "学习"
        query = f"{before}{typed}{'*' * star}"
        return query, lambda work: has_run(
            work.runs(*places), [typed], prefix=prefix and not (exact and not star)
        )
    words = draw(st.lists(st.sampled_from(list(WORDS)), min_size=1, max_size=3))
    return f'{before}"{" ".join(words)}"', lambda work: has_run(
        work.runs(*places), words, prefix=False
    )


@st.composite
def years(draw: st.DrawFn) -> tuple[str, Predicate]:
    low = draw(st.none() | st.sampled_from((-50, 1999, 2014, 2015, 2020)))
    high = draw(st.none() | st.sampled_from((-44, 1999, 2015, 2016, 2030)))
    if low is None and high is None:
        return "has:year", lambda work: work.year is not None
    text = f"{'' if low is None else low}..{'' if high is None else high}"
    return (
        f"year:{text}",
        lambda work: (
            work.year is not None
            and (low is None or low <= work.year)
            and (high is None or work.year <= high)
        ),
    )


VALUES: Mapping[str, Predicate] = {
    "tag:thesis": lambda work: "thesis" in work.tags,
    "tag:THES*": lambda work: any(tag.startswith("thes") for tag in work.tags),
    'tag:"to read"': lambda work: "to read" in work.tags,
    "tag:c": lambda work: "c" in work.tags,
    "tag:C++": lambda work: "c++" in work.tags,
    "tag:theatre": lambda work: "théâtre" in work.tags,
    "has:tag": lambda work: bool(work.tags),
    "group:Red": lambda work: "Red" in work.groups,
    "group:Blue": lambda work: "Blue" in work.groups,
    "group:Smart": lambda work: (
        "Red" in work.groups and (has_run(work.runs(), ["paper"], prefix=True) or work.year == 2015)
    ),
    "type:article": lambda work: work.type.startswith("article"),
    'type:"article"': lambda work: work.type == "article",
    "type:book": lambda work: work.type == "book",
    "has:note": lambda work: "note" in work.texts,
    "has:editor": lambda work: "editor" in work.texts,
    "is:read": lambda work: work.read,
    "is:unread": lambda work: not work.read,
    "rating:3..": lambda work: work.rating in ("3", "5"),
    "rating:none": lambda work: work.rating is None,
    "key:key7": lambda work: work.key == "key7",
    "key:key1*": lambda work: work.key.startswith("key1"),
    "KEY12": lambda work: work.key == "key12",
}


def joined(
    children: st.SearchStrategy[tuple[str, Predicate]],
) -> st.SearchStrategy[tuple[str, Predicate]]:
    return st.one_of(
        children.map(lambda one: (f"-({one[0]})", lambda work: not one[1](work))),
        st.lists(children, min_size=2, max_size=3).map(
            lambda many: (
                " ".join(f"({query})" for query, _ in many),
                lambda work: all(fits(work) for _, fits in many),
            )
        ),
        st.lists(children, min_size=2, max_size=3).map(
            lambda many: (
                "(" + " OR ".join(f"({query})" for query, _ in many) + ")",
                lambda work: any(fits(work) for _, fits in many),
            )
        ),
    )


queries = st.recursive(
    words_terms() | years() | st.sampled_from(sorted(VALUES.items(), key=lambda one: one[0])),
    joined,
    max_leaves=6,
)


@settings(max_examples=examples(150), deadline=None)
@given(
    query=queries, order=st.sampled_from(Order), descending=st.booleans(), most=st.integers(1, 9)
)
def test_a_search_finds_just_what_reading_every_reference_finds(
    library: tuple[Computer, dict[str, Work]],
    query: tuple[str, Predicate],
    order: Order,
    descending: bool,
    most: int,
) -> None:
    office, works = library
    text, fits = query
    sort = Sort(order, descending=descending)
    found = [row.id for row in Searches(office.replica).rows(text, sort=sort)]
    assert sorted(found) == sorted(one for one, work in works.items() if fits(work))
    assert Searches(office.replica).count(text) == len(found)
    first = [row.id for row in Searches(office.replica).rows(text, sort=sort, most=most)]
    assert first == found[:most]

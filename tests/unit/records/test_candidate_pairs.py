"""Which pairs are compared at all."""

from __future__ import annotations

import random
import re
from pathlib import Path

from bifolio import limits
from bifolio.records.candidate_pairs import candidates
from bifolio.records.similarity import Traits, compare_works

#: Real ones, of the demo's bibliography, among them many alike.
TITLES = re.findall(
    r"(?m)^  title = \{(.{12,90})\},$",
    (
        Path(__file__).parents[3] / "cli" / "bifolio_cli" / "demo" / "libraries" / "typography.bib"
    ).read_text(encoding="utf-8"),
)[:200]


def work(number: int, title: str, *, author: str = "Doe", year: int = 2000, **more: str) -> Traits:
    fields = {"author": [{"family": author}], "issued": {"date-parts": [[year]]}, **more}
    return Traits.of(f"{number:032x}", type="book", title=title, year=year, fields=fields)


def pairs(*works: Traits) -> set[tuple[int, int]]:
    found = list(candidates(works))
    assert len(found) == len(set(found))
    return set(found)


def test_titles_that_differ_in_one_place_are_compared() -> None:
    title = "the history of printing types in northern europe"
    for place in range(0, len(title), 5):
        changed = title[:place] + "x" + title[place + 1 :]
        assert pairs(work(1, title), work(2, changed)) == {(0, 1)}, changed


def test_one_identifier_or_one_place_in_a_volume_is_enough() -> None:
    assert pairs(work(1, "Ink", DOI="10.1/a"), work(2, "Tinte", DOI="10.1/A")) == {(0, 1)}
    one, other = (work(n, t, volume="7", page="3-9") for n, t in ((1, "Ink"), (2, "Tinte")))
    assert pairs(one, other) == {(0, 1)}
    assert pairs(work(1, "Ink"), work(2, "Tinte")) == set()


def test_a_title_of_many_is_compared_among_one_author_and_year_only() -> None:
    count = 3 * limits.DUPLICATE_BLOCK_MAX
    works = [work(n, "Letters", author=f"Author{n // 2}", year=n) for n in range(count)]
    assert pairs(*works) == set()
    works = [work(n, "Letters", author=f"Author{n // 2}") for n in range(count)]
    assert pairs(*works) == {(n, n + 1) for n in range(0, count, 2)}


def test_a_title_with_one_wrong_letter_is_compared_with_the_right_one() -> None:
    draw = random.Random(7)
    works: list[Traits] = []
    for title in TITLES:
        author, year = f"A{draw.randrange(5)}", draw.randrange(1990, 1993)
        works.append(work(len(works), title, author=author, year=year))
        place = draw.randrange(len(title))
        changed = title[:place] + "x" + title[place + 1 :]
        works.append(work(len(works), changed, author=author, year=year))
    wanted = {
        (index, index + 1)
        for index in range(0, len(works), 2)
        if compare_works(works[index], works[index + 1]).score >= 85
        and len(works[index].title) > 15
    }
    assert len(wanted) > len(TITLES) // 2
    assert wanted <= pairs(*works)

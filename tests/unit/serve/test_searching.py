"""What a search finds, in every order: sorted by ranks kept in memory as the database sorts it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.serving import serving

from bifolio import Library, limits
from bifolio.home import Home
from bifolio.library.windows import Windows
from bifolio.records.edits import Act, Edit
from bifolio.search import filters
from bifolio.serve.parameters import SORTS
from bifolio.serve.served_library import ServedLibrary
from bifolio.storage import index
from bifolio.storage.ranks import Ranks

COUNT = 90


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """References of few titles, names and years, so that many are equal, and some without any."""
    folder = tmp_path_factory.mktemp("library")
    chance = random.Random(14)
    lines = []
    for number in range(COUNT):
        fields = [f"abstract = {{{chance.choice(['alpha', 'alpha beta', 'beta'])} paper}}"]
        if chance.random() < 0.8:
            fields.append(f"title = {{{chance.choice('XYZ')} title}}")
        if chance.random() < 0.8:
            fields.append(f"author = {{{chance.choice(['Doe, A', 'Roe, B'])}}}")
        if chance.random() < 0.8:
            fields.append(f"year = {{{chance.choice([1990, 1991, 2000])}}}")
        lines.append(f"@misc{{k{number}, {', '.join(fields)}}}")
    (folder / "a.bib").write_text("\n".join(lines))
    with Library.create(folder / "A.bifolio", home=Home(folder / "home")) as opened:
        opened.import_files([folder / "a.bib"])
        rows = list(opened.list())
        for one in chance.sample(rows, 20):
            opened.edit(one.id, [Edit("note", Act.SET, ("edited",))])
        opened.delete([one.id for one in chance.sample(rows, 8)])
        yield opened


@pytest.mark.parametrize("way", ["", "-"])
@pytest.mark.parametrize("name", SORTS.values())
@pytest.mark.parametrize("words", ["paper", "alpha", "beta", "edited", "title", "nothing"])
def test_ranks_sort_as_the_database_does(
    library: Library, monkeypatch: pytest.MonkeyPatch, words: str, name: str, way: str
) -> None:
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
    served = ServedLibrary(library, group=None)
    query, sort = filters.with_words(words, everywhere=True), way + name
    found = served.windows.matching(query)
    wanted = served.windows.order(query, sort=sort)
    assert len(found) == len(wanted) == served.windows.count(query)
    for most in (None, 1, 7, COUNT):
        assert served.ranks.in_order(list(found), sort=sort, most=most) == wanted[:most]
    assert served.ranks.is_wanted == bool(found)
    while served.ranks.is_wanted:
        served.ranks.make_next()

    def refuse(*_: object, **__: object) -> list[int]:
        raise AssertionError("nothing is read for an order that is there")

    monkeypatch.setattr(served.windows, "in_order", refuse)
    for most in (None, 1, 7, COUNT):
        if found:
            assert served.ranks.in_order(list(found), sort=sort, most=most) == wanted[:most]


@pytest.mark.parametrize("way", ["", "-"])
@pytest.mark.parametrize("name", SORTS.values())
def test_many_are_found_in_an_order_by_walking_through_all(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    windows = Windows(library)
    query, sort = filters.with_words("paper", everywhere=True), way + name
    found, wanted = windows.matching(query), windows.order(query, sort=sort)
    monkeypatch.setattr(index, "_SORTED_MAX", 0)
    for most in (None, 1, 7, COUNT):
        assert windows.in_order(list(found), sort=sort, most=most) == wanted[:most]


def test_a_reference_without_a_rank_is_noticed() -> None:
    ranks = Ranks([5, 2, 9])
    assert ranks.first([9, 5], None) == [5, 9]
    assert ranks.first([], 3) == []
    assert ranks.first([2, 3], None) is None
    assert ranks.first([2, 10], None) is None
    assert Ranks.of([1, 10**9]) is None


def test_an_order_in_memory_is_forgotten_with_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
    monkeypatch.setattr(limits, "SERVE_QUIET_S", 0)
    home, path = Home(tmp_path / "home"), tmp_path / "A.bifolio"
    with Library.create(path, home=home) as library:
        ids = [library.add({"title": f"{one} word", "type": "book"}).id for one in "cab"]
        with serving(path, home) as running:

            def found() -> list[str]:
                answer = running.get("items/top?q=word&sort=title")
                assert answer.headers["total-results"] == str(len(answer.json))
                return [one["data"]["title"][0] for one in answer.json]

            for letter in "xyz":
                found()
                _wait_for_ranks(running.server)
                titles = sorted(found())
                library.edit(ids[0], [Edit("title", Act.SET, (f"{letter} word",))])
                assert found() == sorted([*titles[:2], letter])
            library.delete([ids[1]])
            assert found() == ["b", "z"]
            library.add({"title": "aa word", "type": "book"})
            assert found() == ["a", "b", "z"]


def _wait_for_ranks(server: object) -> None:
    served = server._libraries.main._served  # type: ignore[attr-defined]
    until = time.monotonic() + 20
    while served.has_work:
        assert time.monotonic() < until
        time.sleep(0.01)

"""What a search finds, in every order: sorted by ranks kept in memory as the database sorts it,
whatever is written meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.support.serving import serving

from bifolio import Library, limits
from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.library.windows import Windows
from bifolio.records.edits import Act, Edit
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.search import filters
from bifolio.serve.parameters import SORTS
from bifolio.serve.served_library import ServedLibrary
from bifolio.storage import index, ranks_in_pieces
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
    make_all(served)

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
    assert ranks.first([9, 5], None) == ([5, 9], [])
    assert ranks.first([], 3) == ([], [])
    assert ranks.first([2, 3, 9], None) == ([2, 9], [3])
    assert ranks.first([2, 10, 5], 1) == ([5], [10])
    ranks.forget([2, 30])
    assert ranks.first([2, 5, 9, 30], None) == ([5, 9], [2, 30])
    assert ranks.first([30], 1) == ([], [30])
    assert Ranks.are_compact(3, 30)
    assert not Ranks.are_compact(3, 10**6)


def test_numbers_that_are_far_apart_fill_no_memory(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are sorted by the database, and nobody tries again with each search."""
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
    monkeypatch.setattr(index.SearchIndex, "spread", lambda _: (COUNT, 10**9))
    served, query = ServedLibrary(library, group=None), filters.with_words("paper", everywhere=True)
    found, wanted = [*served.windows.matching(query)], served.windows.order(query, sort="title")
    for _ in range(2):
        assert served.ranks.in_order(found, sort="title", most=None) == wanted
        make_all(served)
    assert not served.ranks.is_wanted


@pytest.mark.parametrize("count", [1, 2, 199, 1000, 5000])
@pytest.mark.parametrize("most", [1, 7, 25, 100])
def test_the_first_of_many_are_those_that_sorting_all_gives(count: int, most: int) -> None:
    """In an order that is mixed, in the order of the numbers, in the opposite, and where those at
    equal distances are the last."""
    numbers, chance = list(range(1, count + 1)), random.Random(count)
    mixed = chance.sample(numbers, count)
    comb = sorted(numbers, key=lambda one: (one % 5 == 1, one))
    for order in (mixed, numbers, numbers[::-1], comb):
        ranks = Ranks(order)
        for found in (numbers, numbers[::3]):
            there = set(found)
            wanted = [one for one in order if one in there][:most]
            assert ranks.first(found, most) == (wanted, [])
            gone = found[:: max(len(found) // 7, 1)]
            ranks.forget(gone)
            there -= set(gone)
            left = [one for one in order if one in there][:most]
            assert ranks.first(found, most) == (left, gone)
            ranks = Ranks(order)


@pytest.mark.parametrize("name", SORTS.values())
def test_writes_leave_the_ranks_of_what_they_do_not_touch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever is written, by whoever: what is found is in the order that the database gives, and
    of what nobody touched nothing is looked up again."""
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
    home, path = Home(tmp_path / "home"), tmp_path / "A.bifolio"
    chance, query = random.Random(name), filters.with_words("word", everywhere=True)
    with Library.create(path, home=home) as library, Library.open(path, home=home) as other:
        for number in range(60):
            library.add(_made(chance, number))
        served = ServedLibrary(library, group=None)
        looked_up: list[int] = []
        sort_few = served.windows.in_order

        def count(numbers: Collection[int], **how: Any) -> list[int]:
            looked_up.append(len(numbers))
            return sort_few(numbers, **how)

        monkeypatch.setattr(served.windows, "in_order", count)
        for sort in (name, "-" + name):
            served.catch_up()
            served.ranks.in_order(list(served.windows.matching(query)), sort=sort, most=5)
        make_all(served)
        for turn in range(40):
            _write(chance, chance.choice((library, other)), turn)
            if turn == 20:  # which numbers all of them anew
                library.delete([one.id for one in library.list(sort=name, limit=9)])
                library.trash.empty()
                with library._replica.database.transaction():
                    rebuild_lists(library._replica.database)
            with served.windows.moment():
                served.note_writes()
                found = list(served.windows.matching(query))
                for sort in (name, "-" + name):
                    for most in (None, 5):
                        looked_up.clear()
                        wanted = served.windows.order(query, sort=sort, most=most)
                        assert served.ranks.in_order(found, sort=sort, most=most) == wanted
                        if most and turn < 20:
                            assert max(looked_up, default=0) <= most + turn + 1
            if turn == 30:
                make_all(served)
                assert served.ranks.in_order(found, sort=name, most=5)
        served.ranks.close()


def test_what_is_undone_leaves_no_rank_behind(library: Library) -> None:
    """What was kept while a write was tried holds when it did not happen, and another one did."""
    served = ServedLibrary(library, group=None)
    query = filters.with_words("paper", everywhere=True)
    rows = served.windows.rows(served.windows.order(query, sort="title")[-2:])
    served.catch_up()
    served.ranks._want("title")
    make_all(served)
    for row, title in zip(rows, ("AA tried", "AA done"), strict=True):
        with suppress(ZeroDivisionError), served.writes.together():
            library.edit(row.id, [Edit("title", Act.SET, (title,))])
            served.catch_up()
            if title == "AA tried":
                raise ZeroDivisionError
        served.forget()
        if title == "AA done":
            served.catch_up()
            wanted = served.windows.order(query, sort="title")
            found = served.windows.matching(query)
            assert served.ranks.in_order([*found], sort="title", most=3) == wanted[:3]


def test_what_is_written_while_an_order_is_made_has_moved_in_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_PIECE_S", 0.0)
    monkeypatch.setattr(ranks_in_pieces, "_AT_ONCE", 20)
    served, query = ServedLibrary(library, group=None), filters.with_words("paper", everywhere=True)
    served.catch_up()
    served.ranks._want("title")
    served.ranks.make_more()
    (row,) = served.windows.rows(served.windows.order(query, sort="title")[:1])
    library.edit(row.id, [Edit("title", Act.SET, ("ZZZ",))])
    served.catch_up()
    make_all(served)
    wanted = served.windows.order(query, sort="title")
    assert (
        served.ranks.in_order([*served.windows.matching(query)], sort="title", most=3) == wanted[:3]
    )


def test_ranks_are_made_for_a_program_that_asks_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces between its requests, of which none is longer than is said."""
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
    monkeypatch.setattr(limits, "SERVE_PIECE_S", 0.0)
    monkeypatch.setattr(ranks_in_pieces, "_AT_ONCE", 2)
    home, path = Home(tmp_path / "home"), tmp_path / "A.bifolio"
    with Library.create(path, home=home) as library:
        for number in range(20):
            library.add({"title": f"{number} word", "type": "book"})
    with serving(path, home) as running:
        asked, until = 0, time.monotonic() + 20
        running.get("items/top?q=word&sort=title")
        while not running.library.ranks._kept:
            assert time.monotonic() < until
            asked += 1
            running.get(f"items/top?q={asked}&sort=title")
        assert asked > 3


def test_the_pieces_of_an_order_are_of_one_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written between two of them is in none, and is known to have moved."""
    monkeypatch.setattr(ranks_in_pieces, "_AT_ONCE", 1)
    with Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as library:
        ids = [library.add({"title": one, "type": "book"}).id for one in "abcd"]
        windows = Windows(library)
        before = windows.order(sort="title")
        pieces = windows.make_ranks("title")
        assert next(pieces) is None
        library.edit(ids[0], [Edit("title", Act.SET, ("x",))])
        library.add({"title": "aa", "type": "book"})
        *_, made = pieces
        assert made is not None
        assert made.ranks is not None
        assert made.ranks.first(before, None) == (before, [])
        moved = windows.moved_since(made.mark)
        assert moved is not None
        now = windows.order(sort="title")
        assert sorted(moved) == sorted({*now} - {*before} | {before[0]})
        made.ranks.forget(moved)
        assert made.ranks.first(now, None) == (before[1:], [one for one in now if one in moved])


def test_an_order_that_cannot_be_read_a_second_time_is_sorted_by_the_database(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
    served = ServedLibrary(library, group=None)
    query = filters.with_words("paper", everywhere=True)
    found = list(served.windows.matching(query))
    monkeypatch.setattr(library._replica.database, "path", library.path / "nothing")
    for _ in range(2):
        wanted = served.windows.order(query, sort="title")
        assert served.ranks.in_order(found, sort="title", most=None) == wanted
        make_all(served)


def test_an_answer_after_a_write_is_not_from_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_SORTED_MAX", 0)
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
                running.wait_for_work()
                titles = sorted(found())
                library.edit(ids[0], [Edit("title", Act.SET, (f"{letter} word",))])
                assert found() == sorted([*titles[:2], letter])
            library.delete([ids[1]])
            assert found() == ["b", "z"]
            library.add({"title": "aa word", "type": "book"})
            assert found() == ["a", "b", "z"]


def _made(chance: random.Random, number: int) -> dict[str, Any]:
    values: dict[str, Any] = {"type": "book", "abstract": "word", "citation-key": f"k{number}"}
    if chance.random() < 0.8:
        values["title"] = chance.choice("XYZ") + " title"
    if chance.random() < 0.8:
        values["author"] = [chance.choice(["Doe, A", "Roe, B"])]
    if chance.random() < 0.8:
        values["issued"] = chance.choice(["1990", "1991", "2000"])
    return values


def _write(chance: random.Random, library: Library, turn: int) -> None:
    """One of the things that a user does."""
    rows = list(library.list())
    one = chance.choice(rows).id
    act = chance.randrange(6)
    if act == 0:
        library.add(_made(chance, 100 + turn))
    elif act == 1:
        library.delete([one])
    elif act == 2:
        trashed = list(library.list(trash=True))
        library.restore([chance.choice(trashed).id]) if trashed else library.delete([one])
    elif act == 3:
        with suppress(BifolioError):  # there may be nothing left to undo
            library.history.undo()
    else:
        field = chance.choice(["title", "author", "issued", "note"])
        value = {"author": "Poe, C", "issued": "1995"}.get(field, f"{chance.choice('WXYZ')} title")
        library.edit(one, [Edit(field, Act.SET, (value,))])


def make_all(served: ServedLibrary) -> None:
    """Make all ranks that were asked for."""
    while served.ranks.is_wanted:
        served.ranks.make_more()


def test_where_a_change_went_any_reference_may_have_moved(tmp_path: Path) -> None:
    """As of a member who was removed: no version says what was touched."""
    with Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as library:
        added = library.add({"title": "One", "type": "book"})
        windows, replica = Windows(library), library._replica
        mark = windows.places_mark()
        assert mark is not None
        assert windows.moved_since(mark) == []
        index = replica.journal.index
        with replica.database.transaction():
            assert index.remove(index.of_record(added.id)[-1].change) == [added.id]
        assert windows.moved_since(mark) is None

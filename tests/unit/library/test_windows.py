"""Orders, windows and versions of a library; short names; what was added or changed when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio import Library
from bifolio.errors import QueryError
from bifolio.home import Home
from bifolio.library.short_names import ShortNames
from bifolio.library.windows import Windows
from bifolio.records.edits import Act, Edit
from bifolio.records.sorting import parse_sort
from bifolio.search import filters
from bifolio.search.search import Searches
from bifolio.storage.short_keys import hashed_keys, is_short_key


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home"))


def titles(library: Library, **how: object) -> list[str]:
    windows = Windows(library)
    return [str(row.fields["title"]) for row in windows.rows(windows.order(**how))]  # type: ignore[arg-type]


def test_a_window_is_read_of_an_order_and_holds_what_is_shown(library: Library) -> None:
    for title, year in (("Beta", "2001"), ("Alpha", "2003"), ("Gamma", "2002")):
        library.add({"title": title, "issued": year, "type": "book", "tags": ["x"]})
    assert titles(library, sort="title") == ["Alpha", "Beta", "Gamma"]
    assert titles(library, sort="-year") == ["Alpha", "Gamma", "Beta"]
    assert titles(library, sort="added") == ["Beta", "Alpha", "Gamma"]
    assert titles(library, query="year:2002..", sort="title", most=1) == ["Alpha"]
    windows = Windows(library)
    (row,) = windows.rows(windows.order("beta"))
    assert (row.type, row.tags, row.trashed) == ("book", ("x",), False)
    assert row.version > 0
    assert row.added == row.modified
    assert (windows.count(), windows.count("tag:x year:2003")) == (3, 1)


def test_a_version_says_what_changed_since(library: Library) -> None:
    first = library.add({"title": "One", "type": "book"})
    second = library.add({"title": "Two", "type": "book"})
    windows = Windows(library)
    before = windows.version
    assert windows.changes_since(before).records == ()
    library.edit(first.id, [Edit("title", Act.SET, ("Uno",))])
    changed = windows.changes_since(before)
    assert (changed.records, changed.version) == ((first.id,), before + 1)
    (number,) = changed.numbers
    assert windows.rows([number])[0].fields["title"] == "Uno"
    versions = windows.versions_of([first.id, second.id])
    assert versions[first.id] == changed.version > versions[second.id]
    library.delete([second.id])
    assert windows.versions_of([second.id])[second.id] == windows.version


def test_the_last_modified_come_first_on_every_computer(tmp_path: Path) -> None:
    office, laptop = members(tmp_path, "office", "laptop")
    ids = [digit * 32 for digit in "1234"]
    for one in ids[:3]:
        office.adds(one, {"title": one, "type": "book"})
    meet(office, laptop)
    laptop.waits(5)
    laptop.sets(ids[1], "title", "changed")
    office.waits(2)
    office.adds(ids[3], {"title": "new", "type": "book"})
    meet(office, laptop)
    for computer in (office, laptop):
        assert ordered(computer, "-modified") == [ids[1], ids[3], ids[2], ids[0]]
        assert ordered(computer, "-added") == [ids[3], ids[2], ids[1], ids[0]]
        kept = computer.replica.journal.index.versions.all_rows()
        with computer.replica.database.transaction():
            computer.replica.journal.index.versions.derive_all()
        assert computer.replica.journal.index.versions.all_rows() == kept


def test_many_are_sorted_by_moment_as_few_are(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        library.add({"title": f"Paper {number}", "type": "book", "tags": ["x"] * (number % 2)})
    windows = Windows(library)
    for query in ("paper", "tag:x", "paper -tag:x", "nothing"):
        for sort in ("added", "-added", "modified", "-modified"):
            few = windows.order(query, sort=sort)
            with monkeypatch.context() as patch:
                patch.setattr("bifolio.storage.index._SORTED_MAX", 0)
                assert windows.order(query, sort=sort) == few
                assert windows.order(query, sort=sort, most=1) == few[:1]


def ordered(computer: Computer, sort: str) -> list[str]:
    index = computer.replica.references.index
    everything = index.all(parse_sort(sort), trashed=False, most=None)
    found = Searches(computer.replica).order(filters.all_of([]), sort=parse_sort(sort))
    assert found == everything
    assert index.all(parse_sort(sort), trashed=False, most=2) == everything[:2]
    return [row.id for row in computer.replica.references.by_number(everything)]


def test_what_was_added_or_modified_is_found_by_day(library: Library) -> None:
    one = library.add({"title": "One", "type": "book", "tags": ["x"]})
    library.add({"title": "Two", "type": "book"})
    today = datetime.now(UTC).astimezone()
    assert library.count("added:today") == 2
    assert library.count(f"modified:{today:%Y-%m-%d}") == 2
    assert library.count("added:yesterday") == 0
    assert library.count(f"added:{today:%Y} -tag:x") == 1
    assert library.count(f"added:>{today:%Y-%m-%d} OR tag:x") == 1
    assert library.count("added:2d..") == 2
    tomorrow = today + timedelta(days=1)
    assert library.count(f"added:..{tomorrow:%Y-%m-%d}") == 2
    assert library.count("-added:7d") == 0
    assert [row.id for row in library.search("added:today tag:x", sort="title")] == [one.id]
    library.delete([one.id])
    assert library.count("added:today") == 1


@pytest.mark.parametrize("query", ["added:soon", "added:2026-13", "modified:0d", "added:.."])
def test_what_is_no_day_is_said(library: Library, query: str) -> None:
    with pytest.raises(QueryError):
        library.count(query)


@pytest.mark.parametrize(
    "query", ["added:9999-12-31", "added:>9999-12-31", "added:99999d", "added:<0001"]
)
def test_days_at_the_ends_of_time_are_days(library: Library, query: str) -> None:
    library.add({"title": "One", "type": "book"})
    assert library.count(query) == int(query == "added:99999d")


def test_everything_has_a_short_name_and_keeps_it(library: Library, tmp_path: Path) -> None:
    one = library.add({"title": "One", "type": "book", "note": "A note"})
    group = library.groups.create("Thesis")
    names = ShortNames(library)
    names.catch_up()
    named = names.of([one.id, group.id])
    assert set(named[one.id]) == {"", "note"}
    assert is_short_key(named[group.id][""])
    (tmp_path / "a.txt").write_text("a")
    (file,) = library.files.add(one.id, [tmp_path / "a.txt"])
    library.edit(one.id, [Edit("note", Act.CLEAR)])
    names.catch_up()
    after = names.of([one.id])[one.id]
    assert set(after) == {"", f"file/{file.hash}/a.txt"}
    assert after[""] == named[one.id][""]
    found = names.find(after[""])
    assert found is not None
    assert (found.record, found.part) == (one.id, "")
    assert names.find(named[one.id]["note"]) is None


def test_two_things_of_one_hash_have_two_names(library: Library) -> None:
    names = ShortNames(library)
    first = next(hashed_keys("1" * 32, ""))
    assert names.add("2" * 32, wanted=first) == first
    assert names.add("1" * 32) != first


def test_words_are_found_in_titles_names_and_years_or_everywhere(library: Library) -> None:
    library.add(
        {"title": "Folding maps", "type": "book", "author": ["Doe, Jane"], "issued": "1999"}
    )
    library.add(
        {"title": "Other", "type": "book", "abstract": "On folding", "tags": ['a "b" || c']}
    )
    windows = Windows(library)
    assert windows.count(filters.with_words("fold ja", everywhere=False)) == 1
    assert windows.count(filters.with_words("fold", everywhere=True)) == 2
    assert windows.count(filters.with_words("1999", everywhere=False)) == 1
    assert windows.count(filters.with_words('"folding maps"', everywhere=True)) == 1
    assert windows.count(filters.with_words("OR -(", everywhere=True)) == 0
    assert windows.count(filters.with_tag('a "b" || c')) == 1

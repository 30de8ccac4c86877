"""A library has indexes for its lists from the first time that it is served, and no sooner."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import ForeignSchemaError
from bifolio.home import Home
from bifolio.library.windows import Windows
from bifolio.records.sorting import parse_sort
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.storage.list_indexes import MADE

SORTS = ("title", "author", "year", "key", "added", "modified", "id", "relevance")


def new_library(folder: Path) -> Library:
    library = Library.create(folder / "A.bifolio", home=Home(folder / "home"))
    for number, (title, year) in enumerate((("B", 2001), ("A", None), (None, 2001), ("A", 1999))):
        fields = {"type": "book", "publisher": str(number)}
        fields |= {"title": title} if title else {}
        fields |= {"issued": str(year)} if year else {}
        library.add(fields)
    library.delete([library.add({"type": "book", "title": "Gone"}).id])
    return library


def indexes(library: Library) -> set[str]:
    names = library._replica.database.rows("SELECT name FROM sqlite_master WHERE type = 'index'")
    return {row[0] for row in names} & set(MADE)


def orders(library: Library) -> list[list[int]]:
    index = library._replica.references.index
    return [
        index.all(parse_sort(way + sort), trashed=trashed, most=most)
        for sort in SORTS
        for way in ("", "-")
        for trashed in (False, True)
        for most in (None, 2)
    ]


def test_lists_are_in_the_same_order_with_the_indexes_and_without(tmp_path: Path) -> None:
    with new_library(tmp_path) as library:
        assert indexes(library) == set()
        before = orders(library)
        Windows(library)
        assert indexes(library) == set(MADE)
        assert orders(library) == before


def test_the_indexes_are_kept_where_the_lists_are_made_again(tmp_path: Path) -> None:
    with new_library(tmp_path) as library:
        database = library._replica.database
        with database.transaction():
            rebuild_lists(database)
        assert indexes(library) == set()
        Windows(library)
        with database.transaction():
            rebuild_lists(database)
        assert indexes(library) == set(MADE)


def test_a_library_with_them_is_ours_and_one_with_others_of_their_names_is_not(
    tmp_path: Path,
) -> None:
    with new_library(tmp_path) as library:
        Windows(library)
    path, home = library.path, Home(tmp_path / "home")
    with Library.open(path, home=home) as library:
        assert len(list(library.list())) == 4
    with closing(sqlite3.connect(path / "library.sqlite")) as connection:
        connection.execute("DROP INDEX listed_by_added")
        connection.execute("CREATE INDEX listed_by_added ON object_versions (abs(version))")
    with pytest.raises(ForeignSchemaError):
        Library.open(path, home=home)

"""The search index: one full-text table of words and marks, one narrow table of orders.

It holds the live references only. A query is one FTS5 expression (``storage.expressions`` writes
it), answered document by document without a set in between; the narrow table next to it sorts
what is found without reading the references. Derived: kept by each write, and made again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby, islice

from bifolio import limits
from bifolio.records.canonical import read_json
from bifolio.records.sorting import Order, Sort
from bifolio.storage.database import Database
from bifolio.storage.list_indexes import MADE, OF_ORDERS, TIES
from bifolio.storage.searchable import INDEXED, PLACES, Places

#: The words and marks of the live references, split where ``records.folding`` says: it leaves
#: letters, digits and non-ASCII characters, which are just what this tokenizer keeps. Beginnings of
#: one and two letters have lists of their own: otherwise each would be put together from a hundred
#: thousand words for each search. The texts are not kept: what was indexed of a reference is made
#: of its row again where it goes; nor how many words each has, as nothing is sorted by it.
_CREATE_INDEX = (
    f"CREATE VIRTUAL TABLE refs_fts USING fts5({', '.join(INDEXED)}, "
    "tokenize='ascii', prefix='1 2', content='', columnsize=0)"
)

#: By what references are sorted: narrow, so that 100,000 are sorted without reading them.
_CREATE_ORDERS = (
    "CREATE TABLE orders (number INTEGER PRIMARY KEY, id TEXT NOT NULL, trashed INTEGER NOT NULL, "
    "year INTEGER, title TEXT NOT NULL, author TEXT NOT NULL, key TEXT NOT NULL)"
)

_INSERT = (
    f"INSERT INTO refs_fts (rowid, {', '.join(INDEXED)}) "
    f"VALUES ({', '.join('?' * (len(INDEXED) + 1))})"
)
_DELETE = (
    f"INSERT INTO refs_fts (refs_fts, rowid, {', '.join(INDEXED)}) "
    f"VALUES ('delete', {', '.join('?' * (len(INDEXED) + 1))})"
)
_INSERT_ORDER = (
    f"INSERT OR REPLACE INTO orders (number, id, trashed, {', '.join(PLACES)}) "
    f"VALUES ({', '.join('?' * (len(PLACES) + 3))})"
)

#: What each order sorts by; what has no such value comes last in both directions.
_BY = {
    Order.YEAR: "year IS NULL, year {way}, title, id",
    Order.TITLE: "title = '', title {way}, id",
    Order.AUTHOR: "author = '', author {way}, year, title, id",
    Order.KEY: "key = '', key {way}, id",
    Order.ID: "id {way}",
    Order.RELEVANCE: "year IS NULL, year {way}, title, id",
}
#: The orders of moments, which lie in a table of their own.
_MOMENTS = {Order.ADDED: "added", Order.MODIFIED: "modified"}

#: So many are sorted by looking each one up; of more, all are walked through in their order until
#: enough of them came.
_SORTED_MAX = 2_000

_FOUND = "FROM refs_fts CROSS JOIN orders ON orders.number = refs_fts.rowid WHERE refs_fts MATCH ?"
_IS_NOT_IN_TRASH = (
    "NOT EXISTS (SELECT 1 FROM refs AS gone INDEXED BY refs_in_trash "
    "WHERE gone.trashed = 1 AND gone.id = refs.id)"
)
_DATED = "LEFT JOIN object_versions ON object_versions.record = orders.id"

#: Which column an order is read by, what comes last (no value), and the index's direction.
_READ_BY = {
    Order.TITLE: ("title", "= ''"),
    Order.AUTHOR: ("author", "= ''"),
    Order.KEY: ("key", "= ''"),
    Order.YEAR: ("year", "IS NULL"),
    Order.RELEVANCE: ("year", "IS NULL"),
}


#: The texts of one reference, in the order of ``INDEXED``.
Texts = tuple[str, ...]

#: Every word in the index: its reference, its column, its place. In a schema of this connection's.
_CREATE_WORDS = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.refs_words USING fts5vocab(main, refs_fts, instance)"
)


_FIRST_MADE = "listed_by_modified"
_LAST_MADE = "listed_by_version"


class ListIndexes:
    """The indexes of ``orders`` and ``object_versions``: all of them, or none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def are_there(self) -> bool:
        """Whether all lists are read off indexes."""
        return self.has(_LAST_MADE)

    def has(self, name: str) -> bool:
        """Whether there is the index of this name."""
        row = self._database.row(
            "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (name,)
        )
        return row is not None

    def make(self) -> None:
        """Have them from now on, inside the caller's transaction."""
        for name, statement in MADE.items():
            self._database.execute(f"DROP INDEX IF EXISTS {name}")
            self._database.execute(statement)

    def make_next(self) -> bool:
        """Have one more of them, inside the caller's transaction; returns whether any is missing
        then."""
        rows = self._database.rows("SELECT name FROM sqlite_master WHERE type = 'index'")
        there = {row[0] for row in rows}
        missing = [name for name in MADE if name not in there]
        # The order that programs ask for first, and last the one that tells that all are there.
        missing.sort(key=lambda name: (name == _LAST_MADE, name != _FIRST_MADE))
        for name in missing[:1]:
            self._database.execute(MADE[name])
        return len(missing) > 1

    def make_of_orders(self) -> None:
        """Those of ``orders`` again, which was made again."""
        for statement in OF_ORDERS.values():
            self._database.execute(statement)


class SearchIndex:
    """The tables ``refs_fts`` and ``orders``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.lists = ListIndexes(database)

    def optimize(self) -> None:
        """Merge the parts of the full-text index, as far as updates left several."""
        self._database.execute("INSERT INTO refs_fts (refs_fts) VALUES ('optimize')")

    def optimize_after(self, added: int) -> None:
        """The same where many references were just added, and they are a large part of all."""
        if added < limits.INDEX_MERGED_MIN:
            return
        row = self._database.row("SELECT count(*) FROM refs")
        if row is not None and added >= row[0] * limits.INDEX_MERGED_SHARE:
            self.optimize()

    def write_places(self, given: Iterable[tuple[int, str, Places, object]]) -> None:
        """List references: for each its number, its id, its places in the orders, and whether it
        is in the trash."""
        self._database.execute_many(
            _INSERT_ORDER,
            [(number, record_id, trashed, *places) for number, record_id, places, trashed in given],
        )

    def write_texts(self, given: Iterable[tuple[int, Texts | None, Texts | None]]) -> None:
        """Index references: the number of each, what of it is indexed until now, and what is from
        now on (None: nothing), in the order of the numbers: each step back writes all out.
        """
        for number, before, after in given:
            if before == after:
                continue
            if before is not None:
                self._database.execute(_DELETE, (number, *before))
            if after is not None:
                self._database.execute(_INSERT, (number, *after))

    def remove_places(self, numbers: Sequence[int]) -> None:
        """List references no longer."""
        rows = [(number,) for number in numbers]
        self._database.execute_many("DELETE FROM orders WHERE number = ?", rows)

    def clear(self) -> None:
        """Forget everything, before a rebuild: deleting row by row would take longer."""
        are_indexed = self.lists.are_there()
        for table, create in (("refs_fts", _CREATE_INDEX), ("orders", _CREATE_ORDERS)):
            self._database.execute(f"DROP TABLE {table}")
            self._database.execute(create)
        if are_indexed:
            self.lists.make_of_orders()

    def find(self, expression: str, sort: Sort, *, most: int | None) -> list[int]:
        """The numbers of the references that an expression finds, in order."""
        if sort.order in _MOMENTS:
            return self.in_order(self.find_any(expression), sort, most=most)
        rows = self._database.rows(
            f"SELECT orders.number {_FOUND} ORDER BY {_by(sort)} LIMIT ?",
            (expression, -1 if most is None else most),
        )
        return [row[0] for row in rows]

    def find_any(self, expression: str) -> list[int]:
        """The numbers of the references that an expression finds, in no order.

        They come as one text: a row each would take longer than finding them.
        """
        row = self._database.row(
            "SELECT json_group_array(rowid) FROM refs_fts WHERE refs_fts MATCH ?", (expression,)
        )
        return [*read_json(row[0])] if row else []

    def find_between(self, column: str, first: str, last: str) -> set[int]:
        """The numbers of the live references that were added (or modified) between two stamps."""
        assert column in _MOMENTS.values()
        rows = self._database.rows(
            "SELECT refs.number FROM object_versions "
            "CROSS JOIN refs ON refs.id = object_versions.record AND refs.trashed = 0 "
            f"WHERE object_versions.{column} >= ? AND object_versions.{column} < ?",
            (first, last),
        )
        return {row[0] for row in rows}

    def in_order(self, numbers: Collection[int], sort: Sort, *, most: int | None) -> list[int]:
        """These references in an order; the first so many only, where all of them live (None: all,
        wherever they are)."""
        if len(numbers) > _SORTED_MAX and (most is not None or sort.order in _MOMENTS):
            # Many: all that live are read in their order until enough of these are found.
            wanted, walked = set(numbers), self._walk(sort, trashed=False)
            if walked is not None:
                found = list(islice((one for one in walked if one in wanted), most))
                if most is not None or len(found) == len(wanted):
                    return found
        rows = self._database.rows(
            f"SELECT orders.number FROM orders {_DATED} WHERE orders.number IN "
            f"(SELECT value FROM json_each(?)) ORDER BY {_by(sort)} LIMIT ?",
            (json.dumps(list(numbers)), -1 if most is None else most),
        )
        return [row[0] for row in rows]

    def all(self, sort: Sort, *, trashed: bool, most: int | None) -> list[int]:
        """The numbers of all live (or all trashed) references, in order.

        Read off an index where the library has those of its lists.
        """
        walked = self._walk(sort, trashed=trashed)
        if walked is None:
            return self._sort_all(sort, trashed=trashed, most=most)
        return list(islice(walked, most))

    def iterate(self, sort: Sort, *, trashed: bool) -> Iterator[int]:
        """``all``, one after the other."""
        walked = self._walk(sort, trashed=trashed)
        return iter(self._sort_all(sort, trashed=trashed, most=None)) if walked is None else walked

    def _walk(self, sort: Sort, *, trashed: bool) -> Iterator[int] | None:
        """The numbers of all in an order, one after the other; None where this order has no
        index."""
        if sort.order in _READ_BY:
            if not self.lists.has(f"orders_by_{_READ_BY[sort.order][0]}"):
                return None
            return self._read_off(sort, trashed=trashed)
        if sort.order in _MOMENTS:
            return self._read_moments(sort, trashed=trashed)
        rows = self._database.iterate(
            f"SELECT number FROM refs WHERE {in_trash(trashed)} ORDER BY id {_way(sort)}"
        )
        return (row[0] for row in rows)

    def _sort_all(self, sort: Sort, *, trashed: bool, most: int | None) -> list[int]:
        """An order of the index's own table, without an index of its own."""
        rows = self._database.rows(
            f"SELECT number FROM orders WHERE trashed = ? ORDER BY {_by(sort)} LIMIT ?",
            (int(trashed), -1 if most is None else most),
        )
        return [row[0] for row in rows]

    def _read_off(self, sort: Sort, *, trashed: bool) -> Iterator[int]:
        """An order of the index's own table; what has no value comes last in both directions."""
        column, none = _READ_BY[sort.order]
        ties = TIES[column]
        some = f"NOT ({column} {none})"
        select = f"SELECT number, {column} FROM orders WHERE trashed = ? AND "
        if _way(sort) == "ASC":
            query = f"{select} {some} ORDER BY {ties}"
            yield from self._lazily(query, trashed)
        elif column == "year":
            yield from self._years_backwards(ties, trashed=trashed)
        else:
            # Equals are in the same order whatever the direction: the index is read backwards, and
            # each run of them turned round.
            backwards = ", ".join(f"{one} DESC" for one in ties.split(", "))
            rows = self._database.iterate(f"{select} {some} ORDER BY {backwards}", (int(trashed),))
            for _, run in groupby(rows, key=lambda row: row[1]):
                yield from (row[0] for row in reversed(list(run)))
        yield from self._lazily(f"{select} {column} {none} ORDER BY {ties}", trashed)

    def _years_backwards(self, ties: str, *, trashed: bool) -> Iterator[int]:
        """The last year first, each from its beginning: a tenth of all may be of one year."""
        before = "1"
        while True:
            row = self._database.row(
                f"SELECT max(year) FROM orders WHERE trashed = ? AND {before}", (int(trashed),)
            )
            if row is None or row[0] is None:
                return
            year = int(row[0])
            before = f"year < {year}"
            yield from self._lazily(
                f"SELECT number FROM orders WHERE trashed = ? AND year = {year} ORDER BY {ties}",
                trashed,
            )

    def _read_moments(self, sort: Sort, *, trashed: bool) -> Iterator[int]:
        """By when they were added or modified; those of which nothing is known come last."""
        column, way = _MOMENTS[sort.order], _way(sort)
        order = f"object_versions.{column} {way}, object_versions.record {way}"
        moments = "object_versions"
        if not self.lists.has(f"listed_by_{column}"):
            # The narrow table is sorted first, so that only as many are looked up as are read.
            moments = f"(SELECT * FROM object_versions ORDER BY {order} LIMIT -1) AS {moments}"
            order = ""
        known = 0
        # Whether one lives is read off the index of the trash: its row is long, and elsewhere.
        placed = "+refs.trashed = ?" if trashed else f"? = 0 AND {_IS_NOT_IN_TRASH}"
        for number in self._lazily(
            f"SELECT refs.number FROM {moments} CROSS JOIN refs "
            f"ON refs.id = object_versions.record AND {placed}"
            + (f" ORDER BY {order}" if order else ""),
            trashed,
        ):
            known += 1
            yield number
        row = self._database.row("SELECT count(*) FROM orders WHERE trashed = ?", (int(trashed),))
        if row is None or row[0] == known:
            return  # mostly, and finding none would mean to look for each
        yield from self._lazily(
            "SELECT number FROM orders WHERE trashed = ? AND NOT EXISTS (SELECT 1 FROM "
            f"object_versions WHERE record = orders.id) ORDER BY number {way}",
            trashed,
        )

    def _lazily(self, query: str, trashed: bool) -> Iterator[int]:
        return (row[0] for row in self._database.iterate(query, (int(trashed),)))

    def spread(self) -> tuple[int, int]:
        """How many references there are, those in the trash too, and the greatest number."""
        row = self._database.row(
            "SELECT (SELECT count(*) FROM orders), (SELECT max(number) FROM orders)"
        )
        return (row[0], row[1] or 0) if row else (0, 0)

    def count(self, expression: str) -> int:
        """How many live references an expression finds."""
        row = self._database.row(
            "SELECT count(*) FROM refs_fts WHERE refs_fts MATCH ?", (expression,)
        )
        return int(row[0]) if row else 0

    def all_rows(self) -> list[tuple[object, ...]]:
        """Everything, by id: to compare upkeep with a rebuild. The words that are indexed of a
        reference are one number, which is the same in this process alone."""
        words: dict[int, int] = {}
        self._database.execute(_CREATE_WORDS)
        for number, *word in self._database.iterate(
            "SELECT doc, term, col, offset FROM temp.refs_words"
        ):
            words[number] = words.get(number, 0) + hash(tuple(word))
        places = ", ".join(PLACES)
        rows = self._database.rows(f"SELECT number, id, trashed, {places} FROM orders ORDER BY id")
        found: list[tuple[object, ...]] = [(*row[1:], words.pop(row[0], None)) for row in rows]
        return found + sorted(words.items())


def in_trash(trashed: bool) -> str:
    """What is true of the live (or the trashed) references: the trash has an index, and those that
    live are read by the index of all."""
    return "refs.trashed = 1" if trashed else "+refs.trashed = 0"


def _way(sort: Sort) -> str:
    # By relevance the newest of what fits equally well comes first.
    descending = sort.descending != (sort.order is Order.RELEVANCE)
    return "DESC" if descending else "ASC"


def _by(sort: Sort) -> str:
    """The order as SQL, each column with its table."""
    if sort.order in _MOMENTS:
        # Those of which nothing is known are in the order in which they came.
        column, way = f"object_versions.{_MOMENTS[sort.order]}", _way(sort)
        unknown = f"CASE WHEN {column} IS NULL THEN orders.number END {way}"
        return f"{column} IS NULL, {column} {way}, {unknown}, orders.id {way}"
    order = _BY[sort.order].format(way=_way(sort))
    return ", ".join(f"orders.{part}" for part in order.split(", "))

"""The search index: one full-text table of words and marks, one narrow table of orders.

It holds the live references only. A query is one FTS5 expression (``storage.expressions`` writes
it), answered document by document without a set in between; the narrow table next to it sorts
what is found without reading the references. Derived: kept by each write, and made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bifolio.records.sorting import Order, Sort
from bifolio.storage.database import Database
from bifolio.storage.searchable import INDEXED, PLACES, Places

#: The words and marks of the live references, split where ``records.folding`` says: it leaves
#: letters, digits and non-ASCII characters, which are just what this tokenizer keeps. Beginnings of
#: one and two letters have lists of their own: otherwise each would be put together from a hundred
#: thousand words for each search.
_CREATE_INDEX = (
    f"CREATE VIRTUAL TABLE refs_fts USING fts5({', '.join(INDEXED)}, "
    "tokenize='ascii', prefix='1 2')"
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
    Order.ADDED: "number {way}",
    Order.ID: "id {way}",
    Order.RELEVANCE: "year IS NULL, year {way}, title, id",
}

_FOUND = "FROM refs_fts CROSS JOIN orders ON orders.number = refs_fts.rowid WHERE refs_fts MATCH ?"


class SearchIndex:
    """The tables ``refs_fts`` and ``orders``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def optimize(self) -> None:
        """Merge the parts of the full-text index, as far as updates left several."""
        self._database.execute("INSERT INTO refs_fts (refs_fts) VALUES ('optimize')")

    def write_places(self, given: Iterable[tuple[int, str, Places, object]]) -> None:
        """List references: for each its number, its id, its places in the orders, and whether it
        is in the trash."""
        self._database.execute_many(
            _INSERT_ORDER,
            [(number, record_id, trashed, *places) for number, record_id, places, trashed in given],
        )

    def write_texts(self, given: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        """Index references whose texts are not indexed yet: the number and the texts of each, in
        the order of the numbers."""
        self._database.execute_many(_INSERT, [(number, *texts) for number, texts in given])

    def remove_texts(self, numbers: Sequence[int]) -> None:
        """Forget the texts of references."""
        rows = [(number,) for number in numbers]
        self._database.execute_many("DELETE FROM refs_fts WHERE rowid = ?", rows)

    def remove_places(self, numbers: Sequence[int]) -> None:
        """List references no longer."""
        rows = [(number,) for number in numbers]
        self._database.execute_many("DELETE FROM orders WHERE number = ?", rows)

    def clear(self) -> None:
        """Forget everything, before a rebuild: deleting row by row would take longer."""
        for table, create in (("refs_fts", _CREATE_INDEX), ("orders", _CREATE_ORDERS)):
            self._database.execute(f"DROP TABLE {table}")
            self._database.execute(create)

    def find(self, expression: str, sort: Sort, *, most: int | None) -> list[int]:
        """The numbers of the references that an expression finds, in order."""
        way = _way(sort)
        limit = -1 if most is None else most
        if sort.order is Order.ADDED:  # as the index holds them: nothing is sorted
            rows = self._database.rows(
                f"SELECT rowid FROM refs_fts WHERE refs_fts MATCH ? ORDER BY rowid {way} LIMIT ?",
                (expression, limit),
            )
        else:
            order = _BY[sort.order].format(way=way)
            rows = self._database.rows(
                f"SELECT orders.number {_FOUND} ORDER BY {_of_orders(order)} LIMIT ?",
                (expression, limit),
            )
        return [row[0] for row in rows]

    def all(self, sort: Sort, *, trashed: bool, most: int | None) -> list[int]:
        """The numbers of all live (or all trashed) references, in order."""
        order = _BY[sort.order].format(way=_way(sort))
        rows = self._database.rows(
            f"SELECT number FROM orders WHERE trashed = ? ORDER BY {order} LIMIT ?",
            (int(trashed), -1 if most is None else most),
        )
        return [row[0] for row in rows]

    def count(self, expression: str) -> int:
        """How many live references an expression finds."""
        row = self._database.row(
            "SELECT count(*) FROM refs_fts WHERE refs_fts MATCH ?", (expression,)
        )
        return int(row[0]) if row else 0

    def all_rows(self) -> list[tuple[object, ...]]:
        """Everything, by id: to compare upkeep with a rebuild."""
        names = ", ".join(f"refs_fts.{name}" for name in INDEXED)
        places = ", ".join(f"orders.{name}" for name in PLACES)
        return self._database.rows(
            f"SELECT orders.id, orders.trashed, {places}, {names} FROM orders "
            "LEFT JOIN refs_fts ON refs_fts.rowid = orders.number ORDER BY orders.id"
        )


def _way(sort: Sort) -> str:
    # By relevance the newest of what fits equally well comes first.
    descending = sort.descending != (sort.order is Order.RELEVANCE)
    return "DESC" if descending else "ASC"


def _of_orders(order: str) -> str:
    parts: Sequence[str] = order.split(", ")
    return ", ".join(f"orders.{part}" for part in parts)

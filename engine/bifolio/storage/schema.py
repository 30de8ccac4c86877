"""Whether a SQLite file's schema is ours: a file that came from elsewhere may hold anything.

A trigger or a view that somebody added would run with each edit. So every table, index and column
must be one that our own steps make. ``python -m bifolio.storage.schema`` prints the digest of the
latest schema, by which an ordinary file is known at once; any other is compared part by part.
"""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache
from typing import Final

from bifolio.lazy import pattern
from bifolio.storage.list_indexes import MADE
from bifolio.storage.migrations import LATEST, migrate

#: The digest of the schema that the steps of ``migrations`` make, without what is made again.
LATEST_DIGEST: Final = "18c42fe0de871b086fb4b7e1a57005c2"

#: What SQL may be written with or without: versions of the libraries that write it differ in this.
_INSIGNIFICANT: Final = str.maketrans("", "", " \t\r\n\f\"'`[]")

#: What the code makes again where an older version made it (``storage.index``), and what SQLite
#: makes by itself, each without insignificant characters.
_MADE_AGAIN: Final = tuple(
    pattern(source)
    for source in (
        r"createvirtualtablerefs_ftsusingfts5\((?:[a-z_]+,)+tokenize=ascii,prefix=\d*(?:,content=(?:,columnsize=0)?)?\)",
        r"createtablerefs_fts_data\(idintegerprimarykey,blockblob\)",
        r"createtablerefs_fts_idx\(segid,term,pgno,primarykey\(segid,term\)\)withoutrowid",
        r"createtablerefs_fts_content\(idintegerprimarykey(?:,c\d+)+\)",
        r"createtablerefs_fts_docsize\(idintegerprimarykey,szblob\)",
        r"createtablerefs_fts_config\(kprimarykey,v\)withoutrowid",
        r"createtableorders\(numberintegerprimarykey(?:,[a-z_]+(?:text|integer)(?:notnull)?)+\)",
        r"createtablesqlite_stat1\(tbl,idx,stat\)",
        r"createtablesqlite_stat4\(tbl,idx,neq,nlt,ndlt,sample\)",
        r"createtablesqlite_sequence\(name,seq\)",
    )
)
#: The indexes that a library has from the first time that it is served, in the same way.
_OF_LISTS: Final = {name: sql.translate(_INSIGNIFICANT).lower() for name, sql in MADE.items()}
_NAMES_MADE_AGAIN: Final = ("refs_fts", "orders", "listed_by_", "sqlite_stat", "sqlite_sequence")
_NAME_IN_SQL: Final = pattern(r"create(?:virtual)?table([a-z0-9_]+?)(?:using|\()")

_KINDS: Final = frozenset({"table", "index", "trigger", "view"})

Row = tuple[str, str, str, str]


def find_foreign(connection: sqlite3.Connection, version: int) -> str | None:
    """What of a file's schema is not ours, in words (``the trigger 'x'``); None where all is.

    Nothing of the file is run. What is missing is not looked for: who reads it says so.

    Args:
        version: the file's ``user_version``, at most ``LATEST``.
    """
    rows = _rows(connection)
    made_again = [row for row in rows if row[1].startswith(_NAMES_MADE_AGAIN)]
    is_latest = version == LATEST and _digest(rows) == LATEST_DIGEST
    if is_latest and all(map(_is_made_again, made_again)):
        return None
    expected = _expected(version)
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if _is_made_again(row):
            continue
        plain = _plain(row)
        if plain in expected and row[:2] not in seen:
            seen.add(row[:2])
            continue
        return _describe(connection, row, version)
    return None


def tables(version: int) -> frozenset[str]:
    """The names of the tables of a version."""
    return frozenset(name for kind, name in names(version) if kind == "table")


def names(version: int) -> frozenset[tuple[str, str]]:
    """The kind and the name of each part of the schema of a version."""
    return frozenset((kind, name) for kind, name, _, _ in _rows(_made(version)))


def find_missing(connection: sqlite3.Connection, version: int) -> str | None:
    """A table of the schema of a version that a file has not, in words; None where it has all."""
    there = {(kind, name) for kind, name, _, _ in _rows(connection)}
    for kind, name, _, _ in sorted(_expected(version)):
        if kind == "table" and (kind, name) not in there:
            return f"the table '{name}'"
    return None


def _rows(connection: sqlite3.Connection) -> list[Row]:
    """(kind, name, table, SQL) of each part, in an order of their own."""
    found = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
    return sorted(tuple(map(str, row)) for row in found)  # type: ignore[misc]


def _plain(row: Row) -> Row:
    """A part without what is insignificant in its SQL."""
    kind, name, table, sql = row
    return kind, name, table, sql.translate(_INSIGNIFICANT).lower()


def _is_made_again(row: Row) -> bool:
    kind, name, table, sql = _plain(row)
    if kind == "index":
        return _OF_LISTS.get(name) == sql
    if kind != "table" or name != table or not name.startswith(_NAMES_MADE_AGAIN):
        return False
    named = _NAME_IN_SQL.match(sql)
    return (
        named is not None
        and named.group(1) == name
        and any(pattern.fullmatch(sql) for pattern in _MADE_AGAIN)
    )


def _digest(rows: list[Row]) -> str:
    """The digest of all parts but those that are made again."""
    whole = "\x01".join(
        "\x00".join(row) for row in rows if not row[1].startswith(_NAMES_MADE_AGAIN)
    )
    return hashlib.blake2b(
        whole.translate(_INSIGNIFICANT).lower().encode("utf-8", "surrogatepass"), digest_size=16
    ).hexdigest()


@cache
def _expected(version: int) -> frozenset[Row]:
    return frozenset(map(_plain, _rows(_made(version))))


@cache
def _made(version: int) -> sqlite3.Connection:
    """An empty file of a version, in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(connection, through=version)
    return connection


def _describe(connection: sqlite3.Connection, row: Row, version: int) -> str:
    kind, name, table, _ = row
    own = {(kind, name) for kind, name, _, _ in _expected(version)}
    if kind == "table" and (kind, name) in own:
        ours = _columns(_made(version), name)
        for column in _columns(connection, name):
            if column not in ours:
                return f"the column '{_shown(column)}' of the table '{name}'"
        return f"the table '{name}' in another form"
    what = kind if kind in _KINDS else "part"
    on = f" on the table '{_shown(table)}'" if kind in ("trigger", "index") else ""
    return f"the {what} '{_shown(name)}'{on}"


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table, generated ones too."""
    try:
        found = connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,)).fetchall()
    except sqlite3.DatabaseError:
        return []
    return [str(name) for (name,) in found]


def _shown(name: str) -> str:
    """A name of somebody else's in a message: short, and without anything that is no letter."""
    return "".join(one if one.isprintable() else "?" for one in name[:60])


if __name__ == "__main__":
    print(_digest(_rows(_made(LATEST))))

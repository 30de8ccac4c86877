"""The later steps of the schema; frozen, as those in ``migrations`` are, which runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from sqlite_utils import Database as Tables


def _add_record_bases(tables: object) -> None:
    """The bases of records that were edited often, whose rows have the updates since."""
    cast("Tables", tables).conn.execute(
        "CREATE TABLE record_bases (record TEXT PRIMARY KEY, state BLOB NOT NULL, "
        "names BLOB NOT NULL)"
    )


def _add_what_programs_see(tables: object) -> None:
    """Versions of the parts of references, the names of what is gone, and the tokens of writes."""
    connection = cast("Tables", tables).conn
    # Of a part that is not known to have changed, the version is its reference's.
    connection.execute("ALTER TABLE short_keys ADD COLUMN version INTEGER")
    connection.execute("ALTER TABLE short_keys ADD COLUMN content BLOB")
    connection.execute(
        "CREATE TABLE gone_keys (key TEXT PRIMARY KEY, kind TEXT NOT NULL, "
        "version INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX gone_since ON gone_keys (version)")
    connection.execute(
        "CREATE TABLE write_tokens (token BLOB PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX tokens_by_age ON write_tokens (used)")


def _add_basis(tables: object) -> None:
    """What tells whether only plain fields of a reference changed since it was derived."""
    cast("Tables", tables).conn.execute("ALTER TABLE refs ADD COLUMN basis BLOB")


def _index_without_texts(tables: object) -> None:
    """A search index that does not keep the texts; and states that no older program can open.

    Lists are derived again, which fills it.
    """
    connection = cast("Tables", tables).conn
    connection.execute("DROP TABLE IF EXISTS refs_fts")
    connection.execute(
        "CREATE VIRTUAL TABLE refs_fts USING fts5(title, author, editor, creators, container, "
        "abstract, note, tags, marks, tokenize='ascii', prefix='1 2', content='')"
    )


def _list_in_less_room(tables: object) -> None:
    """Rows of lists with one compressed body, elements by the numbers of these rows, and no index
    of what few references have that holds them all. Lists are derived again, which fills them.
    """
    execute = cast("Tables", tables).conn.execute
    for name in ("refs", "elements"):
        execute(f"DROP TABLE IF EXISTS {name}")
    execute(
        "CREATE TABLE refs (number INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT, key_rank TEXT, "
        "type TEXT, title TEXT, body BLOB NOT NULL, year INTEGER, trashed INTEGER NOT NULL, "
        "conflicts INTEGER NOT NULL, basis BLOB)"
    )
    execute("CREATE UNIQUE INDEX idx_refs_id ON refs (id)")
    execute("CREATE INDEX idx_refs_key ON refs (key)")
    execute("CREATE INDEX refs_in_trash ON refs (id) WHERE trashed = 1")
    execute("CREATE INDEX refs_in_conflict ON refs (conflicts) WHERE conflicts > 0")
    execute(
        "CREATE TABLE elements (field INTEGER NOT NULL, trashed INTEGER NOT NULL, "
        "element TEXT NOT NULL, number INTEGER NOT NULL, "
        "PRIMARY KEY (field, trashed, element, number)) WITHOUT ROWID"
    )


def _list_in_still_less_room(tables: object) -> None:
    """A search index of which the abstract is the first column, with the marks, and that does not
    count words; rows of lists with the title in their body; and sources by the bytes of their
    records. Lists are derived again, which fills them.
    """
    execute = cast("Tables", tables).conn.execute
    for name in ("refs_fts", "refs", "sources"):
        execute(f"DROP TABLE IF EXISTS {name}")
    execute(
        "CREATE VIRTUAL TABLE refs_fts USING fts5(abstract, title, author, editor, creators, "
        "container, note, tags, tokenize='ascii', prefix='1 2', content='', columnsize=0)"
    )
    execute(
        "CREATE TABLE refs (number INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT, key_rank TEXT, "
        "type TEXT, body BLOB NOT NULL, year INTEGER, trashed INTEGER NOT NULL, "
        "conflicts INTEGER NOT NULL, basis BLOB)"
    )
    execute("CREATE UNIQUE INDEX idx_refs_id ON refs (id)")
    execute("CREATE INDEX idx_refs_key ON refs (key)")
    execute("CREATE INDEX refs_in_trash ON refs (id) WHERE trashed = 1")
    execute("CREATE INDEX refs_in_conflict ON refs (conflicts) WHERE conflicts > 0")
    execute(
        "CREATE TABLE sources (record BLOB NOT NULL, format TEXT NOT NULL, "
        "source_id TEXT NOT NULL, content BLOB NOT NULL, blocks TEXT NOT NULL)"
    )
    execute("CREATE INDEX idx_sources_format_source_id ON sources (format, source_id)")
    execute("CREATE INDEX idx_sources_record ON sources (record)")


def _index_what_is_sealed(tables: object) -> None:
    """An own change that is not sealed has neither hash nor chain: no index of these is written."""
    execute = cast("Tables", tables).conn.execute
    for name, unique, columns in (
        ("idx_changes_hash", "UNIQUE ", "hash"),
        ("idx_changes_chain_seq", "", "chain, seq"),
    ):
        execute(f"DROP INDEX IF EXISTS {name}")
        first = columns.partition(",")[0]
        execute(f"CREATE {unique}INDEX {name} ON changes ({columns}) WHERE {first} IS NOT NULL")


#: The steps after those of ``migrations``, in their order.
LATER_STEPS: Final[tuple[Callable[[object], None], ...]] = (
    lambda _: None,  # lists are derived again, with every note and annotation
    _add_record_bases,
    _add_what_programs_see,
    _add_basis,
    _index_without_texts,
    _list_in_less_room,
    _list_in_still_less_room,
    _index_what_is_sealed,
)

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


#: The steps after those of ``migrations``, in their order.
LATER_STEPS: Final[tuple[Callable[[object], None], ...]] = (
    lambda _: None,  # lists are derived again, with every note and annotation
    _add_record_bases,
    _index_without_texts,
)

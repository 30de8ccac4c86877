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


def _add_basis(tables: object) -> None:
    """What tells whether only plain fields of a reference changed since it was derived."""
    cast("Tables", tables).conn.execute("ALTER TABLE refs ADD COLUMN basis BLOB")


#: The steps after those of ``migrations``, in their order.
LATER_STEPS: Final[tuple[Callable[[object], None], ...]] = (
    lambda _: None,  # lists are derived again, with every note and annotation
    _add_record_bases,
    _add_basis,
)

"""The ranks of one order, made a piece at a time, so that nobody waits for all of it.

All pieces are of one moment, whatever is written meanwhile: they are read by a connection of their
own, in one read transaction that ends with the last of them.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct

from bifolio.records.sorting import Sort
from bifolio.storage.database import Database
from bifolio.storage.index import SearchIndex
from bifolio.storage.places_mark import PlacesMark, read_mark
from bifolio.storage.ranks import Ranks

#: References of one piece: a millisecond or two.
_AT_ONCE: Final = 1000


class MadeRanks(Struct, frozen=True):
    """The ranks of an order at a moment; None where they would take too much memory."""

    ranks: Ranks | None
    mark: PlacesMark


def make_ranks(path: Path, sort: Sort) -> Generator[MadeRanks | None, None, None]:
    """Read an order of the file at a path: None after each piece, and in the end what was made;
    nothing in the end where this is no moment to begin from (``read_mark``)."""
    with closing(Database.open(path)) as database:
        database.forbid_writing()
        with database.snapshot():
            mark = read_mark(database)
            if mark is None:
                return
            index = SearchIndex(database)
            if not Ranks.are_compact(*index.spread()):
                yield MadeRanks(None, mark)
                return
            ranks = Ranks()
            order = index.iterate(sort, trashed=False)
            while some := list(islice(order, _AT_ONCE)):
                ranks.extend(some)
                yield None
            yield MadeRanks(ranks, mark)

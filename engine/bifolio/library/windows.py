"""A library as a front end reads it that shows a part of it at a time: ``Windows(library)``.

A list is its order (the numbers of all that is in it, sorted) and the rows of the few that are
shown; no page is counted from the beginning. Versions say what changed since, so that what was
read once is read again only where it is not what it was.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Generator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bifolio import limits
from bifolio.errors import UsageError
from bifolio.history import replay
from bifolio.records.sorting import Order, Sort, parse_sort
from bifolio.replica import lookup
from bifolio.replica.note_views import annotation_views, note_views
from bifolio.replica.projection import has_parts, shown_fields, strings_of
from bifolio.results import LibraryChanges, WindowRow
from bifolio.search.search import Searches
from bifolio.storage.places_mark import PlacesMark as PlacesMark
from bifolio.storage.places_mark import moved_since, read_mark
from bifolio.storage.ranks import Ranks as Ranks
from bifolio.storage.ranks_in_pieces import MadeRanks as MadeRanks
from bifolio.storage.ranks_in_pieces import make_ranks
from bifolio.storage.window_rows import StoredWindowRow as StoredWindowRow
from bifolio.storage.window_rows import WindowRows

if TYPE_CHECKING:
    from bifolio.library.library import Library
    from bifolio.search.query import Query


class Windows:
    """Orders, windows and versions of one library.

    Args:
        at_once: make the indexes of its lists now, where it has none yet, which takes a second of
            100,000 references; otherwise ``make_index`` makes one after the other, and each list is
            sorted until then.
    """

    def __init__(self, library: Library, *, at_once: bool = True) -> None:
        self._replica = library._replica
        self._rows = WindowRows(self._replica.database, self._replica.references)
        if not self._replica.database.is_read_only:
            replay.ensure_index(self._replica)
            if at_once and not self.has_indexes:
                with self._replica.database.transaction():
                    self._replica.references.index.lists.make()

    @property
    def has_indexes(self) -> bool:
        """Whether lists are read off indexes."""
        return self._replica.references.index.lists.are_there()

    def make_index(self) -> bool:
        """Make one of the indexes that are missing. Returns whether there are more."""
        with self._replica.database.transaction():
            return self._replica.references.index.lists.make_next()

    # --- lists ----------------------------------------------------------------------------

    def order(
        self,
        query: str | Query | None = None,
        *,
        sort: str | None = None,
        trashed: bool = False,
        most: int | None = None,
    ) -> list[int]:
        """The numbers of all references of a list, in order.

        Args:
            query: in the search language, or one of ``search.filters``; None: all of them.
            sort: an order of ``records.sorting``; by default relevance, without a query the id.
            trashed: what is in the trash, of which there is no search.
            most: the first so many only.

        Raises:
            QueryError, InvalidValueError, GroupNotFoundError, AmbiguousGroupError.
        """
        chosen = parse_sort(sort) if sort else None
        if query is None:
            index = self._replica.references.index
            return index.all(chosen or Sort(Order.ID), trashed=trashed, most=most)
        if trashed:
            raise UsageError("A search does not look into the trash.")
        return Searches(self._replica).order(query, sort=chosen, most=most)

    def matching(self, query: Query) -> Collection[int]:
        """The numbers of the references that a query finds, in no order.

        Raises:
            QueryError, GroupNotFoundError, AmbiguousGroupError.
        """
        return Searches(self._replica).matching(query)

    def in_order(
        self, numbers: Collection[int], *, sort: str, most: int | None = None
    ) -> list[int]:
        """These references in an order; the first so many only, where none is in the trash."""
        return self._replica.references.index.in_order(numbers, parse_sort(sort), most=most)

    def make_ranks(self, sort: str) -> Generator[MadeRanks | None, None, None]:
        """Make the ranks of all live references in an order, by which any of them are sorted: a
        step does a millisecond or two of it, and gives them in the end. To be closed, by the same
        thread, where not all steps are gone.

        Good for those that ``moved_since`` does not name; none come where not all is derived yet.
        """
        return make_ranks(self._replica.database.path, parse_sort(sort))

    def places_mark(self) -> PlacesMark | None:
        """This moment, for ``moved_since``; None where what is read now may be undone yet, or not
        all is derived."""
        return read_mark(self._replica.database)

    def moved_since(self, mark: PlacesMark) -> list[int] | None:
        """The numbers of the references whose places in the orders may be others than at a moment,
        those that are new among them; None: too many, or any may."""
        return moved_since(self._replica.database, mark, most=limits.SERVE_MOVED_MAX)

    def count(self, query: str | Query | None = None, *, trashed: bool = False) -> int:
        """How many references ``order`` has numbers of."""
        if query is None:
            return self._replica.references.count(trashed=trashed)
        return Searches(self._replica).count(query)

    def rows(self, numbers: Sequence[int]) -> list[WindowRow]:
        """The references of these numbers, in their order; those that are gone are left out."""
        return [self.show(one) for one in self.stored(numbers)]

    def stored(self, numbers: Sequence[int]) -> list[StoredWindowRow]:
        """``rows`` as they are stored: for who knows already what comes of the same row."""
        _ = self._replica.references  # what waits to be derived is derived first
        return self._rows.read(numbers)

    def show(self, stored: StoredWindowRow) -> WindowRow:
        """A reference as it is shown."""
        row = self._rows.reference(stored)
        more = has_parts(row)
        return WindowRow(
            id=row.id,
            key=lookup.shown_key(row),
            type=row.type,
            fields=shown_fields(row),
            tags=tuple(strings_of(row.fields, "tags")),
            groups=tuple(strings_of(row.fields, "groups")),
            trashed=row.trashed,
            version=stored.version,
            added=lookup.moment(stored.added) if stored.added else None,
            modified=lookup.moment(stored.modified) if stored.modified else None,
            notes=note_views(row) if more else (),
            annotations=annotation_views(row.fields) if more else (),
        )

    def find(self, record_ids: Sequence[str]) -> list[WindowRow]:
        """Those of these references that are listed, in the order given."""
        numbers = self._replica.references.numbers_among(record_ids)
        return self.rows([numbers[one] for one in dict.fromkeys(record_ids) if one in numbers])

    def export(self, record_ids: Sequence[str], *, format: str) -> str:
        """References as one text in a format of ``Library.export``, in the order given."""
        from bifolio.exports.export import export_some

        rows = [self._replica.references.read(one) for one in record_ids]
        out = io.BytesIO()
        export_some(self._replica, out, [row for row in rows if row is not None], format=format)
        return out.getvalue().decode()

    def moment(self) -> AbstractContextManager[None]:
        """All that is read inside is of one moment, whatever others write."""
        return self._replica.snapshot()

    # --- versions ---------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The library's version: the number of its last change here. Another replica numbers
        its own."""
        return self._replica.journal.index.versions.newest()

    def changes_since(self, version: int) -> LibraryChanges:
        """What changed after a version."""
        newer = self._replica.journal.index.versions.since(version)
        records = tuple(one.record for one in newer)
        numbers = self._replica.references.numbers_among(records)
        return LibraryChanges(self.version, records, tuple(sorted(numbers.values())))

    def versions_of(self, record_ids: Sequence[str]) -> dict[str, int]:
        """The versions of these records; 0 of one whose history begins later."""
        found = self._replica.journal.index.versions.among(record_ids)
        return {one: found[one].version if one in found else 0 for one in record_ids}

    def data_version(self) -> tuple[int, int]:
        """Another value whenever anybody wrote to the library's file, this opening included."""
        database = self._replica.database
        return database.data_version(), database.transactions_begun

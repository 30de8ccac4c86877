"""Searches: from the tree of a query to one expression of the index, and from it to references.

What a query names by a group is put in here: a smart group is its query in brackets. One that
contains itself, through however many others, finds nothing on the way back in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from datetime import date, datetime, timedelta
from functools import cached_property

from msgspec.structs import replace

from bifolio import limits
from bifolio.clock import make_stamp
from bifolio.errors import Next, QueryError, UsageError
from bifolio.records.sorting import Order, Sort, parse_sort
from bifolio.records.terms import Mark, mark
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import ReferenceView
from bifolio.search.group_tree import Tree
from bifolio.search.query import (
    NOTHING,
    All,
    Dated,
    Either,
    InFile,
    InGroup,
    Marked,
    Not,
    Query,
    Text,
    parse_query,
)
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.expressions import either, every, phrase, without
from bifolio.storage.groups import GroupRow
from bifolio.storage.texts import Texts

_EVERY = Marked(mark(Mark.ANY))


class Searches:
    """Searches of one replica at one moment: the groups are read once."""

    def __init__(self, replica: Replica, tree: Tree | None = None) -> None:
        self._replica = replica
        self._given_tree = tree

    @cached_property
    def _tree(self) -> Tree:
        return self._given_tree or Tree(self._replica.groups.all())

    def rows(
        self, query: str, *, sort: Sort | None = None, most: int | None = None
    ) -> Iterator[ReferenceRow]:
        """The live references that a query finds; by relevance where nothing else is said.

        Raises:
            QueryError, GroupNotFoundError, AmbiguousGroupError.
        """
        return self._replica.references.by_number(self.order(query, sort=sort, most=most))

    def order(
        self, query: str | Query, *, sort: Sort | None = None, most: int | None = None
    ) -> list[int]:
        """The numbers of the live references that a query finds, in order: what ``rows`` reads a
        window of.

        Raises:
            QueryError, GroupNotFoundError, AmbiguousGroupError.
        """
        tree = parse_query(query) if isinstance(query, str) else query
        return self._find(self._resolve_groups(tree), sort, most)

    def matching(self, query: Query) -> Collection[int]:
        """The numbers of the live references that a query finds, in no order.

        Raises:
            QueryError, GroupNotFoundError, AmbiguousGroupError.
        """
        tree = self._resolve_groups(query)
        if _is_beyond_index(tree):
            return self._set(tree)
        return self._replica.references.index.find_any(_expression(tree))

    def in_group(
        self, row: GroupRow, *, sort: Sort | None = None, most: int | None = None
    ) -> Iterator[ReferenceRow]:
        """The live references of a group."""
        tree = self._of_group(row, frozenset())
        return self._replica.references.by_number(self._find(tree, sort or Sort(Order.ID), most))

    def count(self, query: str | Query) -> int:
        """How many references a query finds."""
        tree = parse_query(query) if isinstance(query, str) else query
        return self._count(self._resolve_groups(tree))

    def count_group(self, row: GroupRow) -> int:
        """How many references are in a group."""
        return self._count(self._of_group(row, frozenset()))

    def check(self, query: str) -> None:
        """Raise what a search for the query would raise."""
        self._resolve_groups(parse_query(query))

    # --- small steps --------------------------------------------------------------------------

    def _count(self, tree: Query) -> int:
        if _is_beyond_index(tree):
            return len(self._set(tree))
        return self._replica.references.index.count(_expression(tree))

    def _find(self, tree: Query, sort: Sort | None, most: int | None) -> list[int]:
        index = self._replica.references.index
        sort = sort or Sort(Order.RELEVANCE)
        if _is_beyond_index(tree):
            return index.in_order(self._set(tree), sort, most=most)
        expression = _expression(tree)
        if sort.order is not Order.RELEVANCE:
            return index.find(expression, sort, most=most)
        near = _nearer(tree)
        if near == tree:
            return index.find(expression, sort, most=most)
        first = _expression(near)
        rest = without(expression, first)
        tiers = (rest, first) if sort.descending else (first, rest)
        found: list[int] = []
        for tier in tiers:
            if most is None or len(found) < most:
                found += index.find(tier, sort, most=None if most is None else most - len(found))
        return found

    def _set(self, tree: Query) -> set[int]:
        """The numbers of what a query finds that asks for days or for what files say: neither is
        in the index of references."""
        index = self._replica.references.index
        if not _is_beyond_index(tree):
            return set(index.find_any(_expression(tree)))
        if isinstance(tree, Dated):
            first = _stamp_of(tree.first, self._replica.runtime.now_ms())
            last = _stamp_of(tree.last, self._replica.runtime.now_ms(), after=1)
            return index.find_between(tree.moment, first or "", last or "g")
        if isinstance(tree, InFile):
            hashes = Texts(self._replica.path).find(phrase(tree.words, prefix=tree.prefix))
            return self._replica.references.attachments.live_numbers_with(hashes)
        if isinstance(tree, Either):
            return set[int]().union(*map(self._set, tree.parts))
        wanted = [part for part in _parts(tree) if not isinstance(part, Not)]
        unwanted = [part.part for part in _parts(tree) if isinstance(part, Not)]
        sets = [self._set(part) for part in wanted or [_EVERY]]
        return set.intersection(*sets).difference(*map(self._set, unwanted))

    def _resolve_groups(self, tree: Query) -> Query:
        resolved = self._resolve(tree, frozenset())
        if _size(resolved) > limits.QUERY_EXPANDED_MAX:
            raise _too_large()
        return resolved

    def _resolve(self, tree: Query, inside: Set[str]) -> Query:
        """The tree with what is in each group in its place."""
        if isinstance(tree, InGroup):
            return self._of_group(self._tree.find(tree.name), inside)
        if isinstance(tree, Not):
            return Not(self._resolve(tree.part, inside))
        if isinstance(tree, All | Either):
            parts = tuple(self._resolve(part, inside) for part in tree.parts)
            if sum(map(_size, parts)) > limits.QUERY_EXPANDED_MAX:
                raise _too_large()
            return replace(tree, parts=parts)
        return tree

    def _of_group(self, row: GroupRow, inside: Set[str]) -> Query:
        if row.query is None:
            return Marked(mark(Mark.GROUP, row.id))
        if row.id in inside:
            return NOTHING
        try:
            return self._resolve(parse_query(row.query), inside | {row.id})
        except QueryError as error:
            raise QueryError(
                f"in the smart group '{row.name}', {error.reason}", next_step=error.next_step
            ) from error


def search(
    replica: Replica, query: str, *, sort: str | None, limit: int | None
) -> Iterator[ReferenceView]:
    """What a query finds, as it is shown."""
    chosen = parse_sort(sort) if sort else None
    return _show(replica, Searches(replica).rows(query, sort=chosen, most=limit))


def list_references(
    replica: Replica, *, trash: bool, query: str | None, sort: str | None, limit: int | None
) -> Iterator[ReferenceView]:
    """The references of a replica (or its trash), or what a query finds among the live ones.

    Raises:
        UsageError: a query for what is in the trash.
    """
    chosen = parse_sort(sort) if sort else Sort(Order.ID)
    if query is not None and trash:
        raise UsageError(
            "A search does not look into the trash.",
            next_step=Next.CHOOSE_QUERY_OR_TRASH,
        )
    if query is not None:
        return _show(replica, Searches(replica).rows(query, sort=chosen, most=limit))
    references = replica.references
    if sort is None and limit is None:
        return _show(replica, references.iter_rows(trashed=trash))
    numbers = references.index.all(chosen, trashed=trash, most=limit)
    return _show(replica, references.by_number(numbers))


def _show(replica: Replica, rows: Iterator[ReferenceRow]) -> Iterator[ReferenceView]:
    return (lookup.show(replica, row) for row in rows)


def _too_large() -> QueryError:
    return QueryError(
        f"with the smart groups that it names it has more than {limits.QUERY_EXPANDED_MAX:,} words",
        next_step=Next.LIST_GROUPS,
    )


def _is_beyond_index(tree: Query) -> bool:
    """Whether a query asks for days, or for what files say."""
    if isinstance(tree, Not):
        return _is_beyond_index(tree.part)
    if isinstance(tree, All | Either):
        return any(map(_is_beyond_index, tree.parts))
    return isinstance(tree, Dated | InFile)


def _stamp_of(day: str | int | None, now_ms: int, *, after: int = 0) -> str | None:
    """The stamp at which a day (or the one so many days after) begins, in this computer's time."""
    if day is None:
        return None
    try:
        if isinstance(day, int):
            begins = datetime.fromtimestamp(now_ms / 1000).astimezone().date()
            begins -= timedelta(days=day)
        else:
            begins = date.fromisoformat(day)
        begins += timedelta(days=after)
        moment = datetime(begins.year, begins.month, begins.day).astimezone()
        return make_stamp(milliseconds=max(int(moment.timestamp() * 1000), 0), counter=0)
    except (OverflowError, ValueError, OSError):
        return "" if after == 0 and not isinstance(day, str) else "g"


def _size(tree: Query) -> int:
    if isinstance(tree, Not):
        return _size(tree.part)
    if isinstance(tree, All | Either):
        return 1 + sum(map(_size, tree.parts))
    return 1


def _nearer(tree: Query) -> Query:
    """The same query of the titles and keys alone, where it names no column: those come first."""
    if isinstance(tree, Text) and not tree.columns:
        return replace(tree, columns=("title",))
    if isinstance(tree, All | Either):
        return replace(tree, parts=tuple(map(_nearer, tree.parts)))
    return tree


def _expression(tree: Query) -> str:
    """The tree as an expression of the index."""
    if isinstance(tree, Text):
        words = phrase(tree.words, prefix=tree.prefix, columns=tree.columns)
        return either([words, *(phrase((one,)) for one in tree.marks)])
    if isinstance(tree, Marked):
        return phrase((tree.mark,), prefix=tree.prefix)
    if isinstance(tree, Either):
        return either([_expression(part) for part in tree.parts])
    wanted = [part for part in _parts(tree) if not isinstance(part, Not)]
    unwanted = [part.part for part in _parts(tree) if isinstance(part, Not)]
    found = every([_expression(part) for part in wanted or [_EVERY]])
    if unwanted:
        found = without(found, either([_expression(part) for part in unwanted]))
    return found


def _parts(tree: Query) -> tuple[Query, ...]:
    return tree.parts if isinstance(tree, All) else (tree,)

"""Lists of items: which they are, in what order, and which page of them is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from bifolio.formats.mapping.zotero import CSL_TYPES
from bifolio.formats.zotero.interface_items import fields_of_item
from bifolio.results import WindowRow
from bifolio.search import filters
from bifolio.search.query import Query
from bifolio.serve.item_objects import Entry, Objects
from bifolio.serve.parameters import SORTS, Choice, Parameters
from bifolio.serve.served_library import ServedLibrary

#: References read at once while a list is walked.
_AT_ONCE: Final = 500

_CHILDREN: Final = ("note", "attachment", "annotation")


class Scope(Struct, frozen=True):
    """Which items a path is about: ``group`` is the id of the group that they are in."""

    top: bool = False
    trashed: bool = False
    group: str | None = None


class Page(Struct, frozen=True):
    """One page of a list, and how many items the whole list has.

    Of a page of references alone there are only their numbers, by which they are read.
    """

    entries: list[Entry] | None
    total: int
    numbers: Sequence[int] = ()

    def read(self, served: ServedLibrary, objects: Objects) -> list[Entry]:
        """The items of the page."""
        if self.entries is not None:
            return self.entries
        return list(objects.entries(served.windows.rows(self.numbers), with_children=False))


def list_items(served: ServedLibrary, objects: Objects, scope: Scope, wanted: Parameters) -> Page:
    """The page of a list that is asked for."""
    kept, with_children = _kept_types(scope, wanted)
    if wanted.keys is not None:
        return _of_keys(served, objects, scope, wanted, kept)
    query = _query(served, scope, wanted)
    only = None if wanted.since is None else set(served.windows.changes_since(wanted.since).numbers)
    is_plain = kept is None and not with_children and only is None
    if is_plain and wanted.sort in SORTS and not _looks_into_trash(scope, wanted):
        return _of_references(served, scope, query, wanted)
    numbers = _order(served, scope, query, wanted)
    if only is not None:
        numbers = [one for one in numbers if one in only]
    if kept is None and not with_children:
        return Page(None, len(numbers), _cut(numbers, wanted))
    return _walk(served, objects, numbers, wanted, kept, with_children=with_children)


def _of_references(
    served: ServedLibrary, scope: Scope, query: Query | None, wanted: Parameters
) -> Page:
    """A page of references alone: read off an index as far as it reaches."""
    most = None if wanted.limit is None else wanted.start + wanted.limit
    if query is not None:
        found = served.found_lists.of(query, lambda: served.windows.matching(query))
        sort = _sort_of(wanted)
        numbers = found.in_order(
            sort, most, lambda all: served.ranks.in_order(all, sort=sort, most=most)
        )
        return Page(None, len(found.numbers), _cut(numbers, wanted))
    total = served.keep(("count", scope), lambda: served.windows.count(None, trashed=scope.trashed))
    numbers = _order(served, scope, None, wanted, most=most)
    return Page(None, total, _cut(numbers, wanted))


def _walk(
    served: ServedLibrary,
    objects: Objects,
    numbers: Sequence[int],
    wanted: Parameters,
    kept: Callable[[Entry], bool] | None,
    *,
    with_children: bool,
) -> Page:
    """A page of a list of which only reading its references tells what is in it.

    Where all of a reference's children are in it, how many there are is known without.
    """
    entries: list[Entry] = []
    count = 0
    last = None if wanted.limit is None else wanted.start + wanted.limit
    known = kept is None and wanted.since is None and not wanted.words and not wanted.tags
    for start in range(0, len(numbers), _AT_ONCE):
        rows = served.windows.rows(numbers[start : start + _AT_ONCE])
        for one in objects.entries(rows, with_children=with_children):
            if _is_new(one, wanted) and (kept is None or kept(one)):
                if count >= wanted.start and (last is None or count < last):
                    entries.append(one)
                count += 1
        if known and last is not None and count >= last:
            return Page(entries, len(numbers) + _count_children(served, numbers))
    return Page(entries, count)


def _count_children(served: ServedLibrary, numbers: Sequence[int]) -> int:
    """How many notes and files these references have: all that there are, or of those in a list."""

    def count() -> int:
        found = 0
        for start in range(0, len(numbers), _AT_ONCE):
            rows = served.windows.rows(numbers[start : start + _AT_ONCE])
            names = served.names.of([row.id for row in rows])
            found += sum(1 for keys in names.values() for part in keys if part)
        return found

    if len(numbers) == served.windows.count():
        return served.keep("parts", lambda: served.names.count_parts(trashed=False))
    return served.keep(("parts", tuple(numbers[:_AT_ONCE]), len(numbers)), count)


def _of_keys(
    served: ServedLibrary,
    objects: Objects,
    scope: Scope,
    wanted: Parameters,
    kept: Callable[[Entry], bool] | None,
) -> Page:
    assert wanted.keys is not None
    rows = served.windows.find(served.records_of(wanted.keys))
    keys = set(wanted.keys)
    found = [
        one
        for one in objects.entries(rows, with_children=True)
        if one.key in keys
        and (kept is None or kept(one))
        and (one.row.trashed == scope.trashed or wanted.trashed_too)
        and _is_new(one, wanted)
    ]
    return Page(_cut(found, wanted), len(found))


def _is_new(entry: Entry, wanted: Parameters) -> bool:
    return wanted.since is None or entry.version > wanted.since


def _order(
    served: ServedLibrary,
    scope: Scope,
    query: Query | None,
    wanted: Parameters,
    *,
    most: int | None = None,
) -> list[int]:
    if wanted.sort not in SORTS:
        return _order_by_field(served, scope, query, wanted)
    sort = _sort_of(wanted)
    found = served.windows.order(query, sort=sort, trashed=scope.trashed, most=most)
    if _looks_into_trash(scope, wanted):
        return served.windows.in_order([*found, *_in_trash(served, scope, wanted)], sort=sort)
    return found


def _looks_into_trash(scope: Scope, wanted: Parameters) -> bool:
    return wanted.trashed_too and not scope.trashed


def _in_trash(served: ServedLibrary, scope: Scope, wanted: Parameters) -> list[int]:
    """What in the trash is asked for next to what lives; the types are seen to later."""
    numbers = served.windows.order(None, trashed=True)
    words = wanted.words.casefold().split()
    if not (words or wanted.tags or scope.group):
        return numbers
    return [
        number
        for number in numbers
        for row in served.windows.rows([number])
        if (scope.group is None or scope.group in row.groups) and _has(row, words, wanted.tags)
    ]


def _sort_of(wanted: Parameters) -> str:
    return ("-" if wanted.descending else "") + SORTS[wanted.sort]


def _order_by_field(
    served: ServedLibrary, scope: Scope, query: Query | None, wanted: Parameters
) -> list[int]:
    """An order of a field that has no index: everything is read once, and kept until somebody
    writes."""

    def sort() -> list[int]:
        numbers = served.windows.order(
            query, sort="title" if query else "id", trashed=scope.trashed
        )
        if _looks_into_trash(scope, wanted):
            numbers += _in_trash(served, scope, wanted)
        keyed: list[tuple[str, int]] = []
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            rows = {row.id: row for row in served.windows.rows(part)}
            by_number = zip(part, rows.values(), strict=False)
            keyed += [(_value(row, wanted.sort), number) for number, row in by_number]
        keyed.sort(key=lambda one: one[0].casefold(), reverse=wanted.descending)
        return [number for _, number in keyed]

    asked = (scope, query, wanted.words, wanted.tags, wanted.trashed_too)
    return served.keep(("order", asked, wanted.sort, wanted.descending), sort)


def _value(row: WindowRow, name: str) -> str:
    data: dict[str, Any] = fields_of_item(row.type, row.fields, row.key)
    return str(data.get(name, ""))


def _has(row: WindowRow, words: Sequence[str], tags: Sequence[Choice]) -> bool:
    """Whether a reference has words in its values, and tags."""
    said = [*row.fields.values(), *(one.text for one in row.notes)]
    text = " ".join(map(str, said)).casefold()
    tagged = all(any(one in choice.values for one in row.tags) != choice.without for choice in tags)
    return tagged and all(one in text for one in words)


def _query(served: ServedLibrary, scope: Scope, wanted: Parameters) -> Query | None:
    parts: list[Query] = []
    if scope.trashed:
        return None
    if scope.group is not None:
        parts.append(filters.in_group(scope.group))
    if wanted.words.strip():
        in_files = wanted.everywhere and served.library.files.texts_version > 0
        words = filters.with_words(wanted.words, everywhere=wanted.everywhere, in_files=in_files)
        parts.append(words)
    for choice in wanted.tags:
        tagged = filters.any_of([filters.with_tag(one) for one in choice.values])
        parts.append(filters.none_of(tagged) if choice.without else tagged)
    for choice in wanted.types:
        kinds = [one for one in choice.values if one in CSL_TYPES and one not in _CHILDREN]
        if not choice.without and kinds and len(kinds) == len(choice.values):
            parts.append(filters.any_of([filters.of_type(CSL_TYPES[one]) for one in kinds]))
    return filters.all_of(parts) if parts else None


def _kept_types(scope: Scope, wanted: Parameters) -> tuple[Callable[[Entry], bool] | None, bool]:
    """Which items the types that are asked for leave, and whether any of those is a child."""
    filtered = bool(wanted.words.strip() or wanted.tags)
    choices = wanted.types
    if scope.trashed and filtered:  # what lies in the trash is in no index
        found = wanted.words.casefold().split()
        return (lambda entry: _has(entry.row, found, wanted.tags)), False
    if not choices:
        return None, not (scope.top or filtered)

    def keeps(kind: str) -> bool:
        return all((kind in one.values) != one.without for one in choices)

    children = not scope.top and any(map(keeps, _CHILDREN))
    return (lambda entry: keeps(entry.kind)), children


def _cut(found: Sequence[Any], wanted: Parameters) -> list[Any]:
    last = None if wanted.limit is None else wanted.start + wanted.limit
    return list(islice(found, wanted.start, last))

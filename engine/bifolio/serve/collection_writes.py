"""Collections made, changed and deleted, and tags taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bifolio.errors import NotTaggedError
from bifolio.library.short_names import is_short_name
from bifolio.results import GroupView
from bifolio.search import filters
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.item_checks import editable, read_version
from bifolio.serve.served_library import ServedLibrary

_PROPERTIES: Final = (
    "key version collectionKey collectionVersion name parentCollection relations deleted"
).split()


def write(
    served: ServedLibrary, given: Mapping[str, Any], *, version: int | None, patch: bool
) -> tuple[str, bool]:
    """Make a collection, or change the one that its key names; its key, and whether anything was
    changed.

    Raises:
        Refusal, BifolioError: nothing was changed.
    """
    given = editable(given)
    key = given.get("key") or given.get("collectionKey")
    seen = read_version(given, version)
    _check(given)
    if key is not None and (not isinstance(key, str) or not is_short_name(key)):
        raise Refusal(400, "Invalid key")
    if key is None or key not in served.collections:
        if key is not None and seen not in (0, None):
            raise not_found("Collection not found")
        return _create(served, given, key), True
    if seen is None:
        raise Refusal(428, "'version' or If-Unmodified-Since-Version not provided")
    return key, _change(served, key, given, version=seen, patch=patch)


def delete(served: ServedLibrary, key: str, *, version: int) -> None:
    """Delete a collection; what is in it stays in the library."""
    group = served.collection(key)
    _check_version(served, group, version)
    served.library.groups.delete(group.id)


def delete_tags(served: ServedLibrary, names: Sequence[str]) -> int:
    """Take tags off everything that has them; how many of them there were."""
    found = 0
    for name in names:
        numbers = served.windows.order(filters.with_tag(name), sort="id")
        refs = [row.id for row in served.windows.rows(numbers)]
        if not refs:
            continue
        try:
            served.library.tags.remove(name, refs)
        except NotTaggedError:
            continue  # the same word, another tag
        found += 1
    return found


def _create(served: ServedLibrary, given: Mapping[str, Any], key: str | None) -> str:
    parent = _parent(served, given)
    name = given.get("name")
    if not name or not name.strip():
        raise Refusal(400, "'name' not provided")
    made = served.library.groups.create(name, parent=parent)
    return served.names.add(made.id, wanted=key)


def _change(
    served: ServedLibrary, key: str, given: Mapping[str, Any], *, version: int, patch: bool
) -> bool:
    group = served.collection(key)
    _check_version(served, group, version)
    changed = False
    name = given.get("name")
    if name is None and not patch:
        raise Refusal(400, "'name' not provided")
    if name is not None and name != group.name:
        served.library.groups.rename(group.id, name)
        changed = True
    if "parentCollection" in given:
        parent = _parent(served, given)
        if parent != group.parent:
            served.library.groups.move(group.id, parent=parent)
            changed = True
    return changed


def _check(given: Mapping[str, Any]) -> None:
    """Raise the refusal of a collection that has a part of a wrong form, or one that none has."""
    for name, value in given.items():
        if name not in _PROPERTIES:
            raise Refusal(400, f"Invalid property '{name[:40]}'")
        if name == "name" and value is not None and not isinstance(value, str):
            raise Refusal(400, "'name' must be a text")
        if name == "parentCollection" and value and not isinstance(value, str):
            raise Refusal(400, "'parentCollection' must be a key or false")


def _parent(served: ServedLibrary, given: Mapping[str, Any]) -> str | None:
    parent = given.get("parentCollection")
    if not parent:
        return None
    if parent not in served.collections:
        raise Refusal(409, f"Parent collection {str(parent)[:20]} not found")
    return served.collections[parent].id


def _check_version(served: ServedLibrary, group: GroupView, version: int) -> None:
    if served.windows.versions_of([group.id])[group.id] > version:
        raise Refusal(412, f"Collection has been modified since version {version}")

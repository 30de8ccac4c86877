"""Groups as collections, and smart groups as saved searches."""

from __future__ import annotations

from typing import Any

from bifolio.results import GroupView
from bifolio.serve.parameters import Parameters
from bifolio.serve.served_library import ServedLibrary


def list_collections(
    served: ServedLibrary, base: str, wanted: Parameters, *, parent: str | None, all_levels: bool
) -> tuple[list[dict[str, Any]], int]:
    """A page of collections, by name, and how many there are.

    Args:
        parent: the key of the collection that they are under.
        all_levels: those of every level.
    """
    above = served.collection(parent).id if parent else None
    found = [
        (key, group)
        for key, group in served.collections.items()
        if (all_levels or _parent(served, group) == above)
        and (wanted.keys is None or key in wanted.keys)
        and wanted.words.casefold() in group.name.casefold()
    ]
    objects = [collection_object(served, base, key, group) for key, group in found]
    return page_of(objects, wanted)


def collection_object(
    served: ServedLibrary, base: str, key: str, group: GroupView
) -> dict[str, Any]:
    """A collection as Zotero's interface writes it."""
    version = served.windows.versions_of([group.id])[group.id]
    parent = _parent(served, group)
    below = sum(1 for one in served.collections.values() if _parent(served, one) == group.id)
    return {
        **_outside(served, base, "collections", key, version),
        "meta": {"numCollections": below, "numItems": group.count},
        "data": {
            "key": key,
            "version": version,
            "name": group.name,
            "parentCollection": served.collection_keys[parent] if parent else False,
            "relations": {},
        },
    }


def list_searches(
    served: ServedLibrary, base: str, wanted: Parameters
) -> tuple[list[dict[str, Any]], int]:
    """A page of saved searches."""
    found = [
        search_object(served, base, key, group)
        for key, group in served.searches.items()
        if wanted.keys is None or key in wanted.keys
    ]
    return page_of(found, wanted)


def search_object(served: ServedLibrary, base: str, key: str, group: GroupView) -> dict[str, Any]:
    """A smart group as a saved search: its query, in the search language, as one condition."""
    version = served.windows.versions_of([group.id])[group.id]
    condition = {
        "condition": "quicksearch-everything",
        "operator": "contains",
        "value": group.query or "",
    }
    return {
        **_outside(served, base, "searches", key, version),
        "meta": {},
        "data": {"key": key, "version": version, "name": group.name, "conditions": [condition]},
    }


def page_of(objects: list[dict[str, Any]], wanted: Parameters) -> tuple[list[dict[str, Any]], int]:
    """The page of objects that is asked for, in its order, and how many there are."""
    if wanted.since is not None:
        since = wanted.since
        objects = [one for one in objects if one["version"] > since]
    objects.sort(key=lambda one: str(one["data"]["name"]).casefold())
    last = None if wanted.limit is None else wanted.start + wanted.limit
    return objects[wanted.start : last], len(objects)


def _outside(served: ServedLibrary, base: str, kind: str, key: str, version: int) -> dict[str, Any]:
    library: dict[str, Any] = {
        "type": "user" if served.group is None else "group",
        "id": served.group or 0,
        "name": served.library.name,
        "links": {},
    }
    href = f"{base}/{served.prefix}/{kind}/{key}"
    links = {"self": {"href": href, "type": "application/json"}}
    return {"key": key, "version": version, "library": library, "links": links}


def _parent(served: ServedLibrary, group: GroupView) -> str | None:
    """The id of the collection that one is under; what is under a smart group is at the top."""
    return group.parent if group.parent in served.collection_keys else None

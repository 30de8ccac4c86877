"""The tags of all items, or of some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bifolio.results import WindowRow
from bifolio.serve.parameters import Parameters
from bifolio.serve.served_library import ServedLibrary


def count_all(served: ServedLibrary) -> dict[str, int]:
    """How many live references have each tag."""
    return served.keep("tags", lambda: {one.name: one.count for one in served.library.tags.list()})


def count_of(rows: Iterable[WindowRow]) -> dict[str, int]:
    """How many of these references have each tag."""
    return Counter(tag for row in rows for tag in row.tags)


def page_of_tags(
    counts: dict[str, int], base: str, wanted: Parameters
) -> tuple[list[dict[str, Any]], int]:
    """A page of tags, by name unless by how many have them, and how many there are."""
    words = wanted.words.casefold()
    begins = dict(wanted.given).get("qmode") == "startsWith"
    names = [
        one
        for one in counts
        if (one.casefold().startswith(words) if begins else words in one.casefold())
    ]
    names.sort(key=str.casefold)
    if wanted.sort == "numItems":
        names.sort(key=lambda one: counts[one], reverse=wanted.descending)
    elif wanted.sort == "title" and wanted.descending:
        names.reverse()
    last = None if wanted.limit is None else wanted.start + wanted.limit
    found = [
        {
            "tag": one,
            "links": {"self": {"href": f"{base}/tags", "type": "application/json"}},
            "meta": {"type": 0, "numItems": counts[one]},
        }
        for one in names[wanted.start : last]
    ]
    return found, len(names)

"""The collections of a JSON export of Zotero's as groups: Better BibTeX writes them by their keys.

Each names the one that it is in, and the items in it by their numbers. A group is the same as that
of Zotero's own library, whose keys these are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bifolio import limits
from bifolio.formats.zotero.items import NAME
from bifolio.records.reference import ImportedGroup

#: How an item may be named in a collection, and how it names itself.
_ITEM_NAMES: Final = ("itemID", "itemKey", "key")


class Collections:
    """What a file says of its collections.

    ``groups`` are those above first, each next to the others in the order of the file.
    """

    def __init__(self, found: Iterable[Any]) -> None:
        """Args: found: what the file has under ``collections``, each as its JSON."""
        self._by_key: dict[str, Mapping[str, Any]] = {}
        self._parents: dict[str, str] = {}
        self._of_item: dict[str, list[str]] = {}
        for one in found:
            self._learn(one, parent="", depth=0)
        self.groups = tuple(self._ordered())
        #: Items that are in a collection of which the file says nothing but the key.
        self.unnamed = 0

    def of(self, item: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The ids of the groups of an item; None where the file lists none at all."""
        keys: list[str] = []
        for name in _ITEM_NAMES:
            if name in item:
                keys += self._of_item.get(str(item[name]), ())
        said = item.get("collections")
        named = [str(one) for one in said] if isinstance(said, list) else []
        if any(one not in self._by_key for one in named):
            self.unnamed += 1
        keys += [one for one in named if one in self._by_key]
        if not self._by_key:
            return None
        return tuple(sorted(set(keys)))[: limits.IMPORT_RECORD_VALUES_MAX]

    def _learn(self, found: Any, *, parent: str, depth: int) -> None:
        """One collection, or several: by their keys, in a list, or inside each other."""
        if depth > limits.IMPORT_JSON_DEPTH_MAX or not isinstance(found, dict | list):
            return
        pairs: Iterable[tuple[str, Any]] = (
            found.items() if isinstance(found, dict) else (("", one) for one in found)
        )
        for name, one in pairs:
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                continue
            key = str(one.get("key") or one.get("id") or name)
            if not key or key in self._by_key:
                continue
            self._by_key[key] = one
            above = one.get("parent") or one.get("parentCollection")
            self._parents[key] = str(above) if above else parent
            for item in one.get("items") or () if isinstance(one.get("items"), list) else ():
                self._of_item.setdefault(_named(item), []).append(key)
            self._learn(one.get("collections"), parent=key, depth=depth + 1)

    def _ordered(self) -> Iterator[ImportedGroup]:
        below: dict[str, list[str]] = {}
        for key in self._by_key:
            parent = self._parents[key]
            top = parent not in self._by_key or self._is_in_a_circle(key)
            below.setdefault("" if top else parent, []).append(key)
        waiting = deque(("", key, place) for place, key in enumerate(below.get("", ())))
        while waiting:
            parent, key, place = waiting.popleft()
            name = " ".join(self._by_key[key]["name"].split()) or key
            yield ImportedGroup(NAME, key, name, parent, place)
            waiting += [(key, one, place) for place, one in enumerate(below.get(key, ()))]

    def _is_in_a_circle(self, key: str) -> bool:
        """Whether the way up from a collection leads back to it."""
        seen: set[str] = set()
        at = self._parents[key]
        while at in self._by_key and at not in seen:
            if at == key:
                return True
            seen.add(at)
            at = self._parents[at]
        return False


def _named(item: Any) -> str:
    """How a collection names an item: by its number, its key, or the item itself."""
    if isinstance(item, dict):
        return next((str(item[name]) for name in _ITEM_NAMES if name in item), "")
    return str(item)

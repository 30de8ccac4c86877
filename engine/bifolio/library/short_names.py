"""Short names of things: eight characters each, as Zotero's programs name items and collections.

``ShortNames(library)`` gives one to every reference, group, text and file of a library, the first
time at once and later to what is new. A reference that was imported from Zotero keeps its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bifolio.records.notes import own_name, read_part
from bifolio.replica.replica import Replica
from bifolio.storage.groups import GroupRow
from bifolio.storage.short_keys import PartNames, ShortKeys, is_short_key
from bifolio.storage.short_keys import ShortKey as ShortKey

if TYPE_CHECKING:
    from bifolio.library.library import Library

#: How many records are named in one transaction: others may write in between.
_AT_ONCE: Final = 1000

#: What went away, by Zotero's names.
_ITEMS: Final = "items"
_COLLECTIONS: Final = "collections"
_SEARCHES: Final = "searches"

#: A file that was announced, and whose content is not here yet.
AWAITED: Final = "awaited/"


def is_short_name(text: str) -> bool:
    """Whether a text may be a short name."""
    return is_short_key(text)


class ShortNames:
    """The short names of one library."""

    def __init__(self, library: Library) -> None:
        self._replica: Replica = library._replica
        self._keys = ShortKeys(self._replica.database)
        self._parts = PartNames(self._replica.database)

    def catch_up(self) -> None:
        """Name what is new since the last time."""
        versions = self._replica.journal.index.versions
        through, newest = self._replica.meta.short_keys_through, versions.newest()
        if through == newest and newest:
            return
        if newest < through:  # another history, of a library that was joined
            through = 0
        if through:
            records = [one.record for one in versions.since(through)]
        else:
            records = self._keys.without("reference") + self._keys.without("group")
        for start in range(0, len(records), _AT_ONCE):
            with self._replica.database.transaction():
                self._name(records[start : start + _AT_ONCE], newest)
        with self._replica.database.transaction():
            self._replica.meta.short_keys_through = newest

    def find(self, name: str) -> ShortKey | None:
        """What a short name names, or None."""
        return self._keys.find(name) if is_short_key(name) else None

    def of(self, records: Sequence[str]) -> dict[str, dict[str, str]]:
        """The short names of these records and of their parts: by record, then by part."""
        return {
            record: {part: one.key for part, one in parts.items()}
            for record, parts in self._keys.of(records).items()
        }

    def named(self, records: Sequence[str]) -> dict[str, dict[str, ShortKey]]:
        """``of``, with the version of each part."""
        return self._keys.of(records)

    def gone_since(self, version: int) -> list[tuple[str, str]]:
        """What went away after a version: ``items``, ``collections`` or ``searches``, and the short
        name of each. What went before the library was first served is not told."""
        return self._keys.gone_since(version)

    def count_parts(self, *, trashed: bool) -> int:
        """How many notes and files live (or trashed) references have."""
        return self._keys.count_parts(trashed=trashed)

    def add(self, record: str, part: str = "", *, wanted: str | None = None) -> str:
        """Name a record, or a part of it, at once: the wanted name where nothing else has it."""
        with self._replica.database.transaction():
            return self._keys.add(record, part, wanted=wanted)

    def move(self, name: str, *, part: str) -> None:
        """What a name names is another part of its record from now on."""
        with self._replica.database.transaction():
            self._keys.move(name, part=part)

    def remove(self, names: Sequence[str]) -> None:
        """What these named is not there any more."""
        with self._replica.database.transaction():
            self._keys.remove(names)

    def _name(self, records: Sequence[str], newest: int) -> None:
        """Name what of these records is there, and forget what is not there any more."""
        named = self._keys.of(records)
        parts = self._parts.of(records)
        own = self._parts.own_keys(records, format="zotero")
        ages = self._replica.journal.index.versions.among(records)
        groups: dict[str, GroupRow] | None = None
        for record in records:
            known = named[record]
            version = ages[record].version if record in ages else newest
            if record in parts:
                if "" not in known:
                    self._keys.add(record, wanted=own.get(record))
                self._name_parts(record, known, parts[record], version)
            elif self._replica.records.kind(record) == "group":
                groups = groups or {one.id: one for one in self._replica.groups.all()}
                self._name_group(record, known.get(""), groups.get(record), version)
            else:
                gone = [one.key for one in known.values()]
                self._keys.note_gone(gone, kind=_ITEMS, version=version)

    def _name_parts(
        self, record: str, known: Mapping[str, ShortKey], wanted: Mapping[str, bytes], version: int
    ) -> None:
        for part, content in wanted.items():
            if part not in known:
                key = self._keys.add(
                    record, part, wanted=_own_key(part), version=version, content=content
                )
                self._keys.note_back([key])
            elif known[part].content != content:
                self._keys.note_content(known[part].key, content, version=version)
        gone = [
            one.key
            for part, one in known.items()
            if part and part not in wanted and not part.startswith(AWAITED)
        ]
        self._keys.note_back(one.key for one in known.values())
        self._keys.note_gone(gone, kind=_ITEMS, version=version)
        self._keys.remove(gone)

    def _name_group(
        self, record: str, known: ShortKey | None, group: GroupRow | None, version: int
    ) -> None:
        key = known.key if known is not None else self._keys.add(record)
        if group is not None and group.deleted:
            kind = _COLLECTIONS if group.query is None else _SEARCHES
            self._keys.note_gone([key], kind=kind, version=version)
        elif known is not None:
            self._keys.note_back([key])


def _own_key(part: str) -> str | None:
    """What Zotero called a note or an annotation; None where it does not come from there."""
    read = read_part(part)
    return own_name(read.id) if read is not None else None

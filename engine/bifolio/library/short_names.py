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
from bifolio.storage.short_keys import PartNames, ShortKeys, WantedKey, is_short_key
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


class UnnamedError(Exception):
    """Something is asked of records that are not named as they are now.

    Attributes:
        records: their ids; None: it takes all of them.
    """

    def __init__(self, records: Sequence[str] | None) -> None:
        super().__init__("name them first")
        self.records = records


class _Naming:
    """What one transaction writes of names, collected: in a few statements, whatever their number.

    Keys are given last: what went away meanwhile left its own.
    """

    def __init__(self) -> None:
        self.wanted: list[WantedKey] = []
        self.back: list[str] = []
        self.gone: list[tuple[list[str], str, int]] = []
        self.gone_groups: list[tuple[str, str, int]] = []
        self.removed: list[str] = []
        self.contents: list[tuple[str, bytes, int]] = []

    def write(self, keys: ShortKeys) -> None:
        """Write it, inside the caller's transaction."""
        keys.note_back(self.back)
        for gone, kind, version in self.gone:
            keys.note_gone(gone, kind=kind, version=version)
        keys.remove(self.removed)
        for key, content, version in self.contents:
            keys.note_content(key, content, version=version)
        made = keys.add_all(self.wanted)
        keys.note_back([key for key, one in zip(made, self.wanted, strict=True) if one.part])
        for record, kind, version in self.gone_groups:
            keys.note_gone([keys.of([record])[record][""].key], kind=kind, version=version)


class ShortNames:
    """The short names of one library."""

    def __init__(self, library: Library) -> None:
        self._replica: Replica = library._replica
        self._keys = ShortKeys(self._replica.database)
        self._parts = PartNames(self._replica.database)
        #: ``short_keys_behind``, as of the last time that names were caught up with.
        self._behind: tuple[int, str, int] | None = None
        #: What was named before its turn since then.
        self._before_turn: set[str] = set()

    @property
    def is_behind(self) -> bool:
        """Whether ``catch_up`` left something for later."""
        return self._behind is not None

    def catch_up(self, *, briefly: bool = False) -> None:
        """Name what is new since the last time.

        Args:
            briefly: where that is a lot, such as all of a library that was never served, only the
                first of it: what is asked of the rest raises ``UnnamedError`` until ``name``
                has named it, or ``name_more`` everything.
        """
        self._before_turn.clear()
        self._behind = self._replica.meta.short_keys_behind
        if self._is_caught_up() or (briefly and self._behind is not None):
            return
        while self.name_more() and not briefly:
            pass

    def name_more(self) -> bool:
        """Name the next of what is new. Returns whether there is more of it."""
        with self._replica.database.transaction():
            self._behind = self._replica.meta.short_keys_behind = self._name_next()
        return self._behind is not None

    def name(self, records: Sequence[str] | None) -> None:
        """Name these records and their parts as they are now, before it is their turn; None:
        everything that is new."""
        if records is None:
            self.catch_up()
            return
        newest = self._replica.journal.index.versions.newest()
        for start in range(0, len(records), _AT_ONCE):
            with self._replica.database.transaction():
                self._name(records[start : start + _AT_ONCE], newest)
        self._before_turn.update(records)

    def check(self, records: Sequence[str]) -> None:
        """Raise where any of these is not named as it is now.

        Raises:
            UnnamedError: name those first.
        """
        if self._behind is None:
            return
        version, record, first = self._behind
        asked = [one for one in records if one not in self._before_turn]
        ages = self._replica.journal.index.versions.among(asked)
        new = {one.record for one in ages.values() if (one.version, one.record) > (version, record)}
        if first:
            new |= {one for one, parts in self._keys.of(asked).items() if "" not in parts}
        if new:
            raise UnnamedError([one for one in asked if one in new])

    def find(self, name: str) -> ShortKey | None:
        """What a short name names, or None.

        Raises:
            UnnamedError: as ``check``; so do the methods that follow.
        """
        if not is_short_key(name):
            return None
        found = self._keys.find(name)
        if found is not None:
            self.check([found.record])
        elif self._behind is not None:
            raise UnnamedError(None)
        return found

    def of(self, records: Sequence[str]) -> dict[str, dict[str, str]]:
        """The short names of these records and of their parts: by record, then by part."""
        return {
            record: {part: one.key for part, one in parts.items()}
            for record, parts in self.named(records).items()
        }

    def named(self, records: Sequence[str]) -> dict[str, dict[str, ShortKey]]:
        """``of``, with the version of each part."""
        self.check(records)
        return self._keys.of(records)

    def gone_since(self, version: int) -> list[tuple[str, str]]:
        """What went away after a version: ``items``, ``collections`` or ``searches``, and the short
        name of each. What went before the library was first served is not told."""
        self._check_all()
        return self._keys.gone_since(version)

    def count_parts(self, *, trashed: bool) -> int:
        """How many notes and files live (or trashed) references have."""
        self._check_all()
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

    def _check_all(self) -> None:
        if self._behind is not None:
            raise UnnamedError(None)

    # --- what is not named yet ----------------------------------------------------------------

    def _is_caught_up(self) -> bool:
        if self._behind is not None:
            return False
        through = self._replica.meta.short_keys_through
        newest = self._replica.journal.index.versions.newest()
        return through == newest and (newest > 0 or not self._keys.without("reference"))

    def _name_next(self) -> tuple[int, str, int] | None:
        """Name what comes next, at most ``_AT_ONCE`` records; where naming is then, None at the
        end. First what changed, which is mostly little, then what never had a name."""
        meta, versions = self._replica.meta, self._replica.journal.index.versions
        newest, through = versions.newest(), meta.short_keys_through
        # No record's id is behind "g".
        behind = meta.short_keys_behind
        version, record, first = behind or (through, "g", 0)
        if newest < through or (
            not through and behind is None
        ):  # for the first time, or another history was joined
            version, record, first = newest, "g", 1
            self._name(self._keys.without("group"), newest)
        changed = versions.after(version, record, most=_AT_ONCE)
        self._name([one.record for one in changed], newest)
        meta.short_keys_through = newest
        if len(changed) == _AT_ONCE:
            return changed[-1].version, changed[-1].record, first
        if not first:
            return None
        rows = self._keys.records_from(first, "reference", most=_AT_ONCE)
        named = self._keys.of([one for _, one in rows])
        self._name([one for one, parts in named.items() if "" not in parts], newest)
        return (newest, "g", rows[-1][0] + 1) if len(rows) == _AT_ONCE else None

    def _name(self, records: Sequence[str], newest: int) -> None:
        """Name what of these records is there, and forget what is not there any more."""
        if not records:
            return
        naming = _Naming()
        named = self._keys.of(records)
        parts = self._parts.of(records)
        own = self._parts.own_keys(records, format="zotero")
        ages = self._replica.journal.index.versions.among(records)
        groups: dict[str, GroupRow] | None = None
        for record in named:
            known = named[record]
            version = ages[record].version if record in ages else newest
            if record in parts:
                if "" not in known:
                    naming.wanted.append(WantedKey(record, wanted=own.get(record)))
                _name_parts(naming, record, known, parts[record], version)
            elif self._replica.records.kind(record) == "group":
                groups = groups or {one.id: one for one in self._replica.groups.all()}
                _name_group(naming, record, known.get(""), groups.get(record), version)
            else:
                naming.gone.append(([one.key for one in known.values()], _ITEMS, version))
        naming.write(self._keys)


def _name_parts(
    naming: _Naming,
    record: str,
    known: Mapping[str, ShortKey],
    wanted: Mapping[str, bytes],
    version: int,
) -> None:
    for part, content in wanted.items():
        if part not in known:
            naming.wanted.append(WantedKey(record, part, _own_key(part), version, content))
        elif known[part].content != content:
            naming.contents.append((known[part].key, content, version))
    gone = [
        one.key
        for part, one in known.items()
        if part and part not in wanted and not part.startswith(AWAITED)
    ]
    naming.back += [one.key for one in known.values()]
    if gone:
        naming.gone.append((gone, _ITEMS, version))
        naming.removed += gone


def _name_group(
    naming: _Naming, record: str, known: ShortKey | None, group: GroupRow | None, version: int
) -> None:
    if known is None:
        naming.wanted.append(WantedKey(record))
    if group is not None and group.deleted:
        kind = _COLLECTIONS if group.query is None else _SEARCHES
        naming.gone_groups.append((record, kind, version))
    elif known is not None:
        naming.back.append(known.key)


def _own_key(part: str) -> str | None:
    """What Zotero called a note or an annotation; None where it does not come from there."""
    read = read_part(part)
    return own_name(read.id) if read is not None else None

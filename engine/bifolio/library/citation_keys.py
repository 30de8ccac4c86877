"""The citation keys of a library: the pattern that makes them, pins, and keys made again.

A key never changes by itself, whatever becomes of the title. Where a key is made again the old one
stays with the reference as an alias, so that a text which cites it still finds the work; and no
new key is one by which another reference is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.clock import stamp_milliseconds
from bifolio.document import registers, sets
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import InvalidValueError, KeyTakenError, PinnedKeyError, UsageError
from bifolio.ids import SETTINGS_ID
from bifolio.records.canonical import nfc
from bifolio.records.citation_keys import make_key
from bifolio.records.key_patterns import DEFAULT_PATTERN, check_pattern
from bifolio.records.reference import Values
from bifolio.records.values import parse_value
from bifolio.replica import lookup
from bifolio.replica.projection import key_values
from bifolio.replica.replica import Replica
from bifolio.results import KeptBecause, KeptKey, KeyReport, NewKey, ReferenceView, SharedKey
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.elements import ALIASES

if TYPE_CHECKING:
    from bifolio.replica import workspace as workspaces
else:
    workspaces = lazy.module("bifolio.replica.workspace")

KEY = "citation-key"
PINNED = "citation-key-pinned"
_YES = "yes"


class Keys:
    """The citation keys of one library."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    @property
    def pattern(self) -> str:
        """The library's pattern, the same on every replica."""
        stored = self._replica.meta.key_pattern
        try:
            return check_pattern(stored) if stored else DEFAULT_PATTERN
        except InvalidValueError:  # a newer version's
            return DEFAULT_PATTERN

    def set_pattern(self, pattern: str) -> str:
        """Set the library's pattern for the keys that are made from now on; returns it.

        Raises:
            InvalidValueError: no pattern; nothing was changed.
        """
        check_pattern(pattern)
        replica = self._replica

        def write(plan: Plan, entries: Entries) -> None:
            registers.plan_set(plan, entries, workspaces.KEY_PATTERN, pattern)

        with replica.database.transaction():
            replica.commit_inside([(SETTINGS_ID, write)])
        return pattern

    def fresh(self, values: Values, *, record_id: str = "", planned: Set[str] = frozenset()) -> str:
        """A key by the pattern that finds no other reference; inside a transaction.

        Args:
            values: what the reference says.
            record_id: the reference itself, which may keep its own.
            planned: keys that others are about to get.
        """
        finds_another = self._replica.references.key_finds_another

        def is_taken(key: str) -> bool:
            return key in planned or finds_another(key, but=record_id)

        return make_key(values, taken=is_taken, pattern=self.pattern)

    def make(self, refs: Sequence[str] | None = None, *, imported: bool = False) -> KeyReport:
        """Make citation keys again by the pattern: of these references, or of all.

        Pinned keys stay. With ``refs`` a pinned one is an error; of all references those whose
        key came with a file stay too, unless ``imported``.

        Raises:
            PinnedKeyError, ReferenceNotFoundError, TrashedReferenceError: nothing was changed.
        """
        changed: list[NewKey] = []
        unchanged: list[KeptKey] = []
        planned: dict[str, str] = {}
        keys: set[str] = set()
        with self._replica.database.transaction():
            for row in self._rows(refs):
                shown = lookup.shown_key(row)
                made = ""
                kept = self._kept_because(row, named=refs is not None, imported=imported)
                if kept is None:
                    made = self.fresh(key_values(row), record_id=row.id, planned=keys)
                    kept = KeptBecause.SAME if made == row.key else None
                if kept is not None:
                    unchanged.append(KeptKey(row.id, shown, kept))
                    continue
                planned[row.id] = made
                keys.add(made)
                changed.append(NewKey(row.id, shown, made))
            self._commit(planned)
        return KeyReport(tuple(changed), tuple(unchanged))

    def pin(self, refs: Sequence[str], *, key: str | None = None) -> Sequence[ReferenceView]:
        """Pin the citation keys of references; with ``key`` one reference gets this key first.

        Raises:
            KeyTakenError, InvalidValueError, ReferenceNotFoundError, TrashedReferenceError:
            nothing was changed.
        """
        replica = self._replica
        with replica.database.transaction():
            ids = lookup.live_ids(replica, refs)
            if key is not None:
                self._name(ids, key)
            replica.commit_each(
                ids, lambda plan, entries: registers.plan_set(plan, entries, PINNED, _YES)
            )
        return [lookup.show_id(replica, one) for one in ids]

    def unpin(self, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Let the citation keys of references be made again."""
        replica = self._replica
        with replica.database.transaction():
            ids = lookup.live_ids(replica, refs)
            replica.commit_each(
                ids, lambda plan, entries: registers.plan_set(plan, entries, PINNED, None)
            )
        return [lookup.show_id(replica, one) for one in ids]

    def shared(self) -> Sequence[SharedKey]:
        """The citation keys that several live references have, by key."""
        found = []
        for key in self._replica.references.shared_keys.list():
            rows = lookup.live_with_key(self._replica, key)
            others = tuple(lookup.shown_key(row) for row in rows[1:])
            found.append(SharedKey(key, rows[0].id, others))
        return found

    def shared_count(self) -> int:
        """How many citation keys several live references have; the same cost in any library."""
        return self._replica.references.shared_keys.count()

    def _rows(self, refs: Sequence[str] | None) -> Iterator[ReferenceRow]:
        references = self._replica.references
        if refs is None:
            yield from references.iter_rows(trashed=False)
            return
        for record_id in lookup.live_ids(self._replica, refs):
            row = references.read(record_id)
            if row is not None:
                yield row

    def _kept_because(
        self, row: ReferenceRow, *, named: bool, imported: bool
    ) -> KeptBecause | None:
        """Why a reference's key stays; None where it is to be made again."""
        if row.fields.get(PINNED) == _YES:
            if named:
                raise PinnedKeyError(lookup.shown_key(row))
            return KeptBecause.PINNED
        if named or imported or not row.key_rank:
            return None
        # The rank begins with the stamp; an import's is of the millisecond 0.
        came = stamp_milliseconds(row.key_rank) == 0
        made = make_key(key_values(row), taken=lambda _: False)
        return KeptBecause.IMPORTED if came and row.key != made else None

    def _name(self, ids: Sequence[str], key: str) -> None:
        """Give one reference a key that a user chose."""
        checked = nfc(str(parse_value(KEY, (key,))))
        if len(ids) != 1:
            raise UsageError(
                f"One citation key was given for {len(ids)} references.",
                next_step="Name one reference, or leave the key out.",
            )
        references = self._replica.references
        if references.key_finds_another(checked, but=ids[0]):
            other = lookup.find(self._replica, checked)
            raise KeyTakenError(checked, by=lookup.shown_key(other))
        row = references.read(ids[0])
        if row is not None and row.key != checked:
            self._commit({ids[0]: checked})

    def _commit(self, keys: Mapping[str, str]) -> None:
        """Write new keys; the old ones become aliases."""
        writes = [(record_id, partial(_plan_key, key)) for record_id, key in keys.items()]
        most = limits.RECORDS_PER_CHANGE_MAX
        for start in range(0, len(writes), most):
            self._replica.commit_inside(writes[start : start + most])


def _plan_key(key: str, plan: Plan, entries: Entries) -> None:
    old = registers.read_shown(entries, KEY)
    registers.plan_set(plan, entries, KEY, key)
    if old is not None and old.value and nfc(old.value) != key:
        sets.plan_add(plan, entries, ALIASES, old.value)
    sets.plan_remove(plan, entries, ALIASES, key)

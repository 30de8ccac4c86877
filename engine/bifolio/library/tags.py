"""The tags of a library as a whole: counted, put on and taken off several references, renamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import NotTaggedError, TagNotFoundError
from bifolio.records.canonical import nfc
from bifolio.records.values import check_tag
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import ReferenceView, RemovalResult, TagCount

if TYPE_CHECKING:
    from bifolio.document import editing, sets
else:
    editing = lazy.module("bifolio.document.editing")
    sets = lazy.module("bifolio.document.sets")

FIELD = "tags"


class Tags:
    """The tags of one library; two spellings of the same characters are one tag (NFC)."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def list(self) -> Sequence[TagCount]:
        """Every tag that a live reference has, by name, and how many have it."""
        counts = self._replica.references.elements.counts(FIELD)
        return [TagCount(name, count) for name, count in counts.items()]

    def add(self, tag: str, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Put a tag on references; those that have it already stay as they are.

        Raises:
            InvalidValueError, ReferenceNotFoundError, AmbiguousReferenceError,
            TrashedReferenceError: nothing was changed.
        """
        check_tag(tag)
        with self._replica.database.transaction():
            ids = lookup.live_ids(self._replica, refs)
            self._replica.commit_each(
                ids, lambda plan, entries: sets.plan_add(plan, entries, FIELD, tag)
            )
        return [lookup.show_id(self._replica, one) for one in ids]

    def remove(self, tag: str, refs: Sequence[str]) -> RemovalResult:
        """Take a tag off references.

        Raises:
            NotTaggedError: none of them has it.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError: nothing
            was changed.
        """

        def write(plan: Plan, entries: Entries) -> None:
            sets.plan_remove(plan, entries, FIELD, tag)
            editing.finish(plan, entries)

        replica = self._replica
        with replica.database.transaction():
            ids = lookup.live_ids(replica, refs)
            changed = replica.commit_each(ids, write)
            shown = [lookup.show_id(replica, one) for one in ids]
            if not changed:
                raise NotTaggedError(tag, keys=tuple(one.key for one in shown))
        return RemovalResult(tuple(shown), without=frozenset(ids) - frozenset(changed))

    def rename(self, old: str, new: str) -> int:
        """Give a tag another name on every live reference that has it; how many those are.

        What somebody else tags with the old name at the same time keeps it, and what lies in the
        trash does: an edit would bring it back.

        Raises:
            TagNotFoundError: no live reference has the old one.
            InvalidValueError: no name that a tag can have.
        """
        check_tag(new)
        renamed = nfc(old) != nfc(new)

        def write(plan: Plan, entries: Entries) -> None:
            sets.plan_remove(plan, entries, FIELD, old)
            sets.plan_add(plan, entries, FIELD, new)
            editing.finish(plan, entries)

        with self._replica.database.transaction():
            ids = list(self._replica.references.elements.holders(FIELD, old))
            if not ids:
                raise TagNotFoundError(old)
            if renamed:
                self._replica.commit_each(ids, write)
        return len(ids) if renamed else 0

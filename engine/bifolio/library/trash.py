"""The trash of a library: what lies in it, emptying it, and taking references out again.

Emptying hides at once, on every replica that learns of it, and frees what the state hash and the
lists knew of a reference. Its content stays in its document until every replica has passed the
purge (DESIGN §4), which no replica can know yet; so for now whatever was emptied can be restored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.document.conflicts import ConflictKind
from bifolio.errors import AmbiguousReferenceError, ReferenceNotFoundError
from bifolio.records.canonical import nfc
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import PurgedReference, ReferenceView
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.purged import PurgedRow

if TYPE_CHECKING:
    from bifolio.document import deletion
else:
    deletion = lazy.module("bifolio.document.deletion")

_CANDIDATES_MAX = 5


class Trash:
    """The trash of one library."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def list(self) -> Iterator[ReferenceView]:
        """The references in the trash, by id."""
        for row in self._replica.references.iter_rows(trashed=True):
            yield lookup.show(self._replica, row)

    def delete(self, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Put references into the trash; one that is there already stays there.

        Raises:
            ReferenceNotFoundError: nothing was deleted.
        """
        ids = list(dict.fromkeys(lookup.find(self._replica, ref).id for ref in refs))
        replica = self._replica
        with replica.database.transaction():
            replica.deletion_guard.release(ids, replica.workspace_to_show)
            replica.commit_inside([(one, deletion.plan_delete) for one in ids])
        return [lookup.show_id(self._replica, one) for one in ids]

    def empty(self, ids: Sequence[str] | None = None) -> Sequence[PurgedReference]:
        """Remove references from the trash for good.

        What somebody edits without knowing of it comes back whole, flagged.

        Args:
            ids: those that the user was shown; by default all. One that has left the trash
                meanwhile stays.

        Returns:
            those that were removed, by id.
        """
        removed: list[str] = []
        wanted = [row.id for row in self._replica.references.iter_rows(trashed=True)]
        if ids is not None:
            shown = set(ids)
            wanted = [one for one in wanted if one in shown]
        for start in range(0, len(wanted), limits.PURGED_AT_ONCE):
            part = wanted[start : start + limits.PURGED_AT_ONCE]
            with self._replica.database.transaction():
                removed += self._replica.commit_each(part, deletion.plan_purge)
        rows = map(self._replica.references.purged.read, removed)
        return [_show(row) for row in rows if row is not None]

    def confirm(self) -> int:
        """Agree to what others deleted: it is in the trash here too (``Status.shown_on``).

        Returns:
            how many references were shown on until now.
        """
        with self._replica.database.transaction():
            return self._replica.deletion_guard.confirm(self._replica.workspace_to_show)

    def emptied(self) -> Iterator[PurgedReference]:
        """What was removed from the trash and can be restored, by id."""
        yield from map(_show, self._replica.references.purged.iter_rows())

    def restore(self, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Take references out of the trash, or settle that they were brought back; one that went
        with an emptied trash comes back too. A key finds what was deleted, though a living one
        has it.

        Raises:
            ReferenceNotFoundError, AmbiguousReferenceError: nothing was restored.
        """
        with self._replica.database.transaction():
            ids = list(dict.fromkeys(map(self._find, refs)))
            self._replica.commit_each(ids, deletion.plan_restore)
        return [lookup.show_id(self._replica, one) for one in ids]

    def _find(self, ref: str) -> str:
        """The id of the reference that is to be restored.

        What lies in the trash comes first, then what went with it, and a living one of that name
        last: where it was brought back by an edit, that is settled.
        """
        replica, wanted = self._replica, nfc(ref.strip())
        found: list[ReferenceRow | PurgedRow] = []
        if wanted:
            found += lookup.find_in_trash(replica, wanted)
            found = found or [*replica.references.purged.with_key(wanted, most=_CANDIDATES_MAX)]
        if found:
            found += _brought_back(replica, wanted)
            return _only(ref, found).id
        try:
            return lookup.find(replica, ref).id
        except ReferenceNotFoundError:
            found += _find_purged(replica, wanted)
            if not found:
                raise
        return _only(ref, found).id


def _brought_back(replica: Replica, wanted: str) -> Iterator[ReferenceRow]:
    """The living reference of a key, if it was edited by someone who did not know of its
    deletion: restoring it means something too."""
    for row in lookup.live_with_key(replica, wanted)[:1]:
        if row.conflicts and any(
            one.kind == ConflictKind.REVIVED for one in lookup.conflicts(replica, row)
        ):
            yield row


def _find_purged(replica: Replica, wanted: str) -> list[PurgedRow]:
    """Those that went with the trash and whose id begins like this."""
    if not lookup.is_id(wanted):
        return []
    return replica.references.purged.with_id_prefix(wanted.lower(), most=_CANDIDATES_MAX)


def _only(ref: str, found: Sequence[ReferenceRow | PurgedRow]) -> ReferenceRow | PurgedRow:
    if len(found) > 1:
        names = tuple(lookup.with_id(row.key, row.id) for row in found)
        raise AmbiguousReferenceError(ref, candidates=names)
    return found[0]


def _show(row: PurgedRow) -> PurgedReference:
    return PurgedReference(row.id, row.key, row.title)

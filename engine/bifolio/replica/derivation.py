"""What lists read of a record, derived after the record is committed.

A large batch of others' changes is committed with its records, its history and the state hash; that
its references are to be derived is noted in the same transaction (``storage.underived``). Whoever
reads what is derived drains that first, in parts that each are a transaction, so that other
commands get their turn. A process may end at any moment in between: the next reader goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.document.entries import Entries, without_superseded_imports
from bifolio.errors import DocumentError
from bifolio.replica import projection
from bifolio.replica.backlog import Backlog, Content
from bifolio.replica.deletion_guard import Cause, DeletionGuard, Filter
from bifolio.storage.database import Database
from bifolio.storage.derived import StoredBefore, StoredReference
from bifolio.storage.records import Records
from bifolio.storage.references import References

if TYPE_CHECKING:
    from bifolio.document import record as documents
    from bifolio.replica import workspace as workspaces
else:
    documents = lazy.module("bifolio.document.record")


class Derivation:
    """The references of one replica that are committed and not derived yet."""

    def __init__(
        self,
        database: Database,
        guard: DeletionGuard,
        workspace_to_show: Callable[[], workspaces.Workspace],
    ) -> None:
        self.backlog = Backlog(database)
        self._database = database
        self._records = Records(database)
        self._references = References(database)
        self._guard = guard
        self._workspace_to_show = workspace_to_show
        self._is_draining = False

    def drain(self) -> None:
        """Derive all that is committed, before it is read.

        Inside a transaction as a part of it. Where nothing can be written, as in a snapshot, what
        is derived is read as it is.
        """
        if self._is_draining or self.backlog.is_empty():
            return
        database = self._database
        if not (database.is_writing or database.may_write):
            return
        self._is_draining = True
        try:
            if database.is_writing:
                while self._derive_some():
                    pass
                return
            waiting = self.backlog.table.count()
            goes_on = True
            while goes_on:
                with database.transaction():
                    goes_on = self._derive_some()
            with database.transaction():
                self._references.index.optimize_after(waiting)
        finally:
            self._is_draining = False

    def _derive_some(self) -> bool:
        """Derive a part, inside a transaction; whether there may be more."""
        page = [one for _, one in self.backlog.table.page(most=limits.DERIVED_AT_ONCE)]
        if page:
            self._store(page)
        if not self.backlog.is_empty():
            return True
        self.backlog.forget()
        if self._guard.noted.any():
            self._guard.hold_if_many(self._workspace_to_show)
        return False

    def _store(self, record_ids: Sequence[str]) -> None:
        shown = self._guard.filter(Cause.RECEIVED)
        states = self._records.states(record_ids)
        before = self._references.read_stored(record_ids)
        shown.expect(record_ids)
        self.backlog.advance()
        derived = self._derive_here(states, before, shown)
        for one, (state, check) in states.items():
            if one in derived:
                continue
            made = self.backlog.take_derived((one, check))
            if made is None:
                derived[one] = derive_committed(one, None, state, before.get(one), shown)
            else:
                shown.note_living(one)
                derived[one] = made.keeping(before.get(one))
        self.backlog.advance()  # while what is derived is written
        stored = [derived[one] for one in record_ids if one in states]
        self._references.store([one for one in stored if one is not None])
        self.backlog.table.remove(record_ids)

    def _derive_here(
        self,
        states: Mapping[str, tuple[bytes, bytes]],
        before: Mapping[str, StoredBefore],
        shown: Filter,
    ) -> dict[str, StoredReference | None]:
        """Derive the references that the other process does not, by id: from the first on, while it
        is given the last ones as long as it takes more."""
        backlog, derived = self.backlog, dict[str, StoredReference | None]()
        here = [one for one, (_, check) in states.items() if not backlog.is_ahead((one, check))]
        # Of those that were derived before most follow from that: another process cannot see it.
        quick = deque(one for one in here if one in before and before[one].basis is not None)
        slow = deque(one for one in here if one not in before or before[one].basis is None)
        if len(slow) >= limits.DERIVED_AHEAD_MIN:
            backlog.start()  # another process committed them
        while quick or slow:
            while (len(slow) > limits.DERIVED_AHEAD_AT_ONCE or quick) and backlog.takes_more:
                last = [slow.pop() for _ in range(min(len(slow), limits.DERIVED_AHEAD_AT_ONCE))]
                if not last:
                    break
                backlog.give({(one, states[one][1]): states[one][0] for one in last})
            some = quick or slow
            for _ in range(min(len(some), limits.DERIVED_AHEAD_AT_ONCE)):
                one = some.popleft()
                state, check = states[one]
                content = backlog.take(one, check)
                derived[one] = derive_committed(one, content, state, before.get(one), shown)
        return derived


def derive_committed(
    record_id: str,
    content: Content | None,
    state: bytes,
    before: StoredBefore | None,
    shown: Filter,
) -> StoredReference | None:
    """What is stored of a reference; None of one that cannot be read: a self-check names it.

    Args:
        content: what it holds, where that is known; otherwise the state is read.
    """
    if isinstance(content, Entries):
        entries = content
    else:
        try:
            json = content if isinstance(content, str) else documents.RecordDocument(state).json()
            entries = documents.read_entries(json)
        except (DocumentError, ValueError):
            return None
    visible = without_superseded_imports(entries)
    known = projection.rederive_whatever(visible, before)
    if known is not None:
        shown.note_living(record_id)
        return known
    derived = shown(projection.derive_whatever(record_id, visible), entries)
    return projection.to_stored_whatever(derived, before)

"""The history of a library: what happened to a reference, the log, and the ways back.

Every way back writes new changes, which sync and merge like any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

from bifolio.clock import make_stamp
from bifolio.document.undoing import Kept
from bifolio.errors import NothingToUndoError
from bifolio.history import replay, undo
from bifolio.history.activity_log import ActivityLog
from bifolio.history.events import EventReader
from bifolio.history.restore import restore
from bifolio.history.revert import revert
from bifolio.history.undo import UndoResult, UndoSelection
from bifolio.replica import lookup
from bifolio.replica.journal import Command
from bifolio.replica.replica import Replica
from bifolio.results import (
    Action,
    ActionKind,
    Event,
    KeptField,
    KeptReason,
    LogEntry,
    ReferenceView,
    RestoreReport,
    UndoneJoin,
    UndoReport,
)

#: Entries of a page of the log, where nobody says how many.
_ENTRIES = 20


class History:
    """The past of one library. A change is named by its id, or the beginning of it."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        replay.ensure_index(replica)

    def of(self, ref: str) -> Sequence[Event]:
        """Everything that happened to a reference, field by field, in this replica's order.

        It begins where this replica's changes begin: the first event says so where something
        was before.

        Raises:
            ReferenceNotFoundError, AmbiguousReferenceError.
        """
        with self._replica.snapshot():
            row = lookup.find(self._replica, ref)
            return list(EventReader(self._replica).events(row.id))

    def log(
        self,
        *,
        limit: int = _ENTRIES,
        device: str | None = None,
        since: datetime | None = None,
        others: bool = False,
        new: bool = False,
    ) -> Sequence[LogEntry]:
        """The commands of this computer and the changes of others, the latest first. Whose a change
        is, its signature tells.

        Args:
            limit: how many at most.
            device: those of this device alone, by its name.
            since: those from this moment on; without a zone it is this computer's time.
            others: those of other devices alone.
            new: those of others that came since ``mark_read`` was last called.

        Raises:
            DeviceNotFoundError.
        """
        first = make_stamp(milliseconds=_milliseconds(since) if since else 0, counter=0)
        with self._replica.snapshot():
            tags = None if device is None else undo.device_tags(self._replica, device)
            return ActivityLog(self._replica).page(
                limit=limit,
                tags=tags,
                first=first,
                but=self._own_tags() if others or new else (),
                behind=self._replica.meta.log_read_through if new else 0,
            )

    def _own_tags(self) -> list[str]:
        """This computer's tag, and those of the keys that it had before."""
        own = self._replica.keys.tag
        return [own, *(tag for tag, now in self._replica.meta.successors.items() if now == own)]

    def last_change(self) -> int:
        """The number of the last change that is here, for ``mark_read``."""
        return self._replica.changes.last_number()

    def mark_read(self, through: int | None = None) -> None:
        """What others changed is not new any more, up to a change (``last_change`` from before it
        was listed, so that what came meanwhile stays new) or to the last one."""
        with self._replica.database.transaction():
            last = self.last_change() if through is None else through
            self._replica.meta.log_read_through = last

    def revert(self, ref: str, *, to: datetime | str, field: str | None = None) -> ReferenceView:
        """Give a reference the values that it had, as new edits where they differ.

        Args:
            ref: a citation key or an id.
            to: a moment (without a zone, of this computer), or a change: as it was right after.
            field: one field alone; without it all of them, and whether it lay in the trash.

        Raises:
            NotThereThenError: it did not exist then, or its history begins later.
            TrashedReferenceError: one field of a reference in the trash.
            ReferenceNotFoundError, UnknownFieldError, ChangeNotFoundError.
        """
        with self._replica.database.transaction():
            moment = to if isinstance(to, str) else _milliseconds(to)
            record_id = revert(self._replica, ref, field=field, to=moment)
        return lookup.show_id(self._replica, record_id)

    def restore(self, to: datetime, *, dry_run: bool = False) -> RestoreReport:
        """Give the whole library what it held at a moment (without a zone, of this computer).

        What was deleted since comes back, what was made since goes to the trash.

        Args:
            dry_run: say what would happen, and change nothing.
        """
        replica = self._replica
        with self._rehearse_if(dry_run), replica.journal.command() as command:
            before = self._ids(command)
            done = restore(replica, to_ms=_milliseconds(to))
            with replica.database.transaction():
                made = [one for one in self._ids(command) if one not in before]
        return RestoreReport(
            restored=done.back,
            trashed=done.trashed,
            changed=done.changed,
            groups=done.groups,
            unknown=done.unknown,
            id=made[0].hex() if made and not dry_run else None,
        )

    def _ids(self, command: Command) -> list[bytes]:
        return self._replica.journal.operations.changes(command.number) if command.number else []

    def undo(self, change: str | None = None, *, dry_run: bool = False) -> UndoReport:
        """Take back the last command of this computer, or the command or change of an id.

        What was edited since stays, and is named. An undo is not undone without its id.

        Raises:
            NothingToUndoError, ChangeNotFoundError, AmbiguousChangeError, SealedChangeError.
        """
        with self._rehearse_if(dry_run):
            while True:
                with self._replica.database.transaction():
                    chosen = (
                        self._last_command()
                        if change is None
                        else undo.of_change(self._replica, change)
                    )
                    actions = self._actions(chosen)
                operation = chosen.operation
                undoes = operation.number if operation else undo.NO_OPERATION
                report = self._take_back(chosen, actions, undoes, lasting=not dry_run)
                if report is not None:  # if not, chosen again: two undos at once undo two commands
                    return report

    def undo_device(
        self,
        device: str,
        *,
        since: datetime,
        until: datetime | None = None,
        dry_run: bool = False,
    ) -> UndoReport:
        """Take back all that a device wrote from one moment on (until another one).

        What others wrote after it stays, and is named.

        Raises:
            DeviceNotFoundError, SealedChangeError.
        """
        with self._rehearse_if(dry_run):
            with self._replica.database.transaction():
                chosen = undo.of_device(
                    self._replica,
                    device,
                    first_ms=_milliseconds(since),
                    last_ms=_milliseconds(until) if until else None,
                )
            count = len(chosen.changes)
            actions = (Action(ActionKind.DEVICE_CHANGES, count=count, name=device),)
            report = self._take_back(chosen, actions, None, lasting=not dry_run)
            assert report is not None  # it is about no operation
            return report

    # --- small steps --------------------------------------------------------------------------

    def _take_back(
        self,
        chosen: UndoSelection,
        actions: tuple[Action, ...],
        undoes: int | None,
        *,
        lasting: bool,
    ) -> UndoReport | None:
        """Take back, and mark what was taken back.

        None where the choice does not hold any more.
        """
        replica = self._replica
        with replica.journal.command((_undoing(actions),)) as command:
            command.undoes = undoes
            taken = chosen.take_back(replica, command)
        if taken is None:
            return None
        # No snapshot: a dry run is inside a transaction already.
        with replica.database.transaction():
            return self._report(actions, taken, command.number if lasting else None)

    def _report(
        self, actions: tuple[Action, ...], taken: UndoResult, number: int | None
    ) -> UndoReport:
        kinds = [self._replica.records.kind(one) for one in taken.records]
        ids = self._replica.journal.operations.changes(number) if number else []
        return UndoReport(
            what=actions,
            references=kinds.count("reference"),
            groups=kinds.count("group"),
            kept=tuple(self._kept_field(record_id, kept) for record_id, kept in taken.kept),
            id=ids[0].hex() if ids else None,
            joined=self._undone_join(actions),
        )

    def _last_command(self) -> UndoSelection:
        """The last command that is in effect; where there is none and this computer joined the
        library, as with nothing of its own, what takes that back is said."""
        try:
            return undo.of_last_command(self._replica)
        except NothingToUndoError:
            from bifolio.replica.membership import LibraryMembership

            if not LibraryMembership(self._replica).has_joined():
                raise
            raise NothingToUndoError(
                library=self._replica.meta.name, backup=self._join_backup()
            ) from None

    def _join_backup(self) -> Path | None:
        """Where one's own library is, as it was before it joined, if it still is."""
        noted = self._replica.meta.join_backup
        backup = Path(noted) if noted else None
        return backup if backup is not None and backup.exists() else None

    def _undone_join(self, actions: tuple[Action, ...]) -> UndoneJoin | None:
        """That this computer is still a member of the library that it joined, where that is so."""
        meta = self._replica.meta
        role = meta.standing.role if meta.standing else ""
        if not role or not any(one.kind is ActionKind.JOINED for one in actions):
            return None
        return UndoneJoin(role, self._join_backup())

    def _kept_field(self, record_id: str, kept: Kept) -> KeptField:
        row = self._replica.references.read(record_id)
        gone = self._replica.references.purged.read(record_id)
        name = lookup.shown_key(row) if row else gone.key if gone else None
        name = name or self._replica.groups.any_name(record_id)
        return KeptField(
            record_id, name or record_id[:12], kept.field, KeptReason(kept.reason.value)
        )

    def _actions(self, chosen: UndoSelection) -> tuple[Action, ...]:
        return ActivityLog(self._replica).actions(chosen.changes, chosen.operation)

    def _rehearse_if(self, dry_run: bool) -> AbstractContextManager[None]:
        return self._replica.database.rehearsal() if dry_run else nullcontext()


def _undoing(actions: tuple[Action, ...]) -> Action:
    """The undo of what was done; an undo that is undone was done again."""
    first = actions[0].kind if len(actions) == 1 else None
    if first is ActionKind.UNDID:
        return Action(ActionKind.REDID, actions=actions[0].actions)
    undone = actions[0].actions if first is ActionKind.REDID else actions
    return Action(ActionKind.UNDID, actions=undone)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

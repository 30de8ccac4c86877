"""The journal: each change as it is stored, and which command of this computer made it.

A command is whatever runs inside ``command()``; a transaction outside of one is a command of
its own. What nobody asked for (a device that introduces itself, the records of a joining
library) is written ``unasked``: it is in the history, but no command, and is never undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct

from bifolio.results import Action, write_actions
from bifolio.storage.database import Database
from bifolio.storage.history import ChangeIndex, Operations
from bifolio.wire.changes import Change


class Command(Struct):
    """A command that goes on: ``actions`` may say what it does, ``undoes`` which one it takes back.

    ``number`` is its operation's, once it has changed anything.
    """

    actions: tuple[Action, ...] = ()
    undoes: int | None = None
    number: int | None = None
    stamp: str = ""
    stored: tuple[Action, ...] = ()


class Journal:
    """What was changed, when, by which device and by which command."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.index = ChangeIndex(database)
        self.operations = Operations(database)
        self._command: Command | None = None
        self._single: tuple[int, Command] | None = None
        self._unasked = 0

    # --- commands -------------------------------------------------------------------------

    @contextmanager
    def command(self, actions: tuple[Action, ...] = ()) -> Iterator[Command]:
        """All that is changed inside is one command; inside of another one, a part of it."""
        if self._command is not None:
            if actions:
                self._command.actions = actions
            yield self._command
            return
        command = Command(actions)
        self._command = command
        try:
            yield command
        finally:
            self._command = None
        if command.actions and command.actions != command.stored:
            with self._database.transaction():
                if self._is_stored(command):
                    assert command.number is not None
                    self.operations.describe(command.number, write_actions(command.actions))

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """What is changed inside is no command."""
        self._unasked += 1
        try:
            yield
        finally:
            self._unasked -= 1

    # --- changes, inside the caller's transaction -------------------------------------------

    def write(self, number: int, change: Change, *, device: str) -> None:
        """Note an own change, stored under this number."""
        change_id = self._index(number, 0, change, device)
        if self._unasked:
            return
        command = self._command or self._of_transaction()
        if not self._is_stored(command):
            command.stamp, command.stored = change.stamp, command.actions
            command.number = self.operations.add(
                stamp=change.stamp,
                words=write_actions(command.actions) if command.actions else None,
                undoes=command.undoes,
            )
        assert command.number is not None
        self.operations.add_change(command.number, change_id)

    def receive(
        self,
        number: int,
        changes: Sequence[Change],
        *,
        device: str,
        known: Mapping[tuple[int, int], int] | None = None,
    ) -> None:
        """Note the changes of a merged envelope, stored under this number.

        Args:
            known: the numbers that they have in the index by (number, place), to be noted again.
        """
        if not known:
            noted = [
                (change.id, change.stamp, [record_id for record_id, _ in change.records])
                for change in changes
            ]
            self.index.add_all(number, noted, device=device)
            return
        for place, change in enumerate(changes):
            self._index(number, place, change, device, known.get((number, place)))

    def forget(self) -> None:
        """The past stays in the backup (joining another library only)."""
        self.index.clear()
        self.operations.remove_all()

    # --- small steps ----------------------------------------------------------------------

    def _index(
        self, number: int, place: int, change: Change, device: str, kept: int | None = None
    ) -> bytes:
        change_id = change.id
        self.index.add(
            change=number,
            place=place,
            change_id=change_id,
            stamp=change.stamp,
            device=device,
            record_ids=[record_id for record_id, _ in change.records],
            number=kept,
        )
        return change_id

    def _of_transaction(self) -> Command:
        """The command that a transaction outside of any is: the same for all its changes."""
        begun = self._database.transactions_begun
        if self._single is None or self._single[0] != begun:
            self._single = (begun, Command())
        return self._single[1]

    def _is_stored(self, command: Command) -> bool:
        """Whether the command has its row: not before its first change, nor after a rollback."""
        if command.number is None:
            return False
        stored = self.operations.read(command.number)
        return stored is not None and stored.stamp == command.stamp

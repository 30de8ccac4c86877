"""References that are committed and wait to be derived, and what is remembered of them meanwhile.

What is remembered only saves work: the file says what waits, and the records what they hold. Of
many, a second process derives what it can (``derivation_worker``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.document.entries import Entries
from bifolio.storage.database import Database
from bifolio.storage.underived import Underived

if TYPE_CHECKING:
    from bifolio.replica import derivation_worker, worker_process
    from bifolio.replica.derivation_worker import DerivationWorker, PendingCheck
    from bifolio.storage.derived import StoredReference
else:
    # For large batches.
    derivation_worker = lazy.module("bifolio.replica.derivation_worker")
    worker_process = lazy.module("bifolio.replica.worker_process")

#: A record, and what tells the state that was committed from later ones.
Key = tuple[str, bytes]

#: What a record holds: as JSON, as its state, or read already.
Content = str | bytes | Entries

#: A record as it was committed: its id, what it holds as JSON (its state, of one that came as it
#: is stored), and read where it was here before: then most of what is derived of it is known.
Noted = tuple[str, str | bytes, Entries | None]

#: What is read takes so many times as much memory as the JSON that it was read of.
_READ_SIZE = 3


class Backlog:
    """What one process knows of the table ``underived``."""

    def __init__(self, database: Database) -> None:
        self.table = Underived(database)
        #: The content of records that were not here before as JSON, by id and the check of the
        #: state that it is of; and what the others hold, with its size.
        self._remembered: dict[Key, str | bytes] = {}
        self._read: dict[Key, tuple[Entries, int]] = {}
        self._size = 0
        self._noted = 0
        self._worker: DerivationWorker | None = None
        self._may_start = True

    def is_empty(self) -> bool:
        """Whether all is derived that is committed."""
        return self.table.is_empty()

    def note(self, committed: Sequence[Noted], checks: Mapping[str, bytes]) -> None:
        """Note records of this transaction; ``checks`` tells their states from later ones."""
        self.table.add([record_id for record_id, _, _ in committed])
        for record_id, content, read in committed:
            key, size = (record_id, checks[record_id]), len(content)
            if read is None:
                self._noted += 1
            else:
                size *= _READ_SIZE
            if self._size + size > limits.DERIVED_LATER_REMEMBERED:
                continue
            self._size += size
            if read is None:
                self._remembered[key] = content
            else:
                self._read[key] = (read, size)
        if self._noted >= limits.DERIVED_AHEAD_MIN:
            self.start()
        self.advance()

    def start(self) -> None:
        """Many wait: have a second process derive them, where there is a processor for it."""
        if self._worker is None and self._may_start:
            self._may_start = False
            if worker_process.has_processors():
                with suppress(OSError):
                    self._worker = derivation_worker.DerivationWorker()

    def advance(self) -> None:
        """Give the other process what is remembered, as much as it can take; waits for nothing."""
        worker = self._worker
        if worker is None:
            return
        worker.collect()
        while self._remembered and worker.has_room:
            keys = list(islice(self._remembered, limits.DERIVED_AHEAD_AT_ONCE))
            worker.give([(key, self._forget(key)) for key in keys])

    @property
    def takes_more(self) -> bool:
        """Whether the other process should be given more, by ``give``."""
        if self._worker is not None:
            self._worker.collect()
        return self._worker is not None and self._worker.has_room

    def give(self, states: Mapping[Key, bytes]) -> None:
        """Give the other process these records, each with its state."""
        if self._worker is not None:
            self._worker.give(
                [(key, self._take_json(key) or state) for key, state in states.items()]
            )

    def is_ahead(self, key: Key) -> bool:
        """Whether the other process derives a record, or has."""
        return self._worker is not None and self._worker.holds(key)

    def take_derived(self, key: Key) -> StoredReference | None:
        """What the other process made of a record, waiting for it where need be; None where it did
        not."""
        return self._worker.take(key) if self._worker is not None else None

    def take(self, record_id: str, check: bytes) -> Content | None:
        """What is remembered of a record whose state has this check, forgotten with it."""
        found = self._read.pop((record_id, check), None)
        if found is None:
            return self._take_json((record_id, check))
        self._size -= found[1]
        return found[0]

    def check_ahead(
        self, batch: Sequence[tuple[str, bytes]], slots: Mapping[int, str]
    ) -> PendingCheck | None:
        """Have the other process check the states of some records of a snapshot; None where it
        cannot take them now, or was not started."""
        worker = self._worker
        if worker is None:
            return None
        worker.collect()
        return worker.check(batch, slots) if worker.has_room else None

    def take_checked(self, pending: PendingCheck) -> Sequence[int | None] | None:
        """What the other process found of such records, waiting for it; None where it did not, or
        found something wrong."""
        return self._worker.take_checked(pending) if self._worker is not None else None

    def end_checks(self) -> None:
        """No more is to be checked: the other process goes on only where something waits to be
        derived."""
        if self.is_empty():
            self.forget()

    def forget(self) -> None:
        """Nothing waits any more."""
        self._remembered.clear()
        self._read.clear()
        self._size = 0
        self._noted = 0
        if self._worker is not None:
            self._worker.close()
        self._worker, self._may_start = None, True

    def _take_json(self, key: Key) -> str | bytes | None:
        return self._forget(key) if key in self._remembered else None

    def _forget(self, key: Key) -> str | bytes:
        found = self._remembered.pop(key)
        self._size -= len(found)
        return found

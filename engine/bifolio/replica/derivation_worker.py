"""References derived ahead by a second process, while this one merges and writes; and states of a
snapshot checked by it, while this one checks others.

What lists and searches are given of a reference follows from its record alone, and making it takes
two thirds of a derivation; the writing is this process's. What the other one has not made, because
it still starts, has ended or met a record that it cannot read, is made here as if there were none.
"""

from __future__ import annotations

import pickle
import weakref
from collections import deque
from collections.abc import Mapping, Sequence

from bifolio import limits
from bifolio.replica import derivation_process
from bifolio.replica.derivation_process import CHECK, DERIVE
from bifolio.replica.worker_process import Empty, WorkerProcess, command_of
from bifolio.storage.derived import StoredReference

#: A record, and what tells the state that was derived from later ones.
Key = tuple[str, bytes]

#: Batches that the process has been given and has not answered, so that it never waits.
_BATCHES_OUT_MAX = 4

#: Records that are made, or being made, and not stored yet: at 6 kB each some 12 MB.
_RECORDS_HELD_MAX = 2_000

#: A record that holds more is derived here: it would wait in the pipe, and this process with it.
_CONTENT_MAX = 64 * 1024


class PendingCheck:
    """Records of a snapshot that the process was given to check."""

    def __init__(self) -> None:
        #: Whether it is known what became of it.
        self.is_settled = False
        #: What the process found; None where it has not, or found something wrong.
        self.shares: Sequence[int | None] | None = None


class DerivationWorker:
    """The process, what it was given and what it has made."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        """Start it.

        Args:
            command: how; None: as this process was started.

        Raises:
            OSError: it cannot be started.
        """
        given = command or command_of(derivation_process.__name__)
        self._process: WorkerProcess | None = WorkerProcess(given)
        # Whoever forgets to close it ends the process all the same.
        self._end = weakref.finalize(self, self._process.close)
        self._out: deque[Sequence[Key] | PendingCheck] = deque()
        #: What is out, and what was made; a record that was derived here meanwhile is in neither.
        self._awaited: set[Key] = set()
        self._made: dict[Key, StoredReference] = {}
        self._has_answered = False
        #: The slots that the process knows, and as what.
        self._slots: Mapping[int, str] | None = None

    def close(self) -> None:
        """End the process; what it was still at is made here. A second time is no error."""
        self._process = None
        self._end()
        for one in self._out:
            if isinstance(one, PendingCheck):
                one.is_settled = True
        self._out.clear()
        self._awaited.clear()

    @property
    def has_room(self) -> bool:
        """Whether it should be given another batch."""
        return (
            self._process is not None
            and len(self._out) < _BATCHES_OUT_MAX
            and len(self._awaited) + len(self._made) < _RECORDS_HELD_MAX
        )

    def give(self, batch: Sequence[tuple[Key, str | bytes]]) -> None:
        """Give it records, each with what it holds: as JSON, or its state. Large ones it does not
        take."""
        assert self._process is not None
        batch = [one for one in batch if len(one[1]) <= _CONTENT_MAX]
        if not batch:
            return
        orders = [(key[0], content) for key, content in batch]
        if not self._process.give(pickle.dumps((DERIVE, orders), protocol=5)):
            self.close()
            return
        keys = [key for key, _ in batch]
        self._out.append(keys)
        self._awaited.update(keys)

    def check(
        self, batch: Sequence[tuple[str, bytes]], slots: Mapping[int, str]
    ) -> PendingCheck | None:
        """Give it states of a snapshot to check; None where it cannot take them.

        Args:
            batch: record ids with states, none of them large.
            slots: of every device, by client id: the same object for all of a snapshot.
        """
        assert self._process is not None
        known = None if slots is self._slots else slots
        if known is not None and len(known) > limits.SLOTS_GIVEN_MAX:
            return None
        if not self._process.give(pickle.dumps((CHECK, (known, batch)), protocol=5)):
            self.close()
            return None
        self._slots = slots
        pending = PendingCheck()
        self._out.append(pending)
        return pending

    def take_checked(self, pending: PendingCheck) -> Sequence[int | None] | None:
        """What it found of such records, in their order, waiting for it; None where it did not or
        found something wrong with one."""
        # One that still starts is not waited for.
        self.collect()
        while not pending.is_settled and self._has_answered and self._keep_answer(wait=True):
            pass
        return pending.shares

    def collect(self) -> None:
        """Keep what it has made; waits for nothing."""
        while self._out and self._keep_answer(wait=False):
            pass

    def holds(self, key: Key) -> bool:
        """Whether it has made a reference, or is at it."""
        return key in self._made or key in self._awaited

    def take(self, key: Key) -> StoredReference | None:
        """What it made of a reference, waiting for it where need be; None where it did not."""
        if key in self._awaited:
            self.collect()
        # One that still starts is not waited for.
        while key in self._awaited and self._has_answered and self._keep_answer(wait=True):
            pass
        self._awaited.discard(key)
        return self._made.pop(key, None)

    def _keep_answer(self, *, wait: bool) -> bool:
        """Keep the answer to the oldest batch that is out; False where it has not come."""
        assert self._process is not None
        try:
            body = self._process.answer(wait=wait)
        except Empty:
            return False
        if body is None:
            self.close()
            return False
        self._has_answered = True
        given, made_of = self._out.popleft(), pickle.loads(body)
        if isinstance(given, PendingCheck):
            given.is_settled, given.shares = True, made_of
            return True
        for key, made in zip(given, made_of, strict=True):
            if key in self._awaited:
                self._awaited.discard(key)
                if made is not None:
                    self._made[key] = made
        return True

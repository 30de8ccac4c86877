"""Creations made ahead by a second process, while this one reads a file and writes to its library.

Making the first document of a record, and what lists read of it, is half the work of an import
and needs nothing but the record (``creation``). On a computer with more than one processor a
process of its own does it, for the records that the library has not got. What it makes is used
just as if it had been made here, so it may fail, end or be late without harm.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from bifolio import limits
from bifolio.formats import MAPPING_VERSION
from bifolio.imports import worker
from bifolio.records.reference import ImportedReference
from bifolio.replica.creation import Creation, create
from bifolio.replica.worker_process import Empty, WorkerProcess, command_of, has_processors
from bifolio.storage.import_staging import ImportStaging

#: Records in one batch: some 50 ms of work.
_RECORDS_AT_ONCE = 100

#: Batches that the process has been given and has not answered: one at work and two waiting, so
#: that it never waits itself.
_BATCHES_OUT_MAX = 3

#: Fewer records are made here before a second process has started.
_RECORDS_WORTHWHILE = 500

#: Records that are left for this process each time it had to wait for the other one.
_RECORDS_RESERVED = 25


class Prefetch:
    """The creations of one import. To be closed, and the process ends."""

    def __init__(self, staging: ImportStaging, *, command: Sequence[str] | None = None) -> None:
        """Args: command: how the process is started; None: as this one was."""
        self._spool = staging
        self._command = command or command_of(worker.__name__)
        self._process: WorkerProcess | None = None
        self._may_start = has_processors()
        #: The first and the last number of each batch that is out, in the order of giving.
        self._out: deque[tuple[int, int]] = deque()
        self._has_answered = False
        #: The process is given what comes after this number.
        self._given = 0
        #: The batch that was looked into last.
        self._at_hand: dict[int, Creation] = {}

    def close(self) -> None:
        """End the process; what it was still at is made here. A second time is no error."""
        self._may_start = False
        self._out.clear()
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def advance(self) -> None:
        """Give the process what it can take, and keep what it has made; waits for nothing.

        To be called whenever records were put into the staging.
        """
        if self._may_start and self._spool.added >= _RECORDS_WORTHWHILE:
            self._start()
        while self._out and self._keep_answer(wait=False):
            pass
        while self._process is not None and len(self._out) < _BATCHES_OUT_MAX:
            if not self._give():
                break

    def creation(self, number: int, record_id: str, reference: ImportedReference) -> Creation:
        """The creation of the number-th record of the staging, which goes to this id."""
        made = self._take_made(number)
        if made is not None and made.record_id == record_id:
            return made
        return create(record_id, reference, mapping=MAPPING_VERSION)

    def _take_made(self, number: int) -> Creation | None:
        """What the process made of a record, once it has; None where it is not at work on it."""
        if number not in self._at_hand:
            if self._given < number <= self._given + _RECORDS_AT_ONCE:
                self._given = number  # overtaken; a record far ahead is one out of its turn
            self.advance()
            if self._is_out(number):
                if not self._has_answered:
                    return None  # it still starts
                self._given += _RECORDS_RESERVED  # it is the slower one: these are made here
                while self._is_out(number) and self._keep_answer(wait=True):
                    pass
            body = self._spool.read_made(number)
            if body is None:
                return None
            self._at_hand = pickle.loads(body)
        return self._at_hand.get(number)

    def _is_out(self, number: int) -> bool:
        """Whether a record is in a batch that was not answered."""
        return any(first <= number <= last for first, last in self._out)

    # --- the process ----------------------------------------------------------------------

    def _start(self) -> None:
        """Start the process; where that cannot be done, everything is made here."""
        self._may_start = False
        with suppress(OSError):
            self._process = WorkerProcess(self._command)

    def _give(self) -> bool:
        """Give one batch of records that the library has not got; False where there is none."""
        if self._given >= self._spool.added:
            return False
        page = self._spool.page(
            after=self._given,
            most=_RECORDS_AT_ONCE,
            bytes_max=limits.TRANSACTION_TARGET_BYTES,
        )
        if not page:
            return False
        self._given = page[-1].number
        batch = [(one.number, one.id, one.body) for one in page if one.is_fresh]
        if not batch:
            return True
        assert self._process is not None
        if not self._process.give(pickle.dumps((MAPPING_VERSION, batch), protocol=5)):
            self.close()
            return False
        self._out.append((page[0].number, self._given))
        return True

    def _keep_answer(self, *, wait: bool) -> bool:
        """Keep the oldest batch that is out, in the staging; False where it has not come."""
        assert self._process is not None
        try:
            body = self._process.answer(wait=wait)
        except Empty:
            return False
        if body is None:
            self.close()
            return False
        self._has_answered = True
        first, last = self._out.popleft()
        self._spool.keep_made(first, last, body)
        return True

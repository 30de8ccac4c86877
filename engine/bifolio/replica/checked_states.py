"""The states of a snapshot, each checked by itself: here, and of many also by the second process.

Nothing of a snapshot is merged before all of it was checked, so what was found out on the way is
kept until then: of a reference its share of the state hash, 33 bytes each. One that the replica has
not got is then stored as it came, and its document is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bifolio import limits
from bifolio.replica.backlog import Backlog
from bifolio.replica.checking import check_one
from bifolio.replica.derivation_worker import PendingCheck

#: A record's id and its state.
Record = tuple[str, bytes]

_SHARE_BYTES = 32
_UNKNOWN = bytes(1 + _SHARE_BYTES)


class CheckedStates:
    """What was found of the records of one snapshot, in its order."""

    def __init__(self) -> None:
        self._found = bytearray()

    def __len__(self) -> int:
        return len(self._found) // len(_UNKNOWN)

    def share(self, number: int) -> int | None:
        """Of the record of this number, from 0, what ``checking.check_one`` gave."""
        start = number * len(_UNKNOWN)
        if not self._found[start]:
            return None
        return int.from_bytes(self._found[start + 1 : start + len(_UNKNOWN)], "big")

    def add_unknown(self) -> int:
        """Count one more, of which nothing is known yet; its number."""
        self._found += _UNKNOWN
        return len(self) - 1

    def set_share(self, number: int, share: int | None) -> None:
        """Note what was found of a record."""
        if share is not None:
            start = number * len(_UNKNOWN)
            self._found[start] = 1
            self._found[start + 1 : start + len(_UNKNOWN)] = share.to_bytes(_SHARE_BYTES, "big")


class _Batch(NamedTuple):
    first: int
    records: Sequence[Record]
    pending: PendingCheck


class StateChecker:
    """Checks the records of one snapshot, in their order."""

    def __init__(self, backlog: Backlog, slots: Mapping[int, str]) -> None:
        """
        Args:
            backlog: whose second process takes a part of them.
            slots: of every device of the library, by client id.
        """
        self._backlog = backlog
        self._slots = slots
        self._states = CheckedStates()
        self._batch: list[Record] = []
        self._out: list[_Batch] = []

    def check(self, record_id: str, state: bytes) -> None:
        """Check one more record, or keep it for a batch.

        Raises:
            DocumentError: a state is not what it should be.
        """
        number = self._states.add_unknown()
        if len(state) > limits.STATE_CHECKED_AHEAD_BYTES_MAX:
            self._end_batch(number)
            self._states.set_share(number, check_one(record_id, state, self._slots))
            return
        self._batch.append((record_id, state))
        if len(self._batch) >= limits.DERIVED_AHEAD_AT_ONCE:
            self._end_batch(number + 1)

    def finish(self) -> CheckedStates:
        """What was found of all of them.

        Raises:
            DocumentError: a state is not what it should be.
        """
        self._end_batch(len(self._states))
        while self._out:
            self._take_answer(self._out.pop(0))
        return self._states

    def _end_batch(self, end: int) -> None:
        """Have a batch checked that ends before a number: by the process that has room for it."""
        batch, self._batch = self._batch, []
        first = end - len(batch)
        while self._out and self._out[0].pending.is_settled:
            self._take_answer(self._out.pop(0))
        if batch:
            pending = self._backlog.check_ahead(batch, self._slots)
            if pending is not None:
                self._out.append(_Batch(first, batch, pending))
                return
        self._check_here(first, batch)

    def _take_answer(self, batch: _Batch) -> None:
        shares = self._backlog.take_checked(batch.pending)
        if shares is None:
            self._check_here(batch.first, batch.records)
            return
        for number, share in enumerate(shares, batch.first):
            self._states.set_share(number, share)

    def _check_here(self, first: int, batch: Sequence[Record]) -> None:
        for number, (record_id, state) in enumerate(batch, first):
            self._states.set_share(number, check_one(record_id, state, self._slots))

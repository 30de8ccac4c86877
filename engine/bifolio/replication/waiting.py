"""What cannot be merged yet: within a quota for each author, and asked for again where it was not
kept.

A relay that is honest sends an envelope after all that it builds on, so as a rule nothing waits.
What a member writes that can never be merged fills its own quota and no other's, and a full quota
stops nothing: more of it is not kept. Where in the log that was is noted, so that it is pulled
again once it may have room or a right.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.ids import device_tag
from bifolio.replica.replica import Replica
from bifolio.wire.position import LogPosition

#: Among what was not kept: of computers that are no members as far as is known.
STRANGERS = ""

#: Authors that are counted by themselves among what was not kept; there are no more members.
_COUNTED_MAX = 1024


class WaitingRoom:
    """What one replica keeps waiting; for one batch, whose transactions are the caller's."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._usage: dict[bytes | None, tuple[int, int]] = {}

    def admit(
        self, envelope: Envelope, position: int | None, needs: Sequence[bytes], *, of_members: bool
    ) -> bool:
        """Let an envelope wait until what it needs is here; False where there is no room."""
        pending = self._replica.pending
        device = envelope.header.device
        if pending.has(envelope.hash):
            pending.set_needs(envelope.hash, needs, of_members=of_members)
            if position is not None:
                pending.set_position(envelope.hash, position)
            return True
        size = len(envelope.raw) + limits.PENDING_NEED_BYTES * len(needs)
        if not self._has_room(device, size):
            return False
        pending.add(
            envelope.hash,
            position,
            envelope.raw,
            device=device,
            size=size,
            needs=needs,
            of_members=of_members,
        )
        for whose in (device, None):
            number, total = self._usage_of(whose)
            self._usage[whose] = (number + 1, total + size)
        return True

    def leave(self, envelope_hash: bytes) -> None:
        """An envelope waits no longer."""
        if self._replica.pending.has(envelope_hash):
            self._replica.pending.remove(envelope_hash)
            self._usage.clear()

    def note_not_kept(self, device: bytes | None, start: LogPosition | None) -> None:
        """An envelope was not kept.

        Args:
            device: its author, of whom too much waits; None for one that is no member.
            start: from where it would be pulled again; None where it came from no log.
        """
        meta = self._replica.meta
        tag = STRANGERS if device is None else device_tag(device)
        counted = meta.not_kept
        if tag in counted or len(counted) < _COUNTED_MAX:
            meta.not_kept = {**counted, tag: counted.get(tag, 0) + 1}
        if start is None:
            return
        earlier = meta.pull_again
        if earlier is None or earlier.epoch != start.epoch or start.position < earlier.position:
            meta.pull_again = start

    def pull_again(self, *, members_grew: bool) -> bool:
        """Put the cursor back to where something was not kept, if that may be kept now."""
        meta = self._replica.meta
        counted = meta.not_kept
        if not counted:
            return False
        if STRANGERS in counted and not members_grew:
            return False
        if not all(self._is_half_empty(tag) for tag in counted if tag != STRANGERS):
            return False
        start, cursor = meta.pull_again, meta.cursor
        meta.not_kept, meta.pull_again = {}, None
        if start is None or cursor is None or start.epoch != cursor.epoch:
            return False
        if start.position < cursor.position:
            meta.cursor = start
        return True

    def _has_room(self, device: bytes, size: int) -> bool:
        number, total = self._usage_of(device)
        if number >= limits.PENDING_PER_AUTHOR_MAX:
            return False
        if total + size > limits.PENDING_PER_AUTHOR_BYTES_MAX:
            return False
        number, total = self._usage_of(None)
        return number < limits.PENDING_MAX and total + size <= limits.PENDING_BYTES_MAX

    def _usage_of(self, device: bytes | None) -> tuple[int, int]:
        """How many envelopes of an author, or of all, wait, and their bytes: counted once."""
        found = self._usage.get(device)
        if found is None:
            found = self._usage[device] = self._replica.pending.usage(device)
        return found

    def _is_half_empty(self, tag: str) -> bool:
        for device, count in self._replica.pending.count_by_author():
            if device is not None and device_tag(device) == tag:
                size = self._usage_of(device)[1]
                return (
                    count <= limits.PENDING_PER_AUTHOR_MAX // 2
                    and size <= limits.PENDING_PER_AUTHOR_BYTES_MAX // 2
                )
        return True

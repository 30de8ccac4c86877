"""Received envelopes: judged, put in causal order, merged (DESIGN §6, §11; invariants I4 and I7).

A batch is one transaction, or a few where it is large: its envelopes, the records they touch, the
index, the state hash, and at last the cursor. What breaks a rule is refused with its author and
the reason, and the rest goes on: nothing that a member writes ends a sync. What waits for others is
tried again when they come. **What is in order, but can only be read by a newer program, is kept
whole** with all that builds on it, for as long as this program is the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.crash_mark import CrashMark
from bifolio.replication.receiving import ApplyResult, Received, Run
from bifolio.wire.log_chain import log_start
from bifolio.wire.position import LogPosition

__all__ = ["ApplyResult", "Inbox", "Received"]


class Inbox:
    """Merges what others wrote."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._mark = CrashMark(replica.path)

    def receive(
        self,
        batch: Sequence[Received],
        *,
        cursor: LogPosition | None = None,
        passed: Sequence[tuple[int, bytes]] = (),
    ) -> ApplyResult:
        """Merge a batch and move the cursor, in one transaction or, where it is large, in parts.

        Envelopes that are merged already only learn their position. Each merged envelope may
        free others that waited for it.

        Args:
            batch: the envelopes, in the order in which they came.
            cursor: how far the relay's log is merged with them.
            passed: the positions up to the cursor, each with the log's chain hash there.
        """
        run = self._run()
        run.incoming.extend(batch)
        self._work(run, cursor, passed)
        return run.merged

    def retry_pending(self) -> ApplyResult:
        """Try again what waits for members, after the membership grew."""
        run = self._run()
        run.looks_for_forks = True
        pending = self._replica.pending
        run.ready.extend(pending.waiting_for_members())
        run.ready.extend(one for one in self._of_who_may_not_write() if one not in run.ready)
        self._work(run)
        with self._replica.database.transaction():
            run.room.pull_again(members_grew=True)
        return run.merged

    def follow_cuts(self) -> None:
        """Take back what is here behind the cuts of who lost the right to write, after the
        membership changed; and take what counts again after all."""
        membership = self._member_log.membership()
        seen = self._replica.meta.cut_off_at
        if (
            membership is None
            or membership.head == seen
            or not (seen or membership.has_lost_rights)
        ):
            return
        run = self._run()
        run.looks_for_cuts = True
        self._work(run)

    def retry_newer(self) -> ApplyResult:
        """A sync begins: try again what a program of other formats kept, what a kill left
        waiting, and what may have room now.

        In parts, each a transaction: where it ends in between, the next sync goes on.
        """
        run = self._run()
        replica = self._replica
        formats = replica.formats.name
        if replica.meta.envelope_formats != formats:
            self._member_log.read_again()
        self.follow_cuts()
        while replica.newer_envelopes.first_of_another(formats) is not None:
            with self._part(run):
                run.retry_some_newer(formats)
        if run.merged.changes and replica.newer_envelopes.waiting():
            run.merged.frees_kept = True  # the order may be another one than that of the frontiers
        run.ready.extend(one for one in replica.pending.ready() if one not in run.ready)
        run.ready.extend(one for one in self._of_who_may_not_write() if one not in run.ready)
        if run.merged.frees_kept or run.ready:
            self._work(run)
        if replica.meta.not_kept:
            with replica.database.transaction():
                run.room.pull_again(members_grew=False)
        return run.merged

    def retry_fatal(self) -> ApplyResult:
        """Try again what was set aside because it ended the process."""
        with self._replica.database.transaction():
            taken = self._replica.refused.forgive()
        run = self._run()
        run.incoming.extend(Received(*one) for one in taken)
        self._work(run)
        return run.merged

    def _of_who_may_not_write(self) -> list[bytes]:
        """What waits of authors who lost the right to write: what they build on may never come, and
        behind the cut it counts for nothing."""
        pending, membership = self._replica.pending, self._member_log.membership()
        if membership is None or not self._replica.changes.waiting():
            return []
        devices = [one for one, _ in pending.count_by_author() if one is not None]
        lost = [one for one in devices if membership.has_met(one) and not membership.may_write(one)]
        return [envelope_hash for one in lost for envelope_hash, _ in pending.beginnings(one)]

    # --- parts ----------------------------------------------------------------------------------

    def _run(self) -> Run:
        """Begin, having seen to it that what ended a process does not end every one."""
        if self._mark.is_there():
            with self._replica.database.transaction():
                # Read inside: who merges holds the right to write, and clears the mark first.
                ended_at = self._mark.read()
                if ended_at is not None:
                    self._replica.refused.add_death(ended_at)
            self._mark.clear()
        return Run(self._replica, self._member_log, self._mark)

    def _work(
        self,
        run: Run,
        cursor: LogPosition | None = None,
        passed: Sequence[tuple[int, bytes]] = (),
    ) -> None:
        """Merge all of it, a part at a time."""
        done = False
        while not done:
            with self._part(run):
                if cursor is not None and run.start is None:
                    run.start = self._start_of(cursor)
                if cursor is not None and passed:
                    self._replica.log_hashes.add(cursor.epoch, passed)
                    passed = ()
                done = run.work()
                if done and cursor is not None:
                    self._replica.meta.cursor = cursor
                    if run.start is not None and not run.merged.lawful:
                        self._replica.log_hashes.thin(
                            cursor.epoch, after=run.start.position, before=cursor.position
                        )
                    if run.released:
                        run.room.pull_again(members_grew=False)

    @contextmanager
    def _part(self, run: Run) -> Iterator[None]:
        """One transaction, and the mark of what is merged in it."""
        with self._replica.database.transaction():
            try:
                run.begin()
                yield
                run.end()
            finally:
                self._mark.clear()

    def _start_of(self, cursor: LogPosition) -> LogPosition:
        """From where this batch would be pulled again."""
        before = self._replica.meta.cursor
        if before is not None and before.epoch == cursor.epoch:
            return before
        return LogPosition(cursor.epoch, 0, log_start(self._replica.library_id, cursor.epoch))

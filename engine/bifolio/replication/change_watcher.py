"""Noticing what is written to a replica, here or by others, while it stays connected."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bifolio import limits
from bifolio.replica.replica import Replica


class ChangeWatcher:
    """Notices what other processes write to a replica, and what its own opening changes."""

    def __init__(self, replica: Replica, nudge: asyncio.Event | None) -> None:
        self._database = replica.database
        self._changes = replica.changes
        self._nudge = nudge
        self._seen = self._database.data_version()
        self._unsealed = self._changes.last_unsealed()

    async def wait(self) -> None:
        """Return when somebody wrote since the last return."""
        looks = 1
        while True:
            if self._nudge is None or looks > 0:
                await asyncio.sleep(limits.WATCH_POLL_S)
                looks -= 1
            else:
                # Asked now and then all the same: some file systems tell no times.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._nudge.wait(), limits.WATCH_NUDGE_S)
                self._nudge.clear()
                # A commit is written, then synced, and only then to be seen.
                looks = limits.WATCH_LOOKS_AFTER_NUDGE
            if self._has_changed():
                return

    def _has_changed(self) -> bool:
        # SQLite's version moves with the commits of other connections alone.
        version, unsealed = self._database.data_version(), self._changes.last_unsealed()
        has_changed = version != self._seen or unsealed > self._unsealed
        self._seen, self._unsealed = version, unsealed
        return has_changed

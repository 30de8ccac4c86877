"""Noticing what other processes write to a replica while this one stays connected."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bifolio import limits
from bifolio.storage.database import Database


class LocalChanges:
    """Notices what other processes write to a replica."""

    def __init__(self, database: Database, nudge: asyncio.Event | None) -> None:
        self._database = database
        self._nudge = nudge
        self._seen = database.data_version()

    async def wait(self) -> None:
        """Return when another process wrote since the last return."""
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
            now = self._database.data_version()
            if now != self._seen:
                self._seen = now
                return

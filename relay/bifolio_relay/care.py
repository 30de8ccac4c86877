"""The relay's care of its own copy: found damaged, it is mended, and members are asked again.

One library is checked after the other, beside all other work; what a question comes upon is mended
at once. Its connections end with BYE, and who comes again is told of another epoch: then members
offer what the relay lacks, as to a relay that was wiped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bifolio import limits
from bifolio.errors import MembershipError, RelayDamagedError, RelayStorageError
from bifolio_relay.log_service import LogService

#: What a connection is told whose library is mended.
MENDING = "the relay found its copy of this library damaged and mends it: connect again"


@dataclass(slots=True)
class CareCounts:
    """What was checked, found and mended since the process began."""

    checked: int = 0
    found: int = 0
    mended: int = 0
    #: What is damaged and could not be mended yet, in words; empty where nothing is.
    open: str = ""


class Care:
    """Checks and mends one relay's store.

    Arguments:
        service: whose store it is.
        part: ends the connections of a library (None: all), before anything is changed.
        logger: what is written names libraries by the beginning of their ids.
    """

    def __init__(
        self,
        service: LogService,
        part: Callable[[bytes | None, str], Awaitable[None]],
        logger: logging.Logger,
    ) -> None:
        self._service = service
        self._part = part
        self._logger = logger
        self._lock = asyncio.Lock()
        self._mending: set[asyncio.Task[None]] = set()
        self.counts = CareCounts()

    async def check_forever(self) -> None:
        """Check one library after the other, for as long as the relay runs."""
        while True:
            await asyncio.sleep(limits.RELAY_CHECK_WAIT_S)
            try:
                for library, what in await self._service.find_damaged():
                    await self.mend(library, what)
            except RelayStorageError as error:
                self._logger.error("the store cannot be checked: %s", error.message)
            self.counts.checked += 1

    def notice(self, error: RelayStorageError | MembershipError, library: bytes | None) -> bool:
        """A question or a commit came upon something; whether it is damage, which is mended then.

        Arguments:
            error: what it came upon.
            library: whose question it was.
        """
        if isinstance(error, MembershipError):
            damaged, what = library, f"its list of members ({error.reason})"
        elif isinstance(error, RelayDamagedError):
            damaged, what = error.library, error.reason
        else:
            return False
        task = asyncio.create_task(self.mend(damaged, what))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)
        return True

    async def mend(self, library: bytes | None, what: str) -> None:
        """Mend a library, or the store itself (None)."""
        name = "the store" if library is None else f"library={library.hex()[:8]}"
        if self._lock.locked():
            return  # it is seen to; what is left comes up again
        async with self._lock:
            self.counts.found += 1
            self._logger.error(
                "this relay's own copy of %s is damaged: %s; it is mended from what is whole, and "
                "members are asked for the rest",
                *(name, what),
            )
            await self._part(library, MENDING)
            try:
                await self._service.mend(library)
            except RelayStorageError as error:
                self.counts.open = f"{name}: {what}"
                self._logger.error("%s could not be mended: %s", name, error.message)
                return
            self.counts.mended += 1
            self.counts.open = ""
            self._logger.warning("mended %s; what was damaged is kept", name)

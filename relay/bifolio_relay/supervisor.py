"""A relay of several processes: begins those that serve, and begins one again that has ended.

The process in front listens and keeps others off the folder; it holds no connection longer than a
greeting takes, and nothing of any library. What the others acknowledged is in the store, so that
one that ends, however it does, loses nothing: its clients come back and find the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.server import Server

from bifolio import limits
from bifolio.errors import Next, RelayError
from bifolio_relay import handover, worker
from bifolio_relay.config import Config
from bifolio_relay.front import Front, WorkerLine
from bifolio_relay.handover import Channel
from bifolio_relay.lifetime import end_tasks
from bifolio_relay.storage.sqlite import open_file

#: Makes the front listen.
Listen = Callable[[Front], Awaitable[Server]]


async def supervise(
    config: Config,
    listen: Listen,
    ready: Callable[[Server], None],
    stop: asyncio.Event,
    logger: logging.Logger,
) -> None:
    """Run a relay of several processes until ``stop`` is set.

    Arguments:
        config: how many there are, and what they are told.
        listen: begins to listen, with what is done with connections.
        ready: called once when all of them serve.
        stop: ends them all.
        logger: what is written never holds content or secrets.

    Raises:
        RelayError: a process ended at its start.
        RelayStorageError: the data cannot be used, or another relay uses it.
    """
    # Brings the file to today's version and mends it, before anybody else opens it; keeps others
    # off the folder as long as this process lives.
    file = open_file(config.data, shared=config.shared)
    try:
        front = Front(config, logger)
        server = await listen(front)
        keepers = [
            asyncio.create_task(Keeper(config, line, logger).keep_forever()) for line in front.lines
        ]
        try:
            if await _all_begun(front, keepers, stop):
                ready(server)
                await _first_of(stop, keepers)
            logger.info("closing")
        finally:
            server.close(close_connections=False)
            front.stop()
            await end_tasks(keepers)
            await server.wait_closed()
    finally:
        file.close()


class Keeper:
    """Keeps one process running."""

    def __init__(self, config: Config, line: WorkerLine, logger: logging.Logger) -> None:
        self._config = config
        self._line = line
        self._logger = logger
        self._wait_s = limits.RELAY_PROCESS_AGAIN_S

    async def keep_forever(self) -> None:
        """Begin the process, and again when it has ended; cancelled, it ends it.

        Raises:
            RelayError: it ended before it had begun to serve for the first time.
        """
        has_begun = False
        while True:
            began_s = time.monotonic()
            code, begun = await self._run_once()
            has_begun = has_begun or begun
            number = self._line.number
            if not has_begun:
                raise RelayError(
                    f"A process of the relay ended at its start, with exit code {code}; what it "
                    "said is above.",
                    next_step=Next.CHECK_RELAY_DISK,
                )
            lasted_s = time.monotonic() - began_s
            is_steady = lasted_s > limits.RELAY_PROCESS_AGAIN_MAX_S
            self._wait_s = limits.RELAY_PROCESS_AGAIN_S if is_steady else self._wait_s
            self._logger.error(
                "process %d ended with exit code %d after %.0f s; it begins again in %.1f s",
                *(number, code, lasted_s, self._wait_s),
            )
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(2 * self._wait_s, limits.RELAY_PROCESS_AGAIN_MAX_S)

    async def _run_once(self) -> tuple[int, bool]:
        """Run the process to its end: its exit code, and whether it had begun to serve."""
        ours, theirs = handover.pair()
        line = self._line
        gone = asyncio.Event()
        try:
            told = worker.arguments_of(self._config, line.number, theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bifolio_relay.worker", *told),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        line.connect(Channel(ours, line.take, gone.set))
        begun = False
        try:
            code = await process.wait()
            begun = line.begun.is_set()
        except asyncio.CancelledError:
            await _end(process)
            raise
        finally:
            line.lose()
        return code, begun


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have a process finish what is queued, and end; kill it where it does not."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), 3 * limits.SHUTDOWN_GRACE_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _all_begun(front: Front, keepers: list[asyncio.Task[None]], stop: asyncio.Event) -> bool:
    """Wait until all serve; False where the relay is to stop before."""
    begun = asyncio.gather(*(line.begun.wait() for line in front.lines))
    stopped = asyncio.create_task(stop.wait())
    awaited: list[asyncio.Future[Any]] = [begun, stopped, *keepers]
    try:
        await asyncio.wait(
            awaited,
            timeout=limits.RELAY_PROCESS_BEGIN_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if begun.done():
            return True
        if not stopped.done() and not any(one.done() for one in keepers):
            raise RelayError(
                "The processes of the relay do not begin to serve.",
                next_step=Next.CHECK_RELAY_DISK,
            )
        return False  # one that has failed says so when it is ended
    finally:
        begun.cancel()
        await end_tasks([stopped])
        with contextlib.suppress(asyncio.CancelledError):
            await begun


async def _first_of(stop: asyncio.Event, keepers: list[asyncio.Task[None]]) -> None:
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopped, *keepers}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks([stopped])

"""What a process that serves does from its beginning to its end, alone or as one of several."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection

from bifolio import limits
from bifolio_relay.hub import Hub


async def serve_until(stop: asyncio.Event, hub: Hub, *, is_caretaker: bool) -> asyncio.Task[None]:
    """Serve until ``stop`` is set or the commits fail; returns the task that makes them.

    ``is_caretaker`` is true of the one process that checks the store and removes what nobody uses.
    """
    committer = asyncio.create_task(hub.commit_forever())
    others = [asyncio.create_task(hub.sweep_forever())]
    if is_caretaker:
        others.append(asyncio.create_task(hub.expire_forever()))
        others.append(asyncio.create_task(hub.care.check_forever()))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({committer, *others, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await end_tasks((stopped, *others))
    except BaseException:
        for task in (committer, stopped, *others):
            task.cancel()
        raise
    return committer


async def finish(
    hub: Hub, committer: asyncio.Task[None], connections: Collection[ServerConnection]
) -> None:
    """Finish what is queued and say BYE; cut off who takes too long."""
    hub.stop_reading()
    if not committer.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hub.finish(), limits.SHUTDOWN_GRACE_S)
    for connection in tuple(connections):
        connection.transport.abort()


async def end_committer(committer: asyncio.Task[None]) -> None:
    """End the commits; one that failed ends the process with its error."""
    committer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await committer


async def end_tasks(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for all of them; what the first of them failed with is raised."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


@contextlib.contextmanager
def signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set ``stop`` inside."""
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread of a Unix process can; others stop by the event.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def socket_logger(logger: logging.Logger) -> logging.Logger:
    """What websockets itself reports: faults of ours, not every stranger's failed greeting."""
    found = logger.getChild("socket")
    found.setLevel(logging.ERROR)
    found.addFilter(_not_a_strangers_fault)
    return found


def _not_a_strangers_fault(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("opening handshake failed")

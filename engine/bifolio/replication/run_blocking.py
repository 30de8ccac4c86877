"""Waiting for the network in code that is not async."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, or raises, to a caller that waits for it.

    Where this thread runs an event loop already (a notebook, a server's handler), the coroutine
    has a loop in a thread of its own, because loops do not nest. This thread and all that runs in
    its loop stand still meanwhile: a replica's connection is used by one thread at a time.
    """
    return _run_in_a_thread(coroutine) if _is_in_a_loop() else asyncio.run(coroutine)


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_in_a_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Future()

    async def run() -> T:
        running.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await coroutine

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bifolio") as thread:
        done = thread.submit(lambda: asyncio.run(run()))
        try:
            return done.result()
        except BaseException:
            if not done.done():  # an interrupt of this thread ends what it waits for
                loop, task = running.result()
                if task is not None:
                    with suppress(RuntimeError):  # it has ended this moment
                        loop.call_soon_threadsafe(task.cancel)
            raise

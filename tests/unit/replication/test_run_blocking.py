"""Waiting for a coroutine, where a loop runs in this thread and where none does."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from bifolio.replication.run_blocking import run_blocking


async def thread_after(seconds: float) -> int:
    """The thread in which this ran."""
    await asyncio.sleep(seconds)
    return threading.get_ident()


async def fail() -> None:
    raise LookupError("of its own")


def test_without_a_loop_it_runs_in_this_thread() -> None:
    assert run_blocking(thread_after(0)) == threading.get_ident()
    with pytest.raises(LookupError, match="of its own"):
        run_blocking(fail())


def test_in_a_loop_it_runs_in_another_thread_while_this_one_waits() -> None:
    async def main() -> tuple[int, list[str]]:
        order: list[str] = []
        asyncio.get_running_loop().call_soon(order.append, "this loop")
        thread = run_blocking(thread_after(0.05))
        order.append("the other one")
        await asyncio.sleep(0)
        with pytest.raises(LookupError, match="of its own"):
            run_blocking(fail())
        return thread, order

    thread, order = asyncio.run(main())
    assert thread != threading.get_ident()
    assert order == ["the other one", "this loop"]


def test_an_interrupt_ends_what_a_loop_s_thread_waits_for() -> None:
    cancelled = threading.Event()

    async def wait_for_ever() -> None:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def main() -> None:
        run_blocking(wait_for_ever())

    began = time.monotonic()
    loop = asyncio.new_event_loop()  # not asyncio.run, which takes the interrupt for itself
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(main())
    finally:
        loop.close()
    assert cancelled.is_set()
    assert time.monotonic() - began < 30

"""Who waits for room before the shared commit gets it in turn, and nobody is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from bifolio import limits
from bifolio_relay.commit_queue import CommitQueue
from bifolio_relay.requests import CheckedSubmission, Submission

HALF = limits.RELAY_COMMIT_QUEUE_BYTES_MAX // 2


def checked(size_bytes: int) -> CheckedSubmission:
    """A submission of one envelope of this size."""
    return CheckedSubmission(Submission(b"library", b"device", (bytes(size_bytes),)), ())


async def settle() -> None:
    """Let everybody have the turns that are due."""
    for _ in range(10):
        await asyncio.sleep(0)


async def begun(queue: CommitQueue[str], name: str, size_bytes: int) -> asyncio.Task[None]:
    """Somebody who puts a submission, as far as there is room."""
    task = asyncio.create_task(queue.put(name, checked(size_bytes)))
    await settle()
    return task


async def taken(queue: CommitQueue[str]) -> list[str]:
    """Who is in the next commit, which is made at once."""
    found = [waiting.source for waiting in await queue.take()]
    queue.finish()
    await settle()
    return found


@pytest.mark.parametrize("size_bytes", [HALF, HALF + 1, 2 * HALF + 1])
def test_everybody_who_waits_for_room_gets_it_in_turn(size_bytes: int) -> None:
    async def run() -> None:
        queue: CommitQueue[str] = CommitQueue()
        names = [f"writer {number}" for number in range(7)]
        tasks = [await begun(queue, name, size_bytes) for name in names]
        found: list[str] = []
        while len(found) < len(names):
            async with asyncio.timeout(5):
                found += await taken(queue)
        assert found == names
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_one_that_goes_while_it_waits_leaves_its_turn_to_the_next() -> None:
    async def run() -> None:
        queue: CommitQueue[str] = CommitQueue()
        await begun(queue, "first", 2 * HALF)
        gone, stays = [await begun(queue, name, 2 * HALF) for name in ("gone", "stays")]
        waiting = await queue.take()  # the turn of the one that goes has just come
        gone.cancel()
        await settle()
        queue.finish()
        assert [one.source for one in waiting] == ["first"]
        async with asyncio.timeout(5):
            assert await taken(queue) == ["stays"]
        await stays

    asyncio.run(run())


def test_what_is_being_committed_is_waited_for_at_the_end() -> None:
    async def run() -> None:
        queue: CommitQueue[str] = CommitQueue()
        await begun(queue, "writer", 1)
        end = asyncio.create_task(queue.wait_until_empty())
        await queue.take()
        await settle()
        assert not end.done()
        queue.finish()
        async with asyncio.timeout(5):
            await end

    asyncio.run(run())

"""Relays on one store: whoever wrote, through whichever of them, everybody is told, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.relay_client import RelayClient, SharedLibrary, created

from bifolio import limits
from bifolio.crypto.blob import SEAL_BYTES
from bifolio.ids import content_hash
from bifolio.wire.messages import (
    Ack,
    Append,
    Blobs,
    BlobState,
    Chunk,
    Create,
    Envelopes,
    Members,
    Pull,
    Welcome,
)
from bifolio_relay.config import Config
from bifolio_relay.log_service import LogService
from bifolio_relay.server import serve
from bifolio_relay.storage.sqlite import SqliteLogStorage


@asynccontextmanager
async def relays(data: Path, count: int) -> AsyncIterator[list[str]]:
    """So many relays of this process on one folder; their addresses."""
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Task[None]] = []

        async def end() -> None:
            stop.set()
            await asyncio.gather(*tasks)

        stack.push_async_callback(end)
        urls: list[str] = []
        for _ in range(count):
            urls.append(await start_relay(data, stop, tasks))
        yield urls


async def start_relay(data: Path, stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> str:
    """One more relay; its address."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    config = Config(data=data, port=0, shared=True)
    task = asyncio.create_task(serve(config, ready.set_result, stop=stop))
    task.add_done_callback(lambda _: ready.done() or ready.cancel())
    tasks.append(task)
    return await ready


def test_an_edit_pushed_through_one_relay_reaches_who_is_connected_to_another(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        keys = library.with_member()
        envelopes = library.author().envelopes(3)
        async with relays(tmp_path, 2) as (first, second):
            await created(first, library)
            async with (
                RelayClient(first, library.id, library.owner) as desktop,
                RelayClient(second, library.id, keys) as laptop,
            ):
                assert await laptop.pull_all() == []
                for number, envelope in enumerate(envelopes):
                    await desktop.pushed(envelope)
                    assert await laptop.receive(Envelopes) == Envelopes(
                        number, (envelope.raw,), number + 1
                    )

    asyncio.run(scenario())


def test_writers_through_several_relays_see_one_order_and_each_entry_once(tmp_path: Path) -> None:
    each = 20

    async def scenario() -> None:
        library = SharedLibrary()
        keys = [library.with_member() for _ in range(4)]
        async with relays(tmp_path, 2) as urls:
            await created(urls[0], library)

            async def write(number: int) -> list[bytes]:
                seen: list[bytes] = []
                own: dict[bytes, bytes] = {}
                client = RelayClient(urls[number % 2], library.id, keys[number])
                async with client:
                    seen += await client.pull_all()
                    for envelope in library.author(keys[number], seed=number).envelopes(each):
                        own[envelope.hash] = envelope.raw
                        await client.push(envelope)
                    waiting = set(own)
                    while waiting or len(seen) < len(keys) * each:
                        message = await client.next()
                        if isinstance(message, Ack):
                            for receipt in message.positions:
                                waiting.discard(receipt.hash)
                                if receipt.position > len(seen):
                                    assert receipt.position == len(seen) + 1
                                    seen.append(own[receipt.hash])
                            continue
                        assert isinstance(message, Envelopes)
                        assert message.after == len(seen) or not message.envelopes
                        if message.envelopes:
                            seen.extend(message.envelopes)
                        else:  # too much at once: pull it
                            await client.send(Pull(len(seen)))
                return seen

            orders = await asyncio.gather(*(write(number) for number in range(len(keys))))
            assert len(orders[0]) == len(set(orders[0])) == len(keys) * each
            assert all(order == orders[0] for order in orders)

    asyncio.run(scenario())


def test_a_membership_record_reaches_who_is_connected_to_another_relay(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with relays(tmp_path, 2) as (first, second):
            await created(first, library)
            async with (
                RelayClient(first, library.id, library.owner) as desktop,
                RelayClient(second, library.id, library.owner) as laptop,
            ):
                head = library.membership.head
                _, invite = library.invite()
                expected = Members(1, (invite,), 2, library.membership.head)
                assert await desktop.append(head, invite) == expected
                assert await laptop.receive(Members) == expected

    asyncio.run(scenario())


def test_a_file_completed_through_one_relay_is_news_to_who_is_connected_to_another(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with relays(tmp_path, 2) as (first, second):
            await created(first, library)
            async with (
                RelayClient(first, library.id, library.owner) as desktop,
                RelayClient(second, library.id, library.owner) as laptop,
            ):
                blob = b"1" * 32
                await desktop.send(Chunk(blob, SEAL_BYTES, 0, bytes(SEAL_BYTES)))
                answer = await desktop.receive(Blobs)
                assert answer.states == (BlobState(blob, SEAL_BYTES, 1, True),)
                assert await laptop.receive(Blobs) == Blobs((), 0)

    asyncio.run(scenario())


def test_more_than_one_message_holds_becomes_a_notice_and_is_pulled(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        envelopes = library.author().envelopes(3, library.random(limits.BATCH_BYTES_TARGET // 2))
        async with relays(tmp_path, 2) as (first, second):
            await created(first, library)
            async with (
                RelayClient(first, library.id, library.owner) as desktop,
                RelayClient(second, library.id, library.owner) as laptop,
            ):
                assert await laptop.pull_all() == []
                await desktop.push(*envelopes)
                assert await laptop.receive(Envelopes) == Envelopes(3, (), 3)
                assert await laptop.pull_all() == [envelope.raw for envelope in envelopes]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("part", "late"), [(SqliteLogStorage, "append_member"), (LogService, "read_new_members")]
)
def test_who_writes_membership_records_hears_of_each_once_in_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: type, late: str
) -> None:
    monkeypatch.setattr(part, late, _answering_late(getattr(part, late)))

    async def scenario() -> None:
        library = SharedLibrary()
        library.with_member()
        genesis, invite, *_ = library.membership.records
        async with (
            relays(tmp_path, 1) as (url,),
            RelayClient(url, library.id, library.owner) as one,
        ):
            await one.send(Create(genesis))
            heard = [await one.next()]
            await one.send(Append(content_hash(genesis), invite))
            heard.append(await one.next())
            await asyncio.sleep(0.5)  # the store's watch has reported all of it by now
            await one.send(Pull(0))
            heard.append(await one.next())
            assert [type(message) for message in heard] == [Welcome, Members, Envelopes]
            assert heard[1] == Members(1, (invite,), 2, content_hash(invite))

    asyncio.run(scenario())


def _answering_late(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Work of a store whose end is heard of after the store's watch has reported it."""

    async def late(*arguments: Any, **named: Any) -> Any:
        answer = await work(*arguments, **named)
        await asyncio.sleep(0.3)
        return answer

    return late

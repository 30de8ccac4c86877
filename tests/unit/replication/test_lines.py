"""A line that says nothing any more, is slow, or was left by a sleeping computer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.support.proxy import Proxy
from tests.support.relay_process import RelayProcess
from websockets.asyncio.server import ServerConnection, serve

from bifolio import Library, limits
from bifolio.errors import RelayUnreachableError
from bifolio.home import Home
from bifolio.library.sharing import Outage
from bifolio.replica.membership import LibraryMembership
from bifolio.replication import line_socket
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.client import Client
from bifolio.wire.messages import Challenge


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    folder = tmp_path / "relay"
    folder.mkdir()
    with RelayProcess(folder) as process:
        yield process


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Library]:
    home = Home(tmp_path / "home", device_name="desk")
    with Library.create(tmp_path / "Desk.bifolio", home=home) as library:
        library.add({"title": "On Paper", "citation-key": "paper"})
        yield library


def random_text(size: int) -> str:
    return "".join(random.Random(size).choices("abcdefghijklmnopqrstuvwxyz", k=size))


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times after which a line is asked and given up, a twentieth as long."""
    monkeypatch.setattr(limits, "LINE_LOOK_S", 0.1)
    monkeypatch.setattr(limits, "LINE_PING_S", 0.5)
    monkeypatch.setattr(limits, "LINE_DEAD_S", 1.5)
    monkeypatch.setattr(limits, "ANSWER_TIMEOUT_S", 1.5)


def test_a_half_open_line_is_noticed_while_edits_wait(
    desk: Library, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)

    async def watched(proxy: Proxy) -> str:
        outages: asyncio.Queue[Outage] = asyncio.Queue()
        async with aclosing(desk.watch(outages.put_nowait)) as rounds:
            await anext(rounds)
            proxy.is_frozen = True
            following = asyncio.ensure_future(anext(rounds))
            desk.add({"title": "On Ink"})
            outage = await asyncio.wait_for(outages.get(), 2.5)
            proxy.is_frozen = False
            assert (await asyncio.wait_for(following, 20)).pushed == 1
        return outage.message

    with Proxy(relay.port) as proxy:
        desk.attach(proxy.url, backup=False)
        reason = asyncio.run(watched(proxy))
        assert "the connection was given up: nothing came for 2 seconds." in reason


def test_an_idle_line_that_lives_is_not_given_up(
    desk: Library, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)

    async def watched() -> list[Outage]:
        outages: list[Outage] = []
        async with aclosing(desk.watch(outages.append)) as rounds:
            await anext(rounds)
            following = asyncio.ensure_future(anext(rounds))
            await asyncio.sleep(2.5)
            desk.add({"title": "On Ink"})
            await asyncio.wait_for(following, 10)
        return outages

    desk.attach(relay.url, backup=False)
    assert asyncio.run(watched()) == []


def test_after_sleep_a_new_connection_is_made_at_once(
    desk: Library, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asleep, the monotonic clock of a system stands still, and the wall's does not."""
    monkeypatch.setattr(limits, "LINE_LOOK_S", 0.1)
    monkeypatch.setattr(limits, "RECONNECT_MAX_S", 3600.0)
    slept_s = 0.0

    class Clock:
        monotonic = staticmethod(time.monotonic)

        @staticmethod
        def time() -> float:
            return time.time() + slept_s

    monkeypatch.setattr(line_socket, "time", Clock)

    async def watched(proxy: Proxy) -> str:
        nonlocal slept_s
        outages: asyncio.Queue[Outage] = asyncio.Queue()
        async with aclosing(desk.watch(outages.put_nowait)) as rounds:
            await anext(rounds)
            following = asyncio.ensure_future(anext(rounds))
            proxy.is_frozen = True  # the way to the relay was forgotten meanwhile
            slept_s = 3600.0
            outage = await asyncio.wait_for(outages.get(), 1.0)
            proxy.is_frozen = False
            desk.add({"title": "On Ink"})
            await asyncio.wait_for(following, 10)
        return outage.message

    with Proxy(relay.port) as proxy:
        desk.attach(proxy.url, backup=False)
        assert asyncio.run(watched(proxy)).partition(". ")[0].endswith("this computer slept")


@pytest.mark.heavy
def test_a_slow_line_that_lives_is_never_ended(
    desk: Library, relay: RelayProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message takes longer than any time-out, both ways."""
    impatient(monkeypatch)
    monkeypatch.setattr(limits, "LINE_DEAD_S", 6.0)
    monkeypatch.setattr(limits, "ANSWER_TIMEOUT_S", 6.0)
    desk.add({"title": "On Ink", "citation-key": "ink", "note": random_text(300_000)})
    with Proxy(relay.port, bytes_per_s=15_000) as proxy:
        began_s = time.monotonic()
        ticket = desk.attach(proxy.url, backup=False).ticket
        up_s, up_connections = time.monotonic() - began_s, proxy.connections
        laptop_home = Home(tmp_path / "laptop", device_name="laptop")
        with Library.attach_new(ticket, tmp_path / "L.bifolio", home=laptop_home) as laptop:
            assert laptop.status().references == 2
    assert up_s > 2 * limits.LINE_DEAD_S
    # To look, to sync, to invite; to look, to join, to come back as a member.
    assert (up_connections, proxy.connections) == (3, 6)


def test_a_relay_that_has_everything_and_does_not_answer_is_given_up(
    desk: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)

    async def silent(socket: ServerConnection) -> None:
        await socket.send(Challenge((2,), bytes(32)).serialize())
        await socket.recv()
        await socket.wait_closed()  # pings are answered all the while

    async def scenario() -> None:
        async with serve(silent, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            replica = desk._replica
            store = ReplicaAdapter(replica, LibraryMembership(replica))
            await Client(url, store, library=replica.library_id).run()

    with pytest.raises(RelayUnreachableError, match="no answer for 2 seconds"):
        asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_sync_goes_on_when_the_relay_was_started_again_in_the_middle(
    desk: Library, relay: RelayProcess, tmp_path: Path
) -> None:
    for number in range(6):
        desk.add({"title": str(number), "note": random_text(60_000 + number)})

    async def attached(proxy: Proxy) -> None:
        proxy.cut_after_bytes = 100_000
        attaching = asyncio.ensure_future(desk.attach_async(proxy.url, backup=False))
        while proxy.cut_after_bytes:
            await asyncio.sleep(0.01)
        relay.kill()
        relay.start()
        proxy.cut_after_bytes = None
        await attaching

    with Proxy(relay.port) as proxy:
        asyncio.run(attached(proxy))
    laptop_home = Home(tmp_path / "laptop", device_name="laptop")
    ticket_of_relay = desk.attach(relay.url, backup=False).ticket
    with Library.attach_new(ticket_of_relay, tmp_path / "L.bifolio", home=laptop_home) as laptop:
        assert laptop.status().references == 7

"""A relay on loopback with real sockets, in this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from tests.support.relay_client import CONTENT_KEY, RelayClient, SharedLibrary, created
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bifolio import limits
from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import make_remove
from bifolio.errors import PortInUseError, RelayError, RelayStorageError
from bifolio.wire.messages import (
    Ack,
    Bye,
    Challenge,
    Code,
    Envelopes,
    Members,
    Nack,
    Pull,
    PullMembers,
    Push,
    Retry,
    parse_message,
)
from bifolio_relay.config import Config
from bifolio_relay.requests import Answer, MembersPart
from bifolio_relay.server import serve
from bifolio_relay.session import Action, Session


class Running:
    """A relay that runs in this process."""

    processes = 1

    def __init__(self, url: str, stop: asyncio.Event, task: asyncio.Task[None]) -> None:
        self.url, self._stop, self._task = url, stop, task

    async def stopped(self) -> float:
        """Stop it; how long that took."""
        begun = time.monotonic()
        self._stop.set()
        await self._task
        return time.monotonic() - begun

    def health(self) -> dict[str, object]:
        """What /healthz says; blocks, so it belongs in a thread."""
        address = self.url.replace("ws://", "http://") + "/healthz"
        with urllib.request.urlopen(address, timeout=5) as response:
            assert response.status == 200
            found: dict[str, object] = json.load(response)
            return found


@pytest.fixture(autouse=True, params=[1, pytest.param(2, marks=pytest.mark.heavy)])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many processes serve: what holds of one holds of several."""
    count: int = request.param
    monkeypatch.setattr(Running, "processes", count)
    return count


@contextlib.asynccontextmanager
async def running(
    data: Path, *, connections_max: int = limits.RELAY_CONNECTIONS_MAX
) -> AsyncIterator[Running]:
    stop = asyncio.Event()
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    config = Config(data=data, port=0, connections_max=connections_max, processes=Running.processes)
    task = asyncio.create_task(serve(config, url.set_result, stop=stop))
    task.add_done_callback(lambda _: url.done() or url.cancel())
    relay = Running(await url, stop, task)
    try:
        yield relay
    finally:
        await relay.stopped()


def test_an_edit_reaches_the_other_computer_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        keys = library.with_member()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with (
                RelayClient(relay.url, library.id, library.owner) as desktop,
                RelayClient(relay.url, library.id, keys) as laptop,
            ):
                assert (desktop.welcome.role, laptop.welcome.role) == ("owner", "editor")
                assert await laptop.pull_all() == []
                envelope = library.author().envelope()
                begun = time.monotonic()
                await desktop.pushed(envelope)
                assert await laptop.receive(Envelopes) == Envelopes(0, (envelope.raw,), 1)
                assert time.monotonic() - begun < 1

    asyncio.run(scenario())


def test_a_pull_in_parts_gives_the_whole_log_in_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        envelopes = library.author().envelopes(40, library.random(100_000))
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner) as client:
                for start in range(0, 40, 10):
                    await client.pushed(*envelopes[start : start + 10])
                assert await client.pull_all() == [envelope.raw for envelope in envelopes]
                assert await client.pull_all(37) == [envelope.raw for envelope in envelopes[37:]]

    asyncio.run(scenario())


def test_writers_that_arrive_together_share_commits_and_see_one_order(tmp_path: Path) -> None:
    writers, each = 4, 25

    async def scenario() -> None:
        library = SharedLibrary()
        keys = [library.with_member() for _ in range(writers)]
        async with running(tmp_path) as relay:
            await created(relay.url, library)

            async def write(number: int) -> list[int]:
                author = library.author(keys[number], seed=number)
                envelopes = author.envelopes(each)
                positions: list[int] = []
                async with RelayClient(relay.url, library.id, keys[number]) as client:
                    await client.pull_all()
                    positions += [0] * client.welcome.n
                    for envelope in envelopes:
                        await client.push(envelope)
                    while len(positions) < writers * each:
                        message = await client.next()
                        if isinstance(message, Ack):
                            positions += [receipt.position for receipt in message.positions]
                        else:
                            assert isinstance(message, Envelopes)
                            assert message.after == len(positions)
                            first = message.after + 1
                            positions += range(first, first + len(message.envelopes))
                return positions

            for seen in await asyncio.gather(*(write(number) for number in range(writers))):
                assert seen[-1] == writers * each
                assert all(position in (0, at) for at, position in enumerate(seen, 1))
            health = await asyncio.to_thread(relay.health)
            assert health["envelopes"] == writers * each
            assert isinstance(health["commits"], int)
            assert health["commits"] < writers * each

    asyncio.run(scenario())


def test_refusals_name_their_subject_and_the_connection_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner) as client:
                envelopes = library.author().envelopes(3)
                await client.push(envelopes[2])
                gap = await client.receive(Nack)
                assert (gap.code, gap.subject) == (Code.GAP, envelopes[2].hash)
                first = await client.pushed(*envelopes)
                assert await client.pushed(*envelopes) == first
                await client.push(library.author().envelope(b"another first"))
                assert (await client.receive(Nack)).code is Code.FORK
                await client.send(Push((bytes(limits.ENVELOPE_BYTES_MAX + 1),)))
                assert (await client.receive(Nack)).code is Code.TOO_BIG
                await client.send(Push((b"garbage",)))
                assert (await client.receive(Nack)).code is Code.INVALID

    asyncio.run(scenario())


def test_a_membership_record_reaches_everybody(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with (
                RelayClient(relay.url, library.id, library.owner) as desktop,
                RelayClient(relay.url, library.id, library.owner) as laptop,
            ):
                head = library.membership.head
                _, invite = library.invite()
                expected = Members(1, (invite,), 2, library.membership.head)
                assert await desktop.append(head, invite) == expected
                assert await laptop.receive(Members) == expected
                await laptop.send(PullMembers(0))
                assert (await laptop.receive(Members)).records == library.membership.records

    asyncio.run(scenario())


def removal(library: SharedLibrary, keys: DeviceKeys) -> bytes:
    """The record by which the owner removes a member, which the membership now has."""
    record = make_remove(
        library.membership,
        library.owner,
        cuts={keys.sign_public: {}},
        content_key=library.random(32),
        earlier={0: CONTENT_KEY},
        random_bytes=library.random,
    )[0]
    library.membership = library.membership.append(record)
    return record


def test_the_line_of_who_is_removed_is_closed_before_its_remover_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message of its is handled, and nothing sent to it, behind the record."""
    Running.processes = 1  # looked at from inside
    sessions: list[Session] = []
    closed: list[list[bool]] = []
    take_answer = Session.take_answer

    def watched(session: Session, answer: Answer) -> Sequence[Action]:
        if session not in sessions:
            sessions.append(session)
        if isinstance(answer, MembersPart):
            closed.append([one.is_closed for one in sessions if one is not session])
        return take_answer(session, answer)

    async def scenario() -> None:
        library = SharedLibrary()
        keys = library.with_member()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            monkeypatch.setattr(Session, "take_answer", watched)
            async with (
                RelayClient(relay.url, library.id, keys) as removed,
                RelayClient(relay.url, library.id, library.owner) as owner,
            ):
                for client in (removed, owner):
                    await client.pull_all()
                head = library.membership.head
                early, late = library.author(keys).envelopes(2)
                await removed.pushed(early)
                await owner.receive(Envelopes)
                assert isinstance(await owner.append(head, removal(library, keys)), Members)
                assert closed == [[True]]
                await removed.push(late)
                assert (await removed.receive(Members)).head == library.membership.head
                assert (await removed.receive(Bye)).retry is Retry.NEVER
                with pytest.raises(ConnectionClosed):
                    await removed.next()
                assert await owner.pull_all() == [early.raw]

    asyncio.run(scenario())


@pytest.mark.heavy
def test_who_was_removed_and_does_not_read_keeps_no_open_socket(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        keys = library.with_member()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with (
                RelayClient(relay.url, library.id, library.owner) as owner,
                RelayClient(relay.url, library.id, keys) as removed,
            ):
                await removed.pull_all()
                author = library.author()
                for _ in range(20):
                    await owner.pushed(author.envelope(library.random(500_000)))
                head = library.membership.head
                assert isinstance(await owner.append(head, removal(library, keys)), Members)
                began = time.monotonic()
                while (await asyncio.to_thread(relay.health))["connections"] != 1:
                    await asyncio.sleep(0.05)
                # By itself it would end when its pings stay without an answer.
                assert time.monotonic() - began < limits.PING_INTERVAL_S / 2

    asyncio.run(scenario())


@pytest.mark.parametrize("frame", [b"", b"garbage", b"\x91\x63", Pull(0).serialize(), "text"])
def test_a_bad_frame_ends_its_connection_and_no_other(tmp_path: Path, frame: bytes | str) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner) as good:
                async with connect(relay.url) as bad:
                    assert isinstance(_message(await bad.recv()), Challenge)
                    await bad.send(frame)
                    goodbye = _message(await bad.recv())
                    assert isinstance(goodbye, Bye)
                    assert goodbye.retry is Retry.ONCE
                    with pytest.raises(ConnectionClosed):
                        await bad.recv()
                await good.pushed(library.author().envelope())

    asyncio.run(scenario())


def test_a_stranger_cannot_send_a_large_frame(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as relay, connect(relay.url) as stranger:
            await stranger.recv()
            await stranger.send(bytes(limits.HANDSHAKE_MESSAGE_BYTES_MAX + 1))
            with pytest.raises(ConnectionClosed):
                await stranger.recv()

    asyncio.run(scenario())


def test_a_member_cannot_send_a_frame_over_the_limit(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            # Left open on purpose: closing a socket that was cut off in mid-send trips websockets.
            client = await RelayClient(relay.url, library.id, library.owner).__aenter__()
            with contextlib.suppress(ConnectionClosed):
                await client.socket.send(bytes(limits.MESSAGE_BYTES_MAX + 1))
            await client.socket.wait_closed()
            async with RelayClient(relay.url, library.id, library.owner) as another:
                await another.pushed(library.author().envelope())

    asyncio.run(scenario())


def test_a_page_in_a_browser_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as relay:
            with pytest.raises(InvalidStatus):
                await connect(relay.url, origin="https://example.org")  # type: ignore[arg-type]

    asyncio.run(scenario())


def test_health_tells_version_libraries_and_connections(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner):
                health = await asyncio.to_thread(relay.health)
                assert health["status"] == "ok"
                assert (health["libraries"], health["connections"]) == (1, 1)

    asyncio.run(scenario())


def test_a_reader_that_does_not_read_costs_bounded_memory_and_catches_up(tmp_path: Path) -> None:
    count, size_bytes = 60, 500_000

    async def scenario() -> None:
        library = SharedLibrary()
        keys = library.with_member()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with (
                RelayClient(relay.url, library.id, library.owner) as writer,
                RelayClient(relay.url, library.id, keys) as slow,
            ):
                await slow.pull_all()
                author = library.author()
                for _ in range(count):
                    await writer.pushed(author.envelope(library.random(size_bytes)))
                health = await asyncio.to_thread(relay.health)
                assert isinstance(health["queued_bytes"], int)
                assert size_bytes < health["queued_bytes"] <= limits.RELAY_QUEUE_BYTES_MAX + 1000
                cursor = 0
                while True:
                    part = await slow.receive(Envelopes)
                    if not part.envelopes:
                        break
                    assert part.after == cursor
                    cursor += len(part.envelopes)
                assert part == Envelopes(count, (), count)
                assert cursor < count
                assert len(await slow.pull_all(cursor)) == count - cursor
                envelope = author.envelope()
                await writer.pushed(envelope)
                assert await slow.receive(Envelopes) == Envelopes(count, (envelope.raw,), count + 1)

    asyncio.run(scenario())


def test_in_a_full_relay_the_stranger_that_was_there_longest_makes_room(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path, connections_max=1) as relay,
            connect(relay.url) as first,
        ):
            await first.recv()
            async with connect(relay.url) as second:
                await second.recv()
                with pytest.raises(ConnectionClosed):
                    await first.recv()

    asyncio.run(scenario())


def test_a_relay_full_of_members_sends_newcomers_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        async with running(tmp_path, connections_max=1) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner):
                with pytest.raises(InvalidStatus, match="503"):
                    await connect(relay.url)

    asyncio.run(scenario())


def test_a_relay_that_closes_says_goodbye_and_keeps_its_word(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        envelope = library.author().envelope()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner) as client:
                await client.pushed(envelope)
                took_s, goodbye = await asyncio.gather(relay.stopped(), client.receive(Bye))
                assert goodbye.retry is Retry.BACKOFF
                assert took_s < limits.SHUTDOWN_GRACE_S
        async with (
            running(tmp_path) as relay,
            RelayClient(relay.url, library.id, library.owner) as client,
        ):
            assert await client.pull_all() == [envelope.raw]

    asyncio.run(scenario())


def test_a_peer_that_does_not_read_cannot_hold_up_the_shutdown(tmp_path: Path) -> None:
    async def scenario() -> None:
        library = SharedLibrary()
        keys = library.with_member()
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with (
                RelayClient(relay.url, library.id, library.owner) as writer,
                RelayClient(relay.url, library.id, keys) as slow,
            ):
                await slow.pull_all()
                author = library.author()
                for _ in range(20):
                    await writer.pushed(author.envelope(library.random(500_000)))
                assert await relay.stopped() < limits.SHUTDOWN_GRACE_S + 2

    asyncio.run(scenario())


def test_a_port_in_use_is_one_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = Config(data=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(PortInUseError):
            asyncio.run(serve(config, print))


def test_an_address_of_another_computer_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RelayError, match="cannot listen"):
        asyncio.run(serve(Config(data=tmp_path, host="192.0.2.1", port=0), print))


def test_a_second_relay_on_the_same_data_is_one_clear_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path):
            with pytest.raises(RelayStorageError, match="another relay"):
                await serve(Config(data=tmp_path, port=0), print)

    asyncio.run(scenario())


def test_the_log_of_the_relay_holds_no_key_and_no_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Running.processes = 1  # others write to their own standard error

    async def scenario() -> None:
        async with running(tmp_path) as relay:
            await created(relay.url, library)
            async with RelayClient(relay.url, library.id, library.owner) as client:
                await client.pushed(library.author().envelope(b"planted title"))
                await client.socket.send(b"planted garbage")
                await client.receive(Bye)

    library = SharedLibrary()
    with caplog.at_level(logging.DEBUG, logger="bifolio_relay"):
        asyncio.run(scenario())
    assert "refused device=" in caplog.text
    assert library.owner.sign_public.hex() not in caplog.text
    assert "planted" not in caplog.text


def _message(raw: bytes | str) -> object:
    assert isinstance(raw, bytes)
    return parse_message(raw)

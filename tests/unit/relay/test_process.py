"""The relay as a real process: killed, ended and started again."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.relay_client import RelayClient, SharedLibrary, created

from bifolio.wire.messages import Ack, Bye, Envelopes, Members, Retry

RELAY = (sys.executable, "-m", "bifolio_relay.server")


@contextmanager
def relay_process(
    data: Path, *options: str, file_bytes_max: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A relay process, whose files may grow so large, and its address."""
    limit = () if file_bytes_max is None else ("prlimit", f"--fsize={file_bytes_max}", "--")
    process = subprocess.Popen(
        [*limit, *RELAY, "--port", "0", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on ws://127.0.0.1:"), line
        yield process, line.removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.communicate()


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    library = SharedLibrary()
    author = library.author()
    acknowledged: list[bytes] = []

    async def push_until_killed(url: str, process: subprocess.Popen[str], count: int) -> None:
        client = RelayClient(url, library.id, library.owner)
        await client.__aenter__()
        for _ in range(count):
            envelope = author.envelope()
            await client.pushed(envelope)
            acknowledged.append(envelope.raw)
        process.send_signal(signal.SIGKILL)
        await client.socket.wait_closed()

    async def read_back(url: str) -> None:
        async with RelayClient(url, library.id, library.owner) as client:
            assert await client.pull_all() == acknowledged

    for round_number in range(3):
        with relay_process(tmp_path) as (process, url):
            if round_number == 0:
                asyncio.run(created(url, library))
            asyncio.run(read_back(url))
            asyncio.run(push_until_killed(url, process, 5 + round_number))
            assert process.wait(10) == -signal.SIGKILL
    with relay_process(tmp_path) as (_, url):
        asyncio.run(read_back(url))
    assert len(acknowledged) == 18


def test_a_full_disk_acknowledges_nothing_and_reading_goes_on(tmp_path: Path) -> None:
    library = SharedLibrary()
    author = library.author()
    acknowledged: list[bytes] = []

    async def push_until_full(url: str) -> None:
        await created(url, library)
        async with RelayClient(url, library.id, library.owner) as client:
            while True:
                envelope = author.envelope(library.random(100_000))
                await client.push(envelope)
                answer = await client.next()
                if isinstance(answer, Bye):
                    assert answer.retry is Retry.BACKOFF
                    return
                assert isinstance(answer, Ack)
                acknowledged.append(envelope.raw)

    async def read_back(url: str) -> None:
        async with RelayClient(url, library.id, library.owner) as client:
            assert await client.pull_all() == acknowledged

    with relay_process(tmp_path, file_bytes_max=1_000_000) as (_, url):
        asyncio.run(push_until_full(url))
        asyncio.run(read_back(url))
    with relay_process(tmp_path) as (_, url):
        asyncio.run(read_back(url))
    assert len(acknowledged) > 2


def test_two_relay_processes_on_one_store_have_the_same_members_and_pass_on_their_edits(
    tmp_path: Path,
) -> None:
    library = SharedLibrary()

    async def scenario(first: str, second: str) -> None:
        await created(first, library)
        async with RelayClient(second, library.id, library.owner) as desktop:
            await desktop.pull_all()  # the second process knows the membership as it was
            head = library.membership.head
            keys = library.with_member()
            async with RelayClient(first, library.id, library.owner) as inviter:
                for record in library.membership.records[-2:]:
                    part = await inviter.append(head, record)
                    assert isinstance(part, Members)
                    head = part.head
            while (await desktop.receive(Members)).total < len(library.membership.records):
                pass
            async with RelayClient(second, library.id, keys) as laptop:
                assert laptop.welcome.role == "editor"
                assert await laptop.pull_all() == []
                await laptop.pushed(library.author(keys).envelope())
            await desktop.receive(Envelopes)
            async with RelayClient(first, library.id, keys) as laptop:
                envelope = library.author(keys, seed=2).envelope()
                await laptop.pushed(envelope)
                assert await desktop.receive(Envelopes) == Envelopes(1, (envelope.raw,), 2)

    with (
        relay_process(tmp_path, "--shared") as (_, first),
        relay_process(tmp_path, "--shared") as (_, second),
    ):
        asyncio.run(scenario(first, second))


def test_what_a_killed_relay_acknowledged_is_at_the_other_on_its_store(tmp_path: Path) -> None:
    library = SharedLibrary()
    author = library.author()
    envelopes = author.envelopes(4)

    async def push(url: str, count: int) -> None:
        async with RelayClient(url, library.id, library.owner) as client:
            await client.pushed(*envelopes[:count])

    async def read_back(url: str) -> None:
        async with RelayClient(url, library.id, library.owner) as client:
            assert await client.pull_all() == [envelope.raw for envelope in envelopes]

    with relay_process(tmp_path, "--shared") as (_, survivor):
        with relay_process(tmp_path, "--shared") as (process, url):
            asyncio.run(created(url, library))
            asyncio.run(push(url, 2))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        asyncio.run(push(survivor, 4))
        asyncio.run(read_back(survivor))


def test_sigterm_ends_the_process_cleanly(tmp_path: Path) -> None:
    with relay_process(tmp_path) as (process, _):
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_a_port_in_use_ends_in_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*RELAY, "--port", port, "--data", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 1
    assert f"Port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_relay_loads_neither_pycrdt_nor_the_rest_of_the_engine() -> None:
    script = (
        "import sys, bifolio_relay.server\n"
        "loaded = {name for name in sys.modules if name.startswith(('bifolio.', 'pycrdt'))}\n"
        "print(*sorted({'.'.join(name.split('.')[:2]) for name in loaded}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    allowed = {"crypto", "disk", "errors", "ids", "lazy", "limits", "salvage", "wire"}
    assert set(ended.stdout.split()) == {f"bifolio.{part}" for part in allowed}

"""A relay process among strangers: open files, tokens, quotas, and libraries that nobody uses."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.floods import newcomer
from tests.support.relay_client import RelayClient, SharedLibrary, seeded
from tests.unit.relay.test_metered_socket import running
from websockets.asyncio.client import connect

from bifolio import limits
from bifolio.crypto.relay_token import RelayToken, new_relay_token
from bifolio.wire.messages import Code, Create, Nack, Welcome
from bifolio_relay import descriptors
from bifolio_relay.administration import Administration
from bifolio_relay.log_service import LogService
from bifolio_relay.quotas import Quotas, blob_cost
from bifolio_relay.requests import CreateLibrary, LibraryInfo, OpenLibrary, Rejected
from bifolio_relay.storage.sqlite import SqliteLogStorage


@contextlib.contextmanager
def relay_with_files(folder: Path, *, soft: int, hard: int) -> Iterator[str]:
    """A relay process that may have so many open files; its address."""
    command = shlex.join(
        [sys.executable, "-m", "bifolio_relay.server", "--port", "0", "--data", str(folder)]
    )
    shell = f"ulimit -Sn {soft}; ulimit -Hn {hard}; exec {command}"
    with subprocess.Popen(
        ["/bin/sh", "-c", shell], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=20)
            assert "Traceback" not in log, log


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="Unix")
def test_more_connections_than_open_files_keep_nobody_out(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(300):
                with contextlib.suppress(OSError, EOFError):
                    socket = await connect(url, close_timeout=0.1)
                    stack.push_async_callback(socket.close)
            assert await newcomer(url, seed=1) < 10

    with relay_with_files(tmp_path, soft=110, hard=200) as url:
        asyncio.run(scenario(url))


@pytest.mark.skipif(sys.platform == "win32", reason="Unix")
def test_the_limit_of_open_files_is_raised_and_respected() -> None:
    script = (
        "import resource; from bifolio_relay.descriptors import connections_max;"
        "print(connections_max(10_000), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    shell = f"ulimit -Sn 128; ulimit -Hn 1000; exec {sys.executable} -c {shlex.quote(script)}"
    said = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(1000 - limits.RELAY_DESCRIPTORS_RESERVED), "1000", "1000"]
    assert descriptors.connections_max(1) == 1


def create(
    url: str, library: SharedLibrary, token: RelayToken | None = None, **changed: bytes
) -> Welcome | Nack:
    """What a relay answers to who creates a library with a token, or with something like it."""

    async def scenario() -> Welcome | Nack:
        client = RelayClient(url, library.id, library.owner)
        async with client:
            nonce = changed.get("nonce", client.nonce)
            genesis = changed.get("genesis", library.genesis)
            proof = b"" if token is None else token.prove(nonce, genesis)
            await client.send(Create(library.genesis, b"" if token is None else token.id, proof))
            answer = await client.next()
            assert isinstance(answer, Welcome | Nack)
            return answer

    return asyncio.run(scenario())


def test_a_token_is_proved_for_this_connection_and_this_library(tmp_path: Path) -> None:
    with Administration(tmp_path, create=True) as administration:
        token, _ = administration.create_token(label="Ada")

    async def scenario() -> list[Welcome | Nack]:
        async with running(tmp_path, require_token=True) as url:
            library = SharedLibrary()
            other = RelayToken(token.id, bytes(32))
            return [
                await asyncio.to_thread(create, url, library),
                await asyncio.to_thread(create, url, library, new_relay_token(seeded(3))),
                await asyncio.to_thread(create, url, library, other),
                await asyncio.to_thread(create, url, library, token, nonce=bytes(32)),
                await asyncio.to_thread(create, url, library, token, genesis=b"another"),
                await asyncio.to_thread(create, url, library, token),
            ]

    *refused, taken = asyncio.run(scenario())
    assert [one.code for one in refused if isinstance(one, Nack)] == [Code.TOKEN] * 5
    assert isinstance(taken, Welcome)
    with Administration(tmp_path) as administration:
        (held,) = administration.libraries()
        assert (held.members, held.token_label) == (1, "Ada")


class Clock:
    now_ms = 10**12

    def __call__(self) -> int:
        return self.now_ms


def test_a_relay_that_is_full_of_unused_libraries_takes_another(tmp_path: Path) -> None:
    clock = Clock()

    async def scenario() -> None:
        storage = SqliteLogStorage(tmp_path)
        service = LogService(
            storage, random_bytes=seeded(7), now_ms=clock, quotas=Quotas(libraries=3)
        )

        async def put(number: int) -> object:
            library = SharedLibrary(number)
            opening = OpenLibrary(library.id, library.owner.sign_public, 0, None)
            return await service.answer(CreateLibrary(opening, library.genesis))

        for number in range(1, 4):
            assert isinstance(await put(number), LibraryInfo)
        full = await put(4)
        assert isinstance(full, Rejected)
        assert full.code is Code.QUOTA
        clock.now_ms += limits.RELAY_UNUSED_KEPT_MS + 1
        assert isinstance(await put(4), LibraryInfo)
        assert await service.count_libraries() == 3
        # Whoever is still there loses nothing: it is given again.
        clock.now_ms += limits.RELAY_UNUSED_KEPT_MS + 1
        assert isinstance(await put(1), LibraryInfo)
        # And after so many days all of them go.
        clock.now_ms += 31 * 24 * 3600 * 1000
        assert await service.remove_unused(days=30) == 3
        assert await service.count_libraries() == 0
        await storage.close()

    asyncio.run(scenario())


def test_a_tiny_file_costs_what_it_costs() -> None:
    assert blob_cost(1) == blob_cost(4096) == 4096 + limits.RELAY_BLOB_BYTES
    assert blob_cost(4097) == 8192 + limits.RELAY_BLOB_BYTES
    assert blob_cost(10**9) < 1.0001 * 10**9

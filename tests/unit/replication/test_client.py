"""The way to a relay, and what is said where there is none."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.cases import each
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from bifolio.errors import (
    Next,
    NextStep,
    RelayRedirectError,
    RelayUnreachableError,
    RelayUntrustedError,
)
from bifolio.replication.connecting import open_socket

#: A key and a certificate for 127.0.0.1 that no authority has signed; they guard nothing.
UNTRUSTED = Path(__file__).with_name("untrusted_relay.pem")


async def _nothing(_socket: ServerConnection) -> None:
    return None


def test_a_relay_whose_certificate_is_not_trusted_is_told_from_a_wrong_address() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(UNTRUSTED)

    async def reach() -> None:
        async with serve(_nothing, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            async with open_socket(f"wss://127.0.0.1:{port}"):
                pass

    with pytest.raises(RelayUntrustedError, match="its certificate is signed by itself") as caught:
        asyncio.run(reach())
    assert caught.value.next_step == NextStep(Next.TRUST_CERTIFICATE)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:99999", "ws://" + "a" * 300])
def test_what_is_not_an_address_is_said_to_be_none(url: str) -> None:
    async def reach() -> None:
        async with open_socket(url):
            pass

    with pytest.raises(RelayUnreachableError, match="this is not an address") as caught:
        asyncio.run(reach())
    assert "Check the relay's address" in str(caught.value.next_step)


def _redirecting(
    target: str, *, status: int = 302, only: str = "/"
) -> Callable[..., Response | None]:
    """A relay's answer to a handshake for one path: go there."""

    def answer(_socket: ServerConnection, request: Request) -> Response | None:
        if request.path != only:
            return None
        return Response(status, "Found", Headers({"Location": target, "Content-Length": "0"}))

    return answer


@each("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed_and_both_are_named(status: int) -> None:
    reached: list[str] = []

    async def remember(socket: ServerConnection) -> None:
        reached.append(str(socket.remote_address))

    async def reach() -> tuple[int, int]:
        async with serve(remember, "127.0.0.1", 0) as other:
            there = other.sockets[0].getsockname()[1]
            send_on = _redirecting(f"ws://localhost:{there}/", status=status)
            async with serve(_nothing, "127.0.0.1", 0, process_request=send_on) as server:
                here = server.sockets[0].getsockname()[1]
                with pytest.raises(RelayRedirectError) as caught:
                    async with open_socket(f"ws://127.0.0.1:{here}/"):
                        pass
                assert (caught.value.host, caught.value.target) == (
                    f"127.0.0.1:{here}",
                    f"localhost:{there}",
                )
                assert f"127.0.0.1:{here} redirects to localhost:{there}" in caught.value.message
                assert caught.value.next_step == NextStep(Next.ATTACH_AT_NEW_ADDRESS)
        return here, there

    asyncio.run(reach())
    assert reached == []


@each(
    "target",
    [
        "ws://127.0.0.1:1/",
        "//localhost/",
        "ws://evil.example$(reboot)/x",
        "http://a\u202eb/",
        "ftp:x",
    ],
)
def test_no_redirect_that_leaves_the_relay_is_followed_however_it_is_written(target: str) -> None:
    async def reach() -> None:
        send_on = _redirecting(target)
        async with serve(_nothing, "127.0.0.1", 0, process_request=send_on) as server:
            port = server.sockets[0].getsockname()[1]
            async with open_socket(f"ws://127.0.0.1:{port}/"):
                pass

    with pytest.raises(RelayUnreachableError) as caught:
        asyncio.run(reach())
    assert "$(" not in caught.value.message
    assert "\u202e" not in caught.value.message


def test_a_redirect_within_the_relay_is_followed() -> None:
    async def reach() -> None:
        send_on = _redirecting("/sync")
        async with serve(_nothing, "127.0.0.1", 0, process_request=send_on) as server:
            port = server.sockets[0].getsockname()[1]
            async with open_socket(f"ws://127.0.0.1:{port}/"):
                pass

    asyncio.run(reach())

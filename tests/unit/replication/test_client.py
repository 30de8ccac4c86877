"""The way to a relay, and what is said where there is none."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bifolio.errors import Next, NextStep, RelayUnreachableError, RelayUntrustedError
from bifolio.replication.client import open_socket

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

    with pytest.raises(RelayUntrustedError, match="its certificate is not trusted") as caught:
        asyncio.run(reach())
    assert caught.value.next_step == NextStep(Next.TRUST_CERTIFICATE)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:99999", "ws://" + "a" * 300])
def test_what_is_not_an_address_is_said_to_be_none(url: str) -> None:
    async def reach() -> None:
        async with open_socket(url):
            pass

    with pytest.raises(RelayUnreachableError, match="this is not an address") as caught:
        asyncio.run(reach())
    assert caught.value.next_step == NextStep(Next.CHECK_CONNECTION)

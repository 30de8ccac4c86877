"""The network as it is: each thing between a computer and its relay has its own sentence."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
import socket as sockets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.server import ServerConnection, serve
from websockets.uri import parse_uri

from bifolio import limits
from bifolio.errors import (
    RelayAnswerError,
    RelayProxyError,
    RelayUnreachableError,
    RelayUntrustedError,
)
from bifolio.replication import network_settings
from bifolio.replication.connecting import open_socket
from bifolio.replication.greeting import relay_name
from bifolio.replication.network_settings import find_proxy

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own network."""
    for kind in ("http", "https", "all", "no", "ws", "wss", "socks"):
        for name in (f"{kind}_proxy", f"{kind}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


async def _nothing(_socket: ServerConnection) -> None:
    return None


def answering(raw: bytes) -> Handler:
    """A server that says this, whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            if raw[:4] == b"HTTP":
                await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            await writer.drain()
            writer.close()

    return answer


def http(status: str, body: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def server(
    handler: Handler, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    opened: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)

    async with await asyncio.start_server(serve_one, host, 0, ssl=context) as listening:
        yield listening.sockets[0].getsockname()[1]
        for writer in opened:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


async def failure(url: str) -> RelayUnreachableError:
    """What is said of an address at which there is no relay."""
    with pytest.raises(RelayUnreachableError) as caught:
        async with open_socket(url):
            pass
    error = caught.value
    assert error.next_step is not None
    assert error.message.endswith("Your edits are kept here.")
    return error


# --- what answers there -----------------------------------------------------------------------

PAGE = "<!DOCTYPE html><html><title>Welcome to the hotel</title></html>"

ANSWERS = {
    "login-page": (http("200 OK", PAGE), "a web page answers there", "log in"),
    "redirect-to-nowhere": (http("302 Found", PAGE), "a web page answers there", "log in"),
    "login-needed": (http("511 Network Authentication Required", PAGE), "log in", "log in"),
    "401": (http("401 Unauthorized", PAGE), "asks for a user and a password", "address"),
    "403": (http("403 Forbidden", PAGE), "the connection is forbidden", "permit"),
    "404": (http("404 Not Found", PAGE), "has no relay at this path", "path"),
    "429": (http("429 Too Many Requests"), "it has no place now", "by itself"),
    "full": (http("503 Service Unavailable", "the relay is full\n"), "the relay is full", "itself"),
    "502": (http("502 Bad Gateway", PAGE), "it is not there now (502 Bad Gateway)", "by itself"),
    "503": (http("503 Service Unavailable", PAGE), "it is not there now (503", "by itself"),
    "504": (http("504 Gateway Timeout"), "it is not there now (504", "by itself"),
    "500": (http("500 Internal Server Error", PAGE), "no relay (500", "address"),
    "unknown-status": (http("299 Strange"), "a web page answers there", "log in"),
    "101-of-nothing": (http("101 Switching Protocols"), "a web server answers there", "address"),
    "ssh": (b"SSH-2.0-OpenSSH_9.6\r\n", "another program answers there", "wss://"),
    "smtp": (b"220 mail.example ESMTP\r\n", "another program answers there", "wss://"),
    "noise": (bytes(range(256)) * 8, "another program answers there", "wss://"),
    "escapes": (
        http("503 Service Unavailable", "\x1b[31mred\x1b[0m"),
        "it is not there now (503",
        "by itself",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_answers_in_place_of_a_relay_is_named_with_what_to_do(name: str) -> None:
    raw, reason, advice = ANSWERS[name]

    async def scenario() -> RelayUnreachableError:
        async with server(answering(raw)) as port:
            return await failure(f"ws://127.0.0.1:{port}")

    error = asyncio.run(scenario())
    assert isinstance(error, RelayAnswerError)
    assert reason in error.message
    assert advice in str(error.next_step)
    assert "\x1b" not in error.message


def test_a_line_that_is_cut_before_anything_is_answered() -> None:
    async def scenario() -> RelayUnreachableError:
        async with server(answering(b"")) as port:
            return await failure(f"ws://127.0.0.1:{port}")

    assert "was cut before anything was answered" in asyncio.run(scenario()).message


@pytest.mark.parametrize("is_connected", [False, True])
def test_a_relay_that_does_not_answer_in_time(
    monkeypatch: pytest.MonkeyPatch, is_connected: bool
) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_TIMEOUT_S", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def scenario() -> RelayUnreachableError:
        if is_connected:
            async with server(silent) as port:
                return await failure(f"ws://127.0.0.1:{port}")
        with sockets.create_server(("127.0.0.1", 0), backlog=0) as full:
            port = full.getsockname()[1]
            with contextlib.ExitStack() as stack:
                for _ in range(4):  # nobody takes them: then no further one is answered
                    waiting = stack.enter_context(sockets.socket())
                    waiting.setblocking(False)
                    waiting.connect_ex(("127.0.0.1", port))
                return await failure(f"ws://127.0.0.1:{port}")

    error = asyncio.run(scenario())
    expected = "the connection was made, and nothing answers" if is_connected else "no answer"
    assert expected in error.message


# --- nobody there -------------------------------------------------------------------------------


def test_nothing_listens() -> None:
    with sockets.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    for host in ("127.0.0.1", "localhost"):
        error = asyncio.run(failure(f"ws://{host}:{port}"))
        assert error.reason == "nothing listens at this address"


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (sockets.gaierror(sockets.EAI_NONAME, "Name or service not known"), "of this name"),
        (sockets.gaierror(sockets.EAI_AGAIN, "Temporary failure"), "is this computer online?"),
        (OSError(errno.ENETUNREACH, "x"), "no way to that network"),
        (OSError(errno.EHOSTUNREACH, "x"), "no way leads to that computer"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "no answer"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "the connection was cut"),
        (OSError(errno.EINVAL, "x"), "a network card"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] x"),
            "nothing listens",
        ),
        (OSError(errno.EPERM, "Operation not permitted"), "firewall"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_the_system_says_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, raised: OSError, reason: str
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise raised

    async def scenario() -> RelayUnreachableError:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "create_connection", fails)
        return await failure("ws://relay.example:8787")

    assert reason in asyncio.run(scenario()).message


def test_a_name_that_does_not_exist() -> None:
    assert "cannot be reached" in asyncio.run(failure("ws://nobody.invalid:8787")).message


def test_addresses_of_ipv6() -> None:
    async def scenario() -> None:
        try:
            listening = serve(_nothing, "::1", 0)
            running = await listening
        except OSError:
            pytest.skip("this machine has no IPv6")
        async with running:
            port = running.sockets[0].getsockname()[1]
            for url in (f"ws://[::1]:{port}", f"ws://[0:0:0:0:0:0:0:1]:{port}/"):
                async with open_socket(url):
                    pass
        assert "nothing listens" in (await failure(f"ws://[::1]:{port}")).message

    asyncio.run(scenario())
    assert relay_name("ws://[::1]:8787") == "[::1]:8787"
    assert relay_name("wss://[FE80::1%25eth0]") == "[fe80::1%25eth0]:443"


@pytest.mark.parametrize("scope", ["%25nowhere0", "%nowhere0"])
def test_an_address_of_one_link_names_a_network_card(
    monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    """The name of the card reaches the system as the user means it."""
    asked: list[object] = []

    async def scenario() -> RelayUnreachableError:
        loop = asyncio.get_running_loop()
        real: Any = loop.getaddrinfo

        async def ask(host: Any, *rest: Any, **named: Any) -> Any:
            asked.append(host)
            return await real(host, *rest, **named)

        monkeypatch.setattr(loop, "getaddrinfo", ask)
        return await failure(f"ws://[fe80::1{scope}]:8787")

    error = asyncio.run(scenario())
    assert asked in ([], ["fe80::1%nowhere0"])
    assert "fe80::1" in error.message


# --- certificates -----------------------------------------------------------------------------

CA = trustme.CA()


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "self.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _dated(start: int, end: int) -> ssl.SSLContext:
    now = datetime.datetime.now(datetime.UTC)
    return _context(
        CA.issue_cert(
            "127.0.0.1",
            not_before=now + datetime.timedelta(days=start),
            not_after=now + datetime.timedelta(days=end),
        )
    )


CERTIFICATES: dict[str, tuple[Callable[[Path], ssl.SSLContext], bool, str, str]] = {
    "expired": (lambda _: _dated(-10, -1), True, "its certificate has expired", "date"),
    "not-yet": (lambda _: _dated(1, 10), True, "its certificate is not valid yet", "date"),
    "other-host": (
        lambda _: _context(CA.issue_cert("other.example")),
        True,
        "its certificate is for another name than 127.0.0.1",
        "Check the relay's address",
    ),
    "unknown-ca": (
        lambda _: _context(CA.issue_cert("127.0.0.1")),
        False,
        "does not know who issued it",
        "trust-certificate",
    ),
    "self-signed": (_self_signed, False, "signed by itself", "trust-certificate"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_what_is_wrong_with_a_certificate_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, is_trusted, reason, advice = CERTIFICATES[name]
    if is_trusted:
        CA.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    async def scenario() -> RelayUnreachableError:
        async with server(answering(b""), context=make(tmp_path)) as port:
            return await failure(f"wss://127.0.0.1:{port}")

    error = asyncio.run(scenario())
    assert isinstance(error, RelayUntrustedError)
    assert reason in error.message
    assert advice in str(error.next_step)


def test_a_certificate_of_a_ca_in_ssl_cert_file_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = _context(CA.issue_cert("127.0.0.1"))

    async def scenario() -> str:
        async with serve(_nothing, "127.0.0.1", 0, ssl=context) as listening:
            url = f"wss://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            said = (await failure(url)).message
            CA.cert_pem.write_to_path(tmp_path / "ca.pem")
            async with open_socket(url):
                return said

    assert "SSL_CERT_FILE names a file that does not exist" in asyncio.run(scenario())


def test_tls_where_there_is_none_and_the_other_way_round() -> None:
    async def scenario() -> tuple[str, str]:
        async with serve(_nothing, "127.0.0.1", 0) as plain:
            port = plain.sockets[0].getsockname()[1]
            first = str((await failure(f"wss://127.0.0.1:{port}")).next_step)
        async with server(answering(b""), context=_context(CA.issue_cert("127.0.0.1"))) as port:
            second = str((await failure(f"ws://127.0.0.1:{port}")).next_step)
        return first, second

    first, second = asyncio.run(scenario())
    assert "begins with ws://" in first
    assert "begins with wss://" in second


# --- proxies ------------------------------------------------------------------------------------


def connecting_proxy(reader_of: list[bytes]) -> Handler:
    """A proxy that makes the connections that it is asked for."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        reader_of.append(asked)
        host, _, port = asked.split()[1].decode().rpartition(":")
        there, back = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while piece := await source.read(4096):
                    target.write(piece)
                    await target.drain()
                target.close()

        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    return connect


@pytest.mark.parametrize(
    "variable", ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
)
@pytest.mark.parametrize(
    "form", ["127.0.0.1:{}", "http://127.0.0.1:{}", "http://u:p@127.0.0.1:{}/"]
)
def test_a_proxy_of_the_environment_is_used_with_a_scheme_and_without(
    monkeypatch: pytest.MonkeyPatch, variable: str, form: str
) -> None:
    asked: list[bytes] = []

    async def scenario() -> None:
        async with (
            serve(_nothing, "127.0.0.1", 0) as relay,
            server(connecting_proxy(asked)) as proxy_port,
        ):
            port = relay.sockets[0].getsockname()[1]
            monkeypatch.setenv(variable, form.format(proxy_port))
            async with open_socket(f"ws://127.0.0.1:{port}"):
                assert asked[0].startswith(f"CONNECT 127.0.0.1:{port} ".encode())
            monkeypatch.setenv("no_proxy", "example.org, 127.0.0.1")
            async with open_socket(f"ws://127.0.0.1:{port}"):
                assert len(asked) == 1

    asyncio.run(scenario())


PROXY_ANSWERS = {
    "password": (http("407 Proxy Authentication Required"), "asks for a user and a password"),
    "forbidden": (http("403 Forbidden"), "does not permit a connection"),
    "not-known": (http("418 Teapot"), "it answers 418"),
    "no-proxy": (b"SSH-2.0-OpenSSH_9.6\r\n", "what answers there is no proxy"),
    "nothing": (b"", "what answers there is no proxy"),
}


@pytest.mark.parametrize("name", PROXY_ANSWERS)
def test_what_is_wrong_with_a_proxy_is_said_of_the_proxy(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    raw, reason = PROXY_ANSWERS[name]

    async def scenario() -> tuple[int, RelayUnreachableError]:
        async with server(answering(raw)) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
            return port, await failure("wss://relay.example")

    port, error = asyncio.run(scenario())
    assert isinstance(error, RelayProxyError)
    assert f"The proxy 127.0.0.1:{port} (of HTTPS_PROXY) cannot be used: " in error.message
    assert reason in error.message
    assert "secret" not in f"{error.message} {error.next_step}"


def test_a_proxy_that_cannot_reach_the_relay_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> RelayUnreachableError:
        async with server(answering(http("502 Bad Gateway"))) as port:
            monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
            return await failure("ws://relay.example")

    error = asyncio.run(scenario())
    assert not isinstance(error, RelayProxyError)
    assert "cannot reach it (502)" in error.message


@pytest.mark.parametrize("scheme", ["", "http://", "socks5://", "socks://", "socks4://"])
def test_a_dead_proxy_is_named_as_the_proxy(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with sockets.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setenv("all_proxy", f"{scheme}127.0.0.1:{port}")
    error = asyncio.run(failure("ws://127.0.0.1:1"))
    assert isinstance(error, RelayProxyError)
    assert (error.proxy, error.source) == (f"127.0.0.1:{port}", "all_proxy")
    assert "all_proxy" in str(error.next_step)
    assert "no_proxy" in str(error.next_step)


def test_a_silent_proxy_is_named_as_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_TIMEOUT_S", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def scenario() -> RelayUnreachableError:
        async with server(silent) as port:
            monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
            return await failure("ws://relay.example")

    assert isinstance(asyncio.run(scenario()), RelayProxyError)


def test_socks_without_its_library_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_settings, "find_spec", lambda _: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    error = asyncio.run(failure("ws://relay.example"))
    assert isinstance(error, RelayProxyError)
    assert "pip install 'bifolio[socks]'" in str(error.next_step)


def test_socks_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("python_socks")
    asked: list[bytes] = []

    async def socks5(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        asked.append(b"greeting")
        writer.write(b"\x05\xff")  # no way of saying who one is that it takes
        await writer.drain()
        writer.close()

    async def scenario() -> RelayUnreachableError:
        async with server(socks5) as port:
            monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{port}")
            return await failure("ws://relay.example")

    assert isinstance(asyncio.run(scenario()), RelayProxyError)
    assert asked == [b"greeting"]


@pytest.mark.parametrize(
    "value",
    [
        "ftp://127.0.0.1:1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:1/path",
        "http://[::1",
    ],
)
def test_a_proxy_that_is_written_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("https_proxy", value)
    error = asyncio.run(failure("wss://relay.example"))
    assert isinstance(error, RelayProxyError)
    assert "https_proxy" in error.message


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("ws://relay.example", {"http_proxy": "a:1", "https_proxy": "b:2"}, "http://a:1"),
        ("wss://relay.example", {"http_proxy": "a:1", "https_proxy": "b:2"}, "http://b:2"),
        ("wss://relay.example", {"http_proxy": "a:1"}, None),
        ("wss://relay.example", {"http_proxy": "a:1", "ALL_PROXY": "c:3"}, "http://c:3"),
        ("ws://relay.example", {"HTTP_PROXY": "a:1", "http_proxy": "b:2"}, "http://b:2"),
        ("ws://relay.example", {"HTTP_PROXY": "a:1", "REQUEST_METHOD": "GET"}, None),
        ("ws://relay.example", {"http_proxy": "a"}, "http://a:80"),
        ("ws://relay.example", {"socks_proxy": "a:1"}, "socks5h://a:1"),
        ("ws://relay.example", {"all_proxy": "socks://a"}, "socks5h://a:1080"),
        ("ws://relay.example", {"http_proxy": "u@a:1"}, "http://u:@a:1"),
        ("ws://relay.example", {"http_proxy": "http://[::1]:3128"}, "http://[::1]:3128"),
        ("ws://relay.example", {"http_proxy": "a:1", "no_proxy": "*"}, None),
        ("ws://relay.example", {"http_proxy": "a:1", "no_proxy": ".example"}, None),
        ("ws://relay.example", {"http_proxy": "a:1", "no_proxy": "*.example"}, None),
        ("ws://relay.example", {"http_proxy": "a:1", "NO_PROXY": "example"}, None),
        ("ws://relay.example", {"http_proxy": "a:1", "no_proxy": "lay.example"}, "http://a:1"),
        ("ws://relay.example:81", {"http_proxy": "a:1", "no_proxy": "relay.example:81"}, None),
        ("ws://relay.example", {"http_proxy": "a:1", "no_proxy": "relay.example:81"}, "http://a:1"),
        ("ws://10.1.2.3", {"http_proxy": "a:1", "no_proxy": "10.0.0.0/8"}, None),
        ("ws://11.1.2.3", {"http_proxy": "a:1", "no_proxy": "10.0.0.0/8"}, "http://a:1"),
        ("ws://[::1]:8787", {"http_proxy": "a:1", "no_proxy": "localhost,::1"}, None),
        ("ws://[::1]:8787", {"http_proxy": "a:1", "no_proxy": "[::1]"}, None),
        ("ws://relay.example", {}, None),
        ("ws://relay.example", {"http_proxy": ""}, None),
    ],
)
def test_which_proxy_counts(url: str, environment: dict[str, str], expected: str | None) -> None:
    found = find_proxy(parse_uri(url), environment)
    assert (found.url if found is not None else None) == expected

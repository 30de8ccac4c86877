"""From a relay's address to an open socket, or to a sentence about what stands in the way.

Each way in which a network is not what it should be (no name, nobody there, a proxy, a login page,
a certificate, another program) has its own words and its own next step.
"""

from __future__ import annotations

import errno
import re
import socket as sockets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.client import ClientConnection as Socket
from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxyMessage,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    SecurityError,
)
from websockets.uri import WebSocketURI, parse_uri

from bifolio import limits
from bifolio.errors import (
    RelayAnswerError,
    RelayProxyError,
    RelayRedirectError,
    RelayUnreachableError,
    RelayUntrustedError,
)
from bifolio.replication.line_socket import LineSocket
from bifolio.replication.network_settings import Proxy, find_proxy, missing_ca_file

#: What a redirect may name as a host; anything else is not repeated to the user.
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")

#: What is repeated of an answer: the first line that a relay gives as its reason.
_PLAIN_TEXT: Final = re.compile(r"[A-Za-z0-9 ,.'-]{1,80}")

_ERROR_NUMBER: Final = re.compile(r"\[Errno (-?[0-9]+)\]")

#: How it shows that a connection ended in the opening handshake.
_NO_ANSWER = (InvalidMessage, EOFError, ConnectionError)

_LOG_IN = (
    "Open any web page in a browser: if this network wants you to log in, do so. Otherwise check "
    "the relay's address; then try again."
)
_CHECK_ADDRESS = "Check the relay's address, its path too, with whoever runs it; then try again."
_CHECK_SCHEME = (
    "Check the network, the relay's address and that the relay is running. If it has a "
    "certificate, its address begins with wss://; then try again."
)
_ASK_OPERATOR = "Bifolio tries again by itself while it watches. If it lasts, tell whoever runs it."


class _Connect(connect):
    """A connection that stays with its host: a ticket's relay is the one that its maker knows.

    A redirect to another path, or to TLS on the same host, is followed as HTTP has it.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        before = self.ws_uri
        try:
            followed = super().process_redirect(exc)
        except (InvalidURI, ValueError):
            return exc
        if not isinstance(followed, str):
            return followed
        after = parse_uri(followed)
        is_same = (after.host, after.port, after.secure) == (
            before.host,
            before.port,
            before.secure,
        )
        if is_same or (after.host == before.host and after.secure and not before.secure):
            return followed
        return RelayRedirectError(self.uri, host=_place(before), target=_place(after))


@asynccontextmanager
async def open_socket(url: str) -> AsyncIterator[Socket]:
    """An open socket to a relay.

    Raises:
        RelayUnreachableError: there is none.
    """
    try:
        relay = parse_uri(url)
        if not relay.host or not 0 < relay.port < 65536:
            raise ValueError(url)
        relay.host.encode("idna")
    except (InvalidURI, ValueError) as error:  # a port too high, a host that has no form in DNS
        raise RelayUnreachableError(
            url, reason="this is not an address", next_step=_CHECK_ADDRESS
        ) from error
    proxy = find_proxy(relay)
    made: list[LineSocket] = []

    def make(*arguments: Any, **named: Any) -> LineSocket:
        made.append(LineSocket(*arguments, **named))
        return made[-1]

    connecting = _Connect(
        url,
        create_connection=make,  # type: ignore[arg-type]
        compression=None,
        proxy=proxy.url if proxy is not None else None,
        max_size=limits.MESSAGE_BYTES_MAX,
        open_timeout=limits.HANDSHAKE_TIMEOUT_S,
        ping_interval=None,  # LineSocket asks by itself
        close_timeout=limits.CLOSE_TIMEOUT_S,
        **_scoped(relay, proxy),
    )
    try:
        socket = await connecting
    except RelayRedirectError:
        raise
    except (InvalidHandshake, InvalidURI, OSError, EOFError, ValueError, ImportError) as error:
        # Whether the way to the relay is there: what fails after that is the relay's doing.
        is_connected = bool(made) and made[-1].is_made
        if is_connected and not made[-1].has_received and isinstance(error, _NO_ANSWER):
            reason = "the connection was cut before anything was answered"
            advice = None if relay.secure else _CHECK_SCHEME
            raise RelayUnreachableError(url, reason=reason, next_step=advice) from error
        raise _explain(error, url, relay, proxy, is_connected) from error
    try:
        yield socket
    finally:
        with suppress(ConnectionClosed):
            await socket.close()


def close_reason(socket: object, error: ConnectionClosed) -> str:
    """Why a connection ended, in words."""
    given_up = getattr(socket, "given_up", "")
    if given_up:
        return f"the connection was given up: {given_up}"
    said = error.rcvd.reason if error.rcvd else ""
    return "the connection was cut" + (f" ({said})" if said else "")


def _scoped(relay: WebSocketURI, proxy: Proxy | None) -> dict[str, Any]:
    """How an address of one link is called here (``fe80::1%eth0``): in a URL % is ``%25``."""
    if proxy is not None or "%25" not in relay.host:
        return {}
    return {"host": relay.host.replace("%25", "%", 1), "port": relay.port}


def _place(uri: WebSocketURI) -> str:
    host = uri.host if _HOST.fullmatch(uri.host) else "another host"
    return f"{host}:{uri.port}"


def _explain(
    error: Exception, url: str, relay: WebSocketURI, proxy: Proxy | None, is_connected: bool
) -> RelayUnreachableError:
    """What went wrong on the way to a relay."""
    if isinstance(error, ssl.SSLCertVerificationError):  # a ValueError too
        return _untrusted(error, url, relay)
    if isinstance(error, ssl.SSLError):
        return _no_tls(url, relay)
    if proxy is not None and not is_connected:
        return _of_proxy(error, url, proxy)
    if relay.secure and not is_connected and isinstance(error, ConnectionResetError | EOFError):
        return _no_tls(url, relay)  # what answered did not understand the first of it
    if isinstance(error, InvalidStatus):
        return _of_status(error, url)
    if isinstance(error, SecurityError):
        return RelayAnswerError(url, reason="it redirects without end", next_step=_CHECK_ADDRESS)
    if isinstance(error, InvalidMessage | EOFError):
        return _no_websocket(url, relay)
    if isinstance(error, InvalidHandshake):
        return RelayAnswerError(
            url,
            reason="a web server answers there, and no relay",
            next_step=_CHECK_ADDRESS,
        )
    if isinstance(error, TimeoutError) and error.errno is None:
        what = "the connection was made, and nothing answers" if is_connected else "no answer"
        reason = f"{what} within {limits.HANDSHAKE_TIMEOUT_S:.0f} seconds"
        return RelayUnreachableError(url, reason=reason)
    if isinstance(error, OSError):
        return RelayUnreachableError(url, reason=_of_system(error))
    return RelayUnreachableError(url, reason="this is not an address", next_step=_CHECK_ADDRESS)


# --- certificates ---------------------------------------------------------------------------------

#: OpenSSL's numbers for what is wrong with a certificate (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_CHAIN, _UNKNOWN_ISSUER, _UNKNOWN_LEAF_ISSUER = 18, 19, 20, 21
_OTHER_HOST, _OTHER_ADDRESS = 62, 64


def _untrusted(
    error: ssl.SSLCertVerificationError, url: str, relay: WebSocketURI
) -> RelayUntrustedError:
    match error.verify_code:
        case code if code == _EXPIRED:
            return RelayUntrustedError(
                url,
                reason="its certificate has expired",
                next_step="Check this computer's date. If it is right, ask whoever runs the relay "
                "to renew the certificate; then try again.",
            )
        case code if code == _NOT_YET_VALID:
            return RelayUntrustedError(
                url,
                reason="its certificate is not valid yet",
                next_step="Check this computer's date. If it is right, ask whoever runs the relay "
                "for a valid certificate; then try again.",
            )
        case code if code in (_OTHER_HOST, _OTHER_ADDRESS):
            return RelayUntrustedError(
                url,
                reason=f"its certificate is for another name than {relay.host}",
                next_step="Check the relay's address: its host must be a name that the "
                "certificate has. If it is right, ask whoever runs the relay.",
            )
        case code if code == _SELF_SIGNED:
            reason = "its certificate is signed by itself, and this computer does not trust it"
        case code if code in (_SELF_SIGNED_CHAIN, _UNKNOWN_ISSUER, _UNKNOWN_LEAF_ISSUER):
            reason = "its certificate is not trusted: this computer does not know who issued it"
        case _:
            reason = f"its certificate is not trusted ({error.verify_message})"
    if missing_ca_file():
        reason += "; SSL_CERT_FILE names a file that does not exist"
    return RelayUntrustedError(url, reason=reason)


def _no_tls(url: str, relay: WebSocketURI) -> RelayAnswerError:
    plain = f"ws://{_place(relay)}"
    return RelayAnswerError(
        url,
        reason="no TLS connection can be made there",
        next_step=f"If the relay has no certificate, its address begins with ws://: {plain}. "
        "Otherwise tell whoever runs it.",
    )


# --- what answers -----------------------------------------------------------------------------


def _no_websocket(url: str, relay: WebSocketURI) -> RelayAnswerError:
    advice = _CHECK_ADDRESS
    if not relay.secure:
        advice = (
            "Check the relay's address and port. If the relay has a certificate, its address "
            "begins with wss://; then try again."
        )
    return RelayAnswerError(
        url, reason="another program answers there, which is no relay", next_step=advice
    )


def _of_status(error: InvalidStatus, url: str) -> RelayAnswerError:
    status = error.response.status_code
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    said = (error.response.body or b"")[:200].decode("utf-8", "replace").strip()
    by_relay = said if "<" not in said and _PLAIN_TEXT.fullmatch(said) else ""
    redirects = 300 <= status < 400
    if 200 <= status < 300 or redirects:
        return RelayAnswerError(
            url, status, reason="a web page answers there, and no relay", next_step=_LOG_IN
        )
    if status in (401, 407):
        return RelayAnswerError(
            url,
            status,
            reason=f"what answers there asks for a user and a password ({named})",
            next_step=_CHECK_ADDRESS,
        )
    if status == 403:
        return RelayAnswerError(
            url,
            status,
            reason=f"the connection is forbidden ({named})",
            next_step="Ask whoever runs the relay, or this network's firewall, to permit it.",
        )
    if status in (404, 405, 410, 426):
        return RelayAnswerError(
            url,
            status,
            reason=f"a web server answers there, and has no relay at this path ({named})",
            next_step=_CHECK_ADDRESS,
        )
    if status == 511:
        return RelayAnswerError(
            url, status, reason="this network wants you to log in", next_step=_LOG_IN
        )
    if status == 429 or by_relay:
        return RelayAnswerError(
            url,
            status,
            reason=f"it has no place now ({by_relay or named})",
            next_step=_ASK_OPERATOR,
        )
    if status in (502, 503, 504):
        return RelayAnswerError(
            url,
            status,
            reason=f"the web server in front of it answers that it is not there now ({named})",
            next_step=_ASK_OPERATOR,
        )
    return RelayAnswerError(
        url,
        status,
        reason=f"what answers there is no relay ({named})",
        next_step=_CHECK_ADDRESS,
    )


# --- proxies ------------------------------------------------------------------------------------


def _of_proxy(error: Exception, url: str, proxy: Proxy) -> RelayUnreachableError:
    def proxy_error(reason: str, advice: str = "") -> RelayProxyError:
        return RelayProxyError(
            url, proxy=proxy.name, source=proxy.source, reason=reason, next_step=advice or None
        )

    if isinstance(error, InvalidProxyStatus):
        status = error.response.status_code
        if status == 407:
            return proxy_error(
                "it asks for a user and a password, and takes none that was given",
                f"Put them into {proxy.source}, as http://USER:PASSWORD@{proxy.name}; then try "
                "again.",
            )
        if status in (401, 403, 405):
            return proxy_error(
                f"it does not permit a connection to the relay ({status})",
                "Ask whoever runs the proxy to permit it, or add the relay's host to no_proxy if "
                "it can be reached without.",
            )
        if status in (502, 503, 504):
            return RelayUnreachableError(
                url, reason=f"the proxy {proxy.name} cannot reach it ({status})"
            )
        return proxy_error(f"it answers {status} where it should connect to the relay")
    if isinstance(error, InvalidProxyMessage | EOFError):
        return proxy_error("what answers there is no proxy")
    if isinstance(error, ProxyError):
        reason = error.__cause__
        return proxy_error(f"it did not connect to the relay ({_words_of(reason) or 'no reason'})")
    if isinstance(error, TimeoutError) and error.errno is None:
        return proxy_error(f"no answer within {limits.HANDSHAKE_TIMEOUT_S:.0f} seconds")
    if isinstance(error, OSError):
        return proxy_error(_of_system(error))
    return proxy_error("it is not an address")


def _words_of(error: BaseException | None) -> str:
    """What a library says of a fault, as far as it is plain words."""
    said = str(error or "")[:80].strip().rstrip(".")
    return said if _PLAIN_TEXT.fullmatch(said) else ""


# --- the system's own words -----------------------------------------------------------------------

_OF_ERRNO = {
    errno.ECONNREFUSED: "nothing listens at this address",
    errno.ENETUNREACH: "this computer has no way to that network",
    errno.EHOSTUNREACH: "no way leads to that computer",
    errno.ETIMEDOUT: "no answer",
    errno.ENETDOWN: "this computer's network is down",
    errno.EHOSTDOWN: "that computer is down",
    errno.EADDRNOTAVAIL: "this computer has no way to that address",
    errno.EACCES: "this computer does not permit the connection",
    errno.EPERM: "this computer's firewall does not permit the connection",
    errno.EMFILE: "too many files are open",
    errno.EINVAL: "the address needs the name of a network card after a %",
}


def _of_system(error: OSError) -> str:
    """An operating system's reason in words."""
    if isinstance(error, sockets.gaierror):
        if error.errno in (sockets.EAI_AGAIN, getattr(sockets, "EAI_FAIL", None)):
            return "the name server does not answer; is this computer online?"
        return "no computer of this name is known"
    number = error.errno
    if number is None:  # several addresses of one name, each with its own reason
        found = _ERROR_NUMBER.search(str(error))
        number = int(found[1]) if found else None
    if number is not None and number in _OF_ERRNO:
        return _OF_ERRNO[number]
    if isinstance(error, ConnectionError):
        return "the connection was cut"
    return str(error.strerror or "") or type(error).__name__

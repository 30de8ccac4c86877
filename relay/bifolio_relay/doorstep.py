"""What a connection is answered before it is a websocket: there is no place, or how well we are."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from websockets.http11 import Request, Response

from bifolio_relay import admission, health
from bifolio_relay.config import Network
from bifolio_relay.metered_socket import MeteredSocket, host_of


def turn_away(
    socket: MeteredSocket,
    request: Request,
    proxies: Network | None,
    readdress: Callable[[bytes], bool],
) -> Response | None:
    """The answer to who has no place, or comes through a proxy once too often; None for others.

    Arguments:
        socket: is counted by its own address as yet.
        request: says through a proxy whom it comes from.
        proxies: those that are believed.
        readdress: counts the connection by another address; whether it may stay.
    """
    if socket.is_refused:
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "the relay is full\n")
    if proxies is None:
        return None
    header = ",".join(request.headers.get_all("X-Forwarded-For"))
    host = admission.forwarded_address(host_of(socket), header, proxies)
    if host is None:
        return None
    socket.owner = admission.address_of(host)
    if readdress(socket.owner):
        return None
    return socket.respond(HTTPStatus.TOO_MANY_REQUESTS, "too many connections from your address\n")


def health_path(request: Request) -> str | None:
    """Which question about health a request is; None for everything else."""
    path = request.path.partition("?")[0]
    return path if path in health.PATHS else None


def tell_health(socket: MeteredSocket, path: str, facts: health.Facts) -> Response:
    """The answer to a question about health."""
    status, body, kind = health.answer(path, facts)
    response = socket.respond(status, body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = kind
    return response

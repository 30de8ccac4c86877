"""Who may ask at all, and how much: the first thing that a request meets.

1. The host that a request names must be this computer by a number or as ``localhost``: a web page
   whose name was made to mean this computer (DNS rebinding) names another one.
2. A web page is closed out without an answer, so that it cannot even learn that something
   listens: a request of a browser (its User-Agent, an Origin, the headers that say how a page
   fetches) needs a header of Zotero's programs, which no page can send to another origin without
   asking first, and that question is closed out too. No answer ever allows another origin.
3. Bodies are bounded in size and time; a path is what it says, without ``..`` in any writing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bifolio import limits
from bifolio.serve.answers import Refusal, constant_headers, text_answer
from bifolio.serve.connections import Connections, Peer

_HOSTS: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)

#: What only a program sends: a page that wants to is asked for permission first.
_PROGRAM: Final = ("x-zotero-connector-api-version", "zotero-allowed-request")
#: What a browser adds to a request, which no page can leave out.
_BROWSER: Final = ("origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")

#: The paths whose bodies are files.
_FILES: Final = re.compile(
    r"/connector/(?:saveAttachment|saveStandaloneAttachment|saveSingleFile|saveSnapshot|import)"
    r"|/api/local/uploads/.*"
)


class Gate:
    """Lets a request through to the application, or not."""

    def __init__(self, app: ASGIApp, connections: Connections, server_id: str) -> None:
        self._app = app
        self._connections = connections
        self._constant = constant_headers(server_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer: Peer = tuple(scope["client"] or ("", 0))
        headers = _headers(scope)
        self._connections.begins(peer)
        try:
            if is_of_page(headers):
                await self._close(peer, receive)
                return
            try:
                check_host(headers)
                bound = _check_size(scope, headers)
            except Refusal as refusal:
                await self._refuse(refusal, scope, receive, send)
                return
            body = _Bounded(receive, bound)
            await self._app(scope, body, self._with_headers(send))
            if "transfer-encoding" in headers and not body.is_whole:
                # Nobody wants the rest of it, which may have no end; one that says its length has.
                self._connections.finish(peer)
        finally:
            self._connections.ends(peer)

    async def _close(self, peer: Peer, receive: Receive) -> None:
        self._connections.close(peer)
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        answer = text_answer(refusal.message, status=refusal.status)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, self._with_headers(send))

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._constant]
            await send(message)

        return sending


def is_of_page(headers: Mapping[str, str]) -> bool:
    """Whether a request may be that of a web page, and of no program of Zotero's."""
    if any(name in headers for name in _PROGRAM):
        return False
    agent = headers.get("user-agent", "")
    return agent.startswith("Mozilla/") or any(name in headers for name in _BROWSER)


def check_host(headers: Mapping[str, str]) -> None:
    """Raise the refusal of a request to another host than this computer."""
    if _HOSTS.fullmatch(headers.get("host", "")) is None:
        raise Refusal(400, "Invalid host")


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by their names in small letters; one given twice counts by its first value,
    and two hosts are none."""
    found: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name = raw_name.decode("latin-1")
        if name == "host" and name in found:
            found[name] = ""
        found.setdefault(name, raw.decode("latin-1"))
    return found


def _check_size(scope: Scope, headers: Mapping[str, str]) -> int:
    """The bytes that a body may have.

    Raises:
        Refusal: it says itself that it has more, or nothing of it is right.
    """
    path = scope["path"]
    if ".." in path.split("/") or "\\" in path or "\x00" in path:
        raise Refusal(400, "Invalid path")
    is_file = _FILES.fullmatch(path) is not None
    bound = limits.SERVE_FILE_BYTES_MAX if is_file else limits.SERVE_BODY_BYTES_MAX
    given = headers.get("content-length", "0")
    if not given.isdecimal():
        raise Refusal(400, "Invalid Content-Length")
    if int(given[:20]) > bound:
        raise Refusal(413, f"A request may have {bound:,} bytes.")
    return bound


class _Bounded:
    """A body that ends: after so many bytes, or so much time, whatever is sent."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._left = bytes_max
        self._until: float | None = None
        self.is_whole = False

    async def __call__(self) -> Message:
        if self.is_whole:  # what follows is the end of the connection, whenever that is
            return await self._receive()
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + limits.SERVE_BODY_S
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(408, "The body did not come in time.", {"Connection": "close"}) from None
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise Refusal(413, "The body is too large.", {"Connection": "close"})
            self.is_whole = not message.get("more_body", False)
        return message

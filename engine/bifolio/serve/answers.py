"""Answers of Zotero's interface: bodies, the headers that each one has, and refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version as version_of
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from bifolio.errors import (
    BifolioError,
    FileTooLargeError,
    GroupNotFoundError,
    GroupPlaceError,
    LibraryError,
    ReaderError,
    RecordTooLargeError,
    ReferenceNotFoundError,
    TrashedReferenceError,
)
from bifolio.formats.mapping.zotero_types import SCHEMA_VERSION

#: The version of Zotero whose interface this is like; its Connector takes an answer without one
#: for that of another program.
ZOTERO_VERSION: Final = "10.0"

_CONSTANT: Final = {
    "X-Zotero-Version": ZOTERO_VERSION,
    "X-Zotero-Connector-API-Version": "3",
    "Zotero-API-Version": "3",
    "Zotero-Schema-Version": str(SCHEMA_VERSION),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

#: What of Bifolio's refusals is no fault of the request in itself: others are 400.
_STATUSES: Final[tuple[tuple[tuple[type[BifolioError], ...], int], ...]] = (
    ((LibraryError,), 503),
    ((ReaderError,), 403),
    ((ReferenceNotFoundError, GroupNotFoundError), 404),
    ((TrashedReferenceError, GroupPlaceError), 409),
    ((RecordTooLargeError, FileTooLargeError), 413),
)


class Refusal(Exception):
    """A request that is not done: the status, a sentence, and headers.

    With ``facts`` the answer is a JSON document that holds them next to the sentence.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.facts = dict(facts or {})
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def status_of(error: BifolioError) -> int:
    """The status of what Bifolio refused."""
    for kinds, status in _STATUSES:
        if isinstance(error, kinds):
            return status
    return 400


def not_found(what: str = "Not found") -> Refusal:
    """The refusal of what is not there."""
    return Refusal(404, what)


def json_answer(
    value: object,
    headers: Mapping[str, str] | None = None,
    *,
    version: int | None = None,
    status: int = 200,
) -> Response:
    """A JSON document."""
    return raw_json_answer(encode_json(value), headers, version=version, status=status)


def encode_json(value: object) -> bytes:
    """A value as a JSON document."""
    try:
        return msgspec.json.encode(value)  # a tenth of the time of the standard library's
    except UnicodeEncodeError:  # half a character, which somebody's program sent
        return json.dumps(value).encode()


def raw_json_answer(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    version: int | None = None,
    status: int = 200,
) -> Response:
    """A JSON document that is written already."""
    return _answer(body, "application/json", headers, version, status)


def text_answer(
    text: str,
    headers: Mapping[str, str] | None = None,
    *,
    version: int | None = None,
    status: int = 200,
    kind: str = "text/plain",
) -> Response:
    """A text."""
    body = text.encode("utf-8", errors="replace")
    return _answer(body, f"{kind}; charset=utf-8", headers, version, status)


def empty_answer(
    status: int = 204, headers: Mapping[str, str] | None = None, *, version: int | None = None
) -> Response:
    """An answer without a body."""
    return _answer(b"", None, headers, version, status)


def constant_headers(server_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of every answer, as ASGI has them."""
    named = {**_CONSTANT, "Zotero-Server-ID": server_id, "X-Bifolio-Version": version_of("bifolio")}
    return [(name.lower().encode(), value.encode()) for name, value in named.items()]


def page_links(
    url: str, parameters: list[tuple[str, str]], *, start: int, limit: int | None, total: int
) -> str:
    """The header ``Link`` of a page of a list; empty where one page holds everything."""
    if limit is None:
        return ""
    rest = [(name, value) for name, value in parameters if name not in ("start", "limit")]

    def link(at: int, name: str) -> str:
        query = urlencode([*rest, ("limit", str(limit)), ("start", str(at))])
        return f'<{url}?{query}>; rel="{name}"'

    links = []
    last = max(total - 1, 0) // limit * limit
    if start > 0:
        links += [link(0, "first"), link(max(start - limit, 0), "prev")]
    if start + limit < total:
        links += [link(start + limit, "next"), link(last, "last")]
    return ", ".join(links)


def _answer(
    body: bytes,
    kind: str | None,
    headers: Mapping[str, str] | None,
    version: int | None,
    status: int,
) -> Response:
    given = {name: value for name, value in (headers or {}).items() if value}
    if version is not None:
        given["Last-Modified-Version"] = str(version)
    return Response(body, status_code=status, media_type=kind, headers=given)

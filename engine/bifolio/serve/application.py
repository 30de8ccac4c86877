"""Every endpoint, and the application that answers them.

``ENDPOINTS`` is the one table; the routes are made of it, and docs/serve.md is compared with it.
"""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bifolio.errors import BifolioError
from bifolio.serve.answers import Refusal, empty_answer, json_answer, status_of, text_answer
from bifolio.serve.changes import CHANGES
from bifolio.serve.citing import BETTER_BIBTEX
from bifolio.serve.connecting import CONNECTOR
from bifolio.serve.endpoints import Api, Endpoint
from bifolio.serve.other_writing import OTHER_WRITING
from bifolio.serve.reading import READING
from bifolio.serve.writing import WRITING

#: Every endpoint.
ENDPOINTS: Final = (*READING, *WRITING, *OTHER_WRITING, *CONNECTOR, *BETTER_BIBTEX, *CHANGES)


class _Key(Convertor[str]):
    """A key in a path: whatever is there, but for the names of lists."""

    regex = "(?!(?:top|trash|tags)(?:/|$))[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("key", _Key())


def application(api: Api) -> Starlette:
    """The application of all endpoints."""
    # What has no variable part goes first: it is found soonest, and is taken for no key.
    ordered = sorted(ENDPOINTS, key=lambda one: ("{" in one.path, one.path.count("{key")))
    return Starlette(
        routes=[_route(api, one) for one in ordered],
        exception_handlers={
            Refusal: _refused,
            BifolioError: _failed,
            ClientDisconnect: _gone,
            404: _no_endpoint,
            405: _no_endpoint,
        },
    )


def _route(api: Api, endpoint: Endpoint) -> Route:
    async def answer(request: Request) -> Response:
        return await endpoint.handler(api, request)

    path = endpoint.path.replace("{library}", "/api/{kind:str}/{number:int}")
    path = path.replace("{key}", "{key:key}")
    return Route(path, answer, methods=endpoint.methods.split())


async def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    if refusal.status in (204, 304):
        return empty_answer(refusal.status, refusal.headers)
    if refusal.facts:
        return json_answer(refusal.facts | {"message": refusal.message}, status=refusal.status)
    return text_answer(refusal.message, refusal.headers, status=refusal.status)


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BifolioError)
    return text_answer(error.message, status=status_of(error))


async def _gone(_request: Request, _error: Exception) -> Response:
    return empty_answer(400)


async def _no_endpoint(_request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    text = "No endpoint found" if status == 404 else "Endpoint does not support method"
    return text_answer(text, status=status)

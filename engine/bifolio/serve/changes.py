"""What changed since a version, and waiting for it: for windows that show what is served."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from bifolio import limits
from bifolio.serve.answers import Refusal, json_answer
from bifolio.serve.endpoints import Api, Endpoint
from bifolio.serve.parameters import read_parameters
from bifolio.serve.served_library import ServedLibrary


async def _changes(api: Api, request: Request) -> Response:
    wanted = read_parameters(request.query_params.multi_items())
    if wanted.since is None:
        raise Refusal(400, "'since' not provided")
    since = wanted.since
    thread = api.library_of(request)
    until = asyncio.get_running_loop().time() + _wait_s(request.query_params.get("wait", "0"))
    while True:
        seen = await thread.data_version()
        found = await thread.run(lambda served: changes(served, since))
        if found["version"] != since or not await thread.written(seen, until=until):
            return json_answer(found, version=found["version"])


def changes(served: ServedLibrary, since: int) -> dict[str, Any]:
    """The version now, and what is different since another: the references' numbers and keys.

    ``whole`` says that it is too much to be told one by one, or that the version is none of this
    replica's: all is to be read again.
    """
    changed = served.windows.changes_since(since)
    if len(changed.records) > limits.SERVE_CHANGES_MAX or since > changed.version:
        return {"version": changed.version, "whole": True, "numbers": [], "keys": []}
    names = served.names.of(list(changed.records))
    keys = [named[""] for named in names.values() if "" in named]
    numbers = list(changed.numbers)
    return {"version": changed.version, "whole": False, "numbers": numbers, "keys": keys}


def _wait_s(given: str) -> float:
    if not (given.isascii() and given.isdecimal() and len(given) < 5):
        raise Refusal(400, "Invalid 'wait' value")
    return min(float(given), limits.SERVE_CHANGES_WAIT_S)


#: Every endpoint of these.
CHANGES: Final = (
    Endpoint(
        "GET",
        "/bifolio/{kind:str}/{number:int}/changes",
        _changes,
        "what changed after `since`, waiting for it up to `wait` seconds",
    ),
)

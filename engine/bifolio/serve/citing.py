"""The endpoints of Better BibTeX, and who answers them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from bifolio.errors import BifolioError
from bifolio.serve import better_bibtex
from bifolio.serve.answers import Refusal, empty_answer, json_answer, text_answer
from bifolio.serve.endpoints import Api, Endpoint, Handler, State
from bifolio.serve.item_texts import KINDS


async def _rpc(api: Api, request: Request) -> Response:
    # A call by GET is the whole query, as pandoc's filter sends it.
    raw = await request.body() if request.method == "POST" else unquote(request.url.query)
    others = await _names(api)
    thread = api.libraries.numbered(better_bibtex.library_in(raw, others))
    answer = await thread.run(
        lambda served: better_bibtex.call(served, raw, list(others.items())), writing=True
    )
    return empty_answer() if answer is None else json_answer(answer)


async def _names(api: Api) -> dict[int, str]:
    """The names of the other libraries, those that can be opened now, by their numbers."""
    found = {}
    for number, thread in api.libraries.groups.items():
        with suppress(BifolioError):
            found[number] = await thread.run(lambda served: served.library.name)
    return found


def _pull(what: str) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        named = unquote(request.url.query.partition("&")[0])
        number, parts, ending = better_bibtex.read_place(named)
        text = await api.libraries.numbered(number).run(
            lambda served: better_bibtex.pull(served, what, parts, ending)
        )
        return text_answer(text, kind=KINDS.get(ending, "text/plain"))

    return handler


async def _pull_items(api: Api, request: Request) -> Response:
    given = dict(request.query_params)
    wanted = given.get("libraryID") or given.get("library") or given.get("groupID")
    wanted = wanted or given.get("group") or "1"
    others = await _names(api)
    numbers = {one for one, name in others.items() if wanted in (str(one), name)}
    thread = api.libraries.numbered(next(iter(numbers), None))
    text, kind = await thread.run(lambda served: better_bibtex.pull_items(served, given))
    return text_answer(text, kind=kind)


async def _pull_selected(_api: Api, _request: Request) -> Response:
    raise Refusal(404, "Nothing is selected where there is no window: name it with citationKeys=.")


async def _cayw(api: Api, request: Request) -> Response:
    given = dict(request.query_params)
    text = await api.libraries.main.run(
        lambda served: better_bibtex.cite_as_you_write(served, given)
    )
    is_json = given.get("format") == "json" and "probe" not in given
    return json_answer(json.loads(text or "[]")) if is_json else text_answer(text)


#: Every endpoint of Better BibTeX.
BETTER_BIBTEX: Final = (
    Endpoint(
        "GET POST", "/better-bibtex/json-rpc", _rpc, "references by citation keys", State.PART
    ),
    Endpoint("GET", "/better-bibtex/export/library", _pull("library"), "the library as it is now"),
    Endpoint("GET", "/better-bibtex/library", _pull("library"), "the same"),
    Endpoint(
        "GET", "/better-bibtex/export/collection", _pull("collection"), "a collection as it is now"
    ),
    Endpoint("GET", "/better-bibtex/collection", _pull("collection"), "the same"),
    Endpoint("GET", "/better-bibtex/export/item", _pull_items, "references by citation keys"),
    Endpoint(
        "GET",
        "/better-bibtex/export/selected",
        _pull_selected,
        "404: nothing is selected here",
        State.NONE,
    ),
    Endpoint("GET", "/better-bibtex/select", _pull_selected, "the same", State.NONE),
    Endpoint(
        "GET", "/better-bibtex/cayw", _cayw, "citations of what `q` finds; no picker", State.PART
    ),
)

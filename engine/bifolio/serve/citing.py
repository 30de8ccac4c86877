"""The endpoints of Better BibTeX, and who answers them."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from bifolio.serve import better_bibtex
from bifolio.serve.answers import Refusal, empty_answer, json_answer, text_answer
from bifolio.serve.endpoints import Api, Endpoint
from bifolio.serve.item_texts import KINDS


async def _rpc(api: Api, request: Request) -> Response:
    # A call by GET is the whole query, as pandoc's filter sends it.
    raw = await request.body() if request.method == "POST" else unquote(request.url.query)
    answer = await api.libraries.main.run(
        lambda served: better_bibtex.call(served, raw), writing=True
    )
    return empty_answer() if answer is None else json_answer(answer)


async def _pull(api: Api, request: Request) -> Response:
    what = request.path_params["what"]
    if what not in ("library", "collection"):
        raise Refusal(404, "An export is of a library or a collection")
    named = unquote(request.url.query.partition("&")[0])
    text, ending = await api.libraries.main.run(
        lambda served: better_bibtex.pull(served, what, named)
    )
    return text_answer(text, kind=KINDS.get(ending, "text/plain"))


async def _cayw(api: Api, request: Request) -> Response:
    given = dict(request.query_params)
    text = await api.libraries.main.run(
        lambda served: better_bibtex.cite_as_you_write(served, given)
    )
    is_json = given.get("format") == "json" and "probe" not in given
    return json_answer(json.loads(text or "[]")) if is_json else text_answer(text)


#: Every endpoint of Better BibTeX.
BETTER_BIBTEX: Final = (
    Endpoint("GET POST", "/better-bibtex/json-rpc", _rpc, "references by citation keys"),
    Endpoint("GET", "/better-bibtex/export/{what}", _pull, "an export that is always current"),
    Endpoint("GET", "/better-bibtex/cayw", _cayw, "citations of what `q` finds; no picker"),
)

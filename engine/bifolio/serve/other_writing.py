"""The endpoints of writing saved searches and what files say, and who answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from bifolio import limits
from bifolio.serve import item_files, search_writes
from bifolio.serve.answers import Refusal, empty_answer
from bifolio.serve.collections import search_object
from bifolio.serve.endpoints import Api, Endpoint, Handler, base_of
from bifolio.serve.served_library import ServedLibrary
from bifolio.serve.writing import Writing, check_library_version, read_keys, write_each


async def _post_searches(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    given = await writing.body()

    def act(served: ServedLibrary) -> Response:
        check_library_version(served, writing.version)

        def show(key: str) -> dict[str, Any]:
            return search_object(served, base_of(request), key, served.searches[key])

        def write(one: Mapping[str, Any]) -> tuple[str, bool]:
            return search_writes.write(served, one, version=writing.version)

        return write_each(served, given, write, show)

    return await writing.run(act, "wrote searches")


async def _change_search(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    given = await writing.body()
    if not isinstance(given, dict):
        raise Refusal(400, "An object is expected")

    def act(served: ServedLibrary) -> Response:
        one = {**given, "key": request.path_params["key"]}
        search_writes.write(served, one, version=writing.version)
        return empty_answer()

    return await writing.run(act, "changed a search")


def _delete_searches(*, several: bool) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        writing = Writing(api, request)
        keys = read_keys(request, "searchKey") if several else [request.path_params["key"]]

        def act(served: ServedLibrary) -> Response:
            # pyzotero deletes several without saying which version it saw.
            version = writing.version if several else writing.needed_version
            for key in keys:
                if not several or key in served.searches:
                    search_writes.delete(served, key, version=version)
                    served.catch_up()
            return empty_answer()

        return await writing.run(act, f"deleted {len(keys)} searches")

    return handler


async def _put_text(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    given = await writing.body()
    if not isinstance(given, dict):
        raise Refusal(400, "An object is expected")

    def act(served: ServedLibrary) -> Response:
        item_files.keep_text(served, request.path_params["key"], given)
        return empty_answer()

    return await writing.run(act, "gave what a file says")


async def _post_texts(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    given = await writing.body()
    if isinstance(given, list) and len(given) > limits.SERVE_TEXTS_MAX:
        raise Refusal(413, f"Cannot write more than {limits.SERVE_TEXTS_MAX} texts at once")

    def act(served: ServedLibrary) -> Response:
        check_library_version(served, writing.needed_version)

        def write(one: Mapping[str, Any]) -> tuple[str, bool]:
            key = one.get("key")
            if not isinstance(key, str):
                raise Refusal(400, "'key' not provided")
            item_files.keep_text(served, key, one)
            return key, True

        return write_each(served, given, write, lambda key: {"key": key})

    return await writing.run(act, "gave what files say")


#: Every endpoint of these.
OTHER_WRITING: Final = (
    Endpoint("POST", "{library}/searches", _post_searches, "makes and changes smart groups"),
    Endpoint("PUT PATCH", "{library}/searches/{key}", _change_search, "a smart group"),
    Endpoint(
        "DELETE",
        "{library}/searches/{key}",
        _delete_searches(several=False),
        "deletes a smart group",
    ),
    Endpoint("DELETE", "{library}/searches", _delete_searches(several=True), "deletes up to 50"),
    Endpoint("PUT", "{library}/items/{key}/fulltext", _put_text, "takes what another program read"),
    Endpoint("POST", "{library}/fulltext", _post_texts, "the same, of up to 10 files"),
)

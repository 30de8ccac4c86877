"""Every endpoint of writing, and who answers it.

A write needs the server's name (so that none reaches another library than it was meant for) and a
key of a program that its user allowed. Each request is one command of the log, named after the
program, and is undone as one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from bifolio import limits
from bifolio.disk import pieces
from bifolio.errors import BifolioError, LibraryError
from bifolio.serve import collection_writes
from bifolio.serve.answers import Refusal, empty_answer, json_answer, status_of
from bifolio.serve.collections import collection_object
from bifolio.serve.endpoints import Api, Endpoint, Handler, base_of, objects_of
from bifolio.serve.item_writes import ItemWrites
from bifolio.serve.note_objects import FILE
from bifolio.serve.reading import find_entry
from bifolio.serve.served_library import ServedLibrary

_TOKEN_LENGTHS: Final = range(5, 33)

#: Writes one object; its key, and whether anything was changed.
WriteOne = Callable[[Mapping[str, Any]], tuple[str, bool]]


class Writing:
    """A request to write: who asks, and what it says of the versions that it saw."""

    def __init__(self, api: Api, request: Request) -> None:
        given = request.headers.get("zotero-server-id")
        if given is None:
            raise Refusal(428, "Zotero-Server-ID not provided")
        if given != api.server_id:
            raise Refusal(412, "Zotero-Server-ID does not match")
        self._api = api
        self._request = request
        self._key = _key_of(request)
        self.program = api.permissions.program_of(self._key)
        self._token = _token_of(request)

    @property
    def version(self) -> int | None:
        """The version after which nothing may have been changed."""
        given = self._request.headers.get("if-unmodified-since-version")
        if given is None:
            return None
        if not (given.isascii() and given.isdecimal() and len(given) < 13):
            raise Refusal(400, "Invalid If-Unmodified-Since-Version")
        return int(given)

    @property
    def needed_version(self) -> int:
        """``version``, without which nothing is done."""
        if (version := self.version) is None:
            raise Refusal(428, "If-Unmodified-Since-Version not provided")
        return version

    async def body(self) -> Any:
        """The JSON document of the request."""
        try:
            return json.loads(await self._request.body(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "Invalid JSON") from error

    async def run(self, act: Callable[[ServedLibrary], Response], words: str) -> Response:
        """Do it as one command, whose words the log shows, and all of it or nothing."""

        def write(served: ServedLibrary) -> Response:
            try:
                # With the token in it, so that after a crash both are there or neither is.
                with served.writes.together():
                    if self._token is not None and served.writes.is_used(self._token):
                        raise Refusal(412, "Write token already used")
                    with served.library.command(f"{self.program}: {words}"):
                        answer = act(served)
                    served.catch_up()
                    if self._token is not None:
                        served.writes.use(self._token)
            except BaseException:
                served.forget()
                raise
            served.catch_up()
            answer.headers["Last-Modified-Version"] = str(served.windows.version)
            return answer

        answer = await self._api.library_of(self._request).run(write, writing=True)
        self._api.permissions.use(self._key)
        return answer


def _refuse_constant(name: str) -> None:
    """NaN and Infinity, which are no JSON."""
    raise ValueError(name)


def _token_of(request: Request) -> str | None:
    """The token by which a write is known again; None of one that is done as often as it comes.

    Raises:
        Refusal: it is none.
    """
    token = request.headers.get("zotero-write-token")
    if token is not None and len(token) not in _TOKEN_LENGTHS:
        raise Refusal(400, "A write token has 5 to 32 characters.")
    return token


def _key_of(request: Request) -> str | None:
    """The key of a request: in a header of its own, as a bearer's, or a parameter."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return (
        request.headers.get("zotero-api-key")
        or (bearer.strip() if scheme.lower() == "bearer" else None)
        or request.query_params.get("key")
    )


def write_each(
    served: ServedLibrary,
    given: object,
    write: WriteOne,
    show: Callable[[str], dict[str, Any]],
) -> Response:
    """Write several objects, each by itself: what could not be is named, and the others are."""
    if not isinstance(given, list):
        raise Refusal(400, "Uploaded data must be a JSON array")
    if len(given) > limits.SERVE_KEYS_MAX:
        raise Refusal(413, f"Cannot write more than {limits.SERVE_KEYS_MAX} objects at once")
    parts: dict[str, dict[str, Any]] = {
        name: {} for name in ("successful", "success", "unchanged", "failed")
    }
    for number, one in enumerate(given):
        at = str(number)
        try:
            if not isinstance(one, dict):
                raise Refusal(400, "An object is expected")
            with served.writes.together():
                key, changed = write(one)
        except LibraryError:
            raise  # which is no fault of the object's: nothing is written
        except (Refusal, BifolioError) as error:
            served.forget()
            code = error.status if isinstance(error, Refusal) else status_of(error)
            parts["failed"][at] = {"code": code, "message": error.message}
            if isinstance(one, dict) and isinstance(one.get("key"), str):
                parts["failed"][at]["key"] = one["key"]
            continue
        served.catch_up()
        if changed:
            parts["successful"][at] = show(key)
            parts["success"][at] = key
        else:
            parts["unchanged"][at] = key
    return json_answer(parts)


async def _authorize(api: Api, request: Request) -> Response:
    given = request.headers.get("zotero-server-id")
    if given is None:
        raise Refusal(428, "Zotero-Server-ID not provided")
    if given != api.server_id:
        raise Refusal(412, "Zotero-Server-ID does not match")
    try:
        name = json.loads(await request.body())["appName"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(400, "'appName' not provided") from error
    if not isinstance(name, str):
        raise Refusal(400, "'appName' must be a text")
    key, remember = await run_in_threadpool(api.permissions.authorize, name, api.ask)
    return json_answer({"key": key, "remember": remember})


# --- items ---------------------------------------------------------------------------------------


async def _post_items(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    given = await writing.body()

    def act(served: ServedLibrary) -> Response:
        check_library_version(served, writing.version)
        items = ItemWrites(served)

        def show(key: str) -> dict[str, Any]:
            objects = objects_of(served, request)
            return objects.objects([find_entry(served, objects, key)])[0]

        def write(one: Mapping[str, Any]) -> tuple[str, bool]:
            return items.write(one, version=writing.version, patch=True)

        return write_each(served, given, write, show)

    count = len(given) if isinstance(given, list) else 0
    return await writing.run(act, f"wrote {count} {'item' if count == 1 else 'items'}")


def _change_item(*, patch: bool) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        writing = Writing(api, request)
        given = await writing.body()
        if not isinstance(given, dict):
            raise Refusal(400, "An object is expected")
        key = request.path_params["key"]

        def act(served: ServedLibrary) -> Response:
            one = {**given, "key": key}
            ItemWrites(served).write(one, version=writing.version, patch=patch)
            return empty_answer()

        return await writing.run(act, "changed an item")

    return handler


async def _delete_item(api: Api, request: Request) -> Response:
    writing = Writing(api, request)

    def act(served: ServedLibrary) -> Response:
        ItemWrites(served).delete(request.path_params["key"], version=writing.needed_version)
        return empty_answer()

    return await writing.run(act, "deleted an item")


async def _delete_items(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    keys = read_keys(request, "itemKey")

    def act(served: ServedLibrary) -> Response:
        items = ItemWrites(served)
        for key in keys:
            if served.names.find(key) is not None:
                items.delete(key, version=writing.needed_version)
        return empty_answer()

    return await writing.run(act, f"deleted {len(keys)} items")


# --- collections and tags ------------------------------------------------------------------------


async def _post_collections(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    given = await writing.body()

    def act(served: ServedLibrary) -> Response:
        check_library_version(served, writing.version)

        def show(key: str) -> dict[str, Any]:
            return collection_object(served, base_of(request), key, served.collection(key))

        def write(one: Mapping[str, Any]) -> tuple[str, bool]:
            return collection_writes.write(served, one, version=writing.version, patch=True)

        return write_each(served, given, write, show)

    return await writing.run(act, "wrote collections")


def _change_collection(*, patch: bool) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        writing = Writing(api, request)
        given = await writing.body()
        if not isinstance(given, dict):
            raise Refusal(400, "An object is expected")

        def act(served: ServedLibrary) -> Response:
            key = request.path_params["key"]
            served.collection(key)
            one = {**given, "key": key}
            collection_writes.write(served, one, version=writing.version, patch=patch)
            return empty_answer()

        return await writing.run(act, "changed a collection")

    return handler


async def _delete_collection(api: Api, request: Request) -> Response:
    writing = Writing(api, request)

    def act(served: ServedLibrary) -> Response:
        key = request.path_params["key"]
        collection_writes.delete(served, key, version=writing.needed_version)
        return empty_answer()

    return await writing.run(act, "deleted a collection")


async def _delete_collections(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    keys = read_keys(request, "collectionKey")

    def act(served: ServedLibrary) -> Response:
        for key in keys:
            if key in served.collections:
                collection_writes.delete(served, key, version=writing.needed_version)
                served.catch_up()
        return empty_answer()

    return await writing.run(act, f"deleted {len(keys)} collections")


async def _delete_tags(api: Api, request: Request) -> Response:
    writing = Writing(api, request)
    names = [one.strip() for one in request.query_params.get("tag", "").split("||")]
    names = [one for one in names if one]
    if not names or len(names) > limits.SERVE_KEYS_MAX:
        raise Refusal(400, f"Give 1 to {limits.SERVE_KEYS_MAX} tags")

    def act(served: ServedLibrary) -> Response:
        check_library_version(served, writing.needed_version)
        collection_writes.delete_tags(served, names)
        return empty_answer()

    return await writing.run(act, f"deleted {len(names)} tags")


# --- files ---------------------------------------------------------------------------------------


async def _post_file(api: Api, request: Request) -> Response:
    """The first and the third step of an upload."""
    writing = Writing(api, request)
    body = (await request.body()).decode("utf-8", errors="replace")
    given = dict(parse_qsl(body, keep_blank_values=True))
    key = request.path_params["key"]
    library = str(api.library_of(request).path)
    if "upload" in given:
        upload = api.uploads.arrived(given["upload"], library=library, key=key)

        def register(served: ServedLibrary) -> Response:
            record, part = served.find(key)
            _check_content(served, request, record, part)
            ItemWrites(served).row(record)
            (file,) = served.library.files.add(record, [upload.path])
            served.names.move(key, part=f"{FILE}{file.hash}/{file.name}")
            return empty_answer()

        answer = await writing.run(register, f"attached {upload.name}")
        api.uploads.forget(given["upload"])
        return answer

    def announce(served: ServedLibrary) -> Response:
        record, part = served.find(key)
        md5 = given.get("md5", "").lower()
        if _check_content(served, request, record, part, same=md5) == md5 != "":
            return json_answer({"exists": 1})
        if len(given.get("mtime", "")) in range(1, 12):
            raise Refusal(400, "'mtime' is in milliseconds")
        size = given.get("filesize", "")
        if not (size.isascii() and size.isdecimal() and len(size) < 16):
            raise Refusal(400, "Invalid 'filesize'")
        made = api.uploads.announce(
            library=library, key=key, name=given.get("filename", ""), size=int(size), md5=md5
        )
        address = f"{base_of(request)}/local/uploads/{made}"
        found: dict[str, Any] = {"url": address, "uploadKey": made}
        if given.get("params") == "1":
            found["params"] = {"key": made}
        else:
            kind = given.get("contentType") or "application/octet-stream"
            found |= {"contentType": kind, "prefix": "", "suffix": ""}
        return json_answer(found)

    return await api.library_of(request).run(announce)


async def _post_upload(api: Api, request: Request) -> Response:
    """The second step: the bytes, as they are or as a form's part."""
    if request.headers.get("zotero-server-id") != api.server_id:
        raise Refusal(412, "Zotero-Server-ID does not match")
    key = request.path_params["key"]
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=8, max_fields=32) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Refusal(400, "'file' not provided")
            await api.uploads.receive(key, _each(pieces(file.file)))
    else:
        await api.uploads.receive(key, request.stream())
    return empty_answer(201)


async def _each(given: Any) -> AsyncIterator[bytes]:
    for one in given:
        yield one


def _check_content(
    served: ServedLibrary, request: Request, record: str, part: str, *, same: str = ""
) -> str | None:
    """The MD5 of the file that an item has; None of one that is awaited.

    Args:
        same: what the program has: where the item has just that, nothing is in its way.

    Raises:
        Refusal: it is no item of a file, or not the file that the program saw.
    """
    if "/" not in part:
        raise Refusal(400, "Not a file attachment")
    known = served.find_md5(record, part.split("/")[1]) if part.startswith(FILE) else None
    seen = request.headers.get("if-match", "").strip('"').lower()
    if request.headers.get("if-none-match") == "*":
        if known is not None and known != same:
            raise Refusal(412, "If-None-Match: * set but file exists")
    elif not seen:
        raise Refusal(428, "If-Match or If-None-Match not provided")
    elif seen != known:
        raise Refusal(412, "The file is not the one that the program saw")
    return known


def read_keys(request: Request, name: str) -> list[str]:
    """The keys that a request to delete names."""
    keys = [one for one in request.query_params.get(name, "").split(",") if one]
    if not keys:
        raise Refusal(400, f"'{name}' not provided")
    if len(keys) > limits.SERVE_KEYS_MAX:
        raise Refusal(413, f"Cannot delete more than {limits.SERVE_KEYS_MAX} objects at once")
    return keys


def check_library_version(served: ServedLibrary, version: int | None) -> None:
    """Raise the refusal of who has not seen the library as it is."""
    if version is not None and served.windows.version > version:
        raise Refusal(412, f"Library has been modified since version {version}")


#: Every endpoint of writing.
WRITING: Final = (
    Endpoint("POST", "/api/local/authorize", _authorize, "a key, if the user allows it"),
    Endpoint("POST", "{library}/items", _post_items, "makes and changes up to 50 items"),
    Endpoint("POST", "{library}/items/", _post_items, "the same"),
    Endpoint("PUT", "{library}/items/{key}", _change_item(patch=False), "an item as a whole"),
    Endpoint("PATCH", "{library}/items/{key}", _change_item(patch=True), "some of its fields"),
    Endpoint("DELETE", "{library}/items/{key}", _delete_item, "puts it into the trash"),
    Endpoint("DELETE", "{library}/items", _delete_items, "puts up to 50 into the trash"),
    Endpoint("POST", "{library}/collections", _post_collections, "makes and changes groups"),
    Endpoint("POST", "{library}/collections/", _post_collections, "the same"),
    Endpoint("PUT", "{library}/collections/{key}", _change_collection(patch=False), "a group"),
    Endpoint("PATCH", "{library}/collections/{key}", _change_collection(patch=True), "a group"),
    Endpoint("DELETE", "{library}/collections/{key}", _delete_collection, "deletes a group"),
    Endpoint("DELETE", "{library}/collections", _delete_collections, "deletes up to 50"),
    Endpoint("DELETE", "{library}/tags", _delete_tags, "takes tags off everything"),
    Endpoint("POST", "{library}/items/{key}/file", _post_file, "announces and registers a file"),
    Endpoint("POST", "/api/local/uploads/{key}", _post_upload, "the bytes of a file"),
)

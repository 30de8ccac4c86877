"""The endpoints of Zotero's Connector, and who answers them."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bifolio import limits
from bifolio.disk import make_private_folder
from bifolio.serve import connector
from bifolio.serve.answers import Refusal, empty_answer, json_answer, text_answer
from bifolio.serve.connector import PROGRAM, Saving, Session
from bifolio.serve.endpoints import Api, Endpoint, Handler
from bifolio.serve.served_library import ServedLibrary

_GREETING: Final = (
    "<!DOCTYPE html><html><head><title>Bifolio is running</title></head>"
    "<body>Zotero is running: Bifolio answers in its place</body></html>"
)


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "Invalid JSON") from error
    if not isinstance(found, dict):
        raise Refusal(400, "An object is expected")
    return found


async def _write(
    api: Api, act: Callable[[ServedLibrary, Saving], Response], words: str
) -> Response:
    """Write as one command, if the user allowed the Connector to."""
    await run_in_threadpool(api.permissions.check, PROGRAM, api.ask)

    def write(served: ServedLibrary) -> Response:
        with served.library.command(f"{PROGRAM}: {words}"):
            answer = act(served, Saving(served))
        served.catch_up()
        return answer

    return await api.libraries.main.run(write, writing=True)


async def _ping(_api: Api, request: Request) -> Response:
    if request.method == "GET":
        return text_answer(_GREETING, kind="text/html")
    return json_answer(connector.preferences())


async def _targets(api: Api, _request: Request) -> Response:
    return json_answer(await api.libraries.main.run(connector.targets))


async def _save_items(api: Api, request: Request) -> Response:
    given = await _body(request)
    session = api.sessions.begin(given.get("sessionID"))

    def act(_: ServedLibrary, saving: Saving) -> Response:
        saving.save_items(session, given.get("items"), given.get("uri"))
        return json_answer({"items": given["items"]}, status=201)

    return await _forgetting(api, given, session, _write(api, act, "saved a page"))


async def _save_page(api: Api, request: Request) -> Response:
    given = await _body(request)
    session = api.sessions.begin(given.get("sessionID"))

    def act(_: ServedLibrary, saving: Saving) -> Response:
        saving.save_page(session, given)
        return json_answer({"saveSingleFile": not given.get("skipSnapshot")}, status=201)

    return await _forgetting(api, given, session, _write(api, act, "saved a page"))


async def _forgetting(api: Api, given: dict[str, Any], session: Session, answer: Any) -> Response:
    """An answer; where it is a refusal, there was no session, and the same can be tried again."""
    try:
        found: Response = await answer
    finally:
        if not session.records:
            api.sessions.forget(given.get("sessionID"))
    return found


async def _save_single_file(api: Api, request: Request) -> Response:
    """A page with all that it shows, as one file."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=8, max_fields=64) as form:
            payload = form.get("payload")
            given = json.loads(payload) if isinstance(payload, str) else {}
            content = await _content(form.get("snapshotContent") or given.get("snapshotContent"))
    else:
        given = await _body(request)
        content = await _content(given.get("snapshotContent"))
    session = api.sessions.find(given.get("sessionID"))
    about = {"title": given.get("title") or "Snapshot", "contentType": "text/html"}
    async with _staged(api, connector.file_name(about), _once(content)) as path:

        def act(_: ServedLibrary, saving: Saving) -> Response:
            saving.save_file(session, about, path)
            return empty_answer()

        return await _write(api, act, "saved a snapshot")


def _save_file(*, alone: bool) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        about = connector.read_metadata(request.headers.get("x-metadata"))
        name = request.query_params.get("sessionID") or about.get("sessionID")
        session = api.sessions.find_or_begin(name) if alone else api.sessions.find(name)
        about.setdefault("contentType", request.headers.get("content-type", ""))
        async with _staged(api, connector.file_name(about), request.stream()) as path:

            def act(_: ServedLibrary, saving: Saving) -> Response:
                saving.save_file(session, about, path)
                return json_answer({"canRecognize": False}, status=201)

            return await _write(api, act, f"saved {path.name}")

    return handler


async def _update(api: Api, request: Request) -> Response:
    given = await _body(request)
    session = api.sessions.find(given.get("sessionID"))

    def act(_: ServedLibrary, saving: Saving) -> Response:
        saving.update(session, given)
        return json_answer({})

    return await _write(api, act, "moved what was saved")


async def _import(api: Api, request: Request) -> Response:
    session = api.sessions.begin(request.query_params.get("session") or secrets.token_hex(8))
    async with _staged(api, "import.txt", request.stream()) as path:

        def act(_: ServedLibrary, saving: Saving) -> Response:
            return json_answer(saving.import_file(session, path), status=201)

        return await _write(api, act, "imported a file of a page")


def _constant(value: object, status: int = 200) -> Handler:
    async def handler(_api: Api, _request: Request) -> Response:
        return empty_answer(status) if value is None else json_answer(value, status=status)

    return handler


async def _no_translators(_api: Api, _request: Request) -> Response:
    raise Refusal(404, "Translators come from Zotero's repository.")


@contextlib.asynccontextmanager
async def _staged(api: Api, name: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[Path]:
    """What comes, in a file of a name of its own, for as long as it is needed."""
    folder = api.uploads.folder / secrets.token_hex(8)
    make_private_folder(folder)
    path = folder / name
    try:
        size = 0
        with path.open("wb") as file:
            async for piece in pieces:
                size += len(piece)
                if size > limits.SERVE_FILE_BYTES_MAX:
                    raise Refusal(413, "The file is too large.")
                file.write(piece)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _content(given: object) -> bytes:
    if isinstance(given, str):
        return given.encode("utf-8", errors="replace")
    read = getattr(given, "read", None)
    if read is None:
        raise Refusal(400, "'snapshotContent' not provided")
    found: bytes = await read()
    return found


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


#: Every endpoint of the Connector.
CONNECTOR: Final = (
    Endpoint("GET POST", "/connector/ping", _ping, "that Bifolio runs, and what it takes"),
    Endpoint(
        "POST", "/connector/getTranslators", _no_translators, "404: Zotero's repository has them"
    ),
    Endpoint("POST", "/connector/getTranslatorCode", _no_translators, "the same"),
    Endpoint("GET POST", "/connector/getSelectedCollection", _targets, "where things can be saved"),
    Endpoint("POST", "/connector/saveItems", _save_items, "saves what a page says"),
    Endpoint("POST", "/connector/saveAttachment", _save_file(alone=False), "a file of it"),
    Endpoint(
        "POST", "/connector/saveStandaloneAttachment", _save_file(alone=True), "a file by itself"
    ),
    Endpoint("POST", "/connector/saveSnapshot", _save_page, "a page of which nothing is known"),
    Endpoint("POST", "/connector/saveSingleFile", _save_single_file, "the page as one file"),
    Endpoint(
        "POST", "/connector/updateSession", _update, "the collection, tags and note for all that"
    ),
    Endpoint(
        "POST", "/connector/hasAttachmentResolvers", _constant(False), "no: files come from pages"
    ),
    Endpoint(
        "POST", "/connector/getRecognizedItem", _constant(None, 204), "nothing: PDFs are not read"
    ),
    Endpoint("POST", "/connector/import", _import, "imports a RIS or BibTeX file of a page"),
    Endpoint("GET POST", "/connector/delaySync", _constant(None, 204), "nothing to delay"),
    Endpoint("GET POST", "/connector/getClientHostnames", _constant([]), "none"),
    Endpoint("GET POST", "/connector/proxies", _constant([]), "none"),
)

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
from bifolio.errors import BifolioError
from bifolio.library.library import Library
from bifolio.library.windows import Windows
from bifolio.results import CopyOutcome
from bifolio.serve import connector
from bifolio.serve.answers import Refusal, empty_answer, json_answer, text_answer
from bifolio.serve.connector import PROGRAM, Saving, Session
from bifolio.serve.endpoints import Api, Endpoint, Handler, State
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
    api: Api,
    act: Callable[[ServedLibrary, Saving], Response],
    words: str,
    group: int | None = None,
) -> Response:
    """Write as one command, if the user allowed the Connector to.

    Args:
        group: the number of the library; None: the user's.
    """
    await run_in_threadpool(api.permissions.check, PROGRAM, api.ask)

    def write(served: ServedLibrary) -> Response:
        with served.library.command(f"{PROGRAM}: {words}"):
            answer = act(served, Saving(served))
        served.catch_up()
        return answer

    return await api.libraries.numbered(group).run(write, writing=True)


async def _ping(_api: Api, request: Request) -> Response:
    if request.method == "GET":
        return text_answer(_GREETING, kind="text/html")
    return json_answer(connector.preferences())


async def _targets(api: Api, _request: Request) -> Response:
    def look(served: ServedLibrary) -> tuple[str, list[dict[str, Any]], list[str]]:
        return served.library.name, connector.targets(served), connector.tags_of(served)

    name, found, tags = await api.libraries.main.run(look)
    tags_by_library = {"L1": tags}
    for number, thread in api.libraries.groups.items():
        with contextlib.suppress(BifolioError):  # one that cannot be opened now is no target
            _, more, tags = await thread.run(look)
            found += more
            tags_by_library[f"L{number}"] = tags
    return json_answer(connector.selection(name, found, tags_by_library))


async def _existing(api: Api, request: Request) -> Response:
    given = await _body(request)
    number, _ = connector.read_target(given.get("target"))

    def look(served: ServedLibrary) -> Response:
        return json_answer({"matches": connector.find_existing(served, given.get("identifiers"))})

    return await api.libraries.numbered(number).run(look)


async def _save_items(api: Api, request: Request) -> Response:
    given = await _body(request)
    session = api.sessions.begin(given.get("sessionID"))

    def act(_: ServedLibrary, saving: Saving) -> Response:
        saving.save_items(session, given.get("items"), given.get("uri"), given.get("proxy"))
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
            return empty_answer(201)

        return await _write(api, act, "saved a snapshot", session.group)


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

            return await _write(api, act, f"saved {path.name}", session.group)

    return handler


async def _update(api: Api, request: Request) -> Response:
    given = await _body(request)
    session = api.sessions.find(given.get("sessionID"))
    number, _ = connector.read_target(given.get("target"))
    if number != session.group:
        await _move(api, session, number)

    def act(_: ServedLibrary, saving: Saving) -> Response:
        saving.update(session, given)
        return json_answer({})

    return await _write(api, act, "moved what was saved", session.group)


async def _move(api: Api, session: Session, number: int | None) -> None:
    """Move what a session saved into another library: it is copied there, then put into the trash
    here."""
    source = api.libraries.numbered(session.group)
    given = list(dict.fromkeys(session.records.values()))

    def copy(served: ServedLibrary, _: Saving) -> Response:
        with Library.open(source.path, home=source.home) as opened:
            live = [row.id for row in Windows(opened).find(given) if not row.trashed]
            report = opened.copy(live, served.library)
        for one in report.references:
            copies[one.id] = one.copy
            if one.outcome is CopyOutcome.IN_TRASH:
                served.library.restore([one.copy])
        return empty_answer()

    def remove(served: ServedLibrary, _: Saving) -> Response:
        served.library.delete(list(copies))
        return empty_answer()

    copies: dict[str, str] = {}
    if given:
        await _write(api, copy, "copied what was saved", number)
    if copies:
        await _write(api, remove, "moved what was saved to another library", session.group)
    session.records = {name: copies.get(one, one) for name, one in session.records.items()}
    session.group = number


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


async def _no_resolver(_api: Api, _request: Request) -> Response:
    raise Refusal(501, "Failed to save an attachment: Bifolio fetches no files from the web.")


async def _no_styles(_api: Api, request: Request) -> Response:
    if not (await request.body()).lstrip().startswith(b"<"):
        raise Refusal(400, "This is no citation style.")
    raise Refusal(501, "Styles come with Bifolio: pip install 'bifolio[cite]'")


async def _no_documents(_api: Api, _request: Request) -> Response:
    raise Refusal(501, "Bifolio has no window to cite into Google Docs from.")


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
        "POST",
        "/connector/getTranslators",
        _no_translators,
        "404: Zotero's repository has them",
        State.NONE,
    ),
    Endpoint("POST", "/connector/getTranslatorCode", _no_translators, "the same", State.NONE),
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
        "POST",
        "/connector/hasAttachmentResolvers",
        _constant(False),
        "no: files come from pages",
        State.NONE,
    ),
    Endpoint(
        "POST",
        "/connector/getRecognizedItem",
        _constant(None, 204),
        "nothing: what a PDF is is not looked up",
        State.NONE,
    ),
    Endpoint("POST", "/connector/import", _import, "imports a RIS or BibTeX file of a page"),
    Endpoint(
        "GET POST", "/connector/delaySync", _constant(None, 204), "nothing to delay", State.NONE
    ),
    Endpoint(
        "POST", "/connector/findExistingItems", _existing, "which references have a DOI or address"
    ),
    Endpoint(
        "POST",
        "/connector/saveAttachmentFromResolver",
        _no_resolver,
        "501: no file is fetched from the web",
        State.NONE,
    ),
    Endpoint(
        "POST", "/connector/installStyle", _no_styles, "501: styles come with Bifolio", State.NONE
    ),
    Endpoint(
        "POST", "/connector/document/execCommand", _no_documents, "501: Google Docs", State.NONE
    ),
    Endpoint("POST", "/connector/document/respond", _no_documents, "501: Google Docs", State.NONE),
    Endpoint("GET POST", "/connector/getClientHostnames", _constant([]), "none", State.NONE),
    Endpoint("GET POST", "/connector/proxies", _constant([]), "none", State.NONE),
)

"""Every endpoint of reading, and who answers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bifolio.library.files import TextToRead
from bifolio.results import FileText, WindowRow
from bifolio.serve import (
    collections,
    item_files,
    item_lists,
    item_texts,
    schema_pages,
    tags,
)
from bifolio.serve.answers import (
    Refusal,
    empty_answer,
    json_answer,
    not_found,
    page_links,
    raw_json_answer,
    text_answer,
)
from bifolio.serve.endpoints import Api, Endpoint, Handler, State, base_of
from bifolio.serve.item_lists import Scope
from bifolio.serve.item_objects import Entry, Objects
from bifolio.serve.parameters import Parameters
from bifolio.serve.served_library import ServedLibrary

# --- lists of items ----------------------------------------------------------------------------


def answer_list(
    served: ServedLibrary,
    objects: Objects,
    wanted: Parameters,
    entries: Sequence[Entry],
    total: int,
    url: str,
) -> Response:
    """A list of items in the format that is asked for."""
    version = served.windows.version
    counted = {"Total-Results": str(total)}
    if wanted.format == "keys":
        text = "".join(f"{one.key}\n" for one in entries)
        return text_answer(text, counted, version=version)
    if wanted.format == "versions":
        versions = {one.key: one.version for one in entries}
        return json_answer(versions, counted, version=version)
    if wanted.format in ("bib", "citation"):
        form = item_texts.bibliography if wanted.format == "bib" else item_texts.citation
        text = form(served, entries, wanted)
        return text_answer(text, version=version, kind="text/html")
    headers = _counted(wanted, total, url)
    if wanted.format != "json":
        text = item_texts.text_of(served, entries, wanted.format)
        kind = item_texts.KINDS[wanted.format]
        return text_answer(text, headers, version=version, kind=kind)
    made = [_included(served, one, wanted) for one in _whole(entries, objects)]
    return json_answer(made, headers, version=version)


def _counted(wanted: Parameters, total: int, url: str) -> dict[str, str]:
    """The headers of a page of a list."""
    links = page_links(url, list(wanted.given), start=wanted.start, limit=wanted.limit, total=total)
    return {"Total-Results": str(total), "Link": links}


def _whole(entries: Sequence[Entry], objects: Objects) -> list[tuple[Entry, dict[str, Any]]]:
    return list(zip(entries, objects.objects(entries), strict=True))


def _included(
    served: ServedLibrary,
    made: tuple[Entry, dict[str, Any]],
    wanted: Parameters,
) -> dict[str, Any]:
    entry, whole = made
    if wanted.include == ("data",):
        return whole
    data = whole.pop("data")
    for name in wanted.include:
        whole[name] = data if name == "data" else item_texts.included(served, entry, wanted, name)
    return whole


def _list(
    scope_of: Callable[[ServedLibrary, Request], Scope],
) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        def act(served: ServedLibrary, objects: Objects, wanted: Parameters) -> Response:
            page = item_lists.list_items(served, objects, scope_of(served, request), wanted)
            url = str(request.url).partition("?")[0]
            if page.entries is None and wanted.format == "json" and wanted.include == ("data",):
                headers = _counted(wanted, page.total, url)
                body = objects.listed(page.numbers)
                return raw_json_answer(body, headers, version=served.windows.version)
            return answer_list(served, objects, wanted, page.read(served, objects), page.total, url)

        return await api.read(request, act)

    return handler


def _in_collection(served: ServedLibrary, request: Request) -> str:
    return served.collection(request.path_params["key"]).id


# --- one item ----------------------------------------------------------------------------------


def find_entry(served: ServedLibrary, objects: Objects, key: str) -> Entry:
    """The item of a key, whether it is in the trash or not.

    Raises:
        Refusal: there is none.
    """
    record, _ = served.find(key)
    for one in objects.entries(served.windows.find([record]), with_children=True):
        if one.key == key:
            if one.content_hash:
                served.find_md5(record, one.content_hash)
            return one
    raise not_found("Item does not exist")


def _row_of(served: ServedLibrary, key: str) -> WindowRow:
    record, _ = served.find(key)
    rows = served.windows.find([record])
    if not rows:
        raise not_found("Item does not exist")
    return rows[0]


async def _item(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, objects: Objects, wanted: Parameters) -> Response:
        entry = find_entry(served, objects, request.path_params["key"])
        if wanted.format in ("json", "keys", "versions"):
            ((_, whole),) = _whole([entry], objects)
            made = _included(served, (entry, whole), wanted)
            return json_answer(made, version=entry.version)
        return answer_list(served, objects, wanted, [entry], 1, str(request.url))

    return await api.read(request, act)


async def _children(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, objects: Objects, wanted: Parameters) -> Response:
        key = request.path_params["key"]
        row = _row_of(served, key)
        found = [
            one
            for one in objects.children(row)
            if one.parent == key
            and (wanted.since is None or one.version > wanted.since)
            and all((one.kind in each.values) != each.without for each in wanted.types)
        ]
        last = None if wanted.limit is None else wanted.start + wanted.limit
        url = str(request.url).partition("?")[0]
        page = found[wanted.start : last]
        return answer_list(served, objects, wanted, page, len(found), url)

    return await api.read(request, act)


async def _file(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, __: Parameters) -> Response:
        path = item_files.path_of(served, request.path_params["key"])
        if request.url.path.endswith("/url"):
            return text_answer(path.as_uri())
        # With the host written out: some programs' HTTP libraries put the server's in its place.
        address = path.as_uri().replace("file:///", "file://localhost/", 1)
        return RedirectResponse(address, status_code=302)

    return await api.read(request, act, writing=True)


async def _text(api: Api, request: Request) -> Response:
    key = request.path_params["key"]

    def look(served: ServedLibrary, _: Objects, __: Parameters) -> Response:
        found = item_files.text_of(served, key)
        if isinstance(found, TextToRead):
            to_read.append(found)
            return empty_answer()
        return _text_answer(served, key, found)

    to_read: list[TextToRead] = []
    answer = await api.read(request, look)
    if not to_read:
        return answer
    # Nobody else waits for a file that takes a minute to read, except who asks for another one.
    (one,) = to_read
    async with api.reading_texts:
        text = await run_in_threadpool(one.read)

    def keep(served: ServedLibrary) -> Response:
        served.library.files.keep_text(one.hash, text)
        return _text_answer(served, key, text)

    return await api.library_of(request).run(keep, writing=True)


def _text_answer(served: ServedLibrary, key: str, text: FileText) -> Response:
    row = _row_of(served, key)
    return json_answer(item_files.text_object(text), version=row.version)


async def _texts(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, wanted: Parameters) -> Response:
        if wanted.since is None:
            raise Refusal(400, "'since' not provided")
        found = item_files.texts_since(served, wanted.since)
        return json_answer(found, version=served.windows.version)

    return await api.read(request, act)


# --- collections, searches, tags -----------------------------------------------------------------


def _collections(*, below: bool = False, all_levels: bool = False) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        def act(served: ServedLibrary, _: Objects, wanted: Parameters) -> Response:
            parent = request.path_params["key"] if below else None
            found, total = collections.list_collections(
                served, base_of(request), wanted, parent=parent, all_levels=all_levels
            )
            return _answer_objects(served, request, wanted, found, total)

        return await api.read(request, act)

    return handler


async def _collection(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, __: Parameters) -> Response:
        key = request.path_params["key"]
        group = served.collection(key)
        made = collections.collection_object(served, base_of(request), key, group)
        return json_answer(made, version=made["version"])

    return await api.read(request, act)


async def _searches(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, wanted: Parameters) -> Response:
        found, total = collections.list_searches(served, base_of(request), wanted)
        return _answer_objects(served, request, wanted, found, total)

    return await api.read(request, act)


async def _search(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, __: Parameters) -> Response:
        key = request.path_params["key"]
        if key not in served.searches:
            raise not_found("Search not found")
        made = collections.search_object(served, base_of(request), key, served.searches[key])
        return json_answer(made, version=made["version"])

    return await api.read(request, act)


def _answer_objects(
    served: ServedLibrary,
    request: Request,
    wanted: Parameters,
    found: list[dict[str, Any]],
    total: int,
) -> Response:
    version = served.windows.version
    if wanted.format == "keys":
        return text_answer("".join(f"{one['key']}\n" for one in found), version=version)
    if wanted.format == "versions":
        return json_answer({one["key"]: one["version"] for one in found}, version=version)
    links = page_links(
        str(request.url).partition("?")[0],
        list(wanted.given),
        start=wanted.start,
        limit=wanted.limit,
        total=total,
    )
    return json_answer(found, {"Total-Results": str(total), "Link": links}, version=version)


def _tags(
    count: Callable[[ServedLibrary, Request], dict[str, int]],
) -> Handler:
    async def handler(api: Api, request: Request) -> Response:
        def act(served: ServedLibrary, _: Objects, wanted: Parameters) -> Response:
            base = f"{base_of(request)}/{served.prefix}"
            found, total = tags.page_of_tags(count(served, request), base, wanted)
            links = page_links(
                str(request.url).partition("?")[0],
                list(wanted.given),
                start=wanted.start,
                limit=wanted.limit,
                total=total,
            )
            version = served.windows.version
            return json_answer(found, {"Total-Results": str(total), "Link": links}, version=version)

        return await api.read(request, act)

    return handler


def _tags_of_scope(scope_of: Callable[[ServedLibrary, Request], Scope]) -> Handler:
    def count(served: ServedLibrary, request: Request) -> dict[str, int]:
        scope = scope_of(served, request)
        wanted = Parameters(given=())
        page = item_lists.list_items(
            served, Objects(served, ""), Scope(True, scope.trashed, scope.group), wanted
        )
        entries = page.read(served, Objects(served, ""))
        return tags.count_of(one.row for one in entries)

    return _tags(count)


# --- the library, and what is the same for all ----------------------------------------------------


async def _groups(api: Api, request: Request) -> Response:
    found = []
    for number, thread in api.libraries.groups.items():
        name = await thread.run(lambda served: (served.library.name, served.windows.version))
        found.append(_group_object(base_of(request), number, *name))
    return json_answer(found, {"Total-Results": str(len(found))})


async def _group(api: Api, request: Request) -> Response:
    number = int(request.path_params["number"])
    thread = api.libraries.of("groups", number)
    name = await thread.run(lambda served: (served.library.name, served.windows.version))
    return json_answer(_group_object(base_of(request), number, *name))


def _group_object(base: str, number: int, name: str, version: int) -> dict[str, Any]:
    href = f"{base}/groups/{number}"
    data = {"id": number, "version": version, "name": name, "description": "", "type": "Private"}
    links = {"self": {"href": href, "type": "application/json"}}
    return {"id": number, "version": version, "links": links, "meta": {}, "data": data}


async def _settings(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, __: Parameters) -> Response:
        return json_answer({}, version=served.windows.version)

    return await api.read(request, act)


async def _deleted(api: Api, request: Request) -> Response:
    def act(served: ServedLibrary, _: Objects, wanted: Parameters) -> Response:
        if wanted.since is None:
            raise Refusal(400, "'since' not provided")
        found: dict[str, list[str]] = {name: [] for name in _DELETED}
        for kind, key in served.names.gone_since(wanted.since):
            found[kind].append(key)
        return json_answer(found, version=served.windows.version)

    return await api.read(request, act)


async def _root(_api: Api, _request: Request) -> Response:
    return text_answer("Nothing to see here.")


def _page(make: Callable[[Request], Any]) -> Handler:
    async def handler(_api: Api, request: Request) -> Response:
        return json_answer(make(request))

    return handler


def _type(request: Request) -> str | None:
    return request.query_params.get("itemType")


#: What may have gone, by Zotero's names; of tags and settings nobody knows when they went.
_DELETED: Final = ("collections", "items", "searches", "tags", "settings")

_TOP: Final = Scope(top=True)
_TRASH: Final = Scope(trashed=True)

#: Every endpoint of reading.
READING: Final = (
    Endpoint("GET", "/api/", _root, "that the interface is there"),
    Endpoint(
        "GET", "/api/schema", _page(lambda _: schema_pages.whole_schema()), "all types", State.PART
    ),
    Endpoint("GET", "/api/itemTypes", _page(lambda _: schema_pages.item_types()), "item types"),
    Endpoint("GET", "/api/itemFields", _page(lambda _: schema_pages.item_fields()), "fields"),
    Endpoint(
        "GET",
        "/api/itemTypeFields",
        _page(lambda one: schema_pages.type_fields(_type(one))),
        "the fields of a type",
    ),
    Endpoint(
        "GET",
        "/api/itemTypeCreatorTypes",
        _page(lambda one: schema_pages.type_creators(_type(one))),
        "the roles of a type",
    ),
    Endpoint(
        "GET",
        "/api/creatorFields",
        _page(lambda _: schema_pages.creator_fields()),
        "the parts of a name",
    ),
    Endpoint(
        "GET",
        "/api/items/new",
        _page(lambda one: schema_pages.template(_type(one), one.query_params.get("linkMode"))),
        "an empty item of a type",
    ),
    Endpoint("GET", "/api/users/0/groups", _groups, "the other libraries of this computer"),
    Endpoint("GET", "/api/groups/{number:int}", _group, "one of them"),
    Endpoint(
        "GET", "{library}/settings", _settings, "settings, of which there are none", State.NONE
    ),
    Endpoint("GET", "{library}/deleted", _deleted, "what went away after `since`", State.PART),
    Endpoint("GET", "{library}/items", _list(lambda *_: Scope()), "all items"),
    Endpoint("GET", "{library}/items/top", _list(lambda *_: _TOP), "references"),
    Endpoint("GET", "{library}/items/trash", _list(lambda *_: _TRASH), "what is in the trash"),
    Endpoint("GET", "{library}/items/{key}", _item, "one item"),
    Endpoint(
        "GET",
        "{library}/items/{key}/children",
        _children,
        "its notes and files; of a file its annotations",
    ),
    Endpoint(
        "GET",
        "{library}/items/{key}/tags",
        _tags(lambda served, one: tags.count_of([_row_of(served, one.path_params["key"])])),
        "its tags",
    ),
    Endpoint("GET", "{library}/items/{key}/file", _file, "the address of a copy of its file"),
    Endpoint("GET", "{library}/items/{key}/file/view", _file, "the same"),
    Endpoint("GET", "{library}/items/{key}/file/view/url", _file, "the same, as a text"),
    Endpoint(
        "GET",
        "{library}/items/{key}/fulltext",
        _text,
        "what a file says",
    ),
    Endpoint("GET", "{library}/fulltext", _texts, "which files that have a text are new"),
    Endpoint("GET", "{library}/collections", _collections(all_levels=True), "all groups"),
    Endpoint("GET", "{library}/collections/top", _collections(), "those at the top"),
    Endpoint("GET", "{library}/collections/{key}", _collection, "one group"),
    Endpoint(
        "GET", "{library}/collections/{key}/collections", _collections(below=True), "those in it"
    ),
    Endpoint(
        "GET",
        "{library}/collections/{key}/items",
        _list(lambda served, one: Scope(group=_in_collection(served, one))),
        "the items in it",
    ),
    Endpoint(
        "GET",
        "{library}/collections/{key}/items/top",
        _list(lambda served, one: Scope(top=True, group=_in_collection(served, one))),
        "the references in it",
    ),
    Endpoint(
        "GET",
        "{library}/collections/{key}/tags",
        _tags_of_scope(lambda served, one: Scope(group=_in_collection(served, one))),
        "their tags",
    ),
    Endpoint("GET", "{library}/searches", _searches, "smart groups"),
    Endpoint("GET", "{library}/searches/{key}", _search, "one of them"),
    Endpoint("GET", "{library}/tags", _tags(lambda served, _: tags.count_all(served)), "all tags"),
    Endpoint(
        "GET", "{library}/items/tags", _tags(lambda served, _: tags.count_all(served)), "the same"
    ),
    Endpoint(
        "GET",
        "{library}/items/top/tags",
        _tags(lambda served, _: tags.count_all(served)),
        "the same",
    ),
    Endpoint("GET", "{library}/items/trash/tags", _tags_of_scope(lambda *_: _TRASH), "the trash's"),
)

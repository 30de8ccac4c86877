"""What editors and pandoc filters ask of Better BibTeX: references by their citation keys.

JSON-RPC by POST and by GET, exports that are pulled, and citations to be typed (CAYW), of what a
query finds: there is no window to pick in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bifolio.errors import BifolioError
from bifolio.formats.zotero.interface_items import note_html
from bifolio.library.short_names import is_short_name
from bifolio.results import FileState, WindowRow
from bifolio.search import filters
from bifolio.serve.answers import ZOTERO_VERSION, Refusal, not_found
from bifolio.serve.note_objects import note_texts
from bifolio.serve.parameters import TEXT_FORMATS, read_style
from bifolio.serve.served_library import ServedLibrary

#: What Better BibTeX calls its formats, by name and by id, and what they are here.
_TRANSLATORS: Final = {
    "betterbibtex": "bibtex",
    "ca65189f-8815-4afe-8c8b-8c7c15f0edca": "bibtex",
    "bibtex": "bibtex",
    "bib": "bibtex",
    "9cb70025-a888-4a29-a210-93ec52da40d4": "bibtex",
    "betterbiblatex": "biblatex",
    "f895aa0d-f28e-47fe-b247-2ea77c6ed583": "biblatex",
    "biblatex": "biblatex",
    "b6e39b57-8942-4d11-8259-342c46ce395f": "biblatex",
    "bettercsljson": "csljson",
    "f4b52ab0-f878-4556-85a0-c7aeedd09dfc": "csljson",
    "csljson": "csljson",
    "bc03b4fe-436d-4a1f-ba59-de4d2d7a63f7": "csljson",
    "json": "csljson",
    "csl": "csljson",
    "ris": "ris",
    "32d59d2d-b65a-4da4-b0a3-bdd3cfb979e7": "ris",
}

#: JSON-RPC's own numbers of errors.
_PARSE, _REQUEST, _METHOD, _PARAMETERS, _FAILED = -32700, -32600, -32601, -32602, -32603

_FOUND_MAX: Final = 500
_KEYS_MAX: Final = 2000
_SAFE_ID: Final = 2**52


class RpcError(Exception):
    """An error as JSON-RPC has it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def call(served: ServedLibrary, raw: bytes | str, others: Sequence[tuple[int, str]] = ()) -> Any:
    """Answer one call, or several in an array; None where no answer is wanted.

    Args:
        others: the numbers and names of the other libraries.
    """
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        return _error(None, RpcError(_PARSE, "Parse error"))
    if isinstance(given, list):
        if not given or len(given) > 50:
            return _error(None, RpcError(_REQUEST, "Invalid Request"))
        answers = [_one(served, one, others) for one in given]
        return [one for one in answers if one is not None]
    return _one(served, given, others)


def library_in(raw: bytes | str, others: Mapping[int, str]) -> int | None:
    """The number of the library that a call is about, by its number or its name; None: the user's.

    Args:
        others: the names of the other libraries, by their numbers.
    """
    try:
        given = json.loads(raw)
        params = given["params"]
        names, _ = METHODS[given["method"]]
        named = params if isinstance(params, dict) else dict(zip(names, params, strict=False))
        wanted = str(named.get("library", named.get("libraryID", "")))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None  # answered with its error, or about no library
    for number, name in others.items():
        if wanted in (str(number), name):
            return number
    return None


def export(served: ServedLibrary, rows: Sequence[WindowRow], translator: str) -> str:
    """References as one text, in the format that a translator writes.

    Raises:
        Refusal: no translator that is known.
    """
    format = _TRANSLATORS.get("".join(translator.lower().split()))
    if format is None:
        raise Refusal(404, f"There is no translator '{translator[:60]}' here.")
    return served.windows.export([row.id for row in rows], format=TEXT_FORMATS[format])


def read_place(named: str) -> tuple[int | None, list[str], str]:
    """What an address to pull from names: the number of a library (None: the user's), the parts
    behind it, and the format's ending.

    Args:
        named: ``/1/library.bibtex``, ``/library.bibtex``, ``/1/KEY.biblatex`` or
            ``/1/Thesis/One.csljson``.

    Raises:
        Refusal: it is none.
    """
    path, _, ending = named.rpartition(".")
    parts = [one for one in path.split("/") if one]
    number: int | None = None
    if len(parts) > 1 and parts[0].isdecimal():
        number = int(parts.pop(0)[:12])
    if not parts:
        raise not_found("Give /1/library.bibtex, or /1/KEY.bibtex")
    return (None if number in (0, 1) else number), parts, ending


def pull(served: ServedLibrary, what: str, parts: list[str], ending: str) -> str:
    """A whole export, of the library or of a collection.

    Args:
        what: ``library`` or ``collection``.
        parts, ending: of ``read_place``.
    """
    if what == "library":
        numbers = served.windows.order()
    else:
        numbers = served.windows.order(filters.in_group(_collection(served, parts)), sort="id")
    return export(served, served.windows.rows(numbers), ending)


def pull_items(served: ServedLibrary, given: Mapping[str, str]) -> tuple[str, str]:
    """The export of the references of ``citationKeys``, and the kind of text that it is.

    With ``pandocFilterData`` it is what earlier pandoc filters ask for: the items, what Zotero
    calls each of them, and which keys are of none (0) or of several (their number).

    Raises:
        Refusal: one of the keys is of no reference.
    """
    keys = [one.strip() for one in given.get("citationKeys", "").split(",") if one.strip()]
    if not keys or len(keys) > _KEYS_MAX:
        raise Refusal(400, f"Give 1 to {_KEYS_MAX} citation keys in 'citationKeys'")
    translator = given.get("translator") or "bibtex"
    if given.get("pandocFilterData"):
        found = _pandoc(served, {"citekeys": keys})
        zotero = {key: item.pop("custom") for key, item in found["items"].items()}
        return json.dumps({**found, "zotero": zotero}, ensure_ascii=False), "application/json"
    rows: list[WindowRow] = []
    for key in keys:
        if not (found_rows := _by_key(served, key)):
            raise not_found(f"{key[:100]} not found")
        rows += found_rows
    return export(served, rows, translator), "text/plain"


def cite_as_you_write(served: ServedLibrary, given: dict[str, str]) -> str:
    """Citations to be typed, of what ``q`` finds, in a format.

    Raises:
        Refusal: nothing says what is to be cited.
    """
    if "probe" in given:
        return "ready"
    query = given.get("q", "").strip()
    if not query:
        if "selected" in given:
            return ""  # nothing is selected where there is no window
        raise Refusal(501, "There is no window to pick in: say what is to be cited with q=.")
    try:
        numbers = served.windows.order(query, most=_FOUND_MAX)
    except BifolioError as error:
        raise Refusal(400, error.message) from error
    return _typed(served, served.windows.rows(numbers), given)


# --- citations to be typed ---------------------------------------------------------------------


def _typed(served: ServedLibrary, rows: list[WindowRow], given: dict[str, str]) -> str:
    keys = [row.key for row in rows]
    match given.get("format", "pandoc"):
        case "pandoc":
            text = "; ".join(f"@{key}" for key in keys)
            return f"[{text}]" if given.get("brackets") and keys else text
        case "latex" | "biblatex" | "natbib":
            command = given.get("command") or ("autocite" if "bib" in given["format"] else "cite")
            if not command.isalpha() or len(command) > 40:
                raise Refusal(400, "Invalid 'command'")
            return f"\\{command}{{{','.join(keys)}}}" if keys else ""
        case "mmd":
            return "".join(f"[#{key}][]" for key in keys)
        case "citekeys" | "cite":
            return ",".join(keys)
        case "typst":
            return " ".join(f"@{key}" for key in keys)
        case "json":
            names = served.names.of([row.id for row in rows])
            found = [
                {"key": names[row.id].get("", ""), "citekey": row.key, "libraryID": 1}
                for row in rows
            ]
            return json.dumps(found, ensure_ascii=False)
        case "formatted-citation" | "formatted-bibliography" as form:
            if not rows:
                return ""
            cited = served.library.cite(
                [row.id for row in rows], style=read_style(given.get("style", "")), form="text"
            )
            return cited.citation if form.endswith("citation") else "\n".join(cited.bibliography)
        case other:
            raise Refusal(400, f"There is no format '{other[:40]}' here.")


# --- JSON-RPC ------------------------------------------------------------------------------------


def _one(
    served: ServedLibrary, given: object, others: Sequence[tuple[int, str]]
) -> dict[str, Any] | None:
    if not isinstance(given, dict) or not isinstance(given.get("method"), str):
        return _error(None, RpcError(_REQUEST, "Invalid Request"))
    number = given.get("id")
    try:
        result = _act(served, given["method"], given.get("params"))
        if given["method"] == "user.groups":
            result += [{"id": number, "name": name} for number, name in others]
    except RpcError as error:
        return _error(number, error)
    except (BifolioError, Refusal) as error:
        return _error(number, RpcError(_FAILED, error.message))
    return {"jsonrpc": "2.0", "id": number, "result": result}


def _error(number: object, error: RpcError) -> dict[str, Any]:
    said = {"code": error.code, "message": error.message}
    return {"jsonrpc": "2.0", "id": number, "error": said}


def _act(served: ServedLibrary, method: str, params: object) -> Any:
    known = METHODS.get(method)
    if known is None:
        raise RpcError(_METHOD, f"Method not found: {method[:60]}")
    names, act = known
    if params is None:
        params = []
    if isinstance(params, dict):
        unknown = set(params) - set(names)
        if unknown:
            raise RpcError(_PARAMETERS, f"Unknown parameter {sorted(unknown)[0][:40]}")
        given = params
    elif isinstance(params, list) and len(params) <= len(names):
        given = dict(zip(names, params, strict=False))
    else:
        raise RpcError(_PARAMETERS, f"{method} takes {', '.join(names) or 'nothing'}")
    return act(served, given)


def _ready(_: ServedLibrary, __: dict[str, Any]) -> Any:
    return {"zotero": ZOTERO_VERSION, "betterbibtex": "7"}


def _groups(served: ServedLibrary, given: dict[str, Any]) -> Any:
    found: dict[str, Any] = {"id": 1, "name": served.library.name}
    if given.get("includeCollections"):
        found["collections"] = [
            {"key": key, "name": group.name, "parentCollection": _parent_key(served, group.parent)}
            for key, group in served.collections.items()
        ]
    return [found]


def _search(served: ServedLibrary, given: dict[str, Any]) -> Any:
    terms = given.get("terms")
    if isinstance(terms, list):  # conditions: ["quicksearch", "contains", "words"]
        terms = " ".join(str(one[-1]) for one in terms if isinstance(one, list) and one)
    words = str(terms or "")
    query = filters.with_words(words, everywhere=True) if words.strip() else None
    rows = served.windows.rows(served.windows.order(query, most=_FOUND_MAX))
    items = _csl(served, rows)
    names = served.names.of([row.id for row in rows])
    return [
        {
            **item,
            "id": f"http://zotero.org/users/local/items/{names[row.id].get('', '')}",
            "citation-key": row.key,
            "citekey": row.key,
            "library": served.library.name,
            "libraryID": 1,
        }
        for row, item in zip(rows, items, strict=True)
    ]


def _citation_keys(served: ServedLibrary, given: dict[str, Any]) -> Any:
    wanted = _texts(given.get("item_keys"))
    found: dict[str, str | None] = {}
    for one in wanted:
        key = one.rpartition(":")[2]
        named = served.names.find(key) if is_short_name(key) else None
        rows = served.windows.find([named.record]) if named is not None else []
        found[one] = rows[0].key if rows else None
    return found


def _export(served: ServedLibrary, given: dict[str, Any]) -> Any:
    rows = _needed(served, given)
    return export(served, rows, str(given.get("translator") or "betterbibtex"))


def _bibliography(served: ServedLibrary, given: dict[str, Any]) -> Any:
    form = given.get("format")
    form = form if isinstance(form, dict) else {}
    is_text = form.get("contentType") == "text"
    cited = served.library.cite(
        [row.id for row in _needed(served, given)],
        style=read_style(str(form.get("id") or "")),
        form="text" if is_text else "html",
        locale=str(form["locale"]) if form.get("locale") else None,
    )
    if is_text:
        return "\n".join(cited.bibliography)
    return "".join(f'<div class="csl-entry">{one}</div>' for one in cited.bibliography)


def _notes(served: ServedLibrary, given: dict[str, Any]) -> Any:
    return {
        row.key: [note_html(text) for text in note_texts(row)] for row in _needed(served, given)
    }


def _attachments(served: ServedLibrary, given: dict[str, Any]) -> Any:
    (row,) = _needed(served, {"citekeys": [given.get("citekey")]})
    names = served.names.of([row.id])[row.id]
    found = []
    for file in served.library.files.list(row.id):
        key = names.get(f"file/{file.hash}/{file.name}")
        path = None
        if file.state in (FileState.HERE, FileState.NOT_SENT):
            try:
                path = str(served.library.files.open_copy(row.id, file.hash))
            except BifolioError:
                path = None  # no document: it is named, and not given out
        found.append({"open": f"zotero://open-pdf/library/items/{key}", "path": path})
    return found


def _collections(served: ServedLibrary, given: dict[str, Any]) -> Any:
    keys = served.collection_keys
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _needed(served, given):
        found[row.key] = [
            _collection_object(served, keys[one], parents=bool(given.get("includeParents")))
            for one in row.groups
            if one in keys
        ]
    return found


def _pandoc(served: ServedLibrary, given: dict[str, Any]) -> Any:
    items: dict[str, Any] = {}
    errors: dict[str, int] = {}
    for key in _texts(given.get("citekeys")):
        rows = _by_key(served, key)
        if not rows:
            errors[key] = 0
            continue
        (item,) = _csl(served, rows)
        name = served.names.of([rows[0].id])[rows[0].id].get("", "")
        items[key] = {
            **item,
            "id": key,
            "custom": {
                "uri": f"http://zotero.org/users/local/items/{name}",
                "itemID": int(rows[0].id[:13], 16) % _SAFE_ID,
                "author": None,
            },
        }
    return {"errors": errors, "items": items}


#: Every method: its parameters in their order, and what answers it.
METHODS: Final[
    dict[str, tuple[tuple[str, ...], Callable[[ServedLibrary, dict[str, Any]], Any]]]
] = {
    "api.ready": ((), _ready),
    "user.groups": (("includeCollections",), _groups),
    "item.search": (("terms", "library"), _search),
    "item.citationkey": (("item_keys",), _citation_keys),
    "item.export": (("citekeys", "translator", "libraryID"), _export),
    "item.bibliography": (("citekeys", "format", "library"), _bibliography),
    "item.notes": (("citekeys", "library"), _notes),
    "item.attachments": (("citekey", "library"), _attachments),
    "item.collections": (("citekeys", "includeParents"), _collections),
    "item.pandoc_filter": (("citekeys", "asCSL", "libraryID", "style", "locale"), _pandoc),
}


def _texts(given: object) -> list[str]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise RpcError(_PARAMETERS, "An array of texts is expected")
    if len(given) > _KEYS_MAX:
        raise RpcError(_PARAMETERS, f"At most {_KEYS_MAX} at once")
    return [str(one) for one in given]


def _needed(served: ServedLibrary, given: dict[str, Any]) -> list[WindowRow]:
    """The references of citation keys; one that is not there is an error."""
    found: list[WindowRow] = []
    for key in _texts(given.get("citekeys")):
        rows = _by_key(served, key)
        if not rows:
            raise RpcError(_FAILED, f"{key[:100]} not found")
        found += rows
    return found


def _by_key(served: ServedLibrary, key: str) -> list[WindowRow]:
    """The reference of a citation key, or of an earlier one."""
    try:
        shown = served.library.show(key)
    except BifolioError:
        return []
    return [row for row in served.windows.find([shown.id]) if not row.trashed]


def _csl(served: ServedLibrary, rows: Sequence[WindowRow]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        served.windows.export([row.id for row in rows], format="csl-json")
    )
    return found


def _parent_key(served: ServedLibrary, group_id: str | None) -> str | bool:
    return served.collection_keys.get(group_id or "", False)


def _collection_object(served: ServedLibrary, key: str, *, parents: bool) -> dict[str, Any]:
    group = served.collection(key)
    above = _parent_key(served, group.parent)
    found: dict[str, Any] = {"key": key, "name": group.name, "parentCollection": above}
    if parents and isinstance(above, str):
        found["parentCollection"] = _collection_object(served, above, parents=True)
    return found


def _collection(served: ServedLibrary, parts: list[str]) -> str:
    """The id of the group of a key, or of a path of names."""
    if len(parts) == 1 and parts[0] in served.collections:
        return served.collections[parts[0]].id
    wanted = "/".join(parts).casefold()
    for group in served.collections.values():
        if group.path.casefold() == wanted:
            return group.id
    raise not_found("Collection not found")

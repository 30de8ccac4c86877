"""Saved searches made, changed and deleted: Zotero's conditions as queries of smart groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bifolio.formats.mapping.zotero import CSL_TYPES
from bifolio.library.short_names import is_short_name
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.item_checks import editable, read_version
from bifolio.serve.served_library import ServedLibrary

#: Zotero's conditions, and the operators of the search language that ask the same.
_OPERATORS: Final = {
    "title": "title",
    "creator": "creator",
    "author": "author",
    "editor": "editor",
    "publicationTitle": "container",
    "bookTitle": "container",
    "abstractNote": "abstract",
    "note": "note",
    "childNote": "note",
    "fulltextContent": "fulltext",
    "tag": "tag",
    "year": "year",
    "date": "year",
    "itemType": "type",
    "collection": "group",
    "DOI": "doi",
    "ISBN": "isbn",
    "ISSN": "issn",
    "url": "url",
    "citationKey": "key",
    "dateAdded": "added",
    "dateModified": "modified",
}
_WORDS: Final = (
    "title creator author editor publicationTitle bookTitle abstractNote note childNote "
    "fulltextContent"
).split()
_QUICK: Final = "quicksearch-"
_UNITS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}
#: What says how a search is shown, or goes with every search here.
_PASSED: Final = ("recursive", "noChildren", "includeParentsAndChildren", "includeChildren")


def write(
    served: ServedLibrary, given: Mapping[str, Any], *, version: int | None
) -> tuple[str, bool]:
    """Make a saved search, or change the one that its key names; its key, and whether anything was
    changed.

    Raises:
        Refusal, BifolioError: nothing was changed.
    """
    given = editable(given)
    key = given.get("key") or given.get("searchKey")
    if key is not None and (not isinstance(key, str) or not is_short_name(key)):
        raise Refusal(400, "Invalid key")
    name = given.get("name")
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise Refusal(400, "'name' must be a text")
    query = query_of(served, given["conditions"]) if "conditions" in given else None
    seen = read_version(given, version)
    if key is None or key not in served.searches:
        if key is not None and seen not in (0, None):
            raise not_found("Search not found")
        if name is None or query is None:
            raise Refusal(400, "'name' and 'conditions' are needed")
        made = served.library.groups.create(name, query=query)
        return served.names.add(made.id, wanted=key), True
    if seen is None:
        raise Refusal(428, "'version' or If-Unmodified-Since-Version not provided")
    group = served.searches[key]
    _check_version(served, group.id, seen)
    is_renamed = name is not None and name != group.name
    if is_renamed:
        served.library.groups.rename(group.id, str(name))
    is_other = query is not None and query != group.query
    if is_other:
        served.library.groups.edit(group.id, query=query)
    return key, is_renamed or is_other


def delete(served: ServedLibrary, key: str, *, version: int | None) -> None:
    """Delete a saved search; what it finds stays."""
    if key not in served.searches:
        raise not_found("Search not found")
    if version is not None:
        _check_version(served, served.searches[key].id, version)
    served.library.groups.delete(served.searches[key].id)


def query_of(served: ServedLibrary, conditions: object) -> str:
    """Conditions as one query of the search language.

    Raises:
        Refusal: one of them has no like here.
    """
    if not isinstance(conditions, list) or not conditions or len(conditions) > 100:
        raise Refusal(400, "'conditions' must be an array")
    parts: list[str] = []
    between = " "
    for one in conditions:
        if not isinstance(one, dict):
            raise Refusal(400, "A condition is an object")
        name, operator = str(one.get("condition", "")), str(one.get("operator", ""))
        if name == "joinMode":
            between = " OR " if operator == "any" else " "
        elif name not in _PASSED:
            parts.append(_term(served, name, operator, str(one.get("value", ""))))
    if not parts:
        raise Refusal(400, "There is no condition")
    if len(parts) > 1:  # a part of several words is one part
        parts = [f"({one})" if " " in one else one for one in parts]
    return between.join(parts)


def _term(served: ServedLibrary, name: str, operator: str, value: str) -> str:
    if name.startswith(_QUICK) and operator == "contains" and value.strip():
        return value.strip()
    known = _OPERATORS.get(name)
    value = " ".join(value.replace('"', " ").split())
    if known is None or not value:
        raise Refusal(400, f"There is no condition like '{name[:40]}' here.")
    negated = "-" if operator in ("isNot", "doesNotContain") else ""
    plain = {"isNot": "is", "doesNotContain": "contains"}.get(operator, operator)
    if known in ("added", "modified"):
        return negated + _lately(known, plain, value)
    if known == "year":
        value = value[:4]
        value = {"isBefore": f"<{value}", "isAfter": f">{value}"}.get(plain, value)
        return f"{negated}year:{value}"
    if known == "type":
        if value not in CSL_TYPES:
            raise Refusal(400, f"There is no item type '{value[:40]}'.")
        value = CSL_TYPES[value]
    elif known == "group":
        value = served.collection(value.rpartition("_")[2]).id
    elif plain == "contains" and name not in _WORDS:
        raise Refusal(400, f"'{name[:40]}' is a whole value here: use 'is' or 'beginsWith'.")
    end = "*" if plain == "beginsWith" and known not in ("type", "group") else ""
    if plain not in ("is", "contains", "beginsWith"):
        raise Refusal(400, f"There is no operator like '{operator[:40]}' here.")
    return f'{negated}{known}:"{value}"{end}'


def _lately(known: str, operator: str, value: str) -> str:
    number, _, unit = value.partition(" ")
    days = _UNITS.get(unit.rstrip("s"), 0)
    if operator == "isInTheLast" and number.isdecimal() and days and len(number) < 5:
        return f"{known}:{int(number) * days}d"
    signs = {"is": "", "isBefore": "<", "isAfter": ">"}
    if operator not in signs:
        raise Refusal(400, f"There is no operator like '{operator[:40]}' here.")
    return f"{known}:{signs[operator]}{value[:10]}"


def _check_version(served: ServedLibrary, record: str, version: int) -> None:
    if served.windows.versions_of([record])[record] > version:
        raise Refusal(412, f"Search has been modified since version {version}")

"""What a request asks for: the parameters of Zotero's interface, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bifolio import limits
from bifolio.library.short_names import is_short_name
from bifolio.serve.answers import Refusal

#: Zotero's names of orders; those that an index is read by, and the fields of the others.
SORTS: Final = {
    "dateAdded": "added",
    "dateModified": "modified",
    "title": "title",
    "creator": "author",
    "date": "year",
}
SORTS_BY_FIELD: Final = (
    "itemType publisher publicationTitle journalAbbreviation language accessDate libraryCatalog "
    "callNumber rights"
).split()
#: The orders that begin with the greatest unless something else is said.
_NEWEST_FIRST: Final = ("dateAdded", "dateModified", "date", "numItems")

#: Formats that are texts, by Zotero's name, and by ours.
TEXT_FORMATS: Final = {
    "bibtex": "bibtex",
    "biblatex": "biblatex",
    "csljson": "csl-json",
    "ris": "ris",
    "refer": "enw",
}
FORMATS: Final = ("json", "keys", "versions", "bib", "citation", *TEXT_FORMATS)
INCLUDES: Final = ("data", "bib", "citation", *TEXT_FORMATS)

_NUMBER_DIGITS: Final = 12
#: Zotero's own, by the name that it has among the styles now, and by an earlier one.
_STYLE: Final = "chicago-notes-bibliography"
_RENAMED: Final = {"chicago-note-bibliography": _STYLE}


class Choice(Struct, frozen=True):
    """Values of which one is wanted, or (where ``without``) none."""

    values: tuple[str, ...]
    without: bool = False


class Parameters(Struct, frozen=True):
    """What a request asks for."""

    given: tuple[tuple[str, str], ...]
    words: str = ""
    everywhere: bool = False
    tags: tuple[Choice, ...] = ()
    types: tuple[Choice, ...] = ()
    keys: tuple[str, ...] | None = None
    since: int | None = None
    sort: str = "dateModified"
    descending: bool = True
    start: int = 0
    limit: int | None = None
    format: str = "json"
    include: tuple[str, ...] = ("data",)
    style: str = _STYLE
    locale: str | None = None
    trashed_too: bool = False


def read_parameters(given: Sequence[tuple[str, str]]) -> Parameters:
    """The parameters of a request.

    Raises:
        Refusal: one of them has no meaning; an unknown one says nothing.
    """
    first: dict[str, str] = {}
    for name, value in given:
        first.setdefault(name, value)
    sort = first.get("sort", "dateModified")
    if sort not in (*SORTS, *SORTS_BY_FIELD, "numItems", "addedBy"):
        raise Refusal(400, f"Invalid 'sort' value '{_short(sort)}'")
    return Parameters(
        given=tuple(given),
        words=first.get("q", ""),
        everywhere=_one_of(
            first, "qmode", ("titleCreatorYear", "everything", "contains", "startsWith")
        )
        == "everything",
        tags=tuple(_choice(value) for name, value in given if name == "tag" and value),
        types=tuple(_choice(value) for name, value in given if name == "itemType" and value),
        keys=_keys(first),
        since=_number(first, "since"),
        sort=sort,
        descending=_one_of(
            first, "direction", ("desc", "asc") if sort in _NEWEST_FIRST else ("asc", "desc")
        )
        == "desc",
        start=_number(first, "start") or 0,
        limit=_number(first, "limit") or None,
        format=_format(first),
        include=_include(first),
        style=read_style(first.get("style", "")),
        locale=first.get("locale"),
        trashed_too=first.get("includeTrashed", "0") == "1",
    )


def _one_of(first: dict[str, str], name: str, allowed: Sequence[str]) -> str:
    """A parameter that is one of some words; without it the first of them."""
    value = first.get(name, allowed[0])
    if value not in allowed:
        raise Refusal(400, f"Invalid '{name}' value '{_short(value)}'")
    return value


def _choice(value: str) -> Choice:
    """``a || b`` is one of them, ``-a`` without it, ``\\-a`` a tag that begins with a hyphen."""
    without = value.startswith("-")
    value = value.removeprefix("-" if without else "\\" if value.startswith("\\-") else "")
    return Choice(tuple(one.strip() for one in value.split("||") if one.strip()), without)


def _keys(first: dict[str, str]) -> tuple[str, ...] | None:
    value = first.get("itemKey") or first.get("collectionKey") or first.get("searchKey")
    if not value:
        return None
    keys = tuple(dict.fromkeys(value.split(",")))
    if len(keys) > limits.SERVE_KEYS_MAX:
        raise Refusal(400, f"At most {limits.SERVE_KEYS_MAX} keys can be asked for at once.")
    if not all(map(is_short_name, keys)):
        raise Refusal(400, "Invalid key")
    return keys


def _number(first: dict[str, str], name: str) -> int | None:
    value = first.get(name)
    if value is None or value == "":
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= _NUMBER_DIGITS):
        raise Refusal(400, f"Invalid '{name}' value '{_short(value)}'")
    return int(value)


def _format(first: dict[str, str]) -> str:
    value = first.get("format", "json")
    if value == "atom":
        raise Refusal(501, "Atom is not served; ask for format=json.")
    if value not in FORMATS:
        raise Refusal(400, f"Invalid 'format' value '{_short(value)}'")
    return value


def _include(first: dict[str, str]) -> tuple[str, ...]:
    parts = tuple(one for one in first.get("include", "data").split(",") if one)
    for one in parts:
        if one not in INCLUDES:
            raise Refusal(400, f"Invalid 'include' value '{_short(one)}'")
    return parts


def read_style(given: str) -> str:
    """The name of a style, never a path: that of an address is its last part.

    Raises:
        Refusal: no name of a style.
    """
    value = given.rpartition("/styles/")[2] or _STYLE
    if not value.replace("-", "").isalnum() or not value.isascii() or len(value) > 120:
        raise Refusal(400, f"Invalid 'style' value '{_short(value)}'")
    return _RENAMED.get(value, value)


def _short(value: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in value[:60])

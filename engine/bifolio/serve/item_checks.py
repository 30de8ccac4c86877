"""What programs send of an item, before anything is done with it: each part must have its form.

Pure. Whatever is refused here is named in the answer; nothing of it is stored as something else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from bifolio.formats.mapping.zotero import CSL_TYPES, ROLE_OF
from bifolio.formats.mapping.zotero_types import FIELDS
from bifolio.formats.zotero.children import ANNOTATION_FIELDS
from bifolio.serve.answers import Refusal

#: What of an item says how it is kept; programs send it back as they got it.
KEPT: Final = (
    "key version itemKey itemVersion dateAdded dateModified relations inPublications deleted"
).split()
_CHILD: Final = "parentItem note linkMode contentType charset filename md5 mtime path".split()
_KNOWN: Final = frozenset(
    {
        *("itemType", "creators", "tags", "collections", *KEPT, *_CHILD),
        *ANNOTATION_FIELDS.values(),
        *(name for names in FIELDS.values() for name in names),
    }
)
_NAME_PARTS: Final = ("firstName", "lastName", "name")
_ANNOTATION_TYPES: Final = ("highlight", "underline", "note", "text", "image", "ink")


def editable(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be written of an object: of a whole one, as answers have it, its data."""
    data = given.get("data")
    if not isinstance(data, dict):
        return dict(given)
    return {**{name: given[name] for name in ("key", "version") if name in given}, **data}


def read_version(given: Mapping[str, Any], version: int | None) -> int | None:
    """The version that a program saw: as the object says, otherwise as its request does.

    Raises:
        Refusal: it is none.
    """
    seen = given.get("version", given.get("itemVersion", version))
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool) or seen < 0):
        raise Refusal(400, "Invalid 'version' value")
    return seen


def check_item(given: Mapping[str, Any]) -> None:
    """Raise the refusal of an item that has a part which no item has, or one of a wrong form."""
    for name, value in given.items():
        if name not in _KNOWN:
            raise Refusal(400, f"Invalid property '{_short(name)}'")
        if name == "creators":
            _check_creators(value)
        elif name == "tags":
            read_tags(given)
        elif name == "collections":
            _check_texts(value, name)
        elif name == "deleted":
            if value not in (0, 1, None) or isinstance(value, float):
                raise Refusal(400, "'deleted' must be true or false")
        elif name not in KEPT:
            _check_text(value, name)


def read_tags(given: Mapping[str, Any]) -> list[str] | None:
    """The tags of an item, each once; None where it has none to say.

    Raises:
        Refusal: one of them is none.
    """
    tags = given.get("tags", ...)
    if tags is ...:
        return None
    if not isinstance(tags, list):
        raise Refusal(400, "'tags' must be an array")
    found = []
    for one in tags:
        name = one.get("tag") if isinstance(one, dict) else one
        if not isinstance(name, str):
            raise Refusal(400, "A tag must be an object with a text 'tag'")
        if name.strip():
            found.append(name.strip())
    return list(dict.fromkeys(found))


def check_type(kind: object) -> str:
    """The type of an item that is no note, no file and no annotation.

    Raises:
        Refusal: it is none.
    """
    if not kind:
        raise Refusal(400, "'itemType' not provided")
    if not isinstance(kind, str) or kind not in FIELDS or kind not in CSL_TYPES:
        raise Refusal(400, f"Invalid item type '{_short(kind)}'")
    return kind


def check_annotation_type(kind: object) -> None:
    """Raise the refusal of a type that no annotation has."""
    if not kind:
        raise Refusal(400, "'annotationType' not provided")
    if kind not in _ANNOTATION_TYPES:
        raise Refusal(400, f"Invalid annotation type '{_short(kind)}'")


def _check_creators(creators: object) -> None:
    if not isinstance(creators, list):
        raise Refusal(400, "'creators' must be an array")
    for one in creators:
        if not isinstance(one, dict):
            raise Refusal(400, "A creator must be an object")
        role = one.get("creatorType")
        if not isinstance(role, str) or role not in ROLE_OF:
            raise Refusal(400, f"Invalid creator type '{_short(role)}'")
        if not all(isinstance(one.get(part) or "", str) for part in _NAME_PARTS):
            raise Refusal(400, "A creator's names must be texts")


def _check_texts(value: object, name: str) -> None:
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refusal(400, f"'{name}' must be an array of keys")


def _check_text(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise Refusal(400, f"'{name}' must be a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refusal(400, f"'{name}' must be a text")


def _short(value: object) -> str:
    return "".join(one if one.isprintable() else "?" for one in str(value)[:40])

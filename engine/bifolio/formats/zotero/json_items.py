"""Zotero's items as JSON: what Better BibTeX exports and Zotero's service answers.

They say what the database says, in other places; the tags are those of ``zotero.items``. May not
know files, nor CSL-JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from bifolio.formats.zotero.children import (
    ANNOTATION_FIELDS,
    ChildNote,
    annotation_tag,
    note_tags,
)
from bifolio.formats.zotero.items import NAME
from bifolio.records.canonical import canonical_json
from bifolio.records.library_facts import LibraryFacts
from bifolio.records.reference import Source

#: What says how an item is kept, and nothing of the work.
_KEPT_ELSEWHERE: Final = frozenset(
    """
    itemType itemID itemKey key version library libraryID links meta uri select creators tags notes
    attachments collections relations dateAdded dateModified clientDateModified accessedBy synced
    parentItem deleted inPublications citekey citationKey seeAlso multi multiLegal note annotations
    """.split()
)
#: Items that belong to another one, or say nothing that can be cited.
_NOT_CITED: Final = frozenset({"attachment", "annotation", "note"})


def is_item(value: Any) -> bool:
    """Whether the JSON value is an item of Zotero's."""
    return isinstance(value, dict) and isinstance(_data(value).get("itemType"), str)


def is_cited(value: dict[str, Any]) -> bool:
    """Whether it is a work, and not a note or a file of one."""
    return str(_data(value)["itemType"]) not in _NOT_CITED


class Children:
    """The notes and files of a file of items that name the item they belong to."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._of: dict[str, list[dict[str, Any]]] = {}
        self._works: set[str] = set()
        for value in values:
            if not is_item(value):
                continue
            if is_cited(value):
                self._works.add(_key(value))
            elif parent := _text(_data(value).get("parentItem")):
                self._of.setdefault(parent, []).append(_data(value))

    def __contains__(self, value: dict[str, Any]) -> bool:
        """Whether the item goes with a work of the file."""
        return _text(_data(value).get("parentItem")) in self._works

    def add_to(self, value: dict[str, Any]) -> dict[str, Any]:
        """The work with its notes and files, as Better BibTeX has them inside of it."""
        children = self._of.get(_key(value))
        if not children:
            return value
        data = dict(_data(value))
        for name, kinds in (("notes", {"note"}), ("attachments", {"attachment"})):
            own = data.get(name)
            more = [one for one in children if one["itemType"] in kinds]
            data[name] = [*(own if isinstance(own, list) else ()), *more]
        return {**value, "data": data} if isinstance(value.get("data"), dict) else data


def _key(value: dict[str, Any]) -> str:
    return _text(_data(value).get("key") or value.get("key") or value.get("itemKey"))


def source(value: dict[str, Any]) -> Source:
    """The source of an item, as the library itself would give it."""
    data = _data(value)
    library = value.get("library")
    of_group = isinstance(library, dict) and library.get("type") == "group"
    prefix = f"group-{library.get('id')}:" if of_group and isinstance(library, dict) else ""
    key = _key(value)
    changed = _text(data.get("dateModified")).replace("T", " ").removesuffix("Z")
    facts = LibraryFacts(changed=changed) if changed else None
    own = prefix + key if key else ""
    return Source(NAME, str(data["itemType"]), own, tuple(_tags(data)), library=facts)


def members(value: dict[str, Any]) -> dict[str, Any]:
    """What an item says: Zotero's service has it in an object of its own."""
    return _data(value)


def _data(value: dict[str, Any]) -> dict[str, Any]:
    inner = value.get("data")
    return inner if isinstance(inner, dict) else value


def _tags(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    key = data.get("citationKey") or data.get("citekey")
    if isinstance(key, str) and key.strip():
        yield "citationKey", key.strip()
    for name in sorted(data):
        if name not in _KEPT_ELSEWHERE and (text := _text(data[name])):
            yield name, text
    for one in _dicts(data.get("creators")):
        parts = {part: _text(one.get(part)) for part in ("name", "lastName", "firstName")}
        said = {part: text for part, text in parts.items() if text}
        if said:
            yield f"creator/{_text(one.get('creatorType')) or 'author'}", canonical_json(said)
    for one in data.get("tags") or ():
        if isinstance(one, str) and one.strip():
            yield "tag", one.strip()
        elif isinstance(one, dict) and (text := _text(one.get("tag"))):
            yield ("tag/automatic" if one.get("type") == 1 else "tag"), text
    yield from note_tags(_notes(data.get("notes")))
    for one in _dicts(data.get("attachments")):
        said_of = [_text(one.get(part)) for part in ("title", "path", "localPath", "url")]
        if any(said_of):
            yield "attachment", " ".join(dict.fromkeys(filter(None, said_of)))
        yield from _annotations(one)


def _notes(given: Any) -> list[ChildNote]:
    """The notes of an item, as the library itself would order them."""
    found = []
    for one in given if isinstance(given, list) else ():
        stored = one if isinstance(one, dict) else {"note": one}
        if html := _text(stored.get("note")):
            tags = sorted(set(_tag_names(stored)))
            added = _text(stored.get("dateAdded"))
            found.append(ChildNote(html, _text(stored.get("key")), added, tags))
    return sorted(found, key=lambda one: (one.added, one.key))


def _annotations(attachment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The annotations of a file: Better BibTeX writes them with it."""
    found = _dicts(attachment.get("annotations"))
    for place, one in enumerate(found, start=1):
        said: dict[str, Any] = {
            ours: _text(one.get(theirs)) for ours, theirs in ANNOTATION_FIELDS.items()
        }
        said["file"] = _text(attachment.get("title")) or _text(attachment.get("path"))
        said["tags"] = sorted(set(_tag_names(one)))
        key, added = _text(one.get("key")), _text(one.get("dateAdded"))
        if (tag := annotation_tag(said, key=key, added=added, place=place)) is not None:
            yield tag


def _tag_names(data: dict[str, Any]) -> list[str]:
    """The tags of a note or an annotation."""
    given = data.get("tags")
    named = [
        one if isinstance(one, str) else _text(one.get("tag")) if _is(one) else ""
        for one in (given if isinstance(given, list) else ())
    ]
    return [one.strip() for one in named if one.strip()]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # A lone surrogate or a NUL is in no document.
    text = str(value).replace("\x00", "")
    return text.encode("utf-8", errors="replace").decode("utf-8").strip()

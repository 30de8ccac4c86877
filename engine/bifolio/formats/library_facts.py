"""What a whole library says of a record beside the record itself: groups, files, trash and marks.

These stand in the record's source as tags of their own, after the record's. The first of them,
``@library``, names the kinds that the file could say at all: an XML export of an EndNote library
says nothing of groups, which is not the same as a record that is in none. So of several versions
of one record each kind is taken from the newest that could say it.

A tag's text is plain but for a file's, which is canonical JSON ``{"path", "name"}`` with ``hash``
and ``size`` where the file was found. Knows neither EndNote's nor Zotero's own form of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from bifolio.records.attachments import Attachment
from bifolio.records.canonical import canonical_json, nfc, stored_json
from bifolio.records.reference import Source, Value, Values, group_record_id

Tags = tuple[tuple[str, str], ...]

_MARK: Final = "@library"

#: The kinds and the tag of each.
GROUPS, FILES, TAGS = "groups", "files", "tags"
RATING, READ_STATUS, TRASH = "rating", "read-status", "trash"
#: When the record was changed there: it maps to nothing, but tells a state that looks like an
#: earlier one (a value changed back) from that earlier one.
CHANGED = "changed"
_TAG_OF: Final = {
    GROUPS: "@group",
    FILES: "@file",
    TAGS: "@tag",
    RATING: "@rating",
    READ_STATUS: "@read-status",
    TRASH: "@trash",
    CHANGED: "@changed",
}
_KIND_OF: Final = {tag: kind for kind, tag in _TAG_OF.items()}

Layer = dict[str, tuple[str, ...]]


def with_layer(source: Source, layer: Layer) -> Source:
    """The source with what a library says beside the record, instead of what it said."""
    record = source.tags[: _start(source.tags)]
    kinds = [kind for kind in _TAG_OF if kind in layer]
    own = [(_TAG_OF[kind], text) for kind in kinds for text in layer[kind]]
    return replace(source, tags=(*record, (_MARK, " ".join(kinds)), *own))


def without_layer(source: Source) -> Source:
    """The source of the record alone."""
    start = _start(source.tags)
    return source if start == len(source.tags) else replace(source, tags=source.tags[:start])


def layer_of(source: Source) -> Layer:
    """The kinds that a source says, each with its texts; empty for a file of records alone."""
    start = _start(source.tags)
    if start == len(source.tags):
        return {}
    layer: dict[str, list[str]] = {
        kind: [] for kind in source.tags[start][1].split() if kind in _TAG_OF
    }
    for tag, text in source.tags[start + 1 :]:
        if (kind := _KIND_OF.get(tag)) in layer and kind is not None:
            layer[kind].append(text)
    return {kind: tuple(texts) for kind, texts in layer.items()}


def merged(layers: Iterable[Layer]) -> Layer:
    """What several versions of a record say together, oldest first.

    Each kind is the newest version's that says it. A file which the newest could not find is the
    one that an earlier version found under the same path.
    """
    result: Layer = {}
    found: dict[str, str] = {}
    for layer in layers:
        result = result | layer
        for text in layer.get(FILES, ()):
            stored = _file(text)
            if "hash" in stored:
                found[stored["path"]] = text
    if FILES in result:
        result[FILES] = tuple(
            text if "hash" in (stored := _file(text)) else found.get(stored.get("path", ""), text)
            for text in result[FILES]
        )
    return result


def layer_values(format: str, layer: Layer, values: Values) -> Values:
    """The record's values with what the library says beside it.

    Args:
        format: the source's, which group ids belong to.
        values: what the record itself is mapped to.
    """
    added: dict[str, Value] = {}
    if tags := layer.get(TAGS):
        before = values.get("tags", ())
        own = [one for one in before if isinstance(one, str)] if isinstance(before, tuple) else []
        known = {nfc(one) for one in own}
        added["tags"] = (*own, *(one for one in dict.fromkeys(tags) if nfc(one) not in known))
    for kind in (RATING, READ_STATUS):
        if texts := layer.get(kind):
            added[kind] = texts[0]
    if ids := layer.get(GROUPS):
        added["groups"] = tuple(group_record_id(format, one) for one in dict.fromkeys(ids))
    if files := _elements(layer.get(FILES, ())):
        added["files"] = files
    return values | added


def is_trashed(layer: Layer) -> bool:
    """Whether the record lies in its library's trash."""
    return bool(layer.get(TRASH))


def file_text(path: str, attachment: Attachment | None, *, name: str) -> str:
    """The text of a file's tag; without an attachment the file was not found."""
    stored: dict[str, Any] = {"path": path, "name": name}
    if attachment is not None:
        stored |= {"hash": attachment.hash, "name": attachment.name, "size": attachment.size}
    return canonical_json(stored)


def _elements(texts: Sequence[str]) -> tuple[str, ...]:
    found = []
    for text in texts:
        stored = _file(text)
        if "hash" in stored:
            found.append(Attachment(stored["name"], stored["hash"], stored["size"]).to_element())
    return tuple(dict.fromkeys(found))


def _file(text: str) -> dict[str, Any]:
    stored = stored_json(text)
    return stored if isinstance(stored, dict) else {}


def _start(tags: Tags) -> int:
    """Where the layer begins; behind the last tag where there is none."""
    for place, (tag, _) in enumerate(tags):
        if tag == _MARK:
            return place
    return len(tags)

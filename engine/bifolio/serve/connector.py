"""What Zotero's Connector, the browser button, asks to save a page: sessions, items, files.

It saves first and lets its user choose the collection, tags and a note afterwards: a session
remembers what was saved until then. Translators come from Zotero's repository, to which the
Connector turns where it gets none here.
"""

from __future__ import annotations

import email.header
import json
import mimetypes
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from bifolio import limits
from bifolio.errors import BifolioError
from bifolio.formats.mapping.zotero import CSL_TYPES
from bifolio.formats.mapping.zotero_types import CHILDREN, CREATORS, FIELDS
from bifolio.formats.zotero.interface_items import values_of_item
from bifolio.formats.zotero.notes import note_text
from bifolio.library.value_edits import ValueEdits
from bifolio.records.edits import Act, Edit
from bifolio.records.file_names import safe_file_name
from bifolio.records.terms import Mark, mark
from bifolio.search.query import Marked
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.served_library import ServedLibrary

#: The name of the program that its user allows.
PROGRAM: Final = "Zotero Connector"

#: What stands for the user's library, and for a collection with its key, among the targets.
_LIBRARY: Final = "L1"
_COLLECTION: Final = "C"
#: Between the number of another library and the key of its collection.
_WITHIN: Final = "-"

#: What the Connector asks for existing references by: our field, and its mark in the index.
_IDENTIFIERS: Final = {
    "doi": ("DOI", Mark.DOI),
    "url": ("url", Mark.URL),
    "isbn": ("ISBN", Mark.ISBN),
    "pmid": ("PMID", Mark.PMID),
}

_NOW: Final = "CURRENT_TIMESTAMP"
_TITLE_CHARACTERS: Final = 80


class Session(Struct):
    """What one click saved: the records by the ids that the page gave them, the last one last;
    and the number of the library where they are, None for the user's."""

    records: dict[str, str] = field(default_factory=dict)
    group: int | None = None
    begun: float = field(default_factory=time.monotonic)

    def record(self, given: object) -> str:
        """The record of an item of the session; without an id the last one.

        Raises:
            Refusal: nothing was saved so.
        """
        if given is None and self.records:
            return list(self.records.values())[-1]
        if str(given) not in self.records:
            raise not_found("Item of the session not found")
        return self.records[str(given)]


class Sessions:
    """The sessions of the last hour or so."""

    def __init__(self) -> None:
        self._known: dict[str, Session] = {}

    def begin(self, name: object) -> Session:
        """A new session; without a name one that nothing follows.

        Raises:
            Refusal: there is one of this name.
        """
        if name is None:
            return Session()
        if not isinstance(name, str) or not name:
            raise Refusal(400, "'sessionID' must be a text")
        if name in self._known:
            raise Refusal(409, "SESSION_EXISTS")
        while len(self._known) >= limits.SERVE_SESSIONS_MAX:
            del self._known[next(iter(self._known))]
        made = self._known[name] = Session()
        return made

    def find(self, name: object) -> Session:
        """The session of a name.

        Raises:
            Refusal: there is none.
        """
        if not isinstance(name, str) or name not in self._known:
            raise Refusal(400, "SESSION_NOT_FOUND")
        return self._known[name]

    def find_or_begin(self, name: object) -> Session:
        """The session of a name, or a new one."""
        known = isinstance(name, str) and name in self._known
        return self.find(name) if known else self.begin(name)

    def forget(self, name: object) -> None:
        """A session of which nothing was saved."""
        self._known.pop(str(name), None)


def preferences() -> dict[str, Any]:
    """What the Connector may do here."""
    return {
        "prefs": {
            "automaticSnapshots": True,
            "downloadAssociatedFiles": True,
            "reportActiveURL": False,
            "supportsAttachmentUpload": True,
            "supportsTagsAutocomplete": True,
            "canUserAddNote": True,
        }
    }


def targets(served: ServedLibrary) -> list[dict[str, Any]]:
    """Where things can be saved in one library: the library itself, and its collections."""
    own = "" if served.group is None else f"{served.group}{_WITHIN}"
    levels: dict[str, int] = {}
    name = _LIBRARY if served.group is None else f"L{served.group}"
    found = [{"id": name, "name": served.library.name, "filesEditable": True, "level": 0}]
    for key, group in served.collections.items():
        levels[group.id] = levels.get(group.parent or "", 0) + 1
        found.append(
            {
                "id": f"{_COLLECTION}{own}{key}",
                "name": group.name,
                "filesEditable": True,
                "level": levels[group.id],
            }
        )
    return found


def tags_of(served: ServedLibrary) -> list[str]:
    """The tags of a library, for who types one."""
    return [one.name for one in served.library.tags.list()]


def selection(name: str, found: list[dict[str, Any]], tags: Mapping[str, list[str]]) -> Any:
    """What the Connector is told is selected: the user's library, and all that could be."""
    return {
        "libraryID": 1,
        "libraryName": name,
        "libraryEditable": True,
        "filesEditable": True,
        "editable": True,
        "id": None,
        "name": name,
        "targets": found,
        "tags": dict(tags),
    }


def read_target(given: object) -> tuple[int | None, str | None]:
    """The number of the library that a target is in (None: the user's), and the collection's key.

    Raises:
        Refusal: it is none.
    """
    target = str(given or _LIBRARY)
    if target == _LIBRARY:
        return None, None
    if target.startswith("L") and target[1:].isdecimal():
        return int(target[1:13]), None
    if target.startswith(_COLLECTION):
        number, within, key = target.removeprefix(_COLLECTION).rpartition(_WITHIN)
        if not within:
            return None, key
        if number.isdecimal():
            return int(number[:12]), key
    raise Refusal(400, "Unknown target")


class Saving:
    """What the Connector writes into one library."""

    def __init__(self, served: ServedLibrary) -> None:
        self._served = served
        self._edits = ValueEdits(served.library)

    def save_items(
        self, session: Session, items: object, page: object, proxy: object = None
    ) -> int:
        """Save the items of a page; how many.

        Args:
            page: its address.
            proxy: how a library's proxy writes the addresses of others: they are kept without it.
        """
        if (
            not isinstance(items, list)
            or not items
            or not all(isinstance(one, dict) for one in items)
        ):
            raise Refusal(400, "'items' must be an array of objects")
        if len(items) > limits.SERVE_CONNECTOR_ITEMS_MAX:
            raise Refusal(413, "Too many items at once")
        count = 0
        for number, one in enumerate(items):
            if one.get("itemType") in CHILDREN:
                continue
            item = item_of_page(one, page)
            item["url"] = without_proxy(str(item.get("url") or ""), proxy)
            record = self._edits.add(dict(values_of_item(item)))
            for each in _dicts(one.get("notes")):
                if text := note_text(str(each.get("note") or "")):
                    self._served.library.notes.add(record, text)
            session.records[str(one.get("id", number))] = record
            count += 1
        return count

    def save_page(self, session: Session, given: Mapping[str, Any]) -> None:
        """Save a page of which no translator knows anything."""
        title = str(given.get("title") or given.get("url") or "").strip()
        item = {"itemType": "webpage", "title": title, "accessDate": _NOW}
        values = values_of_item(item_of_page(item, given.get("url")))
        session.records[""] = self._edits.add(values)

    def save_file(self, session: Session, about: Mapping[str, Any], path: Path) -> None:
        """Attach a file to what the session saved, or make a reference of it."""
        parent = about.get("parentItemID")
        if parent is None and not session.records:
            title = words_of_title(about.get("title")) or path.stem
            item = {"itemType": "document", "title": title, "accessDate": _NOW}
            values = values_of_item(item_of_page(item, about.get("url")))
            session.records[""] = self._edits.add(values)
        self._served.library.files.add(session.record(parent), [path])

    def update(self, session: Session, given: Mapping[str, Any]) -> None:
        """Put what was saved where its user wants it, with tags and a note."""
        _, key = read_target(given.get("target"))
        groups = [self._served.collection(key).id] if key is not None else []
        tags = given.get("tags") or []
        names = tags.split(",") if isinstance(tags, str) else [str(one) for one in _list(tags)]
        names = [" ".join(one.split()) for one in names if one.strip()]
        note = note_text(str(given.get("note") or ""))
        for record in dict.fromkeys(session.records.values()):
            rows = self._served.windows.find([record])
            if not rows or rows[0].trashed:
                continue
            smart = [one for one in rows[0].groups if one not in self._served.collection_keys]
            self._edits.change(record, {}, in_groups=[*groups, *smart])
            edits = [Edit("tags", Act.ADD, tuple(names))] if names else []
            notes = self._served.library.notes
            if note and all(note not in one.text for one in notes.list(record)):
                notes.add(record, note)
            if edits:
                self._served.library.edit(record, edits)

    def import_file(self, session: Session, path: Path) -> list[dict[str, Any]]:
        """Import a file that a page gave; what came of it, as the Connector shows it."""
        before = self._served.windows.version
        try:
            report = self._served.library.import_files([path])
        except BifolioError as error:
            raise Refusal(400, error.message) from error
        if not report.added and not report.updated and not report.unchanged:
            raise Refusal(400, "No references were found in it")
        changed = self._served.windows.changes_since(before)
        rows = self._served.windows.rows(changed.numbers)
        for row in rows:
            session.records[row.id] = row.id
        return [{"itemType": "document", "title": str(row.fields.get("title", ""))} for row in rows]


def find_existing(served: ServedLibrary, identifiers: object) -> list[dict[str, Any]]:
    """The references that have one of some identifiers, and which of them each has.

    Args:
        identifiers: ``{"doi": [...], "url": [...], "isbn": [...]}``.
    """
    if not isinstance(identifiers, dict) or not identifiers:
        raise Refusal(400, "'identifiers' not provided")
    fields: dict[str, list[str]] = {}
    for name, (field_name, kind) in _IDENTIFIERS.items():
        for value in _list(identifiers.get(name))[: limits.SERVE_KEYS_MAX]:
            query = Marked(mark(kind, str(value)))
            for row in served.windows.rows(served.windows.order(query, sort="id")):
                found = fields.setdefault(row.id, [])
                if field_name not in found:
                    found.append(field_name)
    names = served.names.of(list(fields))
    return [
        {
            "id": names[row.id].get("", ""),
            "key": names[row.id].get("", ""),
            "libraryID": served.group or 1,
            "title": str(row.fields.get("title", "")),
            "matchedFields": fields[row.id],
        }
        for row in served.windows.find(list(fields))
    ]


def without_proxy(address: str, proxy: object) -> str:
    """An address as it is without a library's proxy, whose scheme is ``https://%h.proxy.edu/%p``:
    a host's dots are hyphens in it."""
    scheme = proxy.get("scheme") if isinstance(proxy, dict) else None
    if not isinstance(scheme, str) or scheme.count("%h") != 1 or len(scheme) > 500:
        return address
    parts = (
        r"(?P<host>[\w.-]+)" if one == "%h" else r"(?P<path>.*)" if one == "%p" else re.escape(one)
        for one in re.split("(%h|%p)", scheme)
    )
    found = re.fullmatch("".join(parts), address)
    if found is None:
        return address
    host = found["host"]
    if "." not in host:  # a hyphen of the host's own is two there
        host = host.replace("--", "\x00").replace("-", ".").replace("\x00", "-")
    return f"{address.partition(':')[0]}://{host}/{found.groupdict().get('path') or ''}"


def item_of_page(given: Mapping[str, Any], page: object) -> dict[str, Any]:
    """An item of a page as one of the interface: only what its type has, in its forms.

    Args:
        page: the page's address, where the item has none.
    """
    kind = str(given.get("itemType") or "")
    kind = kind if kind in FIELDS and kind in CSL_TYPES else "document"
    item: dict[str, Any] = {"itemType": kind}
    for name in (*FIELDS[kind], "DOI", "ISSN", "ISBN", "PMID", "PMCID", "date", "title"):
        value = given.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            item[name] = str(value)
    if item.get("accessDate") == _NOW:
        item["accessDate"] = time.strftime("%Y-%m-%d", time.gmtime())
    if not item.get("url") and isinstance(page, str) and page.startswith(("http:", "https:")):
        item["url"] = page
    extra = [item.get("extra", "")]
    for name in ("DOI", "PMID", "PMCID", "ISSN", "ISBN"):
        if name in item and name not in FIELDS[kind]:
            extra.append(f"{name}: {item.pop(name)}")
    item["extra"] = "\n".join(filter(None, extra))
    roles = CREATORS[kind]
    item["creators"] = [
        {
            **one,
            "creatorType": one.get("creatorType") if one.get("creatorType") in roles else roles[0],
        }
        for one in _dicts(given.get("creators"))
    ]
    tags = [one.get("tag") if isinstance(one, dict) else one for one in _list(given.get("tags"))]
    item["tags"] = [" ".join(str(one).split()) for one in tags if isinstance(one, str)]
    return item


def file_name(about: Mapping[str, Any]) -> str:
    """The name under which a file of a page is attached: its title, and the end of its kind."""
    title = words_of_title(about.get("title")) or "Attachment"
    kind = str(about.get("contentType") or "").partition(";")[0].strip()
    end = ".pdf" if kind == "application/pdf" else mimetypes.guess_extension(kind) or ""
    stem = re.sub(r"[/\\:*?\"<>|\x00-\x1f]", " ", title)
    stem = " ".join(stem.split())[:_TITLE_CHARACTERS].strip(" .") or "Attachment"
    if stem.lower().endswith(end):
        end = ""
    return safe_file_name(stem + end)


def read_metadata(header: str | None) -> dict[str, Any]:
    """What a file's request says of it, in a header."""
    try:
        found = json.loads(header or "")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "X-Metadata not provided, or no JSON") from error
    if not isinstance(found, dict):
        raise Refusal(400, "X-Metadata must be an object")
    return found


def words_of_title(given: object) -> str:
    """A title, which may be written as a header has to write it (RFC 2047)."""
    if not isinstance(given, str):
        return ""
    if "=?" not in given:
        return given.strip()
    try:
        return str(email.header.make_header(email.header.decode_header(given))).strip()
    except (ValueError, LookupError, email.errors.HeaderParseError):
        return given.strip()


def _dicts(given: object) -> list[dict[str, Any]]:
    return [one for one in _list(given) if isinstance(one, dict)]


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []

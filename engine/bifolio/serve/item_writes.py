"""Items made, changed and deleted, as programs of Zotero's interface send them.

An item is compared with what would be answered for it now: what is not different stays as it is,
whoever wrote it meanwhile, and merges with what others write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bifolio.errors import TrashedReferenceError
from bifolio.formats.zotero.interface_items import fields_of_item, values_of_item
from bifolio.library.short_names import AWAITED, is_short_name
from bifolio.library.value_edits import ValueEdits
from bifolio.records.file_names import safe_file_name
from bifolio.records.reference import Value
from bifolio.results import WindowRow
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.item_checks import (
    KEPT,
    check_item,
    check_type,
    editable,
    read_tags,
    read_version,
)
from bifolio.serve.note_objects import FILE, is_annotation, is_note
from bifolio.serve.note_writes import NoteWrites
from bifolio.serve.served_library import ServedLibrary

_ATTACHED: Final = ("imported_file", "imported_url")


class ItemWrites:
    """Writes of items in one library."""

    def __init__(self, served: ServedLibrary) -> None:
        self._served = served
        self._edits = ValueEdits(served.library)
        self._notes = NoteWrites(served)

    # --- whole requests -------------------------------------------------------------------------

    def write(
        self, given: Mapping[str, Any], *, version: int | None, patch: bool
    ) -> tuple[str, bool]:
        """Make an item, or change the one that its key names.

        Args:
            version: the version that the program saw, where its request says so.
            patch: what is not given stays; otherwise it is taken away.

        Returns:
            its key, and whether anything was changed.

        Raises:
            Refusal: nothing was changed.
        """
        given = editable(given)
        check_item(given)
        key = given.get("key") or given.get("itemKey")
        seen = read_version(given, version)
        if key is None:
            return self.create(given), True
        if not isinstance(key, str) or not is_short_name(key):
            raise Refusal(400, "Invalid key")
        if self._served.names.find(key) is None:
            if seen not in (0, None):
                raise not_found("Item does not exist")
            return self.create(given, key=key), True
        if seen is None:
            raise Refusal(428, "'version' or If-Unmodified-Since-Version not provided")
        return key, self.change(key, given, version=seen, patch=patch)

    def create(self, given: Mapping[str, Any], *, key: str | None = None) -> str:
        """Make an item; its key."""
        kind = given.get("itemType")
        if kind == "note":
            return self._notes.create_note(self.parent_of(given), given, key)
        if kind == "annotation":
            return self._notes.create_annotation(given, key)
        if kind == "attachment":
            return self._create_attachment(given, key)
        check_type(kind)
        values = dict(values_of_item(_clean(given)))
        record = self._edits.add(values, in_groups=self._groups_of(given) or ())
        made = self._served.names.add(record, wanted=key)
        if given.get("deleted"):
            self._served.library.delete([record])
        return made

    def change(self, key: str, given: Mapping[str, Any], *, version: int, patch: bool) -> bool:
        """Change the item of a key; whether anything was different."""
        try:
            return self._change(key, given, version=version, patch=patch)
        except TrashedReferenceError as error:
            raise Refusal(409, "The item is in the trash: give 'deleted': 0 first") from error

    def _change(self, key: str, given: Mapping[str, Any], *, version: int, patch: bool) -> bool:
        record, part = self._served.find(key)
        row = self.row(record)
        self._check_version(row, part, version)
        if is_note(part) or is_annotation(part):
            return self._notes.change(row, part, given)
        if part:
            return self._change_attachment(part, given)
        moved = self._restore_or_delete(row, given)
        if moved and given["deleted"]:
            return True
        row = self.row(record)
        before = fields_of_item(row.type, row.fields, row.key)
        before["tags"] = [{"tag": one} for one in row.tags]
        after: dict[str, Any] = {**before, **_clean(given)} if patch else _clean(given)
        after.setdefault("itemType", before["itemType"])
        check_type(after["itemType"])
        differing = _differences(values_of_item(before), values_of_item(after))
        groups = self._groups_of(given)
        if groups is None and not patch:
            groups = []
        if groups is not None:  # smart groups are none of its collections
            groups += [one for one in row.groups if one not in self._served.collection_keys]
            if set(groups) == set(row.groups):
                groups = None
        if not differing and groups is None:
            return moved
        return self._edits.change(record, differing, in_groups=groups) or moved

    def delete(self, key: str, *, version: int) -> None:
        """Put a reference into the trash, take a note away or a file off."""
        record, part = self._served.find(key)
        row = self.row(record)
        self._check_version(row, part, version)
        if is_note(part) or is_annotation(part):
            self._notes.remove(row, part)
        elif part.startswith(FILE):
            self._served.library.files.remove(record, part.split("/")[1])
        elif part:
            self._served.names.remove([key])
        elif not row.trashed:
            self._served.library.delete([record])

    # --- small steps ----------------------------------------------------------------------------

    def _check_version(self, row: WindowRow, part: str, version: int) -> None:
        now = row.version
        if part:
            named = self._served.names.named([row.id])[row.id].get(part)
            now = now if named is None or named.version is None else named.version
        if now > version:
            raise Refusal(412, f"Item has been modified since version {version}")

    def row(self, record: str) -> WindowRow:
        """A reference as it is now."""
        found = self._served.windows.find([record])
        if not found:
            raise not_found("Item does not exist")
        return found[0]

    def parent_of(self, given: Mapping[str, Any]) -> str:
        """The reference that a note or a file is to hang on."""
        parent = given.get("parentItem")
        if not isinstance(parent, str) or not parent:
            raise Refusal(400, "A note or a file belongs to an item here: give 'parentItem'")
        named = self._served.names.find(parent)
        if named is None or named.part:
            raise Refusal(409, f"Parent item {parent[:20]} not found")
        return named.record

    def _create_attachment(self, given: Mapping[str, Any], key: str | None) -> str:
        record = self.parent_of(given)
        if given.get("linkMode") not in _ATTACHED:
            raise Refusal(400, "A file is copied into the library here: use 'imported_file'")
        name = given.get("filename") or given.get("title") or ""
        if not isinstance(name, str) or not name or safe_file_name(name) != name or "/" in name:
            raise Refusal(400, "Invalid 'filename'")
        number = len(self._served.names.of([record])[record])
        return self._served.names.add(record, f"{AWAITED}{number}/{name}", wanted=key)

    def _change_attachment(self, part: str, given: Mapping[str, Any]) -> bool:
        name = part.partition("/")[2].partition("/")[2]
        if given.get("filename", name) != name:
            raise Refusal(400, "A file keeps its name here: upload it under the other one")
        return False

    def _restore_or_delete(self, row: WindowRow, given: Mapping[str, Any]) -> bool:
        if "deleted" not in given or bool(given["deleted"]) == row.trashed:
            return False
        if row.trashed:
            self._served.library.restore([row.id])
        else:
            self._served.library.delete([row.id])
        return True

    def _groups_of(self, given: Mapping[str, Any]) -> list[str] | None:
        """The ids of the groups that an item is to be in; None where it does not say."""
        keys = given.get("collections")
        if keys is None:
            return None
        found = []
        for key in keys:
            if key not in self._served.collections:
                raise Refusal(409, f"Collection {str(key)[:20]} not found")
            found.append(self._served.collections[key].id)
        return found


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    """An item without what says how it is kept."""
    found = {name: value for name, value in given.items() if name not in (*KEPT, "collections")}
    if (tags := read_tags(given)) is not None:
        found["tags"] = [{"tag": one} for one in tags]
    return found


def _differences(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> dict[str, Value | None]:
    return {
        name: after.get(name) for name in {**before, **after} if before.get(name) != after.get(name)
    }

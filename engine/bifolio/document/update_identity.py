"""Whether an update is its author's to bring: every name in it is theirs, or its content's.

A client id and the slots of the keys that are written under it belong to one incarnation of one
device, and follow from that device's key; or they belong to one content, and follow from that
(``content_names``). So nobody can write under another one's names, before it does or after, and a
reader needs to remember nothing to know it. Deleting needs no name: what was written keeps its
author's, and who deleted it is told by the signature.

Of the settings record some entries are not for every writer: a device's own introduction, and the
library's name, which is the owners'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from bifolio.document import content_names
from bifolio.document.entries import Entries
from bifolio.document.record import RecordDocument
from bifolio.document.update_rules import CheckedUpdate, slot_of
from bifolio.document.update_structure import ANY, STRING, TYPE, Struct, UpdateStructure
from bifolio.errors import DocumentError
from bifolio.ids import (
    CONTENT_CLIENTS,
    SEPARATOR,
    SETTINGS_ID,
    SLOT_LENGTH,
    device_tag,
    incarnation_client_id,
    slot_tag,
    unbase64url,
)
from bifolio.records.canonical import stored_json

#: In the settings record: the library's name, and before a device's tag its introduction.
NAME = "name"
DEVICE = "device"

_CONTENT_KINDS = frozenset((ANY, TYPE, STRING))


class UpdateKind(Enum):
    """Whose names an update bears: its author's, or its content's."""

    OWN = "own"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class UpdateAuthor:
    """Who brings updates: made once for each envelope."""

    signing_key: bytes
    is_owner: bool
    #: The slots of its incarnations by their client ids.
    slots: dict[int, str]

    @classmethod
    def of(
        cls, signing_key: bytes, *, is_owner: bool, incarnations: Iterable[tuple[str, bytes]]
    ) -> UpdateAuthor:
        """The author of an envelope.

        Args:
            signing_key: with which the envelope was signed, 32 bytes.
            is_owner: whether that device is an owner's, at the envelope's membership head.
            incarnations: slot and nonce of each that the envelope declares.

        Raises:
            DocumentError: it declares a slot that is another device's.
        """
        slots: dict[int, str] = {}
        for slot, nonce in incarnations:
            if slot_tag(slot) != device_tag(signing_key):
                raise DocumentError("its author declares a name that is another computer's")
            slots[incarnation_client_id(signing_key, slot, nonce)] = slot
        return cls(signing_key, is_owner, slots)

    @property
    def tag(self) -> str:
        """By which the author's slots begin."""
        return device_tag(self.signing_key)


def check_identity(
    record_id: str, update: bytes, structure: UpdateStructure, author: UpdateAuthor
) -> UpdateKind:
    """Whether all names in an update are its author's, or its content's.

    Knows nothing of the document, so it says the same whenever it is asked.

    Args:
        record_id: of the record that it is for.
        update: its bytes.
        structure: what ``read_update`` found in them.
        author: who brings it.

    Raises:
        DocumentError: they are not.
    """
    if any(client >= CONTENT_CLIENTS for client in structure.structs):
        if record_id == SETTINGS_ID:
            raise DocumentError("the settings are written by devices, and no import")
        if not is_content_named(record_id, update, structure):
            raise DocumentError("its names are not those that its content gives it")
        return UpdateKind.CONTENT
    for client, structs in structure.structs.items():
        slot = author.slots.get(client)
        if slot is None:
            raise DocumentError("it writes under a name that is not its author's")
        for struct in structs:
            if struct.is_entry and not _is_of_slot(struct, client, slot):
                raise DocumentError("it writes an entry under a name that is not its author's")
    return UpdateKind.OWN


def is_content_named(record_id: str, update: bytes, structure: UpdateStructure) -> bool:
    """Whether an update is complete in itself and bears the names that its content gives it.

    Args: as of ``check_identity``.
    """
    if len(structure.structs) != 1:
        return False
    ((client, structs),) = structure.structs.items()
    if structs[0].start != 0:
        return False
    keys: set[str] = set()
    family = ""
    for struct in structs:
        if (key := struct.key) is None:
            if not _is_of_content(struct, client):
                return False
            continue
        family = family or content_names.family_of(slot_of(key))
        slot = key[-SLOT_LENGTH - 1 :]
        if not slot.startswith(SEPARATOR + family):
            slot = SEPARATOR + slot_of(key)
        if struct.kind not in _CONTENT_KINDS or not slot.startswith(SEPARATOR + family):
            return False
        if key in keys:
            return False
        keys.add(key)
    return bool(family) and content_names.is_named(
        record_id, update, client_id=client, family=family
    )


def check_state_identity(
    record_id: str, structure: UpdateStructure, slots: Mapping[int, str]
) -> None:
    """Whether all names in a record's whole state are those of some device, or of some content.

    What content gave its names to is gone where it was edited since, so of those only the form can
    be checked. That a device wrote what bears its name, a state cannot prove: who holds its changes
    compares (``snapshot_states.is_same_state``).

    Args:
        record_id: of the record.
        structure: what ``read_update`` found in its state.
        slots: of every device, by the client ids that follow from its key.

    Raises:
        DocumentError: they are not.
    """
    for client, structs in structure.structs.items():
        if client >= CONTENT_CLIENTS:
            _check_content_state(record_id, structs)
            continue
        slot = slots.get(client)
        if slot is None:
            raise DocumentError("it holds what bears nobody's name")
        for struct in structs:
            if struct.is_entry and not _is_of_slot(struct, client, slot):
                raise DocumentError("it holds an entry under a name that is not its writer's")


def _check_content_state(record_id: str, structs: Sequence[Struct]) -> None:
    """Whether the entries of one content bear the names of one family."""
    if record_id == SETTINGS_ID:
        raise DocumentError("the settings are written by devices, and no import")
    if structs[0].start != 0:
        raise DocumentError("it holds a part of an import")
    family = beginning = ""
    for struct in structs:
        if struct.key is None:
            continue
        if beginning and struct.key.startswith(beginning, -SLOT_LENGTH - 1):
            continue
        own = content_names.family_of(slot_of(struct.key))
        if not own or (family and own != family):
            raise DocumentError("it holds an entry under a name that no content gives")
        family, beginning = own, SEPARATOR + own


def check_settings_state(entries: Entries) -> None:
    """Whether each device's introduction in a state of the settings is its own.

    Raises:
        DocumentError: one is not.
    """
    for name, lives in entries.registers.items():
        parts = name.split(SEPARATOR)
        if parts[0] != DEVICE or len(parts) != 2:
            continue
        if any(slot_tag(live.slot) != parts[1] for live in lives):
            raise DocumentError("it holds what another computer says that one is called")
        _check_introductions(entries, name)


def check_settings(
    document: RecordDocument, update: bytes, checked: CheckedUpdate, author: UpdateAuthor
) -> None:
    """Whether an author may write and delete the entries of the settings record that an update
    does.

    Args:
        document: the settings, as they are before the update; left as it is.
        update: its bytes.
        checked: what ``document.check`` found.
        author: who brings it.

    Raises:
        DocumentError: an entry is not for this author.
    """
    written = {key for keys in checked.keys.values() for key in keys}
    for key in written | document.keys_deleted(checked):
        name = key.split(SEPARATOR)
        if name[0] == NAME and len(name) == 2 and not author.is_owner:
            raise DocumentError("only an owner may name the library")
        if name[0] == DEVICE and len(name) == 3 and name[1] != author.tag:
            raise DocumentError("it writes what another computer is called")
    introductions = SEPARATOR.join((DEVICE, author.tag))
    if any(key.startswith(introductions) for key in written):
        after = RecordDocument(document.state())
        after.merge(update)
        _check_introductions(after.entries(), introductions)


def _check_introductions(entries: Entries, register: str) -> None:
    """Each introduction of a device has the key to which its tag belongs."""
    tag = register.rpartition(SEPARATOR)[2]
    for live in entries.live(register):
        stored = stored_json(live.value)
        key = stored.get("key") if isinstance(stored, dict) else None
        if not isinstance(key, str) or _tag_of(key) != tag:
            raise DocumentError("it introduces a computer with another one's key")


def _tag_of(written_key: str) -> str:
    """The tag of a key as an introduction has it; empty where it is none."""
    try:
        key = unbase64url(written_key)
    except ValueError:
        return ""
    return device_tag(key) if len(key) == 32 else ""


def _is_of_slot(struct: Struct, client: int, slot: str) -> bool:
    """Whether an entry is written under a slot; what follows another entry has that one's key."""
    if struct.key is not None:
        return slot_of(struct.key) == slot
    return struct.left is None or struct.left[0] == client


def _is_of_content(struct: Struct, client: int) -> bool:
    """Whether a struct builds on nothing but its own update, and replaces nothing of it."""
    if struct.kind not in _CONTENT_KINDS or (struct.is_entry and struct.left is not None):
        return False
    named = (struct.left, struct.right, struct.parent)
    return all(one is None or one[0] == client for one in named)

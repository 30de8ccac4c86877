"""Updates that are named by what they hold, not by who made them: imports, and what joins.

Whoever makes one makes the same bytes, and anybody may bring it: its one client id and its slots
are hashes of its own bytes, so nobody can put another content under them. It is made under a
stand-in client id and a stand-in slot; these bytes and the record's id are hashed, and the names
that follow from the hash take the places of the stand-ins. A reader puts the stand-ins back, and
hashes again.

======== ===================================================================================
``i...`` an import's slot: 5 characters of what names its source, 1 of the mapping's version
         and 5 of the hash
``j...`` the slots of what a library brings that joins: 10 of the hash, and one that tells
         apart the values of one register
======== ===================================================================================
"""

from __future__ import annotations

from typing import NamedTuple

from bifolio.document.update_structure import encode_clock, read_update
from bifolio.ids import (
    CLIENT_ID_BITS,
    CONTENT_CLIENTS,
    IMPORT_MARK,
    JOIN_MARK,
    SLOT_LENGTH,
    content_names,
    digest,
)

#: The stand-in for the client id: the greatest one. Its bytes are in no UTF-8 text.
STAND_IN_CLIENT = (1 << CLIENT_ID_BITS) - 1

#: Stands in for each character of a slot that is of the hash: no JSON and no name holds it.
_STAND_IN = "\x7f"

#: The characters before those of the hash: all of them are hashed themselves.
_STEM_LENGTHS = {IMPORT_MARK: 7, JOIN_MARK: 1}

#: How many characters all slots of one update have in common.
_FAMILY_LENGTHS = {IMPORT_MARK: SLOT_LENGTH, JOIN_MARK: SLOT_LENGTH - 1}


class NamedUpdate(NamedTuple):
    """An update that its content names: ``family`` is the beginning of all its slots."""

    update: bytes
    client_id: int
    family: str


def stand_in(stem: str) -> str:
    """The beginning of all slots to make an update under.

    Args:
        stem: ``i`` with the source and the mapping, or ``j``.
    """
    return stem + _STAND_IN * (_FAMILY_LENGTHS[stem[0]] - len(stem))


def name_update(record_id: str, made: bytes, *, stem: str) -> NamedUpdate:
    """Name an update by what it holds.

    Args:
        record_id: of the record that it is for.
        made: the update, made under ``STAND_IN_CLIENT`` and ``stand_in(stem)``.
        stem: as for ``stand_in``.
    """
    placeholder = stand_in(stem)
    client_id, characters = content_names(_hash(record_id, made))
    family = stem + characters[: len(placeholder) - len(stem)]
    update = made.replace(_CLIENT, _as_bytes(client_id))
    return NamedUpdate(update.replace(placeholder.encode(), family.encode()), client_id, family)


def sort_deletes(update: bytes) -> bytes:
    """An update with what it deletes in the order of the client ids: pycrdt's is any."""
    deletes = read_update(update, is_own=True).deletes
    if len(deletes) < 2:
        return update
    written = encode_clock(len(deletes), 0)[:-1]
    for client in sorted(deletes):
        ranges = deletes[client]
        written += encode_clock(client, len(ranges))
        written += b"".join(encode_clock(*one) for one in ranges)
    return update[: -len(written)] + written


def is_named(record_id: str, update: bytes, *, client_id: int, family: str) -> bool:
    """Whether an update has the names that its content gives it.

    Args:
        client_id: the one under which it writes.
        family: what all its slots begin with, as long as ``family_of`` makes it.
    """
    stem = family[: _STEM_LENGTHS[family[0]]]
    placeholder = stand_in(stem).encode()
    if client_id < CONTENT_CLIENTS or _CLIENT in update or placeholder in update:
        return False
    made = update.replace(_as_bytes(client_id), _CLIENT).replace(family.encode(), placeholder)
    given, characters = content_names(_hash(record_id, made))
    return given == client_id and family == stem + characters[: len(family) - len(stem)]


def family_of(slot: str) -> str:
    """What all slots of the update begin with that wrote under this one; empty for a device's."""
    length = _FAMILY_LENGTHS.get(slot[:1], 0)
    return slot[:length] if len(slot) == SLOT_LENGTH else ""


def _hash(record_id: str, made: bytes) -> bytes:
    return digest(b"bifolio content", record_id.encode(), made)


def _as_bytes(client_id: int) -> bytes:
    """A content's client id as it is in an update: seven bits in each byte, eight of them."""
    low = [client_id >> shift & 0x7F | 0x80 for shift in range(0, 49, 7)]
    return bytes([*low, client_id >> 49])


_CLIENT = _as_bytes(STAND_IN_CLIENT)

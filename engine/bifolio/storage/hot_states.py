"""The states of records that were edited often: a base, and the updates since.

An edit of a large record does not write it whole. In the place of its state the record has a
**head**: the updates since its base was stored, and the record's core (``document.core``), to which
further edits are made. The base is in a table of its own, and written again when the updates
outweigh a share of it. A head names its base by a hash, so that the check of the record covers
both.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgpack

from bifolio.records.state_parts import join_parts
from bifolio.storage.database import Database
from bifolio.storage.packed_states import pack_state, unpack_state

#: Begins a head: to pycrdt a number written too long, which it never writes.
HEAD = b"\x80\x80\x00"

_LEVEL = 1
_FAULTS = (zlib.error, ValueError, TypeError, msgpack.exceptions.UnpackException)


class Base(NamedTuple):
    """What a record held once, as one update, and the filter of the names in it."""

    state: bytes
    names: bytes

    @property
    def check(self) -> bytes:
        """By which a head names it."""
        hashed = hashlib.blake2b(self.names, digest_size=8, salt=b"names")
        hashed.update(self.state)
        return hashed.digest()


class Head(NamedTuple):
    """What is stored of a record above its base."""

    base_check: bytes
    #: The bytes of the base.
    base_bytes: int
    #: The updates since, in their order.
    tail: tuple[bytes, ...]
    #: How often the record was saved since it has no core.
    saves: int
    #: The client id that wrote when the core was made; 0 for none.
    made_by: int
    #: The core's state, with the tail in it; empty where there is none.
    core: bytes
    #: Of the core: client id and clock of both ends.
    gaps: tuple[tuple[int, int, int, int], ...]

    def pack(self) -> bytes:
        """The head as it is stored."""
        return HEAD + zlib.compress(msgpack.packb(tuple(self)), _LEVEL)


def read_head(stored: bytes) -> Head | None:
    """The head that is stored in the place of a state; None of damaged bytes."""
    try:
        check, size, tail, saves, made_by, core, gaps = msgpack.unpackb(
            zlib.decompress(memoryview(stored)[len(HEAD) :])
        )
        ends = tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in gaps)
        return Head(check, size, tuple(tail), saves, made_by, core, ends)
    except _FAULTS:
        return None


class HotStates:
    """The table ``record_bases``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, record_id: str) -> Base | None:
        """A record's base."""
        row = self._database.row(
            "SELECT CASE typeof(state) WHEN 'blob' THEN state END, "
            "CASE typeof(names) WHEN 'blob' THEN names END FROM record_bases WHERE record = ?",
            (record_id,),
        )
        if row is None or row[0] is None or row[1] is None:  # damaged, it may be of any type
            return None
        return Base(unpack_state(row[0]), row[1])

    def unpack(self, record_id: str, stored: bytes) -> bytes:
        """The state of which a row of ``records`` holds this; of damaged bytes what there is."""
        if not stored.startswith(HEAD):
            return unpack_state(stored)
        head = read_head(stored)
        return (head and self.join(record_id, head)) or stored

    def join(self, record_id: str, head: Head) -> bytes:
        """The state of a record with this head; empty where its base is damaged."""
        base = self.read(record_id)
        if base is None or base.check != head.base_check:
            return b""
        return join_parts(base.state, head.tail)

    def write(self, bases: Mapping[str, Base], *, without: Sequence[str]) -> None:
        """Store bases, and drop those of records that are stored whole."""
        for record_id, base in bases.items():
            self._database.execute(
                "INSERT OR REPLACE INTO record_bases (record, state, names) VALUES (?, ?, ?)",
                (record_id, pack_state(base.state), base.names),
            )
        if bases:
            self._database.note_row("record_bases")
            # What is written under their client ids goes on from what the core may not have.
            self._database.execute("UPDATE incarnations SET sealed = 1 WHERE sealed IS NULL")
        if without and not self._database.is_empty("record_bases"):
            self._database.execute(
                "DELETE FROM record_bases WHERE record IN (SELECT value FROM json_each(?))",
                (json.dumps(without),),
            )

"""The structure of one Yjs update (version 1), read before pycrdt sees it.

An update is a list of structs for each client id, then a delete set. Of its kinds of content a
record's update holds five; nothing else is read. Iterative, and every length is compared with the
bytes that are there before anything is made of it.

==========  ================================================================================
``GC``      clocks whose content is gone with what held it
``DELETED`` clocks whose content is gone, in the place that they had
``STRING``  a piece of a text, counted in UTF-16 units
``TYPE``    a new text, under a key of the record's map; or a list or map of a newer version
``ANY``     a plain value under a key: ``[stamp, value]``, or what a newer version writes
==========  ================================================================================

A plain value under a key that is a string alone is refused: a reader could not tell it from a
text. Of a newer version, plain values, lists and maps are carried, which readers see as JSON;
formatted texts, bytes, XML, documents and moves are refused: what has those needs a newer version
of the envelope's body.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct as MsgspecStruct

from bifolio import limits
from bifolio.document.update_values import UpdateBytes
from bifolio.errors import DocumentError
from bifolio.ids import CLIENT_ID_BITS

GC: Final = 0
DELETED: Final = 1
STRING: Final = 4
TYPE: Final = 7
ANY: Final = 8

_KNOWN = frozenset((DELETED, STRING, TYPE, ANY))
_HAS_LEFT = 0x80
_HAS_RIGHT = 0x40
_HAS_KEY = 0x20
_KIND = 0x1F

#: The shared types: a list, a map, a text.
LIST: Final = 0
MAP: Final = 1
TEXT: Final = 2
#: No shared type: a plain value that is a string alone, which may be inside of one.
PLAIN_STRING: Final = -1
_SHARED = frozenset((LIST, MAP, TEXT))

_ROOT = b"\x01\x01r"
#: A plain value under a key that no clock was written to before: nine of ten structs.
_NEW_ENTRY = bytes([_HAS_KEY | ANY]) + _ROOT
_CLIENT_END = 1 << CLIENT_ID_BITS
_LAST_IN_BMP = "\uffff"
#: Makes a Struct in half the time of a call.
_new = tuple.__new__

#: A struct's name: a client id and a clock.
Id = tuple[int, int]


class Struct(NamedTuple):
    """One struct. ``left``, ``right`` and ``parent`` are what it names by id."""

    start: int
    #: The clock after its last one.
    end: int
    kind: int
    #: Whether it is an entry of a map; otherwise a piece of a text or list, or GC.
    is_entry: bool = False
    left: Id | None = None
    right: Id | None = None
    parent: Id | None = None
    #: The key in the record's map, where the update says it: an entry that follows another one
    #: has that one's.
    key: str | None = None
    #: The content in UTF-16, where it has characters of two units, which may not be cut in two.
    pairs: bytes | None = None
    #: The key in the map that ``parent`` made, where the update says it.
    key_inside: str | None = None
    #: What shared type it makes: ``LIST``, ``MAP`` or ``TEXT``; or ``PLAIN_STRING``.
    shared: int | None = None


class UpdateStructure(MsgspecStruct, frozen=True):
    """What one update holds. Nothing of it was compared with a document."""

    #: By client id: the structs, each beginning where the one before it ends.
    structs: dict[int, list[Struct]]
    #: By client id: ascending ranges (clock, length) that do not touch each other.
    deletes: dict[int, list[tuple[int, int]]]

    @property
    def ranges(self) -> dict[int, tuple[int, int]]:
        """By client id: the first clock that is written, and how many are."""
        return {
            client: (structs[0].start, structs[-1].end - structs[0].start)
            for client, structs in self.structs.items()
        }

    @property
    def keys(self) -> dict[str, set[int]]:
        """The keys that structs name themselves, each with the client ids.

        An entry that follows another one has that one's key: ``update_rules`` finds it.
        """
        found: dict[str, set[int]] = {}
        for client, structs in self.structs.items():
            for struct in structs:
                if struct.key is not None:
                    found.setdefault(struct.key, set()).add(client)
        return found

    @property
    def dependencies(self) -> set[Id]:
        """The ids that structs name as their left, right or parent."""
        return {
            named
            for structs in self.structs.values()
            for struct in structs
            for named in (struct.left, struct.right, struct.parent)
            if named is not None
        }


def client_ids(structure: UpdateStructure) -> set[int]:
    """The client ids under which an update writes."""
    return set(structure.structs)


def read_update(
    raw: bytes, *, is_own: bool = False, parts_max: int = limits.UPDATE_STRUCTS_MAX
) -> UpdateStructure:
    """Read an update's structure.

    Args:
        raw: its bytes.
        is_own: whether it is the state of a document of our own, which has no bounds in number.
        parts_max: structs that it may have, and ranges that it may delete.

    Raises:
        DocumentError: anything but what a record's update can hold, with the reason.
    """
    source = UpdateBytes(raw, is_own=is_own)
    structs = _read_structs(source, parts_max)
    deletes = _read_deletes(source, parts_max)
    if source.at != len(raw):
        raise DocumentError("bytes follow the end of an update")
    return UpdateStructure(structs, deletes)


def read_state_vector(raw: bytes) -> dict[int, int]:
    """Read a state vector: by client id, the clock after the last one that a document holds."""
    source = UpdateBytes(raw)
    known: dict[int, int] = {}
    for _ in range(source.count(2)):
        client = source.number(_CLIENT_END)
        known[client] = source.number(1 << 32)
    return known


def encode_clock(client: int, clock: int) -> bytes:
    """A client id and a clock as they are in a state vector."""
    return encode_number(client) + encode_number(clock)


def encode_number(number: int) -> bytes:
    """A number as an update has it."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _read_structs(source: UpdateBytes, parts_max: int) -> dict[int, list[Struct]]:
    found: dict[int, list[Struct]] = {}
    total = 0
    raw = source.raw
    for _ in range(source.count(4)):
        count = source.count(2)
        total += count
        if total > parts_max and not source.is_own:
            raise DocumentError("an update has more parts than a record can need")
        client = source.number(_CLIENT_END)
        if client in found:
            raise DocumentError("an update names one client id twice")
        if not count:
            raise DocumentError("an update names a client id without parts")
        clock = source.number(limits.UPDATE_CLOCK_MAX)
        structs = found[client] = []
        for _ in range(count):
            if raw.startswith(_NEW_ENTRY, source.at):
                source.at += 4
                key = source.string_and_pair()
                end = clock + 1
                struct = _new(
                    Struct, (clock, end, ANY, True, None, None, None, key, None, None, None)
                )
            else:
                struct = _read_struct(source, client, clock)
                end = struct.end
            if end > limits.UPDATE_CLOCK_MAX:
                raise DocumentError("an update's clock is beyond any that a record reaches")
            clock = end
            structs.append(struct)
    return found


def _read_struct(source: UpdateBytes, client: int, clock: int) -> Struct:
    info = source.byte()
    if info == GC:
        return Struct(clock, clock + _length(source), GC)
    kind = info & _KIND
    if kind not in _KNOWN:
        raise DocumentError(f"an update has a part of the kind {kind}, which no record has")
    is_entry = bool(info & _HAS_KEY)
    left = _read_id(source, client, clock) if info & _HAS_LEFT else None
    right = _read_id(source, client, clock) if info & _HAS_RIGHT else None
    if is_entry and right is not None:
        raise DocumentError("an entry of a record is placed before another one")
    parent: Id | None = None
    key: str | None = None
    key_inside: str | None = None
    if left is None and right is None:
        if source.raw.startswith(_ROOT, source.at):
            source.at += len(_ROOT)
            if not is_entry:
                raise DocumentError("an update writes into the record's map without a key")
            key = source.string()
        elif source.byte():
            raise DocumentError("an update writes outside of the record's map")
        else:
            parent = _read_id(source, client, clock)
            key_inside = source.string() if is_entry else None
    length, pairs, shared = _read_content(source, kind, is_entry=is_entry)
    end = clock + length
    return Struct(clock, end, kind, is_entry, left, right, parent, key, pairs, key_inside, shared)


def _read_content(
    source: UpdateBytes, kind: int, *, is_entry: bool
) -> tuple[int, bytes | None, int | None]:
    """The length in clocks, the UTF-16 units where some belong together, and the shared type."""
    if kind == DELETED:
        return _length(source), None, None
    if kind == STRING:
        text = source.string()
        if is_entry:
            raise DocumentError("an update writes a text's piece as an entry")
        if not text:
            raise DocumentError("an update has an empty part")
        if text.isascii() or max(text) <= _LAST_IN_BMP:
            return len(text), None, None
        units = text.encode("utf-16-le")
        return len(units) // 2, units, None
    if kind == TYPE:
        shared = source.byte()
        if shared not in _SHARED:
            raise DocumentError("an update has a shared type that no record has")
        return 1, None, shared
    if is_entry:
        return 1, None, PLAIN_STRING if source.value() else None
    return source.values(), None, None


def _read_id(source: UpdateBytes, client: int, clock: int) -> Id:
    """An id that a struct names: of its own client it can only be an earlier one."""
    named = source.number(_CLIENT_END), source.number(limits.UPDATE_CLOCK_MAX)
    if named[0] == client and named[1] >= clock:
        raise DocumentError("a part of an update builds on itself or on a later one")
    return named


def _length(source: UpdateBytes) -> int:
    length = source.number(limits.UPDATE_CLOCK_MAX)
    if not length:
        raise DocumentError("an update has an empty part")
    return length


def _read_deletes(source: UpdateBytes, parts_max: int) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    total = 0
    for _ in range(source.count(4)):
        client = source.number(_CLIENT_END)
        if client in found:
            raise DocumentError("an update names one client id twice in what it deletes")
        count = source.count(2)
        total += count
        if total > parts_max and not source.is_own:
            raise DocumentError("an update deletes more pieces than a record can have")
        if not count:
            raise DocumentError("an update names a client id without anything that it deletes")
        ranges = found[client] = []
        after = 0
        for _ in range(count):
            clock = source.number(limits.UPDATE_CLOCK_MAX)
            length = _length(source)
            if clock < after or clock + length > limits.UPDATE_CLOCK_MAX:
                raise DocumentError("what an update deletes is out of order")
            ranges.append((clock, length))
            after = clock + length
    return found

"""The core of a large record: what is live of it, and the ends of each run that is gone.

pycrdt takes a time for each session that ever wrote to a record: of one that was edited for ten
years, half a second to load it. The core is a document of its own, of a few kilobytes, in which the
same is shown under the same ids. What an edit of the core names is next to each other in the whole
record too: a run of deleted characters keeps its first and its last one, and pycrdt writes before
the one or behind the other. So the update of such an edit is one that the whole record could have
given, and merges everywhere as that does.

What another computer sent is merged into the core where it is certain to show the same there
(``admits``):

1. Its author's client ids and slots came after the core was made, so that the core has all of
   theirs. So no entry of theirs is missing here that would have a say in what a key holds.
2. Each piece of a text is put between two that are next to each other, with nothing left out in
   between: there is one place for it, whatever else the record holds.
3. What it deletes is here, or known to be gone.

For all else the whole record is loaded. A record that holds anything but registers and texts, as a
newer version may write, has no core. Knows nothing of pycrdt.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from bifolio.document.piece_order import PieceOrder
from bifolio.document.update_rules import StructIndex, integration_order, slot_of
from bifolio.document.update_structure import (
    ANY,
    DELETED,
    GC,
    STRING,
    TEXT,
    TYPE,
    Id,
    Struct,
    UpdateStructure,
    encode_number,
)
from bifolio.errors import DocumentError
from bifolio.ids import CONTENT_CLIENTS

_LEFT: Final = 0x80
_RIGHT: Final = 0x40
_ENTRY: Final = 0x20
_ROOT: Final = b"\x01\x01r"
_UTF16: Final = "utf-16-le"

#: Bits for each name in a filter, and how many of them a name sets: of names that are not in it one
#: in three hundred seems to be, and then the whole record is loaded.
_BITS_EACH: Final = 12
_PROBES: Final = 6
#: A new filter has room for so many times its names.
_ROOM: Final = 1.5

#: Two ids between which the core leaves something out.
Gap = tuple[Id, Id]


class Core(NamedTuple):
    """A record's core."""

    #: As a document's state.
    state: bytes
    #: Where runs of deleted characters are left out: the ids before and after.
    gaps: frozenset[Gap]


class CoreWindow(NamedTuple):
    """A record's core, and what is loaded where more of the record is needed."""

    core: Core
    #: Gives the whole state.
    load_whole: Callable[[], bytes]
    #: Gives the filter of the names in the record when the core was made.
    load_names: Callable[[], bytes]


class NameFilter:
    """Which client ids and slots a record may hold: never "no" of one that it holds."""

    def __init__(self, raw: bytes) -> None:
        """``raw`` is what ``to_bytes`` gave; without any bytes it may hold all."""
        self._count = int.from_bytes(raw[:4], "little")
        self._bits = bytearray(raw[4:])

    @classmethod
    def of(cls, structure: UpdateStructure) -> NameFilter:
        """The names in a record's state."""
        names = _names(structure)
        made = cls(bytes(4) + bytes(max(1, int(len(names) * _BITS_EACH * _ROOM) // 8)))
        made._add(names)
        return made

    def extend(self, structures: Iterable[UpdateStructure]) -> bool:
        """Add the names of further updates; False where there is no room for them."""
        for one in structures:
            self._add(_names(one))
        return self._count * _BITS_EACH <= len(self._bits) * 8

    def may_have(self, name: int | str) -> bool:
        """Whether the record may hold a client id or slot."""
        bits = self._bits
        return not bits or all(bits[at >> 3] & 1 << (at & 7) for at in self._probes(name))

    def to_bytes(self) -> bytes:
        """The filter as it is stored."""
        return self._count.to_bytes(4, "little") + self._bits

    def _add(self, names: Collection[int | str]) -> None:
        self._count += len(names)
        for one in names:
            for at in self._probes(one):
                self._bits[at >> 3] |= 1 << (at & 7)

    def _probes(self, name: int | str) -> Iterator[int]:
        size = len(self._bits) * 8
        digest = hashlib.blake2b(str(name).encode(), digest_size=4 * _PROBES).digest()
        for start in range(0, len(digest), 4):
            yield int.from_bytes(digest[start : start + 4], "little") % size


def _names(structure: UpdateStructure) -> set[int | str]:
    return {*structure.structs, *map(_name_of, structure.keys)}


def _name_of(key: str) -> str:
    return slot_of(key) or key


class _Piece(NamedTuple):
    """Clocks of one client that are next to each other, all live or all gone."""

    client: int
    start: int
    end: int
    is_live: bool
    #: When it came, among the record's structs.
    place: int

    @property
    def came(self) -> tuple[int, int]:
        """By which pieces are in an order in which each only names earlier ones."""
        return self.place, self.start

    def holds(self, named: Id) -> bool:
        """Whether a clock is of it."""
        return named[0] == self.client and self.start <= named[1] < self.end


def make_core(
    structure: UpdateStructure,
    order: PieceOrder,
    content: Mapping[str, object],
    gaps: Collection[Gap] = (),
) -> Core | None:
    """The core of a record, or a smaller one of a core.

    Args:
        structure: of its state.
        order: of its pieces.
        content: what its keys hold, as JSON has it.
        gaps: of the core of which this is the state.

    Returns:
        the core; None of a record that has none.
    """
    places = {
        (client, struct.start): place
        for place, (client, struct) in enumerate(integration_order(structure, {}))
    }
    making = _Making(structure, places, [one for one, _ in gaps])
    live_keys: set[str] = set()
    for client, structs in structure.structs.items():
        for struct in structs:
            if struct.kind in (GC, DELETED) or (struct.kind == STRING and not struct.is_entry):
                continue
            encoded = _encode_entry(struct, content, _key_of(structure, client, struct))
            if encoded is None or encoded[0] in live_keys:
                return None
            key, raw = encoded
            live_keys.add(key)
            making.put(client, struct.start, struct.end, raw)
            text = content[key]
            if isinstance(text, str):
                holder = (client, struct.start)
                if not making.put_text(holder, text, order.runs((*holder, None))):
                    return None
    if live_keys != content.keys():
        return None
    return Core(making.encode(), frozenset(making.gaps))


def _key_of(structure: UpdateStructure, client: int, struct: Struct) -> str | None:
    """The key of an entry; None where it is in no record's map, or of another client's key."""
    while struct.key is None:
        if struct.left is None or struct.left[0] != client:
            return None
        struct = _holding(structure, struct.left)
    return struct.key


def _holding(structure: UpdateStructure, named: Id) -> Struct:
    structs = structure.structs[named[0]]
    return structs[bisect_right(structs, named[1], key=lambda one: one.start) - 1]


def _encode_entry(
    struct: Struct, content: Mapping[str, object], key: str | None
) -> tuple[str, bytes] | None:
    """An entry's key, and the entry as the first one of its key."""
    if key is None or not struct.is_entry or key not in content:
        return None
    value = content[key]
    begin = _ROOT + _string(key)
    if struct.kind == TYPE:
        if struct.shared != TEXT or not isinstance(value, str):
            return None
        return key, bytes([_ENTRY | TYPE]) + begin + bytes([TEXT])
    if struct.kind != ANY or not isinstance(value, list) or len(value) != 2:
        return None
    stamp, held = value
    if not isinstance(stamp, str) or not (held is None or isinstance(held, str)):
        return None
    pair = b"\x75\x02\x77" + _string(stamp) + (b"\x7e" if held is None else b"\x77" + _string(held))
    return key, bytes([_ENTRY | ANY]) + begin + b"\x01" + pair


class _Making:
    """The structs of a core, gathered by client."""

    def __init__(
        self, structure: UpdateStructure, places: Mapping[Id, int], before_gaps: Collection[Id]
    ) -> None:
        self._structure = structure
        #: By client id and first clock: where a struct is in an order of what names earlier ones.
        self._places = places
        self._before_gaps = before_gaps
        self._written: dict[int, list[tuple[int, int, bytes]]] = {}
        self.gaps: set[Gap] = set()

    def put(self, client: int, start: int, end: int, raw: bytes) -> None:
        """Take a struct."""
        self._written.setdefault(client, []).append((start, end, raw))

    def put_text(self, holder: Id, text: str, runs: Iterator[tuple[int, int, int]]) -> bool:
        """Take the pieces of a text; False where they do not make it.

        Each names its neighbours among those that came before it in the record: no piece can name
        a later one, and there is one place for it.
        """
        units, at = text.encode(_UTF16), 0
        pieces = list(self._thinned(self._cut(runs)))
        contents: list[bytes] = []
        for piece in pieces:
            if not piece.is_live:
                contents.append(bytes([DELETED]) + encode_number(piece.end - piece.start))
                continue
            size = 2 * (piece.end - piece.start)
            try:
                contents.append(bytes([STRING]) + _string(units[at : at + size].decode(_UTF16)))
            except UnicodeDecodeError:
                return False
            at += size
        for piece, content, left, right in zip(
            pieces, contents, *self._neighbours(pieces), strict=True
        ):
            info, named = content[0], b""
            if left is not None:
                info, named = info | _LEFT, _id((left.client, left.end - 1))
            if right is not None:
                info, named = info | _RIGHT, named + _id((right.client, right.start))
            named = named or b"\x00" + _id(holder)
            self.put(piece.client, piece.start, piece.end, bytes([info]) + named + content[1:])
        return at == len(units)

    def _cut(self, runs: Iterator[tuple[int, int, int]]) -> Iterator[_Piece]:
        """Pieces in their order, cut where what is live and what is gone meet."""
        for client, start, end in runs:
            structs = self._structure.structs[client]
            at = bisect_right(structs, start, key=lambda one: one.start) - 1
            while start < end:
                struct = structs[at]
                to = min(end, struct.end)
                place = self._places[client, struct.start]
                yield _Piece(client, start, to, struct.kind == STRING, place)
                start, at = to, at + 1

    def _thinned(self, pieces: Iterator[_Piece]) -> Iterator[_Piece]:
        """Of pieces next to each other that are gone the first clock and the last one."""
        for is_live, group in groupby(pieces, key=lambda one: one.is_live):
            run = list(group)
            if is_live:
                yield from run
                continue
            first = run[0]._replace(end=run[0].start + 1)
            last = run[-1]._replace(start=run[-1].end - 1)
            yield first
            if (first.client, first.start) != (last.client, last.start):
                yield last
            had_gap = any(one.holds(id_) for one in run for id_ in self._before_gaps)
            if had_gap or sum(one.end - one.start for one in run) > 2:
                self.gaps.add(((first.client, first.start), (last.client, last.start)))

    @staticmethod
    def _neighbours(
        pieces: Sequence[_Piece],
    ) -> tuple[list[_Piece | None], list[_Piece | None]]:
        """Of each piece the one before and the one after it, of those that came earlier."""
        count = len(pieces)
        before, after = [at - 1 for at in range(count)], [at + 1 for at in range(count)]
        latest_first = sorted(range(count), key=lambda at: pieces[at].came, reverse=True)
        for at in latest_first:
            left, right = before[at], after[at]
            if left >= 0:
                after[left] = right
            if right < count:
                before[right] = left
        return (
            [pieces[at] if at >= 0 else None for at in before],
            [pieces[at] if at < count else None for at in after],
        )

    def encode(self) -> bytes:
        """The structs as an update: what is left out of their clients is gone."""
        raw = encode_number(len(self._written))
        for client, structs in self._written.items():
            parts: list[bytes] = []
            reached = 0
            for start, end, one in sorted(structs):
                if reached < start:
                    parts.append(bytes([GC]) + encode_number(start - reached))
                parts.append(one)
                reached = end
            end = self._structure.structs[client][-1].end
            if reached < end:
                parts.append(bytes([GC]) + encode_number(end - reached))
            raw += encode_number(len(parts)) + encode_number(client) + b"\x00" + b"".join(parts)
        return raw + b"\x00"


def _string(text: str) -> bytes:
    raw = text.encode()
    return encode_number(len(raw)) + raw


def _id(one: Id) -> bytes:
    return encode_number(one[0]) + encode_number(one[1])


def names_gap(update: UpdateStructure, gaps: Collection[Gap]) -> bool:
    """Whether an update puts something where a core leaves something out."""
    left_out = set(gaps)
    return any(
        (one.left, one.right) in left_out for structs in update.structs.values() for one in structs
    )


def admits(
    update: UpdateStructure,
    held: StructIndex,
    gaps: Collection[Gap],
    load_names: Callable[[], bytes],
) -> bool:
    """Whether an update merged into a core shows what it shows merged into the whole record.

    Args:
        update: from another computer.
        held: the core's structs.
        gaps: of the core.
        load_names: gives the filter of the names in the record when the core was made.
    """
    names = NameFilter(load_names())
    if not all(_is_new(client, structs, held, names) for client, structs in update.structs.items()):
        return False
    for client, ranges in update.deletes.items():
        structs = update.structs.get(client)
        end = max(held.reached(client), structs[-1].end if structs else 0)
        if sum(ranges[-1]) > end:
            return False
    try:
        return _have_one_place(update, held, gaps)
    except (DocumentError, LookupError):
        return False


def _is_new(client: int, structs: list[Struct], held: StructIndex, names: NameFilter) -> bool:
    """Whether the core has all of a client that writes, and of its keys."""
    if client >= CONTENT_CLIENTS or names.may_have(client):
        return False
    if structs[0].start != held.reached(client):
        return False
    keys: set[str] = set()
    for struct in structs:
        if struct.kind == GC or (struct.kind not in (ANY, TYPE, STRING, DELETED)):
            return False
        if not struct.is_entry:
            continue
        if struct.key is None:
            if struct.left is None or struct.left[0] != client:
                return False
            continue
        if struct.key in keys or names.may_have(_name_of(struct.key)):
            return False
        if held.has_key(struct.key):
            return False
        if struct.kind == TYPE and struct.shared != TEXT:
            return False
        keys.add(struct.key)
    return True


def _have_one_place(update: UpdateStructure, held: StructIndex, gaps: Collection[Gap]) -> bool:
    """Whether each piece of an update is put between two that are next to each other."""
    pieces = [
        (client, struct)
        for client, structs in update.structs.items()
        for struct in structs
        if not struct.is_entry
    ]
    if not pieces:
        return True
    known = {client: held.reached(client) for client in held.clients()}
    order, left_out = held.copy_order(), set(gaps)
    homes: dict[Id, tuple[int, int, None]] = {}
    for client, struct in integration_order(update, known):
        if struct.is_entry:
            continue
        holder = _find_holder(struct, update, held, homes)
        if holder is None or (struct.left, struct.right) in left_out:
            return False
        if not order.are_neighbours(struct.left, struct.right, holder):
            return False
        order.put(client, struct, holder)
        for clock in (struct.start, struct.end - 1):
            homes[client, clock] = holder
    return True


def _find_holder(
    struct: Struct,
    update: UpdateStructure,
    held: StructIndex,
    homes: Mapping[Id, tuple[int, int, None]],
) -> tuple[int, int, None] | None:
    """The text in which a piece is; None where it is in none that is here."""
    named = struct.left or struct.right
    if named is None:
        if struct.parent is None:
            return None
        is_new = struct.parent[0] in update.structs and struct.parent[1] >= held.reached(
            struct.parent[0]
        )
        holder = _holding(update, struct.parent) if is_new else held.find(*struct.parent)[0]
        if holder.kind != TYPE or holder.shared != TEXT:
            return None
        return (*struct.parent, None)
    if named in homes:
        return homes[named]
    if named[1] >= held.reached(named[0]):
        written = _holding(update, named)
        return _find_holder(written, update, held, homes) if not written.is_entry else None
    home = held.find(*named)[1]
    return (home[0], home[1], None) if isinstance(home, tuple) and home[2] is None else None

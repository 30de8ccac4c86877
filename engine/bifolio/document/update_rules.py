"""Whether an update can be merged into a record: complete, and each part in a place for it.

pycrdt keeps what it cannot place yet, silently: two replicas with the same changes would differ.
And it takes a part's place from what the part names, whatever that is: a piece of a text that
names a register's value as its left becomes the register's value. So every named id is looked up:

1. A client's structs follow those that are held without a gap, and no part waits for another one
   for ever. What is deleted is there.
2. An entry follows another entry, whose key it has then, or says its key and its map.
3. A piece of a text names pieces of one text, or a text that it begins; a piece of a list, which a
   newer version may write, the same. Where these are gone with their text, it is gone with them.
4. No character of two UTF-16 units is cut in two: pycrdt's replicas part there.
5. What repeats a part that is held in its beginning goes on in the same place.

Knows nothing of pycrdt.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NoReturn

from msgspec import Struct as Value

from bifolio import limits
from bifolio.document.piece_order import Holder, PieceOrder
from bifolio.document.update_structure import (
    DELETED,
    GC,
    MAP,
    PLAIN_STRING,
    STRING,
    TEXT,
    TYPE,
    Id,
    Struct,
    UpdateStructure,
)
from bifolio.document.update_values import STRING_ALONE
from bifolio.errors import DocumentError, IncompleteUpdateError
from bifolio.ids import SEPARATOR, SLOT_LENGTH

#: Where a struct is: under a key of the record's map; in the text, list or map that another
#: struct made, in a map with its key; or gone with that.
Home = str | tuple[int, int, str | None] | None

#: A struct of a client, and where it is.
Placed = tuple[int, Struct, Home]

_MISPLACED: Final = "a part of an update is put where no part of its kind can be"


class StructIndex:
    """The structs of a record and where each of them is. Built of a state, and added to.

    Where a struct of the state is gets looked up when it is asked for: few ever are.
    """

    __slots__ = ("_by_client", "_homes", "_order", "_placed", "_state")

    def __init__(self, state: UpdateStructure | None = None) -> None:
        """Of a document's state, which is trusted; empty without one."""
        self._state = state
        self._by_client: dict[int, tuple[list[int], list[Struct]]] = {}
        for client, structs in (state.structs if state is not None else {}).items():
            self._by_client[client] = ([struct.start for struct in structs], structs.copy())
        self._homes: dict[Id, Home] = {}
        #: Those that came after the state, each after those that it names.
        self._placed: list[Placed] = []
        self._order: PieceOrder | None = None

    def add(self, client: int, struct: Struct, home: Home) -> None:
        """Add a struct, which is later than all of its client."""
        starts, structs = self._by_client.setdefault(client, ([], []))
        starts.append(struct.start)
        structs.append(struct)
        self._homes[client, struct.start] = home

    def extend(self, update: CheckedUpdate) -> None:
        """Add what is new in an update that was merged."""
        for client, struct, home in update.placed:
            _, structs = self._by_client.setdefault(client, ([], []))
            have = structs[-1].end if structs else 0
            if have < struct.end:
                if struct.start < have:
                    struct = _rest(client, struct, have)
                self.add(client, struct, home)
                self._placed.append((client, struct, home))
        if update.order is not None:
            self._order = update.order
        elif any(not struct.is_entry for _, struct, _ in update.placed):
            self._order = None  # it lacks these pieces: made again where it is asked for

    def find(self, client: int, clock: int) -> tuple[Struct, Home]:
        """The struct that holds a clock, and where it is.

        Raises:
            DocumentError: there is none.
        """
        struct = self._holding(client, clock)
        return struct, self._home(client, struct)

    def reached(self, client: int) -> int:
        """The clock after the last one of a client that is held."""
        _, structs = self._by_client.get(client, ([], []))
        return structs[-1].end if structs else 0

    def clients(self) -> Collection[int]:
        """The client ids of which something is held."""
        return self._by_client.keys()

    def has_key(self, key: str) -> bool:
        """Whether a struct that is held names a key itself."""
        return any(one.key == key for _, structs in self._by_client.values() for one in structs)

    def copy_order(self) -> PieceOrder:
        """The order of the pieces, to try something with it."""
        return self._make_order(entries=False)

    def take_order(self) -> PieceOrder:
        """The order of the pieces, for one update: whoever takes it and merges gives it back."""
        order, self._order = self._order, None
        return self._make_order(entries=False) if order is None else order

    def entry_order(self) -> PieceOrder:
        """The order of the entries of each key."""
        return self._make_order(entries=True)

    def _make_order(self, *, entries: bool) -> PieceOrder:
        order = PieceOrder()
        if self._state is not None:
            for client, struct in integration_order(self._state, {}):
                if struct.is_entry == entries and (home := self._home(client, struct)) is not None:
                    order.begin()
                    order.put(client, struct, home, is_checked=True)
        for client, struct, home in self._placed:
            if struct.is_entry == entries and home is not None:
                order.begin()
                order.put(client, struct, home, is_checked=True)
        return order

    def _holding(self, client: int, clock: int) -> Struct:
        starts, structs = self._by_client.get(client, ([], []))
        at = bisect_right(starts, clock) - 1
        if at < 0 or structs[at].end <= clock:
            _refuse_incomplete((client, clock))
        return structs[at]

    def _home(self, client: int, struct: Struct) -> Home:
        """Where a struct is: as it says, or where the one is that it follows."""
        if struct.key is not None:
            return struct.key
        passed: list[Id] = []
        while (client, struct.start) not in self._homes:
            passed.append((client, struct.start))
            named = struct.left or struct.right
            if named is None:
                self._homes[passed[-1]] = self._begun(struct)
                break
            client, struct = named[0], self._holding(*named)
        home = self._homes[client, struct.start]
        for one in passed:
            self._homes[one] = home
        return home

    def _begun(self, struct: Struct) -> Home:
        """Where a struct is that follows none."""
        if struct.parent is None:
            return struct.key  # none: GC
        is_there = self._holding(*struct.parent).kind == TYPE
        return (*struct.parent, struct.key_inside) if is_there else None


def _rest(client: int, struct: Struct, have: int) -> Struct:
    """The rest of a piece of which the document holds what is before a clock."""
    pairs = struct.pairs and struct.pairs[2 * (have - struct.start) :]
    return struct._replace(start=have, left=(client, have - 1), parent=None, pairs=pairs)


class CheckedUpdate(Value, frozen=True):
    """An update that can be merged into the document that it was checked for."""

    structure: UpdateStructure
    #: By client id: the keys under which it writes what the document does not hold yet.
    keys: dict[int, set[str]]
    #: By client id: the clock after the last one, of what the document does not hold yet.
    reached: dict[int, int]
    #: Client, struct and its home, in an order in which each only names earlier ones.
    placed: list[Placed]
    #: The order of the document's pieces with those of this update; None where it has none in texts
    #: that are there already.
    order: PieceOrder | None = None
    #: Whether structs of it name others, which pycrdt looks for.
    names_others: bool = False


def slots_written(update: CheckedUpdate) -> dict[int, set[str]]:
    """By client id: the slots of the registers and texts under whose keys an update writes.

    A register's key ends with its slot, a text's with its slot and a number. A key of neither
    form gives the empty string: nobody knows whose it is.
    """
    return {client: set(map(slot_of, keys)) for client, keys in update.keys.items()}


def slot_of(key: str) -> str:
    """The slot that a key names; empty where it names none."""
    head, _, last = key.rpartition(SEPARATOR)
    if not head:
        return ""
    if len(last) == SLOT_LENGTH:
        return last
    name, _, slot = head.rpartition(SEPARATOR)
    is_text = name and len(slot) == SLOT_LENGTH and last.isascii() and last.isdigit()
    return slot if is_text else ""


def check_complete(structure: UpdateStructure, known: Mapping[int, int]) -> None:
    """Check that applying an update to a document leaves nothing waiting.

    Args:
        structure: the update's.
        known: the document's state vector.

    Raises:
        IncompleteUpdateError: parts are missing before it, it names what is nowhere, or deletes
            it.
    """
    for _ in integration_order(structure, known):
        pass
    _check_deletes(structure, known)


def check_update(
    structure: UpdateStructure,
    known: Mapping[int, int],
    held: Callable[[], StructIndex],
    *,
    may_cut: bool = True,
) -> CheckedUpdate:
    """Check an update against the document that it is to be merged into.

    Args:
        structure: the update's.
        known: the document's state vector.
        held: the document's structs; asked for only where the update names some of them.
        may_cut: whether the document's texts may hold characters of two UTF-16 units.

    Raises:
        DocumentError: it breaks one of the rules above.
    """
    if len(structure.structs) == 1:
        simple = _check_simple(structure, known)
        if simple is not None and not (may_cut and structure.deletes):
            return simple
    placing = _Placing(structure, known, held)
    placed: list[Placed] = []
    keys: dict[int, set[str]] = {}
    for client, struct in integration_order(structure, known):
        home: Home = struct.key
        if home is None:
            home = placing.home(struct)
        have = known.get(client, 0)
        if have < struct.end:
            if struct.is_entry and isinstance(home, str):
                keys.setdefault(client, set()).add(home)
            if struct.start < have:
                placing.check_continued(client, struct, home, have)
            placing.add(client, struct, home)
        placed.append((client, struct, home))
    _check_deletes(structure, known)
    placing.check_cuts(structure, may_cut=may_cut)
    reached = {
        client: structs[-1].end
        for client, structs in structure.structs.items()
        if structs[-1].end > known.get(client, 0)
    }
    return CheckedUpdate(structure, keys, reached, placed, placing.put_new(placed), True)


def _check_simple(structure: UpdateStructure, known: Mapping[int, int]) -> CheckedUpdate | None:
    """The check of one client's new entries under different keys, which name nothing, and of the
    first pieces of texts among them, one each; None of any other update. Most are of this kind."""
    for client, structs in structure.structs.items():
        if structs[0].start != known.get(client, 0):
            return None
        keys: set[str] = set()
        placed: list[Placed] = []
        empty: set[Id] = set()  # the texts that no piece is in yet
        pieces = 0
        for struct in structs:
            key = struct.key
            if key is not None:
                keys.add(key)
                placed.append((client, struct, key))
                if struct.shared == TEXT:
                    empty.add((client, struct.start))
                continue
            parent = struct.parent
            if parent is None or parent not in empty or struct.kind != STRING or struct.is_entry:
                return None
            empty.remove(parent)
            placed.append((client, struct, (*parent, None)))
            pieces += 1
        if len(keys) + pieces < len(structs) or (pieces and structure.deletes):
            return None
        _check_deletes(structure, known)
        return CheckedUpdate(structure, {client: keys}, {client: structs[-1].end}, placed)
    return None


def index_of(structure: UpdateStructure) -> StructIndex:
    """The index of a document, of the structure of its state."""
    return StructIndex(structure)


def integration_order(
    structure: UpdateStructure, known: Mapping[int, int]
) -> Iterator[tuple[int, Struct]]:
    """An update's structs, each after all that it names.

    Raises:
        IncompleteUpdateError: there is no such order, or something is missing before it.
    """
    for client, structs in structure.structs.items():
        if structs[0].start > known.get(client, 0):
            raise IncompleteUpdateError(
                "an update goes on from a part that is missing",
                needs=(client, structs[0].start - 1),
            )
    if len(structure.structs) > 1:
        yield from _order_clients(structure, known)
        return
    for client, structs in structure.structs.items():
        for struct in structs:
            if struct.key is None:
                missing = _find_missing(struct, client, known)
                if missing is not None:
                    _refuse_incomplete(missing)
            yield client, struct


def _order_clients(
    structure: UpdateStructure, known: Mapping[int, int]
) -> Iterator[tuple[int, Struct]]:
    """``integration_order`` of several clients, which may wait for each other."""
    reached = dict(known)
    waiting: dict[int, list[tuple[int, int]]] = {}
    next_of = dict.fromkeys(structure.structs, 0)
    ready = list(structure.structs)
    while ready:
        client = ready.pop()
        structs = structure.structs[client]
        for at in range(next_of[client], len(structs)):
            struct = structs[at]
            missing = _find_missing(struct, client, reached)
            if missing is not None:
                if missing[0] not in next_of:
                    _refuse_incomplete(missing)
                next_of[client] = at
                heapq.heappush(waiting.setdefault(missing[0], []), (missing[1], client))
                break
            yield client, struct
            if struct.end > reached.get(client, 0):
                reached[client] = struct.end
                queue = waiting.get(client)
                while queue and queue[0][0] < struct.end:
                    ready.append(heapq.heappop(queue)[1])
    for holder, left in waiting.items():
        if left:
            _refuse_incomplete((holder, left[0][0]))


def _find_missing(struct: Struct, client: int, reached: Mapping[int, int]) -> Id | None:
    """An id that a struct names and that is not there; of its own client all earlier ones are."""
    for named in (struct.left, struct.right, struct.parent):
        if named is not None and named[0] != client and named[1] >= reached.get(named[0], 0):
            return named
    return None


def _refuse_incomplete(needs: Id) -> NoReturn:
    raise IncompleteUpdateError("an update builds on what is not there", needs=needs)


def _check_deletes(structure: UpdateStructure, known: Mapping[int, int]) -> None:
    for client, ranges in structure.deletes.items():
        structs = structure.structs.get(client)
        end = max(known.get(client, 0), structs[-1].end if structs else 0)
        clock, length = ranges[-1]
        if clock + length > end:
            raise IncompleteUpdateError(
                "an update deletes what is not there", needs=(client, clock + length - 1)
            )


class _Placing:
    """Finds where each struct of an update is: in the document, or in the update itself."""

    def __init__(
        self,
        structure: UpdateStructure,
        known: Mapping[int, int],
        held: Callable[[], StructIndex],
    ) -> None:
        self._structs = structure.structs
        self._known = known
        self._ask = held
        self._held: StructIndex | None = None
        self._new = StructIndex()

    def add(self, client: int, struct: Struct, home: Home) -> None:
        self._new.add(client, struct, home)

    def find(self, named: Id) -> tuple[Struct, Home]:
        """The struct with an id: as the document has it, where it has it."""
        if named[1] >= self._known.get(named[0], 0):
            return self._new.find(*named)
        return self.held.find(*named)

    def home(self, struct: Struct) -> Home:
        """Where a struct is that names no key of the record's map."""
        if struct.kind == GC:
            return None
        if struct.parent is not None:
            home: Home = (*struct.parent, struct.key_inside)
        else:
            homes: list[Home] = []
            for named, after in ((struct.left, 1), (struct.right, 0)):
                if named is not None:
                    neighbour, found = self.find(named)
                    _check_cut(neighbour, named[1] + after)
                    homes.append(found)
            home = homes[0]
            if homes[-1] != home:
                raise DocumentError(_MISPLACED)
        if isinstance(home, tuple):
            return self._check_inside(struct, home)
        if home is not None and not struct.is_entry:
            raise DocumentError(_MISPLACED)
        if home is not None and struct.shared == PLAIN_STRING:
            raise DocumentError(STRING_ALONE)
        return home

    def _check_inside(self, struct: Struct, home: tuple[int, int, str | None]) -> Home:
        """Check that what holds a struct can hold it; None where that is gone."""
        if struct.is_entry != (home[2] is not None):
            raise DocumentError(_MISPLACED)
        holder, holders_home = self.find(home[:2])
        if holder.kind == GC or (holder.kind == DELETED and struct.parent is not None):
            return None
        if holder.kind == TYPE:
            if holder.shared == TEXT:
                fits = struct.kind in (STRING, DELETED)
            else:
                fits = struct.kind != STRING
            if fits and struct.is_entry == (holder.shared == MAP):
                if struct.kind == TYPE:
                    self._check_depth(holders_home)
                return home
        raise DocumentError(_MISPLACED)

    def _check_depth(self, home: Home) -> None:
        for _ in range(limits.SHARED_DEPTH_MAX - 1):
            if not isinstance(home, tuple):
                return
            home = self.find(home[:2])[1]
        raise DocumentError("shared types in an update are nested too deep")

    def check_continued(self, client: int, struct: Struct, home: Home, have: int) -> None:
        """Check a struct of which the document holds the beginning: it goes on in its place."""
        _check_cut(struct, have)
        if struct.kind != GC and self.find((client, have - 1))[1] != home:
            raise DocumentError("an update goes on from another part than the one that is there")

    def put_new(self, placed: list[Placed]) -> PieceOrder | None:
        """Put new pieces of texts and lists in their places, and several entries of one key; the
        order of the document's pieces with them, where that was asked for."""
        pieces: list[tuple[int, Struct, Holder]] = []
        entries: list[tuple[int, Struct, Holder]] = []
        for client, struct, home in placed:
            if home is not None and self._known.get(client, 0) < struct.end:
                (entries if struct.is_entry else pieces).append((client, struct, home))
        if len({home for _, _, home in entries}) < len(entries):
            self._put(entries, self.held.entry_order() if self._known else PieceOrder())
        if not pieces:
            return None
        is_held = self._held is not None or any(
            home[1] < self._known.get(home[0], 0)
            for _, _, home in pieces
            if isinstance(home, tuple)
        )
        order = self.held.take_order() if is_held else PieceOrder()
        self._put(pieces, order)
        return order if is_held else None  # of some texts only

    def _put(self, new: list[tuple[int, Struct, Holder]], order: PieceOrder) -> None:
        order.begin()
        for client, struct, home in new:
            order.put(client, struct, home, self._known.get(client, 0))

    @property
    def held(self) -> StructIndex:
        """The document's structs."""
        if self._held is None:
            self._held = self._ask()
        return self._held

    def check_cuts(self, structure: UpdateStructure, *, may_cut: bool) -> None:
        """Check that no character is deleted by half."""
        for client, ranges in structure.deletes.items():
            have = self._known.get(client, 0)
            for clock, length in ranges:
                for at in (clock, clock + length - 1):
                    if may_cut or at >= have:
                        struct, _ = self.find((client, at))
                        _check_cut(struct, at if at == clock else at + 1)
                        if length == 1:
                            _check_cut(struct, at + 1)


def _check_cut(struct: Struct, clock: int) -> None:
    """Check that a struct can be cut before a clock."""
    if (
        struct.pairs is not None
        and struct.start < clock < struct.end
        and struct.pairs[2 * (clock - struct.start) + 1] & 0xFC == 0xDC
    ):
        raise DocumentError("an update cuts a character in two")

"""One record as a pycrdt document: the only module of Bifolio that imports pycrdt.

A record is one ``Doc`` whose root map ``r`` holds the flat keys. Updates are taken from the
transaction's event, never from ``get_update()`` against an old state, which repeats every
delete (DESIGN §4). One thread per document: a second one would join an open transaction.

What another computer sent is checked before pycrdt sees it (``update_structure``,
``update_rules``): some updates end the process inside pycrdt, others part replicas silently. What
pycrdt refuses all the same may have changed half of its document, so that one is made again of
the last state and what came after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from bifolio.document.entries import Entries, parse_entries, without_superseded_imports
from bifolio.document.plan import Plan, TextEdit
from bifolio.document.update_rules import CheckedUpdate, StructIndex, check_update, index_of
from bifolio.document.update_structure import (
    UpdateStructure,
    encode_clock,
    read_state_vector,
    read_update,
)
from bifolio.errors import DocumentError
from bifolio.lazy import pattern
from bifolio.records.canonical import read_map

if TYPE_CHECKING:
    from pycrdt import Doc, Map, Text, TransactionEvent

_ROOT = "r"
_EMPTY_UPDATE = b"\x00\x00"
#: What may be a character of two UTF-16 units among an update's bytes, and what one begins with.
_MAY_BE_PAIR = pattern(rb"[\xf0-\xf4][\x80-\xbf]{3}")
_PAIR_BEGINS = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


@cache
def _pycrdt() -> ModuleType:
    """pycrdt, loaded with the first document: it takes 0.1 s, and reading commands need none."""
    return import_module("pycrdt")


class RecordDocument:
    """A record's document, loaded from its state and writing under one client id."""

    def __init__(self, state: bytes | None = None, *, client_id: int | None = None) -> None:
        """Load a record.

        Args:
            state: what ``state()`` gave, None for a record that is not there yet.
            client_id: the incarnation's client id; None to read and merge only.

        Raises:
            DocumentError: the state cannot be read.
        """
        self._document: Doc[Map[object]] = _pycrdt().Doc(client_id=client_id)
        with _TRANSLATED, self._document.transaction():
            if state is not None:
                self._document.apply_update(state)
            self._map: Map[object] = self._document.get(_ROOT, type=_pycrdt().Map)
            #: The state vector as it was loaded; None once something was written or merged.
            self._loaded: bytes | None = self._document.get_state()
        self._entries: Entries | None = None
        self._state: bytes | None = None
        #: A state, and the updates merged and written since: what the document can be made again
        #: of. None where it has to be asked for first.
        self._base: bytes | None = state if state is not None else _EMPTY_UPDATE
        self._since: list[bytes] = []
        #: What the document holds, for checks of updates; each None until it is asked for.
        self._known: dict[int, int] | None = None
        self._index: StructIndex | None = None
        self._may_cut: bool | None = None

    @classmethod
    def of(cls, plan: Plan, *, client_id: int) -> RecordDocument:
        """A new record that holds a plan and nothing else: what an import makes most of.

        Nobody asks for its update, which is its state, and its entries are the plan's.
        """
        document = cls(client_id=client_id)
        with document._document.transaction():
            document._carry_out(plan)
        document._entries = plan.alone()
        document._base = document._loaded = None
        return document

    @classmethod
    def of_values(cls, values: Mapping[str, object], *, client_id: int) -> RecordDocument:
        """A new record that holds just these keys: a string is a text, a list a register's value
        with its stamp."""
        document = cls(client_id=client_id)
        with document._document.transaction():
            document._put(values)
        document._base = document._loaded = None
        return document

    def entries(self) -> Entries:
        """The flat keys, parsed; valid until the next write or merge."""
        if self._entries is None:
            # As JSON in one call: to_py() takes a transaction for each key, 54 µs against 16.
            self._entries = parse_entries(read_map(str(self._map)))
        return self._entries

    def visible(self) -> Entries:
        """The entries that are shown: without what an older mapping made of a source."""
        return without_superseded_imports(self.entries())

    def state(self) -> bytes:
        """The whole document as one update."""
        if self._state is None:
            self._state = self._base = self._document.get_update()
            self._since.clear()
        return self._state

    def check(self, update: bytes, structure: UpdateStructure | None = None) -> CheckedUpdate:
        """Check that another replica's update can be merged into this document as it is now.

        Args:
            update: its bytes.
            structure: of these bytes, where they were read already.

        Raises:
            DocumentError: they are no update of a record, or one that leaves anything waiting.
        """
        if structure is None:
            structure = read_update(update)
        may_cut = bool(structure.deletes) and self._finds_pairs()
        return check_update(structure, self.clocks(), self._structs, may_cut=may_cut)

    def merge(self, update: bytes, checked: CheckedUpdate | None = None) -> bool:
        """Apply another replica's update. False where it brought nothing new.

        Args:
            update: its bytes.
            checked: what ``check`` gave for them, with nothing written or merged since.

        Raises:
            DocumentError: as ``check``; the document is as it was.
        """
        if checked is None:
            checked = self.check(update)
        if self._base is None:
            self.state()
        try:
            changed = self._apply_checked(update, checked)
        except DocumentError:
            self._make_again()
            raise
        if self._index is not None:
            self._index.extend(checked)
        if self._known is not None:
            self._known.update(checked.reached)
        if changed:
            self._note(update)
        return changed

    def has_of(self, structure: UpdateStructure) -> bool:
        """Whether some of what an update writes is here already, or something else in its place."""
        known = self.clocks()
        return any(
            structs[0].start < known.get(client, 0) for client, structs in structure.structs.items()
        )

    def clocks(self) -> Mapping[int, int]:
        """By client id: the clock after the last one that is here. Not to be written to."""
        if self._known is None:
            held = self._document.get_state() if self._loaded is None else self._loaded
            self._known = read_state_vector(held)
        return self._known

    def begins_as(self, structure: UpdateStructure) -> bool:
        """Whether each client of an update, which begins with it, has the same first key here:
        of what its content names, that is as good as a comparison of the whole."""
        for client, structs in structure.structs.items():
            first = structs[0]
            if first.key is not None and first.key in self._map:
                continue
            if self._structs().find(client, first.start)[1] != first.key:
                return False
        return True

    def keys_deleted(self, checked: CheckedUpdate) -> set[str]:
        """The keys of the record's map of which an update deletes an entry, also one that is gone
        already: so the answer does not depend on what came before."""
        held = self._structs()
        new = StructIndex()
        new.extend(checked)
        found: set[str] = set()
        for client, ranges in checked.structure.deletes.items():
            for start, length in ranges:
                clock = start
                while clock < start + length:
                    index = held if held.reached(client) > clock else new
                    struct, home = index.find(client, clock)
                    if isinstance(home, str):
                        found.add(home)
                    clock = struct.end
        return found

    def merge_own(self, update: bytes) -> bool:
        """Apply an update that this computer made. False where it brought nothing new.

        Raises:
            DocumentError: the bytes are no update.
        """
        changed = self._apply_observed(update)
        self._note(update)
        self._known = self._index = None
        return changed

    def merge_incomplete(self, update: bytes) -> bool:
        """Apply an update of which what it builds on may be missing here, as where a device
        cannot open a part of the past. False where it brought nothing new.

        Raises:
            DocumentError: the bytes are no update of a record.
        """
        read_update(update)
        return self.merge_own(update)

    def _apply_observed(self, update: bytes) -> bool:
        changed: list[bool] = []
        subscription = self._document.observe(lambda _: changed.append(True))
        try:
            self._apply(update)
        finally:
            self._document.unobserve(subscription)
        self._entries = self._state = self._loaded = None
        return bool(changed)

    def _apply_checked(self, update: bytes, checked: CheckedUpdate) -> bool:
        """Apply an update, and see that nothing of it waits: pycrdt tells nobody what it could not
        place. False where it brought nothing new."""
        if not checked.reached:  # what it deletes may be new
            return self._apply_observed(update)
        with _TRANSLATED, self._document.transaction():
            self._document.apply_update(update)
            state_vector = self._document.get_state()
        self._entries = self._state = self._loaded = None
        if not all(encode_clock(*one) in state_vector for one in checked.reached.items()):
            raise DocumentError("an update was not merged whole")
        return True

    def _make_again(self) -> None:
        """Replace a document that an update left in an unknown state by one as it was before."""
        document: Doc[Map[object]] = _pycrdt().Doc(client_id=self._document.client_id)
        for one in (self._base or _EMPTY_UPDATE, *self._since):
            document.apply_update(one)
        self._document = document
        self._map = document.get(_ROOT, type=_pycrdt().Map)
        self._entries = self._state = self._loaded = None

    def _note(self, update: bytes) -> None:
        """Note an update that the document holds now."""
        self._since.append(update)
        if self._may_cut is False:
            self._may_cut = _may_hold_pair(update)

    def _finds_pairs(self) -> bool:
        """Whether the document may hold a character of two UTF-16 units."""
        if self._may_cut is None:
            state = self.state() if self._base is None else self._base
            held = (state, *self._since)
            self._may_cut = any(map(_may_hold_pair, held))
        return self._may_cut

    def _structs(self) -> StructIndex:
        """Where each part of the document is, as its state tells."""
        if self._index is None:
            self._index = index_of(read_update(self.state(), is_own=True))
        return self._index

    def write(self, plan: Plan) -> bytes:
        """Carry out a plan in one transaction and return its update.

        Keys are written in sorted order, so that an import makes the same bytes everywhere.
        """
        updates: list[bytes] = []

        def collect(event: TransactionEvent) -> None:
            updates.append(event.update)

        subscription = self._document.observe(collect)
        try:
            with self._document.transaction():
                self._carry_out(plan)
        finally:
            self._document.unobserve(subscription)
        self._entries = self._state = self._loaded = self._known = self._index = None
        if len(updates) != 1:
            self._base = None
            raise DocumentError(f"one transaction gave {len(updates)} updates")
        self._note(updates[0])
        return updates[0]

    def _carry_out(self, plan: Plan) -> None:
        stamp, stamps = plan.writer.stamp, plan.stamps
        self._put(
            {
                **{key: [stamps.get(key, stamp), value] for key, value in plan.puts.items()},
                **plan.new_texts,
            }
        )
        for key in sorted(plan.removals - plan.puts.keys()):
            if key in self._map:
                del self._map[key]
        for key in sorted(plan.text_edits):
            shared: Text = self._map[key]  # type: ignore[assignment]
            _edit_text(shared, plan.text_edits[key])

    def _put(self, values: Mapping[str, object]) -> None:
        """Set keys in sorted order."""
        text = _pycrdt().Text
        self._map.update(
            {
                key: text(value) if isinstance(value := values[key], str) else value
                for key in sorted(values)
            }
        )

    def _apply(self, update: bytes) -> None:
        with _TRANSLATED:
            self._document.apply_update(update)


class _PycrdtErrors:
    """What pycrdt raises for an update, as ``DocumentError``.

    A class, as a generator would cost half as much as what it is around.
    """

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: object, _: object) -> None:
        if kind is None:
            return
        if issubclass(kind, ValueError):
            raise DocumentError(f"the bytes are no update ({error})") from None
        # pyo3's panic is no Exception, and its class cannot be imported. A RuntimeError is
        # pycrdt's for a part that it could not place.
        if kind.__name__ in ("PanicException", "RuntimeError"):
            raise DocumentError("its bytes stop pycrdt short") from None


_TRANSLATED = _PycrdtErrors()


def _may_hold_pair(update: bytes) -> bool:
    """Whether an update may hold a character of two UTF-16 units: as a rule no byte begins one,
    and to look for each of the five takes a twentieth of the time of the pattern."""
    first = min((at for one in _PAIR_BEGINS if (at := update.find(one)) >= 0), default=None)
    return first is not None and _MAY_BE_PAIR.search(update, first) is not None


def _edit_text(text: Text, edits: list[TextEdit]) -> None:
    """Apply edits from the last to the first; pycrdt counts in bytes of UTF-8."""
    content = str(text)
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        start = len(content[: edit.start].encode())
        removed = len(content[edit.start : edit.start + edit.removed].encode())
        if removed:
            del text[start : start + removed]
        if edit.inserted:
            text.insert(start, edit.inserted)

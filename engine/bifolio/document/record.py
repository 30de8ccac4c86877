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

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bifolio.document.core import Core, CoreWindow, admits, make_core, names_gap
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
from bifolio.records.state_parts import join_parts, split_parts

if TYPE_CHECKING:
    from pycrdt import TransactionEvent

_ROOT = "r"
_CORE = "pycrdt._pycrdt"
_EMPTY_UPDATE = b"\x00\x00"
_EMPTY_VECTOR = b"\x00"
#: What may be a character of two UTF-16 units among an update's bytes, and what one begins with.
_MAY_BE_PAIR = pattern(rb"[\xf0-\xf4][\x80-\xbf]{3}")
_PAIR_BEGINS = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


def is_loaded() -> bool:
    """Whether this process has loaded pycrdt, so that a document costs no more than itself."""
    return _CORE in sys.modules


@cache
def _core() -> ModuleType:
    """What pycrdt's classes wrap, loaded with the first document (the version is pinned exactly).

    Without the package around it, whose event streams load as much as a whole command does, a tenth
    of a second; who imports that afterwards gets this very module. The lock and the transaction
    objects of those classes take half the time of loading a record.
    """
    if _CORE not in sys.modules:
        package, _, _ = _CORE.partition(".")
        around = find_spec(package) if package not in sys.modules else None
        path = around.submodule_search_locations if around is not None else None
        found = PathFinder.find_spec(_CORE, path) if path is not None else None
        if found is not None and found.loader is not None:
            module = module_from_spec(found)
            found.loader.exec_module(module)
            return sys.modules.setdefault(_CORE, module)
    return import_module(_CORE)


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
        self._client_id = client_id
        self._core = _core().Doc(client_id, None, None)
        self._is_new = state is None
        parts = split_parts(state) if state is not None else []
        with _TRANSLATED, _Begun(self._core) as transaction:
            for one in parts:
                self._core.apply_update(transaction, one)
            self._root = self._core.get_or_insert_map(transaction, _ROOT)
            #: The state vector as it was loaded; None once something was written or merged.
            self._loaded: bytes | None = self._core.get_state(transaction)
        self._json: str | None = None
        self._entries: Entries | None = None
        self._state: bytes | None = None
        #: A state, and the updates merged and written since: what the document can be made again
        #: of. None where it has to be asked for first.
        self._base: bytes | None = parts[0] if parts else _EMPTY_UPDATE
        self._since: list[bytes] = parts[1:]
        #: What was merged and written since it was loaded; None where that is not all of it.
        self.added: list[bytes] | None = []
        #: Where this is a record's core alone; and the last update that it can tell all about.
        self._window: CoreWindow | None = None
        self._admitted: UpdateStructure | None = None
        #: What the document holds, for checks of updates; each None until it is asked for.
        self._known: dict[int, int] | None = None
        self._index: StructIndex | None = None
        self._may_cut: bool | None = None

    @classmethod
    def of_core(cls, window: CoreWindow, *, client_id: int | None = None) -> RecordDocument:
        """A record of which only the core is loaded, until more of it is needed."""
        document = cls(window.core.state, client_id=client_id)
        document._window = window
        return document

    @property
    def is_new(self) -> bool:
        """Whether it was loaded of nothing."""
        return self._is_new

    @property
    def is_core(self) -> bool:
        """Whether only the record's core is loaded."""
        return self._window is not None

    def load_whole(self) -> None:
        """Load all of a record of which the core is loaded."""
        if self._window is None:
            return
        base, *tail = split_parts(self._window.load_whole())
        tail += self.added or ()
        whole = RecordDocument(join_parts(base, tail), client_id=self._client_id)
        self._core, self._root = whole._core, whole._root
        self._base, self._since, self._window = base, tail, None
        self._forget_read()
        self._known = self._index = self._may_cut = None

    def core_state(self) -> bytes:
        """The state of the core, where only that is loaded."""
        with _Begun(self._core) as transaction:
            state: bytes = self._core.get_update(transaction, _EMPTY_VECTOR)
        return state

    def make_core(self) -> Core | None:
        """The record's core, or a smaller one of the core that is loaded; None where it has
        none."""
        structure = self._structure()
        gaps = self._window.core.gaps if self._window is not None else ()
        order, content = index_of(structure).copy_order(), read_map(self.json())
        made = make_core(structure, order, content, gaps)
        if made is None or read_map(RecordDocument(made.state).json()) != content:
            return None
        return made

    def _admit(self, structure: UpdateStructure) -> None:
        """Load all of the record where its core alone cannot tell what an update does."""
        window = self._window
        if window is None or self._admitted is structure:
            return
        if admits(structure, self._structs(), window.core.gaps, window.load_names):
            self._admitted = structure
        else:
            self.load_whole()

    @classmethod
    def of_values(cls, values: Mapping[str, object], *, client_id: int) -> RecordDocument:
        """A new record that holds just these keys: a string is a text, a list a register's value
        with its stamp."""
        document = cls(client_id=client_id)
        with _Begun(document._core) as transaction:
            document._put(transaction, values)
        document._base = document._loaded = document.added = None
        return document

    def entries(self) -> Entries:
        """The flat keys, parsed; valid until the next write or merge."""
        if self._entries is None:
            self._entries = read_entries(self.json())
        return self._entries

    def json(self) -> str:
        """What ``read_entries`` makes the entries of; valid until the next write or merge."""
        if self._json is None:
            # In one call: to_py() takes a transaction for each key, 54 µs against 16.
            with _Begun(self._core) as transaction:
                self._json = self._root.to_json(transaction)
        return self._json

    def visible(self) -> Entries:
        """The entries that are shown: without what an older mapping made of a source."""
        return without_superseded_imports(self.entries())

    def state(self) -> bytes:
        """The whole document as one update."""
        self.load_whole()
        if self._state is None:
            with _Begun(self._core) as transaction:
                self._state = self._base = self._core.get_update(transaction, _EMPTY_VECTOR)
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
        self._admit(structure)
        may_cut = bool(structure.deletes) and self._finds_pairs()
        return check_update(structure, self._clocks(), self._structs, may_cut=may_cut)

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
        is_first = self._base == _EMPTY_UPDATE and not self._since
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
            if is_first:
                self._state = update  # checked, and complete: as a state it says the same
        return changed

    def has_of(self, structure: UpdateStructure) -> bool:
        """Whether some of what an update writes is here already, or something else in its place."""
        self._admit(structure)
        known = self._clocks()
        return any(
            structs[0].start < known.get(client, 0) for client, structs in structure.structs.items()
        )

    def has_all_of(self, update: bytes, structure: UpdateStructure) -> bool:
        """Whether merging an update would change nothing, and leave nothing of it pending."""
        known = self.clocks()
        ends = [(client, structs[-1].end) for client, structs in structure.structs.items()]
        for client, ranges in structure.deletes.items():
            ends += [(client, start + length) for start, length in ranges]
        if any(known.get(client, 0) < end for client, end in ends):
            return False
        return not RecordDocument(self.state()).merge_own(update)

    def clocks(self) -> Mapping[int, int]:
        """By client id: the clock after the last one that is here. Not to be written to."""
        self.load_whole()
        return self._clocks()

    def _clocks(self) -> Mapping[int, int]:
        if self._known is None:
            if self._loaded is None:
                with _Begun(self._core) as transaction:
                    self._loaded = self._core.get_state(transaction)
            self._known = read_state_vector(self._loaded)
        return self._known

    def begins_as(self, structure: UpdateStructure) -> bool:
        """Whether each client of an update, which begins with it, has the same first key here:
        of what its content names, that is as good as a comparison of the whole."""
        self.load_whole()
        named = {structs[0].key for structs in structure.structs.values()} - {None}
        with _Begun(self._core) as transaction:
            held = {key for key in named if self._root.has(transaction, key)}
        for client, structs in structure.structs.items():
            first = structs[0]
            if first.key in held:
                continue
            if self._structs().find(client, first.start)[1] != first.key:
                return False
        return True

    def keys_deleted(self, checked: CheckedUpdate) -> set[str]:
        """The keys of the record's map of which an update deletes an entry, also one that is gone
        already: so the answer does not depend on what came before."""
        self.load_whole()
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
        self.load_whole()
        changed = self._apply_observed(update)
        self._note(update)
        self._known = self._index = None
        return changed

    def merge_incomplete(self, update: bytes) -> bool:
        """Apply an update, or a state, of which what it builds on may be missing here, as where a
        device cannot open a part of the past. False where it brought nothing new.

        Raises:
            DocumentError: the bytes are no update of a record.
        """
        update = flatten(update)
        read_update(update)
        return self.merge_own(update)

    def _apply_observed(self, update: bytes) -> bool:
        changed: list[bool] = []
        subscription = self._core.observe(lambda _: changed.append(True))
        try:
            with _TRANSLATED, _Begun(self._core) as transaction:
                self._core.apply_update(transaction, update)
        finally:
            subscription.drop()
        self._forget_read()
        return bool(changed)

    def _apply_checked(self, update: bytes, checked: CheckedUpdate) -> bool:
        """Apply an update, and see that nothing of it waits: pycrdt tells nobody what it could not
        place. False where it brought nothing new."""
        if not checked.reached:  # what it deletes may be new
            return self._apply_observed(update)
        with _TRANSLATED, _Begun(self._core) as transaction:
            self._core.apply_update(transaction, update)
            state_vector = self._core.get_state(transaction)
        self._forget_read()
        if not all(encode_clock(*one) in state_vector for one in checked.reached.items()):
            raise DocumentError("an update was not merged whole")
        return True

    def _make_again(self) -> None:
        """Replace a document that an update left in an unknown state by one as it was before."""
        self._core = _core().Doc(self._client_id, None, None)
        with _Begun(self._core) as transaction:
            for one in (self._base or _EMPTY_UPDATE, *self._since):
                self._core.apply_update(transaction, one)
            self._root = self._core.get_or_insert_map(transaction, _ROOT)
        self._forget_read()

    def _forget_read(self) -> None:
        """What was read of the document is no longer what it holds."""
        self._json = self._entries = self._state = self._loaded = self._admitted = None

    def _note(self, update: bytes) -> None:
        """Note an update that the document holds now."""
        self._since.append(update)
        if self.added is not None:
            self.added.append(update)
        if self._may_cut is False:
            self._may_cut = _may_hold_pair(update)

    def _finds_pairs(self) -> bool:
        """Whether the document may hold a character of two UTF-16 units."""
        if self._may_cut is None:
            state = self.state() if self._base is None else self._base
            held = (state, *self._since)
            self._may_cut = any(map(_may_hold_pair, held))
        return self._may_cut

    def _structure(self) -> UpdateStructure:
        """The structure of what is loaded."""
        state = self.state() if self._window is None else self.core_state()
        return read_update(state, is_own=True)

    def _structs(self) -> StructIndex:
        """Where each part of the document is, as its state tells."""
        if self._index is None:
            self._index = index_of(self._structure())
        return self._index

    def write(self, plan: Plan) -> bytes:
        """Carry out a plan in one transaction and return its update.

        Keys are written in sorted order, so that an import makes the same bytes everywhere.
        """
        # What is written over what was read need not be read: as a rule both are asked for.
        before = self._entries if self._window is None else None
        update = self._write(plan)
        self._entries = plan.after(before) if before is not None else None
        window = self._window
        if window is not None and names_gap(read_update(update, is_own=True), window.core.gaps):
            self.load_whole()  # as it was before
            update = self._write(plan)
        self._note(update)
        return update

    def _write(self, plan: Plan) -> bytes:
        updates: list[bytes] = []

        def collect(event: TransactionEvent) -> None:
            updates.append(event.update)

        subscription = self._core.observe(collect)
        try:
            with _Begun(self._core) as transaction:
                self._carry_out(transaction, plan)
        finally:
            subscription.drop()
        self._forget_read()
        self._known = self._index = None
        if len(updates) != 1:
            self._base = self.added = None
            raise DocumentError(f"one transaction gave {len(updates)} updates")
        return updates[0]

    def _carry_out(self, transaction: Any, plan: Plan) -> None:
        stamp, stamps = plan.writer.stamp, plan.stamps
        self._put(
            transaction,
            {
                **{key: [stamps.get(key, stamp), value] for key, value in plan.puts.items()},
                **plan.new_texts,
            },
        )
        root = self._root
        for key in sorted(plan.removals - plan.puts.keys()):
            if root.has(transaction, key):
                root.remove(transaction, key)
        for key in sorted(plan.text_edits):
            _edit_text(transaction, root.get(transaction, key), plan.text_edits[key])

    def _put(self, transaction: Any, values: Mapping[str, object]) -> None:
        """Set keys in sorted order."""
        root = self._root
        for key in sorted(values):
            value = values[key]
            if isinstance(value, str):
                root.insert_text_prelim(transaction, key).insert(transaction, 0, value)
            else:
                root.insert(transaction, key, value)


class _Begun:
    """One transaction of a document."""

    __slots__ = ("_document", "_transaction")

    def __init__(self, document: Any) -> None:
        self._document = document

    def __enter__(self) -> Any:
        self._transaction = self._document.create_transaction()
        return self._transaction

    def __exit__(self, *_: object) -> None:
        try:
            self._transaction.commit()
        finally:
            self._transaction.drop()


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


def flatten(state: bytes) -> bytes:
    """A record's state as one update: as it is sent, and compared.

    Raises:
        DocumentError: it cannot be read.
    """
    return state if len(split_parts(state)) == 1 else RecordDocument(state).state()


def read_entries(json: str) -> Entries:
    """The flat keys of a record's map, given as JSON.

    Raises:
        ValueError: it is no JSON.
    """
    return parse_entries(read_map(json))


def _may_hold_pair(update: bytes) -> bool:
    """Whether an update may hold a character of two UTF-16 units: as a rule no byte begins one,
    and to look for each of the five takes a twentieth of the time of the pattern."""
    first = min((at for one in _PAIR_BEGINS if (at := update.find(one)) >= 0), default=None)
    return first is not None and _MAY_BE_PAIR.search(update, first) is not None


def _edit_text(transaction: Any, text: Any, edits: list[TextEdit]) -> None:
    """Apply edits from the last to the first; pycrdt counts in bytes of UTF-8."""
    content = text.get_string(transaction)
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        start = len(content[: edit.start].encode())
        removed = len(content[edit.start : edit.start + edit.removed].encode())
        if removed:
            text.remove_range(transaction, start, removed)
        if edit.inserted:
            text.insert(transaction, start, edit.inserted)

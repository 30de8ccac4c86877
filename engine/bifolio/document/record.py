"""One record as a pycrdt document: the only module of Bifolio that imports pycrdt.

A record is one ``Doc`` whose root map ``r`` holds the flat keys. Updates are taken from the
transaction's event, never from ``get_update()`` against an old state, which repeats every
delete (DESIGN §4). One thread per document: a second one would join an open transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from bifolio.document.entries import Entries, parse_entries, without_superseded_imports
from bifolio.document.plan import Plan, TextEdit
from bifolio.errors import DocumentError

if TYPE_CHECKING:
    from pycrdt import Doc, Map, Text, TransactionEvent

_ROOT = "r"


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
        if state is not None:
            self._apply(state)
        self._map: Map[object] = self._document.get(_ROOT, type=_pycrdt().Map)
        self._entries: Entries | None = None
        self._state: bytes | None = None

    @classmethod
    def of(cls, plan: Plan, *, client_id: int) -> RecordDocument:
        """A new record that holds a plan and nothing else: what an import makes most of.

        Nobody asks for its update, which is its state, and its entries are the plan's.
        """
        document = cls(client_id=client_id)
        with document._document.transaction():
            document._carry_out(plan)
        document._entries = plan.alone()
        return document

    def entries(self) -> Entries:
        """The flat keys, parsed; valid until the next write or merge."""
        if self._entries is None:
            # As JSON in one call: to_py() takes a transaction for each key, 54 µs against 16.
            self._entries = parse_entries(json.loads(str(self._map)))
        return self._entries

    def visible(self) -> Entries:
        """The entries that are shown: without what an older mapping made of a source."""
        return without_superseded_imports(self.entries())

    def state(self) -> bytes:
        """The whole document as one update."""
        if self._state is None:
            self._state = self._document.get_update()
        return self._state

    def merge(self, update: bytes) -> bool:
        """Apply another replica's update. False where it brought nothing new.

        Raises:
            DocumentError: the bytes are no update.
        """
        changed: list[bytes] = []
        subscription = self._document.observe(lambda event: changed.append(event.update))
        try:
            self._apply(update)
        finally:
            self._document.unobserve(subscription)
        self._entries = self._state = None
        return bool(changed)

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
        self._entries = self._state = None
        if len(updates) != 1:
            raise DocumentError(f"one transaction gave {len(updates)} updates")
        return updates[0]

    def _carry_out(self, plan: Plan) -> None:
        stamp = plan.writer.stamp
        values: Mapping[str, object] = {
            **{key: [stamp, value] for key, value in plan.puts.items()},
            **plan.new_texts,
        }
        text = _pycrdt().Text
        self._map.update(
            {
                key: text(value) if isinstance(value := values[key], str) else value
                for key in sorted(values)
            }
        )
        for key in sorted(plan.removals - plan.puts.keys()):
            if key in self._map:
                del self._map[key]
        for key in sorted(plan.text_edits):
            shared: Text = self._map[key]  # type: ignore[assignment]
            _edit_text(shared, plan.text_edits[key])

    def _apply(self, update: bytes) -> None:
        try:
            self._document.apply_update(update)
        except ValueError as error:
            raise DocumentError(f"the bytes are no update ({error})") from None
        except BaseException as error:
            # pyo3's panic is no Exception, and its class cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
            raise DocumentError("its bytes stop pycrdt short") from None


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

"""How a large record is loaded and stored: its core where that is enough, its base and its tail.

A record that many sessions wrote takes pycrdt half a second to load, and as long to write. So what
an edit adds is stored behind what is there (``storage.hot_states``), and the edit is made of the
record's core (``document.core``), where it has one. The base is stored again when what came since
outweighs a share of it: then all of the record is loaded, and has to show what the core shows.
"""

from __future__ import annotations

from msgspec import Struct

from bifolio import limits
from bifolio.document.core import Core, CoreWindow, NameFilter
from bifolio.document.record import RecordDocument
from bifolio.document.update_structure import read_update
from bifolio.ids import SETTINGS_ID
from bifolio.storage.hot_states import Base, Head
from bifolio.storage.records import Records

#: What is stored in the place of a state: the head, and a new base where it has one.
Stored = tuple[bytes, Base | None]


class Loaded(Struct):
    """A document, and what is stored of it."""

    records: Records
    record_id: str
    document: RecordDocument
    #: The state, where it is stored whole.
    state: bytes | None
    head: Head | None
    client_id: int | None

    @property
    def size_bytes(self) -> int:
        """The bytes that were loaded."""
        if self.head is None:
            return len(self.state or b"")
        if self.document.is_core:
            return len(self.head.core)
        return self.head.base_bytes + sum(map(len, self.head.tail))

    @property
    def is_large(self) -> bool:
        """Whether the record is stored in parts when it was changed."""
        return self.head is not None or (
            self.state is not None and len(self.state) >= limits.HOT_STATE_BYTES_MIN
        )

    def to_stored(self) -> Stored | None:
        """What is to be stored of the changed document; None where that is its state, whole.

        May load all of the record: to be asked before what it shows is read.
        """
        added = self.document.added
        if added is None or self.record_id == SETTINGS_ID:
            return None
        if self.head is None:
            assert self.state is not None
            base = Base(self.state, b"")
            return self._with_tail(base.check, len(self.state), added, saves=1), base
        tail = (*self.head.tail, *added)
        saves = self.head.saves + (not self.document.is_core)
        wants_core = not self.document.is_core and saves >= limits.HOT_SAVES_BEFORE_CORE
        if wants_core or sum(map(len, tail)) > self._tail_bytes_max():
            return self._fold(tail, saves, wants_core=wants_core)
        return self._with_tail(self.head.base_check, self.head.base_bytes, tail, saves=saves), None

    def _tail_bytes_max(self) -> int:
        assert self.head is not None
        share = self.head.base_bytes // limits.HOT_TAIL_DIVISOR
        return min(max(share, limits.HOT_TAIL_BYTES_MIN), limits.HOT_TAIL_BYTES_MAX)

    def _with_tail(
        self, check: bytes, size: int, tail: list[bytes] | tuple[bytes, ...], *, saves: int
    ) -> bytes:
        """The head with the core as it is now, where there is one."""
        if self.head is None or not self.document.is_core:
            return Head(check, size, tuple(tail), saves, 0, b"", ()).pack()
        core = self.document.core_state()
        head = self.head._replace(base_check=check, tail=tuple(tail), saves=saves, core=core)
        return head.pack()

    def _fold(self, tail: tuple[bytes, ...], saves: int, *, wants_core: bool) -> Stored:
        """A new base that holds all, and its core."""
        document, made = self.document, None
        shown = document.entries() if document.is_core else None
        if document.is_core or wants_core:
            made = document.make_core()
        state = document.state()
        if shown is not None and document.entries() != shown:
            made = None  # what the whole shows counts
        names = self._names(state, tail) if made is not None else b""
        base = Base(state, names)
        saves = 0 if made is not None or wants_core else saves
        if made is None:
            return Head(base.check, len(state), (), saves, 0, b"", ()).pack(), base
        return self._head_of(base, made).pack(), base

    def _head_of(self, base: Base, made: Core) -> Head:
        gaps = tuple((*one, *other) for one, other in sorted(made.gaps))
        made_by = self.client_id or 0
        return Head(base.check, len(base.state), (), 0, made_by, made.state, gaps)

    def _names(self, state: bytes, tail: tuple[bytes, ...]) -> bytes:
        """The filter of the names in a base: the last one's and the tail's, while it has room."""
        before = self.records.names(self.record_id)
        if before:
            names = NameFilter(before)
            if names.extend(read_update(one, is_own=True) for one in tail):
                return names.to_bytes()
        return NameFilter.of(read_update(state, is_own=True)).to_bytes()


def load(records: Records, record_id: str, *, client_id: int | None = None) -> Loaded:
    """Load a record: its core where it has one, otherwise all of it; an empty one where there is
    none.

    Args:
        records: where it is stored.
        record_id: its id.
        client_id: to write; None to read and merge only.

    Raises:
        DocumentError: what is stored cannot be read.
    """
    stored = records.load(record_id)
    if not isinstance(stored, Head):
        document = RecordDocument(stored, client_id=client_id)
        return Loaded(records, record_id, document, stored, None, client_id)
    head = stored

    def whole() -> bytes:
        return records.whole(record_id, head)

    # Under the client id that wrote when the core was made, that may lack what was written.
    if not head.core or (client_id is not None and client_id == head.made_by):
        document = RecordDocument(whole(), client_id=client_id)
    else:
        gaps = frozenset(((a, b), (c, d)) for a, b, c, d in head.gaps)
        window = CoreWindow(Core(head.core, gaps), whole, lambda: records.names(record_id))
        document = RecordDocument.of_core(window, client_id=client_id)
    return Loaded(records, record_id, document, None, head, client_id)

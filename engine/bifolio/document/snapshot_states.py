"""The states of records in a snapshot: whether one may be merged, and whether two are the same.

A whole state is an update like any other to those who merge it, but for its size. Two documents
that took the same updates in another order may be written in other pieces, so what is compared is
what each clock holds: where it is placed, whether it is gone, and the values that readers see.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bifolio import limits
from bifolio.document import canonical, view
from bifolio.document.record import RecordDocument, flatten
from bifolio.document.update_identity import check_settings_state, check_state_identity
from bifolio.document.update_structure import (
    DELETED,
    GC,
    STRING,
    Id,
    Struct,
    UpdateStructure,
    read_update,
)
from bifolio.ids import SETTINGS_ID


class _Piece(NamedTuple):
    """A run of clocks and where it is placed; ``kind`` is None for what is gone."""

    start: int
    end: int
    kind: int | None
    left: Id | None
    right: Id | None
    parent: Id | None
    key: str | None


def read_state(state: bytes) -> UpdateStructure:
    """The structure of a record's state in a snapshot.

    Raises:
        DocumentError: it is none, or larger than one may be.
    """
    return read_update(state, parts_max=limits.SNAPSHOT_RECORD_PARTS_MAX)


def check_state(record_id: str, state: bytes, slots: Mapping[int, str]) -> RecordDocument:
    """Check a record's state in a snapshot by itself: its structure, that it is complete, and that
    every name in it is some device's or some content's.

    Args:
        record_id: of the record.
        state: as the snapshot has it.
        slots: of every device of the library, by client id.

    Returns:
        a document that holds it.

    Raises:
        DocumentError: with what is wrong.
    """
    structure = read_state(state)
    check_state_identity(record_id, structure, slots)
    document = RecordDocument()
    document.merge(state, document.check(state, structure))
    if record_id == SETTINGS_ID:
        check_settings_state(document.entries())
    return document


def is_same_state(record_id: str, one: bytes, other: bytes) -> bool:
    """Whether two states of a record came of the same updates.

    Args:
        record_id: of the record.
        one, other: states that can be loaded.
    """
    one, other = flatten(one), flatten(other)
    if one == other:
        return True
    first, second = read_update(one, is_own=True), read_update(other, is_own=True)
    if first.structs.keys() != second.structs.keys() or _deletes(first) != _deletes(second):
        return False
    for client, structs in first.structs.items():
        starts = sorted({struct.start for struct in (*structs, *second.structs[client])})
        pieces = _pieces(client, structs, starts), _pieces(client, second.structs[client], starts)
        for mine, theirs in zip(*pieces, strict=False):
            if mine != theirs:
                return False
        if structs[-1].end != second.structs[client][-1].end:
            return False
    return _values(record_id, one) == _values(record_id, other)


def _values(record_id: str, state: bytes) -> str:
    entries = RecordDocument(state).entries()
    return canonical.record_json(record_id, view.kind_of(entries), entries)


def _deletes(structure: UpdateStructure) -> dict[int, list[tuple[int, int]]]:
    """By client id: the ranges that are gone, as few as there can be."""
    found: dict[int, list[tuple[int, int]]] = {}
    for client, ranges in structure.deletes.items():
        merged: list[tuple[int, int]] = []
        for start, length in ranges:
            if merged and sum(merged[-1]) == start:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((start, length))
        found[client] = merged
    return found


def _pieces(client: int, structs: list[Struct], starts: list[int]) -> Iterator[_Piece]:
    """The structs of a client cut at these clocks; a part of a run follows the part before it."""
    for struct in structs:
        if struct.kind in (GC, DELETED):
            # Whether what is gone still has its place depends on when it went.
            cuts = starts[bisect_right(starts, struct.start) : bisect_left(starts, struct.end)]
            for start, end in _spans(struct, cuts):
                yield _Piece(start, end, None, None, None, None, None)
            continue
        cuts = []
        if struct.kind == STRING or struct.end - struct.start > 1:
            cuts = starts[bisect_right(starts, struct.start) : bisect_left(starts, struct.end)]
        left = struct.left
        key = struct.key if struct.key is not None else struct.key_inside
        parent = struct.parent
        for start, end in _spans(struct, cuts):
            yield _Piece(start, end, struct.kind, left, struct.right, parent, key)
            left, parent, key = (client, end - 1), None, None


def _spans(struct: Struct, cuts: list[int]) -> Iterator[tuple[int, int]]:
    ends = [*cuts, struct.end]
    start = struct.start
    for end in ends:
        yield start, end
        start = end

"""Updates drawn struct by struct: most parts name others of the right kind, so that they are put
where no ordinary edit would put them; some name anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.mutations import mutate_bytes
from tests.support import yjs_updates as yjs

from bifolio.document.update_structure import ANY, STRING, TEXT, Id, read_update

STAMP = "0" * 18
_KEYS = (
    "k",
    f"title\x1f{'a' * 12}",
    f"note\x1f{'a' * 12}",
    f"tags\x1fink\x1f{'b' * 12}",
    f"issued\x1f{'a' * 12}",
    f"deleted\x1f{'a' * 12}",
    f"kind\x1f{'a' * 12}",
    "deleted",
    "\x1f",
    "",
)
_VALUES = (
    yjs.NULL,
    yjs.pair(STAMP, "value"),
    yjs.pair("f" * 18, "\u202e"),
    b"\x75\x02" + yjs.any_string(STAMP) + b"\x7b\x40\x09\x21\xfb\x54\x44\x2d\x18",
    b"\x75\x02" + yjs.any_string(STAMP) + yjs.nested(5),
    b"\x75\x02" + yjs.any_string(STAMP) + b"\x76\x01" + yjs.string("date-parts") + yjs.nested(3),
    b"\x78",
    b"\x7d\x05",
    yjs.nested(30, maps=True),
)
_PIECES = ("a", "xy", "abc", "\U0001f4d6", "\U0001f4d6b", "é")


@dataclass
class _Held:
    """The ids of what a document holds, and what an update adds to it, by kind."""

    entries: list[Id] = field(default_factory=list)
    texts: list[Id] = field(default_factory=list)
    pieces: list[Id] = field(default_factory=list)

    @classmethod
    def of(cls, state: bytes | None) -> _Held:
        held = cls()
        if state is None:
            return held
        for client, structs in read_update(state, is_own=True).structs.items():
            for one in structs:
                if one.kind == STRING:
                    held.pieces += [(client, clock) for clock in range(one.start, one.end)]
                elif one.shared == TEXT:
                    held.texts.append((client, one.start))
                elif one.kind == ANY:
                    held.entries.append((client, one.start))
        return held

    def draw(self, draw: Random, kind: list[Id]) -> Id:
        """An id of this kind as a rule."""
        if kind and draw.randint(0, 9):
            return draw.choice(kind)
        anything = [*self.entries, *self.texts, *self.pieces]
        if anything and draw.randint(0, 3):
            return draw.choice(anything)
        return draw.choice((7, 8, 9)), draw.randint(0, 9)


def draw_update(
    draw: Random, raw: bytes, seeds: Sequence[bytes], states: Sequence[bytes | None]
) -> bytes:
    """An update's bytes changed, or one drawn for one of the documents with these states."""
    if draw.randint(0, 2) == 0:
        return mutate_bytes(draw, raw, seeds)
    held = _Held.of(draw.choice(states))
    written = []
    for client in draw.choice(((7,), (7,), (7, 8), (8, 7, 9))):
        clock = start = draw.choice((0, 0, 0, 0, 0, 1))
        structs = []
        for _ in range(draw.choice((1, 2, 3, 5, 9))):
            struct, length = _draw_struct(draw, held, (client, clock))
            structs.append(struct)
            clock += length
        written.append((client, start, structs))
    anything = [*held.entries, *held.texts, *held.pieces, (9, 3)]
    deleted = {draw.choice(anything) for _ in range(draw.choice((0, 0, 1, 2)))}
    deletes = [(client, clock, 1) for client, clock in sorted(deleted)]
    drawn = yjs.of_clients(*written, deletes=deletes)
    return drawn if draw.randint(0, 5) else mutate_bytes(draw, drawn, seeds)


def _draw_struct(draw: Random, held: _Held, own: Id) -> tuple[bytes, int]:
    """A struct, and its length in clocks; ``held`` knows it then."""
    client, clock = own
    kind = draw.randint(0, 9)
    if kind <= 1:
        held.entries.append(own)
        return yjs.entry(draw.choice(_KEYS), draw.choice(_VALUES)), 1
    if kind <= 3:
        shared = draw.choice((b"\x02", b"\x02", b"\x02", b"\x01", b"\x00"))
        held.texts.append(own)
        return yjs.entry(draw.choice(_KEYS), shared, kind=7), 1
    if kind == 4:
        left = held.draw(draw, held.entries)
        held.entries.append(own)
        return yjs.following(left, draw.choice(_VALUES)), 1
    if kind == 5:
        length = draw.randint(1, 4)
        return b"\x00" + yjs.number(length), length
    text = draw.choice(_PIECES)
    length = len(text.encode("utf-16-le")) // 2
    if kind == 6:
        raw = yjs.piece(text, parent=held.draw(draw, held.texts))
    elif kind == 7:
        raw = yjs.piece(text, right=held.draw(draw, held.pieces))
    else:
        right = held.draw(draw, held.pieces) if kind == 8 else None
        raw = yjs.piece(text, left=held.draw(draw, held.pieces), right=right)
    held.pieces += [(client, clock + at) for at in range(length)]
    return raw, length

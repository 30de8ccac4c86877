"""A reference whose note was edited for years, each edit in a session of its own.

The sessions' updates are made by hand, as pycrdt makes them: so that ten years take seconds, and
not hours. Each is a change of the library's history, as the command that it stands for leaves one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bifolio import Library
from bifolio.document.record import RecordDocument
from bifolio.ids import NONCE_BYTES, SEPARATOR, incarnation_client_id, random_slot
from bifolio.records.edits import Act, Edit
from bifolio.storage.incarnations import Incarnations
from bifolio.wire.changes import Change

_FIRST_NOTE = "A first note about the book, to begin with, which goes on for a line or two. "
_WORDS = "the of a library note paper page reads writes merges again proof claim method".split()

#: An id of a character: its session's client id, and its clock.
_Id = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Session:
    """One session of one edit: its slot, the nonce of its client id, what it wrote and deleted."""

    slot: str
    nonce: bytes
    stamp: str
    #: Of one client, as an update has them.
    structs: bytes
    gone: Sequence[_Id]

    @property
    def update(self) -> bytes:
        """The update that pycrdt makes of it."""
        return b"\x01" + self.structs + _delete_set(self.gone)


class Sessions:
    """Sessions of one edit each, one after the other, on the note of one record."""

    def __init__(self, key: bytes, tag: str, name: str, characters: Sequence[_Id]) -> None:
        """``name`` is the text's key in the record, ``characters`` are those that are shown."""
        self._random = random.Random(1)
        self._key, self._tag, self._name = key, tag, name
        self._characters = list(characters)
        self._mark: _Id | None = None
        self._slots: set[str] = set()

    def make(self, count: int, *, stamp: str) -> Iterator[Session]:
        """So many further sessions, a stamp each behind this one."""
        for number in range(1, count + 1):
            yield self._make(f"{int(stamp, 16) + (number << 24):018x}")

    def _make(self, stamp: str) -> Session:
        choose, held = self._random, self._characters
        slot = random_slot(self._tag, choose.randbytes)
        while slot in self._slots:
            slot = random_slot(self._tag, choose.randbytes)
        self._slots.add(slot)
        nonce = choose.randbytes(NONCE_BYTES)
        client = incarnation_client_id(self._key, slot, nonce)
        mark = SEPARATOR.join(("modified", self._name, slot))
        entry = (
            b"\x28\x01\x01r" + _string(mark) + b"\x01\x75\x02\x77" + _string(stamp) + b"\x77\x00"
        )
        structs, gone = [entry], [self._mark] if self._mark else []
        if choose.random() < 0.55 or len(held) < 100:
            at = choose.randrange(1, len(held))
            word = choose.choice(_WORDS) + " "
            structs.append(b"\xc4" + _id(held[at - 1]) + _id(held[at]) + _string(word))
            held[at:at] = [(client, clock) for clock in range(1, len(word) + 1)]
        else:
            at = choose.randrange(1, len(held) - 10)
            gone += held[at : at + 7]
            del held[at : at + 7]
        self._mark = (client, 0)
        raw = _number(len(structs)) + _number(client) + b"\x00" + b"".join(structs)
        return Session(slot, nonce, stamp, raw, gone)


def age(library: Library, key: str, sessions: int) -> None:
    """Let the note of a reference be edited in so many sessions, which begins with a note."""
    replica = library._replica
    library.edit(key, [Edit("note", Act.SET, (_FIRST_NOTE,))])
    record_id = library.show(key).id
    document = replica.document(record_id)
    (name,) = document.entries().texts
    (client, first), length = _piece_of(document, _FIRST_NOTE), len(_FIRST_NOTE)
    characters = [(client, first + at) for at in range(length)]
    made = Sessions(replica.keys.sign_public, replica.keys.tag, name, characters)
    incarnations, parts = Incarnations(replica.database), list[Session]()
    with replica.database.transaction(), replica.journal.unasked():
        for one in made.make(sessions, stamp=replica.next_stamp()):
            incarnations.add(
                one.slot,
                incarnation_client_id(replica.keys.sign_public, one.slot, one.nonce),
                nonce=one.nonce,
            )
            parts.append(one)
            replica.add_change(Change(one.stamp, ((record_id, one.update),)), slot=one.slot)
            replica.meta.clock = one.stamp
        document.merge_own(_together(parts))
        workspace = replica.workspace()
        workspace.put(record_id, document)
        workspace.save()


def _together(sessions: Sequence[Session]) -> bytes:
    """The updates of sessions as one, which pycrdt takes in the time of a few."""
    raw = _number(len(sessions)) + b"".join(one.structs for one in sessions)
    return raw + _delete_set([gone for one in sessions for gone in one.gone])


def _piece_of(document: RecordDocument, text: str) -> _Id:
    """Where a text begins that one piece holds."""
    from bifolio.document.update_structure import STRING, read_update

    for client, structs in read_update(document.state(), is_own=True).structs.items():
        for one in structs:
            if one.kind == STRING and one.end - one.start == len(text):
                return client, one.start
    raise LookupError(text)


def _delete_set(gone: Sequence[_Id]) -> bytes:
    ranges: dict[int, list[tuple[int, int]]] = {}
    for client, clocks in groupby(sorted(gone), key=lambda one: one[0]):
        for _, clock in clocks:
            of_client = ranges.setdefault(client, [])
            if of_client and sum(of_client[-1]) == clock:
                of_client[-1] = (of_client[-1][0], of_client[-1][1] + 1)
            else:
                of_client.append((clock, 1))
    raw = _number(len(ranges))
    for client, found in ranges.items():
        raw += _number(client) + _number(len(found))
        raw += b"".join(_number(clock) + _number(length) for clock, length in found)
    return raw


def _number(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(written) + bytes([value])


def _string(text: str) -> bytes:
    raw = text.encode()
    return _number(len(raw)) + raw


def _id(one: _Id) -> bytes:
    return _number(one[0]) + _number(one[1])

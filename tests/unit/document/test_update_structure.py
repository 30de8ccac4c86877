"""What another computer's update may hold: each kind of a hostile one is refused before pycrdt
sees it, and the document is as it was."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support import yjs_updates as yjs
from tests.support.cases import each
from tests.support.yjs_updates import NULL, ROOT, entry, following, new_text, number, piece, update
from tests.unit.document.builders import desks

from bifolio import limits
from bifolio.document.record import RecordDocument
from bifolio.document.update_rules import (
    check_complete,
    slot_of,
    slots_written,
)
from bifolio.document.update_structure import client_ids, read_update
from bifolio.errors import DocumentError

STAMP = "0" * 18
PEOPLE = "👩‍🔬"

#: One of each kind that ended a process, was kept waiting, parted replicas or is foreign.
HOSTILE: dict[str, bytes] = {
    # nested plain values
    "a list nested once too often": update(entry("k", yjs.nested(limits.VALUE_DEPTH_MAX + 1))),
    "a list nested 1e3": update(entry("k", yjs.nested(1000))),
    "a list nested 1e5": update(entry("k", yjs.nested(100_000))),
    "a map nested 1e3": update(entry("k", yjs.nested(1000, maps=True))),
    "a map nested 1e5": update(entry("k", yjs.nested(100_000, maps=True))),
    "lists and maps by turns": update(entry("k", b"\x75\x01\x76\x01\x01a" * 50_000 + NULL)),
    "a nest after shallow members": update(
        entry("k", b"\x75\x03" + NULL + yjs.nested(50_000) + NULL)
    ),
    "a nest in a second list": update(entry("k", b"\x75\x02\x75\x00" + yjs.nested(5000))),
    "a nest in a register's value": update(
        entry("title\x1fslotAAA", b"\x75\x02" + yjs.any_string(STAMP) + yjs.nested(5000))
    ),
    "a nest that follows another value": update(
        entry("k", NULL), following((7, 0), yjs.nested(5000))
    ),
    "a nest in a shared list": update(
        entry("k", b"\x00", kind=7), b"\x08\x00\x07\x00\x01" + yjs.nested(5000)
    ),
    # lengths that are not there
    "a list claims 2^31": update(entry("k", b"\x75" + number(1 << 31))),
    "a map claims 2^31": update(entry("k", b"\x76" + number(1 << 31))),
    "clients claim 2^40": number(1 << 40),
    "structs claim 2^40": b"\x01" + number(1 << 40) + b"\x07\x00",
    "values claim 2^40": b"\x01\x01\x07\x00\x28" + ROOT + b"\x01k" + number(1 << 40) + b"\x00",
    "a string claims 2^40": update(new_text("k"), b"\x04\x00\x07\x00" + number(1 << 40) + b"x"),
    "a key claims 2^40": b"\x01\x01\x07\x00\x28" + ROOT + number(1 << 40) + b"\x00",
    "delete ranges claim 2^31": b"\x00\x01\x07" + number(1 << 31),
    "delete clients claim 2^31": b"\x00" + number(1 << 31),
    "more members than any value needs": update(
        entry("k", b"\x75" + number(70_000) + NULL * 70_000)
    ),
    # foreign kinds
    "json": update(entry("k", b"\x01\x02{}", kind=2)),
    "binary": update(entry("k", b"\x03\xff\x00\xfe", kind=3)),
    "embed": update(entry("k", yjs.string('{"a":1}'), kind=5)),
    "format": update(entry("k", yjs.string("bold") + yjs.string("true"), kind=6)),
    "document": update(entry("k", yjs.string("guid") + b"\x76\x00", kind=9)),
    "skip": update(b"\x0a\x05", entry("k", NULL)),
    "move": update(entry("k", b"\x00\x07\x00\x00", kind=11)),
    "an unknown kind": update(entry("k", b"\x00", kind=12)),
    "a type 99": update(entry("k", b"\x63", kind=7)),
    "an XML element": update(entry("k", b"\x03\x01a", kind=7)),
    "an XML fragment": update(entry("k", b"\x04", kind=7)),
    "an XML text": update(entry("k", b"\x06", kind=7)),
    "a weak link": update(entry("k", b"\x07\x00\x07\x00", kind=7)),
    "undefined": update(entry("k", b"\x7f")),
    "a buffer": update(entry("k", b"\x74\x02ab")),
    "an unknown value": update(entry("k", b"\x20")),
    "infinity": update(entry("k", b"\x7b\x7f\xf0" + bytes(6))),
    "no number": update(entry("k", b"\x7c\x7f\xc0\x00\x00")),
    "a number of 300 digits": update(entry("k", b"\x7b\x7e\x37\xe4\x3c\x88\x00\x75\x9c")),
    "a string alone": update(entry("k", yjs.any_string("x"))),
    "a string alone that follows": update(entry("k", NULL), following((7, 0), yjs.any_string("x"))),
    "two values under a key": update(b"\x28" + ROOT + b"\x01k\x02" + NULL + NULL),
    "a key twice in a map": update(entry("k", b"\x76\x02\x01a" + NULL + b"\x01a" + NULL)),
    # shared types in one another
    "shared maps nested 1e4": update(
        entry("k", b"\x01", kind=7),
        *(b"\x27\x00\x07" + number(one) + b"\x01k\x01" for one in range(10_000)),
    ),
    "shared lists nested 1e3": update(
        entry("k", b"\x00", kind=7),
        *(b"\x07\x00\x07" + number(one) + b"\x00" for one in range(1000)),
    ),
    # places that are none
    "a child of a plain value": update(entry("k", NULL), b"\x28\x00\x07\x00\x01j\x01" + NULL),
    "a piece of a plain value": update(entry("k", NULL), piece("x", parent=(7, 0))),
    "an entry of a text": update(new_text("k"), b"\x28\x00\x07\x00\x01j\x01" + NULL),
    "a value in a text": update(
        new_text("k"), piece("x", parent=(7, 0)), b"\x88\x07\x01\x01" + NULL
    ),
    "a text in a text": update(
        new_text("k"), piece("x", parent=(7, 0)), bytes([0x87]) + b"\x07\x01\x02"
    ),
    "a piece in place of a value": update(entry("k", NULL), piece("x", left=(7, 0))),
    "a value in place of a piece": update(
        new_text("k"), piece("x", parent=(7, 0)), following((7, 1), NULL)
    ),
    "a piece between two texts": update(
        new_text("k"),
        piece("x", parent=(7, 0)),
        new_text("l"),
        piece("y", parent=(7, 2)),
        piece("z", left=(7, 1), right=(7, 3)),
    ),
    "a piece before what it follows": update(
        new_text("k"), piece("abc", parent=(7, 0)), piece("z", left=(7, 3), right=(7, 1))
    ),
    "a piece before and after one character": update(
        new_text("k"), piece("abc", parent=(7, 0)), piece("z", left=(7, 2), right=(7, 2))
    ),
    "an entry before another": update(entry("k", NULL), b"\x68\x07\x00\x01" + NULL),
    "an item of the root": update(b"\x08" + ROOT + b"\x01" + yjs.any_string("x")),
    "a piece of the root": update(b"\x04" + ROOT + yjs.string("x")),
    "another root": update(b"\x28\x01\x01q\x01k\x01" + NULL),
    "a string as an entry": update(b"\x24" + ROOT + b"\x01k" + yjs.string("x")),
    # what is missing
    "itself as its left": update(piece("x", left=(7, 0))),
    "a later one as its left": update(piece("x", left=(7, 3)), entry("k", NULL)),
    "a missing left": update(piece("x", left=(8, 0))),
    "a missing right": update(piece("x", right=(8, 0))),
    "a missing parent": update(piece("x", parent=(8, 0))),
    "a missing value before": update(following((8, 0), NULL)),
    "a gap before it": update(entry("k", NULL), clock=3),
    "two that wait for each other": yjs.of_clients(
        (7, 0, [following((8, 0), NULL)]), (8, 0, [following((7, 0), NULL)])
    ),
    "a delete of what is missing": update(deletes=[(7, 0, 1)]),
    "a delete beyond the end": update(entry("k", NULL), deletes=[(7, 0, 2)]),
    # numbers
    "a client beyond 53 bits": update(entry("k", NULL), client=1 << 53),
    "the largest client": update(entry("k", NULL), client=(1 << 64) - 1),
    "the largest clock": update(entry("k", NULL), clock=(1 << 32) - 1),
    "a clock beyond 2^64": b"\x01\x01\x07" + b"\xff" * 10 + b"\x01" + entry("k", NULL) + b"\x00",
    "a huge GC": update(b"\x00" + number((1 << 32) - 1)),
    "GCs that are huge together": update(*[b"\x00" + number((1 << 31) - 2)] * 2),
    "a huge deleted part": update(entry("k", number((1 << 32) - 1), kind=1)),
    "a huge delete": update(deletes=[(7, 0, (1 << 32) - 1)]),
    "a delete that overflows": update(deletes=[(7, (1 << 32) - 1, (1 << 32) - 1)]),
    "an overlong number": b"\x81\x00\x01\x07\x00" + entry("k", NULL) + b"\x00",
    # the form
    "an empty GC": update(b"\x00\x00"),
    "an empty deleted part": update(entry("k", b"\x00", kind=1)),
    "an empty piece": update(new_text("k"), piece("", parent=(7, 0))),
    "a client without structs": b"\x01\x00\x07\x00\x00",
    "a client twice": yjs.of_clients((7, 0, [entry("k", NULL)]), (7, 1, [entry("l", NULL)])),
    "a delete of nothing": b"\x00\x01\x07\x00",
    "deletes that overlap": update(
        entry("k", NULL), entry("l", NULL), deletes=[(7, 0, 2), (7, 1, 1)]
    ),
    "deletes out of order": update(
        entry("k", NULL), entry("l", NULL), deletes=[(7, 1, 1), (7, 0, 1)]
    ),
    "a delete's client twice": update(entry("k", NULL))[:-1] + b"\x02\x07\x01\x00\x01" * 2,
    "bytes after the end": update(entry("k", NULL)) + b"\x00",
    "no bytes": b"",
    # characters
    "a key not in UTF-8": update(entry(b"\xff\xfe", NULL)),
    "half a character in a key": update(entry(b"\xed\xa0\x80", NULL)),
    "half a character in a value": update(
        entry("k", b"\x75\x01" + yjs.any_string(b"\xed\xa0\x80"))
    ),
    "half a character in a text": update(
        new_text("k"), b"\x04\x00\x07\x00" + yjs.string(b"\xed\xa0\x80")
    ),
    "half a character deleted": update(
        new_text("k"), piece(PEOPLE, parent=(7, 0)), deletes=[(7, 1, 1)]
    ),
    "a piece inside a character": update(
        new_text("k"), piece(PEOPLE, parent=(7, 0)), piece("x", left=(7, 1))
    ),
    "a piece before half a character": update(
        new_text("k"), piece(PEOPLE, parent=(7, 0)), piece("x", right=(7, 2))
    ),
}


@each("kind", HOSTILE)
def test_a_hostile_update_is_refused_and_changes_nothing(kind: str) -> None:
    (office,) = desks("office")
    before, state = office.json(), office.document.state()
    with pytest.raises(DocumentError):
        office.document.merge(HOSTILE[kind])
    assert (office.json(), office.document.state()) == (before, state)
    office.sets("volume", "7")
    assert office.values["volume"] == "7"


@each("depth", [0, 1, limits.VALUE_DEPTH_MAX])
@each("maps", [False, True])
def test_a_value_of_a_newer_version_is_carried(depth: int, maps: bool) -> None:
    (office,) = desks("office")
    assert office.document.merge(update(entry("holograms", yjs.nested(depth, maps=maps))))
    assert "holograms" in office.entries.unknown
    assert "holograms" in office.json()


def test_numbers_of_a_newer_version_are_carried() -> None:
    (office,) = desks("office")
    numbers = [
        b"\x7d\x03",
        b"\x7d\x43",
        b"\x7c\x40\x60\x00\x00",
        b"\x7a" + bytes(8),
        b"\x78",
        b"\x79",
    ]
    office.document.merge(update(entry("n", b"\x75" + number(len(numbers)) + b"".join(numbers))))
    assert office.entries.unknown["n"] == [3, -3, 3.5, 0, True, False]
    assert office.json()


@each("kept", range(1, 60))
def test_an_update_cut_short_is_refused(kept: int) -> None:
    whole = update(
        new_text("k"), piece("text", parent=(7, 0)), entry("l", yjs.pair(STAMP, "x" * 30))
    )
    assert kept < len(whole)
    with pytest.raises(DocumentError):
        read_update(whole[:kept])


def test_pieces_that_are_in_each_others_way_are_refused_in_bounded_time() -> None:
    many = 4000
    beginning = update(
        *(
            entry(key, NULL) if one == 0 else following((7, 2 * one + place - 2), NULL)
            for one in range(many)
            for place, key in enumerate(("k", "j"))
        )
    )
    document = RecordDocument()
    document.merge(beginning)
    started = time.process_time()
    with pytest.raises(DocumentError):
        document.merge(update(*[entry("k", NULL)] * many, client=9))
    # 5 s in pycrdt alone, and four times as long for twice as many.
    assert time.process_time() - started < 4


def test_the_structure_tells_what_is_written_and_deleted() -> None:
    raw = yjs.of_clients(
        (7, 4, [entry("title\x1fslotAAA", yjs.pair(STAMP, "x")), piece("ab", left=(8, 3))]),
        (9, 0, [new_text("note\x1fslotBBB\x1f0"), piece("abc", parent=(9, 0))]),
        deletes=[(8, 0, 2), (8, 5, 1)],
    )
    structure = read_update(raw)
    assert structure.ranges == {7: (4, 3), 9: (0, 4)}
    assert client_ids(structure) == {7, 9}
    assert structure.keys == {"title\x1fslotAAA": {7}, "note\x1fslotBBB\x1f0": {9}}
    assert structure.deletes == {8: [(0, 2), (5, 1)]}
    assert structure.dependencies == {(8, 3), (9, 0)}


def test_an_update_is_complete_for_a_document_that_holds_what_it_names() -> None:
    structure = read_update(
        update(entry("k", NULL), piece("ab", left=(8, 3)), clock=4, deletes=[(8, 5, 1), (9, 0, 1)])
    )
    check_complete(structure, {7: 4, 8: 6, 9: 1})
    check_complete(structure, {7: 9, 8: 60, 9: 10})
    for known in ({7: 3, 8: 6, 9: 1}, {7: 4, 8: 3, 9: 1}, {7: 4, 8: 5, 9: 1}, {7: 4, 8: 6}, {}):
        with pytest.raises(DocumentError):
            check_complete(structure, known)


def test_an_overwritten_key_is_found_where_the_update_does_not_say_it() -> None:
    office, home = desks("office", "home")
    office.sets("volume", "1")
    home.learns(office)
    client = next(iter(client_ids(read_update(office.document.state()))))
    known = read_update(office.document.state()).ranges[client][1]
    victim = next(
        struct
        for struct in read_update(office.document.state()).structs[client]
        if struct.key == "volume\x1f" + office.slot
    )
    raw = update(following((client, victim.start), yjs.pair(STAMP, "stolen")), client=99)
    checked = home.document.check(raw)
    assert known > victim.start
    assert checked.keys == {99: {"volume\x1f" + office.slot}}
    assert slots_written(checked) == {99: {office.slot}}


@each(
    ("key", "slot"),
    [
        ("title\x1fslotAAAAAAAA", "slotAAAAAAAA"),
        ("+tags\x1fa tag\x1fslotAAAAAAAA", "slotAAAAAAAA"),
        ("note\x1fslotAAAAAAAA\x1f0", "slotAAAAAAAA"),
        ("note\x1fslotAAAAAAAA\x1f12", "slotAAAAAAAA"),
        ("modified\x1fnote\x1fslotAAAAAAAA\x1f0\x1fslotBBBBBBBB", "slotBBBBBBBB"),
        ("holograms", ""),
        ("slotAAAAAAAA", ""),
        ("title\x1fshort", ""),
        ("title\x1fslotAAAAAAAA\x1fx", ""),
        ("\x1fslotAAAAAAAA", ""),
    ],
)
def test_the_slot_of_a_key(key: str, slot: str) -> None:
    assert slot_of(key) == slot


def test_a_deletion_before_its_item_is_refused_until_the_item_is_there() -> None:
    office, home, late = desks("office", "home", "late")
    volume = office.writes(lambda plan, _: plan.put("volume", "7", seen=[]))
    assert volume is not None
    home.document.merge(volume)
    removal = home.writes(lambda plan, entries: plan.remove("volume", entries.live("volume")))
    assert removal is not None
    with pytest.raises(DocumentError):
        late.document.merge(removal)
    late.document.merge(volume)
    late.document.merge(removal)
    office.document.merge(removal)
    assert late.json() == home.json() == office.json()


def test_a_piece_of_a_deleted_text_is_taken_without_effect() -> None:
    text = update(new_text("k"), piece("abc", parent=(7, 0)))
    removal = update(deletes=[(7, 0, 1)])
    edit = update(piece("X", left=(7, 1), right=(7, 2)), client=9)
    jsons = set()
    for order in ((text, removal, edit), (text, edit, removal)):
        document = RecordDocument()
        for one in order:
            document.merge(one)
        jsons.add(str(document.entries()))
        document.merge(update(piece("Y", left=(9, 0)), client=9, clock=1))
        assert RecordDocument(document.state()).entries() == document.entries()
    assert len(jsons) == 1


def test_a_document_that_pycrdt_refuses_half_of_is_as_it_was() -> None:
    office, home = desks("office", "home")
    office.sets("note", "A note.")
    edit = home.writes(lambda plan, _: plan.put("volume", "7", seen=[]))
    assert edit is not None
    before = office.json()
    checked = office.document.check(edit)
    foreign = update(entry("k", NULL), b"\x28\x00\x07\x00\x01j\x01" + NULL)
    with pytest.raises(DocumentError):
        office.document.merge(foreign, checked)  # its check was of other bytes
    assert office.json() == before
    assert office.document.merge(edit)
    assert office.values["volume"] == "7"
    office.sets("title", "On Ink")
    assert home.learns(office).json() == office.json()


_IN_A_PROCESS = """
import resource, sys
from pathlib import Path
from tests.unit.document.test_update_structure import HOSTILE
from bifolio.document.record import RecordDocument
from bifolio.errors import DocumentError
own = Path("/proc/self/status")
if own.exists():  # where the greatest size of all is that of the process that began this one
    Path("/proc/self/clear_refs").write_text("5")
for raw in HOSTILE.values():
    document = RecordDocument()
    try:
        document.merge(raw)
    except DocumentError:
        continue
    raise SystemExit("merged")
usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if own.exists():
    usage = int(own.read_text().split("VmHWM:")[1].split()[0])
print(usage // (1024 * 1024 if sys.platform == "darwin" else 1024))
"""


def test_no_hostile_update_ends_the_process_or_fills_its_memory() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _IN_A_PROCESS],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 256

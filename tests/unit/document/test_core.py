"""The core of a large record: what it leaves out, and what may be merged into it alone."""

from __future__ import annotations

import pytest
from tests.support import yjs_updates as yjs
from tests.support.cases import each

from bifolio.document.core import Core, CoreWindow, NameFilter, names_gap
from bifolio.document.record import RecordDocument
from bifolio.document.update_structure import read_update
from bifolio.errors import DocumentError
from bifolio.ids import CONTENT_CLIENTS

STAMP = "0" * 18
SEP = "\x1f"
TEXT = f"note{SEP}AAAAAAAAaaaa{SEP}0"


def pair(value: str) -> bytes:
    return yjs.pair(STAMP, value)


def first() -> bytes:
    """Client 1: a register, a text of ten characters, and a register that is gone."""
    return yjs.update(
        yjs.entry(f"title{SEP}AAAAAAAAaaaa", pair("Of ink")),
        yjs.new_text(TEXT),
        yjs.piece("0123456789", parent=(1, 1)),
        yjs.entry(f"volume{SEP}AAAAAAAAaaaa", pair("1")),
        client=1,
        deletes=[(1, 4, 4), (1, 12, 1)],
    )


def second() -> bytes:
    """Client 2: a register alone, which client 3 deletes."""
    return yjs.update(yjs.entry(f"year{SEP}AAAAAAAAbbbb", pair("1900")), client=2)


def third() -> bytes:
    return yjs.update(
        yjs.entry(f"year{SEP}AAAAAAAAcccc", pair("1901")), client=3, deletes=[(2, 0, 1)]
    )


def whole() -> RecordDocument:
    document = RecordDocument()
    for one in (first(), second(), third()):
        document.merge_own(one)
    return document


def window() -> tuple[RecordDocument, CoreWindow]:
    document = whole()
    core = document.make_core()
    assert core is not None
    names = NameFilter.of(read_update(document.state())).to_bytes()
    return document, CoreWindow(core, document.state, lambda: names)


def test_the_core_shows_the_same_and_leaves_out_who_has_nothing_live() -> None:
    document, found = window()
    core = RecordDocument(found.core.state)
    assert core.entries() == document.entries()
    assert core.entries().texts == {TEXT: "016789"}
    structure = read_update(found.core.state)
    assert set(structure.structs) == {1, 3}
    # Of the four characters that are gone the first and the last one are there.
    assert found.core.gaps == {((1, 4), (1, 7))}
    assert structure.structs[1][-1].end == 13


def test_a_core_of_a_core_is_as_small_and_keeps_its_gaps() -> None:
    _, found = window()
    document = RecordDocument.of_core(found)
    assert document.make_core() is not None
    document = RecordDocument.of_core(found, client_id=9)
    again = document.make_core()
    assert again is not None
    assert again.gaps == found.core.gaps


NEW = {
    "a register": yjs.update(yjs.entry(f"title{SEP}BBBBBBBBaaaa", pair("x")), client=9),
    "a piece between two": yjs.update(yjs.piece("x", left=(1, 8), right=(1, 9)), client=9),
    "a piece before what is gone": yjs.update(yjs.piece("x", left=(1, 3), right=(1, 4)), client=9),
    "a piece behind what is gone": yjs.update(yjs.piece("x", left=(1, 7), right=(1, 8)), client=9),
    "a piece at the end": yjs.update(yjs.piece("x", left=(1, 11)), client=9),
    "a piece at the beginning": yjs.update(yjs.piece("x", right=(1, 2)), client=9),
    "a deletion": yjs.update(client=9, deletes=[(1, 0, 1), (1, 8, 2)]),
    "a deletion of what is gone": yjs.update(client=9, deletes=[(1, 4, 4)]),
    "a text": yjs.update(
        yjs.new_text(f"note{SEP}BBBBBBBBaaaa{SEP}0"), yjs.piece("new", parent=(9, 0)), client=9
    ),
}


@each("update", NEW.values(), ids=NEW.keys())
def test_what_has_one_place_is_merged_into_the_core(update: bytes) -> None:
    document, found = window()
    core = RecordDocument.of_core(found)
    assert not core.has_of(read_update(update))
    core.merge(update)
    assert core.is_core
    document.merge(update)
    assert core.entries() == document.entries()
    core.load_whole()
    assert core.entries() == document.entries()


OLD = {
    "a client that has nothing live": yjs.update(
        yjs.entry(f"isbn{SEP}AAAAAAAAbbbb", pair("x")), client=2, clock=1
    ),
    "a client of the base": yjs.update(
        yjs.entry(f"isbn{SEP}AAAAAAAAaaaa", pair("x")), client=1, clock=13
    ),
    "the same update again": second(),
    "another one in its place": yjs.update(
        yjs.entry(f"isbn{SEP}AAAAAAAAbbbb", pair("x")), client=2
    ),
    "a key that is gone, by another client": yjs.update(
        yjs.entry(f"volume{SEP}AAAAAAAAaaaa", pair("2")), client=9
    ),
    "a key that is live, by another client": yjs.update(
        yjs.entry(f"title{SEP}AAAAAAAAaaaa", pair("2")), client=9
    ),
    "a slot of the base": yjs.update(yjs.entry(f"isbn{SEP}AAAAAAAAbbbb", pair("2")), client=9),
    "an entry behind another's": yjs.update(yjs.following((1, 0), pair("2")), client=9),
    "the middle of what is gone": yjs.update(yjs.piece("x", left=(1, 5), right=(1, 6)), client=9),
    "both ends of what is gone": yjs.update(yjs.piece("x", left=(1, 4), right=(1, 7)), client=9),
    "over a piece": yjs.update(yjs.piece("x", left=(1, 3), right=(1, 9)), client=9),
    "over the rest": yjs.update(yjs.piece("x", left=(1, 3)), client=9),
    "from the beginning on": yjs.update(yjs.piece("x", right=(1, 9)), client=9),
    "a text that is not empty": yjs.update(yjs.piece("x", parent=(1, 1)), client=9),
    "a deletion of who has nothing live": yjs.update(client=9, deletes=[(2, 0, 1)]),
    "a content's": yjs.update(
        yjs.entry(f"title{SEP}iaaaaa1", pair("x")), client=CONTENT_CLIENTS + 1
    ),
    "one key twice": yjs.update(
        yjs.entry(f"isbn{SEP}BBBBBBBBaaaa", pair("x")),
        yjs.entry(f"isbn{SEP}BBBBBBBBaaaa", pair("y")),
        client=9,
    ),
}


@each("update", OLD.values(), ids=OLD.keys())
def test_for_all_else_the_whole_record_is_loaded(update: bytes) -> None:
    document, found = window()
    core = RecordDocument.of_core(found)
    structure = read_update(update)
    assert core.has_of(structure) == document.has_of(structure)
    assert not core.is_core
    outcomes: list[tuple[object, object]] = []
    for one in (core, document):
        try:
            outcomes.append((one.merge(update), one.entries()))
        except DocumentError as error:
            outcomes.append((error.reason, one.entries()))
    assert outcomes[0] == outcomes[1]


def test_a_base_that_cannot_be_read_leaves_the_core_as_it_is() -> None:
    _, found = window()
    core = RecordDocument.of_core(found._replace(load_whole=lambda: b"\x80\x80\x00damaged"))
    with pytest.raises(DocumentError):
        core.merge(OLD["over a piece"])
    assert core.is_core
    core.merge(NEW["a register"])
    assert len(core.entries().live("title")) == 2


FOREIGN = {
    "a number": yjs.update(yjs.entry(f"title{SEP}AAAAAAAAaaaa", b"\x7d\x01"), client=1),
    "a list": yjs.update(yjs.entry("list", b"\x00", kind=7), client=1),
    "three values": yjs.update(yjs.entry("k", b"\x75\x03" + b"\x7e" * 3), client=1),
}


@pytest.mark.parametrize("update", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_a_newer_version_writes_has_no_core(update: bytes) -> None:
    document = RecordDocument()
    document.merge_own(update)
    assert document.make_core() is None


def test_a_filter_never_says_no_of_a_name_that_it_has() -> None:
    names = NameFilter.of(read_update(whole().state()))
    for one in (1, 2, 3, "AAAAAAAAaaaa", "AAAAAAAAbbbb", "AAAAAAAAcccc"):
        assert names.may_have(one)
    assert names.extend([read_update(NEW["a register"])])
    kept = NameFilter(names.to_bytes())
    assert kept.may_have(9)
    assert kept.may_have("BBBBBBBBaaaa")
    many = [kept.may_have(number) for number in range(1000, 2000)]
    assert sum(many) < 20
    assert not kept.extend([read_update(second())] * 100)
    assert NameFilter(b"").may_have("anything")


def test_an_edit_that_pycrdt_would_put_into_a_gap_is_made_again_in_the_whole() -> None:
    gaps = frozenset([((1, 4), (1, 7))])
    assert names_gap(read_update(OLD["both ends of what is gone"]), gaps)
    assert not names_gap(read_update(NEW["a piece before what is gone"]), gaps)
    assert Core(b"", gaps).gaps == gaps

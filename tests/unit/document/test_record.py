"""One pycrdt document: updates from the event, bad bytes as a documented error."""

from __future__ import annotations

import random

import pytest
from tests.support.cases import each
from tests.unit.document.builders import Desk, desks, names

from bifolio.document import deletion, editing
from bifolio.document.entries import Entries
from bifolio.document.new_update import encode_new
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.errors import DocumentError
from bifolio.records.reference import Values


def test_an_update_holds_only_what_was_written() -> None:
    (office,) = desks("office")
    for number in range(50):
        office.sets("title", f"Title {number}")
    update = office.writes(lambda plan, _: plan.put("volume", "7", seen=[]))
    assert update is not None
    assert len(update) < 100


def test_merging_twice_is_merging_once() -> None:
    office, home = desks("office", "home")
    update = home.writes(lambda plan, _: plan.put("volume", "7", seen=[]))
    assert update is not None
    assert office.document.merge(update)
    before = office.json()
    assert not office.document.merge(update)
    assert office.json() == before


def test_a_state_loads_again_as_it_was() -> None:
    (office,) = desks("office")
    office.sets("note", "A note.")
    office.writes(deletion.plan_delete)
    again = Desk("again")
    again.document = RecordDocument(office.document.state())
    assert again.json() == office.json()


def test_an_empty_document_has_no_entries() -> None:
    entries = RecordDocument().entries()
    assert (entries.registers, entries.texts, entries.unknown) == ({}, {}, {})


def test_a_plan_without_writes_is_empty() -> None:
    plan = Plan(Writer("slotAAA", "0" * 18))
    assert plan.is_empty
    plan.put("title", "x", seen=[])
    assert not plan.is_empty


def test_a_new_record_of_a_plan_is_what_writing_the_plan_gives() -> None:
    plan = Plan(Writer("iAAAAA1", f"{1:018x}"))
    nothing = Entries({}, {}, {})
    values: Values = {
        "title": "On \x00 Paper 👍",
        "author": names("Doe, Jane", "Doe, Jane"),
        "issued": {"date-parts": [[2014]]},
        "tags": ("a\x1fb", "x" * 100),
        "abstract": "",
        "note": "Two\nlines.",
        "x.ris.Y9": ("1", "2"),
    }
    editing.plan_creation(plan, nothing, kind="reference", values=values)
    made = RecordDocument(encode_new(plan, client_id=7))
    written = RecordDocument(client_id=7)
    written.write(plan)
    assert made.state() == written.state()
    assert made.entries() == written.entries() == plan.alone()


def test_a_state_is_of_after_the_last_write_and_merge() -> None:
    office, home = desks("office", "home")
    office.sets("title", "One")
    home.document.merge(office.document.state())
    office.sets("title", "Two")
    home.document.merge(office.document.state())
    assert RecordDocument(home.document.state()).entries() == office.document.entries()


@each("damaged", [b"", b"\x00", b"\xff" * 40, b"no update at all"])
def test_bytes_that_are_no_update_are_a_document_error(damaged: bytes) -> None:
    (office,) = desks("office")
    before = office.json()
    with pytest.raises(DocumentError):
        office.document.merge(damaged)
    assert office.json() == before


def test_a_damaged_update_is_accepted_or_a_document_error_and_nothing_else() -> None:
    (office,) = desks("office")
    office.sets("note", "A note that is long enough to be damaged in many places.")
    update = office.document.state()
    generator = random.Random(1)
    refused = 0
    for _ in range(1500):
        damaged = bytearray(update)
        for _ in range(generator.randrange(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        cut = bytes(damaged[: generator.randrange(1, len(damaged) + 1)])
        try:
            RecordDocument().merge(cut)
        except DocumentError:
            refused += 1
    assert refused > 500

"""Most updates are checked in one pass: with what the check of every kind of update finds."""

from __future__ import annotations

import pytest

from bifolio.document import importing, update_rules
from bifolio.document.field_kinds import field_kind
from bifolio.document.importing import ImportVersion
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.document.update_rules import CheckedUpdate, check_update
from bifolio.document.update_structure import STRING, read_update
from bifolio.errors import DocumentError
from bifolio.records.names import Name
from bifolio.records.reference import Source, Values

RECORD = "a" * 32
VALUES: Values = {
    "type": "book",
    "title": "On Paper",
    "author": (Name("Lee", "Ann"),),
    "abstract": "It speaks of ink. \U0001f58b",
    "note": "Read it.",
}


def imported() -> bytes:
    source = Source("ris", "BOOK", "17", (("TI", "On Paper"),))
    update, _ = importing.first_import(RECORD, ImportVersion(VALUES, source), mapping="1")
    return update


def checked_in_full(update: bytes, monkeypatch: pytest.MonkeyPatch) -> CheckedUpdate:
    with monkeypatch.context() as patch:
        patch.setattr(update_rules, "_check_simple", lambda *_: None)
        return RecordDocument().check(update)


def test_a_new_record_with_texts_is_checked_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    update = imported()
    full = checked_in_full(update, monkeypatch)
    assert any(struct.kind == STRING for _, struct, _ in full.placed)
    monkeypatch.setattr(update_rules, "_Placing", None)  # the check of every kind
    simple = RecordDocument().check(update)
    assert (simple.keys, simple.reached, simple.placed) == (full.keys, full.reached, full.placed)


def test_a_piece_in_no_text_of_its_own_update_is_not() -> None:
    document = RecordDocument(client_id=5)
    plan = Plan(Writer("s" * 12, "1" * 18))
    field_kind("note").plan_set(plan, document.entries(), "note", "Read it.")
    document.write(plan)
    plan = Plan(Writer("s" * 12, "2" * 18))
    field_kind("note").plan_set(plan, document.entries(), "note", "Read it all.")
    later = read_update(document.write(plan))
    with pytest.raises(DocumentError):
        check_update(later, {}, update_rules.StructIndex)
    known = {5: next(iter(later.structs.values()))[0].start}
    with pytest.raises(DocumentError):
        check_update(later, known, update_rules.StructIndex)


def test_a_text_that_came_later_hides_no_other_from_the_check() -> None:
    """The order of the pieces was that of the later text alone: what is put into the earlier one
    was compared with nothing."""
    document = RecordDocument(client_id=5)
    for number, field in enumerate(("note", "abstract"), start=1):
        plan = Plan(Writer("s" * 12, f"{number}" * 18))
        field_kind(field).plan_set(plan, document.entries(), field, f"Words of the {field}.")
        update = document.write(plan)
        if number == 1:
            reader = RecordDocument(update)
            reader.check(update)
            assert reader._structs().take_order() is not None
        else:
            reader._structs()._order = reader._structs().copy_order()
            reader.merge(update)
    holders = reader._structs().take_order()._first
    assert len(holders) == 2

"""Canonical JSON: everything that lives in a record, once, in one form; and the hash of it."""

from __future__ import annotations

import json

from tests.unit.document.builders import RECORD_ID, desks, meet

from bifolio.clock import make_stamp
from bifolio.document.canonical import STATE_HASH_MODULUS, record_hash, record_json
from bifolio.document.entries import parse_entries
from bifolio.document.record import RecordDocument

STAMP = make_stamp(milliseconds=1_700_000_000_000, counter=0)
LATER = make_stamp(milliseconds=1_700_000_000_001, counter=0)


def test_the_text_is_the_one_that_the_design_gives() -> None:
    content = {
        "kind\x1fslotAAA": [STAMP, "reference"],
        "title\x1fslotAAA": [STAMP, "Grüße"],
        "title\x1fslotBBB": [LATER, None],
        "note\x1fslotAAA\x1f0": "A text.",
    }
    text = record_json(RECORD_ID, "reference", parse_entries(content))
    assert text == (
        '{"fields":{'
        f'"kind":[["{STAMP}","slotAAA","reference"]],'
        '"note\\u001fslotAAA\\u001f0":[["","","A text."]],'
        f'"title":[["{LATER}","slotBBB",null],["{STAMP}","slotAAA","Grüße"]]'
        f'}},"id":"{RECORD_ID}","kind":"reference","trash":false}}'
    )


def test_keys_of_a_newer_version_enter_the_text_and_the_hash() -> None:
    known = {"kind\x1fslotAAA": [STAMP, "reference"]}
    newer = known | {"future": {"a": 1.0, "b": [True, None, 0.5]}}
    text = record_json(RECORD_ID, "reference", parse_entries(newer))
    assert json.loads(text)["fields"]["future"] == [
        ["", "", {"a": 1, "b": [True, None, {"float": "0.5"}]}]
    ]
    assert text != record_json(RECORD_ID, "reference", parse_entries(known))


def test_keys_of_a_newer_version_are_carried_through_an_edit() -> None:
    import pycrdt

    newer: pycrdt.Doc[pycrdt.Map[object]] = pycrdt.Doc(client_id=9)
    root = newer.get("r", type=pycrdt.Map)
    with newer.transaction():
        root["kind\x1fslotAAA"] = [STAMP, "reference"]
        root["title\x1fslotAAA"] = [STAMP, "On Paper", "a third member"]
        root["holograms"] = pycrdt.Map({"count": "3"})
    office, home = desks("office", "home")
    for desk in (office, home):
        desk.document.merge(newer.get_update())
    home.sets("volume", "7")
    meet(office, home)
    assert office.entries.unknown == {
        "title\x1fslotAAA": [STAMP, "On Paper", "a third member"],
        "holograms": {"count": "3"},
    }


def test_the_text_does_not_depend_on_how_the_record_came_to_be() -> None:
    office, home = desks("office", "home")
    office.sets("title", "On Ink")
    home.adds("note", "A note.")
    meet(office, home)
    reloaded = RecordDocument(home.document.state())
    assert record_json(RECORD_ID, "reference", reloaded.entries()) == office.json()


def test_the_hash_is_of_id_and_text() -> None:
    text = record_json(RECORD_ID, "reference", parse_entries({}))
    assert 0 < record_hash(RECORD_ID, text) < STATE_HASH_MODULUS
    assert record_hash(RECORD_ID, text) != record_hash("0" * 32, text)
    assert record_hash(RECORD_ID, text) == record_hash(RECORD_ID, text)

"""The update of a new record, written without pycrdt, is what pycrdt writes, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.support.bibliography import write_bibliography
from hypothesis import given
from hypothesis import strategies as st

from bifolio.clock import import_stamp
from bifolio.document import content_names, importing
from bifolio.document.content_names import STAND_IN_CLIENT
from bifolio.document.importing import ImportVersion
from bifolio.document.new_update import encode_new
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.formats import MAPPING_VERSION, read
from bifolio.records.reference import ImportedReference
from bifolio_cli.bench import workload

CLIENTS = (0, 7, 127, 128, 300, STAND_IN_CLIENT)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def written_by_pycrdt(plan: Plan, client_id: int) -> bytes:
    document = RecordDocument(client_id=client_id)
    if not plan.is_empty:
        document.write(plan)
    return document.state()


@given(
    puts=st.dictionaries(TEXTS, st.none() | TEXTS, max_size=6),
    texts=st.dictionaries(TEXTS, TEXTS, max_size=4),
    stamped=st.sets(TEXTS, max_size=2),
    client_id=st.sampled_from(CLIENTS),
)
def test_any_plan_is_written_as_pycrdt_writes_it(
    puts: dict[str, str | None], texts: dict[str, str], stamped: set[str], client_id: int
) -> None:
    plan = Plan(Writer("iAAAAA1", import_stamp(1)))
    plan.puts = {f"{key}\x1f{plan.writer.slot}": value for key, value in puts.items()}
    plan.new_texts = {f"{key}\x1f{plan.writer.slot}\x1f0": text for key, text in texts.items()}
    plan.stamps = {
        key: import_stamp(number)
        for number, key in enumerate(sorted(plan.puts), start=2)
        if key.partition("\x1f")[0] in stamped
    }
    assert encode_new(plan, client_id=client_id) == written_by_pycrdt(plan, client_id)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 70_000])
@pytest.mark.parametrize("character", ["a", "é", "漢", "𝒳"])
def test_a_text_of_any_length_is_written_as_pycrdt_writes_it(length: int, character: str) -> None:
    plan = Plan(Writer("iAAAAA1", import_stamp(1)))
    plan.put("title", character * length, seen=[])
    plan.new_texts = {
        "abstract\x1fiAAAAA1\x1f0": character * length,
        "note\x1fiAAAAA1\x1f0": "after it",
    }
    for client_id in CLIENTS:
        assert encode_new(plan, client_id=client_id) == written_by_pycrdt(plan, client_id)


def test_a_file_s_references_are_written_as_pycrdt_writes_them(tmp_path: Path) -> None:
    bibtex, items = tmp_path / "library.bib", tmp_path / "items.json"
    write_bibliography(bibtex, 60)
    items.write_text(json.dumps(list(workload.references(0, 30))), encoding="utf-8")
    count = 0
    for file in (bibtex, items):
        for one in read(file):
            if not isinstance(one, ImportedReference):
                continue
            version = ImportVersion(one.values, one.source)
            made, entries = importing.first_import("a" * 32, version, mapping=MAPPING_VERSION)
            document = RecordDocument(made)
            assert document.state() == made
            assert document.entries() == entries
            count += 1
    assert count >= 80


def test_the_entries_of_an_import_bear_its_slot_wherever_the_stand_in_was() -> None:
    slot = content_names.stand_in("iAAAAA1")
    plan = Plan(Writer(slot, import_stamp(1)))
    plan.put(f"author\x1f{slot}0", f"after {slot}", seen=[])
    name = plan.new_text(plan.alone(), "note", f"says {slot}")
    plan.put("note", name, seen=[])
    entries = plan.alone_as("iAAAAA1BCDEF")
    assert slot not in repr(entries)
    made = encode_new(plan, client_id=7).replace(slot.encode(), b"iAAAAA1BCDEF")
    assert RecordDocument(made).entries() == entries

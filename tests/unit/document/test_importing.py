"""Imports are the same bytes everywhere; a newer version is merged and leaves local edits."""

from __future__ import annotations

import subprocess
import sys

from tests.unit.document.builders import NOW_MS, RECORD_ID, Desk, meet, names, shown_names

from bifolio.clock import import_stamp, make_stamp
from bifolio.document import importing
from bifolio.document.entries import parse_entries, without_superseded_imports
from bifolio.document.importing import ImportVersion
from bifolio.document.record import RecordDocument
from bifolio.records.reference import ImportedBlocks, Source, Values

OLD: Values = {
    "type": "article-journal",
    "title": "On Paper",
    "volume": "7",
    "author": names("Doe, Jane", "Roe, R."),
    "abstract": "It speaks of paper.",
    "tags": ("ink", "paper"),
    "citation-key": "doe2014paper",
}
NEW: Values = OLD | {
    "title": "On Paper and Ink",
    "author": names("Doe, Jane", "Roe, R.", "Poe, P."),
    "abstract": "It speaks of paper, and of ink too.",
    "tags": ("paper", "glue"),  # the kept one is the older
}

ON_ANOTHER_COMPUTER = """
from tests.unit.document.test_importing import imported, version, OLD, NEW
print(b"".join(imported(version(OLD), version(NEW))).hex())
"""


def version(values: Values) -> ImportVersion:
    tags = (("TI", str(values["title"])), ("AB", str(values.get("abstract"))))
    return ImportVersion(values, Source("ris", "JOUR", "1", tags))


def imported(*versions: ImportVersion, mapping: str = "1") -> list[bytes]:
    return importing.import_updates(RECORD_ID, versions, mapping=mapping)


def imports(desk: Desk, *versions: ImportVersion, mapping: str = "1") -> None:
    for update in imported(*versions, mapping=mapping):
        desk.document.merge(update)


def desk_with(name: str, *versions: ImportVersion) -> Desk:
    desk = Desk(name)
    imports(desk, *versions)
    return desk


def test_an_import_gives_back_its_values() -> None:
    office = desk_with("office", version(OLD))
    assert office.values == OLD
    assert importing.sources(office.entries) == [version(OLD).source]


def test_the_same_versions_are_the_same_bytes_in_every_process() -> None:
    here = b"".join(imported(version(OLD), version(NEW))).hex()
    for hash_seed in ("1", "2", "3"):
        there = subprocess.run(
            [sys.executable, "-c", ON_ANOTHER_COMPUTER],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
        )
        assert there.stdout.strip() == here


def test_two_computers_that_import_the_same_file_before_they_meet_hold_one_reference() -> None:
    office, home = desk_with("office", version(OLD)), desk_with("home", version(OLD))
    meet(office, home)
    assert office.values == OLD
    assert office.conflicts == {}


def test_a_newer_version_replaces_what_the_file_changed() -> None:
    office = desk_with("office", version(OLD), version(NEW))
    assert office.values == NEW
    assert office.conflicts == {}
    assert importing.sources(office.entries)[-1] == version(NEW).source


def test_a_newer_version_is_merged_into_what_the_older_one_made() -> None:
    office = desk_with("office", version(OLD))
    imports(office, version(OLD), version(NEW))
    assert office.values == NEW


def test_local_edits_of_other_fields_stay() -> None:
    office = desk_with("office", version(OLD))
    office.sets("volume", "8")
    office.adds("author", "Loe, L.")
    office.adds("tags", "mine")
    imports(office, version(OLD), version(NEW))
    assert office.values["volume"] == "8"
    assert set(shown_names(office)) == {"Doe, Jane", "Roe, R.", "Poe, P.", "Loe, L."}
    assert set(office.values["tags"]) == {"paper", "glue", "mine"}
    assert office.values["title"] == "On Paper and Ink"


def test_a_local_edit_of_the_same_field_is_shown_and_the_file_s_is_listed() -> None:
    office = desk_with("office", version(OLD))
    office.sets("title", "Mine")
    imports(office, version(OLD), version(NEW))
    assert office.values["title"] == "Mine"
    assert office.conflicts["title"] == ["Mine", "On Paper and Ink"]


def test_a_local_edit_of_a_text_that_the_file_changed_is_a_conflict() -> None:
    office = desk_with("office", version(OLD))
    office.adds("abstract", "My own paragraph.")
    imports(office, version(OLD), version(NEW))
    assert sorted(map(str, office.conflicts["abstract"])) == [
        "It speaks of paper, and of ink too.",
        "It speaks of paper.\n\nMy own paragraph.",
    ]


def test_two_computers_that_import_both_versions_get_one_result() -> None:
    office = desk_with("office", version(OLD))
    home = desk_with("home", version(OLD))
    office.sets("volume", "8", now_ms=NOW_MS + 1000)
    for desk in (office, home):
        imports(desk, version(OLD), version(NEW))
    meet(office, home)
    assert office.values["volume"] == "8"
    assert office.conflicts == {}


def test_a_field_that_the_file_gave_up_is_cleared() -> None:
    without = {name: value for name, value in OLD.items() if name not in ("volume", "abstract")}
    office = desk_with("office", version(OLD), version(without))
    assert office.values == without
    assert office.conflicts == {}


def test_what_a_newer_mapping_made_hides_what_an_older_one_made_of_the_same_source() -> None:
    mapped_anew = ImportVersion(
        {"type": "book", "title": "On paper (mapped better)"}, version(OLD).source
    )
    office = Desk("office")
    imports(office, version(OLD), mapping="1")
    imports(office, mapped_anew, mapping="2")
    assert office.values == mapped_anew.values
    assert office.conflicts == {}


def test_an_older_mapping_of_another_source_is_not_hidden() -> None:
    slots = {
        "iAAAAA1aaaaa": "superseded",
        "iAAAAA2bbbbb": "newer mapping",
        "iAAAAA2ccccc": "newer mapping, on top of another version",
        "iBBBBB1aaaaa": "another source",
    }
    stamp = import_stamp(1)
    entries = parse_entries({f"title\x1f{slot}": [stamp, one] for slot, one in slots.items()})
    standing = without_superseded_imports(entries)
    assert [live.value for live in standing.live("title")] == [
        "another source",
        "newer mapping, on top of another version",
        "newer mapping",
    ]


def test_what_has_a_time_is_no_import() -> None:
    stamp = make_stamp(milliseconds=NOW_MS, counter=0)
    entries = parse_entries(
        {f"title\x1f{slot}": [stamp, slot] for slot in ("iAAAAA1aaaaa", "iAAAAA2aaaaa")}
    )
    assert without_superseded_imports(entries) == entries


def test_a_file_s_own_blocks_come_back_and_are_the_same_record_everywhere() -> None:
    blocks = ImportedBlocks("bibtex", ("@string{a = {b}}", "@comment{c}"))
    record_id, update = importing.blocks_update(blocks)
    assert importing.blocks_update(blocks) == (record_id, update)
    assert importing.read_blocks(RecordDocument(update).entries()) == blocks


def test_numbers_and_addresses_are_in_the_order_of_the_file() -> None:
    numbers: Values = {
        "ISSN": ("2167-8359", "1111-1119"),
        "URL": ("https://b.example.org/", "https://a.example.org/", "https://c.example.org/"),
    }
    office = desk_with("office", version(OLD | numbers))
    assert {name: office.values[name] for name in numbers} == numbers
    newer: Values = numbers | {"ISBN": ("9780306406157", "0306406152")}
    office = desk_with("office", version(OLD | numbers), version(OLD | newer))
    assert {name: office.values[name] for name in newer} == newer


def test_numbers_in_the_order_that_is_shown_anyway_are_the_bytes_of_before() -> None:
    (update,) = imported(version(OLD | {"ISSN": ("1111-1119", "2167-8359")}))
    document = RecordDocument(client_id=1)
    document.merge(update)
    lives = document.entries().registers.values()
    assert {live.stamp for register in lives for live in register} == {import_stamp(1)}

"""What is shown of a record."""

from __future__ import annotations

from tests.unit.document.builders import Desk, desks

from bifolio.clock import make_stamp
from bifolio.document.entries import parse_entries
from bifolio.document.view import devices, kind_of, read_view

STAMP = make_stamp(milliseconds=1_700_000_000_000, counter=0)


def test_a_record_whose_kind_has_not_arrived_is_of_none() -> None:
    assert kind_of(parse_entries({})) == ""
    assert desks("office")[0].view.kind == "reference"


def test_a_field_of_a_newer_version_is_carried_and_not_shown() -> None:
    entries = parse_entries(
        {"hologram\x1fslotAAA": [STAMP, "3D"], "title\x1fslotAAA": [STAMP, "On Paper"]}
    )
    assert read_view(entries).values == {"title": "On Paper"}
    assert "hologram" in entries.registers


def test_the_rank_of_the_citation_key_is_that_of_its_newest_write() -> None:
    office = Desk("office")
    office.creates({"citation-key": "doe2014"})
    (live,) = office.entries.live("citation-key")
    assert office.view.key_rank == live.rank
    office.clears("citation-key")
    assert office.view.key_rank is None


def test_a_value_that_cannot_be_read_is_shown_as_the_text_it_is() -> None:
    entries = parse_entries(
        {"issued\x1fslotAAA": [STAMP, "{broken"], "x.a\x1fslotAAA": [STAMP, "[1, broken"]}
    )
    assert read_view(entries).values == {
        "issued": {"literal": "{broken"},
        "x.a": ("[1, broken",),
    }


def test_creators_sets_and_texts_that_make_no_sense_are_passed_over() -> None:
    sep = "\x1f"
    entries = parse_entries(
        {
            sep.join(("creator", "ID", "name", "slotAAA")): [STAMP, "[]"],
            sep.join(("creator", "ID2", "name", "slotAAA")): [STAMP, "{broken"],
            sep.join(("creators", "author", "slotAAA")): [STAMP, "7"],
            sep.join(("+hologram", "x", "slotAAA")): [STAMP, "x"],
            sep.join(("note", "slotAAA")): [STAMP, "{broken"],
            sep.join(("", "slotAAA")): [STAMP, "no name"],
            "": [STAMP, "no key"],
        }
    )
    view = read_view(entries)
    assert view.values == {}
    assert view.conflicts == ()


def test_creators_in_a_role_that_is_none_are_carried_and_not_shown() -> None:
    sep = "\x1f"

    def element(one: str, role: str) -> tuple[str, list[str]]:
        value = f'{{"name":{{"family":"Doe"}},"role":"{role}"}}'
        return sep.join(("creator", one, "name", "slotAAA")), [STAMP, value]

    content = dict([element("ID", "title"), element("ID2", "hologrammer")])
    entries = parse_entries({**content, sep.join(("title", "slotAAA")): [STAMP, "On Paper"]})
    assert read_view(entries).values == {"title": "On Paper"}
    assert len(entries.registers) == 3


def test_devices_are_named_and_two_of_one_tag_both() -> None:
    sep = "\x1f"
    entries = parse_entries(
        {
            sep.join(("device", "abc", "abcAAAA")): [STAMP, '{"name":"office","key":"k"}'],
            sep.join(("device", "abc", "abcBBBB")): [STAMP, '{"name":"desk","key":"l"}'],
            sep.join(("device", "xyz", "xyzAAAA")): [STAMP, '{"name":"laptop","key":"m"}'],
            sep.join(("device", "bad", "badAAAA")): [STAMP, "{broken"],
        }
    )
    assert devices(entries) == {"abc": "desk or office", "xyz": "laptop"}

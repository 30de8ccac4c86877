"""What a whole library says beside a record, over several versions of it."""

from __future__ import annotations

from bifolio.formats import map_source, map_sources
from bifolio.formats.library_facts import (
    Layer,
    file_text,
    layer_of,
    merged,
    with_layer,
    without_layer,
)
from bifolio.records.attachments import Attachment
from bifolio.records.reference import Source, group_record_id

RECORD = Source("endnote-xml", "6 Book", "db:1", (("titles/title", "A"), ("keywords/keyword", "x")))
PAPER = Attachment("paper.pdf", "ab" * 32, 5)


def test_a_layer_comes_back_from_the_source_that_holds_it() -> None:
    layer: Layer = {"groups": ("G1", "G2"), "files": (), "rating": ("4",)}
    source = with_layer(RECORD, layer)
    assert layer_of(source) == layer
    assert without_layer(source) == RECORD
    assert layer_of(RECORD) == {}


def test_a_second_layer_takes_the_place_of_the_first() -> None:
    once = with_layer(RECORD, {"groups": ("G1",)})
    assert with_layer(once, {"trash": ("1",)}) == with_layer(RECORD, {"trash": ("1",)})


def test_the_layer_adds_to_the_records_own_values() -> None:
    source = with_layer(
        RECORD,
        {
            "groups": ("G1",),
            "tags": ("x", "y"),
            "rating": ("4",),
            "files": (file_text("1/paper.pdf", PAPER, name="paper.pdf"),),
        },
    )
    assert map_source(source) == {
        "type": "book",
        "title": "A",
        "tags": ("x", "y"),
        "rating": "4",
        "groups": (group_record_id("endnote-xml", "G1"),),
        "files": (PAPER.to_element(),),
    }


def test_what_a_version_cannot_say_is_as_the_one_before_said_it() -> None:
    library = with_layer(RECORD, {"groups": ("G1",), "rating": ("4",), "trash": ()})
    first, second = map_sources([(library, None), (RECORD, None)])
    assert second == first


def test_what_a_version_can_say_and_does_not_is_gone() -> None:
    before: Layer = {"groups": ("G1",), "rating": ("4",)}
    assert merged([before, {"groups": (), "rating": ()}]) == {"groups": (), "rating": ()}


def test_a_file_that_is_missing_now_is_the_one_that_was_found_before() -> None:
    found = file_text("1/paper.pdf", PAPER, name="paper.pdf")
    missing = file_text("1/paper.pdf", None, name="paper.pdf")
    other = file_text("2/other.pdf", None, name="other.pdf")
    assert merged([{"files": (found,)}, {"files": (missing, other)}]) == {"files": (found, other)}
    assert merged([{"files": (found,)}, {"files": ()}]) == {"files": ()}

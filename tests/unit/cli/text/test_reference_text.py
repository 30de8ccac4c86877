"""References, conflicts and status as a person reads them."""

from __future__ import annotations

from typing import Any

from tests.support.cases import each

from bifolio_cli.text.reference_text import (
    conflict_lines,
    count,
    reference_lines,
    reference_name,
    size_text,
    summary_cells,
    value_text,
)
from bifolio_cli.text.safe_text import escape_controls


def _reference(**changed: Any) -> dict[str, Any]:
    reference: dict[str, Any] = {
        "id": "ab" * 16,
        "key": "doe2024type",
        "type": "book",
        "fields": {
            "note": "One.\nTwo.",
            "publisher": "Roe Press",
            "x.shelf": ["B12"],
            "author": [{"family": "Doe", "given": "Jane"}, {"literal": "Roe Press"}],
            "issued": {"date-parts": [[2024, 5]]},
            "title": "On Type",
            "medium": "print",
        },
        "tags": ["history", "type"],
        "groups": [],
        "files": ["paper.pdf"],
        "trashed": False,
        "conflicts": [],
        "merged_into": None,
        "same_key": [],
    }
    return reference | changed


def _conflict(**changed: Any) -> dict[str, Any]:
    conflict: dict[str, Any] = {
        "ref": "ab" * 16,
        "key": "doe2024type",
        "field": "title",
        "kind": "value",
        "values": [
            {"n": 1, "value": "On Type", "by": "laptop", "at": "2024-05-01T10:00:00Z"},
            {"n": 2, "value": "Of Type", "by": "desktop", "at": None},
        ],
    }
    return conflict | changed


def test_a_reference_shows_its_facts_first_and_its_long_texts_last() -> None:
    lines = list(reference_lines(_reference()))
    assert lines[0] == f"doe2024type   (book)   {'ab' * 16}"
    named = [line for line in lines[1:] if line.startswith("  ") and line[2] != " "]
    names = [line.split(":")[0].strip() for line in named]
    assert names == "title author issued publisher medium x.shelf note tags files".split()


def test_names_and_dates_are_shown_as_they_are_written() -> None:
    lines = list(reference_lines(_reference()))
    assert "  author: Doe, Jane; Roe Press" in lines
    assert "  issued: 2024-05" in lines


def test_a_disputed_field_is_marked_and_its_values_listed() -> None:
    text = "\n".join(reference_lines(_reference(conflicts=[_conflict()])))
    assert "title: On Type   [conflict]" in text
    assert "1  On Type   (laptop, 2024-05-01T10:00:00Z)" in text
    assert "2  Of Type   (desktop)" in text
    assert "bifolio resolve doe2024type title --take N" in text


def test_a_revival_is_settled_by_restoring_or_deleting() -> None:
    text = "\n".join(conflict_lines(_conflict(kind="revived", field="deleted", values=[])))
    assert "bifolio restore doe2024type" in text
    assert "bifolio delete doe2024type" in text
    assert "--take" not in text


def test_a_revived_group_is_settled_by_the_commands_of_groups() -> None:
    revived = _conflict(of="group", key="Reading/To do", kind="revived", field="deleted", values=[])
    first, last = conflict_lines(revived)
    assert first.startswith("group Reading/To do: deleted and edited")
    assert "bifolio group restore 'Reading/To do'" in last
    assert "bifolio group delete 'Reading/To do'" in last


@each(
    ("value", "text"),
    [
        (None, "(cleared)"),
        ("plain", "plain"),
        (["a", "b"], "a; b"),
        ({"literal": "spring 1830"}, "spring 1830"),
        ({"date-parts": [[1830], [1832]]}, "1830/1832"),
        ({"family": "Doe", "non-dropping-particle": "van"}, "van Doe"),
        ({"surprise": 1}, "{'surprise': 1}"),
    ],
)
def test_any_value_reads_as_text(value: object, text: str) -> None:
    assert value_text(value) == text


def test_no_control_character_passes_but_newline_and_tab() -> None:
    assert escape_controls("a\x1b[2Jb\x07\x9b\x7f\r\n\tc") == "a\\x1b[2Jb\\x07\\x9b\\x7f\\x0d\n\tc"


def test_a_row_of_a_list_is_one_line_whatever_the_fields_hold() -> None:
    fields = {"title": "Two\nlines\x1b]0;x\x07", "author": [{"literal": "A\tB"}, {"family": "C"}]}
    cells = summary_cells(_reference(fields=fields))
    assert cells == ("doe2024type", "", "A B and 1 more", "Two lines\\x1b]0;x\\x07")


def test_counts_read_as_sentences() -> None:
    assert count(1, "reference") == "1 reference"
    assert count(5735, "reference") == "5,735 references"
    assert count(2, "entry", "entries") == "2 entries"


def test_a_reference_whose_key_was_cleared_is_called_by_its_id() -> None:
    assert reference_name({"key": "", "id": "ab12"}) == "ab12"
    assert reference_name({"key": "doe2024", "id": "ab12"}) == "doe2024"


@each(
    ("size", "text"),
    [
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (2_147_489_856, "2.1 GB"),
        (5_000_000_000_000_000, "5,000.0 TB"),
    ],
)
def test_sizes_are_counted_in_powers_of_a_thousand(size: int, text: str) -> None:
    assert size_text(size) == text

"""The past as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.cases import each

from bifolio_cli.text.history_text import difference_text, event_lines


@each(
    ("before", "after", "text"),
    [
        (None, "On Paper", "On Paper"),
        ("On Paper", None, "On Paper -> (none)"),
        ("On Paper", "On Linen", "On Paper -> On Linen"),
        (["a", "b"], ["b", "c"], "-a; +c"),
        (None, [{"family": "Doe", "given": "Jane"}], "+Doe, Jane"),
        (["a", "b"], ["b", "a"], "in the order b; a"),
        ({"date-parts": [[2020]]}, {"date-parts": [[2021, 5]]}, "2020 -> 2021-05"),
        ("line\nline", "line", "line line -> line"),
    ],
)
def test_a_value_and_the_next_one_read_in_one_line(before: Any, after: Any, text: str) -> None:
    assert difference_text(before, after) == text


def test_a_long_text_is_shortened_to_what_changed_in_it() -> None:
    before = "Of sheets. " * 50 + "Folded once." + " Of leaves." * 50
    after = before.replace("once", "twice")
    shown = difference_text(before, after)
    assert "Folded [-once-][+twice+]." in shown
    assert len(shown) < 120


@pytest.mark.heavy
def test_a_text_of_millions_of_characters_is_compared_by_its_lines() -> None:
    lines = [f"line {number}\n" for number in range(300_000)]
    changed = [*lines[:1000], "another\n", *lines[1001:]]
    shown = difference_text("".join(lines), "".join(changed))
    assert "[-line 1000 -][+another +]" in shown


def _event(**changed: Any) -> dict[str, Any]:
    event = {
        "change": "ab" * 8,
        "at": "2023-11-14T22:13:20.001Z",
        "by": "office",
        "what": "edited",
        "field": "title",
        "before": "One",
        "after": "Two",
        "shown": True,
        "source": None,
    }
    return event | changed


def test_each_change_has_one_heading_and_a_line_for_each_field() -> None:
    lines = list(event_lines([_event(), _event(field="volume", before=None, after="7")]))
    assert len(lines) == 3
    assert lines[0].endswith("  office  [abababababab]")
    assert lines[1:] == ["  title: One -> Two", "  volume: 7"]


def test_what_happened_to_the_whole_reference_is_said_in_words() -> None:
    events = [
        _event(what="begins", change="", at=None, by="", field=None),
        _event(what="deleted", field=None),
        _event(what="restored", field=None, change="cd" * 8),
        _event(what="revived", field=None, change="ef" * 8),
    ]
    text = "\n".join(event_lines(events))
    assert text.startswith("What was there before is not known on this computer")
    assert "moved to the trash" in text
    assert "restored from the trash" in text
    assert "restored by an edit" in text


def test_a_value_that_lost_and_a_file_s_format_are_marked() -> None:
    (heading, line) = event_lines([_event(shown=False, source="ris", by="import")])
    assert "import from ris" in heading
    assert line.endswith("(written at the same time as the one shown)")

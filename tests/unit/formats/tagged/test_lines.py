"""Tagged lines: what stands between records, and the quick look for it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio.formats.tagged import lines as tagged_lines
from bifolio.formats.tagged.lines import OutsideText, holds_outside_text, split

_PIECES = ("TY  - JOUR\nTI  - One\n", "ER  - \n", "\n", "12.\n", "a word\n", "  \n", "TI  - Two\n")


@each("count", [1, 2, 3, 4])
def test_the_quick_look_never_misses_text_outside_of_records(count: int) -> None:
    for pieces in itertools.product(_PIECES, repeat=count):
        text = "".join(pieces)
        found = [one for one in split(text) if isinstance(one, OutsideText)]
        assert holds_outside_text(text) or not found, text


def test_a_plain_export_needs_no_second_look() -> None:
    record = "TY  - JOUR\nTI  - One\nwhich goes on\n\nand on\nER  - \n"
    assert not holds_outside_text(record * 3)
    assert not holds_outside_text("\n1.\n" + record + "\n\n2.\n" + record + "\n")
    assert holds_outside_text("Search of 3 May\n" + record)
    assert holds_outside_text(record + "\n--- next file ---\n" + record)


@given(st.text("ab\n"), st.integers(0, 5))
def test_lines_are_those_of_a_split_however_much_is_cut_at_once(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tagged_lines, "_AT_ONCE", size)
        assert list(tagged_lines._lines(text)) == text.split("\n")

"""A BibTeX text cut into blocks: what is well formed, what is damaged, and what is hostile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.cases import each
from tests.support.examples import examples

from bifolio.formats.bibtex.blocks import BibtexBlock, BibtexEntry, UnreadableBlock, split


def only_entry(text: str) -> BibtexEntry:
    """The one entry of a text that holds nothing else."""
    (found,) = split(text)
    assert isinstance(found, BibtexEntry), found
    return found


@each(
    ("text", "tags"),
    [
        ('@misc{a, t = "A {"} B" # jan # {C}}', [("t", '"A {"} B" # jan # {C}')]),
        ("@misc{a, t = {x \\} y}, year = 1999,}", [("t", "{x \\} y}"), ("year", "1999")]),
        ("@misc{a, file = {C:\\dir\\}, year = 1999}", [("file", "{C:\\dir\\}"), ("year", "1999")]),
        ("@misc(a, t = {x) y}, u = (1 )", [("t", "{x) y}"), ("u", "(1")]),
        ("@ misc\n{a,\n t = {b}}", [("t", "{b}")]),
        ("@misc{a, t = {b},, author+an = {1=x}}", [("t", "{b}"), ("author+an", "{1=x}")]),
        ("@misc{a, t = {b}, % w = {c}\n u = {} }", [("t", "{b}"), ("%", "% w = {c}"), ("u", "{}")]),
        ("@misc{a, % t = {b,\n c},\n u = {d} }", [("%", "% t = {b,\n c},"), ("u", "{d}")]),
        ("@misc{a, t = , u = {}}", [("t", ""), ("u", "{}")]),
        ("@misc{a, t = {" + "{" * 30 + "x" + "}" * 30 + "}}", [("t", "{" * 31 + "x" + "}" * 31)]),
    ],
)  # fmt: skip
def test_values_stay_as_they_are_written(text: str, tags: list[tuple[str, str]]) -> None:
    entry = only_entry(text)
    assert entry.key == "a"
    assert list(entry.tags) == tags
    assert entry.problem == ""


def test_an_entry_behind_a_percent_sign_is_a_comment() -> None:
    text = "% @misc{a,\n%  title = {A},\n% }\n@misc{b, title = {B}} % @misc{c}"
    comment, entry, rest = split(text)
    assert isinstance(comment, BibtexBlock)
    assert comment.free
    assert comment.text.startswith("% @misc{a,")
    assert isinstance(entry, BibtexEntry)
    assert (entry.key, entry.line) == ("b", 4)
    assert isinstance(rest, BibtexBlock)


def test_two_entries_may_share_a_line() -> None:
    keys = [one.key for one in split("@a{x, t={1}} @b{y, t={2}}") if isinstance(one, BibtexEntry)]
    assert keys == ["x", "y"]


def test_a_damaged_entry_ends_where_the_next_line_begins_one() -> None:
    damaged, whole = split("@misc{a, t = {no end,\n  year = 1999\n}\n@misc{b, t = {B}}")
    assert isinstance(damaged, BibtexEntry)
    assert damaged.tags == (("t", "{no end"), ("year", "1999"))
    assert damaged.problem.startswith("@misc 'a': the braces or quotes of 't' do not balance")
    assert isinstance(whole, BibtexEntry)
    assert (whole.key, whole.line) == ("b", 4)


def test_an_open_comment_does_not_swallow_the_next_entry() -> None:
    comment, entry = split("@comment{jabref-meta: {\n@misc{b, t = {B}}")
    assert isinstance(comment, BibtexBlock)
    assert comment.problem == "@comment is not closed"
    assert isinstance(entry, BibtexEntry)


@given(st.text(alphabet='@a{}(),="%#\\ \n', max_size=200))
@settings(max_examples=examples(200), deadline=None)
def test_no_character_of_any_text_is_without_a_place(text: str) -> None:
    found = list(split(text))
    kept = "".join(
        one.text if isinstance(one, BibtexBlock)
        else one.reason if isinstance(one, UnreadableBlock)
        else one.type + one.key + "".join(tag + raw for tag, raw in one.tags)
        for one in found
    )  # fmt: skip
    assert kept.count("a") >= text.count("a")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece",
    ["{", '"', "@a{", "@a{b, t={", "a={x}, ", "\na = {", '\na = "', "a = {b} # ", "%", "\n%a = {"],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    """200,000 characters; what read them over for each piece would take minutes."""
    for text in (piece * (200_000 // len(piece)), "@a{k, " + piece * (200_000 // len(piece))):
        assert list(split(text))

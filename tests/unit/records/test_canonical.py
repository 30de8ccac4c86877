"""Canonical JSON: one text for one value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio.records.canonical import canonical_json, exact_json, nfc, stored_json


def test_keys_are_sorted_by_code_point_and_nothing_is_escaped_in_vain() -> None:
    assert canonical_json({"é": 1, "z": [True, None], "A": "漢 👍"}) == (
        '{"A":"漢 👍","z":[true,null],"é":1}'
    )


def test_a_float_without_a_fraction_is_the_integer() -> None:
    assert canonical_json([1.0, -0.0, 7]) == "[1,0,7]"


@each("value", [0.5, {"a": [1.5]}, {1: "a"}, float("inf"), float("nan")])
def test_what_has_no_one_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_json(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(_JSON)
def test_its_text_is_that_of_the_standard_library(value: object) -> None:
    assert exact_json(value) == json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


@each("value", [2**64, -(2**63) - 1, ["\ud800"], {"\udfff": 1}])
def test_what_the_faster_encoder_refuses_has_its_text_too(value: object) -> None:
    assert json.loads(exact_json(value)) == value


def test_deep_nesting_is_written() -> None:
    value: object = "deep"
    for _ in range(300):
        value = [value]
    assert json.loads(exact_json(value)) == value


def test_every_character_is_written_as_it_is() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x3_0000)]))
    assert exact_json(text) == json.dumps(text, ensure_ascii=False)


def test_comparison_is_in_the_composed_form() -> None:
    assert nfc("Cafe\u0301") == "Caf\u00e9"


def test_what_holds_texts_alone_has_the_same_text_without_being_walked_through() -> None:
    value = {"é": ["a", ("b", None)], "A": {"z": "\x1f👍", "b": True}}
    assert exact_json(value) == canonical_json(value)


@each("text", ["[" * 99_999, '"\\ud800"', '"\ud800"', "[" * 5_000 + "]" * 5_000])
def test_what_could_not_be_written_again_is_not_read(text: str) -> None:
    assert stored_json(text) is None


def test_an_escape_that_is_a_character_is_read() -> None:
    assert stored_json('["\\u001f", "\\ud83d\\udc4d"]') == ["\x1f", "👍"]

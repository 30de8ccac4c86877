"""Canonical JSON: one text for one value."""

from __future__ import annotations

import pytest

from bifolio.records.canonical import canonical_json, nfc


def test_keys_are_sorted_by_code_point_and_nothing_is_escaped_in_vain() -> None:
    assert canonical_json({"é": 1, "z": [True, None], "A": "漢 👍"}) == (
        '{"A":"漢 👍","z":[true,null],"é":1}'
    )


def test_a_float_without_a_fraction_is_the_integer() -> None:
    assert canonical_json([1.0, -0.0, 7]) == "[1,0,7]"


@pytest.mark.parametrize("value", [0.5, {"a": [1.5]}, {1: "a"}, float("inf"), float("nan")])
def test_what_has_no_one_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_json(value)


def test_comparison_is_in_the_composed_form() -> None:
    assert nfc("Cafe\u0301") == "Caf\u00e9"

"""Cases that are tried in one test: each is tried, and each that fails is named."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from tests.support import cases
from tests.support.cases import each


@pytest.fixture(autouse=True)
def in_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "IS_FULL", False)


def test_every_case_is_tried_and_what_fails_is_named() -> None:
    tried = []

    @each("number", [1, pytest.param(2, id="two"), 3])
    @each(("name", "length"), [("a", 1), ("bc", 2)], ids=str)
    def test(tmp_path: Path, number: int, name: str, length: int) -> None:
        tried.append((tmp_path, number, name))
        assert len(name) == length
        assert number != 2 or name != "bc"

    assert list(inspect.signature(test).parameters) == ["tmp_path"]
    with pytest.raises(AssertionError) as failed:
        test(tmp_path=Path("x"))
    assert failed.value.__notes__ == [
        "the case {'name': 'bc', 'length': 2}",
        "the case {'number': 2}",
    ]
    assert tried == [(Path("x"), number, name) for number in (1, 2, 3) for name in ("a", "bc")]


def test_several_that_fail_come_together() -> None:
    @each("number", range(4))
    def test(number: int) -> None:
        assert number % 2

    with pytest.raises(ExceptionGroup, match="2 of 4 cases") as failed:
        test()
    assert [one.__notes__ for one in failed.value.exceptions] == [
        ["the case {'number': 0}"],
        ["the case {'number': 2}"],
    ]


def test_no_case_and_a_marked_one_are_mistakes() -> None:
    with pytest.raises(AssertionError, match="without a case"):
        each("number", [])
    with pytest.raises(TypeError, match="marked"):
        each("number", [pytest.param(1, marks=pytest.mark.heavy)])


def test_a_full_run_has_a_test_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "IS_FULL", True)

    @each("number", [1, 2])
    def test(number: int) -> None:
        assert number

    (mark,) = test.pytestmark  # type: ignore[attr-defined]
    assert mark.args == ("number", [1, 2])

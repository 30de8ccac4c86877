"""What is made at its first use."""

from __future__ import annotations

import re

import pytest

from bifolio import lazy


def test_a_pattern_finds_what_the_expression_finds() -> None:
    words = lazy.pattern("[a-z]+", re.IGNORECASE)
    assert words.findall("Of ink, 2") == ["Of", "ink"]
    assert words.sub("x", "Of ink") == "x x"
    assert words.pattern == "[a-z]+"
    assert lazy.pattern(rb"\x00").search(b"a\x00")


def test_an_expression_is_compiled_when_it_is_used() -> None:
    broken = lazy.pattern("(")
    with pytest.raises(re.error):
        broken.match("x")


def test_a_module_is_loaded_with_its_first_name() -> None:
    tables = lazy.module("string")
    assert tables.digits == "0123456789"
    later = lazy.module("no_such_module_of_anybody")
    with pytest.raises(ModuleNotFoundError):
        later.anything  # noqa: B018
    with pytest.raises(AttributeError):
        tables.no_such_name  # noqa: B018


def test_what_a_module_is_given_later_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    import string

    tables = lazy.module("string")
    assert tables.digits
    monkeypatch.setattr(string, "digits", "0")
    assert tables.digits == "0"

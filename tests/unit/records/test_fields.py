"""The table of fields: every known name has one rule; an unknown one gets a suggestion."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio.errors import UnknownFieldError
from bifolio.records.fields import FIELDS, SYNONYMS, MergeRule, canonical_field, merge_rule


@each(
    ("name", "rule"),
    [
        ("title", MergeRule.SCALAR),
        ("issued", MergeRule.DATE),
        ("abstract", MergeRule.TEXT),
        ("author", MergeRule.CREATORS),
        ("tags", MergeRule.SET),
        ("files", MergeRule.SET),
        ("ISBN", MergeRule.SET),
        ("x.bibtex.crossref", MergeRule.LIST),
    ],
)
def test_every_field_has_its_rule(name: str, rule: MergeRule) -> None:
    assert merge_rule(name) is rule


@each(
    ("written", "own"),
    [
        ("tag", "tags"),
        ("keyword", "tags"),
        ("key", "citation-key"),
        ("doi", "DOI"),
        ("title", "title"),
    ],
)
def test_a_synonym_is_the_field_s_own_name(written: str, own: str) -> None:
    assert canonical_field(written) == own


def test_every_synonym_names_a_field() -> None:
    assert set(SYNONYMS.values()) <= set(FIELDS)
    assert not set(SYNONYMS) & set(FIELDS)


@each(
    ("written", "suggestion"),
    [
        ("titel", "title"),
        ("autor", "author"),
        ("Isbm", "ISBN"),
        ("journal", "container-title"),
        ("Year", "issued"),
    ],
)
def test_an_unknown_field_gets_the_nearest_known_one(written: str, suggestion: str) -> None:
    with pytest.raises(UnknownFieldError) as caught:
        canonical_field(written)
    assert caught.value.suggestion is not None
    assert canonical_field(caught.value.suggestion) == suggestion
    assert caught.value.suggestion in str(caught.value.next_step)


def test_a_field_like_no_other_is_pointed_to_the_open_space() -> None:
    with pytest.raises(UnknownFieldError, match="zzzzzz") as caught:
        merge_rule("zzzzzz")
    assert "x.zzzzzz" in str(caught.value.next_step)


def test_the_open_space_needs_a_name() -> None:
    with pytest.raises(UnknownFieldError):
        merge_rule("x.")

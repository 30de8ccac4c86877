"""Kinds of fields: each merge rule has one, and nobody else tells the rules apart."""

from __future__ import annotations

import pytest
from tests.unit.document.builders import desks, meet

from bifolio.document.comparing import compare
from bifolio.document.field_kinds import KINDS, field_kind, known_kind, locate_conflict
from bifolio.errors import UnknownFieldError
from bifolio.records.fields import FIELDS, FORMS, MergeRule, form_of, merge_rule

EXAMPLES = ("title", "issued", "abstract", "author", "tags", "x.csl.custom")


def test_every_merge_rule_has_a_kind_of_its_own() -> None:
    assert {merge_rule(field) for field in EXAMPLES} == set(MergeRule)
    assert {field_kind(field) for field in EXAMPLES} == set(KINDS)
    assert len(KINDS) == len(MergeRule)


def test_the_values_of_a_kind_have_the_form_of_its_fields() -> None:
    assert {field: field_kind(field).form for field in FIELDS} == FORMS
    assert field_kind("x.csl.custom").form is form_of("x.csl.custom")


def test_being_in_groups_is_a_set_and_a_field_of_a_newer_version_is_of_no_kind() -> None:
    assert field_kind("groups") is field_kind("tags")
    assert known_kind("hologram") is None
    with pytest.raises(UnknownFieldError):
        field_kind("hologram")


def test_a_conflict_is_in_its_field_or_in_an_element_of_it() -> None:
    assert locate_conflict("title") == ("title", field_kind("title"))
    assert locate_conflict("author:AbC") == ("author", field_kind("author"))
    assert locate_conflict("x.dc:title") == ("x.dc:title", field_kind("x.dc"))


def test_a_value_that_lost_is_told_of_an_extra_field_with_a_colon_in_its_name() -> None:
    office, laptop = desks("office", "laptop")
    office.sets("x.dc:title", "Paper")
    laptop.sets("x.dc:title", "Vellum")
    before = office.entries
    meet(office, laptop)
    (change,) = compare(before, office.entries).fields
    assert (change.field, change.beside) == ("x.dc:title", True)
    assert (change.before, change.after) == (["Paper"], ["Vellum"])

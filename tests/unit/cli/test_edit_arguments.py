"""Assignments: what each spelling means, and what is refused with advice."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio.errors import InvalidValueError, UnknownFieldError, UsageError
from bifolio.records.edits import Act, Edit
from bifolio_cli.edit_arguments import Assignment, new_fields, parse_assignment, parse_edits


@each(
    ("text", "field", "act", "value"),
    [
        ("title=On Type", "title", Act.SET, "On Type"),
        ("tags+=old", "tags", Act.ADD, "old"),
        ("tags-=old", "tags", Act.REMOVE, "old"),
        ("container-title=A-=B", "container-title", Act.SET, "A-=B"),
        ("title=a+=b=c", "title", Act.SET, "a+=b=c"),
        ("note+==", "note", Act.ADD, "="),
        ("note=two\nlines", "note", Act.SET, "two\nlines"),
        ("archive_location=Box 3", "archive_location", Act.SET, "Box 3"),
        ("x.ris.L1-=scan.pdf", "x.ris.L1", Act.REMOVE, "scan.pdf"),
        ("title=", "title", Act.SET, ""),
    ],
)
def test_the_first_operator_ends_the_field_name(
    text: str, field: str, act: Act, value: str
) -> None:
    assert parse_assignment(text) == Assignment(field, act, value)


@each(
    ("written", "own"),
    [("tag", "tags"), ("keyword", "tags"), ("key", "citation-key"), ("doi", "DOI")],
)
def test_a_synonym_stands_for_the_fields_own_name(written: str, own: str) -> None:
    assert parse_assignment(f"{written}=a").field == own


@each("text", ["title", "", "=value", "my title=x", "+=x", "Häuser=1"])
def test_what_has_no_name_or_no_operator_is_no_assignment(text: str) -> None:
    with pytest.raises(UsageError, match="is not an assignment") as caught:
        parse_assignment(text)
    assert "field=value" in str(caught.value.next_step)


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownFieldError) as caught:
        parse_assignment("titel=On Type")
    assert "title" in str(caught.value.next_step)
    assert "x.titel" in str(caught.value.next_step)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="UTF-8"):
        parse_assignment("note=caf\udce9")


@each("text", ["DOI= ", "tags+=\t", "note=\n", "tags=two\nlines"])
def test_what_is_blank_or_no_tag_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_assignment(text)


def test_what_came_blank_with_an_import_can_be_removed() -> None:
    assert parse_assignment("tags-= ").value == " "


@pytest.mark.parametrize("text", ["title=", "type=book"])
def test_a_reference_of_which_nothing_is_said_is_not_added(text: str) -> None:
    with pytest.raises(UsageError, match="has no fields"):
        new_fields(parse_edits([text]))


@pytest.mark.parametrize("text", ["tags+=", "tags-="])
def test_adding_or_removing_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not nothing"):
        parse_assignment(text)


def test_repeated_assignments_of_a_list_give_the_whole_list_in_order() -> None:
    assert parse_edits(["author=Doe, Jane", "tags=a", "author=Roe, R.", "tag=b"]) == [
        Edit("author", Act.SET, ("Doe, Jane", "Roe, R.")),
        Edit("tags", Act.SET, ("a", "b")),
    ]


def test_an_empty_value_clears() -> None:
    assert parse_edits(["issued=", "tags="]) == [Edit("issued", Act.CLEAR), Edit("tags", Act.CLEAR)]


def test_adding_and_removing_on_one_field_are_two_edits_removal_first() -> None:
    assert parse_edits(["tags+=new", "tags-=old", "tags+=newer"]) == [
        Edit("tags", Act.REMOVE, ("old",)),
        Edit("tags", Act.ADD, ("new", "newer")),
    ]


def test_a_paragraph_may_be_added_to_a_text_but_not_removed() -> None:
    assert parse_edits(["note+=One more."]) == [Edit("note", Act.ADD, ("One more.",))]
    with pytest.raises(UsageError, match="is a text"):
        parse_edits(["note-=One more."])


@each("text", ["title+=x", "title-=x", "issued+=2024", "type-=book"])
def test_a_field_of_one_value_is_only_set_or_cleared(text: str) -> None:
    with pytest.raises(UsageError, match="is one value") as caught:
        parse_edits([text])
    assert "=VALUE" in str(caught.value.next_step)


@pytest.mark.parametrize("operator", ["+=", "-="])
def test_setting_and_changing_one_field_at_once_is_refused(operator: str) -> None:
    with pytest.raises(UsageError, match="both with = and with"):
        parse_edits(["author=Doe, Jane", f"author{operator}Roe, R."])


def test_one_value_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="was given 2 times"):
        parse_edits(["title=a", "title=b"])


def test_a_synonym_does_not_hide_that_a_field_is_given_twice() -> None:
    with pytest.raises(UsageError, match="'citation-key' takes one value"):
        parse_edits(["key=a", "citation-key=b"])


def test_clearing_and_setting_one_list_is_refused() -> None:
    with pytest.raises(UsageError, match="both cleared and set"):
        parse_edits(["tags=", "tags=a"])


def test_a_new_reference_takes_lists_as_lists_and_the_rest_as_text() -> None:
    edits = parse_edits(
        ["type=book", "title=On Type", "author=Doe, Jane", "tags+=a", "note+=p", "note+=q", "DOI="]
    )
    assert new_fields(edits) == {
        "type": "book",
        "title": "On Type",
        "author": ["Doe, Jane"],
        "tags": ["a"],
        "note": "p\n\nq",
    }


def test_nothing_can_be_removed_from_a_new_reference() -> None:
    with pytest.raises(UsageError, match="A new reference has no 'tags'"):
        new_fields(parse_edits(["tags-=a"]))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("keywords=history, type", ("history", "type")),
        ("keyword=history; Doe, Jane;", ("history", "Doe, Jane")),
        ("keywords=history", ("history",)),
    ],
)
def test_keywords_are_as_many_tags_as_their_text_parts(text: str, tags: tuple[str, ...]) -> None:
    assert parse_edits([text]) == [Edit("tags", Act.SET, tags)]


def test_keywords_are_added_and_removed_one_by_one() -> None:
    assert parse_edits(["keywords+=a, b", "keywords-=c, d"]) == [
        Edit("tags", Act.REMOVE, ("c", "d")),
        Edit("tags", Act.ADD, ("a", "b")),
    ]


def test_a_tag_of_its_own_may_hold_a_comma() -> None:
    assert parse_edits(["tags=Doe, Jane"]) == [Edit("tags", Act.SET, ("Doe, Jane",))]

"""Cases B: both computers edit the same references while they are apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess

from bifolio_cli.edit_arguments import parse_edits

BUSY_REFERENCES = 300
#: The same in the default run.
SOME_REFERENCES = 50


def note(number: int, *, opening: str = "", closing: str = "") -> str:
    """The note of ``work<number>`` with words added to its first or last paragraph."""
    opening, closing = f"Opening of {number}.{opening}", f"Closing of {number}.{closing}"
    return f"note={opening}\n\nMiddle of {number}.\n\n{closing}"


def edit_of_desk(number: int) -> tuple[str, ...]:
    return (
        "edit",
        f"work{number}",
        "issued=2024",
        "author+=Xenakis, Ann",
        note(number, opening=" Read at the desk."),
    )


def edit_of_laptop(number: int) -> tuple[str, ...]:
    return (
        "edit",
        f"work{number}",
        "page=17-23",
        "author+=Young, Bea",
        note(number, closing=" Read on the train."),
    )


def assert_all_five_are_there(fields: dict[str, Any], number: int) -> None:
    assert fields["issued"] == {"date-parts": [[2024]]}
    assert fields["page"] == "17-23"
    families = [name["family"] for name in fields["author"]]
    assert families[0] == "Doe"
    assert sorted(families[1:]) == ["Xenakis", "Young"]
    merged = note(number, opening=" Read at the desk.", closing=" Read on the train.")
    assert fields["note"] == merged.removeprefix("note=")


def test_edits_of_different_fields_authors_and_paragraphs_are_all_there(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """B1: A sets issued and adds an author, B sets page and adds another; one note, two places."""
    share(relay.url, desk, laptop)
    desk.run(*edit_of_desk(1))
    laptop.run(*edit_of_laptop(1))

    view = assert_converges(desk, laptop)
    assert_all_five_are_there(view.fields("work1"), 1)
    assert view.conflicts == []


def test_two_values_of_one_field_have_the_same_winner_and_are_listed_alike_on_both(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """B2: with who and when; resolving on one computer reaches the other."""
    share(relay.url, desk, laptop)
    began = datetime.now(UTC)
    desk.run("edit", "work0", "title=Title of the desk")
    laptop.run("edit", "work0", "title=Title of the laptop")
    ended = datetime.now(UTC)

    (conflict,) = assert_converges(desk, laptop).conflicts
    assert (conflict["key"], conflict["field"], conflict["kind"]) == ("work0", "title", "value")
    assert [value["n"] for value in conflict["values"]] == [1, 2]
    said = {value["by"]: value["value"] for value in conflict["values"]}
    assert said == {"desk": "Title of the desk", "laptop": "Title of the laptop"}
    for value in conflict["values"]:
        assert began <= datetime.fromisoformat(value["at"]) <= ended

    shown = laptop.run("show", "work0")
    assert shown["fields"]["title"] == conflict["values"][0]["value"]
    assert shown["conflicts"] == [conflict]

    other = conflict["values"][1]["value"]
    assert laptop.run("resolve", "work0", "title", "--take", "2")["fields"]["title"] == other
    view = assert_converges(laptop, desk)
    assert view.fields("work0")["title"] == other
    assert view.conflicts == []


@pytest.mark.heavy
def test_three_hundred_references_edited_on_both_ask_no_question(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """B3: each reference as in B1 and, its title, as in B2."""
    edit_all_on_both(relay, desk, laptop, BUSY_REFERENCES)


def test_fifty_references_edited_on_both_ask_no_question(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """B3 with fewer references."""
    edit_all_on_both(relay, desk, laptop, SOME_REFERENCES)


def edit_all_on_both(relay: RelayProcess, desk: Computer, laptop: Computer, count: int) -> None:
    """Each of ``count`` references gets other fields, and another title, on both computers."""
    share(relay.url, desk, laptop, entries=numbered_entries(count))
    for computer, edit in ((desk, edit_of_desk), (laptop, edit_of_laptop)):
        with computer.opened() as library:
            for number in range(count):
                _, ref, *typed = edit(number)
                typed.append(f"title=Title {number} of the {computer.name}")
                library.edit(ref, parse_edits(typed))

    view = assert_converges(desk, laptop)
    assert len(view.references) == count
    for reference in view.references:
        number = int(reference["key"].removeprefix("work"))
        assert_all_five_are_there(reference["fields"], number)
        (conflict,) = reference["conflicts"]
        assert conflict["field"] == "title"
        assert {value["by"] for value in conflict["values"]} == {"desk", "laptop"}
    assert len(view.conflicts) == count


@pytest.mark.heavy
def test_a_number_means_nothing_where_the_conflict_was_not_listed_or_has_changed(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """B2, the edge: resolve --take ends with exit code 1 and the value stays in the list."""
    share(relay.url, desk, laptop)
    desk.run("edit", "work0", "title=First of the desk")
    laptop.run("edit", "work0", "title=First of the laptop")
    sync_all(desk, laptop)
    take = ("resolve", "work0", "title", "--take", "2")
    assert "conflicts" in laptop.fails(*take)

    desk.run("conflicts")
    desk.run("edit", "work0", "title=Second of the desk")
    laptop.run("edit", "work0", "title=Second of the laptop")
    sync_all(desk, laptop)
    assert "changed" in desk.fails(*take)
    assert desk.run("status")["conflicts"] == 1

    desk.run("conflicts")
    assert "99" in desk.fails("resolve", "work0", "title", "--take", "99")
    desk.run("resolve", "work0", "title", "--value", "Third, of neither")
    assert "no conflict" in desk.fails(*take)
    view = assert_converges(desk, laptop)
    assert view.fields("work0")["title"] == "Third, of neither"
    assert view.conflicts == []


@pytest.mark.heavy  # tests/unit/library/test_notes.py has the same in one process
def test_notes_that_both_add_and_one_that_both_edit_are_all_there(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    shared = desk.run("note", "add", "work0", "Of paper.\n\nOf ink.")["id"]
    sync_all(desk, laptop)
    desk.run("note", "add", "work0", "Written at the desk.", "--tag", "desk")
    laptop.run("note", "add", "work0", "Written on the train.")
    desk.run("note", "edit", "work0", shared, "Of rag paper.\n\nOf ink.")
    laptop.run("note", "edit", "work0", shared, "Of paper.\n\nOf iron gall ink.")
    laptop.run("annotation", "add", "work0", "--text", "folded", "--page", "3")
    sync_all(desk, laptop)
    assert assert_converges(desk, laptop).conflicts == []
    shown = desk.run("show", "work0")
    assert sorted(one["text"] for one in shown["notes"][1:]) == [
        "Of rag paper.\n\nOf iron gall ink.",
        "Written at the desk.",
        "Written on the train.",
    ]
    assert [one["text"] for one in shown["annotations"]] == ["folded"]
    desk.run("note", "remove", "work0", shared)
    laptop.run("note", "edit", "work0", shared, "--append", "And of glue.")
    sync_all(desk, laptop)
    (conflict,) = laptop.run("conflicts")
    assert conflict["field"] == f"note:{shared}"
    laptop.run("resolve", "work0", conflict["field"], "--take", "2")
    sync_all(desk, laptop)
    assert "And of glue." in desk.run("note", "show", "work0", shared)["text"]

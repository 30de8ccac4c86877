"""What the two computers of the demo show, read from the command line's JSON and checked.

Every function gets what ``show`` or ``conflicts`` said; none runs a command that changes anything.
"""

from __future__ import annotations

from typing import Any

from bifolio_cli.demo import script
from bifolio_cli.demo.stage import Stage
from bifolio_cli.text.reference_text import value_text


def check_title_conflict(stage: Stage, shown: list[Any], conflicts: list[Any]) -> None:
    """The same field, edited on both: one value is shown, both are listed, the same everywhere."""
    stage.outcome.check(
        "of two titles both computers show the same one",
        shown[0]["fields"].get("title") == shown[1]["fields"].get("title"),
    )
    found = [
        {(value["value"], value["by"], bool(value["at"])) for value in one["values"]}
        for listed in conflicts
        for one in listed
        if (one["key"], one["field"]) == (script.EDITED_TWICE, "title")
    ]
    both = {(script.OFFICE_TITLE, "office", True), (script.LAPTOP_TITLE, "laptop", True)}
    stage.outcome.check(
        "both computers list both titles, with who wrote each and when", found == [both, both]
    )


def check_deletions(stage: Stage, conflicts: list[Any]) -> None:
    """An edit that the deleter had not seen brings a reference back; nothing else does."""
    kept = [computer.ask("show", script.DELETED_AND_EDITED) for computer in stage.computers]
    gone = [computer.ask("show", script.DELETED) for computer in stage.computers]
    stage.outcome.check(
        "the reference deleted on one and edited on the other is back on both, with the edit",
        all(
            not one["trashed"]
            and one["fields"].get("note") == script.UNSEEN_NOTE
            and script.UNSEEN_TAG in one["tags"]
            for one in kept
        ),
    )
    stage.outcome.check(
        "and both list it as come back",
        all(
            any(
                one["key"] == script.DELETED_AND_EDITED and one["kind"] == "revived" for one in all_
            )
            for all_ in conflicts
        ),
    )
    stage.outcome.check(
        "the reference that one deleted and nobody edited is in the trash of both",
        all(one["trashed"] for one in gone),
    )


def fields_of(shown: Any, *names: str) -> tuple[str, ...]:
    """Some fields of a reference as text."""
    return tuple(value_text(shown["fields"].get(name, "")) for name in names)


def merged_rows(shown: Any) -> list[tuple[str, str, str, str]]:
    """The edited reference: field, what each wrote, what both have now."""
    publisher, place, authors, note, title = fields_of(
        shown, "publisher", "publisher-place", "author", "note", "title"
    )
    return [
        ("publisher", script.OFFICE_PUBLISHER, "", publisher),
        ("place", "", script.LAPTOP_PLACE, place),
        ("author", f"+ {script.OFFICE_AUTHOR}", f"+ {script.LAPTOP_AUTHOR}", authors),
        ("note", "+ See Quadratspatium too.", "spring is now autumn", note),
        ("title", script.OFFICE_TITLE, script.LAPTOP_TITLE, f"{title} (in conflict)"),
    ]


def author_names(shown: Any) -> tuple[str, ...]:
    """Its authors as text, in order."""
    return tuple(value_text(name) for name in shown["fields"].get("author", []))


def number_of(conflicts: Any, value: str) -> int:
    """The number under which a value was listed last; 0 where it is not."""
    return next(
        (one["n"] for listed in conflicts for one in listed["values"] if one["value"] == value), 0
    )

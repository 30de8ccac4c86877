"""Whether a library of one's own becomes part of a ticket's: said first, then asked or refused.

Joining shares what is here with everybody of the other library, and is hard to take back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING

import typer

from bifolio.errors import UsageError
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import TicketPreview
    from bifolio_cli.output import Output

#: Members that are named; more are counted.
_NAMED_MAX = 5


class Choice(Enum):
    """What is to become of the library here."""

    JOIN = auto()
    SEPARATE = auto()
    STOP = auto()


def choose(
    output: Output, preview: TicketPreview, name: str, *, join: bool, separate: bool
) -> Choice:
    """What to do with a ticket where a library of one's own is selected.

    Args:
        preview: what the ticket is for.
        name: of the library here.
        join, separate: what was asked for by options.

    Raises:
        UsageError: it has to be decided, and nobody is at the keyboard; or it cannot be done.
    """
    if preview.is_same:
        return Choice.JOIN
    if separate:
        return Choice.SEPARATE
    can_join = not preview.is_attached and preview.role != "reader"
    if join:
        if preview.role == "reader" and not preview.is_empty:
            raise UsageError(
                f"With this ticket the library may only be read, so what '{name}' holds cannot go "
                "along. Nothing was changed.",
                next_step="Make a separate copy with --separate.",
            )
        return Choice.JOIN
    if preview.is_empty and not preview.is_attached:
        return Choice.JOIN
    sentences = list(_sentences(preview, name))
    if not sys.stdin.isatty():
        raise UsageError(
            " ".join((*sentences, "Nothing was changed.")),
            next_step="Say which with --join or --separate: --join shares it, --separate makes a "
            "copy of the ticket's library of its own."
            if can_join
            else "Make a separate copy with --separate.",
        )
    output.remark(*sentences)
    return _ask(name, can_join=can_join)


def _sentences(preview: TicketPreview, name: str) -> Iterator[str]:
    """Whose library the ticket is for, and what of ours would be shared with whom."""
    of = f" of {preview.maker}" if preview.maker else ""
    called = f" '{preview.name}'" if preview.name else ""
    members = count(preview.members, "member")
    named = ", ".join(preview.member_names[:_NAMED_MAX])
    more = len(preview.member_names) > _NAMED_MAX or preview.members > len(preview.member_names)
    who = f": {named}{' and others' if more else ''}" if named else ""
    if preview.members:
        yield f"The ticket is for the library{called}{of}, which has {members}{who}."
    else:
        yield "The ticket is for another library."
    if preview.is_attached:
        yield f"'{name}' is on a relay of its own, so it cannot join that library."
    elif preview.role == "reader":
        yield f"You may only read it, so what '{name}' holds cannot go along."
    else:
        references = count(preview.shared, "reference")
        whom = "all of them" if preview.members > 1 else "everybody in it"
        yield f"Joining makes '{name}' a part of it: its {references} would be shared with {whom}."


def _ask(name: str, *, can_join: bool) -> Choice:
    choices = {"s": Choice.SEPARATE, "n": Choice.STOP}
    question = "Make a (s)eparate copy of it, or (n)othing?"
    if can_join:
        choices["j"] = Choice.JOIN
        question = f"(j)oin with '{name}', make a (s)eparate copy of it, or (n)othing?"
    while True:
        answer = typer.prompt(question, default="n", err=True).strip().casefold()[:1]
        if answer in choices:
            return choices[answer]

"""``bifolio leave``: stop being a member of a library."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import COULD_NOT, JsonOption, LibraryOption, invocation


def leave(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Stop being a member of the library; what is on this computer stays.

    What was changed here is sent first. From then on nothing goes in either direction; to come
    back takes a ticket. Other libraries are not touched.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        if not yes and not _confirmed(opened.name):
            call.output.remark("Nothing was changed.")
            raise typer.Exit(COULD_NOT)
        done = opened.members.leave()
    if call.output.json:
        call.output.document(done)
    else:
        call.output.say(
            "This computer is no member of the library any more.",
            f"What it holds stays at {done.path}, on this computer alone.",
        )


def _confirmed(name: str) -> bool:
    """Ask whoever is at the keyboard.

    Raises:
        UsageError: nobody is.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            f"Leaving '{name}' takes a new ticket to undo, and this is not a terminal on which it "
            "could be confirmed. Nothing was changed.",
            next_step="Run 'bifolio leave --yes'.",
        )
    return typer.confirm(f"Leave the library '{name}'?", err=True)

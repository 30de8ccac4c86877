"""``bifolio trash``: what was deleted, and removing it for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import COULD_NOT, JsonOption, LibraryOption, invocation
from bifolio_cli.rendering import ID_SHOWN_LENGTH, count

if TYPE_CHECKING:
    from bifolio.results import Purged

trash = typer.Typer(help="List and empty the trash.", rich_markup_mode=None)


@trash.command("list")
def list_(
    context: typer.Context,
    emptied: Annotated[
        bool,
        typer.Option("--emptied", help="What was removed from it and can still be restored."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the references in the trash, each with the beginning of its id.

    'bifolio restore' brings one back, by its key or by its id.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        if not emptied:
            call.output.references(
                (one.to_json() for one in opened.trash.list()), ids=True, none="The trash is empty."
            )
        elif call.output.json:
            call.output.documents(one.to_json() for one in opened.trash.emptied())
        else:
            for one in opened.trash.emptied():
                call.output.say(_line(one))


@trash.command()
def empty(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove what is in the trash from the library, on every computer.

    A reference that somebody edited without knowing of it comes back, and 'bifolio conflicts'
    says so. 'bifolio restore' brings one back as long as its content is kept.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        ids = [shown.id for shown in opened.trash.list()]
        if ids and not yes and not _confirmed(len(ids)):
            call.output.remark("Nothing was removed.")
            raise typer.Exit(COULD_NOT)
        removed = opened.trash.empty(ids)
    if call.output.json:
        call.output.document({"removed": [one.to_json() for one in removed]})
    elif removed:
        call.output.say(f"{count(len(removed), 'reference')} removed.")
    else:
        call.output.say("The trash is empty.")


def _confirmed(number: int) -> bool:
    """Ask whoever is at the keyboard.

    Raises:
        UsageError: nobody is.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            f"Emptying the trash removes {count(number, 'reference')} on every computer, and "
            "nobody is here to confirm it. Nothing was removed.",
            next_step="Look at them with 'bifolio trash list', then run 'bifolio trash empty "
            "--yes'.",
        )
    return typer.confirm(
        f"Remove {count(number, 'reference')} from the library, on every computer?", err=True
    )


def _line(one: Purged) -> str:
    return f"{one.id[:ID_SHOWN_LENGTH]}\t{one.key}\t{one.title}"

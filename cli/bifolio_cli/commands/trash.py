"""``bifolio trash``: what was deleted, confirming what others deleted, removing it for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio.results import ConfirmedDeletions, EmptiedTrash
from bifolio_cli.invocation import COULD_NOT, JsonOption, LibraryOption, invocation
from bifolio_cli.text.reference_text import ID_SHOWN_LENGTH, count

if TYPE_CHECKING:
    from bifolio.results import PurgedReference

trash = typer.Typer(help="List and empty the trash.", rich_markup_mode=None)


@trash.command("list")
def list_(
    context: typer.Context,
    emptied: Annotated[
        bool,
        typer.Option(
            "--emptied",
            help="List what was removed from the trash and can still be restored.",
        ),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the references in the trash, each with the beginning of its id.

    'bifolio restore' restores one, by its key or by its id.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        if not emptied:
            call.output.references(opened.trash.list(), ids=True, none="The trash is empty.")
        elif call.output.json:
            call.output.documents(opened.trash.emptied())
        else:
            for one in opened.trash.emptied():
                call.output.say(_line(one))


@trash.command()
def empty(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove the references in the trash from the library, on every computer.

    A reference that somebody edits without knowing of this comes back, and 'bifolio conflicts'
    lists it. 'bifolio restore' restores one as long as its content is kept.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        ids = [shown.id for shown in opened.trash.list()]
        if ids and not yes and not _confirmed(len(ids)):
            call.output.remark("Nothing was removed.")
            raise typer.Exit(COULD_NOT)
        removed = opened.trash.empty(ids)
    if call.output.json:
        call.output.document(EmptiedTrash(tuple(removed)))
    elif removed:
        call.output.say(f"{count(len(removed), 'reference')} removed.")
    else:
        call.output.say("The trash is empty.")


@trash.command()
def confirm(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Agree to what other computers deleted, so that it is in the trash here too.

    Where others deleted most of the library, this computer goes on showing the references until
    then; 'bifolio status' says who deleted how many, and when.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        number = opened.trash.confirm()
    if call.output.json:
        call.output.document(ConfirmedDeletions(number))
    elif number:
        call.output.say(f"{count(number, 'reference')} moved to the trash.")
    else:
        call.output.say("Nothing waits to be confirmed.")


def _confirmed(number: int) -> bool:
    """Ask whoever is at the keyboard.

    Raises:
        UsageError: nobody is.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            f"Emptying the trash removes {count(number, 'reference')} on every computer, and this "
            "is not a terminal on which it could be confirmed. Nothing was removed.",
            next_step="Look at them with 'bifolio trash list', then run 'bifolio trash empty "
            "--yes'.",
        )
    return typer.confirm(
        f"Remove {count(number, 'reference')} from the library, on every computer?", err=True
    )


def _line(one: PurgedReference) -> str:
    return f"{one.id[:ID_SHOWN_LENGTH]}\t{one.key}\t{one.title}"

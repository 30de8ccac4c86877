"""``bifolio invites``: the tickets that were made, and closing one."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation, whole_argument
from bifolio_cli.text.member_text import invite_lines

invites = typer.Typer(
    help="List the tickets and recovery codes of the library, and close them.",
    rich_markup_mode=None,
    invoke_without_command=True,
)


@invites.callback()
def list_(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the tickets and recovery codes of the library, and close them.

    Without a command: each ticket with what it is good for, its label, who made it and who came
    with it. What makes a ticket good is not kept anywhere.
    """
    call = invocation(context, library=library, json=json)
    if context.invoked_subcommand is not None:
        context.obj = call
        return
    with call.open_library() as opened:
        found = opened.members.invites()
    if call.output.json:
        call.output.documents(found)
    elif found:
        call.output.say(*invite_lines(found))
    else:
        call.output.remark("No ticket was made yet: 'bifolio invite' makes one.")


@invites.command()
def revoke(
    context: typer.Context,
    invite: Annotated[
        str,
        typer.Argument(
            metavar="ID|LABEL",
            callback=whole_argument,
            show_default=False,
            help="The ticket's or the code's id as 'bifolio invites' lists it, at least four "
            "characters of it, or its label.",
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Close a ticket or a recovery code: it lets nobody in any more.

    Who joined with it stays a member; 'bifolio member remove' removes one.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.members.revoke(invite)
    if call.output.json:
        call.output.document(done)
    else:
        named = f" '{done.label}'" if done.label else ""
        call.output.say(f"The ticket{named} ({done.id}) lets nobody in any more.")

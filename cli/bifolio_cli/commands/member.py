"""``bifolio member``: roles, names and removal of the library's members."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation, whole_argument
from bifolio_cli.text.member_text import removal_lines

member = typer.Typer(
    help="Give a member another role or name, or remove it.", rich_markup_mode=None
)

MemberArgument = Annotated[
    str,
    typer.Argument(
        metavar="MEMBER",
        callback=whole_argument,
        show_default=False,
        help="The computer's name as 'bifolio members' lists it, or at least the first four "
        "characters of its id.",
    ),
]


@member.command("set-role")
def set_role(
    context: typer.Context,
    name: MemberArgument,
    role: Annotated[
        str,
        typer.Argument(
            metavar="owner|editor|reader",
            callback=whole_argument,
            show_default=False,
            help="An owner also invites and removes; a reader only reads.",
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Give a member another role; only an owner can.

    Who becomes a reader keeps its unsent edits as a draft: 'bifolio draft' there lists them.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.members.set_role(name, role)
    if call.output.json:
        call.output.document(done)
    else:
        article = "a" if done.role == "reader" else "an"
        call.output.say(f"{done.name} is {article} {done.role} now.")


@member.command()
def rename(
    context: typer.Context,
    name: MemberArgument,
    new: Annotated[
        str,
        typer.Argument(
            metavar="NAME", callback=whole_argument, show_default=False, help="The new name."
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Say what a member's computer is called in this library, for every member.

    Everybody names their own computer, an owner any.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.members.rename(name, new)
    if call.output.json:
        call.output.document(done)
    else:
        call.output.say(f"The computer is called {done.name} now.")


@member.command()
def remove(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="MEMBER",
            callback=whole_argument,
            show_default=False,
            help="Computers' names as 'bifolio members' lists them, or the beginnings of ids.",
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove members; only an owner can.

    What they sent stays. The library gets a new key: they can read nothing of what follows, and
    nothing that they write is taken. What they have read stays with them.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.members.remove(names)
    if call.output.json:
        call.output.document(done)
    else:
        call.output.say(*removal_lines(done))

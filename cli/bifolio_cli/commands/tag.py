"""``bifolio tag``: the tags of all references."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.rendering import count
from bifolio_cli.several import report_each, taken_off_each, to_each_found

tag = typer.Typer(help="List, add, remove and rename tags.", rich_markup_mode=None)

TagArgument = Annotated[
    str,
    typer.Argument(metavar="TAG", callback=whole_argument, show_default=False, help="A tag."),
]


@tag.command("list")
def list_(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the tags with the number of references that have each."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        tags = opened.tags.list()
    if call.output.json:
        call.output.documents(one.to_json() for one in tags)
        return
    for one in tags:
        call.output.say(f"{one.name}\t{count(one.count, 'reference')}")


@tag.command()
def add(
    context: typer.Context,
    named: TagArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Put a tag on references.

    Those that are not found are named, the others tagged, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(lambda found: opened.tags.add(named, found), refs)
    report_each(call.output, outcome, f"has the tag {named}.")


@tag.command()
def remove(
    context: typer.Context,
    named: TagArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take a tag off references.

    Those that are not found are named, the others done, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = taken_off_each(lambda found: opened.tags.remove(named, found), refs)
    report_each(
        call.output,
        outcome,
        f"does not have the tag {named}.",
        without=f"did not have the tag {named}.",
    )


@tag.command()
def rename(
    context: typer.Context,
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD", callback=whole_argument, show_default=False, help="The tag as it is."
        ),
    ],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", callback=whole_argument, show_default=False, help="As it shall be."
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Rename a tag on every reference that has it, those in the trash left out."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        renamed = opened.tags.rename(old, new)
    if call.output.json:
        call.output.document({"name": new, "renamed": renamed})
    else:
        call.output.say(f"{count(renamed, 'reference')} renamed from {old} to {new}.")

"""``bifolio tag``: the tags of all references."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.results import RenamedTag
from bifolio_cli.batch import apply_to_each, remove_from_each, report_each
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.text.reference_text import count

tag = typer.Typer(help="List, add, remove and rename tags.", rich_markup_mode=None)

TagArgument = Annotated[
    str,
    typer.Argument(metavar="TAG", callback=whole_argument, show_default=False, help="The tag."),
]


@tag.command("list")
def list_(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the tags with the number of references that have each one."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        tags = opened.tags.list()
    if call.output.json:
        call.output.documents(tags)
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
    """Add a tag to references.

    Those that are not found are named, the others are tagged, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = apply_to_each(lambda found: opened.tags.add(named, found), refs)
    report_each(call.output, outcome, f"has the tag {named}.")


@tag.command()
def remove(
    context: typer.Context,
    named: TagArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove a tag from references.

    Those that are not found are named, the tag is removed from the others, and the exit code is
    then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = remove_from_each(lambda found: opened.tags.remove(named, found), refs)
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
            metavar="OLD", callback=whole_argument, show_default=False, help="The present name."
        ),
    ],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", callback=whole_argument, show_default=False, help="The new name."
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Rename a tag on every reference that has it, except those in the trash."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        renamed = opened.tags.rename(old, new)
    if call.output.json:
        call.output.document(RenamedTag(new, renamed))
    else:
        call.output.say(f"The tag {old} is now {new} on {count(renamed, 'reference')}.")

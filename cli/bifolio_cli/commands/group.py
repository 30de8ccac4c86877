"""``bifolio group``: groups made, named, moved, filled and listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.batch import apply_to_each, remove_from_each, report_each
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.output import Output
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import GroupView

group = typer.Typer(help="Create, rename, move, fill and list groups.", rich_markup_mode=None)

GroupArgument = Annotated[
    str,
    typer.Argument(
        metavar="GROUP",
        callback=whole_argument,
        show_default=False,
        help="A group: its name, its path A/B, or its id.",
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", callback=whole_argument, show_default=False, help="The name of the group."
    ),
]
NewNameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", callback=whole_argument, show_default=False, help="The group's new name."
    ),
]
ParentOption = Annotated[
    str | None,
    typer.Option(
        "--parent", metavar="GROUP", callback=whole_argument, help="Put it under this group."
    ),
]
QueryOption = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="Q",
        callback=whole_argument,
        help="Make a smart group, which holds what this search finds.",
    ),
]
NewQueryOption = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="Q",
        callback=whole_argument,
        help="The new query of a smart group.",
    ),
]
ColourOption = Annotated[
    str | None,
    typer.Option(
        "--colour",
        metavar="C",
        callback=whole_argument,
        help="The colour: '#rrggbb' or a CSS colour name.",
    ),
]


@group.command()
def create(
    context: typer.Context,
    name: NameArgument,
    parent: ParentOption = None,
    query: QueryOption = None,
    colour: ColourOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Create a group, as the last one at the top or under its parent."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        made = opened.groups.create(name, parent=parent, query=query, colour=colour)
        others = opened.groups.namesakes(made.id)
    _tell(call.output, made, f"The group {made.path} is created.", others)


@group.command()
def rename(
    context: typer.Context,
    named: GroupArgument,
    name: NewNameArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Rename a group."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        renamed = opened.groups.rename(named, name)
        others = opened.groups.namesakes(renamed.id)
    _tell(call.output, renamed, f"The group is now {renamed.path}.", others)


@group.command()
def edit(
    context: typer.Context,
    named: GroupArgument,
    query: NewQueryOption = None,
    colour: ColourOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Change the colour of a group ('' for none), or the query of a smart group."""
    call = invocation(context, library=library, json=json)
    if query is None and colour is None:
        raise UsageError("There is nothing to change.", next_step="Give --colour C or --query Q.")
    with call.open_library() as opened:
        edited = opened.groups.edit(named, query=query, colour=colour)
    _tell(call.output, edited, f"The group {edited.path} is changed.")


@group.command()
def move(
    context: typer.Context,
    named: GroupArgument,
    parent: ParentOption = None,
    top: Annotated[bool, typer.Option("--top", help="Put it at the top, under no group.")] = False,
    before: Annotated[
        str | None,
        typer.Option(
            "--before",
            metavar="GROUP",
            callback=whole_argument,
            help="Put it before this group (default: at the end).",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Move a group, with all that is under it, under another one or to the top."""
    call = invocation(context, library=library, json=json)
    if (parent is not None) == top:
        raise UsageError(
            "Give one of --parent GROUP and --top.",
            next_step="List the groups with 'bifolio group list'.",
        )
    with call.open_library() as opened:
        moved = opened.groups.move(named, parent=parent, before=before)
        others = opened.groups.namesakes(moved.id)
    _tell(call.output, moved, f"The group is now {moved.path}.", others)


@group.command()
def delete(
    context: typer.Context,
    named: GroupArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a group; its references stay, and the groups under it move up."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        deleted = opened.groups.delete(named)
    _tell(call.output, deleted, f"The group {deleted.name} is deleted.")


@group.command()
def restore(
    context: typer.Context,
    named: GroupArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Restore a deleted group, with the references that are in it."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        restored = opened.groups.restore(named)
        others = opened.groups.namesakes(restored.id)
    _tell(call.output, restored, f"The group {restored.path} is restored.", others)


@group.command()
def add(
    context: typer.Context,
    named: GroupArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Add references to a group.

    Those that are not found are named, the others are added, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = apply_to_each(lambda found: opened.groups.add(named, found), refs)
    report_each(call.output, outcome, f"is in the group {named}.")


@group.command()
def remove(
    context: typer.Context,
    named: GroupArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove references from a group; they stay in the library.

    Those that are not found are named, the others are removed, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = remove_from_each(lambda found: opened.groups.remove(named, found), refs)
    report_each(
        call.output,
        outcome,
        f"is not in the group {named}.",
        without=f"was not in the group {named}.",
    )


@group.command("list")
def list_(
    context: typer.Context,
    trash: Annotated[
        bool, typer.Option("--trash", help="List the deleted groups instead.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the groups with the number of references in each, parents first."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        groups = opened.groups.list(deleted=trash)
    if call.output.json:
        call.output.documents(groups)
        return
    for one in groups:
        call.output.say(_line(one))


def _tell(output: Output, shown: GroupView, sentence: str, others: Sequence[str] = ()) -> None:
    """What was done to a group, and that ``others`` (ids) have its path too."""
    if output.json:
        output.document(shown)
    else:
        output.say(sentence)
    if others:
        output.remark(
            f"There is another group {shown.path} ({', '.join(others)}). Use the ids to tell them "
            f"apart: this one is {shown.id}."
        )


def _line(shown: GroupView) -> str:
    """A group as a person reads it: path, number, query, what is wrong with that, and colour."""
    query = f"finds: {shown.query}" if shown.query is not None else None
    parts = (shown.path, count(shown.count, "reference"), query, shown.problem, shown.colour)
    return "\t".join(one for one in parts if one is not None)

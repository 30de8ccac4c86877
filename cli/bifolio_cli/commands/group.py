"""``bifolio group``: groups made, named, moved, filled and listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.output import Output
from bifolio_cli.rendering import count
from bifolio_cli.several import report_each, taken_off_each, to_each_found

if TYPE_CHECKING:
    from bifolio.results import ShownGroup

group = typer.Typer(help="Make, name, move, fill and list groups.", rich_markup_mode=None)

GroupArgument = Annotated[
    str,
    typer.Argument(
        metavar="GROUP",
        callback=whole_argument,
        show_default=False,
        help="A group's name, its path A/B, or its id.",
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", callback=whole_argument, show_default=False, help="The group's name."
    ),
]
ParentOption = Annotated[
    str | None,
    typer.Option(
        "--parent", metavar="GROUP", callback=whole_argument, help="The group to stand under."
    ),
]
QueryOption = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="Q",
        callback=whole_argument,
        help="A search: the group is a smart one, and holds what is found.",
    ),
]
ColourOption = Annotated[
    str | None,
    typer.Option(
        "--colour",
        metavar="C",
        callback=whole_argument,
        help="'#rrggbb' or CSS's name of a colour.",
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
    """Make a group, the last one at the top or under its parent."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        made = opened.groups.create(name, parent=parent, query=query, colour=colour)
        others = opened.groups.namesakes(made.id)
    _tell(call.output, made, f"The group {made.path} is there.", others)


@group.command()
def rename(
    context: typer.Context,
    named: GroupArgument,
    name: NameArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Give a group another name."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        renamed = opened.groups.rename(named, name)
        others = opened.groups.namesakes(renamed.id)
    _tell(call.output, renamed, f"The group is called {renamed.path}.", others)


@group.command()
def edit(
    context: typer.Context,
    named: GroupArgument,
    query: QueryOption = None,
    colour: ColourOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Give a group another colour ('' for none), or a smart group another query."""
    call = invocation(context, library=library, json=json)
    if query is None and colour is None:
        raise UsageError(
            "Nothing was said of what to change.", next_step="Give --colour C or --query Q."
        )
    with call.open_library() as opened:
        edited = opened.groups.edit(named, query=query, colour=colour)
    _tell(call.output, edited, f"The group {edited.path} is changed.")


@group.command()
def move(
    context: typer.Context,
    named: GroupArgument,
    parent: ParentOption = None,
    top: Annotated[bool, typer.Option("--top", help="Under no group.")] = False,
    before: Annotated[
        str | None,
        typer.Option(
            "--before",
            metavar="GROUP",
            callback=whole_argument,
            help="The group there to stand before; else it is the last one.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Move a group, with all that is under it, under another one or to the top."""
    call = invocation(context, library=library, json=json)
    if (parent is not None) == top:
        raise UsageError(
            "A group is moved to one of --parent GROUP and --top.",
            next_step="See how the groups stand with 'bifolio group list'.",
        )
    with call.open_library() as opened:
        moved = opened.groups.move(named, parent=parent, before=before)
        others = opened.groups.namesakes(moved.id)
    _tell(call.output, moved, f"The group is {moved.path}.", others)


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
    """Bring a deleted group back, with the references that are in it."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        restored = opened.groups.restore(named)
        others = opened.groups.namesakes(restored.id)
    _tell(call.output, restored, f"The group {restored.path} is there.", others)


@group.command()
def add(
    context: typer.Context,
    named: GroupArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Put references into a group.

    Those that are not found are named, the others put in, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(lambda found: opened.groups.add(named, found), refs)
    report_each(call.output, outcome, f"is in the group {named}.")


@group.command()
def remove(
    context: typer.Context,
    named: GroupArgument,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take references out of a group; they stay in the library.

    Those that are not found are named, the others taken out, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = taken_off_each(lambda found: opened.groups.remove(named, found), refs)
    report_each(
        call.output,
        outcome,
        f"is not in the group {named}.",
        without=f"was not in the group {named}.",
    )


@group.command("list")
def list_(
    context: typer.Context,
    trash: Annotated[bool, typer.Option("--trash", help="The deleted ones instead.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the groups, each before those under it, with the number of its references."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        groups = [one.to_json() for one in opened.groups.list(deleted=trash)]
    if call.output.json:
        call.output.documents(groups)
        return
    for one in groups:
        call.output.say(_line(one))


def _tell(output: Output, shown: ShownGroup, sentence: str, others: Sequence[str] = ()) -> None:
    """What was done to a group, and that ``others`` (ids) have its path too."""
    if output.json:
        output.document(shown.to_json())
    else:
        output.say(sentence)
    if others:
        output.remark(
            f"There is another group {shown.path} ({', '.join(others)}). Only their ids tell them "
            f"apart: this one is {shown.id}."
        )


def _line(shown: dict[str, Any]) -> str:
    """A group as a person reads it: path, number, and what it is beside that."""
    told = [str(shown["path"]), count(shown["count"], "reference")]
    if shown["query"] is not None:
        told.append(f"finds: {shown['query']}")
    if shown["problem"] is not None:
        told.append(str(shown["problem"]))
    if shown["colour"] is not None:
        told.append(str(shown["colour"]))
    return "\t".join(told)

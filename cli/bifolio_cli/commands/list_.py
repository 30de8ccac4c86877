"""``bifolio list``: all references, those of a group, or the trash."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    LimitOption,
    SortOption,
    invocation,
    whole_argument,
)


def list_(
    context: typer.Context,
    trash: Annotated[
        bool, typer.Option("--trash", help="List the references in the trash instead.")
    ] = False,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="GROUP",
            callback=whole_argument,
            help="List the references of this group: its name, path or id.",
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            metavar="Q",
            callback=whole_argument,
            help="List the references that this search finds.",
        ),
    ] = None,
    sort: SortOption = None,
    limit: LimitOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the references, without those in the trash."""
    call = invocation(context, library=library, json=json)
    if group is not None and trash:
        raise UsageError(
            "References in the trash are in no group until they are restored.",
            next_step="Give one of --group GROUP and --trash.",
        )
    if group is not None and query is not None:
        raise UsageError(
            "Both a group and a query were given.",
            next_step="Give one of them; the query can name the group: --query 'group:G words'.",
        )
    with call.read_library() as opened:
        found = (
            opened.list(trash=trash, query=query, sort=sort, limit=limit)
            if group is None
            else opened.groups.references(group, sort=sort, limit=limit)
        )
        none = "Nothing was found." if query is not None else "There are no references."
        if trash:
            none = "The trash is empty."
        if group is not None:
            none = f"There are no references in the group {group}."
        call.output.references(found, none=none)

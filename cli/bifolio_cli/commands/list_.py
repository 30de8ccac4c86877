"""``bifolio list``: all references, those of a group, or the trash."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli import actions
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
    actions.list_(call, trash=trash, group=group, query=query, sort=sort, limit=limit)

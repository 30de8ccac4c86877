"""``bifolio search``: the references that a query finds."""

from __future__ import annotations

import typer

from bifolio_cli import actions
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    LimitOption,
    QueryArgument,
    SortOption,
    invocation,
)
from bifolio_cli.query_command import QueryCommand

COMMAND_CLASS = QueryCommand


def search(
    context: typer.Context,
    query: QueryArgument,
    sort: SortOption = None,
    limit: LimitOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Find references by words, phrases in quotes, and operators.

    For example: knuth year:1980..1989 -tag:read "line breaks". docs/search.md lists them all.
    """
    call = invocation(context, library=library, json=json)
    actions.search(call, query, sort=sort, limit=limit)

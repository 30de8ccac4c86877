"""``bifolio search``: the references that contain words."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, QueryArgument, invocation


def search(
    context: typer.Context,
    query: QueryArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Find references by words of their fields."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        call.output.references(shown.to_json() for shown in opened.search(" ".join(query)))

"""``bifolio init``: a new library on this computer."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.results import CreatedLibrary
from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def init(
    context: typer.Context,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="The path of the new library, to which .bifolio is added (default: the default "
            "library's).",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The library's name (default: the folder's)."),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Create a new, empty library."""
    from bifolio import Library

    call = invocation(context, library=library, json=json)
    if name is not None:
        whole_text(name, field="name")
    place = call.environment.new_library_path(path or call.library)
    with Library.create(place, name=name, home=call.environment.device_home()) as made:
        call.remark_notice(made)
        if call.output.json:
            call.output.document(CreatedLibrary(made.id, made.path))
            return
        call.output.say(f"Created the library '{made.name}' at {made.path}.")

"""``bifolio init``: a new library on this computer."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.assignments import whole_text
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def init(
    context: typer.Context,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="Where to make it: PATH.bifolio. Without it, the default library.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The library's name; else the folder's."),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new, empty library."""
    from bifolio import Library

    call = invocation(context, library=library, json=json)
    if name is not None:
        whole_text(name, field="name")
    place = call.environment.new_library_path(path or call.library)
    with Library.create(place, name=name, home=call.environment.device_home()) as made:
        call.remark_notice(made)
        if call.output.json:
            call.output.document({"library": made.id, "path": str(made.path)})
            return
        call.output.say(f"Made the library '{made.name}' at {made.path}.")

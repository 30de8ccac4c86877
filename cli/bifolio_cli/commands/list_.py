"""``bifolio list``: all references, or the trash."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def list_(
    context: typer.Context,
    trash: Annotated[bool, typer.Option("--trash", help="The deleted ones instead.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the references, without those in the trash."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        call.output.references(shown.to_json() for shown in opened.list(trash=trash))

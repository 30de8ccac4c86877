"""``bifolio show``: one reference in full."""

from __future__ import annotations

import typer

from bifolio_cli import actions
from bifolio_cli.invocation import JsonOption, LibraryOption, ReferenceArgument, invocation


def show(
    context: typer.Context,
    ref: ReferenceArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show one reference: its fields, tags, groups and conflicts."""
    actions.show(invocation(context, library=library, json=json), ref)

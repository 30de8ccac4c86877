"""``bifolio edit``: change fields of one reference."""

from __future__ import annotations

import typer

from bifolio_cli import actions
from bifolio_cli.invocation import (
    AssignmentsArgument,
    JsonOption,
    LibraryOption,
    ReferenceArgument,
    invocation,
)


def edit(
    context: typer.Context,
    ref: ReferenceArgument,
    assignments: AssignmentsArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Edit a reference: set, add, remove or clear values of its fields."""
    actions.edit(invocation(context, library=library, json=json), ref, assignments)

"""``bifolio delete``: references into the trash."""

from __future__ import annotations

import typer

from bifolio_cli.batch import apply_to_each, report_each
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)


def delete(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Move references to the trash; 'bifolio restore' brings them back.

    Those that are not found are named, the others are deleted, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = apply_to_each(opened.delete, refs)
    report_each(call.output, outcome, "is in the trash.")

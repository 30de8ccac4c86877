"""``bifolio delete``: references into the trash."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)
from bifolio_cli.several import report_each, to_each_found


def delete(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Move references to the trash; 'bifolio restore' brings them back.

    Those that are not found are named, the others deleted, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(opened.delete, refs)
    report_each(call.output, outcome, "is in the trash.")

"""``bifolio delete``: references into the trash."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)
from bifolio_cli.rendering import called
from bifolio_cli.several import to_each_found


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
    deleted = [shown.to_json() for shown in outcome.done]
    if call.output.json:
        call.output.references(deleted)
    else:
        for reference in deleted:
            call.output.say(f"{called(reference)} is in the trash.")
    for missing in outcome.missing:
        call.output.remark(missing.message)
    if outcome.missing:
        raise typer.Exit(DONE_IN_PART)

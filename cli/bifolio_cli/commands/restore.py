"""``bifolio restore``: references out of the trash."""

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


def restore(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take references out of the trash, with their groups, tags and files.

    Also settles the conflict of a reference that was edited while someone deleted it. Those that
    are not found are named, the others restored, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(opened.restore, refs)
    restored = [shown.to_json() for shown in outcome.done]
    if call.output.json:
        call.output.references(restored)
    else:
        for reference in restored:
            call.output.say(f"{called(reference)} is in the library.")
    for missing in outcome.missing:
        call.output.remark(missing.message)
    if outcome.missing:
        raise typer.Exit(DONE_IN_PART)

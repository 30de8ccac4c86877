"""``bifolio conflicts``: every field with more than one live value."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.text.reference_text import conflict_lines


def conflicts(
    context: typer.Context, library: LibraryOption = None, json: JsonOption = False
) -> None:
    """List the fields that were edited at the same time, with every value, who wrote it and when.

    References and groups that were deleted and edited at the same time are listed too.
    """
    call = invocation(context, library=library, json=json)
    with call.read_library() as opened:
        found = opened.conflicts()
    if call.output.json:
        call.output.documents(found)
        return
    for conflict in found:
        call.output.say(*conflict_lines(conflict.to_json()))
    if not found:
        call.output.say("There are no conflicts.")

"""``bifolio conflicts``: every field with more than one live value."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.rendering import conflict_lines


def conflicts(
    context: typer.Context, library: LibraryOption = None, json: JsonOption = False
) -> None:
    """List the fields that were edited twice, with every value, who wrote it and when.

    And what was deleted and edited at the same time: references, and groups.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = [conflict.to_json() for conflict in opened.conflicts()]
    if call.output.json:
        call.output.document(found)
        return
    for conflict in found:
        call.output.say("\n".join(conflict_lines(conflict)))
    if not found:
        call.output.say("There are no conflicts.")

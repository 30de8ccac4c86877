"""``bifolio history``: what happened to one reference."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, ReferenceArgument, invocation


def history(
    context: typer.Context,
    ref: ReferenceArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show who changed what in a reference, when, and what was there before.

    'bifolio revert' reverts a field, or all of them, to a time or to a change shown here.
    """
    from bifolio_cli.text.history_text import event_lines

    call = invocation(context, library=library, json=json)
    with call.read_library() as opened:
        events = list(opened.history.of(ref))
    if call.output.json:
        call.output.documents(events)
        return
    for line in event_lines([one.to_json() for one in events]):
        call.output.say(line)

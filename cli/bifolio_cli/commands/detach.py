"""``bifolio detach``: a library off its relay."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def detach(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take the library off its relay on this computer; it stays a member, and nothing is deleted.

    'bifolio attach RELAY_URL' brings it back. To stop being a member, use 'bifolio leave'.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.detach()
        unsent = opened.status().unsent
    if call.output.json:
        call.output.document(done)
        return
    call.output.say(f"The library is on no relay here any more; it was on {done.relay}.")
    if unsent:
        call.output.say("What was not sent yet goes with the next 'bifolio attach RELAY_URL'.")

"""``bifolio libraries``: the libraries of this computer."""

from __future__ import annotations

import typer

from bifolio.results import LibraryState
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.text.reference_text import count

_STATES = {
    LibraryState.HERE_ONLY: "on this computer only",
    LibraryState.SYNCED: "all sent",
    LibraryState.UNSENT: "not all sent",
    LibraryState.NOT_REACHED: "relay not reached",
    LibraryState.NO_MEMBER: "no member",
    LibraryState.FAULT: "cannot be opened",
}


def libraries(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the libraries of this computer: name, role, relay, state and path.

    -L takes a name from here instead of a path. No connection is opened.
    """
    from bifolio.library.all_libraries import list_libraries

    call = invocation(context, library=library, json=json)
    found = list_libraries(call.environment.device_home())
    if call.output.json:
        call.output.documents(found)
        return
    listed = list(found)
    for one in listed:
        state = one.fault or _STATES[one.state]
        if one.unsent:
            state += f" ({count(one.unsent, 'change')} unsent)"
        if one.known_relay:
            state += f" (the library is on {one.known_relay})"
        call.output.say(
            "\t".join((one.name, one.role or "-", one.relay or "-", state, str(one.path)))
        )
    if not listed:
        call.output.remark("There is no library yet: 'bifolio init' makes one.")

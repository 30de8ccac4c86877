"""``bifolio invite``: another ticket."""

from __future__ import annotations

import typer

from bifolio.results import Invitation
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def invite(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Print a ticket with which another computer attaches to this library."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        ticket = opened.invite()
    if call.output.json:
        call.output.document(Invitation(ticket))
    else:
        call.output.line(ticket)

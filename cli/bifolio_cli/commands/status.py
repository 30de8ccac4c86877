"""``bifolio status``: what this replica holds and what it waits for."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.text.status_text import status_lines


def status(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Show what is here, what is not sent yet, and what needs attention, without connecting."""
    call = invocation(context, library=library, json=json)
    with call.read_library() as opened:
        report = opened.status()
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say(*status_lines(report))

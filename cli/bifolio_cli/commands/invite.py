"""``bifolio invite``: another ticket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifolio.results import Invitation
from bifolio_cli.commands.bundle import WithFilesOption, bundle_lines
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def invite(
    context: typer.Context,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE|FOLDER",
            show_default=False,
            help="Without a relay: write the bundle with which the other computer uses the ticket.",
        ),
    ] = None,
    with_files: WithFilesOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Print a ticket with which another computer attaches to this library."""
    call = invocation(context, library=library, json=json)
    if bundle is not None:
        with call.open_library() as opened:
            made = opened.bundles.invite(bundle.expanduser().absolute(), with_files=with_files)
        if call.output.json:
            call.output.document(made)
            return
        call.output.remark(
            *bundle_lines(made.bundle),
            "Give the file to the other computer, and this ticket to its user on another way. "
            "There: bifolio attach TICKET PATH --bundle FILE",
        )
        call.output.line(made.ticket)
        return
    with call.open_library() as opened:
        ticket = opened.invite()
    if call.output.json:
        call.output.document(Invitation(ticket))
    else:
        call.output.line(ticket)

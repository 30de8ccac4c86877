"""``bifolio log``: what was changed, by this computer's commands and by others."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    SinceOption,
    invocation,
    whole_argument,
)
from bifolio_cli.text.moments import parse_moment


def log(
    context: typer.Context,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="N", min=1, help="List at most N."),
    ] = 20,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="D",
            callback=whole_argument,
            help="List the changes of this device only.",
        ),
    ] = None,
    since: SinceOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the commands of this computer and the changes of others, the latest first.

    'bifolio undo ID' undoes one of them.
    """
    from bifolio_cli.text.history_text import log_line

    call = invocation(context, library=library, json=json)
    moment = parse_moment(since, option="--since") if since else None
    with call.read_library() as opened:
        entries = opened.history.log(limit=limit, device=device, since=moment)
    if call.output.json:
        call.output.documents(entries)
        return
    for entry in entries:
        call.output.say(log_line(entry))

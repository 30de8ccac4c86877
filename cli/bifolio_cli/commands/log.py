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
            "--member",
            metavar="NAME",
            callback=whole_argument,
            help="List the changes of this computer only, by its name.",
        ),
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="List only what other computers changed.")
    ] = False,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="List what other computers changed since the last 'bifolio log --new'. With "
            "--member or --since it stays new: only a part was asked for.",
        ),
    ] = False,
    since: SinceOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the commands of this computer and the changes of others, the latest first.

    Whose a change is, its signature tells. 'bifolio undo ID' undoes one of them.
    """
    from bifolio_cli.text.history_text import log_line

    call = invocation(context, library=library, json=json)
    moment = parse_moment(since, option="--since") if since else None
    is_part = device is not None or moment is not None
    # What is new is marked as read, which takes an opening to write.
    with call.open_library() if new else call.read_library() as opened:
        last = opened.history.last_change()
        entries = opened.history.log(
            limit=limit, device=device, since=moment, others=remote, new=new
        )
        if new and not is_part and len(entries) < limit:
            opened.history.mark_read(last)
    if call.output.json:
        call.output.documents(entries)
        return
    for entry in entries:
        call.output.say(log_line(entry))
    if not entries:
        call.output.remark("Nothing is new." if new else "There is no such change.")
    elif new and not is_part and len(entries) == limit:
        call.output.remark(
            f"These are the latest {limit}; --limit N lists more, and marks all as read."
        )

"""``bifolio members``: who may read and write the library."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.text.member_text import member_lines


def members(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the members: each computer with its role, when it joined and was last heard from.

    An owner invites, removes and gives roles; an editor changes the library; a reader only reads.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.members.list()
    if call.output.json:
        call.output.documents(found)
    else:
        call.output.say(*member_lines(found))

"""``bifolio restore``: references out of the trash."""

from __future__ import annotations

import typer

from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)
from bifolio_cli.several import report_each, to_each_found


def restore(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take references out of the trash, with their groups, tags and files.

    A key finds what was deleted, also where another reference has that key now. Where several
    were deleted that had it, their ids are named: give one of those.

    Also settles the conflict of a reference that was edited while someone deleted it. Those that
    are not found are named, the others restored, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(opened.restore, refs)
    report_each(call.output, outcome, "is in the library.")

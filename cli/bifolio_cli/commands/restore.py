"""``bifolio restore``: references out of the trash."""

from __future__ import annotations

import typer

from bifolio_cli.batch import apply_to_each, report_each
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)


def restore(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Restore references from the trash, with their groups, tags and files.

    A key finds the deleted reference even if another reference has that key now. If several
    deleted references had it, their ids are named: give one of those.

    This also resolves the conflict of a reference that was edited while someone deleted it. Those
    that are not found are named, the others are restored, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = apply_to_each(opened.restore, refs)
    report_each(call.output, outcome, "is in the library.")

"""``bifolio copy``: references into another library."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)


def copy(
    context: typer.Context,
    refs: ReferencesArgument,
    to: Annotated[
        str, typer.Option("--to", metavar="PATH", help="The library that gets the copies.")
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Copy references into another library.

    A copy remembers where it came from and is a reference of its own. Groups stay behind; files
    come along as far as they are on this computer.
    """
    call = invocation(context, library=library, json=json)
    other = invocation(context, library=to, json=json)
    with call.open_library() as opened, other.open_library() as target:
        report = opened.copy(refs, target)
        name = target.name
    if call.output.json:
        call.output.document(report.to_json())
    else:
        for one in report.references:
            call.output.say(f"{one.key} {one.outcome} ({name})")
    for missing in report.missing:
        call.output.remark(
            f"The content of {missing.name} ({missing.ref}) is not on this computer; its copy "
            "names the file without it."
        )
    if report.missing:
        raise typer.Exit(DONE_IN_PART)

"""``bifolio copy``: references into another library."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.results import CopyOutcome
from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
)

_OUTCOMES = {
    CopyOutcome.COPIED: "is copied to {name}.",
    CopyOutcome.EXISTS: "is in {name} already.",
    CopyOutcome.UPDATED: "in {name} has what its origin says now.",
    CopyOutcome.IN_TRASH: "is in the trash of {name}.",
}


def copy(
    context: typer.Context,
    refs: ReferencesArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="PATH|NAME",
            help="The library to copy them into: its folder, or its name as 'bifolio libraries' "
            "lists it.",
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Copy references into another library.

    A copy is a reference of its own and remembers where it came from: tags, notes and all that you
    add to it are yours alone, also where you may only read the library that it is from. Copied
    again it gets what its origin says now, except where you changed it. Groups are not copied;
    attached files are copied if their content is on this computer.
    """
    call = invocation(context, library=library, json=json)
    other = invocation(context, library=to, json=json)
    with call.open_library() as opened, other.open_library() as target:
        report = opened.copy(refs, target)
        name = target.name
    if call.output.json:
        call.output.document(report)
    else:
        for one in report.references:
            call.output.say(f"{one.key} {_OUTCOMES[one.outcome].format(name=name)}")
            for words, fields in (
                ("updated", one.updated),
                ("changed in both, yours is kept", one.kept),
                ("your own, kept", one.own),
            ):
                if fields:
                    call.output.say(f"  {words}: {', '.join(fields)}")
    for missing in report.missing:
        call.output.remark(
            f"The content of {missing.name} ({missing.ref}) is not on this computer: its copy "
            "has the file's name without the content."
        )
    if report.missing:
        raise typer.Exit(DONE_IN_PART)

"""``bifolio merge``: several references of one work made one."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.rendering import called, value_text


def merge(
    context: typer.Context,
    refs: ReferencesArgument,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="REF",
            callback=whole_argument,
            help="The one to keep; else the first.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Merge references into one: it gets what it lacks, the others go to the trash.

    Groups, tags, files, ISBN, ISSN and addresses are united, notes and abstracts put together,
    the other citation keys go on finding the work. What differs stays as the kept one has it and
    is named; the other value is in the trash.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        merged = opened.merge(refs, keep=keep)
    if call.output.json:
        call.output.document(merged.to_json())
        return
    names = ", ".join(called(one.to_json()) for one in merged.merged)
    kept = called(merged.kept.to_json())
    call.output.say(f"{names} merged into {kept}.")
    for taken in merged.taken:
        call.output.say(f"  {taken.field}: from {taken.source}")
    for one in merged.differing:
        call.output.remark(
            f"  {one.field}: stays {value_text(one.kept)}; {one.source} (in the trash) has "
            f"{value_text(one.other)}"
        )

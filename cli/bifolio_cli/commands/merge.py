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
from bifolio_cli.text.reference_text import reference_name, value_text


def merge(
    context: typer.Context,
    refs: ReferencesArgument,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="REF",
            callback=whole_argument,
            help="The reference to keep (default: the first).",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Merge references into one, which gets what it lacks; the others go to the trash.

    Groups, tags, files, ISBN, ISSN and URLs are combined, notes and abstracts are joined, and the
    other citation keys still find the work. Where values differ, the kept reference keeps its
    own; the other value is named and stays in the trash.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        merged = opened.merge(refs, keep=keep)
    if call.output.json:
        call.output.document(merged)
        return
    names = ", ".join(reference_name(one.to_json()) for one in merged.merged)
    kept = reference_name(merged.kept.to_json())
    verb = "is" if len(merged.merged) == 1 else "are"
    call.output.say(f"{names} {verb} merged into {kept}.")
    for taken in merged.taken:
        call.output.say(f"  {taken.field}: from {taken.source}")
    for one in merged.differing:
        call.output.remark(
            f"  {one.field}: kept {value_text(one.kept)}; {one.source} (in the trash) has "
            f"{value_text(one.other)}"
        )

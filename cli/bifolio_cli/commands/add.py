"""``bifolio add``: one new reference, typed in."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.edit_arguments import new_fields, parse_edits
from bifolio_cli.invocation import AssignmentsArgument, JsonOption, LibraryOption, invocation


def add(
    context: typer.Context,
    assignments: AssignmentsArgument,
    reference_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="The type of the reference: article, book, chapter, thesis, preprint, ..., or as "
            "CSL names it (default document).",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Add a reference, for example: bifolio add --type book title='On Type' author='Doe, Jane'"""
    call = invocation(context, library=library, json=json)
    typed = [f"type={reference_type}"] if reference_type is not None else []
    fields = new_fields(parse_edits([*typed, *assignments]))
    fields.setdefault("type", "document")
    with call.open_library() as opened:
        call.output.reference(opened.add(fields))

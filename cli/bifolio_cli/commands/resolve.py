"""``bifolio resolve``: take one value of a conflict, or another one."""

from __future__ import annotations

from shlex import quote
from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio.records.fields import SYNONYMS
from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.invocation import JsonOption, LibraryOption, ReferenceArgument, invocation

#: The field under which a reference that came back is listed; restore or delete settles it.
_REVIVAL = "deleted"


def resolve(
    context: typer.Context,
    ref: ReferenceArgument,
    field: Annotated[
        str,
        typer.Argument(
            metavar="FIELD", show_default=False, help="The field, as 'bifolio conflicts' lists it."
        ),
    ],
    take: Annotated[
        list[int] | None,
        typer.Option(
            "--take",
            metavar="N",
            min=1,
            help="Keep the value with this number in the last listing. Given several times for a "
            "text, the values are joined.",
        ),
    ] = None,
    value: Annotated[
        str | None, typer.Option("--value", metavar="V", help="Set this value instead.")
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Resolve a conflict: one value is kept, on every computer.

    For a text such as a note, --take 1 --take 2 keeps both values, as paragraphs of one.
    """
    call = invocation(context, library=library, json=json)
    if bool(take) == (value is not None):
        raise UsageError(
            "Give one of --take N and --value V.",
            next_step="Run 'bifolio conflicts' to see the numbers.",
        )
    if field == _REVIVAL:
        raise UsageError(
            f"'{ref}' was deleted and edited at the same time; there are no values to choose from.",
            next_step=f"Keep it with 'bifolio restore {quote(ref)}' or delete it with "
            f"'bifolio delete {quote(ref)}'; a group with 'bifolio group restore' or "
            "'bifolio group delete'.",
        )
    # Only the name is made the field's own: a listing may hold fields of a newer version.
    field = SYNONYMS.get(field, field)
    if value is not None:
        whole_text(value, field=field)
    with call.open_library() as opened:
        call.output.reference(opened.resolve(ref, field, take=take, value=value))

"""``bifolio revert``: a reference, or a field of it, as it was at an earlier time."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferenceArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.text.moments import parse_moment

#: What tells a change's id from a time.
_ID = re.compile(r"[0-9a-f]{4,16}", re.IGNORECASE)


def revert(
    context: typer.Context,
    ref: ReferenceArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="TIME",
            callback=whole_argument,
            show_default=False,
            help="A date (its beginning), a date and a time, or the id of a change that 'bifolio "
            "history' shows (right after it).",
        ),
    ],
    field: Annotated[
        str | None,
        typer.Option(
            "--field",
            metavar="FIELD",
            callback=whole_argument,
            help="Revert this field only (default: the whole reference).",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Give a reference the values that it had at an earlier time.

    Values that differ are written as new edits, which sync as any others; 'bifolio undo' undoes
    them.
    """
    call = invocation(context, library=library, json=json)
    time = to if _ID.fullmatch(to) else parse_moment(to, option="--to")
    with call.open_library() as opened:
        shown = opened.history.revert(ref, to=time, field=field)
    call.output.reference(shown)

"""What every verb shares: -L and --json before or after it, and arguments of many verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.call import COULD_NOT as COULD_NOT
from bifolio_cli.call import DONE_IN_PART as DONE_IN_PART
from bifolio_cli.call import INTERRUPTED as INTERRUPTED
from bifolio_cli.call import WRONG_USAGE as WRONG_USAGE
from bifolio_cli.call import Invocation as Invocation
from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.output import Output


def whole_argument(text: str | list[str] | None) -> str | list[str] | None:
    """An argument as it is, if it is text; bytes of another encoding are refused."""
    for part in [text] if isinstance(text, str) else text or []:
        whole_text(part, field="argument")
    return text


LibraryOption = Annotated[
    str | None,
    typer.Option(
        "--library",
        "-L",
        metavar="PATH|NAME",
        help="The library to work on: its folder, with or without the ending .bifolio, or its name "
        "as 'bifolio libraries' lists it.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and messages on stderr.")
]
ReferenceArgument = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        callback=whole_argument,
        show_default=False,
        help="A citation key, or at least the first four characters of an id.",
    ),
]
ReferencesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="REF",
        callback=whole_argument,
        show_default=False,
        help="Citation keys, or at least the first four characters of ids.",
    ),
]
AssignmentsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FIELD=VALUE",
        show_default=False,
        help="field=value sets, field+=value adds to a list, set or text, field-=value removes "
        "from a list or set, field= clears. Names are 'Family, Given' or '{Organization}'; "
        "author= or tags= given several times set the whole list.",
    ),
]
QueryArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="QUERY",
        callback=whole_argument,
        show_default=False,
        help="Words, phrases in quotes, and operators such as year:2015..2020; -WORD excludes a "
        "word.",
    ),
]
SortOption = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="ORDER",
        help="The order: relevance, year, title, author, key, added, modified or id; "
        "-year is the newest first.",
    ),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="List at most N.")
]

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        callback=whole_argument,
        help="From this time on: a date, or a date and a time.",
    ),
]


def invocation(context: typer.Context, *, library: str | None, json: bool) -> Invocation:
    """The call as a whole: the verb's own -L and --json, otherwise those before the verb."""
    before: Invocation = context.obj
    return Invocation(
        environment=before.environment,
        library=library or before.library,
        output=Output(json=json or before.output.json),
    )

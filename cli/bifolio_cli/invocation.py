"""What every verb shares: -L and --json before or after it, and the library that it works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.assignments import whole_text
from bifolio_cli.environment import Environment
from bifolio_cli.output import Output

if TYPE_CHECKING:
    from pathlib import Path

    from bifolio import Library

#: Exit codes; 0 is done, and each error class carries its own of 1 (could not) and 2 (usage).
COULD_NOT = 1
WRONG_USAGE = 2
DONE_IN_PART = 3
INTERRUPTED = 130


def whole_argument(text: str | list[str] | None) -> str | list[str] | None:
    """An argument as it is, if it is text; bytes of another encoding are refused."""
    for part in [text] if isinstance(text, str) else text or []:
        whole_text(part, field="argument")
    return text


LibraryOption = Annotated[
    str | None,
    typer.Option("--library", "-L", metavar="PATH", help="The library to work on."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout; messages on stderr.")
]
ReferenceArgument = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        callback=whole_argument,
        show_default=False,
        help="A citation key, or at least four first characters of a record id.",
    ),
]
ReferencesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="REF",
        callback=whole_argument,
        show_default=False,
        help="Citation keys, or at least four first characters of record ids.",
    ),
]
AssignmentsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FIELD=VALUE",
        show_default=False,
        help="field=value sets, field+=value adds to a list, set or text, field-=value removes "
        "from a list or set, field= clears. Names are 'Family, Given' or '{Body}'; repeated "
        "author= or tags= give the whole list.",
    ),
]
QueryArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="QUERY",
        callback=whole_argument,
        show_default=False,
        help="Words, phrases and operators such as year:2015..2020; -WORD leaves out.",
    ),
]
SortOption = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="ORDER",
        help="relevance, year, title, author, key, added or id; -year for the newest first.",
    ),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.")
]

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", callback=whole_argument, help="A date, or a date and a time."
    ),
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of ``bifolio``: which library, and how to speak."""

    environment: Environment
    library: str | None
    output: Output

    @property
    def library_path(self) -> Path:
        """The library that the call is about."""
        return self.environment.library_path(self.library)

    @contextmanager
    def open_library(self) -> Iterator[Library]:
        """The library, opened, and closed at the end; what it has to remark goes to stderr."""
        from bifolio import Library

        with Library.open(self.library_path, home=self.environment.device_home()) as library:
            self.remark_notice(library)
            # Whatever a verb changes is one command, that one undo takes back.
            with library.command():
                yield library

    def remark_notice(self, library: Library) -> None:
        """Pass on what the library remarks about its key store or its folder."""
        if library.notice:
            self.output.remark(library.notice)


def invocation(context: typer.Context, *, library: str | None, json: bool) -> Invocation:
    """The call as a whole: the verb's own -L and --json, else those before the verb."""
    before: Invocation = context.obj
    return Invocation(
        environment=before.environment,
        library=library or before.library,
        output=Output(json=json or before.output.json),
    )

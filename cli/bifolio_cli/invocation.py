"""What every verb shares: -L and --json before or after it, and the library that it works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.environment import Environment
from bifolio_cli.output import Output
from bifolio_cli.text.next_steps import word_of

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
    typer.Option(
        "--library",
        "-L",
        metavar="PATH",
        help="The library to work on: its folder, with or without the ending .bifolio.",
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
        help="The order: relevance, year, title, author, key, added or id; -year is the newest "
        "first.",
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

    @contextmanager
    def read_library(self) -> Iterator[Library]:
        """``open_library`` for who only reads: what is whole of a damaged library, of one on a
        full disk, or of one that cannot be written, is read all the same."""
        from bifolio import Library

        home = self.environment.device_home()
        with Library.open(self.library_path, home=home, reading=True) as library:
            told = len(library.notices)
            self.remark_notice(library)
            try:
                yield library
            finally:
                for notice in library.notices[told:]:
                    self.output.remark(f"{notice.message} {word_of(notice.next)}".rstrip())

    def remark_notice(self, library: Library) -> None:
        """Pass on what the library remarks about its key, its folder or its relay."""
        for notice in library.notices:
            self.output.remark(f"{notice.message} {word_of(notice.next)}".rstrip())


def invocation(context: typer.Context, *, library: str | None, json: bool) -> Invocation:
    """The call as a whole: the verb's own -L and --json, otherwise those before the verb."""
    before: Invocation = context.obj
    return Invocation(
        environment=before.environment,
        library=library or before.library,
        output=Output(json=json or before.output.json),
    )

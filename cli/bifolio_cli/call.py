"""One call of ``bifolio``, however it was read: its library, how it speaks, its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

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


class Invocation(Struct, frozen=True):
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

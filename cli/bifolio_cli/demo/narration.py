"""How the demo is told: chapters, commands as a user types them, what they print, and tables.

The only user of rich in the demo. Decides nothing about what is told.
"""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bifolio_cli.text.safe_text import escape_controls

#: Lines longer than this are tiring to read, however wide the window is.
_WIDTH_MAX = 100

#: A ticket is longer than two lines and says nothing to a reader.
_ARGUMENT_SHOWN_MAX = 80
_ARGUMENT_SHOWN = 24

_ASSIGNMENT = re.compile(r"([A-Za-z0-9.-]+[+-]?=)(.+)", re.DOTALL)


class Narrator:
    """Speaks to a person on stdout, or on stderr where stdout is for a JSON document."""

    def __init__(self, *, to_stderr: bool) -> None:
        stream = sys.stderr if to_stderr else sys.stdout
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._console.width = min(self._console.width, _WIDTH_MAX)

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._console.print()
        self._console.rule(Text(title, style="bold"), align="left")

    def say(self, text: str) -> None:
        """A paragraph, folded to the width of the window."""
        self._console.print()
        self._console.print(Text(self._folded(escape_controls(text))))

    def command(self, computer: str, arguments: Sequence[str]) -> None:
        """A command as its user types it, with the computer's name as the prompt."""
        line = Text(f"{computer}$ ", style="cyan")
        line.append(command_line(arguments), style="bold")
        # Left to the terminal to fold, so that it can be copied.
        self._console.print(line, soft_wrap=True)

    def printed(self, text: str) -> None:
        """What a command printed."""
        lines = escape_controls(text).rstrip("\n").split("\n")
        for line in lines if lines != [""] else []:
            self._console.print(Text(self._folded(_shortened(line), margin="  ")))

    def typed(self, line: str) -> None:
        """A line for a reader to copy: in one piece, however long."""
        self._console.print(Text(f"  {line}", style="bold"), soft_wrap=True)

    def space(self) -> None:
        """An empty line."""
        self._console.print()

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int = 99
    ) -> None:
        """A table; columns from ``numbers_from`` on are numbers and are aligned right."""
        table = Table(show_edge=False, pad_edge=False, expand=False)
        for place, heading in enumerate(headings):
            table.add_column(
                heading, justify="right" if place >= numbers_from else "left", overflow="fold"
            )
        for row in rows:
            table.add_row(*(Text(escape_controls(cell)) for cell in row))
        self._console.print()
        self._console.print(Padding(table, (0, 0, 0, 2)))

    def check(self, sentence: str, *, holds: bool) -> None:
        """One line of the list of what was checked."""
        mark = Text("  holds  ", style="green") if holds else Text("  BROKEN ", style="bold red")
        margin = " " * len(mark)
        folded = self._folded(escape_controls(sentence), margin=margin)
        self._console.print(Text.assemble(mark, folded.removeprefix(margin)))

    def working(self, label: str) -> AbstractContextManager[object]:
        """A moving sign for who watches a terminal; nothing elsewhere."""
        return self._console.status(Text(label))

    def _folded(self, text: str, *, margin: str = "") -> str:
        """The text in lines that fit; rich would fill each up with blanks."""
        own = margin + text[: len(text) - len(text.lstrip())]
        return textwrap.fill(
            text.lstrip(),
            self._console.width,
            initial_indent=own,
            subsequent_indent=own,
            break_long_words=False,
            break_on_hyphens=False,
        )


def command_line(arguments: Sequence[str]) -> str:
    """``bifolio`` with its arguments, quoted as a person would: ``title='On Type'``."""
    return " ".join(["bifolio", *map(_quoted, arguments)])


def _quoted(argument: str) -> str:
    argument = _shortened(argument)
    found = _ASSIGNMENT.fullmatch(argument)
    return found[1] + shlex.quote(found[2]) if found else shlex.quote(argument)


def _shortened(argument: str) -> str:
    """A ticket by its beginning; everything else as it is."""
    if argument.startswith("bifolio:") and len(argument) > _ARGUMENT_SHOWN_MAX:
        return argument[:_ARGUMENT_SHOWN] + "..."
    return argument

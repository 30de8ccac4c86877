"""What goes where: the outcome on stdout (one JSON document with --json), messages on stderr.

rich is loaded only for a table on a terminal; one reference is plain text, so that ``show``
starts fast. No control character of a library's content reaches a terminal.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bifolio_cli.rendering import (
    ID_SHOWN_LENGTH,
    count,
    escape_controls,
    reference_lines,
    summary_cells,
)

#: Rows of one table: the widths are fixed, so a long list is printed as it is read.
_ROWS_AT_ONCE = 200

_HEADINGS = ("key", "year", "names", "title")

# json leaves these as they are; inside a string, the only place for them, \u00XX is the same.
_CONTROLS = re.compile("[\x7f-\x9f]")


def prepare_streams() -> None:
    """What a stream's encoding lacks is spelled out, so that printing never fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Output:
    """One command's way of speaking: to a program (``json``) or to a person."""

    json: bool

    def document(self, value: object) -> None:
        """The one JSON document of a command."""
        self.line(json_text(value))

    def line(self, text: str) -> None:
        """One line on stdout as it is, passed on at once: somebody may be waiting for it."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Text for a person on stdout."""
        self.line(escape_controls(text))

    def remark(self, text: str) -> None:
        """A message beside the outcome: on stderr, with --json too."""
        sys.stderr.write(escape_controls(text) + "\n")
        sys.stderr.flush()

    def failure(self, message: str, next_step: str) -> None:
        """What could not be done and what to do about it."""
        if self.json:
            self.document({"error": message, "next": next_step})
            return
        self.remark(f"Error: {message}")
        if next_step:
            self.remark(next_step)

    def reference(self, reference: Mapping[str, Any]) -> None:
        """One reference in full."""
        if self.json:
            self.document(reference)
        else:
            self.say("\n".join(reference_lines(reference)))

    def references(
        self,
        references: Iterable[Mapping[str, Any]],
        *,
        ids: bool = False,
        none: str = "There are no references.",
    ) -> None:
        """A list of references, printed while it is read.

        Args:
            ids: whether a person is shown the beginnings of their ids too, where a key does not
                tell them apart.
            none: what a person is told where there are none.
        """
        if self.json:
            self._array(references)
            return
        rows = (
            (str(one["id"])[:ID_SHOWN_LENGTH], *summary_cells(one)) if ids else summary_cells(one)
            for one in references
        )
        if sys.stdout.isatty():
            if number := _print_table(rows, ids=ids):
                self.remark(count(number, "reference") + ".")
        else:
            number = 0
            for row in rows:
                self.say("\t".join(row))
                number += 1
        if not number:
            self.remark(none)

    def documents(self, values: Iterable[Mapping[str, Any]]) -> None:
        """A list of JSON objects, as one document."""
        self._array(values)

    def _array(self, references: Iterable[Mapping[str, Any]]) -> None:
        # The first one is read before anything is written: a library that cannot be read then
        # still ends in one document, the failure.
        remaining = iter(references)
        first = list(islice(remaining, 1))
        sys.stdout.write("[")
        separator = "\n"
        for members in (first, remaining):
            for reference in members:
                sys.stdout.write(separator + json_text(reference))
                separator = ",\n"
        sys.stdout.write("\n]\n" if first else "]\n")
        sys.stdout.flush()


def json_text(value: object) -> str:
    """JSON on one line, in letters if stdout can show them all, without control characters."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    text = json.dumps(value, ensure_ascii=encoding not in ("utf-8", "utf8"))
    return _CONTROLS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _print_table(rows: Iterator[tuple[str, ...]], *, ids: bool) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    # Key and names get a quarter each at most; two blanks stand between columns.
    side = max(12, min(28, (console.width - 4) // 4))
    left = console.width - (ID_SHOWN_LENGTH + 2 if ids else 0)
    title = max(12, left - 2 * side - 4 - 8)
    columns = list(zip(_HEADINGS, (side, 4, side, title), strict=True))
    if ids:
        columns.insert(0, ("id", ID_SHOWN_LENGTH))
    number = 0
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        table = Table(box=None, show_header=number == 0, pad_edge=False, padding=(0, 2, 0, 0))
        for heading, width in columns:
            table.add_column(heading, width=width, no_wrap=True, overflow="ellipsis")
        for row in batch:
            table.add_row(*map(Text, row))
        console.print(table)
        number += len(batch)
    return number

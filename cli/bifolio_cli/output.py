"""What goes where: the outcome on stdout (one JSON document with --json), messages on stderr.

rich is loaded only for a table on a terminal; one reference is plain text, so that ``show``
starts fast. No control character of a library's content reaches a terminal.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from bifolio.results.base import Result, to_json
from bifolio_cli.json_failures import ErrorDocument, Failure
from bifolio_cli.text.next_steps import word
from bifolio_cli.text.reference_text import (
    ID_SHOWN_LENGTH,
    count,
    reference_lines,
    summary_cells,
)
from bifolio_cli.text.safe_text import escape_json, escape_line

if TYPE_CHECKING:
    from bifolio.errors import BifolioError
    from bifolio.results import ReferenceView

#: Rows of one table: the widths are fixed, so a long list is printed as it is read.
_ROWS_AT_ONCE = 200

_HEADINGS = ("key", "year", "names", "title")


def prepare_streams() -> None:
    """What a stream's encoding lacks is spelled out, so that printing never fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Output(Struct, frozen=True):
    """One command's way of speaking: to a program (``json``) or to a person."""

    json: bool

    def document(self, value: object) -> None:
        """The one JSON document of a command: a result, or values of JSON."""
        self.line(json_text(to_json(value, word)))

    def line(self, text: str) -> None:
        """One line on stdout as it is, passed on at once: somebody may be waiting for it."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def say(self, *lines: str) -> None:
        """Lines for a person on stdout, each one line whatever a library's content is."""
        for line in lines:
            self.line(escape_line(line))

    def remark(self, *lines: str) -> None:
        """A message next to the outcome: on stderr, with --json too."""
        sys.stderr.writelines(escape_line(line) + "\n" for line in lines)
        sys.stderr.flush()

    def failure(self, error: BifolioError) -> None:
        """What could not be done and what to do about it."""
        if self.json:
            self.document(Failure(ErrorDocument(error.code, error.message, error.next_step)))
            return
        self.remark(f"Error: {error.message}")
        if error.next_step is not None:
            self.remark(word(error.next_step))

    def reference(self, reference: ReferenceView) -> None:
        """One reference in full."""
        if self.json:
            self.document(reference)
        else:
            self.say(*reference_lines(reference.to_json()))

    def references(
        self,
        references: Iterable[ReferenceView],
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
            self.documents(references)
            return
        rows = (
            (one.id[:ID_SHOWN_LENGTH], *summary_cells(one.to_json()))
            if ids
            else summary_cells(one.to_json())
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

    def documents(self, results: Iterable[Result]) -> None:
        """A list of results, as one document, printed while it is read."""
        # The first one is read before anything is written: a library that cannot be read then
        # still ends in one document, the failure.
        remaining = iter(results)
        first = list(islice(remaining, 1))
        sys.stdout.write("[")
        separator = "\n"
        for members in (first, remaining):
            for one in members:
                sys.stdout.write(separator + json_text(one.to_json(word)))
                separator = ",\n"
        sys.stdout.write("\n]\n" if first else "]\n")
        sys.stdout.flush()


def json_text(value: object) -> str:
    """JSON on one line, in letters if stdout can show them all, without control characters."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    text = json.dumps(value, ensure_ascii=encoding not in ("utf-8", "utf8"))
    return escape_json(text)


def _print_table(rows: Iterator[tuple[str, ...]], *, ids: bool) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    # Key and names get a quarter each at most; two blanks are between columns.
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

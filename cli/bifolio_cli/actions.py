"""What the commands do that people run all the time, without how they are declared to Typer.

Each takes the call and its values, however they were read: by Typer, or by ``plain_calls``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from bifolio.errors import UsageError
from bifolio.results import Stage
from bifolio_cli.call import Invocation

if TYPE_CHECKING:
    from bifolio import Library

#: How long a search waits for files to be read that nobody has searched before.
_TEXTS_S: Final = 30.0


def show(call: Invocation, ref: str) -> None:
    """One reference in full."""
    with call.read_library() as opened:
        call.output.reference(opened.show(ref))


def status(call: Invocation) -> None:
    """What this replica holds and what it waits for."""
    from bifolio_cli.text.status_text import status_lines

    with call.read_library() as opened:
        report = opened.status()
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say(*status_lines(report))


def search(
    call: Invocation, query: Sequence[str], *, sort: str | None = None, limit: int | None = None
) -> None:
    """The references that a query finds."""
    words = " ".join(query)
    with call.read_library() as opened:
        if "fulltext:" in words.lower():
            _read_texts(call, opened)
        found = opened.search(words, sort=sort, limit=limit)
        call.output.references(found, none="Nothing was found.")


def _read_texts(call: Invocation, opened: Library) -> None:
    """What files say is read when it is first searched; a search waits for that only so long."""
    from bifolio_cli.progress import ProgressBars

    with ProgressBars() as report:
        tell = partial(report, Stage.READING_FILES) if report is not None else None
        left = opened.files.read_texts(seconds=_TEXTS_S, progress=tell)
    if left:
        call.output.remark(
            f"{left:,} files were not read yet, and are not searched. Search again: it reads on."
        )


def list_(
    call: Invocation,
    *,
    trash: bool = False,
    group: str | None = None,
    query: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
) -> None:
    """All references, those of a group or of a query, or the trash."""
    if group is not None and trash:
        raise UsageError(
            "References in the trash are in no group until they are restored.",
            next_step="Give one of --group GROUP and --trash.",
        )
    if group is not None and query is not None:
        raise UsageError(
            "Both a group and a query were given.",
            next_step="Give one of them; the query can name the group: --query 'group:G words'.",
        )
    with call.read_library() as opened:
        found = (
            opened.list(trash=trash, query=query, sort=sort, limit=limit)
            if group is None
            else opened.groups.references(group, sort=sort, limit=limit)
        )
        none = "Nothing was found." if query is not None else "There are no references."
        if trash:
            none = "The trash is empty."
        if group is not None:
            none = f"There are no references in the group {group}."
        call.output.references(found, none=none)


def edit(call: Invocation, ref: str, assignments: Sequence[str]) -> None:
    """Change fields of one reference."""
    from bifolio_cli.edit_arguments import parse_edits

    edits = parse_edits(assignments)
    with call.open_library() as opened:
        call.output.reference(opened.edit(ref, edits))

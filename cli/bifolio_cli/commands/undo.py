"""``bifolio undo``: what a command, a change or a device did, taken back."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    SinceOption,
    invocation,
    whole_argument,
)
from bifolio_cli.text.history_text import KEPT_REASONS, actions_text
from bifolio_cli.text.moments import parse_moment
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bifolio.results import UndoneJoin, UndoReport
    from bifolio_cli.output import Output

_ROLES = {"owner": "an owner", "editor": "an editor", "reader": "a reader"}

#: Fields left as they are that a person is shown; --json lists all.
_NAMED_MAX = 20


def undo(
    context: typer.Context,
    change: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            callback=whole_argument,
            show_default=False,
            help="The id of a command or a change that 'bifolio log' shows (default: the last "
            "command).",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="D",
            callback=whole_argument,
            help="Undo everything that this device wrote since a time.",
        ),
    ] = None,
    since: SinceOption = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            callback=whole_argument,
            help="Up to this time; a date means the end of that day.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what the undo would do, and change nothing."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Undo the last command of this computer, a command by its id, or a device's changes.

    What was edited since then stays as it is and is named, and the exit code is then 3. An undo is
    in the log and can be undone by its id; a second undo undoes the command before.
    """
    call = invocation(context, library=library, json=json)
    _check(change, device, since, until)
    with call.open_library() as opened:
        if device is None or since is None:
            report = opened.history.undo(change, dry_run=dry_run)
        else:
            report = opened.history.undo_device(
                device,
                since=parse_moment(since, option="--since"),
                until=parse_moment(until, option="--until", whole_day=True) if until else None,
                dry_run=dry_run,
            )
    if call.output.json:
        call.output.document(report)
    else:
        _say(call.output, report, dry_run=dry_run)
    if report.kept:
        raise typer.Exit(DONE_IN_PART)


def _check(change: str | None, device: str | None, since: str | None, until: str | None) -> None:
    """One thing to undo, said in full."""
    advice = "Write 'bifolio undo', 'bifolio undo ID' or 'bifolio undo --device D --since TIME'."
    if change is not None and device is not None:
        raise UsageError("Give an ID or --device, not both.", next_step=advice)
    if (device is None) != (since is None) or (until is not None and device is None):
        raise UsageError(
            "--device and --since go together, and --until needs both.",
            next_step=advice,
        )


def _joined_lines(joined: UndoneJoin) -> Iterator[str]:
    """What an undo of a join leaves as it is, and where one's own library is."""
    yield (
        f"This computer is still a member of the library, as {_ROLES[joined.role]}: "
        "'bifolio leave' ends that."
    )
    if joined.backup is not None:
        yield f"Your library as it was before it joined is in the backup {joined.backup}"
        yield f"  bifolio backup restore {shlex.quote(str(joined.backup))}"


def _say(output: Output, report: UndoReport, *, dry_run: bool) -> None:
    changed = [count(report.references, "reference")] if report.references else []
    if report.groups:
        changed.append(count(report.groups, "group"))
    numbers = " and ".join(changed) or "the library's settings"
    what = actions_text(report.what)
    if dry_run:
        output.say(f"Nothing was changed. This would be undone: {what} ({numbers}).")
    elif report.id is not None:
        output.say(f"Undone: {what} ({numbers} changed).")
    else:
        output.say(f"Nothing is left to undo of this: {what}.")
    if report.joined is not None:
        output.say(*_joined_lines(report.joined))
    for one in report.kept[:_NAMED_MAX]:
        field = f" {one.field}" if one.field else ""
        output.say(f"  unchanged: {one.key}{field} ({KEPT_REASONS[one.reason]})")
    if len(report.kept) > _NAMED_MAX:
        output.say(f"  ... and {len(report.kept) - _NAMED_MAX:,} more; --json lists all.")

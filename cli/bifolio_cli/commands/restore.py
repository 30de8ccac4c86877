"""``bifolio restore``: references out of the trash, or the whole library as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.batch import apply_to_each, report_each
from bifolio_cli.invocation import (
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.text.moments import parse_moment
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import RestoreReport


def restore(
    context: typer.Context,
    refs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REF",
            callback=whole_argument,
            show_default=False,
            help="Citation keys, or at least the first four characters of ids.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            callback=whole_argument,
            show_default=False,
            help="Without REF: give the whole library what it held at this time, a date (its "
            "beginning) or a date and a time.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --at: say what would happen, change nothing.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Restore references from the trash, or with --at the whole library as it was at a time.

    A key finds the deleted reference even if another reference has that key now. If several
    deleted references had it, their ids are named: give one of those. This also resolves the
    conflict of a reference that was edited while someone deleted it. Those that are not found are
    named, the others are restored, and the exit code is then 3.

    With --at what was deleted since comes back, what was added since goes to the trash, and values
    that were changed since are as they were; all of it syncs, and one 'bifolio undo' undoes it.
    """
    call = invocation(context, library=library, json=json)
    if bool(refs) == (at is not None) or (dry_run and at is None):
        raise UsageError(
            "Name references, or a time for the whole library, and not both.",
            next_step="Run 'bifolio restore REF' or 'bifolio restore --at TIME [--dry-run]'.",
        )
    if at is not None:
        _restore_all(call, at, dry_run=dry_run)
        return
    with call.open_library() as opened:
        outcome = apply_to_each(opened.restore, refs or [])
    report_each(call.output, outcome, "is in the library.")


def _restore_all(call: Invocation, at: str, *, dry_run: bool) -> None:
    moment = parse_moment(at, option="--at")
    with call.open_library() as opened:
        report = opened.history.restore(moment, dry_run=dry_run)
    if call.output.json:
        call.output.document(report)
        return
    call.output.say(_sentence(report, dry_run=dry_run))
    if report.unknown:
        call.output.say(
            f"The past of {count(report.unknown, 'record')} is not known on this computer; "
            "they stay as they are."
        )
    if report.id:
        call.output.say(f"Undo it with: bifolio undo {report.id}")


def _sentence(report: RestoreReport, *, dry_run: bool) -> str:
    would = "would " if dry_run else ""
    parts = [
        f"{count(report.restored, 'reference')} {would}come back",
        f"{report.changed:,} {would}get earlier values",
        f"{report.trashed:,} {would}go to the trash",
    ]
    groups = f", {count(report.groups, 'group')} {would}change" if report.groups else ""
    return f"{', '.join(parts)}{groups}."

"""``bifolio compact``: a library made as small as it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.text.reference_text import count, size_text

if TYPE_CHECKING:
    from bifolio.results import CompactionReport, Saving


def compact(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be saved.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make the library take as little room on this computer as it can.

    Nothing is lost: references, history and attached files stay as they are. Contents of files
    that no reference has any more go once every computer of the library has heard of it, or was
    silent for thirty days. Writing the library's file again takes as much free room as it has.
    """
    from bifolio.library.compaction import compact as compact_library

    call = invocation(context, library=library, json=json)
    report = compact_library(call.library_path, call.environment.device_home(), dry_run=dry_run)
    if call.output.json:
        call.output.document(report)
        return
    for saving in report.savings:
        call.output.say(_saving_text(saving))
    if report.waiting_files:
        call.output.say(
            f"{count(report.waiting_files, 'file')} without a reference "
            f"({size_text(report.waiting_bytes)}) stay until every computer has heard of it."
        )
    call.output.say(_summary(report))


def _saving_text(saving: Saving) -> str:
    from bifolio.results import SavingKind

    size = size_text(saving.bytes)
    match saving.kind:
        case SavingKind.FILES:
            return f"{size}: contents of {count(saving.count, 'file')} that no reference has"
        case SavingKind.SNAPSHOT_PARTS:
            return f"{size}: {count(saving.count, 'part')} of snapshots that are not needed"
        case SavingKind.STATES:
            return f"{size}: {count(saving.count, 'record')} stored compressed"
        case SavingKind.UNUSED_ROOM:
            return f"{size}: unused room in the library's file"


def _summary(report: CompactionReport) -> str:
    before, after = size_text(report.bytes_before), size_text(report.bytes_after)
    if report.dry_run:
        return f"The library takes {before} and would take about {after}. Nothing was changed."
    if not report.savings:
        return f"The library takes {after}. There is nothing to save."
    return f"The library took {before} and takes {after} now."

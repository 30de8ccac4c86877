"""``bifolio sync``: send and receive changes, once or as they come."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import Next, NextStep, UsageError
from bifolio_cli.invocation import (
    DONE_IN_PART,
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
)
from bifolio_cli.output import Output
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.next_steps import word_of
from bifolio_cli.text.reference_text import count
from bifolio_cli.text.status_text import shared_keys_line

if TYPE_CHECKING:
    from bifolio import Library
    from bifolio.library.sharing import Outage
    from bifolio.results import SyncReport

_TRIES = "Bifolio tries again until it answers."
_WAITS = "Bifolio waits until it is free."

#: Next steps that say no more than that.
_GENERAL = (NextStep(Next.CHECK_CONNECTION), NextStep(Next.WAIT_FOR_OTHER_PROGRAM))


def sync(
    context: typer.Context,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Stay connected and exchange changes as they are made, until Ctrl-C."
        ),
    ] = False,
    all_: Annotated[
        bool,
        typer.Option(
            "--all", help="Sync every library of this computer that is on a relay, one by one."
        ),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Send this computer's changes to the relay and receive those of others."""
    call = invocation(context, library=library, json=json)
    if all_:
        if watch:
            raise UsageError(
                "--watch is for one library.",
                next_step="Leave it out, or keep libraries in sync with 'bifolio autosync on'.",
            )
        _sync_all(call)
        return
    if watch:
        _stay(call)
        return
    with call.open_library() as opened:
        known = opened.keys.shared_count()
        with ProgressBars() as progress:
            report = opened.sync(progress=progress)
        shared = opened.keys.shared_count()
    _print(call.output, report)
    if shared > known:  # once, when it came about; 'status' goes on saying so
        call.output.remark(shared_keys_line(shared))


def _sync_all(call: Invocation) -> None:
    """Each library of this computer; the exit code says whether one could not."""
    from bifolio.library.all_libraries import sync_all

    with ProgressBars() as progress:
        found = list(sync_all(call.environment.device_home(), progress))
    if call.output.json:
        call.output.documents(found)
    for one in () if call.output.json else found:
        if one.report is not None:
            sent, received = one.report.pushed, one.report.pulled
            call.output.say(
                f"{one.name}: sent {count(sent, 'change')}, received {count(received, 'change')}."
            )
            if one.report.moved_to:
                call.output.say(f"{one.name}: {moved_line(one.report.moved_to)}")
            if one.report.kept_back:
                call.output.remark(f"{one.name}: {kept_back_line(one.report.kept_back)}")
        else:
            call.output.remark(f"{one.name}: {one.reason} {word_of(one.next)}".rstrip())
    if not found:
        call.output.remark("No library of this computer is on a relay.")
    if any(one.report is None for one in found):
        raise typer.Exit(DONE_IN_PART)


def _stay(call: Invocation) -> None:
    """Open the library, whoever holds it now, and watch."""
    import asyncio

    from bifolio.errors import BusyLibraryError

    has_ended, is_told = False, False
    while not has_ended:
        try:
            with call.open_library() as opened:
                asyncio.run(_watch(opened, call.output))
                has_ended = True
        except BusyLibraryError as error:
            if has_ended:
                raise
            if not is_told:
                call.output.remark(f"{error.message} {_WAITS}")
            is_told = True


async def _watch(library: Library, output: Output) -> None:
    """Print each round until the task is cancelled, which is how this verb ends well."""
    import asyncio

    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows has no such handlers; there Ctrl-C ends the command as any other.
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, task.cancel)
    told = ""

    def tell(outage: Outage) -> None:
        nonlocal told
        if outage.message != told:  # once for each reason, not for each attempt
            # What nobody but the user can change is said with it.
            steps = "" if outage.next_step in _GENERAL else f" {word_of(outage.next_step)}"
            waits = _WAITS if outage.code == "busy-library" else _TRIES
            output.remark(f"{outage.message}{steps} {waits}")
        told = outage.message

    with suppress(asyncio.CancelledError):
        async for report in library.watch(tell):
            told = ""
            _print(output, report)


def _print(output: Output, report: SyncReport) -> None:
    if output.json:
        output.document(report)
        return
    conflicts = (
        f" {count(report.conflicts, 'conflict')}: see 'bifolio conflicts'."
        if report.conflicts
        else ""
    )
    files = ""
    if report.files_sent or report.files_received:
        sent, received = count(report.files_sent, "file"), count(report.files_received, "file")
        files = f" {sent} sent, {received} received."
    output.say(
        f"Sent {count(report.pushed, 'change')}, received {count(report.pulled, 'change')}.{files}"
        f"{conflicts} State {report.state[:16]}."
    )
    if report.moved_to:
        output.say(moved_line(report.moved_to))
    if report.kept_back:
        output.remark(kept_back_line(report.kept_back))


def moved_line(url: str) -> str:
    """That this computer followed the library to another relay."""
    return f"An owner moved the library to {url}, and this computer followed."


def kept_back_line(changes: int) -> str:
    """That edits wait for an owner, because this computer may only read the library."""
    verb = "is" if changes == 1 else "are"
    return (
        f"{count(changes, 'change')} of this computer {verb} not sent, because it may only read "
        f"the library now. {word_of(NextStep(Next.EXPORT_DRAFT_OR_ASK))}"
    )

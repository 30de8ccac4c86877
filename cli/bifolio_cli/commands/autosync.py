"""``bifolio autosync``: attached libraries in sync from a background process."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from bifolio_cli.invocation import Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.json_documents import AutosyncReport, AutosyncRun
from bifolio_cli.text.status_text import autosync_lines

autosync = typer.Typer(
    help="Keep attached libraries in sync from a background process.", rich_markup_mode=None
)


@autosync.command()
def on(
    context: typer.Context,
    process: Annotated[
        bool,
        typer.Option(
            "--process", help="Run a plain process instead of a service of systemd or launchd."
        ),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Keep the library in sync from now on: edits go out, and others' come in, as they are made.

    One process serves every library that is on. It is started at login by the user's systemd or
    launchd where there is one.
    """
    from bifolio.autosync import control
    from bifolio_cli.service.selection import choose_service, find_installed

    call = invocation(context, library=library, json=json)
    service = choose_service(call.environment, plain=process)
    before = find_installed(call.environment)
    if before is not None and before.kind != service.kind:
        before.remove()
    control.turn_on(call.environment.device_home(), call.library_path, service.start)
    _report(call)


@autosync.command()
def off(
    context: typer.Context,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Turn it off for every library, not only the selected one."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Stop keeping the library in sync; with the last library the process ends."""
    from bifolio.autosync import control
    from bifolio_cli.service.selection import list_services

    call = invocation(context, library=library, json=json)
    home = call.environment.device_home()
    on_now = [one.path for one in control.status(home).libraries]
    named = on_now if everything else [call.library_path]
    for path in named:
        if not control.turn_off(home, path):
            call.output.remark(f"Automatic sync was not on for {path}.")
    if not control.status(home).libraries:
        for kind in list_services(call.environment):
            kind.remove()
        if not control.await_end(home):
            call.output.remark("The process finishes what it is doing, then it ends.")
    _report(call)


@autosync.command()
def status(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show each library that is on: since when it is connected, or why not and what to do."""
    _report(invocation(context, library=library, json=json))


@autosync.command()
def run(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Run the process itself until Ctrl-C. Services run this; it ends if one runs already."""
    from bifolio.autosync.watch import run as run_process

    call = invocation(context, library=library, json=json)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    ran = run_process(call.environment.device_home(), stopping)
    if call.output.json:
        call.output.document(AutosyncRun(ran))
    elif not ran:
        call.output.say("Automatic sync runs already in another process.")


def _report(call: Invocation) -> None:
    from bifolio.autosync import control
    from bifolio_cli.service.selection import find_installed

    service = find_installed(call.environment)
    found = control.status(call.environment.device_home())
    kind = service.kind if service is not None else "process" if found.running else None
    report = AutosyncReport(
        running=found.running,
        pid=found.pid,
        since=found.since,
        restarts=found.restarts,
        ended_by=found.ended_by,
        log=found.log,
        libraries=found.libraries,
        service=kind,
        starts_at_login=service is not None and service.starts_at_login,
    )
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say(*autosync_lines(report))

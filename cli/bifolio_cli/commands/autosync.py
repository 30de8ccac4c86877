"""``bifolio autosync``: attached libraries in sync from a background process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from bifolio_cli.invocation import Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.rendering import count

autosync = typer.Typer(
    help="Keep attached libraries in sync from a background process.", rich_markup_mode=None
)


@autosync.command()
def on(
    context: typer.Context,
    process: Annotated[
        bool,
        typer.Option(
            "--process", help="A plain process, though the system has a manager of services."
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
    from bifolio_cli.service.choosing import chosen, installed

    call = invocation(context, library=library, json=json)
    service = chosen(call.environment, plain=process)
    before = installed(call.environment)
    if before is not None and before.kind != service.kind:
        before.remove()
    control.turn_on(call.environment.device_home(), call.library_path, service.start)
    _report(call)


@autosync.command()
def off(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Every library that is on, not the selected one.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Keep the library in sync no longer; with the last one the process ends."""
    from bifolio.autosync import control
    from bifolio_cli.service.choosing import kinds

    call = invocation(context, library=library, json=json)
    home = call.environment.device_home()
    on_now = [one.state.path for one in control.status(home).libraries]
    named = on_now if everything else [call.library_path]
    for path in named:
        if not control.turn_off(home, path):
            call.output.remark(f"Automatic sync was not on for {path}.")
    if not control.status(home).libraries:
        for kind in kinds(call.environment):
            kind.remove()
        if not control.await_end(home):
            call.output.remark("The process is still finishing what it does, and ends then.")
    _report(call)


@autosync.command()
def status(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show each library that is on: since when it is connected, or the reason and the next step."""
    _report(invocation(context, library=library, json=json))


@autosync.command()
def run(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Run the process itself until Ctrl-C: what a service runs. It ends where one runs already."""
    from bifolio.autosync.supervisor import run as run_process

    call = invocation(context, library=library, json=json)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    ran = run_process(call.environment.device_home(), stopping)
    if call.output.json:
        call.output.document({"ran": ran})
    elif not ran:
        call.output.say("It runs already in another process.")


def _report(call: Invocation) -> None:
    from bifolio.autosync import control
    from bifolio_cli.service.choosing import installed

    service = installed(call.environment)
    found = control.status(call.environment.device_home())
    kind = service.kind if service is not None else "process" if found.running else None
    report = found.to_json() | {
        "service": kind,
        "starts_at_login": service is not None and service.starts_at_login,
    }
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say("\n".join(status_lines(report)))


def status_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The status object in sentences."""
    if not report["libraries"]:
        yield "Automatic sync is off. 'bifolio autosync on' turns it on for a library."
        return
    if report["running"]:
        yield f"Automatic sync runs since {report['since']} (process {report['pid']})."
    else:
        yield "Automatic sync is on, and its process does not run: 'bifolio autosync on' starts it."
    if report["starts_at_login"]:
        how = "the desktop" if report["service"] == "process" else report["service"]
        yield f"It is started at login by {how}."
    else:
        yield "Nothing starts it at login: run 'bifolio autosync on' then."
    for library in report["libraries"]:
        yield from _library_lines(library)


def _library_lines(library: Mapping[str, Any]) -> Iterator[str]:
    last = f"last sync {library['last_sync']}" if library["last_sync"] else "not synced yet"
    link = library["link"]
    if link == "connected":
        how = f"connected since {library['connected_since']}, {last}"
    else:
        how = f"{link}, {last}"
    unsent = f", {count(library['unsent'], 'change')} not sent yet" if library["unsent"] else ""
    yield f"{library['name']} at {library['path']}: {how}{unsent}."
    if library["reason"]:
        yield f"  {library['reason']}"
        yield f"  {library['next']}"

"""``bifolio autosync``: attached libraries in sync from a background process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.json_documents import AutosyncReport, AutosyncRun
from bifolio_cli.text.status_text import autosync_lines

if TYPE_CHECKING:
    from bifolio.home import Home

_LOOK_S: Final = 1.0

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
    serve: Annotated[
        bool | None,
        typer.Option(
            "--serve/--no-serve",
            show_default=False,
            help="Serve the library to other programs too, as 'bifolio serve --zotero' does, so "
            "that it is there after login; or not any more.",
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", min=1, max=65535, help="The port; programs look at 23119."
        ),
    ] = 23119,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Keep the library in sync from now on: edits go out, and others' come in, as they are made.

    One process is there for every library that is on. It is started at login by the user's systemd
    or launchd where there is one.
    """
    from bifolio.autosync import control
    from bifolio_cli.service.selection import choose_service, find_installed

    call = invocation(context, library=library, json=json)
    if serve:
        _check_serving()
    service = choose_service(call.environment, plain=process)
    before = find_installed(call.environment)
    if before is not None and before.kind != service.kind:
        before.remove()
    home, path = call.environment.device_home(), call.library_path
    if serve is not None and not control.has_relay(home, path):
        _serve_alone(call, port if serve else None, service.start)
        _report(call)
        return
    control.turn_on(home, path, service.start)
    if serve:
        control.serve(home, path, port)
    elif serve is False and not control.stop_serving(home, path):
        call.output.remark(f"{path} was not served by automatic sync.")
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

    call = invocation(context, library=library, json=json)
    home = call.environment.device_home()
    status = control.status(home)
    on_now = [one.path for one in status.libraries]
    if status.serving is not None and status.serving.path not in on_now:
        on_now.append(status.serving.path)
    named = on_now if everything else [call.library_path]
    for path in named:
        if not control.turn_off(home, path):
            call.output.remark(f"Automatic sync was not on for {path}.")
    _end_if_unused(call)
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
    ran = run_process(call.environment.device_home(), stopping, _serve_beside)
    if call.output.json:
        call.output.document(AutosyncRun(ran))
    elif not ran:
        call.output.say("Automatic sync runs already in another process.")


def _serve_alone(call: Invocation, port: int | None, start: Callable[[], None]) -> None:
    """Serve a library that has no relay (``port`` None: not any more): there is nothing to sync."""
    from bifolio.autosync import control

    home, path = call.environment.device_home(), call.library_path
    if port is not None:
        control.serve_alone(home, path, port, start)
        call.output.remark(
            f"{path} has no relay, so it is served and not synced. After 'bifolio attach', run "
            "'bifolio autosync on'."
        )
        return
    if not control.stop_serving(home, path):
        call.output.remark(f"{path} was not served by automatic sync.")
    _end_if_unused(call)


def _end_if_unused(call: Invocation) -> None:
    """With the last library that is on or served the process ends, and starts at no login."""
    from bifolio.autosync import control
    from bifolio_cli.service.selection import list_services

    home = call.environment.device_home()
    left = control.status(home)
    if left.libraries or left.serving is not None:
        return
    for kind in list_services(call.environment):
        kind.remove()
    if not control.await_end(home):
        call.output.remark("The process finishes what it is doing, then it ends.")


def _check_serving() -> None:
    """What serving needs is an extra, which may not be installed."""
    if find_spec("uvicorn") is None or find_spec("starlette") is None:
        raise UsageError(
            "This Bifolio was installed without what serving needs.",
            next_step="Install it with: pip install 'bifolio[serve]'",
        )


def _serve_beside(home: Home, stopping: threading.Event, log: Callable[[str], None]) -> None:
    """Serve a library next to syncing; what that needs is loaded once one is to be served."""
    from bifolio.autosync.registry import Registry

    registry = Registry(home)
    while registry.served() is None:
        if stopping.wait(_LOOK_S):
            return
    from bifolio.serve.beside_sync import serve_beside

    serve_beside(home, stopping, log)


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
        serving=found.serving,
        service=kind,
        starts_at_login=service is not None and service.starts_at_login,
    )
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say(*autosync_lines(report))

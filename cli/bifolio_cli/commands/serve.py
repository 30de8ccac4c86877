"""``bifolio serve``: the library for other programs of this computer."""

from __future__ import annotations

import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio.results import ServingStatus
from bifolio_cli.environment import existing_library_path
from bifolio_cli.invocation import (
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.json_documents import ServedAt
from bifolio_cli.text.safe_text import escape_line

if TYPE_CHECKING:
    from bifolio.serve.permissions import Ask, Permissions

#: How long a program waits for its user's answer at the terminal.
_ANSWER_S = 60.0

serve = typer.Typer(
    help="Serve the library to other programs of this computer, as Zotero serves its own.\n\n"
    "Ctrl-C ends it. docs/serve.md has which programs, and how each one is set up.",
    rich_markup_mode=None,
)


@serve.callback(invoke_without_command=True)
def run_server(
    context: typer.Context,
    zotero: Annotated[
        bool,
        typer.Option("--zotero", help="Serve Zotero's local interface, so that its programs work."),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", min=0, max=65535, help="The port; programs look at 23119."
        ),
    ] = 23119,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="PATH",
            show_default=False,
            help="Another library, served as a group; those with automatic sync are served "
            "without being named.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Serve where no command under it was named."""
    if context.invoked_subcommand is not None:
        return
    call = invocation(context, library=library, json=json)
    if not zotero:
        raise UsageError(
            "It was not said what is to be served.",
            next_step="Run 'bifolio serve --zotero' for programs that know Zotero's interface.",
        )
    _run(call, port=port, others=[existing_library_path(one) for one in others or ()])


def _run(call: Invocation, *, port: int, others: list[Path]) -> None:
    with _extra():
        from bifolio.serve.server import Server
    from bifolio.autosync.registry import Registry

    home = call.environment.device_home()
    path = call.library_path
    known = [one for one in Registry(home).paths() if one != path and one.is_dir()]
    others = list(dict.fromkeys([*others, *known]))
    server = Server(path, home, port=port, others=others, ask=_asker(call))

    def tell(bound: int) -> None:
        address = f"http://127.0.0.1:{bound}/"
        if call.output.json:
            call.output.document(ServedAt(address, path))
        else:
            call.output.say(
                f"Programs of this computer find {path} at {address} as they find Zotero.",
                "They can read it, and change it if you allow that. Ctrl-C ends it.",
            )

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    server.run(tell)


def _asker(call: Invocation) -> Ask:
    """Asks at the terminal whether a program may write, where there is one."""
    from bifolio.serve.permissions import Consent

    answers = {"o": Consent.ONCE, "a": Consent.ALWAYS, "n": Consent.NO}
    asking = threading.Lock()

    def ask(name: str) -> Consent | None:
        if not (sys.stdin.isatty() and sys.platform != "win32"):
            return None  # who serves in the background runs `bifolio serve allow`
        with asking:
            call.output.remark(
                f"The program {escape_line(name)} wants to change the library. "
                "Allow it [o]nce, [a]lways or [n]ot?"
            )
            ready, _, _ = select.select([sys.stdin], [], [], _ANSWER_S)
            answer = sys.stdin.readline().strip().lower()[:1] if ready else "n"
            return answers.get(answer, Consent.NO)

    return ask


ProgramArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", callback=whole_argument, show_default=False, help="The program's name."
    ),
]


@serve.command()
def status(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Show whether a library is served now, and which programs may change it."""
    call = invocation(context, library=library, json=json)
    _report(call)


@serve.command()
def allow(
    context: typer.Context,
    name: ProgramArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Let a program change what is served, whenever it asks."""
    call = invocation(context, library=library, json=json)
    _permissions(call).allow(name)
    _report(call)


@serve.command()
def revoke(
    context: typer.Context,
    name: ProgramArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Let a program change nothing any more, at once."""
    call = invocation(context, library=library, json=json)
    if not _permissions(call).revoke(name):
        call.output.remark(f"The program {escape_line(name)} was not allowed to change anything.")
    _report(call)


def _permissions(call: Invocation) -> Permissions:
    with _extra():
        from bifolio.serve.permissions import Permissions

        return Permissions(call.environment.device_home())


def _report(call: Invocation) -> None:
    with _extra():
        from bifolio.serve.running import find_address
    programs = tuple(_permissions(call).programs())
    address = find_address(call.environment.device_home())
    report = ServingStatus(address, programs)
    if call.output.json:
        call.output.document(report)
        return
    where = f"A library is served at {address}." if address else "No library is served now."
    call.output.say(where)
    if not programs:
        call.output.say("No program may change what is served.")
    for one in programs:
        call.output.say(f"{escape_line(one.name)} may change what is served, since {one.since}.")


@contextmanager
def _extra() -> Iterator[None]:
    """What serving needs is an extra, which may not be installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            "This Bifolio was installed without what serving needs.",
            next_step="Install it with: pip install 'bifolio[serve]'",
        ) from error

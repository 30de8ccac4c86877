"""``bifolio serve``: the library for other programs of this computer."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.environment import existing_library_path
from bifolio_cli.invocation import Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.json_documents import ServedAt

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
    try:
        from bifolio.serve.server import Server
    except ModuleNotFoundError as error:
        raise UsageError(
            "This Bifolio was installed without what serving needs.",
            next_step="Install it with: pip install 'bifolio[serve]'",
        ) from error
    from bifolio.autosync.registry import Registry

    home = call.environment.device_home()
    path = call.library_path
    known = [one for one in Registry(home).paths() if one != path and one.is_dir()]
    server = Server(path, home, port=port, others=list(dict.fromkeys([*others, *known])))

    def tell(bound: int) -> None:
        address = f"http://127.0.0.1:{bound}/"
        if call.output.json:
            call.output.document(ServedAt(address, path))
        else:
            call.output.say(
                f"Programs of this computer find {path} at {address} as they find Zotero.",
                "They can read it. Ctrl-C ends it.",
            )

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    server.run(tell)

"""``bifolio mcp``: the library for assistants, by the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def mcp(
    context: typer.Context,
    write: Annotated[
        bool,
        typer.Option("--write", help="Let the assistant add and change references too."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Let an assistant read the library: it runs this, and speaks MCP on stdin and stdout.

    With --write each change is one command of the log, which 'bifolio undo' takes back.
    """
    call = invocation(context, library=library, json=json)
    try:
        from bifolio.serve.assistant import run
    except ModuleNotFoundError as error:
        raise UsageError(
            "This Bifolio was installed without what assistants need.",
            next_step="Install it with: pip install 'bifolio[mcp]'",
        ) from error
    run(call.library_path, call.environment.device_home(), may_write=write)

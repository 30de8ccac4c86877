"""``bifolio relay``: run a relay on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_relay.config import Config, default_data_folder, parse_size


def relay(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="The address to listen on.")
    ] = Config.host,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="The port; 0 picks a free one."
        ),
    ] = Config.port,
    folder: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Where the relay keeps what it stores."),
    ] = None,
    quota: Annotated[
        str,
        typer.Option(
            "--quota",
            metavar="SIZE",
            show_default=False,
            help="Most that the files of one library may take, as 500M or 20G (else 100G).",
        ),
    ] = "",
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Run a relay, which stores and passes on what it cannot read. Ctrl-C ends it."""
    from bifolio_relay.server import run, serve

    call = invocation(context, library=library, json=json)
    config = Config(
        host=host,
        port=port,
        data=folder or default_data_folder({"BIFOLIO_HOME": call.environment.home}),
        file_bytes_max=parse_size(quota) if quota else Config.file_bytes_max,
    )
    if not call.output.json:
        run(config)
        return
    import asyncio

    asyncio.run(serve(config, lambda url: call.output.document({"listening": url})))

"""``bifolio relay``: run a relay on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation
from bifolio_cli.json_documents import Listening
from bifolio_relay.config import DATA, HOST, PORT, QUOTA, SHARED, Config, make_config


def relay(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(HOST.flag, metavar=HOST.metavar, help=HOST.help)
    ] = Config.host,
    port: Annotated[
        int, typer.Option(PORT.flag, metavar=PORT.metavar, min=0, max=65535, help=PORT.help)
    ] = Config.port,
    folder: Annotated[
        Path | None, typer.Option(DATA.flag, metavar=DATA.metavar, help=DATA.help)
    ] = None,
    quota: Annotated[
        str,
        typer.Option(QUOTA.flag, metavar=QUOTA.metavar, show_default=False, help=QUOTA.help),
    ] = "",
    shared: Annotated[bool, typer.Option(SHARED.flag, help=SHARED.help)] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Run a relay, which stores changes and passes them on without being able to read them.

    Ctrl-C ends it.
    """
    from bifolio_relay.server import run, serve

    call = invocation(context, library=library, json=json)
    config = make_config(
        {"BIFOLIO_HOME": call.environment.home},
        host=host,
        port=port,
        data=folder,
        quota=quota,
        shared=shared,
    )
    if not call.output.json:
        run(config)
        return
    import asyncio

    asyncio.run(serve(config, lambda url: call.output.document(Listening(url))))

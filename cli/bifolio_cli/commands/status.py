"""``bifolio status``: what this replica holds and what it waits for."""

from __future__ import annotations

import typer

from bifolio_cli import actions
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def status(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Show what is here, what is not sent yet, and what needs attention, without connecting."""
    actions.status(invocation(context, library=library, json=json))

"""``bifolio demo``: the main job on one machine, told while it happens, and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def demo(
    context: typer.Context,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the two libraries and the relay's files.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Demonstrate two computers that share one library through a relay, in half a minute.

    The demo makes its own libraries in a temporary folder; yours are not touched. With --json the
    story goes to stderr.
    """
    from bifolio_cli.demo.narration import Narrator
    from bifolio_cli.demo.stage import build_stage
    from bifolio_cli.demo.story import tell

    call = invocation(context, library=library, json=json)
    try:
        with build_stage(Narrator(to_stderr=call.output.json), keep=keep) as stage:
            tell(stage, keep=keep)
            outcome = stage.outcome
            folder = stage.folder if keep else None
    except KeyboardInterrupt:
        call.output.remark("", "Stopped." if keep else "Stopped; nothing is left behind.")
        raise
    outcome.require()
    if call.output.json:
        call.output.document(outcome.report(folder))

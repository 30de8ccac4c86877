"""``bifolio bench``: what the merge of a library costs on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifolio_cli.invocation import JsonOption, LibraryOption, invocation


def bench(
    context: typer.Context,
    references: Annotated[
        int,
        typer.Option("--references", metavar="N", min=8, max=1_000_000, help="The library's size."),
    ] = 1000,
    edits: Annotated[
        int,
        typer.Option(
            "--edits", metavar="M", min=1, max=1_000_000, help="Offline edits on each computer."
        ),
    ] = 200,
    replicas: Annotated[
        int,
        typer.Option(
            "--replicas", metavar="R", min=2, max=16, help="How many computers share the library."
        ),
    ] = 2,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Also draw the figures to a file.")
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Measure what importing, sending, editing and merging a library costs on this computer.

    Computers that share one library are played in a temporary folder, with a relay of their own:
    they edit it offline and merge what the others wrote. References are made up; with -L those of
    a library of yours are copied, and nothing is written to it.
    """
    from bifolio.disk import write_whole
    from bifolio_cli.bench.picture import svg as draw
    from bifolio_cli.bench.run import Plan, run
    from bifolio_cli.bench.table import lines
    from bifolio_cli.progress import ProgressBars

    call = invocation(context, library=library, json=json)
    own = call.library_path if call.library else None
    with ProgressBars() as progress:
        report = run(Plan(references, edits, replicas, own), progress)
    if svg is not None:
        with write_whole(svg.resolve(), mode=None) as out:
            out.write(draw(report).encode())
    if call.output.json:
        call.output.document(report)
    else:
        call.output.say(*lines(report))

"""``bifolio duplicates``: references that are likely one work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import JsonOption, LibraryOption, invocation, whole_argument
from bifolio_cli.output import Output
from bifolio_cli.text.reference_text import count, summary_cells

if TYPE_CHECKING:
    from bifolio.results import DuplicateGroup


def duplicates(
    context: typer.Context,
    refs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REF",
            callback=whole_argument,
            show_default=False,
            help="Show only groups that hold one of these references.",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option("--min-score", metavar="S", help="The minimum score, 0-100 (default 80)."),
    ] = None,
    ignore: Annotated[
        bool,
        typer.Option("--ignore", help="Remember that the references named are different works."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show references that are likely one work, with a score of 0 to 100 and the reasons.

    'bifolio merge' merges them. What 'duplicates --ignore REF REF' says to be different works is
    not proposed again, on any computer.
    """
    call = invocation(context, library=library, json=json)
    if ignore and not refs:
        raise UsageError(
            "--ignore needs references.",
            next_step="Name two references: 'bifolio duplicates --ignore REF REF'.",
        )
    with call.open_library() as opened:
        if ignore:
            apart = opened.duplicates.set_apart(refs or [])
            if call.output.json:
                call.output.references(apart)
            else:
                keys = ", ".join(one.key for one in apart)
                call.output.say(
                    f"{keys} are different works and will not be proposed together again."
                )
            return
        chosen = {} if min_score is None else {"min_score": min_score}
        groups = opened.duplicates.list(refs=refs, **chosen)
    if call.output.json:
        call.output.documents(groups)
        return
    for group in groups:
        _tell(call.output, group)
    call.output.remark(count(len(groups), "group") + " of likely duplicates.")


def _tell(output: Output, group: DuplicateGroup) -> None:
    output.say(f"Score {group.score} of 100:")
    for reference in group.references:
        output.say("  " + "\t".join(summary_cells(reference.to_json())))
    for pair in group.pairs:
        output.say(f"    {' and '.join(pair.keys)}: {', '.join(pair.reasons)}")
    output.say("  bifolio merge " + " ".join(one.key for one in group.references))

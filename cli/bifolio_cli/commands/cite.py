"""``bifolio cite``: references as a citation style writes them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)


def cite(
    context: typer.Context,
    refs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REF",
            callback=whole_argument,
            show_default=False,
            help="Citation keys, or at least the first four characters of ids.",
        ),
    ] = None,
    style: Annotated[
        str,
        typer.Option(
            "--style", metavar="STYLE", help="The citation style: its name, or a .csl file."
        ),
    ] = "apa",
    html: Annotated[bool, typer.Option("--html", help="Write HTML instead of text.")] = False,
    locale: Annotated[
        str | None,
        typer.Option(
            "--locale",
            metavar="xx-XX",
            help="The language, such as de-DE (default: the style's own).",
        ),
    ] = None,
    styles: Annotated[
        str | None,
        typer.Option(
            "--styles", metavar="WORD", help="List the styles that have this word in their name."
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write references as a citation in the text and a bibliography."""
    call = invocation(context, library=library, json=json)
    if styles is not None:
        from bifolio.exports.citations import styles as named

        found = named(styles)
        if call.output.json:
            call.output.document(found)
        elif found:
            call.output.say(*found)
        else:
            call.output.remark(f"No style has '{styles}' in its name.")
        return
    if not refs:
        raise UsageError(
            "No reference was given.", next_step="Name one or more references to cite."
        )
    form: Literal["text", "html"] = "html" if html else "text"
    with call.read_library() as opened:
        cited = opened.cite(refs, style=style, form=form, locale=locale)
    if call.output.json:
        call.output.document(cited)
    else:
        call.output.say(cited.citation, *(line for one in cited.bibliography for line in ("", one)))
    for key in cited.failed:
        call.output.remark(f"The style cannot format {key}.")
    if cited.failed:
        raise typer.Exit(DONE_IN_PART)

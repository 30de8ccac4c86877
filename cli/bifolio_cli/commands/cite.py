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
            help="Citation keys, or at least four first characters of record ids.",
        ),
    ] = None,
    style: Annotated[
        str, typer.Option("--style", metavar="STYLE", help="A style's name, or a .csl file.")
    ] = "apa",
    html: Annotated[bool, typer.Option("--html", help="HTML instead of text.")] = False,
    locale: Annotated[
        str | None,
        typer.Option("--locale", metavar="xx-XX", help="The language; else the style's own."),
    ] = None,
    styles: Annotated[
        str | None,
        typer.Option("--styles", metavar="WORD", help="List the styles with a word in the name."),
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
            call.output.say("\n".join(found))
        else:
            call.output.remark(f"No style has '{styles}' in its name.")
        return
    if not refs:
        raise UsageError(
            "Nothing was said of what to cite.", next_step="Name one or more references."
        )
    form: Literal["text", "html"] = "html" if html else "text"
    with call.open_library() as opened:
        cited = opened.cite(refs, style=style, form=form, locale=locale)
    if call.output.json:
        call.output.document(cited.to_json())
    else:
        call.output.say("\n\n".join([cited.citation, *cited.bibliography]))
    for key in cited.failed:
        call.output.remark(f"The style cannot format {key}.")
    if cited.failed:
        raise typer.Exit(DONE_IN_PART)

"""``bifolio key``: how citation keys are made, pinned and told apart."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.rendering import count
from bifolio_cli.several import report_each, to_each_found

key = typer.Typer(help="Make, pin and tell apart citation keys.", rich_markup_mode=None)


@key.command()
def pattern(
    context: typer.Context,
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="PATTERN",
            callback=whole_argument,
            show_default=False,
            help="Such as '[auth:lower][year][title:lower]'; docs/keys.md has all words.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show the pattern by which keys are made, or set it for every computer.

    Keys that are there stay as they are; 'bifolio key make' makes them anew.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.keys.pattern if new is None else opened.keys.set_pattern(new)
    if call.output.json:
        call.output.document({"pattern": found})
    else:
        call.output.say(found)


@key.command()
def make(
    context: typer.Context,
    refs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REF", callback=whole_argument, show_default=False, help="The references."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All references.")] = False,
    imported: Annotated[
        bool, typer.Option("--imported", help="With --all: keys that came with a file too.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make keys anew by the pattern. The old ones still find their references.

    Pinned keys stay, and with --all those that came with a file.
    """
    if bool(refs) == everything:
        raise UsageError(
            "Nothing was said of whose keys to make.", next_step="Name references, or give --all."
        )
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        report = opened.keys.make(refs or None, imported=imported)
    if call.output.json:
        call.output.document(report.to_json())
        return
    for one in report.changed:
        call.output.say(f"{one.old} is now {one.key}")
    for kept in report.kept if refs else ():
        call.output.say(f"{kept.key} stays: {kept.reason}.")
    changed = count(len(report.changed), "citation key")
    call.output.say(f"{changed} made anew, {len(report.kept):,} kept.")


@key.command()
def pin(
    context: typer.Context,
    refs: ReferencesArgument,
    chosen: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="KEY", callback=whole_argument, help="Give one reference this key."
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Pin citation keys: 'key make' leaves them as they are."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(lambda found: opened.keys.pin(found, key=chosen), refs)
    report_each(call.output, outcome, "is pinned.")


@key.command()
def unpin(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Let pinned keys be made anew again."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = to_each_found(opened.keys.unpin, refs)
    report_each(call.output, outcome, "is not pinned any more.")


@key.command()
def shared(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List keys that several references have: who keeps each, and how the others are shown."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.keys.shared()
    if call.output.json:
        call.output.documents(one.to_json() for one in found)
        return
    for one in found:
        call.output.say(f"{one.key}\tthe others are shown as {', '.join(one.others)}")

"""``bifolio key``: how citation keys are made, pinned and told apart."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio.results import KeptBecause, KeyPattern
from bifolio_cli.batch import apply_to_each, report_each
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferencesArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.text.reference_text import count

key = typer.Typer(help="Generate, pin and list citation keys.", rich_markup_mode=None)


_REASONS = {
    KeptBecause.PINNED: "it is pinned",
    KeptBecause.IMPORTED: "it came with a file",
    KeptBecause.SAME: "the pattern gives the same key",
}


@key.command()
def pattern(
    context: typer.Context,
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="PATTERN",
            callback=whole_argument,
            show_default=False,
            help="The new pattern, such as '[auth:lower][year][title:lower]'; docs/keys.md has all "
            "its words. Without it the present one is shown.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show the pattern by which citation keys are generated, or set it for every computer.

    Existing keys stay as they are; 'bifolio key make' generates them again.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.keys.pattern if new is None else opened.keys.set_pattern(new)
    if call.output.json:
        call.output.document(KeyPattern(found))
    else:
        call.output.say(found)


@key.command()
def make(
    context: typer.Context,
    refs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REF",
            callback=whole_argument,
            show_default=False,
            help="The references that get new keys.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Generate the keys of all references.")
    ] = False,
    imported: Annotated[
        bool,
        typer.Option(
            "--imported", help="With --all: also the keys that came with an imported file."
        ),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Generate citation keys again by the pattern. The old keys still find their references.

    Pinned keys stay as they are, and with --all also those that came with an imported file.
    """
    if bool(refs) == everything:
        raise UsageError(
            "Give either references or --all.",
            next_step="Name the references that get new keys, or give --all.",
        )
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        report = opened.keys.make(refs or None, imported=imported)
    if call.output.json:
        call.output.document(report)
        return
    for one in report.changed:
        call.output.say(f"{one.old} is now {one.key}")
    for kept in report.kept if refs else ():
        call.output.say(f"{kept.key} stays: {_REASONS[kept.reason]}.")
    changed = count(len(report.changed), "citation key")
    call.output.say(f"{changed} generated again, {len(report.kept):,} kept.")


@key.command()
def pin(
    context: typer.Context,
    refs: ReferencesArgument,
    chosen: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="KEY",
            callback=whole_argument,
            help="Give the reference this key, and pin it.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Pin citation keys, so that 'key make' does not change them."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = apply_to_each(lambda found: opened.keys.pin(found, key=chosen), refs)
    report_each(call.output, outcome, "is pinned.")


@key.command()
def unpin(
    context: typer.Context,
    refs: ReferencesArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Unpin citation keys, so that 'key make' changes them again."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        outcome = apply_to_each(opened.keys.unpin, refs)
    report_each(call.output, outcome, "is no longer pinned.")


@key.command()
def shared(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List citation keys that several references have, and how each reference is shown."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.keys.shared()
    if call.output.json:
        call.output.documents(found)
        return
    for one in found:
        call.output.say(f"{one.key}\tthe others are shown as {', '.join(one.others)}")

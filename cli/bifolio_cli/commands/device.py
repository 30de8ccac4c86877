"""``bifolio device``: this computer's key and name, and new keys."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    COULD_NOT,
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.next_steps import word_of

device = typer.Typer(
    help="Show this computer's key and name, or take new ones.", rich_markup_mode=None
)


@device.command()
def show(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Show what this computer is called, its key's fingerprint, and the libraries that know it."""
    from bifolio.library import own_device

    call = invocation(context, library=library, json=json)
    found = own_device.show(call.environment.device_home())
    if call.output.json:
        call.output.document(found)
        return
    call.output.say(
        f"This computer calls itself '{found.name}'.",
        f"Its key has the fingerprint {found.fingerprint}.",
        f"It is kept in the system's keyring, named in {found.path}."
        if found.kept_in == "keyring"
        else f"It is kept in {found.path}.",
    )
    if found.is_rotating:
        call.output.say("New keys are not known to every library yet: 'bifolio device rotate'.")
    for one in found.libraries:
        since = f" since {one.since}" if one.since else ""
        role = f"{one.role}{since}" if one.role else "no member"
        call.output.line(f"{one.name} at {one.path}: {role}.")


@device.command()
def rename(
    context: typer.Context,
    new: Annotated[
        str,
        typer.Argument(
            metavar="NAME", callback=whole_argument, show_default=False, help="The new name."
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Say what this computer is called in the library: 'bifolio member rename' of oneself."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.members.rename_own(new)
    if call.output.json:
        call.output.document(done)
    else:
        call.output.say(f"This computer is called '{done.name}' in this library now.")


@device.command()
def rotate(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take new keys for this computer, in all of its libraries; of the old ones nothing is left.

    For a key that somebody else may have seen: in a backup of the home folder, or on a disk that
    was copied. Every member sees this computer go on under its name. A library whose relay does not
    answer goes on under the old keys until this command is run again.
    """
    from bifolio.library import own_device

    call = invocation(context, library=library, json=json)
    if not yes and not _confirmed():
        call.output.remark("Nothing was changed.")
        raise typer.Exit(COULD_NOT)
    with ProgressBars() as progress:
        done = own_device.rotate(call.environment.device_home(), progress)
    if call.output.json:
        call.output.document(done)
    else:
        for one in done.libraries:
            if one.reason is not None:
                call.output.remark(f"{one.name}: {one.reason} {word_of(one.next)}".rstrip())
            elif one.is_done:
                call.output.say(f"{one.name}: it knows the new key.")
        if done.is_done:
            call.output.say(f"This computer's key has the fingerprint {done.fingerprint} now.")
        else:
            call.output.remark(
                "The old key is kept for the libraries above. Run 'bifolio device rotate' again "
                "to go on."
            )
    if not done.is_done:
        raise typer.Exit(DONE_IN_PART)


def _confirmed() -> bool:
    """Ask whoever is at the keyboard.

    Raises:
        UsageError: nobody is.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "New keys take the place of the old ones for good, and this is not a terminal on "
            "which it could be confirmed. Nothing was changed.",
            next_step="Run 'bifolio device rotate --yes'.",
        )
    return typer.confirm("Take new keys for this computer in all of its libraries?", err=True)

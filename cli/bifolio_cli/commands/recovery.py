"""``bifolio recovery``: a code on paper against the loss of all computers."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio.results import RecoveredLibrary
from bifolio_cli.invocation import (
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.reference_text import count
from bifolio_cli.ticket_input import relay_url

recovery = typer.Typer(
    help="A code with which a new computer becomes an owner when all others are lost.",
    rich_markup_mode=None,
)

#: More than any code, with everything that somebody puts between its letters.
_CODE_CHARACTERS_MAX = 1000


@recovery.command()
def create(
    context: typer.Context,
    qr: Annotated[bool, typer.Option("--qr", help="Show the code as a QR code too.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make a recovery code, and print it this once: it is stored nowhere.

    With it and the relay's address, or with a backup, a new computer becomes an owner of the
    library with all its content. The codes that were made before are good no more.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        made = opened.members.create_recovery()
        relay = opened.status().relay
    if call.output.json:
        call.output.document(made)
        return
    by = f"the relay's address ({relay.url})" if relay else "a backup of the library"
    call.output.remark(
        "Write this code down, or print it, and keep it where a thief or a fire that takes your "
        "computers does not find it. It is shown this once.",
        f"With it and {by}, 'bifolio recovery use' makes a new computer an owner.",
    )
    if qr:
        from bifolio_cli.text.qr import qr_text

        sys.stderr.write(qr_text(made.code))
    call.output.line(made.code)


@recovery.command()
def use(
    context: typer.Context,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            callback=whole_argument,
            show_default=False,
            help="The path of the new replica to make. Without it the selected library is meant: "
            "a restored backup, or one that is made where there is none.",
        ),
    ] = None,
    relay: Annotated[
        str | None,
        typer.Option(
            "--relay",
            metavar="RELAY_URL",
            callback=whole_argument,
            show_default=False,
            help="The address of a relay that holds the library. A restored backup knows its own.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Become an owner with a recovery code, which is asked for, or read from stdin.

    For the day on which every owner's computer is lost. Remove the lost ones afterwards: 'bifolio
    member remove'.
    """
    call = invocation(context, library=library, json=json)
    url = _relay_url(relay)
    code = _read_code()
    done = _recover(call, code, path, url)
    if call.output.json:
        call.output.document(done)
        return
    call.output.say(
        f"This computer owns the library now: {count(done.references, 'reference')} at {done.path}."
    )
    if done.adopted:
        changes = count(done.adopted, "change")
        call.output.say(f"{changes} that a lost computer had not sent are this one's now.")
    if not done.by_relay:
        call.output.say("No relay was asked. 'bifolio attach RELAY_URL' brings the library to one.")
    call.output.say("Remove the lost computers with 'bifolio member remove', then make a new code.")


def _recover(call: Invocation, code: str, path: str | None, url: str | None) -> RecoveredLibrary:
    from bifolio import Library

    environment = call.environment
    if path is None and call.library_path.exists():
        with call.open_library() as opened, ProgressBars() as progress:
            return opened.recover(code, relay=url, progress=progress)
    if url is None:
        raise UsageError(
            "There is no library here yet, and no relay was named.",
            next_step="Name the relay with --relay RELAY_URL, or restore a backup first ('bifolio "
            "backup restore FILE PATH') and name it with -L PATH.",
        )
    place = environment.new_library_path(path or call.library)
    with (
        ProgressBars() as progress,
        Library.recover_new(
            code, url, place, home=environment.device_home(), progress=progress
        ) as made,
    ):
        call.remark_notice(made)
        references = made.status().references
        return RecoveredLibrary(made.id, made.path, references, by_relay=True, adopted=0)


def _relay_url(text: str | None) -> str | None:
    if text is None:
        return None
    if (url := relay_url(text)) is not None:
        return url
    raise UsageError(
        "What was given with --relay is not the address of a relay.",
        next_step="An address looks like ws://relay.example:8787 or wss://relay.example.",
    )


def _read_code() -> str:
    """The code, asked for at a terminal, which does not show it, or read from stdin."""
    if sys.stdin.isatty():
        return str(typer.prompt("Recovery code", hide_input=True, err=True))
    return sys.stdin.read(_CODE_CHARACTERS_MAX)

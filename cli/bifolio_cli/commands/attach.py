"""``bifolio attach``: a library to a relay, a computer to a library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import NotALibraryError, UsageError
from bifolio.results import Policy
from bifolio_cli.assignments import whole_text
from bifolio_cli.invocation import Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.progress import ProgressBars
from bifolio_cli.rendering import count

if TYPE_CHECKING:
    from bifolio.results import Attached, Joined

_TICKET_PREFIX = "bifolio:"
_RELAY_URL = re.compile(r"(?:ws|http)(s?)://(\S+)", re.IGNORECASE)


def attach(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="RELAY_URL|TICKET",
            show_default=False,
            help="On the first computer the relay's address (ws://HOST:PORT), on every other one "
            "a ticket (bifolio:...).",
        ),
    ],
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="With a ticket: where to make a new replica. Without it, the selected library "
            "joins the ticket's.",
        ),
    ] = None,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not back the library up before.")
    ] = False,
    files: Annotated[
        Policy | None,
        typer.Option(
            "--files",
            metavar="all|on-demand|none",
            show_default=False,
            help="Which files this replica fetches by itself: all (as it does if not told), those "
            "that are opened, or none. 'bifolio file policy' changes it.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Attach the library to a relay, or this computer to another one's library."""
    call = invocation(context, library=library, json=json)
    whole_text(target, field="argument")
    target = target.strip()
    if target.startswith(_TICKET_PREFIX):
        if path is not None:
            _new_replica(call, target, path, files or Policy.ALL)
        else:
            _join(call, target, backup=not no_backup, files=files)
        return
    url = relay_url(target)
    if path is not None:
        raise UsageError(
            "A PATH goes with a ticket; the address of a relay is for a library that is there.",
            next_step=f"Name that library with -L: bifolio -L {path} attach {target}",
        )
    _to_relay(call, url, backup=not no_backup, files=files)


def relay_url(text: str) -> str:
    """The relay's websocket address; http(s):// is what a browser calls the same place.

    Raises:
        UsageError: this is neither a relay's address nor a ticket.
    """
    found = _RELAY_URL.fullmatch(text)
    if found is None:
        raise UsageError(
            f"'{text}' is neither the address of a relay nor a ticket.",
            next_step="An address looks like ws://relay.example:8787 or wss://relay.example, a "
            "ticket begins with 'bifolio:' and is printed by 'bifolio invite'.",
        )
    secure, rest = found.groups()
    return f"ws{secure.lower()}://{rest}"


def _to_relay(call: Invocation, url: str, *, backup: bool, files: Policy | None) -> None:
    with call.open_library() as opened, ProgressBars() as progress:
        if files is not None:
            opened.files.policy = files
        attached: Attached = opened.attach(url, backup=backup, progress=progress)
    if call.output.json:
        call.output.document(attached.to_json())
        return
    call.output.say(f"On the relay: {count(attached.references, 'reference')} of {attached.path}.")
    if attached.backup:
        call.output.say(f"A backup from before is at {attached.backup}.")
    call.output.say("On another computer run: bifolio attach TICKET PATH   with this ticket:")
    call.output.say(attached.ticket)


def _new_replica(call: Invocation, ticket: str, path: str, files: Policy) -> None:
    from bifolio import Library

    environment = call.environment
    place = environment.new_library_path(path)
    with (
        ProgressBars() as progress,
        Library.attach_new(
            ticket, place, home=environment.device_home(), files=files, progress=progress
        ) as made,
    ):
        call.remark_notice(made)
        references = made.status().references
        if call.output.json:
            outcome = {"library": made.id, "path": str(made.path), "references": references}
            call.output.document(outcome)
            return
        call.output.say(f"'{made.name}' is at {made.path}: {count(references, 'reference')}.")


def _join(call: Invocation, ticket: str, *, backup: bool, files: Policy | None) -> None:
    try:
        with call.open_library() as opened, ProgressBars() as progress:
            if files is not None:
                opened.files.policy = files
            joined: Joined = opened.join(ticket, backup=backup, progress=progress)
    except NotALibraryError as error:
        error.next_step = "For a new replica name where to make it: bifolio attach TICKET PATH"
        raise
    if call.output.json:
        call.output.document(joined.to_json())
        return
    call.output.say(f"{joined.path} is attached: {count(joined.references, 'reference')}.")
    if joined.backup:
        call.output.say(f"A backup from before is at {joined.backup}.")
    if joined.left_out:
        call.output.say(
            f"{count(joined.left_out, 'reference')} of the trash stay in the backup only."
        )

"""``bifolio attach``: a library to a relay, a computer to a library."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import Next, NotALibraryError, UsageError, next_step
from bifolio.results import JoinResult, Policy
from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.invocation import Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import AttachResult

_TICKET_PREFIX = "bifolio:"
_GIVE_BACK = "The other computers learn of this one by its first bundle: bifolio bundle export FILE"
_RELAY_URL = re.compile(r"(?:ws|http)(s?)://(\S+)", re.IGNORECASE)


BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE",
        show_default=False,
        help="With a ticket: fill the replica from this bundle; no relay is asked.",
    ),
]


def attach(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="RELAY_URL|TICKET",
            show_default=False,
            help="On the first computer the relay's address (ws://HOST:PORT), on every other "
            "computer a ticket (bifolio:...).",
        ),
    ],
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="With a ticket: the path of the new replica to make. Without PATH the selected "
            "library joins the ticket's library.",
        ),
    ] = None,
    token: Annotated[
        str,
        typer.Option(
            "--token",
            metavar="TOKEN",
            show_default=False,
            help="With a relay's address: the token of a relay that takes new libraries only with "
            "one (default: BIFOLIO_RELAY_TOKEN, which other users of this computer cannot see).",
        ),
    ] = "",
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not make a backup of the library first.")
    ] = False,
    files: Annotated[
        Policy | None,
        typer.Option(
            "--files",
            metavar="all|on-demand|none",
            show_default=False,
            help="Which attached files this replica fetches by itself: all of them (the default), "
            "those that are opened (on-demand), or none. 'bifolio file policy' changes it later.",
        ),
    ] = None,
    bundle: BundleOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Attach the library to a relay, or this computer to a library of another computer."""
    call = invocation(context, library=library, json=json)
    whole_text(target, field="argument")
    target = target.strip()
    if target.startswith(_TICKET_PREFIX):
        _refuse_token(token)
        bundle = bundle.expanduser().absolute() if bundle is not None else None
        if path is not None:
            _new_replica(call, target, path, files or Policy.ALL, bundle)
        else:
            _join(call, target, backup=not no_backup, files=files, bundle=bundle)
        return
    url = relay_url(target)
    _refuse_what_is_for_a_ticket(target, path, bundle)
    token = token or call.environment.relay_token
    _to_relay(call, url, token=token, backup=not no_backup, files=files)


def _refuse_token(token: str) -> None:
    """A ticket says all that is needed."""
    if token:
        raise UsageError(
            "--token is for a relay's address; a ticket needs none.",
            next_step="Leave --token out.",
        )


def _refuse_what_is_for_a_ticket(target: str, path: str | None, bundle: Path | None) -> None:
    """A relay's address is for a library that exists already."""
    if bundle is not None:
        raise UsageError(
            "--bundle is for a ticket; a relay's address needs none.",
            next_step="Leave --bundle out.",
        )
    if path is not None:
        raise UsageError(
            "PATH is for a ticket; a relay's address is for a library that exists already.",
            next_step="Name that library with -L: bifolio -L "
            f"{quote(str(path))} attach {quote(str(target))}",
        )


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


def _to_relay(
    call: Invocation, url: str, *, token: str, backup: bool, files: Policy | None
) -> None:
    with call.open_library() as opened, ProgressBars() as progress:
        if files is not None:
            opened.files.policy = files
        attached: AttachResult = opened.attach(url, token=token, backup=backup, progress=progress)
    if call.output.json:
        call.output.document(attached)
        return
    references = count(attached.references, "reference")
    call.output.say(f"The library {attached.path} is on the relay: {references}.")
    if attached.backup:
        call.output.say(f"A backup of it was made first: {attached.backup}")
    if not attached.ticket:
        call.output.say("To attach another computer, run 'bifolio invite' on an owner's computer.")
        return
    call.output.say(
        "To attach another computer, run 'bifolio attach TICKET PATH' there, with this ticket:"
    )
    call.output.say(attached.ticket)


def _new_replica(
    call: Invocation, ticket: str, path: str, files: Policy, bundle: Path | None
) -> None:
    from bifolio import Library

    environment = call.environment
    place = environment.new_library_path(path)
    with (
        ProgressBars() as progress,
        Library.attach_new(
            ticket,
            place,
            home=environment.device_home(),
            files=files,
            bundle=bundle,
            progress=progress,
        ) as made,
    ):
        call.remark_notice(made)
        references = made.status().references
        if call.output.json:
            call.output.document(JoinResult(made.id, made.path, None, references))
            return
        call.output.say(f"'{made.name}' is at {made.path}: {count(references, 'reference')}.")
        if bundle is not None:
            call.output.say(_GIVE_BACK)


def _join(
    call: Invocation, ticket: str, *, backup: bool, files: Policy | None, bundle: Path | None
) -> None:
    try:
        with call.open_library() as opened, ProgressBars() as progress:
            if files is not None:
                opened.files.policy = files
            joined: JoinResult = opened.join(
                ticket, backup=backup, bundle=bundle, progress=progress
            )
    except NotALibraryError as error:
        error.next_step = next_step(
            Next.ADVICE, text="Give the path of the new replica too: bifolio attach TICKET PATH"
        )
        raise
    if call.output.json:
        call.output.document(joined)
        return
    call.output.say(f"{joined.path} is attached: {count(joined.references, 'reference')}.")
    if joined.backup:
        call.output.say(f"A backup of it was made first: {joined.backup}")
    if joined.left_out:
        left_out = count(joined.left_out, "reference")
        call.output.say(f"{left_out} in the trash did not come along; the backup has all of it.")
    if bundle is not None:
        call.output.say(_GIVE_BACK)

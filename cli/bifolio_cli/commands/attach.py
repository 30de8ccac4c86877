"""``bifolio attach``: a library to a relay, a computer to a library."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from bifolio.errors import LockedTicketError, UsageError
from bifolio.results import JoinResult, Policy
from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.invocation import (
    COULD_NOT,
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
)
from bifolio_cli.join_choice import Choice, choose
from bifolio_cli.passphrase_input import read_passphrase
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.reference_text import count
from bifolio_cli.ticket_input import PastedTicket, RelayAddress, read_target

if TYPE_CHECKING:
    from bifolio.results import AttachResult, KnownRelay

_GIVE_BACK = "The other computers learn of this one by its first bundle: bifolio bundle export FILE"


LOCAL_TICKET = (
    "The ticket's relay has an address of this computer alone (127.0.0.1 or localhost), so no "
    "other computer finds it: attach with the address by which others reach the relay."
)

TokenOption = Annotated[
    str,
    typer.Option(
        "--token",
        metavar="TOKEN",
        show_default=False,
        help="With a relay's address: the token of a relay that takes new libraries only with one "
        "(default: BIFOLIO_RELAY_TOKEN, which other users of this computer cannot see).",
    ),
]
FilesOption = Annotated[
    Policy | None,
    typer.Option(
        "--files",
        metavar="all|on-demand|none",
        show_default=False,
        help="Which attached files this replica fetches by itself: all of them (the default), "
        "those that are opened (on-demand), or none. 'bifolio file policy' changes it later.",
    ),
]
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
        str | None,
        typer.Argument(
            metavar="[RELAY_URL|TICKET|FILE|-]",
            show_default=False,
            help="On the first computer the relay's address (ws://HOST:PORT), on every other one a "
            "ticket (bifolio:...), a file such as a saved mail with it, or - to read it from "
            "stdin. Without it the ticket is asked for.",
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="With a ticket: the path of the new replica to make. Without PATH the selected "
            "library is meant, which is made where there is none.",
        ),
    ] = None,
    join: Annotated[
        bool,
        typer.Option(
            "--join",
            help="With a ticket: what the selected library holds becomes a part of the ticket's, "
            "and is shared with its members.",
        ),
    ] = False,
    separate: Annotated[
        bool,
        typer.Option(
            "--separate",
            help="With a ticket: make a new replica, next to the default library, where one is "
            "selected already.",
        ),
    ] = False,
    token: TokenOption = "",
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not make a backup of the library first.")
    ] = False,
    files: FilesOption = None,
    bundle: BundleOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Attach the library to a relay, or this computer to a library of another computer."""
    call = invocation(context, library=library, json=json)
    if target is not None:
        whole_text(target, field="argument")
    match read_target(target):
        case RelayAddress(url):
            _refuse_what_is_for_a_ticket(target or "", path, bundle, is_chosen=join or separate)
            token = token or call.environment.relay_token
            _to_relay(call, url, token=token, backup=not no_backup, files=files)
        case PastedTicket(text):
            _refuse_token(token)
            if join and separate:
                raise UsageError(
                    "--join and --separate exclude each other.", next_step="Give one of them."
                )
            ticket = _find_ticket(call, text)
            bundle = bundle.expanduser().absolute() if bundle is not None else None
            wanted = _Wanted(ticket, files, bundle, not no_backup, join, separate)
            _with_ticket(call, wanted, path)


def _find_ticket(call: Invocation, text: str) -> str:
    """The ticket in what was pasted, opened with its passphrase if it has one."""
    from bifolio.library import tickets

    try:
        ticket = tickets.find(text)
    except LockedTicketError:
        ticket = tickets.find(text, passphrase=read_passphrase(is_new=False))
    if ticket.relay and tickets.is_local_address(ticket.relay):
        call.output.remark(LOCAL_TICKET)
    return ticket.ticket


class _Wanted(Struct, frozen=True):
    """A ticket, and what was said about its use."""

    ticket: str
    files: Policy | None
    bundle: Path | None
    backup: bool
    join: bool
    separate: bool


def _with_ticket(call: Invocation, wanted: _Wanted, path: str | None) -> None:
    """Use a ticket for a new replica, or for the selected library after its user chose so."""
    if path is not None:
        _new_replica(call, wanted, call.environment.new_library_path(path))
        return
    selected = call.library_path
    if not selected.exists():
        _new_replica(call, wanted, call.environment.new_library_path(call.library))
        return
    from bifolio import Library

    # What the library has to remark is said by what follows.
    home = call.environment.device_home()
    with Library.open(selected, home=home, reading=True) as opened:
        preview = opened.preview(wanted.ticket, asks_relay=wanted.bundle is None)
        choice = choose(
            call.output, preview, opened.name, join=wanted.join, separate=wanted.separate
        )
    match choice:
        case Choice.JOIN:
            _join(call, wanted)
        case Choice.SEPARATE:
            _say_others(call, preview.library)
            named = preview.name or f"Library {preview.library[:8]}"
            _new_replica(call, wanted, call.environment.free_library_path(named))
        case Choice.STOP:
            call.output.remark("Nothing was changed.")
            raise typer.Exit(COULD_NOT)


def _say_others(call: Invocation, library_id: str) -> None:
    """That this computer has a replica of the ticket's library already, before it makes another."""
    from bifolio.library.all_libraries import list_libraries

    for one in list_libraries(call.environment.device_home()):
        if one.library_id == library_id:
            call.output.remark(
                f"This computer has that library already: '{one.name}' at {one.path}. This makes "
                "another replica of it."
            )


def _refuse_token(token: str) -> None:
    """A ticket says all that is needed."""
    if token:
        raise UsageError(
            "--token is for a relay's address; a ticket needs none.",
            next_step="Leave --token out.",
        )


def _refuse_what_is_for_a_ticket(
    target: str, path: str | None, bundle: Path | None, *, is_chosen: bool
) -> None:
    """A relay's address is for a library that exists already."""
    if is_chosen:
        raise UsageError(
            "--join and --separate are for a ticket; a relay's address needs none.",
            next_step="Leave them out.",
        )
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


def _to_relay(
    call: Invocation, url: str, *, token: str, backup: bool, files: Policy | None
) -> None:
    with call.open_library() as opened, ProgressBars() as progress:
        from bifolio.library import tickets

        local = tickets.is_local_address(url)
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
    if attached.moved_from:
        call.output.say(_moved_line(attached, local=local))
    if attached.known is not None:
        call.output.say(_known_line(attached.known, attached))
    if not attached.ticket:
        call.output.say("To attach another computer, run 'bifolio invite' on an owner's computer.")
        return
    call.output.say(
        "To attach another computer, run 'bifolio attach' there with this ticket, which is good "
        "for one computer and seven days:"
    )
    if local:
        call.output.remark(LOCAL_TICKET)
    call.output.say(attached.ticket)


def _known_line(known: KnownRelay, attached: AttachResult) -> str:
    """Where the other computers are, after a detached one came to another relay."""
    where = f"{known.by} had said that the library is on {known.url}"
    if attached.is_said and attached.is_told:
        return f"{where}: the other computers follow here by themselves at their next sync."
    if attached.is_said:
        return (
            f"{where}: the other computers follow here as soon as they hear of it, by the next "
            "ticket or bundle that they get."
        )
    return f"{where}: the other computers are there. 'bifolio attach {known.url}' follows them."


def _moved_line(attached: AttachResult, *, local: bool) -> str:
    """What becomes of the other computers."""
    before = attached.moved_from
    if not attached.is_said:
        if attached.ticket and local:
            return (
                f"The other computers stay with {before}: the address is one of this computer "
                "alone. Attach with the address by which others reach the relay, and they follow."
            )
        return (
            f"Only this computer left {before}: the others follow when an owner attaches to the "
            "relay."
        )
    if attached.is_told:
        return f"It was on {before}: the other computers follow by themselves at their next sync."
    return (
        f"It was on {before}, which does not answer: the other computers follow by themselves when "
        "it answers again, or by the next ticket or bundle that they get."
    )


def _new_replica(call: Invocation, wanted: _Wanted, place: Path) -> None:
    from bifolio import Library

    environment = call.environment
    with (
        ProgressBars() as progress,
        Library.attach_new(
            wanted.ticket,
            place,
            home=environment.device_home(),
            files=wanted.files or Policy.ALL,
            bundle=wanted.bundle,
            progress=progress,
        ) as made,
    ):
        call.remark_notice(made)
        references = made.status().references
        if call.output.json:
            call.output.document(JoinResult(made.id, made.path, None, references))
            return
        call.output.say(f"'{made.name}' is at {made.path}: {count(references, 'reference')}.")
        if wanted.bundle is not None:
            call.output.say(_GIVE_BACK)


def _join(call: Invocation, wanted: _Wanted) -> None:
    with call.open_library() as opened, ProgressBars() as progress:
        if wanted.files is not None:
            opened.files.policy = wanted.files
        joined: JoinResult = opened.join(
            wanted.ticket, backup=wanted.backup, bundle=wanted.bundle, progress=progress
        )
    if call.output.json:
        call.output.document(joined)
        return
    call.output.say(f"{joined.path} is attached: {count(joined.references, 'reference')}.")
    if joined.backup:
        call.output.say(
            f"A backup of it was made first: {joined.backup}",
            "If this was a mistake, 'bifolio undo' takes back what it shared, and then 'bifolio "
            "leave' ends the membership.",
        )
    if joined.left_out:
        left_out = count(joined.left_out, "reference")
        call.output.say(f"{left_out} in the trash did not come along; the backup has all of it.")
    if wanted.bundle is not None:
        call.output.say(_GIVE_BACK)

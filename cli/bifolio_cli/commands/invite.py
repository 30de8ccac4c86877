"""``bifolio invite``: another ticket."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from bifolio.errors import InvalidValueError, UsageError
from bifolio.results import Invitation
from bifolio_cli.commands.bundle import WithFilesOption, bundle_lines
from bifolio_cli.invocation import (
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.passphrase_input import read_passphrase
from bifolio_cli.text.durations import parse_duration
from bifolio_cli.text.member_text import invitation_lines

if TYPE_CHECKING:
    from bifolio.results import InvitationByBundle, InviteView

_ANY = "any"
_OWN_LABEL = "my own"


RoleOption = Annotated[
    str,
    typer.Option(
        "--role",
        metavar="owner|editor|reader",
        callback=whole_argument,
        help="What who joins with the ticket becomes: an owner also invites and removes, a reader "
        "only reads.",
    ),
]
ExpiresOption = Annotated[
    str,
    typer.Option(
        "--expires",
        metavar="TIME",
        callback=whole_argument,
        help="How long the ticket lets somebody in, by the relay's clock: 30m, 12h, 7d, 2w or "
        "never.",
    ),
]
UsesOption = Annotated[
    str,
    typer.Option(
        "--uses", metavar="N|any", callback=whole_argument, help="How many computers may join."
    ),
]
LabelOption = Annotated[
    str,
    typer.Option(
        "--label",
        metavar="TEXT",
        callback=whole_argument,
        show_default=False,
        help="What 'bifolio invites' calls the ticket; members can read it.",
    ),
]
BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE|FOLDER",
        show_default=False,
        help="Without a relay: write the bundle with which the other computer uses the ticket.",
    ),
]


def invite(
    context: typer.Context,
    role: RoleOption = "editor",
    own: Annotated[
        bool,
        typer.Option("--own", help="For another computer of yours: it becomes an owner too."),
    ] = False,
    expires: ExpiresOption = "7d",
    uses: UsesOption = "1",
    label: LabelOption = "",
    qr: Annotated[bool, typer.Option("--qr", help="Show the ticket as a QR code too.")] = False,
    passphrase: Annotated[
        bool,
        typer.Option(
            "--passphrase",
            help="Ask for a passphrase without which the ticket is worth nothing (without a "
            "terminal: the first line of stdin). Tell it to the other user on another way.",
        ),
    ] = False,
    bundle: BundleOption = None,
    with_files: WithFilesOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Print a ticket with which another computer attaches to this library."""
    call = invocation(context, library=library, json=json)
    if own:
        if role not in ("editor", "owner"):
            raise UsageError(
                "A computer of your own becomes an owner.", next_step="Leave --own or --role out."
            )
        role, label = "owner", label or _OWN_LABEL
    number = _parse_uses(uses)
    lasts_s = parse_duration(expires, option="--expires")
    secret = read_passphrase(is_new=True) if passphrase else None
    made: InvitationByBundle | None = None
    with call.open_library() as opened, _options():
        if bundle is not None:
            place = bundle.expanduser().absolute()
            made = opened.bundles.invite(
                place, with_files=with_files, role=role, uses=number, lasts_s=lasts_s, label=label
            )
            ticket = made.ticket
        else:
            ticket = opened.invite(role=role, uses=number, lasts_s=lasts_s, label=label)
        about = opened.members.invite_of(ticket)
    if secret is not None:
        from bifolio.library import tickets

        ticket = tickets.lock(ticket, secret)
        made = replace(made, ticket=ticket) if made is not None else None
    if call.output.json:
        call.output.document(made or Invitation(ticket, about))
        return
    _say(call, made, about)
    if qr:
        from bifolio_cli.text.qr import qr_text

        sys.stderr.write(qr_text(ticket))
    call.output.line(ticket)


def _say(call: Invocation, made: InvitationByBundle | None, about: InviteView) -> None:
    """For whom the ticket is, next to it."""
    if made is not None:
        call.output.remark(
            *bundle_lines(made.bundle),
            "Give the file to the other computer, and this ticket to its user on another way. "
            "There: bifolio attach TICKET PATH --bundle FILE",
        )
    call.output.remark(*invitation_lines(about))


@contextmanager
def _options() -> Iterator[None]:
    """A value that the library refuses is called by the option that gave it."""
    try:
        yield
    except InvalidValueError as error:
        option = f"--{error.field}"
        raise InvalidValueError(option, expected=error.expected, got=error.got) from error


def _parse_uses(text: str) -> int | None:
    """How many may join; None for any number.

    Raises:
        InvalidValueError: it is no number.
    """
    written = text.strip()
    if written.casefold() == _ANY:
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise InvalidValueError("--uses", expected="a number, or any", got=f"'{text}'")
    return int(written)

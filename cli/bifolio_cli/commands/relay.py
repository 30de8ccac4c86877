"""``bifolio relay``: run a relay on this computer; the libraries that it holds, and its tokens."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    COULD_NOT,
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.json_documents import (
    Listening,
    NewRelayToken,
    RelayLibrary,
    RelayTokenView,
    RemovedRelayLibrary,
)
from bifolio_cli.text.reference_text import count, size_text
from bifolio_relay.config import (
    DATA,
    HOST,
    NAME,
    PORT,
    PROCESSES,
    QUOTA,
    REQUIRE_TOKEN,
    SHARED,
    TRUSTED_PROXY,
    UNUSED_DAYS,
    Config,
    default_data_folder,
    make_config,
)

if TYPE_CHECKING:
    from bifolio.results import Result
    from bifolio_relay.administration import Administration
    from bifolio_relay.storage import LibraryFacts, TokenFacts

_Facts = TypeVar("_Facts")

relay = typer.Typer(
    help="Run a relay, which stores changes and passes them on without being able to read them.\n\n"
    "Ctrl-C ends it. The commands under it work on its folder, also while it runs: "
    "'bifolio relay libraries --data DIR'.",
    rich_markup_mode=None,
)
token = typer.Typer(
    help="Tokens with which new libraries may come to this relay.", rich_markup_mode=None
)
relay.add_typer(token, name="token")

_ID_SHOWN_LENGTH = 12
_DAYS_MAX = 36_500

QuotaOption = Annotated[
    str, typer.Option(QUOTA.flag, metavar=QUOTA.metavar, show_default=False, help=QUOTA.help)
]
ProcessesOption = Annotated[
    int, typer.Option(PROCESSES.flag, metavar=PROCESSES.metavar, min=1, help=PROCESSES.help)
]
DataOption = Annotated[Path | None, typer.Option(DATA.flag, metavar=DATA.metavar, help=DATA.help)]


@relay.callback(invoke_without_command=True)
def run_relay(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(HOST.flag, metavar=HOST.metavar, help=HOST.help)
    ] = Config.host,
    port: Annotated[
        int, typer.Option(PORT.flag, metavar=PORT.metavar, min=0, max=65535, help=PORT.help)
    ] = Config.port,
    folder: DataOption = None,
    quota: QuotaOption = "",
    require_token: Annotated[
        bool, typer.Option(REQUIRE_TOKEN.flag, help=REQUIRE_TOKEN.help)
    ] = False,
    unused_days: Annotated[
        int, typer.Option(UNUSED_DAYS.flag, metavar=UNUSED_DAYS.metavar, help=UNUSED_DAYS.help)
    ] = Config.unused_days,
    trusted_proxy: Annotated[
        str,
        typer.Option(
            TRUSTED_PROXY.flag,
            metavar=TRUSTED_PROXY.metavar,
            show_default=False,
            help=TRUSTED_PROXY.help,
        ),
    ] = "",
    name: Annotated[
        str,
        typer.Option(NAME.flag, metavar=NAME.metavar, show_default=False, help=NAME.help),
    ] = "",
    processes: ProcessesOption = Config.processes,
    shared: Annotated[bool, typer.Option(SHARED.flag, help=SHARED.help)] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Run a relay where no command under it was named."""
    if context.invoked_subcommand is not None:
        return
    from bifolio_relay.server import run, serve

    call = invocation(context, library=library, json=json)
    config = make_config(
        {"BIFOLIO_HOME": call.environment.home},
        host=host,
        port=port,
        data=folder,
        quota=quota,
        shared=shared,
        require_token=require_token,
        unused_days=unused_days,
        trusted_proxy=trusted_proxy,
        name=name,
        processes=processes,
    )
    if not call.output.json:
        run(config)
        return
    import asyncio

    asyncio.run(serve(config, lambda url: call.output.document(Listening(url))))


@relay.command()
def libraries(
    context: typer.Context,
    folder: DataOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the libraries that the relay holds: when each came and was last used, and its size."""
    call = invocation(context, library=library, json=json)
    with _administration(context, call, folder) as administration:
        found = administration.libraries()
    _list(call, found, _library_view, _library_line, nothing="The relay holds no library.")


@relay.command()
def remove(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            callback=whole_argument,
            show_default=False,
            help="The beginning of the library's id, as 'bifolio relay libraries' shows it.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    folder: DataOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove a library from the relay, with its files.

    The computers that are attached keep theirs. The next of them that syncs brings the library
    back, unless the relay wants a token that it does not have.
    """
    call = invocation(context, library=library, json=json)
    with _administration(context, call, folder) as administration:
        found = administration.library(name)
        if not yes and not _confirmed(found):
            call.output.remark("Nothing was removed.")
            raise typer.Exit(COULD_NOT)
        removed = administration.remove(found.library)
    if call.output.json:
        call.output.document(RemovedRelayLibrary(found.library.hex(), removed))
        return
    shown = found.library.hex()[:_ID_SHOWN_LENGTH]
    call.output.say(f"The relay no longer holds the library {shown}; its computers keep theirs.")


@relay.command()
def delete(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Have the library's relay delete it, with all that it holds of it; only an owner can.

    This is for whoever uses a relay, also another's. Every computer keeps what it has, and learns
    at its next sync what happened. It cannot be undone there: 'bifolio attach' on a member's
    computer brings the library to a relay again.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        if not yes and not _deletion_confirmed(opened.name):
            call.output.remark("Nothing was deleted.")
            raise typer.Exit(COULD_NOT)
        done = opened.delete_at_relay()
    if call.output.json:
        call.output.document(done)
        return
    call.output.say(
        f"The relay {done.relay} deleted the library. What this computer has stays at {done.path}."
    )


@token.command("create")
def create_token(
    context: typer.Context,
    label: Annotated[
        str,
        typer.Option(
            "--label",
            metavar="TEXT",
            callback=whole_argument,
            show_default=False,
            help="What it is called in lists, for example who gets it.",
        ),
    ] = "",
    uses: Annotated[
        int | None,
        typer.Option(
            "--uses",
            metavar="N",
            min=1,
            max=1_000_000,
            show_default=False,
            help="How many libraries it allows (default: any number).",
        ),
    ] = None,
    expires: Annotated[
        str,
        typer.Option(
            "--expires",
            metavar="TIME",
            show_default=False,
            help="When it ends: 30d, 2w, 1y (default: never). Libraries that it allowed stay.",
        ),
    ] = "",
    folder: DataOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make a token with which new libraries may come to the relay. It is shown this once."""
    from bifolio_relay.administration import LABEL_CHARACTERS_MAX

    call = invocation(context, library=library, json=json)
    if len(label) > LABEL_CHARACTERS_MAX:
        raise UsageError(
            f"A label has at most {LABEL_CHARACTERS_MAX} characters.",
            next_step="Give a shorter one.",
        )
    days = _parse_days(expires) if expires else None
    with _administration(context, call, folder, create=True) as administration:
        made, facts = administration.create_token(label=label, uses=uses, days=days)
    if call.output.json:
        call.output.document(NewRelayToken(made.encode(), facts.id.hex(), facts.label))
        return
    call.output.remark(
        "This token is shown this once. Whoever gets it runs: bifolio attach RELAY_URL --token "
        "TOKEN"
    )
    call.output.say(made.encode())


@token.command("list")
def list_tokens(
    context: typer.Context,
    folder: DataOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the relay's tokens: how often each was used, and until when it is valid."""
    call = invocation(context, library=library, json=json)
    with _administration(context, call, folder) as administration:
        found = administration.tokens()
    _list(call, found, _token_view, _token_line, nothing="The relay has no tokens.")


@token.command("revoke")
def revoke_token(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID|LABEL",
            callback=whole_argument,
            show_default=False,
            help="The beginning of the token's id, or its label.",
        ),
    ],
    folder: DataOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Let a token allow no more libraries. Those that came with it stay."""
    call = invocation(context, library=library, json=json)
    with _administration(context, call, folder) as administration:
        revoked = administration.revoke(name)
        now = next(one for one in administration.tokens() if one.id == revoked.id)
    if call.output.json:
        call.output.document(_token_view(now))
        return
    named = f"'{now.label}'" if now.label else now.id.hex()
    call.output.say(f"The token {named} allows no more libraries; those that came with it stay.")


def _administration(
    context: typer.Context, call: Invocation, folder: Path | None, *, create: bool = False
) -> Administration:
    """The relay's folder: of the command, or as it was given before it."""
    from bifolio_relay.administration import Administration

    above: Any = context.parent
    while folder is None and above is not None:
        given = above.params.get("folder")
        folder = None if given is None else Path(given)
        above = above.parent
    environment = {"BIFOLIO_HOME": call.environment.home}
    return Administration(folder or default_data_folder(environment), create=create)


def _parse_days(text: str) -> int:
    """Days, from a number with ``d``, ``w`` or ``y``: ``30d``, ``2w``, ``1y``.

    Raises:
        UsageError: it is no such time.
    """
    found = re.fullmatch(r"([0-9]{1,6})([dwy]?)", text.strip().lower())
    days = int(found[1]) * {"": 1, "d": 1, "w": 7, "y": 365}[found[2]] if found else 0
    if not 1 <= days <= _DAYS_MAX:
        raise UsageError(
            f"--expires takes a time such as 30d, 2w or 1y, not '{text[:40]}'.",
            next_step="Give a number of days, weeks or years.",
        )
    return days


def _confirmed(found: LibraryFacts) -> bool:
    shown = found.library.hex()[:_ID_SHOWN_LENGTH]
    held = f"{count(found.entries, 'change')} and {count(found.files, 'file')}"
    if not sys.stdin.isatty():
        raise UsageError(
            f"Removing the library {shown} removes {held} from the relay, and this is not a "
            "terminal on which it could be confirmed. Nothing was removed.",
            next_step="Look at it with 'bifolio relay libraries', then run the command with --yes.",
        )
    return typer.confirm(f"Remove the library {shown} with {held} from the relay?", err=True)


def _deletion_confirmed(name: str) -> bool:
    """Ask whoever is at the keyboard.

    Raises:
        UsageError: nobody is.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            f"Deleting '{name}' on its relay cannot be undone there, and this is not a terminal on "
            "which it could be confirmed. Nothing was deleted.",
            next_step="Run 'bifolio relay delete --yes'.",
        )
    return typer.confirm(f"Delete '{name}' on its relay, for every member?", err=True)


def _list(
    call: Invocation,
    found: Sequence[_Facts],
    view: Callable[[_Facts], Result],
    line: Callable[[_Facts], str],
    *,
    nothing: str,
) -> None:
    """Print what was found: as one document, or a line each and a remark where there is none."""
    if call.output.json:
        call.output.document([view(one) for one in found])
        return
    for one in found:
        call.output.say(line(one))
    if not found:
        call.output.remark(nothing)


def _library_view(one: LibraryFacts) -> RelayLibrary:
    return RelayLibrary(
        id=one.library.hex(),
        created=_time(one.created_ms) or "",
        last_used=_time(one.used_ms) or "",
        members=one.members,
        changes=one.entries,
        log_bytes=one.log_bytes,
        files=one.files,
        file_bytes=one.file_bytes,
        token=one.token_label,
    )


def _library_line(one: LibraryFacts) -> str:
    parts = [
        one.library.hex()[:_ID_SHOWN_LENGTH],
        f"created {_day(one.created_ms)}",
        f"last used {_day(one.used_ms)}",
        "members unknown" if one.members is None else count(one.members, "member"),
        f"{count(one.entries, 'change')} ({size_text(one.log_bytes)})",
        f"{count(one.files, 'file')} ({size_text(one.file_bytes)})",
    ]
    if one.token_label is not None:
        parts.append(f"token {one.token_label or 'without a label'}")
    return "\t".join(parts)


def _token_view(one: TokenFacts) -> RelayTokenView:
    return RelayTokenView(
        id=one.id.hex(),
        label=one.label,
        used=one.used,
        uses=one.uses,
        created=_time(one.created_ms) or "",
        expires=_time(one.expires_ms),
        revoked=_time(one.revoked_ms),
    )


def _token_line(one: TokenFacts) -> str:
    most = "" if one.uses is None else f" of {one.uses}"
    until = "never expires" if one.expires_ms is None else f"until {_day(one.expires_ms)}"
    if one.revoked_ms is not None:
        until = f"revoked {_day(one.revoked_ms)}"
    return "\t".join((one.id.hex(), one.label or "-", f"used {one.used}{most}", until))


def _time(moment_ms: int | None) -> str | None:
    """ISO 8601 in UTC, to the second; None for a time that is not set or not known."""
    if not moment_ms:
        return None
    return datetime.fromtimestamp(moment_ms // 1000, UTC).isoformat()


def _day(moment_ms: int | None) -> str:
    return (_time(moment_ms) or "at an unknown time")[:10] if moment_ms else "unknown"

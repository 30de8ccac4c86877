"""``bifolio backup``: one portable file with the library and its attached files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.edit_arguments import whole_text
from bifolio_cli.invocation import (
    DONE_IN_PART,
    Invocation,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.reference_text import count, size_text

if TYPE_CHECKING:
    from bifolio.results import Backup

backup = typer.Typer(
    help="Back a library up, and restore it as a new replica.", rich_markup_mode=None
)

FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", callback=whole_argument, show_default=False, help="The file of a backup."
    ),
]


@backup.command()
def create(
    context: typer.Context,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The file to write, or a folder for it (default: the folder of backups in "
            "BIFOLIO_HOME).",
        ),
    ] = None,
    without_files: Annotated[
        bool, typer.Option("--without-files", help="Do not put the attached files into the backup.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make a backup, with the attached files in it, and check it.

    Files that are on other computers only are counted; they cannot be in it. The backup is not
    encrypted: keep it where others cannot read it. It has no key of this computer in it.
    """
    call = invocation(context, library=library, json=json)
    target = _path(output) if output is not None else None
    with call.read_library() as opened, ProgressBars() as progress:
        made = opened.backups.create(target, files=not without_files, progress=progress)
    _tell(call, made)


@backup.command("list")
def list_(
    context: typer.Context,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Check every hash in each backup, which reads them whole."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the backups of every library on this computer, the newest first.

    The exit code is 3 if one of them cannot be used.
    """
    from bifolio.library.backups import list_backups

    call = invocation(context, library=library, json=json)
    with ProgressBars() as progress:
        found = list_backups(call.environment.device_home(), check=verify, progress=progress)
    if call.output.json:
        call.output.documents(found)
    for one in found if not call.output.json else ():
        call.output.say(_line(one))
    if any(one.fault for one in found):
        raise typer.Exit(DONE_IN_PART)


@backup.command()
def verify(
    context: typer.Context,
    file: FileArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Check every hash in a backup, and the integrity of the library in it."""
    from bifolio.library.backups import verify as verified

    call = invocation(context, library=library, json=json)
    with ProgressBars() as progress:
        found = verified(_path(file), progress=progress)
    _tell(call, found)


@backup.command()
def restore(
    context: typer.Context,
    file: FileArgument,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            callback=whole_argument,
            show_default=False,
            help="The path of the new replica. Without it, the selected library's path if that "
            "does not exist, otherwise a new path next to it.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new replica from a backup; no library is overwritten.

    It is one more replica of the library: after a sync it holds what all the others hold, and
    nothing old comes back. On another computer a sync asks for a ticket first.
    """
    from bifolio.library.backups import restore as restored

    call = invocation(context, library=library, json=json)
    place = _free_place(call) if path is None else call.environment.new_library_path(path)
    with ProgressBars() as progress:
        made = restored(_path(file), place, progress=progress)
    if call.output.json:
        call.output.document(made)
        return
    call.output.say(f"'{made.name}' as of {made.backup.made_at} is at {made.path}.")
    call.output.say(*_lines(made.backup))


def _tell(call: Invocation, made: Backup) -> None:
    if call.output.json:
        call.output.document(made)
        return
    call.output.say(f"{made.path} is whole: {size_text(made.size)}.")
    call.output.say(*_lines(made))


def _lines(made: Backup) -> Iterator[str]:
    """What is in a backup, and what is not."""
    trashed = f", {made.trashed:,} in the trash" if made.trashed else ""
    yield f"{count(made.references, 'reference')}{trashed}; {_files(made)}."
    if made.absent:
        yield (
            f"{count(made.absent, 'attached file')} not in it, because the computer that made it "
            "did not have the content."
        )
    for hashed in made.damaged:
        yield f"The attached file {hashed[:12]} was damaged on the disk and is damaged in it."


def _files(made: Backup) -> str:
    if made.contents == "none":
        return "without the attached files"
    kept = count(made.files, "attached file")
    return f"{kept} of the trash" if made.contents == "trashed" else kept


def _line(one: Backup) -> str:
    """One backup on one line."""
    if one.fault:
        return f"{one.path}\t{size_text(one.size)}\t{one.fault}"
    whole = "checked now" if one.verified else "checked when made"
    parts = (one.name, one.made_at, size_text(one.size), count(one.references, "reference"))
    return "\t".join((str(one.path), *parts, _files(one), whole))


def _free_place(call: Invocation) -> Path:
    """The selected library's place, or the first free name next to it."""
    place = call.environment.new_library_path(call.library)
    if not place.exists():
        return place
    names = ["restored", *(f"restored-{number}" for number in range(2, 1000))]
    beside = (place.with_name(f"{place.stem}-{name}{place.suffix}") for name in names)
    return next((one for one in beside if not one.exists()), place)


def _path(text: str) -> Path:
    return Path(whole_text(text, field="argument")).expanduser().absolute()

"""``bifolio file``: files attached to references, listed, opened, exported, taken off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import FileNameError, FileTooLargeError, UnreadableFileError
from bifolio.results import Policy
from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    ReferenceArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.progress import ProgressBars
from bifolio_cli.rendering import count, size_text

if TYPE_CHECKING:
    from bifolio import Library
    from bifolio.results import ShownFile

file = typer.Typer(
    help="Attach files to references, list, open, export and remove them.", rich_markup_mode=None
)

PolicyArgument = Annotated[
    Policy | None, typer.Argument(metavar="[all|on-demand|none]", show_default=False)
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        callback=whole_argument,
        show_default=False,
        help="The file's name, NAME~HASH where several have it, or the beginning of its hash.",
    ),
]
FetchOption = Annotated[
    bool, typer.Option("--fetch", help="Fetch it even where this replica fetches no files.")
]

_REFUSED = (UnreadableFileError, FileNameError, FileTooLargeError)


@file.command()
def add(
    context: typer.Context,
    ref: ReferenceArgument,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", show_default=False, help="Files to attach.")
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Attach files to a reference; each is copied into the library.

    A file replaces one of its name that the reference has. Those that cannot be read are named,
    the others attached, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened, ProgressBars() as progress:
        label = "copying"
        report = None if progress is None else (lambda done, total: progress(label, done, total))
        remaining = [_absolute(path) for path in paths]
        refused: list[UnreadableFileError | FileNameError | FileTooLargeError] = []
        added: Sequence[ShownFile] = ()
        while remaining:
            try:
                added = opened.files.add(ref, remaining, progress=report)
                break
            except _REFUSED as error:
                refused.append(error)
                remaining = [path for path in remaining if path != error.path]
        if not remaining:
            raise refused[0]
    if call.output.json:
        call.output.documents(one.to_json() for one in added)
    else:
        for one in added:
            call.output.say(f"{one.key} has the file {one.called} ({size_text(one.size)}).")
    for refusal in refused:
        call.output.remark(refusal.message)
    if refused:
        raise typer.Exit(DONE_IN_PART)


@file.command("list")
def list_(
    context: typer.Context,
    ref: Annotated[
        str | None,
        typer.Argument(
            metavar="REF",
            callback=whole_argument,
            show_default=False,
            help="A reference; without one the files of all of them.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List files, with who attached them when and where each one's content is."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.files.list(ref)
        if call.output.json:
            call.output.documents(one.to_json() for one in found)
            return
        for one in found:
            who = ", ".join(filter(None, (one.added_by, one.added_at)))
            call.output.say(f"{one.key}\t{one.called}\t{size_text(one.size)}\t{one.state}\t({who})")


@file.command("open")
def open_(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    fetch: FetchOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Open a file with the computer's own program, as a read-only copy."""
    from bifolio_cli.opener import open_with_own_program

    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        _have(opened, ref, name, fetch=fetch)
        path = opened.files.open_copy(ref, name)
    open_with_own_program(path)
    if call.output.json:
        call.output.document({"file": str(path)})


@file.command()
def export(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="PATH", show_default=False, help="A file, or a folder."
        ),
    ],
    fetch: FetchOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write a file's content to a path."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        _have(opened, ref, name, fetch=fetch)
        path = opened.files.export(ref, name, _absolute(out))
    if call.output.json:
        call.output.document({"file": str(path)})
    else:
        call.output.say(f"Written to {path}.")


@file.command()
def remove(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take a file off a reference."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        gone = opened.files.remove(ref, name)
    if call.output.json:
        call.output.document(gone.to_json())
    else:
        call.output.say(f"{gone.key} no longer has the file {gone.called}.")


@file.command()
def clean(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Free the room of files that no reference has any more.

    It happens by itself a day after they were removed; until then an undo brings them back. The
    relay drops its copies with the next sync.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        removed, size_bytes = opened.files.clean()
    if call.output.json:
        call.output.document({"removed": removed, "bytes": size_bytes})
    else:
        call.output.say(f"{count(removed, 'file')} dropped, {size_text(size_bytes)} freed.")


@file.command()
def policy(
    context: typer.Context,
    chosen: PolicyArgument = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show or choose which files this replica fetches; its own go to the relay under each.

    all: at once. on-demand: when one is opened or exported. none: only with --fetch.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        if chosen is not None:
            opened.files.policy = chosen
        now = opened.files.policy
    if call.output.json:
        call.output.document({"policy": str(now)})
    else:
        call.output.say(f"This replica fetches files: {now}.")


def _have(library: Library, ref: str, name: str, *, fetch: bool) -> None:
    """Fetch the content where it is not here, and the replica fetches on demand."""
    if fetch or library.files.fetches_on_demand:
        with ProgressBars() as progress:
            library.files.fetch(ref, name, progress=progress)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()

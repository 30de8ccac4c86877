"""``bifolio file``: files attached to references, listed, opened, exported, taken off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import FileNameError, FileTooLargeError, UnreadableFileError, UsageError
from bifolio.results import FilePolicy, Policy, Stage, WrittenFile
from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    ReferenceArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.reference_text import count, size_text
from bifolio_cli.text.status_text import file_state_text

if TYPE_CHECKING:
    from bifolio import Library
    from bifolio.results import FileView

file = typer.Typer(
    help="Attach files to references; list, open, export and remove them.", rich_markup_mode=None
)

PolicyArgument = Annotated[
    Policy | None,
    typer.Argument(
        metavar="[all|on-demand|none]",
        show_default=False,
        help="The new policy. Without it the present one is shown.",
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        callback=whole_argument,
        show_default=False,
        help="The file's name, NAME~HASH if several have that name, or the beginning of its hash.",
    ),
]
FetchOption = Annotated[
    bool, typer.Option("--fetch", help="Fetch it from the relay even if the policy is none.")
]

_REFUSED = (UnreadableFileError, FileNameError, FileTooLargeError)


@file.command()
def add(
    context: typer.Context,
    ref: ReferenceArgument,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", show_default=False, help="The files to attach.")
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Attach files to a reference; each is copied into the library.

    A file replaces a file of the same name that the reference has. Files that cannot be read are
    named, the others are attached, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened, ProgressBars() as progress:
        report = partial(progress, Stage.COPYING) if progress is not None else None
        remaining = [_absolute(path) for path in paths]
        refused: list[UnreadableFileError | FileNameError | FileTooLargeError] = []
        added: Sequence[FileView] = ()
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
        call.output.documents(added)
    else:
        for one in added:
            call.output.say(f"{one.key} has the file {one.label} ({size_text(one.size)}).")
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
            help="List the files of this reference only.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List attached files: who attached each one, when, and where its content is."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.files.list(ref)
        if call.output.json:
            call.output.documents(found)
            return
        for one in found:
            who = ", ".join(filter(None, (one.added_by, one.added_at)))
            size, state = size_text(one.size), file_state_text(one)
            call.output.say(f"{one.key}\t{one.label}\t{size}\t{state}\t({who})")


@file.command("open")
def open_(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    fetch: FetchOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Open a copy of a file with this computer's program for its kind.

    What that program saves into the copy is kept, and 'bifolio status' says how to attach it as the
    new version; the next opening shows the changed copy.
    """
    from bifolio_cli.opener import open_with_own_program

    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        _have(opened, ref, name, fetch=fetch)
        path = opened.files.open_copy(ref, name)
    open_with_own_program(path)
    if call.output.json:
        call.output.document(WrittenFile(path))


@file.command()
def export(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            show_default=False,
            help="The file to write, or a folder for it.",
        ),
    ],
    fetch: FetchOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write a file's content to another place."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        _have(opened, ref, name, fetch=fetch)
        own_name = opened.files.find(ref, name).name
        path = opened.files.export(ref, name, _absolute(out))
    if call.output.json:
        call.output.document(WrittenFile(path))
    else:
        call.output.say(f"Written to {path}.")
        if _absolute(out).is_dir() and path.name != own_name:
            call.output.say(f"Not every computer can write its name '{own_name}'.")


@file.command()
def text(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    fetch: FetchOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a file says: a PDF, an HTML page or a plain text.

    A PDF is read once, in at most a minute, with bifolio[pdf] installed; 'bifolio search
    fulltext:WORDS' finds what files say.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        _have(opened, ref, name, fetch=fetch)
        found = opened.files.text(ref, name)
        label = opened.files.find(ref, name).label
    if found is None:
        raise UsageError(
            f"{label} is of no kind whose text can be read here.",
            next_step="PDFs are read with: pip install 'bifolio[pdf]'",
        )
    if call.output.json:
        call.output.document(found)
        return
    for line in found.text.splitlines():
        call.output.say(line)
    if found.pages_read < found.pages:
        call.output.remark(f"Of {found.pages:,} pages, {found.pages_read:,} were read.")
    if not found.text.strip():
        call.output.remark(f"There is no text in {label}: it may be a scan, locked or damaged.")


@file.command()
def remove(
    context: typer.Context,
    ref: ReferenceArgument,
    name: NameArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove a file from a reference."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        gone = opened.files.remove(ref, name)
    if call.output.json:
        call.output.document(gone)
    else:
        call.output.say(f"{gone.key} no longer has the file {gone.label}.")


@file.command()
def clean(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Delete the contents of files that no reference has any more.

    This happens by itself once every computer of the library has heard that the files were
    removed, and not before a day; until then an undo brings them back. The relay deletes its
    copies then.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        freed = opened.files.clean()
    if call.output.json:
        call.output.document(freed)
    else:
        call.output.say(f"{count(freed.removed, 'file')} deleted, {size_text(freed.bytes)} freed.")


@file.command()
def policy(
    context: typer.Context,
    chosen: PolicyArgument = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show or change which attached files this replica fetches from the relay.

    all: at once. on-demand: when one is opened or exported. none: only with --fetch. This
    computer's own files are sent to the relay under each policy.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        if chosen is not None:
            opened.files.policy = chosen
        now = opened.files.policy
    if call.output.json:
        call.output.document(FilePolicy(now))
    else:
        call.output.say(f"This replica fetches files: {now}.")


def _have(library: Library, ref: str, name: str, *, fetch: bool) -> None:
    """Fetch the content if it is not here and the replica fetches on demand."""
    if fetch or library.files.fetches_on_demand:
        with ProgressBars() as progress:
            library.files.fetch(ref, name, progress=progress)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()

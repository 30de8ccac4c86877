"""``bifolio note``: the notes of a reference."""

from __future__ import annotations

from typing import Annotated

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import (
    JsonOption,
    LibraryOption,
    ReferenceArgument,
    invocation,
    whole_argument,
)
from bifolio_cli.text.note_text import note_lines
from bifolio_cli.text_input import read_text

note = typer.Typer(
    help="List, add, edit and remove the notes of a reference.", rich_markup_mode=None
)

NoteArgument = Annotated[
    str,
    typer.Argument(
        metavar="N",
        callback=whole_argument,
        show_default=False,
        help="The note's number in the list, or its id, which stays with it.",
    ),
]
TextArgument = Annotated[
    str,
    typer.Argument(
        metavar="TEXT", show_default=False, help="The text; - reads it from standard input."
    ),
]
TagsOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", callback=whole_argument, help="A tag; may be repeated."),
]


@note.command("list")
def list_(
    context: typer.Context,
    ref: ReferenceArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the notes of a reference, each with its number and its id."""
    call = invocation(context, library=library, json=json)
    with call.read_library() as opened:
        found = opened.notes.list(ref)
    if call.output.json:
        call.output.documents(found)
        return
    for one in found:
        call.output.say(*note_lines(one))
    if not found:
        call.output.remark(f"{ref} has no notes.")


@note.command()
def show(
    context: typer.Context,
    ref: ReferenceArgument,
    note: NoteArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Print the text of one note."""
    call = invocation(context, library=library, json=json)
    with call.read_library() as opened:
        found = opened.notes.get(ref, note)
    if call.output.json:
        call.output.document(found)
    else:
        call.output.say(*found.text.split("\n"))


@note.command()
def add(
    context: typer.Context,
    ref: ReferenceArgument,
    text: TextArgument,
    tag: TagsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Add a note behind those that the reference has.

    Notes that are added on two computers at the same time are both kept.
    """
    call = invocation(context, library=library, json=json)
    written = read_text(text, field="note")
    with call.open_library() as opened:
        made = opened.notes.add(ref, written, tags=tag or ())
    if call.output.json:
        call.output.document(made)
    else:
        call.output.say(*note_lines(made))


@note.command()
def edit(
    context: typer.Context,
    ref: ReferenceArgument,
    note: NoteArgument,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT]",
            show_default=False,
            help="What the note says from now on; - reads it from standard input.",
        ),
    ] = None,
    append: Annotated[
        str | None,
        typer.Option("--append", metavar="TEXT", help="Add a paragraph; - reads it."),
    ] = None,
    tag: TagsOption = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all its tags away.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Change the text or the tags of a note.

    What others write into other paragraphs at the same time is kept. --tag sets all its tags.
    """
    call = invocation(context, library=library, json=json)
    if text is None and append is None and tag is None and not no_tags:
        raise UsageError(
            "There is nothing to change.",
            next_step="Give the new text, --append TEXT, --tag TAG or --no-tags.",
        )
    if tag and no_tags:
        raise UsageError("Give one of --tag TAG and --no-tags.")
    whole = None if text is None else read_text(text, field="note")
    more = None if append is None else read_text(append, field="note")
    with call.open_library() as opened:
        changed = opened.notes.edit(ref, note, text=whole, append=more, tags=() if no_tags else tag)
    if call.output.json:
        call.output.document(changed)
    else:
        call.output.say(*note_lines(changed))


@note.command()
def remove(
    context: typer.Context,
    ref: ReferenceArgument,
    note: NoteArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove a note; 'bifolio undo' brings it back."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        removed = opened.notes.remove(ref, note)
    if call.output.json:
        call.output.document(removed)
    else:
        call.output.say("Removed:", *note_lines(removed))

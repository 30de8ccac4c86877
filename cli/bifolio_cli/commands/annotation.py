"""``bifolio annotation``: the annotations of the files of a reference."""

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
from bifolio_cli.text.note_text import annotation_lines
from bifolio_cli.text_input import read_text

annotation = typer.Typer(
    help="List, add, edit and remove annotations of files.", rich_markup_mode=None
)

AnnotationArgument = Annotated[
    str,
    typer.Argument(
        metavar="N",
        callback=whole_argument,
        show_default=False,
        help="The annotation's number in the list, or its id, which stays with it.",
    ),
]
CommentOption = Annotated[
    str | None,
    typer.Option("--comment", metavar="TEXT", help="What is said of it; - reads it from stdin."),
]
MarkedOption = Annotated[
    str | None,
    typer.Option("--text", metavar="TEXT", callback=whole_argument, help="The words it marks."),
]
PageOption = Annotated[
    str | None,
    typer.Option("--page", metavar="PAGE", callback=whole_argument, help="The page, as printed."),
]
ColourOption = Annotated[
    str | None,
    typer.Option("--colour", metavar="COLOUR", callback=whole_argument, help="Such as #ffd400."),
]
TypeOption = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="highlight, underline, note, text, image or ink."),
]
FileOption = Annotated[
    str | None,
    typer.Option(
        "--file", metavar="NAME", callback=whole_argument, help="The attached file it is in."
    ),
]
TagsOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", callback=whole_argument, help="A tag; may be repeated."),
]


@annotation.command("list")
def list_(
    context: typer.Context,
    ref: ReferenceArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the annotations of a reference, by file and by place in it."""
    call = invocation(context, library=library, json=json)
    with call.read_library() as opened:
        found = opened.annotations.list(ref)
    if call.output.json:
        call.output.documents(found)
        return
    for one in found:
        call.output.say(*annotation_lines(one))
    if not found:
        call.output.remark(f"{ref} has no annotations.")


@annotation.command()
def add(
    context: typer.Context,
    ref: ReferenceArgument,
    comment: CommentOption = None,
    text: MarkedOption = None,
    page: PageOption = None,
    colour: ColourOption = None,
    type: TypeOption = None,
    file: FileOption = None,
    tag: TagsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Add an annotation: words that are marked, a comment, or both."""
    call = invocation(context, library=library, json=json)
    given = _given(comment, text, page, colour, type)
    with call.open_library() as opened:
        if file is not None:
            given["file"] = opened.files.find(ref, file).hash
        made = opened.annotations.add(ref, given, tags=tag or ())
    if call.output.json:
        call.output.document(made)
    else:
        call.output.say(*annotation_lines(made))


@annotation.command()
def edit(
    context: typer.Context,
    ref: ReferenceArgument,
    annotation: AnnotationArgument,
    comment: CommentOption = None,
    text: MarkedOption = None,
    page: PageOption = None,
    colour: ColourOption = None,
    type: TypeOption = None,
    file: FileOption = None,
    tag: TagsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Change an annotation; an empty text takes a value away, and --tag sets all its tags."""
    call = invocation(context, library=library, json=json)
    given = _given(comment, text, page, colour, type)
    if not given and file is None and tag is None:
        raise UsageError(
            "There is nothing to change.",
            next_step="Give --comment, --text, --page, --colour, --type, --file or --tag.",
        )
    with call.open_library() as opened:
        if file is not None:
            given["file"] = opened.files.find(ref, file).hash if file else ""
        changed = opened.annotations.edit(ref, annotation, given, tags=tag)
    if call.output.json:
        call.output.document(changed)
    else:
        call.output.say(*annotation_lines(changed))


@annotation.command()
def remove(
    context: typer.Context,
    ref: ReferenceArgument,
    annotation: AnnotationArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove an annotation; 'bifolio undo' brings it back."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        removed = opened.annotations.remove(ref, annotation)
    if call.output.json:
        call.output.document(removed)
    else:
        call.output.say("Removed:", *annotation_lines(removed))


def _given(
    comment: str | None,
    text: str | None,
    page: str | None,
    colour: str | None,
    type: str | None,
) -> dict[str, str]:
    """The values that were given, by their names."""
    said = {"text": text, "page": page, "colour": colour, "type": type}
    given = {name: one for name, one in said.items() if one is not None}
    if comment is not None:
        given["comment"] = read_text(comment, field="comment")
    return given

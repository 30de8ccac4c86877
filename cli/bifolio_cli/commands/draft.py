"""``bifolio draft``: edits that this computer may not send, and accepting another's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio.results import EditKind
from bifolio_cli.invocation import COULD_NOT, JsonOption, LibraryOption, invocation
from bifolio_cli.text.history_text import difference_text
from bifolio_cli.text.reference_text import ID_SHOWN_LENGTH, count

if TYPE_CHECKING:
    from bifolio.results import DraftView

draft = typer.Typer(
    help="Edits that this computer may not send, as a file for an owner.",
    rich_markup_mode=None,
    invoke_without_command=True,
)

_KINDS = {
    EditKind.ADDED: "added",
    EditKind.CHANGED: "changed",
    EditKind.DELETED: "deleted",
}

DraftArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", show_default=False, help="A file that 'bifolio draft export' wrote."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


@draft.callback()
def own(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Edits that this computer may not send, as a file for an owner.

    Without a command: what was changed here before an owner removed this computer, or made it a
    reader. It is kept here; an owner can accept it from a file.
    """
    call = invocation(context, library=library, json=json)
    if context.invoked_subcommand is not None:
        context.obj = call
        return
    with call.open_library() as opened:
        found = opened.drafts.own()
    if call.output.json:
        call.output.document(found)
    elif found.edits:
        call.output.say(*_lines(found))
    else:
        call.output.remark("No edit of this computer is kept back.")


@draft.command()
def export(
    context: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="The file to write.")
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write the edits that this computer may not send into a file for an owner.

    Only members of the library can read it. Nothing is changed here.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        done = opened.drafts.export(target.expanduser())
    if call.output.json:
        call.output.document(done)
    else:
        records = count(done.records, "reference or group", "references and groups")
        call.output.say(
            f"Written to {done.file}: {records}.",
            "An owner looks at it with 'bifolio draft show FILE', and accepts it with 'bifolio "
            "draft accept FILE'.",
        )


@draft.command()
def show(
    context: typer.Context,
    source: DraftArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show what another computer's draft would change; nothing is changed."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        found = opened.drafts.show(source.expanduser())
    if call.output.json:
        call.output.document(found)
    else:
        call.output.say(f"A draft of {found.device}:", *_lines(found))


@draft.command()
def accept(
    context: typer.Context,
    source: DraftArgument,
    yes: YesOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make another computer's draft edits of this computer, for every member.

    What was changed here meanwhile stays, in conflict with the draft's value; 'bifolio undo' takes
    all of it back. To refuse a draft, delete its file.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        opened.drafts.check_may_accept()
        if not yes:
            found = opened.drafts.show(source.expanduser())
            call.output.remark(f"A draft of {found.device}:", *_lines(found))
            question = f"Accept {count(len(found.edits), 'edit')} of {found.device}?"
            if not _confirmed(question, "bifolio draft accept FILE --yes"):
                call.output.remark("Nothing was changed.")
                raise typer.Exit(COULD_NOT)
        done = opened.drafts.accept(source.expanduser())
    if call.output.json:
        call.output.document(done)
    else:
        changed = count(done.changed, "reference or group", "references and groups")
        call.output.say(f"{changed} changed by the draft of {done.device}.")


@draft.command()
def discard(
    context: typer.Context,
    yes: YesOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take back the edits that this computer may not send. That cannot be undone."""
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        number = len(opened.drafts.own().edits)
        question = f"Take back the edits of {count(number, 'reference or group')} for good?"
        if number and not yes and not _confirmed(question, "bifolio draft discard --yes"):
            call.output.remark("Nothing was changed.")
            raise typer.Exit(COULD_NOT)
        done = opened.drafts.discard()
    if call.output.json:
        call.output.document(done)
    else:
        call.output.say(f"{count(done.changes, 'change')} taken back.")


def _lines(draft: DraftView) -> Iterator[str]:
    for one in draft.edits:
        name = one.key or one.id[:ID_SHOWN_LENGTH]
        if one.of == "group":  # nobody knows a group by its id
            name = "the group"
        yield "\t".join((_KINDS[one.kind], name, one.title))
        for value in one.values:
            yield f"  {value.field}: {difference_text(value.before, value.after)}"


def _confirmed(question: str, command: str) -> bool:
    """Ask whoever is at the keyboard.

    Raises:
        UsageError: nobody is.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "This is not a terminal on which it could be confirmed. Nothing was changed.",
            next_step=f"Look at it first, then run '{command}'.",
        )
    return typer.confirm(question, err=True)

"""``bifolio bundle``: a library by files, on a stick or through a cloud's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio_cli.invocation import (
    DONE_IN_PART,
    JsonOption,
    LibraryOption,
    invocation,
    whole_argument,
)
from bifolio_cli.text.moments import parse_moment
from bifolio_cli.text.next_steps import word_of
from bifolio_cli.text.reference_text import count, size_text
from bifolio_cli.text.status_text import known_relay_line

if TYPE_CHECKING:
    from bifolio.results import BundleExport

bundle = typer.Typer(
    help="Share the library by files: on a stick, or through a folder that a cloud synchronizes.",
    rich_markup_mode=None,
)

_LAST = "last"

WithFilesOption = Annotated[
    bool, typer.Option("--with-files", help="Put the contents of attached files in as well.")
]


@bundle.command()
def export(
    context: typer.Context,
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            show_default=False,
            help="The file to write, or a folder, in which it gets a name of its own.",
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="last|TIME|BUNDLE",
            callback=whole_argument,
            show_default=False,
            help="Only what the last bundle did not have, what came here from a time on, or what "
            "whoever made a bundle did not have yet (default: all).",
        ),
    ] = None,
    with_files: WithFilesOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write a bundle: the library's changes and members, which only its members can read.

    Other computers of the library take it in with 'bifolio bundle import'. A bundle that is late,
    comes twice or has another name does no harm. An older bundle of that name is replaced.
    """
    call = invocation(context, library=library, json=json)
    chosen = _since(since)
    with call.open_library() as opened:
        made = opened.bundles.export(_absolute(target), since=chosen, with_files=with_files)
    if call.output.json:
        call.output.document(made)
        return
    for line in bundle_lines(made):
        call.output.say(line)


@bundle.command("import")
def import_(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            show_default=False,
            help="A bundle, or a folder of them, in any order.",
        ),
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Merge bundles of this library that other computers made.

    A bundle is checked whole first; one that is cut short or altered is refused, and nothing of it
    is taken. Of a folder the others are merged all the same, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened:
        report = opened.bundles.import_from(_absolute(source))
        is_attached = report.moved_to is not None and opened.status().relay is not None
    for refused in report.refused:
        call.output.remark(f"{refused.reason} {word_of(refused.next)}".rstrip())
    if call.output.json:
        call.output.document(report)
    else:
        taken = count(len(report.bundles), "bundle")
        files = f", {count(report.files, 'file')}" if report.files else ""
        call.output.say(f"{taken} taken in: {count(report.changes, 'new change')}{files}.")
        if report.moved_to is not None:
            call.output.say(known_relay_line(report.moved_to, is_attached=is_attached))
        if report.waiting:
            verb = "waits" if report.waiting == 1 else "wait"
            call.output.say(
                f"{count(report.waiting, 'received change')} {verb} for earlier ones: import the "
                "other bundles too, in any order."
            )
        if report.conflicts:
            call.output.say(f"{count(report.conflicts, 'conflict')}: 'bifolio conflicts'.")
    if report.refused:
        raise typer.Exit(DONE_IN_PART)


def bundle_lines(made: BundleExport) -> list[str]:
    """A bundle that was written, in sentences."""
    files = f" and {count(made.files, 'file')}" if made.files else ""
    lines = [
        f"Written to {made.file}: {count(made.envelopes, 'envelope')}{files} "
        f"({size_text(made.size)})."
    ]
    if made.unsealed:
        lines.append(
            f"{count(made.unsealed, 'change')} of this computer not in it: this computer may not "
            "write into the library."
        )
    return lines


def _since(text: str | None) -> datetime | Path | str | None:
    """What ``--since`` names."""
    if text is None or text == _LAST:
        return text
    path = _absolute(Path(text))
    return path if path.is_file() else parse_moment(text, option="--since")


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()

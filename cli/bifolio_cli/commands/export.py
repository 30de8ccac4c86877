"""``bifolio export``: references as a file for other programs."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import UsageError
from bifolio.results import ExportedFile, Stage
from bifolio_cli.export_target import target
from bifolio_cli.invocation import DONE_IN_PART, Invocation, JsonOption, LibraryOption, invocation
from bifolio_cli.output import Output
from bifolio_cli.progress import ProgressBars
from bifolio_cli.query_command import QueryCommand
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.records.reference import ExportReport

#: Lost values that a person is shown; --json names all.
_NAMED_MAX = 20


#: What belongs to the library and is in no export; nothing of a reference is missing without it.
_STAYING = ("groups", "files")

COMMAND_CLASS = QueryCommand


class ExportFormat(StrEnum):
    """The formats that can be written."""

    RIS = "ris"
    BIBTEX = "bibtex"
    BIBLATEX = "biblatex"
    CSL_JSON = "csl-json"
    ENW = "enw"
    ENDNOTE_XML = "endnote-xml"


#: The formats that a file's suffix tells. An .xml may be anything.
_SUFFIXES = {
    ".ris": ExportFormat.RIS,
    ".bib": ExportFormat.BIBTEX,
    ".bibtex": ExportFormat.BIBTEX,
    ".biblatex": ExportFormat.BIBLATEX,
    ".json": ExportFormat.CSL_JSON,
    ".enw": ExportFormat.ENW,
}


def export(
    context: typer.Context,
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            show_default=False,
            help="Export only the references that this search finds.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write (default stdout)."),
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            "--watch",
            metavar="FILE",
            help="Write FILE again whenever the library changes, until Ctrl-C.",
        ),
    ] = None,
    file_format: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            metavar="ris|bibtex|biblatex|csl-json|enw|endnote-xml",
            show_default=False,
            help="The format (default: by the ending of the file's name).",
        ),
    ] = None,
    members_blocks: Annotated[
        bool,
        typer.Option(
            "--members-blocks",
            help="Also write preambles and comments of files that other members imported which "
            "are left out because TeX would run them.",
        ),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Export references as RIS, BibTeX, BibLaTeX, CSL-JSON, enw or EndNote XML.

    Values that the format cannot hold are named, and the exit code is then 3. Groups and attached
    files stay in the library: no export has them.
    """
    call = invocation(context, library=library, json=json)
    chosen = _chosen_format(file_format, watch or file)
    words = " ".join(query or ()) or None
    if watch is None:
        _export(call, file, format=chosen, query=words, members_blocks=members_blocks)
        return
    if file is not None:
        raise UsageError(
            "Both -o and --watch were given.", next_step="Give one of -o FILE and --watch FILE."
        )
    from bifolio_cli.export_watch import keep_current

    with call.open_library() as opened:
        current = opened.live_export(format=chosen, query=words, members_blocks=members_blocks)
        keep_current(current, watch, call.output)


def _export(
    call: Invocation,
    file: Path | None,
    *,
    format: str,
    query: str | None,
    members_blocks: bool,
) -> None:
    """Write the references once, and say what the format could not hold."""
    if file is None and call.output.json:
        raise UsageError(
            "With --json the report is on stdout, so the references need a file.",
            next_step="Name a file with -o FILE, or leave --json out.",
        )
    with call.read_library() as opened, target(file) as out, ProgressBars() as progress:
        report = opened.export(
            out,
            format=format,
            query=query,
            members_blocks=members_blocks,
            progress=partial(progress, Stage.WRITING) if progress else None,
        )
    if call.output.json:
        assert file is not None
        call.output.document(ExportedFile(report.exported, file, tuple(report.lost)))
    else:
        _remark(call.output, report, file)
    if any(value.field not in _STAYING for value in report.lost):
        raise typer.Exit(DONE_IN_PART)


def _chosen_format(named: ExportFormat | None, file: Path | None) -> str:
    """The format by name, otherwise by the suffix of the file."""
    suffix = file.suffix.lower() if file is not None else ""
    found = named or _SUFFIXES.get(suffix)
    if found is None:
        raise UsageError(
            f"Without --format the format{f' of {file}' if file else ''} is not known.",
            next_step=f"Give --format with one of {', '.join(ExportFormat)}.",
        )
    return found.value


def _remark(output: Output, report: ExportReport, file: Path | None) -> None:
    if file is not None:
        output.say(f"{count(report.exported, 'reference')} written to {file}.")
    lost = [value for value in report.lost if value.field not in _STAYING]
    if lost:
        output.remark(f"The format cannot hold {count(len(lost), 'value')}:")
    for value in lost[:_NAMED_MAX]:
        output.remark(f"  {value.key or value.reference}: {value.field}: {value.reason}")
    if len(lost) > _NAMED_MAX:
        output.remark(f"  ... and {len(lost) - _NAMED_MAX:,} more; --json lists all.")
    staying = Counter(value.field for value in report.lost if value.field in _STAYING)
    if staying:
        of = " and ".join(
            f"the {name} of {count(staying[name], 'reference')}"
            for name in _STAYING
            if staying[name]
        )
        output.remark(f"Only in the library, because no export has them: {of}.")

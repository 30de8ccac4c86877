"""``bifolio export``: references as a file for other programs."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
_SMART = "smart-group"
#: What is several things in the library, and one text in an export.
_JOINED = ("notes", "annotations")
_CITED = "cited"

#: The formats that name files.
_WITH_FILES = frozenset({"ris", "bibtex", "biblatex", "endnote-xml"})

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


_WithFiles = Annotated[
    Path | None,
    typer.Option(
        "--with-files",
        metavar="FOLDER",
        help="Copy attached files into FOLDER, and name them in the export (BibTeX, BibLaTeX, "
        "RIS, EndNote XML).",
    ),
]
_Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="FILE",
        help="Export only what a paper cites: its .aux or .bcf file.",
    ),
]


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
    with_files: _WithFiles = None,
    keys: _Keys = None,
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

    Values that the format cannot hold are named, and the exit code is then 3. Groups go out with
    BibTeX and BibLaTeX, as JabRef's; attached files with --with-files.
    """
    call = invocation(context, library=library, json=json)
    chosen = _chosen_format(file_format, watch or file)
    words = " ".join(query or ()) or None
    options = _Options(chosen, words, members_blocks, with_files, keys)
    _check(options, file, watch)
    if watch is None:
        _export(call, file, options)
    else:
        _watch(call, watch, options)


class _Options(NamedTuple):
    """What is exported, and what goes with it."""

    format: str
    query: str | None
    members_blocks: bool
    with_files: Path | None
    keys: Path | None


def _check(options: _Options, file: Path | None, watch: Path | None) -> None:
    """Raises: UsageError, options that do not go together."""
    if options.with_files is not None and options.format not in _WITH_FILES:
        raise UsageError(
            f"The format {options.format} has no place for files.",
            next_step=f"Leave --with-files out, or give --format with one of "
            f"{', '.join(sorted(_WITH_FILES))}.",
        )
    if watch is None:
        return
    if options.with_files is not None or options.keys is not None:
        named = "--with-files" if options.with_files is not None else "--keys"
        raise UsageError(
            f"--watch and {named} do not go together.", next_step=f"Leave out --watch or {named}."
        )
    if file is not None:
        raise UsageError(
            "Both -o and --watch were given.", next_step="Give one of -o FILE and --watch FILE."
        )


def _watch(call: Invocation, file: Path, options: _Options) -> None:
    """Write the references again whenever the library changes."""
    from bifolio_cli.export_watch import keep_current

    with call.open_library() as opened:
        current = opened.live_export(
            format=options.format, query=options.query, members_blocks=options.members_blocks
        )
        keep_current(current, file, call.output)


def _export(call: Invocation, file: Path | None, options: _Options) -> None:
    """Write the references once, and say what the format could not hold."""
    if file is None and call.output.json:
        raise UsageError(
            "With --json the report is on stdout, so the references need a file.",
            next_step="Name a file with -o FILE, or leave --json out.",
        )
    with call.read_library() as opened, target(file) as out, ProgressBars() as progress:
        report = opened.export(
            out,
            format=options.format,
            query=options.query,
            members_blocks=options.members_blocks,
            with_files=options.with_files,
            beside=file.absolute().parent if file is not None else None,
            cited_in=options.keys,
            progress=partial(progress, Stage.WRITING) if progress else None,
        )
    if call.output.json:
        assert file is not None
        call.output.document(ExportedFile(report.exported, file, tuple(report.lost)))
    else:
        _remark(call.output, report, file)
    if any(value.field not in (*_STAYING, *_JOINED, _SMART) for value in report.lost):
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
    apart = (*_STAYING, *_JOINED, _SMART, _CITED)
    lost = [value for value in report.lost if value.field not in apart]
    if missing := [value.key for value in report.lost if value.field == _CITED]:
        output.remark(f"Cited, and not in the library: {_named(missing)}.")
    if lost:
        output.remark(f"The format cannot hold {count(len(lost), 'value')}:")
    for value in lost[:_NAMED_MAX]:
        output.remark(f"  {value.key or value.reference}: {value.field}: {value.reason}")
    if len(lost) > _NAMED_MAX:
        output.remark(f"  ... and {len(lost) - _NAMED_MAX:,} more; --json lists all.")
    if joined := _whose(report, _JOINED):
        output.remark(f"Written as one text for each reference: {' and '.join(joined)}.")
    of = _whose(report, _STAYING)
    if smart := [value.key for value in report.lost if value.field == _SMART]:
        of.append(f"groups that a search fills ({_named(smart)})")
    if of:
        listed = " and ".join(filter(None, [", ".join(of[:-1]), of[-1]]))
        output.remark(f"Only in the library, because this export has no place for them: {listed}.")


def _whose(report: ExportReport, names: tuple[str, ...]) -> list[str]:
    """What stays, or is joined, and of how many: ``["the groups of 2 references"]``."""
    found = Counter(value.field for value in report.lost if value.field in names)
    return [f"the {name} of {count(found[name], 'reference')}" for name in names if found[name]]


def _named(names: list[str]) -> str:
    more = len(names) - _NAMED_MAX
    return ", ".join(names[:_NAMED_MAX]) + (f" and {more:,} more" if more > 0 else "")

"""``bifolio export``: references as a file for other programs."""

from __future__ import annotations

import codecs
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from bifolio.errors import UsageError
from bifolio_cli.invocation import DONE_IN_PART, JsonOption, LibraryOption, invocation
from bifolio_cli.output import Output
from bifolio_cli.progress import ProgressBars
from bifolio_cli.query_command import QueryCommand
from bifolio_cli.rendering import count, escape_controls

if TYPE_CHECKING:
    from bifolio.records.reference import ExportReport

#: Lost values that a person is shown; --json names all.
_NAMED_MAX = 20


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
        typer.Argument(metavar="QUERY", show_default=False, help="Only what this search finds."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; else stdout."),
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            "--watch",
            metavar="FILE",
            help="Keep FILE current as the library changes, until Ctrl-C.",
        ),
    ] = None,
    file_format: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            metavar="ris|bibtex|biblatex|csl-json|enw|endnote-xml",
            show_default=False,
            help="The format; else the file's suffix tells.",
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Export references as RIS, BibTeX, BibLaTeX, CSL-JSON, enw or EndNote XML.

    What the format cannot carry is named, and the exit code is then 3.
    """
    call = invocation(context, library=library, json=json)
    chosen = _chosen_format(file_format, watch or file)
    words = " ".join(query or ()) or None
    if watch is not None:
        if file is not None:
            raise UsageError(
                "Two files were named.", next_step="Give one of -o FILE and --watch FILE."
            )
        from bifolio_cli.watching import keep_current

        with call.open_library() as opened:
            standing = opened.standing_export(format=chosen, query=words)
            keep_current(standing, watch, call.output)
        return
    if file is None and call.output.json:
        raise UsageError(
            "With --json the report is on stdout, so the references need a file.",
            next_step="Name one with -o FILE, or leave --json out.",
        )
    with call.open_library() as opened, target(file) as out, ProgressBars() as progress:
        report = opened.export(
            out,
            format=chosen,
            query=words,
            progress=partial(progress, "writing") if progress else None,
        )
    if call.output.json:
        call.output.document(
            {"exported": report.exported, "file": str(file), "lost": _lost(report)}
        )
    else:
        _remark(call.output, report, file)
    if report.lost:
        raise typer.Exit(DONE_IN_PART)


def _chosen_format(named: ExportFormat | None, file: Path | None) -> str:
    """The format by name, else by the suffix of the file."""
    suffix = file.suffix.lower() if file is not None else ""
    found = named or _SUFFIXES.get(suffix)
    if found is None:
        raise UsageError(
            f"Without --format nothing tells the format{f' of {file}' if file else ''}.",
            next_step=f"Give --format with one of {', '.join(ExportFormat)}.",
        )
    return found.value


@contextmanager
def target(file: Path | None) -> Iterator[BinaryIO]:
    """Where the references go. A file appears whole under its name, or not at all."""
    if file is None:
        yield cast("BinaryIO", _TerminalText()) if sys.stdout.isatty() else sys.stdout.buffer
        sys.stdout.flush()
        return
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if file.exists() and not file.is_file():
        # A device or a pipe (/dev/stdout) is written to; it must not be replaced by a file.
        with file.open("wb") as out:
            yield out
        return
    # Through a link to the file that it names: a paper's folder often holds such a link.
    place = file.resolve()
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        # The user knows the file's name, not that of its forerunner.
        raise OSError(error.errno, error.strerror, str(file)) from error
    unfinished = Path(name)
    try:
        with open(descriptor, "wb") as out:  # noqa: PTH123 - a descriptor, not a path
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.chmod(_permissions(place))
        unfinished.replace(place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _permissions(file: Path) -> int:
    """Those of the file that is replaced, else what a new file gets here."""
    if file.exists():
        return file.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class _TerminalText:
    """The write side of a file that shows UTF-8 on a terminal with its controls spelled out."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, chunk: bytes) -> int:
        sys.stdout.write(escape_controls(self._decoder.decode(chunk).replace("\r\n", "\n")))
        return len(chunk)

    def flush(self) -> None:
        sys.stdout.flush()


def _lost(report: ExportReport) -> list[dict[str, str]]:
    return [
        {
            "reference": value.reference,
            "key": value.key,
            "field": value.field,
            "reason": value.reason,
        }
        for value in report.lost
    ]


def _remark(output: Output, report: ExportReport, file: Path | None) -> None:
    if file is not None:
        output.say(f"{count(report.exported, 'reference')} written to {file}.")
    if report.lost:
        output.remark(f"{count(len(report.lost), 'value')} could not be carried by the format:")
    for value in report.lost[:_NAMED_MAX]:
        output.remark(f"  {value.key or value.reference}: {value.field}: {value.reason}")
    if len(report.lost) > _NAMED_MAX:
        output.remark(f"  ... and {len(report.lost) - _NAMED_MAX:,} more; --json names all.")

"""``bifolio import``: references from the files and libraries of other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifolio.errors import BifolioError, Next
from bifolio_cli.invocation import DONE_IN_PART, JsonOption, LibraryOption, invocation
from bifolio_cli.output import Output
from bifolio_cli.progress import ProgressBars
from bifolio_cli.text.next_steps import WORDS, word_of
from bifolio_cli.text.reference_text import count

if TYPE_CHECKING:
    from bifolio.results import ImportReport, LeftOut, SkippedRecord

#: Skipped records and trashed keys that a person is shown; --json lists all.
_NAMED_MAX = 20


class ImportFormat(StrEnum):
    """The formats that can be read."""

    RIS = "ris"
    BIBTEX = "bibtex"
    BIBLATEX = "biblatex"
    CSL_JSON = "csl-json"
    ENW = "enw"
    ENDNOTE_XML = "endnote-xml"
    NBIB = "nbib"
    WOS = "wos"
    OVID = "ovid"
    REFWORKS = "refworks"
    PUBMED_XML = "pubmed-xml"
    MODS = "mods"
    SCOPUS_CSV = "scopus-csv"
    PUBMED_CSV = "pubmed-csv"
    CFF = "cff"
    ENDNOTE_LIBRARY = "endnote-library"
    ZOTERO_LIBRARY = "zotero-library"


def import_(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="Files of references, or the file or folder of an EndNote or Zotero library.",
        ),
    ],
    file_format: Annotated[
        ImportFormat | None,
        typer.Option(
            "--format",
            metavar="|".join(ImportFormat),
            help="The format of the files (default: by their content).",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="The character set of the files (default: by their bytes).",
        ),
    ] = None,
    zotero_group: Annotated[
        str | None,
        typer.Option(
            "--zotero-group",
            metavar="NAME",
            help="Import this group library of Zotero instead of My Library.",
        ),
    ] = None,
    linked_files: Annotated[
        bool,
        typer.Option(
            "--linked-files",
            help="Take in files that a Zotero library only links to, if they are in your home "
            "folder.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the import would do, and change nothing.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Import references from the files of other programs, or whole libraries of EndNote and Zotero.

    A whole library is imported with its groups, tags, notes, trash and files; it is read from a
    copy and not changed. What cannot be read is skipped and named, and so is a file that is
    missing; the rest is imported, and the exit code is then 3. What had to be guessed, such as a
    character set, is said, and the exit code is 0.
    """
    call = invocation(context, library=library, json=json)
    with call.open_library() as opened, ProgressBars() as progress:
        report = opened.import_files(
            files,
            format=file_format.value if file_format else None,
            encoding=encoding,
            zotero_group=zotero_group,
            linked_files=linked_files,
            dry_run=dry_run,
            progress=progress,
        )
    _tell(call.output, report, dry_run=dry_run)


def _tell(output: Output, report: ImportReport, *, dry_run: bool) -> None:
    """Say what the import did; the exit code is 3 where something of the files is not there."""
    # With --json the document names them all; where nothing was read there is none.
    skipped = [one for one in report.skipped if not one.is_remark]
    if skipped and not _references_read(report):
        if len(report.skipped) > 1:
            _remark_skipped(output, report.skipped)
        raise nothing_read(skipped)
    if output.json:
        output.document(report)
    else:
        _say(output, report, dry_run=dry_run)
        _remark_skipped(output, report.skipped)
        _remark_left_out(output, report.left_out)
    if skipped or report.missing_files:
        raise typer.Exit(DONE_IN_PART)


#: What to do about files that hold nothing, where none of them says anything better.
_CHECK_FILES = (
    "Check that these are the right files; export them again from the program they came from, or "
    "name their format with --format."
)


class NothingImportedError(BifolioError):
    """Not one reference could be read."""

    code = "nothing-imported"


def nothing_read(skipped: Sequence[SkippedRecord]) -> NothingImportedError:
    """The failure of an import of which not one reference could be read."""
    if len(skipped) == 1:
        return NothingImportedError(
            skipped_text(skipped[0]), next_step=skipped[0].next or _CHECK_FILES
        )
    return NothingImportedError(
        f"Nothing could be imported: {count(len(skipped), 'file or record', 'files or records')} "
        f"could not be read; the first: {skipped_text(skipped[0])}",
        next_step=_CHECK_FILES,
    )


def skipped_text(skipped: SkippedRecord) -> str:
    """``file:line: reason``; a reason that names its file is complete by itself."""
    if skipped.reason.startswith(skipped.file):
        return skipped.reason
    place = f"{skipped.file}:{skipped.line}" if skipped.line else skipped.file
    return f"{place}: {skipped.reason}"


def _references_read(report: ImportReport) -> int:
    seen = report.added + report.updated + report.unchanged
    return seen + report.trashed + report.purged


def _say(output: Output, report: ImportReport, *, dry_run: bool) -> None:
    skipped = sum(not one.is_remark for one in report.skipped)
    counts = (
        f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged, "
        f"{report.trashed:,} in the trash, {skipped:,} skipped."
    )
    output.say(f"Nothing was changed. The import would give: {counts}" if dry_run else counts)
    if report.groups or report.files or report.missing_files:
        groups = count(report.groups, "new or changed group")
        files = f"{count(report.files, 'file')}, and {report.missing_files:,} missing"
        output.say(f"{groups}; {files}.")
    if report.linked_files_left_out:
        linked = count(report.linked_files_left_out, "linked file")
        output.say(
            f"{linked} left out, because the library only links to them. To take in those in your "
            "home folder, run the import again with --linked-files."
        )
    if report.cleared:
        cleared = [f"{one.key} ({', '.join(one.fields)})" for one in report.cleared]
        output.say(
            f"Updated references had fields that the file does not have: {_named(cleared)}. "
            "'bifolio history REF' shows what was there; 'bifolio undo' undoes the import."
        )
    if report.trashed:
        output.say(
            "These are in the trash of this library, or of the one that they come from: "
            f"{_named(report.trashed_keys)}."
        )
    if report.purged:
        output.say(
            f"{count(report.purged, 'reference')} not imported, because removed when the trash was "
            f"emptied: {_named(report.purged_keys)}. 'bifolio restore REF' restores one."
        )
    if report.conflicts:
        output.say(
            f"In {count(report.conflicts, 'field')} the file differs from your own edit. Your edit "
            "is shown; 'bifolio conflicts' lists both values."
        )


def _named(keys: Sequence[str]) -> str:
    """The keys, each once, with how often it occurs."""
    told = [
        key if number == 1 else f"{key} ({number:,} times)" for key, number in Counter(keys).items()
    ]
    return ", ".join(told[:_NAMED_MAX]) + (", ..." if len(told) > _NAMED_MAX else "")


def _remark_skipped(output: Output, skipped: Sequence[SkippedRecord]) -> None:
    for one in skipped[:_NAMED_MAX]:
        output.remark(f"{skipped_text(one)} {word_of(one.next)}".rstrip())
    if any("character set" in one.reason for one in skipped):
        output.remark(f"If letters are wrong: {WORDS[Next.NAME_CHARACTER_SET]}")
    if len(skipped) > _NAMED_MAX:
        output.remark(f"... and {len(skipped) - _NAMED_MAX:,} more; --json lists all.")


def _remark_left_out(output: Output, left_out: Sequence[LeftOut]) -> None:
    for one in left_out[:_NAMED_MAX]:
        output.remark(f"Not imported: {one.what}: {one.reason}")
    if len(left_out) > _NAMED_MAX:
        output.remark(f"... and {len(left_out) - _NAMED_MAX:,} more; --json lists all.")

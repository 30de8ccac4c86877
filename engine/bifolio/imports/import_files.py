"""Files and whole libraries imported one after the other: one command, and one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from bifolio.errors import FileFormatError, UsageError
from bifolio.formats import is_library
from bifolio.imports.attached_files import items_of
from bifolio.imports.importer import Importer
from bifolio.records.reference import SkippedRecord
from bifolio.replica.replica import Replica
from bifolio.results import ImportReport

Progress = Callable[[str, int, int], None]


def import_files(
    replica: Replica,
    paths: Sequence[Path],
    *,
    format: str | None,
    zotero_group: str | None,
    dry_run: bool,
    progress: Progress | None,
) -> ImportReport:
    """Import files; one that cannot be read at all is skipped and named.

    ``progress`` is told the file, what is done of it and all of it. The other arguments are those
    of ``Library.import_files``.
    """
    _check_group(paths, format, zotero_group)
    report = ImportReport()
    rehearsal = replica.database.rehearsal() if dry_run else nullcontext()
    with replica.journal.command() as command, rehearsal:
        for path in paths:
            try:
                items = items_of(
                    path,
                    format=format,
                    zotero_group=zotero_group,
                    progress=_telling(progress, f"{path}: reading"),
                )
                importer = Importer(replica, file=str(path), keeps_files=not dry_run)
                imported = importer.run(items, progress=_telling(progress, str(path)))
            except FileFormatError as error:
                report.skipped.append(SkippedRecord(str(path), 0, error.message))
                continue
            report.add(imported)
            if (imported.added or imported.groups) and not dry_run:
                replica.introduce_device()
        command.words = report.in_words(len(paths))
    return report


def _check_group(paths: Sequence[Path], format: str | None, zotero_group: str | None) -> None:
    """A group library is one of a Zotero library's, and of nothing else.

    Raises:
        UsageError: nothing was imported.
    """
    files = [path for path in paths if not is_library(path, format)] if zotero_group else []
    if files:
        raise UsageError(
            f"{files[0]} is no Zotero library; it has no group library '{zotero_group}'.",
            next_step="Name the Zotero library alone, or leave --zotero-group out.",
        )


def _telling(progress: Progress | None, file: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(file, done, total)

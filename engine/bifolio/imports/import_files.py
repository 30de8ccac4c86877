"""Files and whole libraries imported one after the other: one command, and one report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from bifolio.errors import FileFormatError, Next, UsageError
from bifolio.formats import LinkedFiles, check_encoding, is_library
from bifolio.imports.attached_files import items_of
from bifolio.imports.importer import Importer
from bifolio.records.reference import SkippedRecord
from bifolio.replica.replica import Replica
from bifolio.results import (
    Action,
    ActionKind,
    FileProgress,
    ImportReport,
    ImportTally,
    Stage,
    Subject,
)


def import_files(
    replica: Replica,
    paths: Sequence[Path],
    *,
    format: str | None,
    encoding: str | None,
    zotero_group: str | None,
    links: LinkedFiles | None,
    dry_run: bool,
    progress: FileProgress | None,
) -> ImportReport:
    """Import files; one that cannot be read at all is skipped and named.

    The arguments are those of ``Library.import_files``.

    Args:
        links: where files may be that a library only links to; None: none is taken.
    """
    _check_group(paths, format, zotero_group)
    if encoding is not None:
        encoding = check_encoding(encoding)
    tally = ImportTally()
    rehearsal = replica.database.rehearsal() if dry_run else nullcontext()
    if not dry_run:
        replica.check_may_write()
    with replica.journal.command() as command, rehearsal:
        for path in paths:
            try:
                items = items_of(
                    path,
                    format=format,
                    encoding=encoding,
                    zotero_group=zotero_group,
                    links=links,
                    progress=_report_file(progress, Stage.READING, path),
                )
                importer = Importer(replica, file=str(path), keeps_files=not dry_run)
                imported = importer.run(
                    items, progress=_report_file(progress, Stage.IMPORTING, path)
                )
            except FileFormatError as error:
                refused = SkippedRecord(str(path), 0, error.message, next=error.next_step)
                tally.skipped.append(refused)
                continue
            tally.add(imported)
            if (imported.added or imported.groups) and not dry_run:
                replica.introduce_device()
        if tally.added or tally.updated_keys:
            command.actions = tuple(_actions(tally, len(paths)))
    return tally.report()


def _actions(tally: ImportTally, files: int) -> Iterator[Action]:
    """What it did, for the log."""
    counts = ((ActionKind.IMPORTED, tally.added), (ActionKind.UPDATED, len(tally.updated_keys)))
    for kind, count in counts:
        if count:
            yield Action(kind, Subject.REFERENCE, count, files=files)


def _check_group(paths: Sequence[Path], format: str | None, zotero_group: str | None) -> None:
    """A group library is one of a Zotero library's, and of nothing else.

    Raises:
        UsageError: nothing was imported.
    """
    files = [path for path in paths if not is_library(path, format)] if zotero_group else []
    if files:
        raise UsageError(
            f"{files[0]} is not a Zotero library: it has no group library '{zotero_group}'.",
            next_step=Next.LEAVE_OUT_ZOTERO_GROUP,
        )


def _report_file(
    progress: FileProgress | None, stage: Stage, file: Path
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total, str(file))

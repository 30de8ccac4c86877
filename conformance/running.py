"""The run: one task for each file and each format's cases, spread over processes.

A run is bounded: every file is read whole and goes out and back in its own format whole; the
touched references and the ways through other formats are an even sample of each file.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from bifolio.errors import FileFormatError
from bifolio.formats import EXPORT_FORMATS
from conformance.agreement import compare
from conformance.differences import SHARED
from conformance.families import FAMILIES
from conformance.family import Case, Family
from conformance.figures import Figures, Reading
from conformance.folders import Folders, RealFile, real_files
from conformance.loading import Loaded, load
from conformance.roundtrips import check_across, check_touched, check_unchanged

#: References of one file that are touched, or go through each other format: a run of all formats
#: has to end within five minutes on two cores.
SAMPLE: Final = 50


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does at a time: a real file, or all cases of a format."""

    format: str
    folders: Folders
    file: RealFile | None
    sample: int

    @property
    def weight(self) -> int:
        """Roughly how long it takes: the longest are begun first."""
        return self.file.size_bytes if self.file else 1_000_000


def tasks(
    folders: Folders, formats: Iterable[str], *, size_bytes_max: int = 0, sample: int = SAMPLE
) -> list[Task]:
    """All tasks of a run, the longest first.

    Args:
        size_bytes_max: leave out larger files; 0 for none.
        sample: references of one file that are touched and sent through other formats.
    """
    files = real_files(folders.corpora)
    chosen = [
        Task(name, folders, file, sample)
        for name in formats
        for file in files
        if FAMILIES[name].owns(PurePosixPath(file.path))
        and (not size_bytes_max or file.size_bytes <= size_bytes_max)
    ]
    chosen += [Task(name, folders, None, sample) for name in formats]
    return sorted(chosen, key=lambda task: -task.weight)


def run(chosen: list[Task], *, processes: int) -> dict[str, Figures]:
    """The figures of each format, in the order of ``FAMILIES``."""
    names = [name for name in FAMILIES if any(task.format == name for task in chosen)]
    figures = {name: Figures(name) for name in names}
    if processes <= 1:
        for task in chosen:
            figures[task.format].add(perform(task))
        return figures
    with ProcessPoolExecutor(processes) as pool:
        for found in pool.map(perform, chosen):
            figures[found.format].add(found)
    return figures


def perform(task: Task) -> Figures:
    """The figures of one task."""
    started = time.process_time()
    family = FAMILIES[task.format]
    figures = Figures(task.format)
    with tempfile.TemporaryDirectory(prefix="bifolio-conformance-") as scratch:
        if task.file is None:
            for case in family.cases(task.folders.cases):
                _compare(case, family, figures, Path(scratch))
        else:
            _check_file(task, family, figures, Path(scratch))
    figures.seconds = time.process_time() - started
    return figures


def _compare(case: Case, family: Family, figures: Figures, scratch: Path) -> None:
    path = scratch / case.file_name
    path.write_bytes(case.content)
    try:
        loaded = load(path, family.name if case.expected else None)
    except FileFormatError:
        loaded = Loaded()
    figures.agreement.add(compare(case, loaded.references, (*SHARED, *family.differences)))


def _check_file(task: Task, family: Family, figures: Figures, scratch: Path) -> None:
    assert task.file is not None
    loaded = _read(task.folders.corpora / task.file.path, task.file, family, figures.reading)
    if not loaded.references:
        return
    count = len(loaded.references)
    sample = sorted({place * count // task.sample for place in range(task.sample)})
    if family.name in EXPORT_FORMATS:
        figures.unchanged = check_unchanged(loaded, family.name, scratch)
        figures.touched = check_touched(loaded, family.name, scratch, sample)
    for other in EXPORT_FORMATS:
        if other != family.name:
            figures.across[other] = check_across(loaded, (family.name, other), scratch, sample)
    for check in (figures.unchanged, figures.touched, *figures.across.values()):
        check.faults = [f"{task.file.path}: {fault}" for fault in check.faults]


def _read(path: Path, file: RealFile, family: Family, reading: Reading) -> Loaded:
    """Read one file and count its records against the manifest."""
    reading.files = 1
    try:
        loaded = load(path)
        reading.files_read = 1
        problem = ""
    except FileFormatError as error:
        loaded, problem = Loaded(), str(error)
    read = len(loaded.references)
    counted = file.records
    if counted is None:
        reading.records_beyond = read
        if problem:
            reading.reasons.append(f"{file.path}: {problem}")
        return loaded
    missing = max(0, counted - read)
    reading.records_counted = counted
    reading.records_read = counted - missing
    reading.records_beyond = max(0, read - counted)
    if missing:
        named = family.losses.get(file.path) or "; ".join(
            f"line {one.line}: {one.reason}" for one in loaded.skipped
        )
        known = file.path in family.losses or len(loaded.skipped) >= missing
        reading.lost_with_reason = missing if known else 0
        reading.lost = 0 if known else missing
        line = f"{file.path}: {read} of {counted} ({named or problem or 'nothing says why'})"
        (reading.reasons if known else reading.faults).append(line)
    return loaded

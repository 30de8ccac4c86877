"""What does pandoc take to read the files that an import reads?

``pandoc --to csljson`` reads a file and writes it as CSL-JSON; ``bifolio import`` reads it into a
library: documents, changes, lists and searches, on the disk. Both as whole processes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pypandoc
from benchmarks.peers import workload
from benchmarks.support.processes import Computer, ProcessFailedError, run_process
from benchmarks.support.report import Benchmark, Computed, Measured, progress

#: The formats, as Bifolio and pandoc call them.
_FORMATS = {"bibtex": "bib", "ris": "ris"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many references."""

    references: int
    rounds: int


def measure(size: Size, folder: Path) -> Measured:
    """Read the same files, in turns."""
    workload.write(folder, size.references, 0)
    writer = Computer(folder / "writer")
    writer.new_library(folder / "library.json")
    pandoc = pypandoc.get_pandoc_path()
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    for name, suffix in _FORMATS.items():
        file = folder / f"library.{suffix}"
        writer.run("export", "--format", name, "-o", str(file))
        runs = []
        for number in range(size.rounds):
            progress(f"{name}, round {number + 1}")
            reader = Computer(folder / f"{name}{number}")
            reader.run("init", str(reader.library), "--name", "Benchmark")
            ours = reader.run("import", str(file))
            if ours.document()["added"] != size.references:
                raise ProcessFailedError("not every reference was imported")
            theirs = run_process([pandoc, "--from", name, "--to", "csljson", str(file)])
            if len(theirs.document()) != size.references:
                raise ProcessFailedError("pandoc has not read every reference")
            runs.append((ours, theirs))
        for whose, place in (("bifolio", 0), ("pandoc", 1)):
            figures[f"{name}_{whose}_s"] = median(run[place].seconds for run in runs)
            figures[f"{name}_{whose}_cpu_s"] = median(run[place].cpu_s for run in runs)
            figures[f"{name}_{whose}_peak_bytes"] = max(run[place].peak_bytes for run in runs)
        ratios[f"{name}_over_pandoc"] = median(one.seconds / other.seconds for one, other in runs)
        ratios[f"{name}_cpu_over_pandoc"] = median(one.cpu_s / other.cpu_s for one, other in runs)
    return Measured(figures, ratios, Computed.of_json(["read", size.references]))


BENCHMARK = Benchmark(
    name="peers_import",
    question="What does pandoc take to read the same files?",
    baseline="pandoc, which reads a file and writes CSL-JSON",
    result="that all references were read",
    smoke=Size(references=50, rounds=1),
    full=Size(references=10_000, rounds=3),
    measure=measure,
)


if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

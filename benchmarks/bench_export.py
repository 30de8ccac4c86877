"""What does it cost to export a library?

``bifolio export`` as a whole process, in each format, against the import of what it wrote: an
export reads back what it writes wherever a format could lose something, so it does what an import
does, and the other way.  A second, larger library shows whether memory stays flat.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import baselines
from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import Computer, run_process
from benchmarks.support.report import Benchmark, Computed, Measured, progress


@dataclass(frozen=True, slots=True)
class Size:
    """How large the libraries are."""

    references: int
    larger_references: int


#: The format that the references came from, and two that they did not.
FORMATS = ("bibtex", "ris", "csl-json")
_ENDINGS = {"bibtex": "bib", "ris": "ris", "csl-json": "json"}


def measure(size: Size, folder: Path) -> Measured:
    """Export one library in each format, and a larger one in one of them."""
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    written: list[bytes] = []
    computer = _library(folder / "first", size.references)
    for format in FORMATS:
        target = folder / f"out.{_ENDINGS[format]}"
        progress(f"exporting {format}")
        exported = computer.run("export", "--format", format, "-o", str(target))
        parsing = run_process([sys.executable, baselines.__file__, "parse", str(target)])
        count = int(exported.document()["exported"])
        name = format.replace("-", "_")
        figures |= {
            f"{name}_references": count,
            f"{name}_export_s": exported.seconds,
            f"{name}_export_cpu_s": exported.cpu_s,
            f"{name}_parsing_cpu_s": float(parsing.document()["cpu_s"]),
            f"{name}_peak_bytes": exported.peak_bytes,
        }
        ratios[f"{name}_cpu_over_parsing"] = exported.cpu_s / float(parsing.document()["cpu_s"])
        written.append(target.read_bytes())
    larger = _library(folder / "larger", size.larger_references)
    progress("exporting the larger library")
    target = folder / "larger.bib"
    exported = larger.run("export", "--format", "bibtex", "-o", str(target))
    figures["larger_peak_bytes"] = exported.peak_bytes
    if figures["bibtex_peak_bytes"]:
        ratios["larger_over_first_peak"] = exported.peak_bytes / figures["bibtex_peak_bytes"]
    return Measured(figures, ratios, Computed.of(written))


def _library(folder: Path, references: int) -> Computer:
    file = folder.with_suffix(".bib")
    write_bibliography(file, references)
    computer = Computer(folder)
    progress(f"importing {references:,} references")
    computer.new_library(file)
    return computer


BENCHMARK = Benchmark(
    name="export",
    question="What does it cost to export a library?",
    baseline="reading and mapping the file that was written, without a library",
    result="the files that were written",
    smoke=Size(references=30, larger_references=60),
    full=Size(references=10_000, larger_references=40_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

"""How many references does an import take in per second, and how much of that is parsing?

``bifolio import`` as a whole process, for BibTeX and for RIS (the export of the former), against
a process that reads the same file and throws away what it says.
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
    """How large the files are."""

    references: int


def measure(size: Size, folder: Path) -> Measured:
    """Import a BibTeX file, export it as RIS, and import that into another library."""
    bibtex, ris = folder / "library.bib", folder / "library.ris"
    write_bibliography(bibtex, size.references)
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    shown: list[object] = []
    for name, file in (("bibtex", bibtex), ("ris", ris)):
        computer = Computer(folder / name)
        computer.new_library()
        progress(f"{name}: parsing alone")
        parsing = run_process([sys.executable, baselines.__file__, "parse", str(file)])
        parsed = parsing.document()
        progress(f"{name}: import")
        imported = computer.run("import", str(file))
        references = int(imported.document()["added"])
        figures |= {
            f"{name}_references": references,
            f"{name}_import_s": imported.seconds,
            f"{name}_import_cpu_s": imported.cpu_s,
            f"{name}_references_per_s": references / imported.seconds,
            f"{name}_parsing_cpu_s": parsed["cpu_s"],
            f"{name}_parsed_per_cpu_s": parsed["count"] / parsed["cpu_s"],
            f"{name}_peak_bytes": imported.peak_bytes,
            f"{name}_parsing_peak_bytes": parsing.peak_bytes,
        }
        ratios[f"{name}_wall_over_parsing"] = imported.seconds / parsing.seconds
        ratios[f"{name}_cpu_over_parsing"] = imported.cpu_s / float(parsed["cpu_s"])
        if parsing.peak_bytes:
            ratios[f"{name}_peak_over_parsing"] = imported.peak_bytes / parsing.peak_bytes
        shown += computer.run("list").document()
        if file is bibtex:
            computer.run("export", "--format", "ris", "-o", str(ris))
    return Measured(figures, ratios, Computed.of_json(shown))


BENCHMARK = Benchmark(
    name="import",
    question="How many references does an import take in per second?",
    baseline="reading and mapping the same file, without a library",
    result="the references of both libraries as `bifolio list --json` shows them",
    smoke=Size(references=60),
    full=Size(references=10_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

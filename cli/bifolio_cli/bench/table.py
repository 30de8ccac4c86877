"""The figures of ``bifolio bench`` as a person reads them, and a chart in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bifolio_cli.json_documents import BenchReport, BenchStep

#: Columns of the longest bar.
_BAR = 40

_TITLES = {
    "import": "import",
    "send": "send to the relay",
    "fill": "fill another computer",
    "edit": "edit offline",
    "merge": "merge the others' edits",
}
_UNITS = {"merge": "changes", "edit": "edits"}


def lines(report: BenchReport) -> Iterator[str]:
    """What is printed."""
    yield (
        f"{report.references:,} references on {report.replicas} computers, "
        f"{report.edits:,} edits on each of them, one relay: all on this computer."
    )
    yield ""
    yield f"{'':24}{'':>18}{'seconds':>10}{'CPU':>9}{'each':>11}"
    for step in report.steps:
        yield _step(step)
    yield ""
    yield f"{'at the relay':24}{report.bytes_per_reference:>10,} bytes a reference"
    yield f"{'':24}{report.bytes_per_edit:>10,} bytes an edit"
    yield f"{'on disk':24}{report.disk_bytes_per_reference:>10,} bytes a reference"
    if report.peak_bytes:
        yield f"{'memory, at most':24}{report.peak_bytes / 1e6:>10,.0f} MB"
    yield ""
    yield "One edit, by the size of the library (milliseconds of CPU, the middle one of 25):"
    yield ""
    yield from _bars([(f"{one.references:,}", one.edit_cpu_ms) for one in report.growth])
    yield ""
    yield "One reference, edit or change of each step (milliseconds on the clock):"
    yield ""
    yield from _bars([(_TITLES[one.name], each_ms(one)) for one in report.steps])
    yield ""
    yield f"All computers hold the same library: {report.state[:16]}"


def each_ms(step: BenchStep) -> float:
    """Milliseconds on the clock for each reference, edit or change of a step."""
    return step.seconds / step.count * 1000 if step.count else 0.0


def title_of(step: BenchStep) -> str:
    """What a step is called."""
    return _TITLES[step.name]


def _step(step: BenchStep) -> str:
    what = f"{step.count:,} {_UNITS.get(step.name, 'references')}"
    return (
        f"{_TITLES[step.name]:24}{what:>18}{step.seconds:>10.2f}{step.cpu_seconds:>9.2f}"
        f"{each_ms(step):>8.2f} ms"
    )


def _bars(values: list[tuple[str, float]]) -> Iterator[str]:
    most = max((value for _, value in values), default=0.0) or 1.0
    for name, value in values:
        bar = "█" * max(1, round(value / most * _BAR))
        yield f"{name:>24} {bar} {value:.2f}"

"""The figures of ``bifolio bench`` as an SVG file: what each step costs, and how an edit's cost
grows with the library. No library draws it: two charts of bars and a line are some text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from bifolio_cli.bench.table import each_ms, title_of
from bifolio_cli.json_documents import BenchGrowth, BenchReport

_WIDTH, _HEIGHT = 720, 560
_LEFT, _RIGHT = 190, 660
_INK, _BAR, _PALE = "#222222", "#3b6ea5", "#d8d8d8"


def svg(report: BenchReport) -> str:
    """The picture, one line for each of its parts."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="13">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            _text(
                20,
                30,
                f"{report.references:,} references, {report.replicas} computers, "
                f"{report.edits:,} edits on each",
                size=16,
            ),
            *_bars(report, top=70),
            *_line(report.growth, top=310),
            "</svg>\n",
        ]
    )


def _bars(report: BenchReport, *, top: int) -> Iterator[str]:
    yield _text(20, top, "Milliseconds on the clock for each reference, edit or change", size=14)
    values = [(title_of(one), each_ms(one)) for one in report.steps]
    most = max(value for _, value in values) or 1.0
    for place, (name, value) in enumerate(values):
        y = top + 20 + 36 * place
        width = max(1.0, value / most * (_RIGHT - _LEFT - 60))
        yield _text(_LEFT - 10, y + 17, name, anchor="end")
        yield f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="24" fill="{_BAR}"/>'
        yield _text(_LEFT + width + 8, y + 17, f"{value:.2f}")


def _line(growth: Sequence[BenchGrowth], *, top: int) -> Iterator[str]:
    """The cost of an edit over the size of the library, that on a logarithmic axis."""
    yield _text(20, top, "Milliseconds of CPU for one edit, by the size of the library", size=14)
    if not growth:
        return
    bottom, high = top + 190, top + 30
    sizes = [max(1, one.references) for one in growth]
    low, span = math.log(sizes[0]), math.log(sizes[-1]) - math.log(sizes[0]) or 1.0
    most = max(one.edit_cpu_ms for one in growth) * 1.2 or 1.0
    points = [
        (
            _LEFT + (math.log(size) - low) / span * (_RIGHT - _LEFT),
            bottom - one.edit_cpu_ms / most * (bottom - high),
        )
        for size, one in zip(sizes, growth, strict=True)
    ]
    for part in range(5):
        y = bottom - part / 4 * (bottom - high)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_RIGHT}" y2="{y:.1f}" stroke="{_PALE}"/>'
        yield _text(_LEFT - 10, y + 4, f"{most * part / 4:.1f}", anchor="end")
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" stroke="{_BAR}" stroke-width="2"/>'
    for (x, y), size in zip(points, sizes, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_BAR}"/>'
        yield _text(x, bottom + 20, f"{size:,}", anchor="middle")


def _text(x: float, y: float, text: str, *, size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{_INK}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )

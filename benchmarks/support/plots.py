"""Reports of a benchmark as pictures: SVG, drawn by hand, on logarithmic axes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from statistics import median
from typing import Any, Final

Report = dict[str, Any]

#: Size by size, what was measured.
Series = Mapping[int, float]

_LEFT, _WIDTH, _ROW = 330, 760, 24

_HEIGHT, _MARGIN, _KEY_WIDTH = 420, 60, 220
_COLOURS: Final = ("#3b6ea5", "#b5532a", "#4d8b4d", "#8a5a9e", "#a08a2c", "#555555", "#c0507a")

#: A figure whose name holds a size, ``edit_1000_s``, and not a comparison of two.
_SIZED = re.compile(r"(?P<before>[a-z_]+?)_(?P<size>\d{2,})_(?P<after>[a-z_]+)")


def draw_ratios(found: Sequence[Report]) -> str:
    """The ratios of one benchmark as bars on a logarithmic axis, 1 being the baseline."""
    names = list(found[-1]["ratios"])
    values = [median(one["ratios"].get(name, 1.0) for one in found) for name in names]
    low = math.floor(math.log10(min([*values, 1.0])))
    high = math.ceil(math.log10(max([*values, 1.0]) * 1.01)) or 1
    height = 70 + _ROW * len(names)

    def at(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - 70)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="22" font-size="14">{escape(found[-1]["question"])}</text>',
        f'<text x="10" y="40" fill="#555555">times {escape(found[-1]["baseline"])}</text>',
    ]
    for power in range(low, high + 1):
        x = at(10.0**power)
        parts.append(f'<line x1="{x:.0f}" y1="48" x2="{x:.0f}" y2="{height - 18}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{x:.0f}" y="{height - 5}" text-anchor="middle">{10.0**power:g}</text>'
        )
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        y = 52 + _ROW * place
        start, end = sorted((at(1.0), at(value)))
        label = escape(name.replace("_", " "))
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{label}</text>')
        parts.append(
            f'<rect x="{start:.1f}" y="{y}" width="{max(1.0, end - start):.1f}" height="16" '
            'fill="#3b6ea5"/>'
        )
        parts.append(f'<text x="{end + 5:.1f}" y="{y + 13}">{value:.3g}</text>')
    return "\n".join([*parts, "</svg>\n"])


def draw_growth(found: Sequence[Report]) -> str | None:
    """What was measured at several sizes, a line for each figure, both axes logarithmic.

    A line that stays level costs the same at every size, one that follows the grid's diagonal costs
    as much more as there is more. None where nothing was measured at two sizes.
    """
    lines = _series(found)
    if not lines:
        return None
    sizes = sorted({size for one in lines.values() for size in one})
    values = [value for one in lines.values() for value in one.values()]
    across = _Axis(sizes[0], sizes[-1], _MARGIN, _WIDTH - _KEY_WIDTH)
    upward = _Axis(min(values), max(values), _HEIGHT - _MARGIN, 40)
    parts = [*_frame(found[-1]["question"], across, upward, sizes)]
    for number, (name, one) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [(across.at(size), upward.at(value)) for size, value in sorted(one.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        label = escape(name.replace("_", " "))
        parts.append(
            f'<text x="{_WIDTH - _KEY_WIDTH + 20}" y="{50 + 18 * number}" fill="{colour}">'
            f"{label}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


class _Axis:
    """Powers of ten on a stretch of the picture."""

    def __init__(self, least: float, most: float, start: float, end: float) -> None:
        self.low = math.floor(math.log10(least))
        self.high = max(math.ceil(math.log10(most)), self.low + 1)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self._start + part * (self._end - self._start)

    def marks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _series(found: Sequence[Report]) -> dict[str, Series]:
    """The figures that were measured at two sizes at least: medians over the rounds."""
    lines: dict[str, dict[int, float]] = {}
    for name in found[-1]["figures"]:
        sized = _SIZED.fullmatch(name)
        value = median(one["figures"].get(name, 0) for one in found)
        # A size in use may shrink: what is not positive has no place on such an axis.
        if sized is not None and value > 0:
            line = lines.setdefault(f"{sized['before']}_{sized['after']}", {})
            line[int(sized["size"])] = value
    return {name: one for name, one in lines.items() if len(one) > 1}


def _frame(title: str, across: _Axis, upward: _Axis, sizes: Sequence[int]) -> list[str]:
    left, right = across.at(10.0**across.low), across.at(10.0**across.high)
    bottom, top = upward.at(10.0**upward.low), upward.at(10.0**upward.high)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="10" y="22" font-size="14">{escape(title)}</text>',
    ]
    for mark in across.marks():
        x = across.at(mark)
        parts.append(f'<line x1="{x:.0f}" y1="{top}" x2="{x:.0f}" y2="{bottom}" stroke="#ddd"/>')
    for mark in upward.marks():
        y = upward.at(mark)
        parts.append(f'<line x1="{left}" y1="{y:.0f}" x2="{right}" y2="{y:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{mark:g}</text>')
    for size in sizes:
        x = across.at(size)
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>')
    return parts

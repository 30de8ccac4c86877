"""Runs all benchmarks and writes down what came out: ``make bench``, and ``make bench-peers``.

``results.jsonl`` holds each report, a line each; ``results.md`` the medians and the spread of each
figure and ratio, with the baseline; ``plots/NAME.svg`` the ratios side by side. Several rounds go
through all benchmarks in turns, so that a slow hour is in every one.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.report import progress
from benchmarks.support.runs import FOLDER, PEERS, benchmark_names, run_benchmark

Report = dict[str, Any]

_LEFT, _WIDTH, _ROW = 330, 760, 24


def main() -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often each is run")
    parser.add_argument("--smoke", action="store_true", help="only try it out")
    parser.add_argument("--peers", action="store_true", help="those that run other programs too")
    parser.add_argument("--out", type=Path, help="the folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help="some benchmarks only")
    given = parser.parse_args()
    reports: list[Report] = []
    folder: Path = PEERS if given.peers else FOLDER
    out: Path = given.out or folder
    out.mkdir(parents=True, exist_ok=True)
    with (out / "results.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(given.rounds):
            for name in given.names or benchmark_names(folder):
                progress(f"round {number + 1}: {name}")
                reports.append(run_benchmark(name, full=not given.smoke, folder=folder))
                lines.write(json.dumps(reports[-1]) + "\n")
                lines.flush()
    write_results(reports, out)
    return 0


def write_results(reports: Sequence[Report], folder: Path) -> None:
    """The table and the plots of some reports."""
    by_name: dict[str, list[Report]] = {}
    for one in reports:
        by_name.setdefault(one["benchmark"], []).append(one)
    plots = folder / "plots"
    plots.mkdir(exist_ok=True)
    text = ["# Results", "", "Written by `make bench`; medians, with the least and the most.", ""]
    for name, found in by_name.items():
        text += [*table(found), "", f"![{name}](plots/{name}.svg)", ""]
        (plots / f"{name}.svg").write_text(plot(found), encoding="utf-8")
    (folder / "results.md").write_text("\n".join(text), encoding="utf-8")


def table(found: Sequence[Report]) -> Iterator[str]:
    """The figures and ratios of one benchmark."""
    last = found[-1]
    machine = last["machine"]
    cal_s = median(one["machine"]["cal_s"] for one in found)
    yield f"## {last['question']}"
    yield ""
    yield f"Against {last['baseline']}. {last['size']} size, {len(found)} rounds; Python "
    yield f"{machine['python']}, {machine['cores']} cores, a fixed loop takes {cal_s:.3g} s."
    yield ""
    yield "| | median | least | most |"
    yield "|---|---|---|---|"
    for kind in ("ratios", "figures"):
        for name in last[kind]:
            values = [one[kind][name] for one in found if name in one[kind]]
            shown = " | ".join(f"{one:,.4g}" for one in (median(values), min(values), max(values)))
            yield f"| {name.replace('_', ' ')} | {shown} |"


def plot(found: Sequence[Report]) -> str:
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


if __name__ == "__main__":
    sys.exit(main())

"""Runs all benchmarks and writes down what came out: ``make bench``, and ``make bench-peers``.

``results.jsonl`` holds each report, a line each; ``results.md`` the medians and the spread of each
figure and ratio, with the baseline; ``plots/NAME.svg`` the ratios side by side, and
``plots/NAME-growth.svg`` what was measured at several sizes. Several rounds go through all
benchmarks in turns, so that a slow hour is in every one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.plots import Report, draw_growth, draw_ratios
from benchmarks.support.report import progress
from benchmarks.support.runs import FOLDER, PEERS, benchmark_names, run_benchmark


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
        (plots / f"{name}.svg").write_text(draw_ratios(found), encoding="utf-8")
        grown = draw_growth(found)
        if grown is not None:
            text += [f"![{name} at several sizes](plots/{name}-growth.svg)", ""]
            (plots / f"{name}-growth.svg").write_text(grown, encoding="utf-8")
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


if __name__ == "__main__":
    sys.exit(main())

"""Budgets name ratios that there are, and what is over one of them is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks.check import find_faults, read_budgets
from benchmarks.results import write_results
from benchmarks.support.runs import benchmark_names
from tests.unit.benchmarks.test_benchmarks import first_smoke

#: Quick ones, whose smoke runs other tests have made already where they run in this process.
_TRIED = ("local_edit", "offline_merge")


def report(**ratios: float) -> dict[str, Any]:
    return {
        "benchmark": "merge",
        "question": "What?",
        "size": "full",
        "baseline": "nothing",
        "figures": {"merge_s": 2.0},
        "ratios": ratios,
        "machine": {"python": "3.11", "cores": 2, "cal_s": 0.1},
    }


def test_every_budget_is_of_a_benchmark() -> None:
    assert set(read_budgets()) <= set(benchmark_names())


def test_budgets_name_ratios_that_there_are() -> None:
    for name in _TRIED:
        ratios = first_smoke(f"bench_{name}")["ratios"]
        assert [one for one in find_faults(read_budgets()[name], ratios) if "no such" in one] == []


def test_what_is_over_its_budget_is_named() -> None:
    faults = list(
        find_faults({"a": 2.0, "b_*": 1.1, "c": 5.0}, {"a": 2.1, "b_10": 1.2, "b_2": 1.0})
    )
    assert faults == [
        "a: 2.1, and may be 2 at most",
        "b_10: 1.2, and may be 1.1 at most",
        "c: the benchmark has no such ratio",
    ]


def test_results_are_a_table_and_plots(tmp_path: Path) -> None:
    write_results([report(a=2.0, b=0.5), report(a=4.0, b=0.5), report(a=3.0, b=0.5)], tmp_path)
    text = (tmp_path / "results.md").read_text("utf-8")
    assert "| a | 3 | 2 | 4 |" in text
    assert "| merge s | 2 | 2 | 2 |" in text
    picture = ElementTree.parse(tmp_path / "plots" / "merge.svg").getroot()
    texts = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "3" in texts
    assert "times nothing" in texts

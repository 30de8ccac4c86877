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
_TRIED = ("local_edit", "offline_merge", "serve")


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


def test_what_was_measured_at_several_sizes_is_drawn_as_lines(tmp_path: Path) -> None:
    one = report(a=2.0)
    one["figures"] = {
        "edit_1000_s": 0.5,
        "edit_100000_s": 0.6,
        "show_1000_s": 0.2,
        "edit_s_100000_over_1000": 1.2,
    }
    write_results([one], tmp_path)
    assert "merge-growth.svg" in (tmp_path / "results.md").read_text("utf-8")
    picture = ElementTree.parse(tmp_path / "plots" / "merge-growth.svg").getroot()
    lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 1
    (first_x, first_y), (last_x, last_y) = (
        map(float, point.split(",")) for point in lines[0].attrib["points"].split()
    )
    assert first_x < last_x
    assert last_y < first_y


def test_nothing_is_drawn_of_one_size(tmp_path: Path) -> None:
    write_results([report(a=2.0)], tmp_path)
    assert not (tmp_path / "plots" / "merge-growth.svg").exists()

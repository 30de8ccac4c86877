"""Every benchmark at smoke size: it runs as a process, and computes something.

Nothing here asserts a time: machines differ, and other programs use them too.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from benchmarks.support.processes import FORKED
from benchmarks.support.report import HASH_BYTES, HASH_NAME, Computed
from tests.support import command_server
from tests.support.cases import each

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "benchmarks").glob("bench_*.py"))
NAMES = [file.stem for file in FILES]

#: A smoke run takes a core more than a second. In `make test` these are loaded and not run; what
#: they measure is tested end to end, and how a smoke run is judged by the others.
LONG = {
    "bench_disk",
    "bench_export",
    "bench_first_sync",
    "bench_growth",
    "bench_hot_record",
    "bench_offline_merge",
    "bench_one_edit",
    "bench_serve",
    "bench_watch",
}

REPORT = {
    "benchmark",
    "question",
    "size",
    "parameters",
    "figures",
    "baseline",
    "ratios",
    "result",
    "machine",
}


@cache
def first_smoke(name: str) -> dict[str, Any]:
    """The report of the first smoke run."""
    return smoke(name)


def smoke(name: str) -> dict[str, Any]:
    """The report of a smoke run, in a process of its own as `make bench` runs it.

    It is forked, and so are the commands that it measures, where the end-to-end tests fork theirs.
    """
    script = ROOT / "benchmarks" / f"{name}.py"
    if command_server.is_available():
        forked = command_server.run_script(
            [str(script)], environment={**os.environ, FORKED: "1"}, folder=ROOT, timeout_s=90
        )
        exit_code, printed, errors = forked.exit_code, forked.stdout, forked.stderr
    else:
        ended = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, timeout=90, check=False
        )
        exit_code, printed, errors = ended.returncode, ended.stdout, ended.stderr
    assert exit_code == 0, errors
    report: dict[str, Any] = json.loads(printed)
    return report


def test_there_is_a_benchmark_for_every_question() -> None:
    assert NAMES == [
        "bench_disk",
        "bench_duplicates",
        "bench_export",
        "bench_files",
        "bench_first_sync",
        "bench_greetings",
        "bench_growth",
        "bench_history",
        "bench_hot_record",
        "bench_import",
        "bench_local_edit",
        "bench_members",
        "bench_merge",
        "bench_messages",
        "bench_offline_merge",
        "bench_one_edit",
        "bench_readers",
        "bench_relay",
        "bench_search",
        "bench_serve",
        "bench_start",
        "bench_update_checks",
        "bench_watch",
    ]


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.heavy) if one in LONG else one for one in NAMES]
)
def test_a_smoke_run_reports_figures_ratios_and_a_hash_of_what_it_computed(name: str) -> None:
    report = first_smoke(name)
    assert set(report) == REPORT
    assert f"bench_{report['benchmark']}" == name
    assert report["size"] == "smoke"
    assert report["parameters"]
    assert report["figures"]
    assert report["ratios"]
    figures = [*report["figures"].values(), *report["ratios"].values()]
    assert all(isinstance(value, int | float) and math.isfinite(value) for value in figures)
    assert all(value > 0 for value in report["ratios"].values())
    result = report["result"]
    assert result["count"] > 0
    assert result["kind"] == HASH_NAME
    assert len(bytes.fromhex(result["hash"])) == HASH_BYTES
    assert result["hash"] != Computed.of([]).hash


@each("name", sorted(LONG))
def test_a_long_benchmark_loads_and_says_what_it_asks(name: str) -> None:
    benchmark = import_module(f"benchmarks.{name}").BENCHMARK
    assert f"bench_{benchmark.name}" == name
    assert type(benchmark.smoke) is type(benchmark.full)
    assert all([benchmark.question, benchmark.baseline, benchmark.result])
    assert callable(benchmark.measure)


@pytest.mark.heavy
def test_the_same_size_gives_the_same_hash() -> None:
    assert first_smoke("bench_merge")["result"] == smoke("bench_merge")["result"]


def test_the_documented_figures_name_every_benchmark() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"benchmarks/{name}.py --full" not in text] == []


def test_a_hash_tells_parts_from_their_concatenation() -> None:
    assert Computed.of([b"ab", b"c"]).hash != Computed.of([b"a", b"bc"]).hash
    assert Computed.of([]) == Computed(0, hashlib.blake2b(digest_size=HASH_BYTES).hexdigest())

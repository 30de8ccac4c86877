"""What `make bench-peers` compares with: named in the documents, and given the same work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.peers import workload
from benchmarks.support.runs import PEERS, benchmark_names

ROOT = Path(__file__).resolve().parents[3]


def test_the_documented_figures_name_every_comparison() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    names = benchmark_names(PEERS)
    assert names
    assert [name for name in names if f"`{name}`" not in text.partition("bench-peers")[2]] == []


def test_the_contestants_read_the_same_work_in_every_run(tmp_path: Path) -> None:
    written = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        workload.write(folder, references=20, edits=30)
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"library.json", "library.jsonl", "edits0.jsonl", "edits1.jsonl"}
    assert written[0]["edits0.jsonl"] != written[0]["edits1.jsonl"]


def test_the_work_is_what_a_replica_of_ours_would_type(tmp_path: Path) -> None:
    workload.write(tmp_path, references=20, edits=200)
    lines = (tmp_path / "edits0.jsonl").read_text("utf-8").splitlines()
    edits = [json.loads(line) for line in lines]
    assert {one["op"] for one in edits} == {"set", "append", "new", "remove"}
    library = (tmp_path / "library.jsonl").read_text("utf-8").splitlines()
    known = {json.loads(line)["id"] for line in library}
    assert all(one["ref"] in known for one in edits if one["op"] != "new")


@pytest.mark.heavy
def test_all_comparisons_run_at_smoke_size(tmp_path: Path) -> None:
    arguments = f"ARGUMENTS=--smoke --out {tmp_path}"
    ended = subprocess.run(
        ["make", "bench-peers", arguments, f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = (tmp_path / "results.jsonl").read_text("utf-8").splitlines()
    reports = [json.loads(line)["benchmark"] for line in lines]
    assert reports == [f"peers_{name}" for name in benchmark_names(PEERS)]
    assert (tmp_path / "plots" / "peers_merge.svg").exists()

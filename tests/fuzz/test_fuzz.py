"""A short run of every target, the same each time, and the driver tried on known faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz.driver import findings, run_process
from tests.fuzz.targets import TARGETS

PLANTED = "tests.fuzz.planted"


@pytest.mark.timeout(600)  # some five seconds of one core, on a busy one a minute
def test_a_short_run_of_every_target_finds_nothing(tmp_path: Path) -> None:
    tried = run_process(list(TARGETS), tmp_path, seconds=None)
    assert not tried.crashed
    assert not findings(tmp_path), "\n\n".join(findings(tmp_path).values())
    assert list(tried.counts) == list(TARGETS)
    for name, counts in tried.counts.items():
        assert counts.inputs >= TARGETS[name].inputs // 2, f"{name}: too many are too long"
        assert counts.accepted, f"{name}: not even its seeds are accepted"


def test_what_is_refused_as_documented_is_no_finding(tmp_path: Path) -> None:
    tried = run_process(["sound"], tmp_path, seconds=None, table=PLANTED)
    assert tried.counts["sound"].accepted
    assert tried.counts["sound"].refused
    assert not findings(tmp_path)


@pytest.mark.heavy
def test_another_error_and_too_much_time_or_memory_are_found(tmp_path: Path) -> None:
    run_process(["failing", "slow", "greedy"], tmp_path, seconds=None, table=PLANTED)
    (failing,) = findings(tmp_path, "failing").values()
    assert failing.startswith("KeyError in planted.py _fail")
    (slow,) = findings(tmp_path, "slow").values()
    assert slow.startswith("too long")
    (greedy,) = findings(tmp_path, "greedy").values()
    assert greedy.startswith("too much memory")
    assert len(list(tmp_path.glob("*.bin"))) == 3


def test_the_input_that_ends_the_process_is_kept(tmp_path: Path) -> None:
    tried = run_process(["crashing"], tmp_path, seconds=None, table=PLANTED)
    assert tried.crashed.startswith("crashing: ended by signal")
    (kept,) = tmp_path.glob("crashing-*.bin")
    assert kept.read_bytes() != b"a sound input"


def test_an_input_that_comes_to_no_end_is_found(tmp_path: Path) -> None:
    tried = run_process(["stuck"], tmp_path, seconds=None, table=PLANTED, stuck_s=1)
    assert tried.crashed == "stuck: stuck for 1 s"
    assert len(findings(tmp_path)) == 1

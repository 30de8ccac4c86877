"""Runs targets in processes of their own, looks after those, and prints figures.

An input that ends the process, or that it does not come to an end with, is a finding like any
other; the rest of the time another process goes on.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.fuzz.blackboard import Blackboard, Figures
from tests.fuzz.engines import has_atheris
from tests.fuzz.judging import Counts, write_finding

ROOT = Path(__file__).parents[2]
TABLE = "tests.fuzz.targets"
#: Where findings go by default; Git passes it over.
FINDINGS = ROOT / "build" / "fuzz"

#: One input for so long, by the clock: the process is ended.
STUCK_S = 60.0
_LOOK_S = 0.1
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Tried:
    """What one process did."""

    #: By target.
    counts: dict[str, Counts]
    #: The target that it crashed in or that it was stuck in, and how; empty otherwise.
    crashed: str
    seconds: float
    #: Branches that atheris saw.
    coverage: int | None


def run_process(
    names: Sequence[str],
    folder: Path,
    *,
    seconds: float | None,
    engine: str = "hypothesis",
    first: int = 1,
    table: str = TABLE,
    stuck_s: float = STUCK_S,
) -> Tried:
    """Run one process over these targets; findings are written to the folder.

    Args:
        seconds: for each target; None for its short run.
        first: what the engine's randomness begins with.
        stuck_s: how long one input may take.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_in_memory()) as temporary:
        board = Blackboard(Path(temporary) / "board")
        said = Path(temporary) / "said"
        begun = time.monotonic()
        lasts = "short" if seconds is None else str(seconds)
        watched = {one for name in names for one in import_module(table).TARGETS[name].watched}
        options = [temporary + "/board", str(folder), table, engine, str(first), lasts]
        options.append(",".join(sorted(watched)))
        with said.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.child", *options, *names],
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": temporary},
            )
        try:
            is_stuck = _watch(process, board, stuck_s)
            figures, text = board.read(), said.read_text("utf-8", "replace")
            crashed = ""
            if is_stuck or process.returncode:
                how = f"stuck for {stuck_s:.0f} s" if is_stuck else _ending(process.returncode)
                crashed = f"{figures.target}: {how}"
                if not figures.is_trying:
                    raise RuntimeError(f"the process ended between inputs\n{text[-3000:]}")
                write_finding(folder, figures.target, board.read_input(), how, text[-3000:])
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            board.close()
    return Tried(
        _counts(text, figures),
        crashed,
        time.monotonic() - begun,
        max(map(int, _COVERAGE.findall(text)), default=None),
    )


def _in_memory() -> str | None:
    """Where temporary files are in memory, if there is such a place: each input may be one."""
    place = "/dev/shm"
    return place if "TMPDIR" not in os.environ and os.access(place, os.W_OK) else None


def _watch(process: subprocess.Popen[bytes], board: Blackboard, stuck_s: float) -> bool:
    """Wait for a process; true if it was stuck in one input, and was ended."""
    last, since = Figures(), time.monotonic()
    while process.poll() is None:
        now = board.read()
        if now != last or not now.is_trying:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > stuck_s:
            process.kill()
            process.wait()
            return True
        time.sleep(_LOOK_S)
    return False


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with {code}"


def _counts(text: str, last: Figures) -> dict[str, Counts]:
    """What the process said of the targets that it finished, and the board of the last one."""
    counts = {
        name: Counts(*map(int, numbers.split()))
        for name, numbers in re.findall(r"^figures (\S+) ([\d ]+)$", text, re.MULTILINE)
    }
    if last.target:
        counts[last.target] = Counts(last.inputs, last.accepted, last.refused, last.milliseconds)
    return counts


def findings(folder: Path, target: str = "") -> dict[str, str]:
    """The findings in a folder: name to what happened."""
    return {
        path.stem: path.read_text("utf-8") for path in sorted(folder.glob(f"{target or '*'}-*.txt"))
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run targets and print their figures; 1 if anything was found."""
    known = tuple(import_module(TABLE).TARGETS)
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", choices=[[], *known], help="by default all")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=None, help="by default the time")
    parser.add_argument("--engine", choices=("atheris", "hypothesis"), default=None)
    parser.add_argument("--findings", type=Path, default=FINDINGS, help="where inputs are kept")
    chosen = parser.parse_args(arguments)
    engine = chosen.engine or ("atheris" if has_atheris() else "hypothesis")
    first = int(time.time()) if chosen.seed is None else chosen.seed
    print(f"engine {engine}, seed {first}, {chosen.seconds:.0f} s for each target")
    print(f"{'target':22}{'inputs':>10}{'a second':>10}{'accepted':>10}{'refused':>10}{'cov':>8}")
    for name in chosen.targets or known:
        _run_target(name, chosen.findings, chosen.seconds, engine, first)
    found = findings(chosen.findings)
    for stem, account in found.items():
        print(f"\n{chosen.findings / stem}.bin\n{account}")
    print(f"{len(found)} findings")
    return 1 if found else 0


def _run_target(name: str, folder: Path, seconds: float, engine: str, first: int) -> None:
    total = Counts()
    coverage: int | None = None
    left = seconds
    while left > 0.5:
        tried = run_process([name], folder, seconds=left, engine=engine, first=first)
        counts = tried.counts.get(name, Counts())
        total = Counts(*(one + more for one, more in zip(total, counts, strict=True)))
        coverage = max(coverage or 0, tried.coverage or 0) or None
        left, first = left - tried.seconds, first + 1
        if not tried.crashed:
            break
    print(
        f"{name:22}{total.inputs:10,}{1000 * total.inputs / max(total.milliseconds, 1):10,.0f}"
        f"{total.accepted:10,}{total.refused:10,}"
        f"{coverage if coverage is not None else '-':>8}",
        flush=True,
    )

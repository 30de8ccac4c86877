"""One benchmark run as `make bench` runs it: a process of its own, and its report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1]


#: Those that compare with other programs, which `make bench-peers` installs.
PEERS = FOLDER / "peers"


def benchmark_names(folder: Path = FOLDER) -> list[str]:
    """The names of all benchmarks of a folder, in order."""
    return [one.stem.removeprefix("bench_") for one in sorted(folder.glob("bench_*.py"))]


def run_benchmark(name: str, *, full: bool, folder: Path = FOLDER) -> dict[str, Any]:
    """The report of one run.

    Raises:
        SystemExit: it failed; what it said is on stderr.
    """
    command = [sys.executable, str(folder / f"bench_{name}.py"), *(["--full"] if full else [])]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"The benchmark {name} failed.")
    report: dict[str, Any] = json.loads(ended.stdout)
    return report

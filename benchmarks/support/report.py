"""A benchmark's frame: its two sizes, its report as JSON, and the hash of what it computed.

Figures depend on the machine and on who else uses it; ratios are taken in one run and compare
with a baseline there. The hash is over what came out (references, envelopes, states), so a
benchmark that computes nothing, or something else, shows. The same size gives the same hash in
every run. Knows nothing of what is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

Size = TypeVar("Size")

HASH_NAME = "BLAKE2b-256"
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Computed:
    """The hash of what a benchmark computed, and of how many things."""

    count: int
    hash: str

    @classmethod
    def of(cls, parts: Iterable[bytes]) -> Computed:
        """Hash parts in their order, each preceded by its length."""
        state = hashlib.blake2b(digest_size=HASH_BYTES)
        count = 0
        for part in parts:
            count += 1
            state.update(len(part).to_bytes(8, "big"))
            state.update(part)
        return cls(count, state.hexdigest())

    @classmethod
    def of_json(cls, values: Iterable[Any]) -> Computed:
        """Hash JSON values in their order."""
        return cls.of(
            json.dumps(value, ensure_ascii=False, sort_keys=True).encode() for value in values
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gives: figures by name with the unit last, ratios, and what came out."""

    figures: Mapping[str, float | int]
    ratios: Mapping[str, float]
    computed: Computed


@dataclass(frozen=True, slots=True)
class Benchmark(Generic[Size]):
    """One question.

    ``baseline`` says what the ratios compare with, ``result`` what the hash is over, and
    ``measure`` runs in an empty folder.
    """

    name: str
    question: str
    baseline: str
    result: str
    smoke: Size
    full: Size
    measure: Callable[[Size, Path], Measured]

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run as a command and print the report; gives the exit code."""
        parser = argparse.ArgumentParser(description=self.question)
        parser.add_argument("--full", action="store_true", help="measure; else only try it out")
        full = parser.parse_args(arguments).full
        size = self.full if full else self.smoke
        with tempfile.TemporaryDirectory(prefix="bifolio-benchmark-") as folder:
            measured = self.measure(size, Path(folder))
        report = self._report(size, measured, size_name="full" if full else "smoke")
        print(json.dumps(report, indent=2))
        return 0

    def _report(self, size: Size, measured: Measured, *, size_name: str) -> dict[str, Any]:
        assert is_dataclass(size)
        assert not isinstance(size, type)
        return {
            "benchmark": self.name,
            "question": self.question,
            "size": size_name,
            "parameters": asdict(size),
            "figures": {name: _rounded(value) for name, value in measured.figures.items()},
            "baseline": self.baseline,
            "ratios": {name: _rounded(value) for name, value in measured.ratios.items()},
            "result": {
                "of": self.result,
                "count": measured.computed.count,
                "kind": HASH_NAME,
                "hash": measured.computed.hash,
            },
            "machine": {
                "python": platform.python_version(),
                "system": platform.system(),
                "cores": os.cpu_count(),
                "cal_s": _rounded(calibrate()),
            },
        }


def calibrate() -> float:
    """Seconds of CPU for a fixed loop: how fast the machine is in this hour."""
    begun = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number
    return time.process_time() - begun


def progress(text: str) -> None:
    """Say on stderr what is being done, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def _rounded(value: float | int) -> float | int:
    """Four significant digits: nothing measured here is known better."""
    return value if isinstance(value, int) else float(f"{value:.4g}")

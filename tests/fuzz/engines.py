"""What draws the inputs: atheris where it is installed, otherwise Hypothesis.

atheris follows which branches an input reaches and keeps those that reach new ones; its wheels are
for Linux on x86-64. Hypothesis draws from the mutations alone, and makes a finding small.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.fuzz.judging import FoundError, Judge

#: Examples that Hypothesis draws in one test, of which one finding comes.
_BATCH_MIN = 2
_BATCH_MAX = 500
_BATCH_S = 1.0
#: Inputs of each example. To draw one by Hypothesis costs a millisecond, which is fifty times what
#: the mutation costs by itself: it can make only the first of them smaller.
_INPUTS_EACH = 20
#: A step of the number that a batch begins with.
_STEP = 1_000_003


def has_atheris() -> bool:
    """Whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def run_hypothesis(
    judge: Judge, seeds: Sequence[bytes], *, first: int, seconds: float, inputs: int | None = None
) -> None:
    """Draw for so many seconds, or so many inputs."""
    end = time.monotonic() + seconds
    count = _BATCH_MIN if inputs is None else -(-inputs // _INPUTS_EACH)
    while True:
        begun = time.monotonic()
        _run_batch(judge, seeds, first, count)
        now = time.monotonic()
        if inputs is not None or now >= end:
            return
        first += _STEP
        if now - begun < _BATCH_S:
            count = min(2 * count, _BATCH_MAX)
        elif count > _BATCH_MIN:
            count //= 2


def _run_batch(judge: Judge, seeds: Sequence[bytes], first: int, count: int) -> None:
    last: tuple[bytes, FoundError] | None = None

    @seed(first)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(st.randoms(use_true_random=False), st.integers(0, 2**32))
    def try_some(draw: Random, number: int) -> None:
        try_one(draw)
        for more in range(1, _INPUTS_EACH):
            try_one(Random(number * _INPUTS_EACH + more))

    def try_one(draw: Random) -> None:
        nonlocal last
        raw = judge.target.mutation(draw, draw.choice(seeds), seeds)
        try:
            judge.check(raw)
        except FoundError as found:
            if found.is_cost:
                judge.write(raw, found)
                return
            last = raw, found
            raise

    try:
        try_some()
    except FoundError:
        assert last is not None
        judge.write(*last)
    except Exception as error:
        if last is None:
            raise
        judge.write(last[0], FoundError(last[1].signature, f"{last[1].account}\n{error!r}"))


def run_atheris(judge: Judge, seeds: Sequence[bytes], *, first: int, seconds: float) -> None:
    """Draw for so many seconds; ends the process."""
    atheris = import_module("atheris")
    mutation = judge.target.mutation

    def mutate(raw: bytes, length_max: int, number: int) -> bytes:
        draw = Random(number)
        if draw.randint(0, 3) == 0:
            changed: bytes = atheris.Mutate(raw, length_max)
            return changed
        return mutation(draw, raw, seeds)[:length_max]

    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        for number, raw in enumerate(seeds):
            (Path(temporary) / f"{number:03}").write_bytes(raw)
        atheris.Setup(
            [
                "fuzz",
                temporary,
                f"-max_total_time={max(1, round(seconds))}",
                f"-seed={first % 2**31 or 1}",
                f"-max_len={judge.target.length_max}",
                f"-artifact_prefix={temporary}/",
                "-timeout=600",  # the driver looks after that
                "-rss_limit_mb=0",
                "-verbosity=1",
            ],
            judge.check_and_write,
            custom_mutator=mutate,
        )
        atheris.Fuzz()

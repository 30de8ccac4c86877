"""How long does it take to read and to write a message of the log, against bare msgpack?

ENVELOPES of 512, as a relay sends them to a computer that pulls; and the same bytes as a bare
tree of lists, which checks nothing. Both in turns, because other programs share the processor.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgpack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.report import Benchmark, Computed, Measured

from bifolio import limits
from bifolio.wire.messages import Envelopes, parse_message


@dataclass(frozen=True, slots=True)
class Size:
    """How large each envelope is, and in how many rounds of how many messages."""

    envelope_bytes: tuple[int, ...]
    rounds: int
    messages: int


def measure(size: Size, _folder: Path) -> Measured:
    """Read and write each message in rounds, each with its baseline."""
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    written: list[bytes] = []
    for envelope_bytes in size.envelope_bytes:
        message = _message(envelope_bytes)
        raw = message.serialize()
        bare = [5, message.after, list(message.envelopes), message.n]
        assert msgpack.packb(bare) == raw
        assert parse_message(raw) == message
        acts: dict[str, Callable[[], object]] = {
            "parse": lambda raw=raw: parse_message(raw),  # type: ignore[misc]
            "parse_bare": lambda raw=raw: msgpack.unpackb(raw),  # type: ignore[misc]
            "serialize": message.serialize,
            "serialize_bare": lambda bare=bare: msgpack.packb(bare),  # type: ignore[misc]
        }
        taken: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(size.rounds):
            for name, act in acts.items():
                taken[name].append(_seconds_each(act, size.messages))
        times = {name: median(found) for name, found in taken.items()}
        for name, seconds in times.items():
            figures[f"{name}_of_{envelope_bytes}_us"] = seconds * 1e6
        for name in ("parse", "serialize"):
            ratios[f"{name}_of_{envelope_bytes}_over_bare"] = times[name] / times[f"{name}_bare"]
        written.append(raw)
    return Measured(figures, ratios, Computed.of(written))


def _message(envelope_bytes: int) -> Envelopes:
    """Bytes that no compression of any kind could make easier, the same in every run."""
    count = limits.BATCH_ENVELOPES_MAX
    envelopes = tuple(
        hashlib.shake_128(number.to_bytes(4, "big")).digest(envelope_bytes)
        for number in range(count)
    )
    return Envelopes(1000, envelopes, 1000 + count)


def _seconds_each(act: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        act()
    return (time.perf_counter() - began) / count


BENCHMARK = Benchmark(
    name="messages",
    question="How long does it take to read and to write ENVELOPES of 512?",
    baseline="bare msgpack, which reads and writes the same bytes and checks nothing",
    result="the messages as written",
    smoke=Size(envelope_bytes=(600,), rounds=2, messages=2),
    full=Size(envelope_bytes=(600, 8000), rounds=21, messages=50),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

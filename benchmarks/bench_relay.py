"""How many envelopes a second does a relay acknowledge, and how do writers share its commits?

A real relay process; writers that push one envelope at a time and wait for its acknowledgement,
alone and together, and one that pushes without waiting. The baseline is bare SQLite in the same
folder, one transaction with ``synchronous=FULL`` for each of the same envelopes.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.processes import Relay, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from tests.support.relay_client import RelayClient, SharedLibrary, created

from bifolio.crypto.envelope import Envelope

#: What a short edit is before it is sealed.
_EDIT_BYTES = 200

_IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Size:
    """How many writers, each with how many envelopes, in how many rounds."""

    writers: tuple[int, ...]
    envelopes: int
    rounds: int


@dataclass(frozen=True, slots=True)
class _Run:
    """What some writers saw, how many commits it took, and what bare SQLite did meanwhile."""

    seconds: float
    envelopes: int
    commits: int
    latencies_s: Sequence[float]
    bare_per_s: float

    @property
    def per_s(self) -> float:
        """Envelopes acknowledged per second."""
        return self.envelopes / self.seconds


def measure(size: Size, folder: Path) -> Measured:
    """Let the writers push in rounds, each with its baseline, and read everything back."""
    library = SharedLibrary()
    kinds = [(f"{count}_writers", count, size.envelopes, 1) for count in size.writers]
    kinds.append(("without_waiting", 1, size.envelopes * max(size.writers), _IN_FLIGHT))
    runs: dict[str, list[_Run]] = {name: [] for name, *_ in kinds}
    pushed: list[bytes] = []
    with running_relay(folder / "relay") as relay:
        asyncio.run(created(relay.url, library))
        for number in range(size.rounds):
            progress(f"round {number + 1}")
            # In turns, because other programs share the disk.
            for kind, (name, writers, envelopes, in_flight) in enumerate(kinds):
                first_seed = 1000 * (number * len(kinds) + kind) + 1
                rows = _rows(library, writers, envelopes, first_seed=first_seed)
                raw = [envelope.raw for row in rows for envelope in row]
                bare_per_s = _bare_sqlite(folder / "bare.sqlite", raw)
                run = _run(relay, library, rows, in_flight=in_flight, bare_per_s=bare_per_s)
                runs[name].append(asyncio.run(run))
                pushed += raw
        relay_peak_bytes = relay.peak_bytes()
        stored = asyncio.run(_read_back(relay, library))
    # Which of several writers comes first differs from run to run.
    assert sorted(stored) == sorted(pushed)
    figures: dict[str, float | int] = {"relay_peak_bytes": relay_peak_bytes}
    for name, found in runs.items():
        figures |= _figures(name, found)
    ratios = {
        f"{name}_over_bare_sqlite": median(run.per_s / run.bare_per_s for run in found)
        for name, found in runs.items()
    }
    return Measured(figures, ratios, Computed.of(sorted(stored)))


def _rows(
    library: SharedLibrary, writers: int, envelopes: int, *, first_seed: int
) -> list[list[Envelope]]:
    """Sealed envelopes of as many chains as there are writers."""
    return [
        library.author(seed=first_seed + number).envelopes(envelopes, bytes(range(_EDIT_BYTES)))
        for number in range(writers)
    ]


async def _run(
    relay: Relay,
    library: SharedLibrary,
    rows: Sequence[Sequence[Envelope]],
    *,
    in_flight: int,
    bare_per_s: float,
) -> _Run:
    clients = [RelayClient(relay.url, library.id, library.owner) for _ in rows]
    for client in clients:
        await client.__aenter__()
    before = relay.health()
    began = time.perf_counter()
    latencies = await asyncio.gather(
        *(
            _push(client, row, in_flight=in_flight)
            for client, row in zip(clients, rows, strict=True)
        )
    )
    seconds = time.perf_counter() - began
    after = relay.health()
    for client in clients:
        await client.__aexit__(None, None, None)
    return _Run(
        seconds,
        after["envelopes"] - before["envelopes"],
        after["commits"] - before["commits"],
        [one for row in latencies for one in row],
        bare_per_s,
    )


async def _push(
    client: RelayClient, envelopes: Sequence[Envelope], *, in_flight: int
) -> list[float]:
    """Push in groups, each acknowledged before the next; the seconds that each took."""
    latencies: list[float] = []
    for start in range(0, len(envelopes), in_flight):
        began = time.perf_counter()
        await client.pushed(*envelopes[start : start + in_flight])
        latencies.append(time.perf_counter() - began)
    return latencies


async def _read_back(relay: Relay, library: SharedLibrary) -> list[bytes]:
    async with RelayClient(relay.url, library.id, library.owner) as client:
        return await client.pull_all()


def _bare_sqlite(path: Path, envelopes: Sequence[bytes]) -> float:
    """Envelopes stored per second, each in a transaction of its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, raw BLOB)")
    began = time.perf_counter()
    for raw in envelopes:
        connection.execute("INSERT INTO entry (raw) VALUES (?)", (raw,))
    seconds = time.perf_counter() - began
    connection.close()
    return len(envelopes) / seconds


def _figures(name: str, runs: Sequence[_Run]) -> dict[str, float | int]:
    """Medians over the rounds; latencies over all of them."""
    latencies_s = [one for run in runs for one in run.latencies_s]
    p99_s = quantiles(latencies_s, n=100, method="inclusive")[98]
    return {
        f"{name}_envelopes_per_s": median(run.per_s for run in runs),
        f"{name}_commits_per_s": median(run.commits / run.seconds for run in runs),
        f"{name}_envelopes_per_commit": median(run.envelopes / run.commits for run in runs),
        f"{name}_latency_median_ms": median(latencies_s) * 1000,
        f"{name}_latency_p99_ms": p99_s * 1000,
        f"{name}_bare_sqlite_per_s": median(run.bare_per_s for run in runs),
    }


BENCHMARK = Benchmark(
    name="relay",
    question="How many envelopes a second does a relay acknowledge?",
    baseline="bare SQLite, one synchronous=FULL transaction for each envelope",
    result="all envelopes as read back from the relay, sorted",
    smoke=Size(writers=(1, 8), envelopes=10, rounds=1),
    full=Size(writers=(1, 8), envelopes=200, rounds=9),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

"""What does a greeting cost a relay when the library has ten members, and when it has thousands?

A real relay process, begun afresh so that it remembers nothing; strangers and a member greet one
after the other. The baseline is the same library with ten members on the same relay, in turns.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.processes import running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from tests.support.relay_client import RelayClient, SharedLibrary

from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio_relay.storage.sqlite_file import SqliteFile
from bifolio_relay.storage.sqlite_log import SqliteLogs

_EPOCH = b"e" * 16

#: A join is about so long.
_RECORD_BYTES = 400


@dataclass(frozen=True, slots=True)
class Size:
    """Members of the small and of the large library, and how many greetings of each kind."""

    few: int
    many: int
    greetings: int


def measure(size: Size, folder: Path) -> Measured:
    """Let strangers and members greet for both libraries, in turns."""
    libraries = {"few": SharedLibrary(1), "many": SharedLibrary(2)}
    members = {
        name: _fill(folder / "relay", library, size.many if name == "many" else size.few)
        for name, library in libraries.items()
    }
    took: dict[str, list[float]] = {}
    roles: list[bytes] = []
    with running_relay(folder / "relay") as relay:
        for number in range(size.greetings):
            stranger = new_device_keys("stranger", SharedLibrary(1000 + number).random)
            for name, library in libraries.items():
                for who, keys in (("stranger", stranger), ("member", members[name])):
                    seconds, role = asyncio.run(_greet(relay.url, library.id, keys))
                    took.setdefault(f"{name}_{who}", []).append(seconds)
                    roles.append(f"{name} {who} {role}".encode())
        peak_bytes = relay.peak_bytes()
    figures: dict[str, float | int] = {"relay_peak_bytes": peak_bytes}
    for name, found in took.items():
        figures[f"{name}_first_ms"] = found[0] * 1000
        figures[f"{name}_ms"] = median(found) * 1000
    ratios = {
        f"{who}_many_over_few": median(took[f"many_{who}"]) / median(took[f"few_{who}"])
        for who in ("stranger", "member")
    }
    return Measured(figures, ratios, Computed.of(roles))


def _fill(folder: Path, library: SharedLibrary, count: int) -> DeviceKeys:
    """Put a library with so many members into the relay's store; the last one's keys.

    All records but the genesis are bytes of their size that nobody could read: who reads the log to
    answer a greeting fails.
    """
    progress(f"{count} members")
    keys = new_device_keys("member", library.random)
    devices = [library.random(32) for _ in range(count - 2)] + [keys.sign_public]
    records = [library.random(_RECORD_BYTES) for _ in devices]
    head = library.random(32)
    roles = dict.fromkeys(devices, "editor") | {library.owner.sign_public: "owner"}
    file = SqliteFile(folder)
    logs = SqliteLogs(file)
    first = library.membership.head
    assert logs.create_library(library.id, _EPOCH, library.genesis, first, {}, None, 0)
    # What as many appends would make of it, in one transaction.
    with file.transaction() as connection:
        key = file.library_key(library.id)
        connection.executemany(
            "INSERT INTO member VALUES (?, ?, ?)",
            [(key, number, record) for number, record in enumerate(records, 1)],
        )
        connection.execute(
            "UPDATE library SET members = ?, members_head = ? WHERE key = ?",
            (len(records) + 1, head, key),
        )
    assert logs.write_roles(library.id, head, roles)
    file.close()
    return keys


async def _greet(url: str, library: bytes, keys: DeviceKeys) -> tuple[float, str | None]:
    began = time.perf_counter()
    async with RelayClient(url, library, keys) as client:
        return time.perf_counter() - began, client.welcome.role


BENCHMARK = Benchmark(
    name="greetings",
    question="What does a greeting cost a relay when a library has thousands of members?",
    baseline="the same greeting for a library of few members",
    result="the roles that the relay told, in order",
    smoke=Size(few=3, many=30, greetings=3),
    full=Size(few=10, many=10_000, greetings=40),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

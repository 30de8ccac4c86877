"""How long does a first sync take, and what does it cost in memory, network and disk?

Two homes and a relay, each a real process. The first computer attaches a library of real
references (``support.bibliography`` names their origin), the second fills a new replica with the
ticket; both then hold the same state hash. The baseline is a process that only applies the same
updates with bare pycrdt: nothing opened, checked, indexed or stored. Then the relay is wiped: an
empty one is at its address, which both fill and read again. A second, larger library shows whether
memory stays bounded: its peaks over those of the first.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import baselines
from benchmarks.support.bibliography import write_bibliography
from benchmarks.support.processes import (
    Computer,
    ProcessFailedError,
    Relay,
    run_process,
    running_relay,
)
from benchmarks.support.report import Benchmark, Computed, Measured, progress
from benchmarks.support.wire import CountingProxy, counting_proxy


@dataclass(frozen=True, slots=True)
class Size:
    """How large the two libraries are."""

    references: int
    larger_references: int


Figures = dict[str, float | int]

_PROCESSES = ("office", "laptop", "relay")


def measure(size: Size, folder: Path) -> Measured:
    """Measure the first library in full, and the memory and time of the larger one."""
    laptop, figures = _synced(folder / "first", size.references, wipes=True)
    figures |= _bare_pycrdt(laptop)
    for name in _PROCESSES:
        figures[f"{name}_disk_bytes"] = _disk_bytes(folder / "first" / name)
    larger_laptop, larger = _synced(folder / "larger", size.larger_references)
    for name in (
        "references",
        "first_sync_s",
        "pull_cpu_s",
        *(f"{one}_peak_bytes" for one in _PROCESSES),
    ):
        figures[f"larger_{name}"] = larger[name]
    bare_cpu_s = figures["bare_pycrdt_cpu_s"]
    cpu_s, larger_cpu_s = (one["push_cpu_s"] + one["pull_cpu_s"] for one in (figures, larger))
    ratios = {
        "cpu_over_bare_pycrdt": cpu_s / bare_cpu_s,
        "push_cpu_over_bare_pycrdt": figures["push_cpu_s"] / bare_cpu_s,
        "pull_cpu_over_bare_pycrdt": figures["pull_cpu_s"] / bare_cpu_s,
        "wiped_filled_over_push_cpu": figures["wiped_filled_cpu_s"] / figures["push_cpu_s"],
        "wire_over_updates": figures["push_wire_bytes"] / figures["updates_bytes"],
        "larger_over_first_references": larger["references"] / figures["references"],
        "larger_over_first_cpu": larger_cpu_s / cpu_s,
    }
    for name in _PROCESSES:
        peak = larger[f"{name}_peak_bytes"] / figures[f"{name}_peak_bytes"]
        ratios[f"larger_over_first_{name}_peak"] = peak
    shown = [*laptop.run("list").document(), *larger_laptop.run("list").document()]
    return Measured(figures, ratios, Computed.of_json(shown))


def _synced(folder: Path, count: int, *, wipes: bool = False) -> tuple[Computer, Figures]:
    """Two computers with one library of so many references, and what the sync cost."""
    folder.mkdir()
    file = folder / "library.bib"
    write_bibliography(file, count)
    office, laptop = Computer(folder / "office"), Computer(folder / "laptop")
    progress(f"importing {count:,} references")
    references = office.new_library(file)
    with running_relay(folder / "relay") as relay, counting_proxy(relay.url) as proxy:
        figures = _first_sync(office, laptop, relay, proxy, references)
        if wipes:
            with running_relay(folder / "wiped") as fresh:
                proxy.lead_to(fresh.url)
                figures |= _recover(office, laptop, proxy)
        return laptop, figures


def _recover(office: Computer, laptop: Computer, proxy: CountingProxy) -> Figures:
    """The relay was wiped: the first to come gives it everything, the second one reads that."""
    progress("the relay was wiped: both sync")
    before = proxy.sent_bytes + proxy.received_bytes
    ended = [computer.run("sync") for computer in (office, laptop)]
    wire_bytes = proxy.sent_bytes + proxy.received_bytes - before
    states = [computer.run("status").document() for computer in (office, laptop)]
    if states[0]["state"] != states[1]["state"]:
        raise ProcessFailedError("the two computers do not hold the same library")
    return {
        "wiped_s": sum(one.seconds for one in ended),
        "wiped_filled_cpu_s": ended[0].cpu_s,
        "wiped_read_cpu_s": ended[1].cpu_s,
        "wiped_wire_bytes": wire_bytes,
    }


def _first_sync(
    office: Computer, laptop: Computer, relay: Relay, proxy: CountingProxy, references: int
) -> Figures:
    progress("first computer: attach")
    pushed = office.run("attach", proxy.url, "--no-backup")
    push_wire_bytes = proxy.sent_bytes + proxy.received_bytes
    progress("second computer: attach with the ticket")
    pulled = laptop.run("attach", pushed.document()["ticket"], str(laptop.library))
    pull_wire_bytes = proxy.sent_bytes + proxy.received_bytes - push_wire_bytes
    # The first computer hears of the second, which wrote its name into the settings.
    for computer in (laptop, office):
        computer.run("sync")
    states = {computer.run("status").document()["state"] for computer in (office, laptop)}
    if len(states) != 1 or pulled.document()["references"] != references:
        raise ProcessFailedError("the two computers do not hold the same library")
    seconds = pushed.seconds + pulled.seconds
    return {
        "references": references,
        "first_sync_s": seconds,
        "push_s": pushed.seconds,
        "pull_s": pulled.seconds,
        "push_cpu_s": pushed.cpu_s,
        "pull_cpu_s": pulled.cpu_s,
        "references_per_s": references / seconds,
        "office_peak_bytes": pushed.peak_bytes,
        "laptop_peak_bytes": pulled.peak_bytes,
        "relay_peak_bytes": relay.peak_bytes(),
        "push_wire_bytes": push_wire_bytes,
        "pull_wire_bytes": pull_wire_bytes,
    }


def _bare_pycrdt(laptop: Computer) -> Figures:
    progress("applying the same updates with bare pycrdt")
    bare = run_process([sys.executable, baselines.__file__, "apply", str(laptop.library)])
    applied = bare.document()
    return {
        "bare_pycrdt_cpu_s": float(applied["cpu_s"]),
        "bare_pycrdt_process_cpu_s": bare.cpu_s,
        "bare_pycrdt_peak_bytes": bare.peak_bytes,
        "updates_bytes": int(applied["bytes"]),
    }


def _disk_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


BENCHMARK = Benchmark(
    name="first_sync",
    question="How long does a first sync take, and what does it cost?",
    baseline="bare pycrdt applying the same updates in one process",
    result="the references of both second computers as `bifolio list --json` shows them",
    smoke=Size(references=30, larger_references=60),
    full=Size(references=10_000, larger_references=40_000),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

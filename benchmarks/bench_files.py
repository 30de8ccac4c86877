"""What does it cost to carry a file of any size, and how much memory?

``file add``, the upload by ``attach``, the download by ``attach`` on another computer and ``file
export``, as whole processes over a real relay, for files of growing size. The baseline is one plain
copy with BLAKE2b-256 over it, synced to disk, of the same file in the same run; that of a peak of
memory is the smallest file's.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support.processes import Computer, Ended, running_relay
from benchmarks.support.report import Benchmark, Computed, Measured, progress

from bifolio import Library
from bifolio.home import Home

_PIECE_BYTES = 1024 * 1024
_SEED = 22


@dataclass(frozen=True, slots=True)
class Size:
    """The files, the smallest first, in pieces of 1 MiB."""

    files_mib: tuple[int, ...]


def measure(size: Size, folder: Path) -> Measured:
    """Carry the files, one after the other, and compare what the other computer gives out."""
    figures: dict[str, float | int] = {}
    ratios: dict[str, float] = {}
    came: list[str] = []
    smallest: dict[str, int] = {}
    for mib in size.files_mib:
        name = f"{mib}_mib"
        file = folder / f"{name}.bin"
        sent = _write(file, mib)
        baseline_s = _copied_and_hashed(file, folder / "copy")
        progress(f"{mib} MiB copied and hashed in {baseline_s:.2f} s")
        took, relay_peak_bytes, came_hash = _carried(file, folder / name)
        if came_hash != sent:
            raise AssertionError("another file came than was sent")
        came.append(came_hash)
        figures[f"{name}_copy_s"] = baseline_s
        figures[f"{name}_relay_peak_bytes"] = relay_peak_bytes
        peaks = {"relay": relay_peak_bytes}
        for step, ended in took.items():
            figures[f"{name}_{step}_s"] = ended.seconds
            figures[f"{name}_{step}_cpu_s"] = ended.cpu_s
            figures[f"{name}_{step}_peak_bytes"] = peaks[step] = ended.peak_bytes
            ratios[f"{name}_{step}_to_copy"] = ended.seconds / baseline_s
        smallest = smallest or peaks
        for step, peak_bytes in peaks.items():
            ratios[f"{name}_{step}_peak_to_smallest"] = peak_bytes / max(smallest[step], 1)
        file.unlink()
    return Measured(figures, ratios, Computed.of_json(came))


def _write(path: Path, mib: int) -> str:
    """A file that does not shrink; its hash."""
    hashed = hashlib.blake2b(digest_size=32)
    noise = random.Random(_SEED)
    block = noise.randbytes(_PIECE_BYTES)
    with path.open("wb") as file:
        for number in range(mib):
            piece = number.to_bytes(8, "big") + block[8:]
            hashed.update(piece)
            file.write(piece)
    return hashed.hexdigest()


def _copied_and_hashed(source: Path, target: Path) -> float:
    began = time.perf_counter()
    hashed = hashlib.blake2b(digest_size=32)
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_PIECE_BYTES):
            hashed.update(piece)
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def _carried(file: Path, folder: Path) -> tuple[dict[str, Ended], int, str]:
    """A file from one home over a relay to another: each step, the relay's peak, what came."""
    sender, receiver = Computer(folder / "sender"), Computer(folder / "receiver")
    out = folder / "out.bin"
    took: dict[str, Ended] = {}

    def step(name: str, computer: Computer, *arguments: str) -> Ended:
        progress(f"{file.stem}: {name}")
        took[name] = computer.run(*arguments)
        return took[name]

    with Library.create(sender.library, home=Home(sender.home, device_name="sender")) as library:
        library.add({"title": "Large", "citation-key": "large"})
    with running_relay(folder / "relay") as relay:
        step("add", sender, "file", "add", "large", str(file))
        sent = step("upload", sender, "attach", relay.url, "--no-backup")
        step("download", receiver, "attach", sent.document()["ticket"], str(receiver.library))
        step("export", receiver, "file", "export", "large", file.name, "-o", str(out))
        relay_peak_bytes = relay.peak_bytes()
    hashed = hashlib.blake2b(digest_size=32)
    with out.open("rb") as came:
        while piece := came.read(_PIECE_BYTES):
            hashed.update(piece)
    shutil.rmtree(folder)
    return took, relay_peak_bytes, hashed.hexdigest()


BENCHMARK = Benchmark(
    name="files",
    question="What does it cost to carry a file of any size, and how much memory?",
    baseline="one plain copy of the same file with BLAKE2b-256 over it, synced; the smaller file",
    result="the contents that arrived on the other computer",
    smoke=Size(files_mib=(2,)),
    full=Size(files_mib=(8, 2048)),
    measure=measure,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())

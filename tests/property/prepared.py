"""Replicas of one library whose devices know each other: made once, copied for each example."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.simulation.computer import Clock, Computer, empty_computer, found_library, introduce

COMPUTERS = 3


@cache
def prepared() -> Path:
    """Three replicas of one library whose devices know each other, made once."""
    folder = Path(mkdtemp(prefix="bifolio-property-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = Clock()
    owner = found_library(folder / "0", seed=100, clock=clock)
    others = [
        empty_computer(
            folder / str(n), seed=100 + n, clock=clock, name=f"laptop {n}", library=owner
        )
        for n in range(1, COMPUTERS)
    ]
    introduce([owner, *others])
    for computer in (owner, *others):
        computer.close()
        PREPARED[computer.folder.name] = computer
    return folder


PREPARED: dict[str, Computer] = {}


def members(folder: Path) -> Iterator[Computer]:
    """The prepared replicas, each on a computer with a clock of its own."""
    source = prepared()
    for number in range(COMPUTERS):
        made = PREPARED[str(number)]
        shutil.copytree(source / str(number), folder / str(number))
        clock = Clock()
        clock.jump(number * 0.123)
        yield Computer(folder / str(number), made.keys, clock, number, made.content_key)

"""Verified copies of a replica's file, made through SQLite's own backup (DESIGN §5)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from bifolio.storage.database import Database


def back_up(
    database: Database, target: Path, *, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Copy the replica's file to ``target``, read it back, then give it its name.

    A backup carries no device key: content keys stand in it sealed to the device.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    database.back_up(unfinished, progress)
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.rename(target)
    return target

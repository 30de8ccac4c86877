"""Values of other members are data: nothing that they write stops a reader of the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.hostile_values import (
    FOREIGN_SHAPES,
    HOSTILE_STRINGS,
    REGISTERS,
    failures,
    library_of,
    plant,
)
from tests.unit.replica.builders import Computer, meet, members

GOOD = "f" * 32


def attacked(tmp_path: Path) -> tuple[Computer, Computer]:
    victim, mallory = members(tmp_path, "victim", "mallory")
    victim.adds(GOOD, {"type": "book", "title": "A good title", "citation-key": "good"})
    meet(victim, mallory)
    return victim, mallory


@pytest.mark.parametrize("kind", ["reference", "group", "import", "settings", "unknown"])
def test_no_value_of_a_member_stops_any_reading_of_the_library(tmp_path: Path, kind: str) -> None:
    victim, mallory = attacked(tmp_path)
    values: list[object] = [*HOSTILE_STRINGS, *FOREIGN_SHAPES]
    records = {
        f"{number:032x}": {**dict.fromkeys(REGISTERS, value), "kind": kind}
        for number, value in enumerate(values, 1)
    }
    plant(mallory, records)
    meet(victim, mallory)
    library = library_of(victim)
    assert failures(library, tmp_path) == []

"""A relay among strangers: under each flood its memory stays bounded, and a newcomer gets through.

Each test prints the peak of the relay's memory, and how long an honest newcomer needed to create a
library, push and pull. Some run always in a small form; the others, and all of them with 500
connections, are heavy.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.floods import FLOODS, MIB, besieged

#: What a relay may take beyond what it takes by itself, whatever is done to it: what is received,
#: what is to be sent, what waits for the commit, and the connections.
SMALL_MAX_BYTES = 200 * MIB
FULL_MAX_BYTES = 500 * MIB


#: Each takes seconds; what is sent, asked and not read in smaller numbers: tests/unit/relay.
ALWAYS = ("creations",)


@pytest.mark.parametrize(
    "name",
    [one if one in ALWAYS else pytest.param(one, marks=pytest.mark.heavy) for one in FLOODS],
)
def test_a_small_flood(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    siege = asyncio.run(besieged(tmp_path, name, 60, lasts_s=0.4, newcomer_within_s=60.0))
    with capsys.disabled():
        print(f"\n{name}, 60 connections: {siege}")
    assert siege.peak_bytes - siege.before_bytes < SMALL_MAX_BYTES


@pytest.mark.heavy
@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.timeout(300)
def test_a_full_flood(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    siege = asyncio.run(besieged(tmp_path, name, 500, lasts_s=20.0, newcomer_within_s=90.0))
    with capsys.disabled():
        print(f"\n{name}, 500 connections: {siege}")
    assert siege.peak_bytes - siege.before_bytes < FULL_MAX_BYTES

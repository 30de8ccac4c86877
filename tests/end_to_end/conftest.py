"""Computers and relays for the end-to-end tests: all of them real processes and folders.

The ``relay`` of a test run is shared: libraries have their own ids, so tests cannot meet on it.
A test that stops, kills, wipes or reads a relay takes ``own_relay``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path_factory.mktemp("shared_relay")) as running:
        yield running


@pytest.fixture
def own_relay(tmp_path: Path) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path) -> Computer:
    return Computer.make(tmp_path, "desk")


@pytest.fixture
def laptop(tmp_path: Path) -> Computer:
    return Computer.make(tmp_path, "laptop")

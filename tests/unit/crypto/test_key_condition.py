"""How a device's key stands, looked at without a change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from tests.unit.crypto.test_keys import MemoryKeyring, load

from bifolio.crypto.key_condition import KeyCondition, KeyPlace, examine
from bifolio.errors import Next, NextStep


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    """A keyring of the test, and afterwards the one that was in use before."""
    before = keyring.get_keyring()
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def look(home: Path) -> KeyCondition:
    return examine(home, name="desk", use_keyring=True)


def files_of(home: Path) -> dict[str, tuple[bytes, int]]:
    return {one.name: (one.read_bytes(), one.stat().st_mode) for one in home.iterdir()}


def test_no_key_is_made_by_looking_for_one(tmp_path: Path) -> None:
    assert look(tmp_path).place is KeyPlace.NOWHERE
    assert look(tmp_path / "missing").place is KeyPlace.NOWHERE
    assert list(tmp_path.iterdir()) == []


def test_a_key_in_a_file_is_read_and_an_open_one_is_told_and_left_open(tmp_path: Path) -> None:
    keys = load(tmp_path).keys
    found = look(tmp_path)
    assert (found.place, found.keys, found.reason) == (KeyPlace.FILE, keys, "")
    if os.name != "posix":
        return
    (tmp_path / "device.key").chmod(0o640)
    before = files_of(tmp_path)
    found = look(tmp_path)
    assert found.keys == keys
    assert "Other users" in found.reason
    assert found.next is not None
    assert found.next.code is Next.PROTECT_KEY_FILE
    assert files_of(tmp_path) == before


def test_a_key_in_the_keyring_is_read_and_a_locked_one_is_told_and_not_replaced(
    tmp_path: Path, ring: MemoryKeyring
) -> None:
    keys = load(tmp_path, use_keyring=True).keys
    found = look(tmp_path)
    assert (found.place, found.keys, found.reason) == (KeyPlace.KEYRING, keys, "")
    ring.entries.clear()
    before = files_of(tmp_path)
    found = look(tmp_path)
    assert (found.place, found.keys) == (KeyPlace.KEYRING, None)
    assert "cannot be opened" in found.reason
    assert found.next == NextStep(Next.UNLOCK_KEYRING)
    assert files_of(tmp_path) == before


def test_a_damaged_key_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "device.key").write_text("{}")
    found = look(tmp_path)
    assert found.keys is None
    assert "does not hold a key of Bifolio" in found.reason
    assert (tmp_path / "device.key").read_text() == "{}"

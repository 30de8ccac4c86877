"""New keys in the place of the ones so far, in files and in a keyring, interrupted anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from bifolio import limits
from bifolio.crypto import key_rotation
from bifolio.crypto.keys import (
    AWAY_KEY_FILE,
    KEY_FILE,
    KEYRING_MARK_FILE,
    DeviceKeys,
    load_or_create,
)
from bifolio.errors import KeyFileError, Next, NextStep


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory, which can be locked as a whole or for what is removed or put."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[str, str] = {}
        self.is_locked = self.keeps_all = self.is_full = False

    def get_password(self, service: str, username: str) -> str | None:
        self._check(self.is_locked)
        return self.entries.get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check(self.is_locked or self.is_full)
        self.entries[f"{service} {username}"] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check(self.is_locked or self.keeps_all)
        del self.entries[f"{service} {username}"]

    @property
    def names(self) -> list[str]:
        """The names of all entries."""
        return [one.split()[-1] for one in self.entries]

    def _check(self, refuses: bool) -> None:
        if refuses:
            raise keyring.errors.KeyringLocked("locked")


@pytest.fixture
def ring() -> Iterator[Ring]:
    """A keyring of this session."""
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def load(home: Path) -> DeviceKeys:
    return load_or_create(home, name="desk", use_keyring=True, random_bytes=os.urandom).keys


def begin(home: Path) -> DeviceKeys:
    return key_rotation.begin(home, name="desk", random_bytes=os.urandom)


def test_keys_in_a_keyring_are_replaced_there_and_nothing_is_left_of_the_old_ones(
    ring: Ring, tmp_path: Path
) -> None:
    before = load(tmp_path)
    successor = begin(tmp_path)
    assert begin(tmp_path).sign_public == successor.sign_public
    assert load(tmp_path).sign_public == before.sign_public
    key_rotation.finish(tmp_path)
    assert load(tmp_path).sign_public == successor.sign_public
    assert ring.names == [successor.sign_public.hex()]
    assert [file.name for file in tmp_path.iterdir()] == [KEYRING_MARK_FILE]
    key_rotation.finish(tmp_path)
    assert load(tmp_path).sign_public == successor.sign_public


@pytest.mark.parametrize("in_keyring", [True, False])
def test_the_public_keys_that_a_computer_had_are_remembered(
    ring: Ring, tmp_path: Path, *, in_keyring: bool
) -> None:
    """By these it knows what it wrote before, as in a backup; no secret of them is kept."""
    ring.is_full = not in_keyring
    had = [load(tmp_path).sign_public]
    assert load(tmp_path).earlier == ()
    for _ in range(limits.EARLIER_KEYS_MAX + 1):
        had.insert(0, begin(tmp_path).sign_public)
        assert begin(tmp_path).earlier == tuple(had[1:][: limits.EARLIER_KEYS_MAX])
        key_rotation.finish(tmp_path)
        loaded = load(tmp_path)
        assert loaded.sign_public == had[0]
        assert loaded.earlier == tuple(had[1:][: limits.EARLIER_KEYS_MAX])
    assert all(len(one) <= 1280 for one in ring.entries.values())


def test_a_keyring_that_does_not_open_ends_a_rotation_before_it_begins(
    ring: Ring, tmp_path: Path
) -> None:
    """Nobody takes the key of a locked session, which no library knows, for this computer's."""
    before = load(tmp_path)
    ring.is_locked = True
    load(tmp_path)
    assert (tmp_path / AWAY_KEY_FILE).exists()
    with pytest.raises(KeyFileError, match="does not open") as refused:
        begin(tmp_path)
    assert refused.value.next_step == NextStep(Next.UNLOCK_KEYRING)
    assert not key_rotation.is_begun(tmp_path)
    ring.is_locked = False
    assert load(tmp_path).sign_public == before.sign_public


def test_a_keyring_that_is_locked_between_the_steps_ends_nothing(
    ring: Ring, tmp_path: Path
) -> None:
    load(tmp_path)
    successor = begin(tmp_path)
    ring.is_locked = True
    assert key_rotation.is_begun(tmp_path)
    with pytest.raises(KeyFileError, match="does not open"):
        begin(tmp_path)
    ring.is_locked = False
    assert begin(tmp_path).sign_public == successor.sign_public


def test_the_old_key_is_forgotten_later_where_the_keyring_keeps_it(
    ring: Ring, tmp_path: Path
) -> None:
    """Also what a process leaves that ended between the two."""
    before = load(tmp_path)
    successor = begin(tmp_path)
    ring.keeps_all = True
    key_rotation.finish(tmp_path)
    assert load(tmp_path).sign_public == successor.sign_public
    assert before.sign_public.hex() in ring.names
    ring.keeps_all = False
    key_rotation.forget_earlier(tmp_path)
    assert ring.names == [successor.sign_public.hex()]
    assert [file.name for file in tmp_path.iterdir()] == [KEYRING_MARK_FILE]


def test_a_key_that_is_still_in_use_is_never_forgotten(ring: Ring, tmp_path: Path) -> None:
    """A process ended after it named the old key and before the new one took its place."""
    before = load(tmp_path)
    successor = begin(tmp_path)
    named = tmp_path / key_rotation.EARLIER_MARK_FILE
    named.write_bytes((tmp_path / KEYRING_MARK_FILE).read_bytes())
    key_rotation.forget_earlier(tmp_path)
    assert load(tmp_path).sign_public == before.sign_public
    assert begin(tmp_path).sign_public == successor.sign_public
    key_rotation.finish(tmp_path)
    assert ring.names == [successor.sign_public.hex()]


def test_a_keyring_that_takes_no_more_gives_way_to_a_file(ring: Ring, tmp_path: Path) -> None:
    load(tmp_path)
    ring.is_full = True
    successor = begin(tmp_path)
    key_rotation.finish(tmp_path)
    assert load(tmp_path).sign_public == successor.sign_public
    assert ring.entries == {}
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_a_process_that_ended_between_file_and_keyring_leaves_nothing_for_good(
    ring: Ring, tmp_path: Path
) -> None:
    """The new key's file is there, and the mark of the old one in the keyring too."""
    load(tmp_path)
    mark = (tmp_path / KEYRING_MARK_FILE).read_bytes()
    ring.is_full = True
    successor = begin(tmp_path)
    (tmp_path / key_rotation.EARLIER_MARK_FILE).write_bytes(mark)
    (tmp_path / key_rotation.NEXT_KEY_FILE).replace(tmp_path / KEY_FILE)
    key_rotation.forget_earlier(tmp_path)
    assert load(tmp_path).sign_public == successor.sign_public
    assert ring.entries == {}
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]

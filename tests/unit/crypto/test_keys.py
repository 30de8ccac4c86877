"""A device's keys: what they sign and open, and that they are made once and kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each
from tests.unit.crypto.builders import counting_bytes, device
from tests.unit.crypto.key_loading import load_at_the_barrier

from bifolio import limits
from bifolio.crypto.keys import (
    AWAY_KEY_FILE,
    KEY_FILE,
    KEYRING_MARK_FILE,
    DeviceKeys,
    LoadedKeys,
    is_usable_box_key,
    load_or_create,
    new_device_keys,
    seal_to,
    signed_message,
    verify,
)
from bifolio.errors import EnvelopeError, KeyFileError
from bifolio.ids import device_tag

ALICE, BOB = device("alice"), device("bob")

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def load(home: Path, *, use_keyring: bool = False) -> LoadedKeys:
    return load_or_create(home, name="desk", use_keyring=use_keyring, random_bytes=os.urandom)


def test_a_signature_verifies_for_its_key_and_message_only() -> None:
    signature = ALICE.sign(b"message")
    assert len(signature) == 64
    assert verify(ALICE.sign_public, b"message", signature)
    assert not verify(BOB.sign_public, b"message", signature)
    assert not verify(ALICE.sign_public, b"another", signature)


@given(st.binary(max_size=40), st.binary(max_size=70), st.binary(max_size=80))
def test_verifying_anything_malformed_is_false(
    key: bytes, message: bytes, signature: bytes
) -> None:
    assert not verify(key, message, signature)


def test_no_signature_of_one_domain_holds_in_another() -> None:
    assert signed_message("envelope 1", b"ab") != signed_message("membership 1", b"ab")
    assert signed_message("hello 1", b"a", b"b") != signed_message("hello 1", b"ab", b"")


def test_what_is_sealed_to_a_device_opens_there_only() -> None:
    sealed = seal_to(ALICE.box_public, b"content key")
    assert ALICE.unseal(sealed) == b"content key"
    with pytest.raises(EnvelopeError):
        BOB.unseal(sealed)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(EnvelopeError):
            ALICE.unseal(bytes(damaged))
    for length in range(len(sealed)):
        with pytest.raises(EnvelopeError):
            ALICE.unseal(sealed[:length])


@each("weak", [bytes(32), b"\x01" + bytes(31), b"short", bytes(33)])
def test_nothing_is_sealed_to_a_key_that_hides_nothing(weak: bytes) -> None:
    assert not is_usable_box_key(weak)
    with pytest.raises(EnvelopeError):
        seal_to(weak, b"content key")


def test_the_tag_is_that_of_the_signing_key() -> None:
    assert ALICE.tag == device_tag(ALICE.sign_public)


def test_the_repr_of_keys_shows_no_secret() -> None:
    keys = DeviceKeys(b"S" * 32, b"B" * 32, "desk")
    assert "SSSS" not in repr(keys)
    assert "BBBB" not in repr(keys)
    assert "SSSS" not in repr(LoadedKeys(keys))


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError):
        DeviceKeys(b"S" * 31, b"B" * 32, "desk")


def test_the_key_is_made_once_and_the_same_at_every_later_call(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there" / "yet"
    first = load(home)
    again = load(home)
    assert first.keys.sign_public == again.keys.sign_public
    assert first.keys.box_public == again.keys.box_public
    assert first.notice is None
    assert again.notice is None
    assert [path.name for path in home.iterdir()] == [KEY_FILE]


def test_the_name_is_the_callers_and_not_kept(tmp_path: Path) -> None:
    load(tmp_path)
    loaded = load_or_create(tmp_path, name="new", use_keyring=False, random_bytes=os.urandom)
    assert loaded.keys.name == "new"
    assert "desk" not in (tmp_path / KEY_FILE).read_text()


@posix_only
def test_the_key_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load(tmp_path / "home")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "home" / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604, 0o777])
def test_a_key_file_open_to_others_is_closed_and_the_user_told(tmp_path: Path, mode: int) -> None:
    keys = load(tmp_path).keys
    (tmp_path / KEY_FILE).chmod(mode)
    loaded = load(tmp_path)
    assert loaded.keys.sign_public == keys.sign_public
    assert loaded.notice is not None
    assert KEY_FILE in loaded.notice
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert load(tmp_path).notice is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"[" * 4000,
        b"\xff\xfe",
        b'{"bifolio_device_key": 2}',
        b'{"bifolio_device_key": true}',
        b'{"bifolio_device_key": 1}',
        b'{"bifolio_device_key": 1, "signing": "zz", "sealing": 4}',
        b" " * (limits.KEY_FILE_BYTES_MAX + 1),
    ],
)
def test_a_damaged_key_file_is_named_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        load(tmp_path)
    assert caught.value.path == path
    assert path.read_bytes() == content


def test_every_damaged_seed_is_noticed(tmp_path: Path) -> None:
    load(tmp_path)
    path = tmp_path / KEY_FILE
    content = json.loads(path.read_text())
    for name in ("signing", "sealing"):
        for position in range(64):
            digit = "0" if content[name][position] != "0" else "1"
            text = content[name][:position] + digit + content[name][position + 1 :]
            path.write_text(json.dumps({**content, name: text}))
            with pytest.raises(KeyFileError):
                load(tmp_path)


def test_a_home_that_cannot_be_made_is_a_documented_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder belongs")
    with pytest.raises(KeyFileError):
        load(tmp_path / "home")


def test_a_home_that_cannot_be_reached_is_a_documented_error(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        load(tmp_path / ("x" * 300))
    with pytest.raises(KeyFileError):
        load(tmp_path / ("x" * 300), use_keyring=True)


def test_nothing_loads_the_keyring_before_it_is_asked_for() -> None:
    modules = "envelope, keys, membership, ticket"
    program = f"import sys\nfrom bifolio.crypto import {modules}\nprint('keyring' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout.split() == [b"False"]


def test_a_folder_in_the_keys_place_is_a_documented_error(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(KeyFileError):
        load(tmp_path)


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, found = context.Barrier(6), context.Queue()
    home = tmp_path / "home"
    processes = [
        context.Process(target=load_at_the_barrier, args=(str(home), barrier, found))
        for _ in range(6)
    ]
    for process in processes:
        process.start()
    keys = {found.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert keys == {load(home).keys.sign_public}
    assert [path.name for path in home.iterdir()] == [KEY_FILE]


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that answers at once."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class LockedKeyring(MemoryKeyring):
    """A keyring that refuses."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked(f"{service} {username} is locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError(f"no bus for {service} {username} {len(password)}")


class WaitingKeyring(MemoryKeyring):
    """A keyring that waits for somebody to type a password."""

    def __init__(self) -> None:
        super().__init__()
        self.typed = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.typed.wait(30)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.typed.wait(30)
        super().set_password(service, username, password)


class ForgetfulKeyring(MemoryKeyring):
    """A keyring that takes everything and keeps nothing."""

    priority = 0


@pytest.fixture
def system_keyring() -> Iterator[None]:
    """Gives back the keyring that was in use before the test."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("system_keyring")
def test_a_real_keyring_holds_the_key_and_no_file_does(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    first, again = load(tmp_path, use_keyring=True), load(tmp_path, use_keyring=True)
    assert first.keys.sign_public == again.keys.sign_public
    assert first.notice is None
    assert len(ring.entries) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEYRING_MARK_FILE]
    mark = (tmp_path / KEYRING_MARK_FILE).read_text()
    assert mark == first.keys.sign_public.hex()


@pytest.mark.usefixtures("system_keyring")
def test_the_keyring_is_not_asked_where_it_is_not_wanted(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    load(tmp_path)
    assert ring.entries == {}
    assert (tmp_path / KEY_FILE).exists()


@pytest.mark.usefixtures("system_keyring")
def test_an_existing_file_wins_over_the_keyring(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    load(tmp_path, use_keyring=True)
    (tmp_path / "other").mkdir()
    kept = load(tmp_path / "other").keys
    (tmp_path / "other" / KEY_FILE).rename(tmp_path / KEY_FILE)
    assert load(tmp_path, use_keyring=True).keys.sign_public == kept.sign_public


@pytest.mark.usefixtures("system_keyring")
@pytest.mark.parametrize("ring", [LockedKeyring(), ForgetfulKeyring()])
def test_without_a_keyring_the_file_holds_the_key_and_the_user_is_told_once(
    tmp_path: Path, ring: MemoryKeyring
) -> None:
    keyring.set_keyring(ring)
    first = load(tmp_path, use_keyring=True)
    assert first.notice is not None
    assert KEY_FILE in first.notice
    again = load(tmp_path, use_keyring=True)
    assert again.keys.sign_public == first.keys.sign_public
    assert again.notice is None


@pytest.mark.usefixtures("system_keyring")
def test_a_keyring_that_waits_for_a_password_blocks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEYRING_TIMEOUT_S", 0.05)
    ring = WaitingKeyring()
    keyring.set_keyring(ring)
    loaded = load(tmp_path, use_keyring=True)
    ring.typed.set()
    assert loaded.notice is not None
    assert (tmp_path / KEY_FILE).exists()


@pytest.mark.usefixtures("system_keyring")
def test_a_keyring_locked_for_one_session_does_not_cost_the_device_its_key(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    at_the_desk = load(tmp_path, use_keyring=True)
    keyring.set_keyring(LockedKeyring())
    over_ssh, later_over_ssh = load(tmp_path, use_keyring=True), load(tmp_path, use_keyring=True)
    assert over_ssh.keys.sign_public == later_over_ssh.keys.sign_public
    assert over_ssh.notice is not None
    assert (tmp_path / AWAY_KEY_FILE).exists()
    keyring.set_keyring(ring)
    assert load(tmp_path, use_keyring=True).keys.sign_public == at_the_desk.keys.sign_public


@pytest.mark.usefixtures("system_keyring")
def test_a_damaged_entry_of_the_keyring_is_a_documented_error(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    load(tmp_path, use_keyring=True)
    (entry,) = ring.entries
    ring.entries[entry] = "{}"
    with pytest.raises(KeyFileError):
        load(tmp_path, use_keyring=True)
    ring.entries[entry] = _text_of_another_key(tmp_path / "other")
    with pytest.raises(KeyFileError):
        load(tmp_path, use_keyring=True)


def _text_of_another_key(home: Path) -> str:
    load(home)
    return (home / KEY_FILE).read_text()


@pytest.mark.usefixtures("system_keyring")
def test_threads_that_start_at_once_agree_on_one_entry_of_the_keyring(tmp_path: Path) -> None:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    barrier, found = threading.Barrier(8), []

    def run() -> None:
        barrier.wait(30)
        found.append(load(tmp_path, use_keyring=True).keys.sign_public)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(ring.entries) == 1


def test_new_keys_are_made_of_the_given_randomness() -> None:
    made = [new_device_keys("desk", counting_bytes(seed)) for seed in ("a", "a", "b")]
    assert made[0] == made[1]
    assert made[0].sign_public != made[2].sign_public
    assert made[0].sign_seed != made[0].box_seed

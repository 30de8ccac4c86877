"""A device's keys: signing, sealing, and where the secret halves are kept.

A device has an Ed25519 pair to sign with and an X25519 pair to be sealed to, each made from a
seed of 32 bytes. The seeds live in a file of mode 0600, or in the operating system's keyring with
a file next to it that names the entry; never in a library (DESIGN §7). Knows nothing of libraries
or envelopes. May import only ``errors``, ``ids``, ``limits``.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from nacl.exceptions import CryptoError

from bifolio import lazy, limits
from bifolio.crypto import keyring_store
from bifolio.disk import make_private_folder, write_first
from bifolio.errors import EnvelopeError, KeyFileError
from bifolio.ids import RandomBytes, device_tag, digest

if TYPE_CHECKING:
    from nacl import bindings
else:
    bindings = lazy.module("nacl.bindings")

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
#: What sealing to a key adds: the ephemeral public key and the tag.
SEAL_BYTES = 48

KEY_FILE = "device.key"
#: Names the keyring's entry that holds this device's key: its public key, no secret.
KEYRING_MARK_FILE = "device.keyring"
#: The key of sessions in which the keyring that holds the device's own cannot be opened.
AWAY_KEY_FILE = "device-away.key"

_FILE_VERSION = 1
_CHECK_BYTES = 8
#: Any fixed scalar tells a point of small order, by a product of zero.
_PROBE_SCALAR = b"\x40" * 32


class KeyPair(Struct, frozen=True, dict=True):
    """A signing and a sealing pair, made from two seeds of 32 bytes; its repr shows no secret."""

    sign_seed: bytes
    box_seed: bytes

    def __post_init__(self) -> None:
        if len(self.sign_seed) != SEED_BYTES or len(self.box_seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @cached_property
    def _sign_pair(self) -> tuple[bytes, bytes]:
        return bindings.crypto_sign_seed_keypair(self.sign_seed)

    @cached_property
    def _box_pair(self) -> tuple[bytes, bytes]:
        return bindings.crypto_box_seed_keypair(self.box_seed)

    @property
    def sign_public(self) -> bytes:
        """The Ed25519 key by which others know the signer (32 bytes)."""
        return self._sign_pair[0]

    @property
    def box_public(self) -> bytes:
        """The X25519 key to which others seal (32 bytes)."""
        return self._box_pair[0]

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of the message; see ``signed_message``."""
        return bindings.crypto_sign(message, self._sign_pair[1])[:SIGNATURE_BYTES]

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed to ``box_public``.

        Raises:
            EnvelopeError: it was sealed to another key, or damaged.
        """
        if len(sealed) < SEAL_BYTES:
            raise EnvelopeError("what was sealed to this key is cut short")
        public, secret = self._box_pair
        try:
            return bindings.crypto_box_seal_open(sealed, public, secret)
        except CryptoError as error:
            raise EnvelopeError("it is damaged or sealed to another key") from error


class DeviceKeys(KeyPair, frozen=True, dict=True):
    """The keys of one user on one computer, and the name that other members are shown; ``earlier``
    are the signing keys that this computer had before, the newest first."""

    name: str
    earlier: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    @cached_property
    def tag(self) -> str:
        """The characters by which this device's slots begin."""
        return device_tag(self.sign_public)


class LoadedKeys(Struct, frozen=True):
    """The keys, and a sentence for the user where they could not be kept as wished."""

    keys: DeviceKeys
    notice: str | None = None


def signed_message(domain: str, *parts: bytes) -> bytes:
    """The bytes to sign for one purpose: no signature for one domain is valid in another.

    Each part is hashed with its length, so that no two lists of parts give one message.
    """
    return b"bifolio " + domain.encode("ascii") + b"\x00" + digest(*parts)


def verify(sign_public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of this key signed this message; False for malformed ones too."""
    if len(sign_public) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, sign_public)
    except CryptoError:
        return False
    return True


def is_usable_box_key(box_public: bytes) -> bool:
    """Whether something can be sealed to this key: keys of small order hide nothing."""
    if len(box_public) != PUBLIC_KEY_BYTES:
        return False
    try:
        bindings.crypto_scalarmult(_PROBE_SCALAR, box_public)
    except CryptoError:
        return False
    return True


def seal_to(box_public: bytes, plaintext: bytes) -> bytes:
    """The plaintext so that only the holder of the key can open it; nobody learns who sealed.

    Raises:
        EnvelopeError: this is no key that can be sealed to.
    """
    if not is_usable_box_key(box_public):
        raise EnvelopeError("there is no sealing to this public key")
    return bindings.crypto_box_seal(plaintext, box_public)


def new_device_keys(name: str, random_bytes: RandomBytes) -> DeviceKeys:
    """Fresh keys for a device that others are shown under this name."""
    return DeviceKeys(random_bytes(SEED_BYTES), random_bytes(SEED_BYTES), name)


def load_or_create(
    home: Path, *, name: str, use_keyring: bool, random_bytes: RandomBytes
) -> LoadedKeys:
    """This device's keys; made at the first call, the same at every later one.

    Several processes may call this at the same moment: all get the same keys. A key file that
    exists is used, whatever the keyring holds. A keyring that does not answer in time is passed
    over: for a device that has no key yet by a file, for one whose key it holds by a second key
    until it answers again, so that editing goes on.

    Arguments:
        home: the folder for the key, made if missing.
        name: what other members are shown; not stored here.
        use_keyring: whether the operating system's keyring may hold the key.

    Raises:
        KeyFileError: the file is damaged, newer, or cannot be read or written.
    """
    path = home / KEY_FILE
    if _is_there(path):
        return _read_key_file(path, name)
    if not use_keyring:
        return _create_key_file(path, name, random_bytes)
    mark = home / KEYRING_MARK_FILE
    if not _is_there(mark) and not put_in_keyring(mark, new_device_keys(name, random_bytes)):
        made = _create_key_file(path, name, random_bytes)
        return LoadedKeys(made.keys, made.notice or _no_keyring_notice(path))
    return _load_from_keyring(home, mark, name, random_bytes)


def put_in_keyring(mark: Path, keys: DeviceKeys) -> bool:
    """Keep keys in the keyring, and a file at ``mark`` that names them; where another process was
    first, its keys stay. False where the keyring does not take them."""
    entry = keys.sign_public.hex()
    if not keyring_store.put(entry, _encode(keys)):
        return False
    if not _create_exclusively(mark, entry):
        keyring_store.remove(entry)
    return True


def create_key_file(path: Path, keys: DeviceKeys) -> DeviceKeys:
    """Keep keys in a file; where another process was first, its keys are the ones.

    Raises:
        KeyFileError: the file cannot be written or read.
    """
    return keys if _create_exclusively(path, _encode(keys)) else keys_at(path, keys.name)


def keys_at(path: Path, name: str) -> DeviceKeys:
    """The keys in a key file, which stays as it is.

    Raises:
        KeyFileError: it is damaged, newer, or cannot be read.
    """
    return _decode(_read_text(path), path, name)


def keys_in_keyring(mark: Path, name: str) -> DeviceKeys | None:
    """The keys that the keyring holds for the entry named in the file at ``mark``; None where it
    does not give them.

    Raises:
        KeyFileError: they are another device's, or damaged.
    """
    entry = _read_text(mark).strip()
    text = keyring_store.get(entry)
    if text is None:
        return None
    keys = _decode(text, mark, name)
    if keys.sign_public.hex() != entry:
        raise KeyFileError(mark, reason="the keyring holds another key than the one named there")
    return keys


def _load_from_keyring(home: Path, mark: Path, name: str, random_bytes: RandomBytes) -> LoadedKeys:
    keys = keys_in_keyring(mark, name)
    if keys is not None:
        return LoadedKeys(keys)
    away = home / AWAY_KEY_FILE
    made = _read_key_file(away, name) if _is_there(away) else None
    made = made or _create_key_file(away, name, random_bytes)
    return LoadedKeys(
        made.keys,
        "This computer's key is in the system's keyring, which cannot be opened from here (over "
        "ssh, from cron, or locked). You can edit as always; to sync, unlock the keyring, or "
        "attach again with a ticket.",
    )


def _no_keyring_notice(path: Path) -> str:
    return (
        f"This system offers no keyring, so this computer's key is kept in {path}, which only you "
        "can read. Keep it out of shared folders."
    )


def _create_key_file(path: Path, name: str, random_bytes: RandomBytes) -> LoadedKeys:
    fresh = new_device_keys(name, random_bytes)
    if _create_exclusively(path, _encode(fresh)):
        return LoadedKeys(fresh)
    return _read_key_file(path, name)


def _create_exclusively(path: Path, text: str) -> bool:
    """Write a file whole, of mode 0600, on disk on return; False if one was there already."""
    try:
        make_private_folder(path.parent)
        return write_first(path, text.encode("ascii"))
    except OSError as error:
        raise KeyFileError(path, reason=f"it cannot be written ({error.strerror})") from error


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise KeyFileError(path, reason=f"it cannot be reached ({error.strerror})") from error


def _read_key_file(path: Path, name: str) -> LoadedKeys:
    notice = _tighten(path)
    return LoadedKeys(_decode(_read_text(path), path, name), notice)


def _tighten(path: Path) -> str | None:
    """Take the file from everybody but its owner; a sentence if it was open to others."""
    if os.name != "posix":
        return None
    try:
        if not stat.S_IMODE(path.stat().st_mode) & 0o077:
            return None
        path.chmod(0o600)
    except OSError as error:
        return f"Other users of this computer may read its key at {path} ({error.strerror})."
    return f"Other users could read this computer's key at {path}; now only you can."


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(limits.KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(path, reason=f"it cannot be read ({error.strerror})") from error
    if len(raw) > limits.KEY_FILE_BYTES_MAX:
        raise KeyFileError(path, reason="it is too long to be a key")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise KeyFileError(path, reason="it is damaged") from error


def _encode(keys: DeviceKeys) -> str:
    content: dict[str, object] = {
        "bifolio_device_key": _FILE_VERSION,
        "signing": keys.sign_seed.hex(),
        "sealing": keys.box_seed.hex(),
        "check": _check(keys.sign_seed, keys.box_seed),
    }
    if keys.earlier:
        content["earlier"] = [one.hex() for one in keys.earlier]
    return json.dumps(content)


def _decode(text: str, path: Path, name: str) -> DeviceKeys:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise KeyFileError(path, reason="it is damaged") from error
    version = content.get("bifolio_device_key") if isinstance(content, dict) else None
    if type(version) is not int:
        raise KeyFileError(path, reason="it does not hold a key of Bifolio")
    if version != _FILE_VERSION:
        raise KeyFileError(
            path, reason=f"it has version {version}; this Bifolio knows only version 1"
        )
    sign_seed, box_seed = _seed(content.get("signing")), _seed(content.get("sealing"))
    if sign_seed is None or box_seed is None:
        raise KeyFileError(path, reason="it is damaged")
    if content.get("check") != _check(sign_seed, box_seed):
        raise KeyFileError(path, reason="it is damaged: its checksum does not match")
    return DeviceKeys(sign_seed, box_seed, name, _read_earlier(content.get("earlier")))


def _read_earlier(value: object) -> tuple[bytes, ...]:
    """The public keys in a list; none that is not one: they open and sign nothing."""
    listed = value if isinstance(value, list) else []
    found = [_seed(one) for one in listed[: limits.EARLIER_KEYS_MAX]]
    return tuple(one for one in found if one is not None)


def _seed(value: object) -> bytes | None:
    if not isinstance(value, str) or len(value) != 2 * SEED_BYTES:
        return None
    try:
        seed = bytes.fromhex(value)
    except ValueError:
        return None
    return seed if len(seed) == SEED_BYTES else None


def _check(sign_seed: bytes, box_seed: bytes) -> str:
    return hashlib.blake2b(sign_seed + box_seed, digest_size=_CHECK_BYTES).hexdigest()

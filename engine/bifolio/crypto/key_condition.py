"""The condition of this device's key, only looked at: no key is made, no right taken away."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from bifolio.crypto.keys import KEY_FILE, KEYRING_MARK_FILE, DeviceKeys, keys_at, keys_in_keyring
from bifolio.errors import KeyFileError, Next, NextStep, next_step


class KeyPlace(Enum):
    """Where the key is kept."""

    FILE = auto()
    KEYRING = auto()
    NOWHERE = auto()


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """Where the key is, the keys where they can be read, and what is wrong, with the next step."""

    place: KeyPlace
    path: Path
    keys: DeviceKeys | None = None
    reason: str = ""
    next: NextStep | None = None


def examine(home: Path, *, name: str, use_keyring: bool) -> KeyCondition:
    """The condition of the key of a home.

    Args:
        home: the folder of the key.
        name: what this device is called.
        use_keyring: whether the operating system's keyring may hold the key.
    """
    path, mark = home / KEY_FILE, home / KEYRING_MARK_FILE
    try:
        if path.exists():
            return _in_file(path, name)
        if use_keyring and mark.exists():
            keys = keys_in_keyring(mark, name)
            if keys is not None:
                return KeyCondition(KeyPlace.KEYRING, mark, keys)
            return KeyCondition(
                KeyPlace.KEYRING,
                mark,
                reason="This computer's key is in the system's keyring, which cannot be opened "
                "from here (over ssh, from cron, or locked).",
                next=NextStep(Next.UNLOCK_KEYRING),
            )
    except KeyFileError as error:
        place = KeyPlace.FILE if path.exists() else KeyPlace.KEYRING
        return KeyCondition(place, error.path, reason=error.message, next=error.next_step)
    except OSError as error:
        reason = f"This computer's key at {path} cannot be reached ({error.strerror})."
        return KeyCondition(KeyPlace.FILE, path, reason=reason, next=NextStep(Next.MAKE_WRITABLE))
    return KeyCondition(KeyPlace.NOWHERE, path)


def _in_file(path: Path, name: str) -> KeyCondition:
    keys = keys_at(path, name)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return KeyCondition(
            KeyPlace.FILE,
            path,
            keys,
            reason=f"Other users of this computer can read its key at {path}.",
            next=next_step(Next.PROTECT_KEY_FILE, path=str(path)),
        )
    return KeyCondition(KeyPlace.FILE, path, keys)

"""The next keys of a device, until all of its libraries know them and they take the place of the
ones so far. Both lie in the same kind of place: a file, or the operating system's keyring."""

from __future__ import annotations

from pathlib import Path

from bifolio.crypto import keyring_store
from bifolio.crypto.keys import (
    KEY_FILE,
    KEYRING_MARK_FILE,
    DeviceKeys,
    create_key_file,
    keys_at,
    keys_in_keyring,
    new_device_keys,
    put_in_keyring,
)
from bifolio.disk import sync_folder
from bifolio.errors import KeyFileError
from bifolio.ids import RandomBytes

NEXT_KEY_FILE = "device-next.key"
NEXT_MARK_FILE = "device-next.keyring"


def pending_keys(home: Path, *, name: str) -> DeviceKeys | None:
    """The next keys, where a rotation has begun; None where none has, or the keyring that holds
    them does not open.

    Raises:
        KeyFileError: the file is damaged, newer, or cannot be read.
    """
    path, mark = home / NEXT_KEY_FILE, home / NEXT_MARK_FILE
    if path.exists():
        return keys_at(path, name)
    return keys_in_keyring(mark, name) if mark.exists() else None


def begin(home: Path, *, name: str, random_bytes: RandomBytes) -> DeviceKeys:
    """The next keys, made where there are none yet; the same at every call until ``finish``.

    Raises:
        KeyFileError: they cannot be read or written, or the keyring does not open.
    """
    if (found := pending_keys(home, name=name)) is not None:
        return found
    mark = home / NEXT_MARK_FILE
    if mark.exists():
        raise KeyFileError(mark, reason="the system's keyring, which holds it, does not open")
    is_in_file = (home / KEY_FILE).exists() or not (home / KEYRING_MARK_FILE).exists()
    fresh = new_device_keys(name, random_bytes)
    if is_in_file or not put_in_keyring(mark, fresh):
        return create_key_file(home / NEXT_KEY_FILE, fresh)
    found = pending_keys(home, name=name)
    return found if found is not None else fresh


def finish(home: Path) -> None:
    """The next keys take the place of the ones so far, of which nothing is left.

    Raises:
        KeyFileError: they cannot be written.
    """
    path, mark = home / KEY_FILE, home / KEYRING_MARK_FILE
    next_path, next_mark = home / NEXT_KEY_FILE, home / NEXT_MARK_FILE
    try:
        earlier = mark.read_text("ascii").strip() if mark.exists() else ""
        if next_path.exists():
            next_path.replace(path)
            mark.unlink(missing_ok=True)
        elif next_mark.exists():
            next_mark.replace(mark)
        else:
            return
        sync_folder(home)
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(path, reason=f"it cannot be written ({error})") from error
    if earlier:
        keyring_store.remove(earlier)

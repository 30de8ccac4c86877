"""The next keys of a device, until all of its libraries know them and they take the place of the
ones so far. Both lie in the same kind of place: a file, or the operating system's keyring.

A rotation may be interrupted anywhere: the next call goes on, and a keyring's entry that is to be
forgotten is named in a file until it is forgotten.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from bifolio import limits
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
from bifolio.disk import sync_folder, write_whole
from bifolio.errors import KeyFileError, Next
from bifolio.ids import RandomBytes

NEXT_KEY_FILE = "device-next.key"
NEXT_MARK_FILE = "device-next.keyring"
#: Names the keyring's entry of the keys that others took the place of, until it is forgotten.
EARLIER_MARK_FILE = "device-earlier.keyring"


def is_begun(home: Path) -> bool:
    """Whether there are next keys, though the keyring that holds them may not open."""
    return (home / NEXT_KEY_FILE).exists() or (home / NEXT_MARK_FILE).exists()


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
        KeyFileError: they cannot be read or written, or a keyring that holds them or the keys so
            far does not open.
    """
    forget_earlier(home)
    if (found := pending_keys(home, name=name)) is not None:
        _check_present(home, name)
        return found
    mark = home / NEXT_MARK_FILE
    if mark.exists():
        raise _locked(mark)
    is_in_file, present = _check_present(home, name)
    fresh = new_device_keys(name, random_bytes)
    if present is not None:
        known = (present.sign_public, *present.earlier)
        fresh = replace(fresh, earlier=known[: limits.EARLIER_KEYS_MAX])
    if is_in_file or not put_in_keyring(mark, fresh):
        return create_key_file(home / NEXT_KEY_FILE, fresh)
    found = pending_keys(home, name=name)
    if found is None:
        raise _locked(mark)
    return found


def finish(home: Path) -> None:
    """The next keys take the place of the ones so far, of which nothing is left.

    Raises:
        KeyFileError: they cannot be written.
    """
    path, mark = home / KEY_FILE, home / KEYRING_MARK_FILE
    next_path, next_mark = home / NEXT_KEY_FILE, home / NEXT_MARK_FILE
    try:
        if not is_begun(home):
            return
        if mark.exists():
            with write_whole(home / EARLIER_MARK_FILE) as written:
                written.write(mark.read_bytes())
        if next_path.exists():
            next_path.replace(path)
            mark.unlink(missing_ok=True)
        else:
            next_mark.replace(mark)
        sync_folder(home)
    except OSError as error:
        raise KeyFileError(path, reason=f"it cannot be written ({error})") from error
    forget_earlier(home)


def forget_earlier(home: Path) -> None:
    """Forget keys in the keyring that others took the place of, where an interruption or a locked
    keyring has left them; one that is locked now is tried again at the next call."""
    earlier, mark = home / EARLIER_MARK_FILE, home / KEYRING_MARK_FILE
    try:
        if not earlier.exists():
            return
        entry = earlier.read_text("ascii").strip()
        if mark.exists() and mark.read_text("ascii").strip() == entry:
            if not (home / KEY_FILE).exists():
                return  # interrupted before the next keys took its place: it is in use
            mark.unlink()
        if keyring_store.remove(entry):
            earlier.unlink()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(earlier, reason=f"it cannot be read or removed ({error})") from error


def _check_present(home: Path, name: str) -> tuple[bool, DeviceKeys | None]:
    """Check that the keys so far can be read, since it is they that name the next ones; whether
    they are in a file, and they themselves where there are any.

    Raises:
        KeyFileError: the keyring that holds them does not open, or the file is damaged.
    """
    path, mark = home / KEY_FILE, home / KEYRING_MARK_FILE
    if path.exists() or not mark.exists():
        return True, keys_at(path, name) if path.exists() else None
    present = keys_in_keyring(mark, name)
    if present is None:
        raise _locked(mark)
    return False, present


def _locked(mark: Path) -> KeyFileError:
    return KeyFileError(
        mark,
        reason="the system's keyring, which holds it, does not open",
        next_step=Next.UNLOCK_KEYRING,
    )

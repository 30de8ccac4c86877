"""This device: where its home is by default, and its keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bifolio.home import DEFAULT_LIBRARY, Home

if TYPE_CHECKING:
    from bifolio.crypto.keys import LoadedKeys
    from bifolio.formats import LinkedFiles

#: What Bifolio keeps in a home that is the user's whole home folder.
_OWN_NAMES = (
    "device.key",
    "device-away.key",
    "device-next.key",
    "backups",
    "autosync",
    DEFAULT_LIBRARY,
)


def default_home() -> Home:
    """The home of this user on this device, in the platform's data folder."""
    from platformdirs import user_data_path

    return Home(user_data_path("bifolio"), use_keyring=True)


def documents(home: Home, library: Path) -> LinkedFiles:
    """Where linked files may be: in the user's home folder, without what Bifolio keeps there."""
    from bifolio.formats import LinkedFiles

    folder = Path.home()
    own: tuple[Path, ...] = (home.path,)
    if folder.resolve().is_relative_to(home.path.resolve()):
        own = tuple(home.path / name for name in _OWN_NAMES)
    return LinkedFiles(folder, (*own, library))


def load_keys(home: Home, wanted: bytes = b"") -> LoadedKeys:
    """The device's keys, made where there are none; with a notice of what a user should know.

    Args:
        home: whose keys.
        wanted: the signing key that a library is to be opened with: while this device's keys are
            being replaced it may be the next one already.
    """
    from bifolio.crypto.keys import LoadedKeys, load_or_create

    loaded = load_or_create(
        home.path,
        name=home.device_name,
        use_keyring=home.use_keyring,
        random_bytes=os.urandom,
    )
    if not wanted or loaded.keys.sign_public == wanted:
        return loaded
    from bifolio.crypto.key_rotation import pending_keys

    pending = pending_keys(home.path, name=home.device_name)
    if pending is None or pending.sign_public != wanted:
        return loaded
    return LoadedKeys(pending, loaded.notice)

"""This device: where its home is by default, and its keys."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from bifolio.home import Home

if TYPE_CHECKING:
    from bifolio.crypto.keys import LoadedKeys


def default_home() -> Home:
    """The home of this user on this device, in the platform's data folder."""
    from platformdirs import user_data_path

    return Home(user_data_path("bifolio"), use_keyring=True)


def load_keys(home: Home) -> LoadedKeys:
    """The device's keys, made where there are none; with a notice of what a user should know."""
    from bifolio.crypto.keys import load_or_create

    return load_or_create(
        home.path,
        name=home.device_name,
        use_keyring=home.use_keyring,
        random_bytes=secrets.token_bytes,
    )

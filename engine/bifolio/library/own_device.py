"""This computer as a member: its key, the libraries that know it, and new keys in all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bifolio.crypto import key_rotation
from bifolio.crypto.key_condition import KeyPlace, examine
from bifolio.crypto.keys import DeviceKeys
from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.library import device, known_libraries
from bifolio.library.library import Library
from bifolio.results import (
    DeviceLibrary,
    DeviceView,
    Progress,
    RotatedDevice,
    RotatedLibrary,
)

_GROUP = 4


def show(home: Home) -> DeviceView:
    """This computer's key and its libraries; nothing is changed but that a key is made where there
    is none.

    Raises:
        KeyFileError: the key cannot be read.
    """
    keys = device.load_keys(home).keys
    key_rotation.forget_earlier(home.path)
    condition = examine(home.path, name=home.device_name, use_keyring=home.use_keyring)
    return DeviceView(
        name=home.device_name,
        fingerprint=fingerprint(keys.sign_public),
        kept_in="keyring" if condition.place is KeyPlace.KEYRING else "file",
        path=condition.path,
        libraries=tuple(_libraries(home)),
        is_rotating=key_rotation.is_begun(home.path),
    )


def rotate(home: Home, progress: Progress | None = None) -> RotatedDevice:
    """Take new keys in every library of this computer. Those whose relay does not answer go on
    under the old ones, and the next call goes on with them; when all are through, nothing is left
    of the old keys.

    Raises:
        KeyFileError: the keys cannot be read or written.
    """
    device.load_keys(home)
    successor = key_rotation.begin(home.path, name=home.device_name, random_bytes=os.urandom)
    libraries = tuple(_rotate_in_all(home, successor, progress))
    is_done = not any(one.reason for one in libraries)
    if is_done:
        key_rotation.finish(home.path)
    return RotatedDevice(fingerprint(successor.sign_public), is_done, libraries)


def fingerprint(sign_public: bytes) -> str:
    """What two people compare over the telephone: the signing key in groups of four."""
    text = sign_public.hex()[: 8 * _GROUP]
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def _libraries(home: Home) -> Iterator[DeviceLibrary]:
    for path in known_libraries.find(home):
        try:
            with Library.open(path, home=home, reading=True) as library:
                sharing = library.status().sharing
                role = sharing.role if sharing else None
                own = [one for one in library.members.list() if one.is_own] if role else []
                yield DeviceLibrary(library.name, path, role, own[0].joined if own else None)
        except BifolioError:
            yield DeviceLibrary(path.stem, path, None, None)


def _rotate_in_all(
    home: Home, successor: DeviceKeys, progress: Progress | None
) -> Iterator[RotatedLibrary]:
    for path in known_libraries.find(home):
        name = path.stem
        try:
            with Library.open(path, home=home) as library:
                name = library.name
                is_done = library.rotate_keys(successor, progress)
                yield RotatedLibrary(name, path, is_done, None, None)
        except BifolioError as error:
            yield RotatedLibrary(name, path, False, error.message, error.next_step)

"""Where this device keeps its key, its default library and its backups."""

from __future__ import annotations

import platform
from pathlib import Path

from msgspec import Struct, field

#: The library that commands use when none is named.
DEFAULT_LIBRARY = "Library.bifolio"


class Home(Struct, frozen=True):
    """A user's folder on one device.

    ``use_keyring`` is for the default home only: a home named by hand keeps its key in a file.
    """

    path: Path
    use_keyring: bool = False
    device_name: str = field(default_factory=lambda: platform.node() or "this computer")

    @property
    def default_library(self) -> Path:
        """The library that is used when none is named."""
        return self.path / DEFAULT_LIBRARY

    @property
    def backups(self) -> Path:
        """Where backups go."""
        return self.path / "backups"

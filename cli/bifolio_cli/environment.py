"""Where things are on this computer: the only reader of the environment but the relay's config.

=================== =========================================================================
BIFOLIO_HOME        the folder of this device's key and default library
BIFOLIO_LIBRARY     the library that commands work on, unless -L names one
BIFOLIO_DEVICE      the name of this device in conflicts (default: the computer's name)
BIFOLIO_RELAY_TOKEN the token for a new library on a relay, unless --token gives one
BIFOLIO_TRACEBACK   if set, a fault of Bifolio shows where it happened
=================== =========================================================================
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bifolio.errors import UsageError

if TYPE_CHECKING:
    from bifolio.home import Home

LIBRARY_SUFFIX = ".bifolio"
LIBRARY_FILE = "library.sqlite"


class Environment(Struct, frozen=True):
    """What the environment says; an unset variable is empty text."""

    home: str = ""
    library: str = ""
    device: str = ""
    traceback: bool = False
    configuration: str = ""
    relay_token: str = ""

    def __repr__(self) -> str:
        # The token is a secret.
        return f"{type(self).__name__}(home={self.home!r}, library={self.library!r})"

    @classmethod
    def of_process(cls) -> Environment:
        """The environment of this process."""
        return cls(
            home=os.environ.get("BIFOLIO_HOME", ""),
            library=os.environ.get("BIFOLIO_LIBRARY", ""),
            # What is no text (a name in another character set) cannot be said to anybody.
            device=os.environ.get("BIFOLIO_DEVICE", "").encode("utf-8", "replace").decode(),
            traceback=bool(os.environ.get("BIFOLIO_TRACEBACK")),
            configuration=os.environ.get("XDG_CONFIG_HOME", ""),
            relay_token=os.environ.get("BIFOLIO_RELAY_TOKEN", ""),
        )

    @staticmethod
    def variables_for(*, home: Path, device: str) -> dict[str, str]:
        """The variables of a command on another computer that is played on this one."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("BIFOLIO_")}
        return own | {"BIFOLIO_HOME": str(home), "BIFOLIO_DEVICE": device, "PYTHONUTF8": "1"}

    def of_bifolio(self) -> dict[str, str]:
        """The variables that a process of its own needs to work for the same home as this one."""
        found = {"BIFOLIO_DEVICE": self.device}
        if self.home:
            found["BIFOLIO_HOME"] = str(self.home_path())
        return {name: value for name, value in found.items() if value}

    @staticmethod
    def whole() -> dict[str, str]:
        """Everything that this process was given, to be handed on."""
        return dict(os.environ)

    def configuration_folder(self) -> Path:
        """Where the desktop and the user's services are configured (XDG base directories)."""
        named = Path(self.configuration)
        return named if named.is_absolute() else self.user_folder() / ".config"

    @staticmethod
    def user_folder() -> Path:
        """The user's own folder."""
        return Path.home()

    def home_path(self) -> Path:
        """The folder of this device's key and default library.

        Raises:
            UsageError: BIFOLIO_HOME names a file.
        """
        if self.home:
            named = Path(self.home).expanduser().absolute()
            if named.exists() and not named.is_dir():
                raise UsageError(
                    f"BIFOLIO_HOME names {named}, which is a file and not a folder.",
                    next_step="Set it to a folder; one that does not exist is created.",
                )
            return named
        from platformdirs import user_data_path

        return user_data_path("bifolio")

    def device_home(self) -> Home:
        """This device's home; the keyring is used only where BIFOLIO_HOME does not name one."""
        from bifolio.home import Home

        home = Home(self.home_path(), use_keyring=not self.home)
        return replace(home, device_name=self.device) if self.device else home

    def library_path(self, named: str | None) -> Path:
        """The library to open: ``named`` (by -L), otherwise BIFOLIO_LIBRARY or the default one."""
        chosen = named or self.library
        if not chosen:
            return self.device_home().default_library
        path = existing_library_path(chosen)
        if path.exists() or os.sep in chosen or (os.altsep and os.altsep in chosen):
            return path
        return self._named_library(chosen) or path

    def _named_library(self, name: str) -> Path | None:
        """The library of this computer that has a name, as ``bifolio libraries`` lists them.

        Raises:
            UsageError: several have it.
        """
        from bifolio.library.all_libraries import list_libraries

        wanted = name.strip().casefold()
        found = [
            one.path for one in list_libraries(self.device_home()) if one.name.casefold() == wanted
        ]
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} libraries are called '{name}': {', '.join(map(str, found))}.",
                next_step="Name one by its path.",
            )
        return found[0] if found else None

    def new_library_path(self, named: str | None) -> Path:
        """The path of a library to be made: as for ``library_path``, with the suffix."""
        chosen = named or self.library
        return new_library_path(chosen) if chosen else self.device_home().default_library

    def free_library_path(self, name: str) -> Path:
        """A path that nothing has, next to the default library, for a library of this name."""
        folder = self.device_home().default_library.parent
        stem = "".join(one if one.isalnum() or one in " -_" else " " for one in name)
        stem = " ".join(stem.split())[:60] or "Library"
        for number in range(1, 1000):
            path = folder / f"{stem}{f' {number}' if number > 1 else ''}{LIBRARY_SUFFIX}"
            if not os.path.lexists(path):
                return path
        raise UsageError(
            f"There are too many libraries called '{stem}' in {folder}.",
            next_step="Give the path of the new replica: bifolio attach TICKET PATH",
        )


def existing_library_path(named: str) -> Path:
    """The folder that a user means: ``Work`` is ``Work.bifolio``; the file inside will do."""
    path = Path(named).expanduser().absolute()
    if path.name == LIBRARY_FILE and path.is_file():
        return path.parent
    suffixed = _suffixed(path)
    if not (path / LIBRARY_FILE).exists() and (suffixed / LIBRARY_FILE).exists():
        return suffixed
    return path


def new_library_path(named: str) -> Path:
    """Where a new library goes: ``NAME.bifolio``, but what exists already is taken as named.

    A folder that exists is what its user means, so that one with something in it is refused and
    not silently passed by.
    """
    path = Path(named).expanduser().absolute()
    return path if os.path.lexists(path) else _suffixed(path)


def _suffixed(path: Path) -> Path:
    if path.name.endswith(LIBRARY_SUFFIX) or not path.name:
        return path
    return path.with_name(path.name + LIBRARY_SUFFIX)

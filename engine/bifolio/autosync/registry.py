"""Which libraries of a home are kept in sync: one small file for each, so that two commands at
once cannot undo each other."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bifolio.disk import make_private_folder, write_whole
from bifolio.home import Home

LOCK = "lock"
LOG = "log.txt"
PROCESS = "process.json"
SERVED = "served.json"
SERVING = "serving.json"


@dataclass(frozen=True, slots=True)
class ServedLibrary:
    """The library that the process serves to other programs of this computer, and the port."""

    path: Path
    port: int


@dataclass(frozen=True, slots=True)
class Registry:
    """The libraries turned on, and where everything of automatic sync lies under the home."""

    home: Home

    @property
    def folder(self) -> Path:
        """The folder of automatic sync, with its lock and its log."""
        return self.home.path / "autosync"

    def add(self, library: Path) -> None:
        """Turn a library on; a second time is no error."""
        write_json(self._file(library), {"path": str(library)})

    def remove(self, library: Path) -> bool:
        """Turn a library off; whether it was on."""
        try:
            self._file(library).unlink()
        except FileNotFoundError:
            return False
        return True

    def has(self, library: Path) -> bool:
        """Whether a library is on."""
        return self._file(library).is_file()

    def paths(self) -> list[Path]:
        """The libraries that are on, by path."""
        return sorted(path for key in self.keys() if (path := self.path(key)) is not None)

    def keys(self) -> list[str]:
        """A key of each library that is on; two looks at a folder, and nothing is read."""
        try:
            names = [one.name for one in self._libraries.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(name for name in names if name.endswith(".json") and name[0] != ".")

    def path(self, key: str) -> Path | None:
        """The library of a key, which is the same for ever; None where it was just turned off."""
        found = read_json(self._libraries / key)
        return Path(str(found["path"])) if found and "path" in found else None

    def serve(self, library: Path, port: int) -> None:
        """Have the process serve a library to other programs, in the place of any other."""
        write_json(self.folder / SERVED, {"path": str(library), "port": port})

    def stop_serving(self, library: Path | None = None) -> bool:
        """Have the process serve no library any more, or not this one; whether it did."""
        found = self.served()
        if found is None or library not in (None, found.path):
            return False
        (self.folder / SERVED).unlink(missing_ok=True)
        return True

    def served(self) -> ServedLibrary | None:
        """The library that the process is to serve."""
        found = read_json(self.folder / SERVED)
        path, port = (found or {}).get("path"), (found or {}).get("port")
        if not isinstance(path, str) or not isinstance(port, int):
            return None
        return ServedLibrary(Path(path), port)

    def state_file(self, library: Path) -> Path:
        """Where the process keeps what it last said of a library."""
        return self.folder / "states" / f"{_key(library)}.json"

    @property
    def _libraries(self) -> Path:
        return self.folder / "libraries"

    def _file(self, library: Path) -> Path:
        return self._libraries / f"{_key(library)}.json"


def write_json(path: Path, value: object) -> None:
    """Write a small file whole, or not at all."""
    make_private_folder(path.parent)
    with write_whole(path) as file:
        # In ASCII: a path may hold bytes that are no text.
        file.write(json.dumps(value).encode("ascii"))


def read_json(path: Path) -> dict[str, object] | None:
    """The object in a small file; None where there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _key(library: Path) -> str:
    return hashlib.blake2b(os.fsencode(library), digest_size=8).hexdigest()

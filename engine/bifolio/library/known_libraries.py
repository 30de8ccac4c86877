"""Which libraries a home knows: a small file for each, written when it is made or opened to write.

One that was moved or deleted is forgotten when it is looked for; one whose disk is away is not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bifolio.disk import make_private_folder, write_whole
from bifolio.home import Home
from bifolio.replica.folder import FILE


def note(home: Home, library: Path) -> None:
    """Know a library; one that cannot be noted is no reason not to open it."""
    file = _folder(home) / f"{_key(library)}.json"
    if file.exists():
        return
    with suppress(OSError):
        make_private_folder(file.parent)
        with write_whole(file) as written:
            # In ASCII: a path may hold bytes that are no text.
            written.write(json.dumps({"path": str(library)}).encode("ascii"))


def find(home: Home) -> Iterator[Path]:
    """The libraries that are there, or whose disk is away, the default one first."""
    paths = {path for file in _files(home) if (path := _read(file)) is not None}
    if (home.default_library / FILE).exists():
        paths.add(home.default_library)
    for path in sorted(paths, key=lambda one: (one != home.default_library, str(one))):
        if not (path / FILE).exists() and path.parent.exists():
            with suppress(OSError):
                (_folder(home) / f"{_key(path)}.json").unlink()
            continue
        yield path


def _files(home: Home) -> list[Path]:
    try:
        return sorted(_folder(home).glob("*.json"))
    except OSError:
        return []


def _read(file: Path) -> Path | None:
    try:
        found = json.loads(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    path = found.get("path") if isinstance(found, dict) else None
    return Path(path) if isinstance(path, str) and path else None


def _folder(home: Home) -> Path:
    return home.path / "libraries"


def _key(library: Path) -> str:
    return hashlib.blake2b(os.fsencode(library), digest_size=8).hexdigest()

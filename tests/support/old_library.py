"""A shared library of the Bifolio whose membership records were arrays, as its files were.

Frozen: made once by that program, with one reference, on a relay that is gone. Its records are not
judged any more; everything local goes on working, and it can join a new library.
"""

from __future__ import annotations

import base64
import json
import lzma
from pathlib import Path

from bifolio.home import Home

_STORED = json.loads(
    (Path(__file__).parents[1] / "golden" / "old-library.json").read_text(encoding="utf-8")
)

#: A genesis, an invite and a join.
OLD_MEMBERS = [base64.b64decode(one) for one in _STORED["members"]]


def old_library(folder: Path) -> tuple[Path, Home]:
    """The library's folder and its device's home, written into a folder."""
    home = Home(folder / "home", device_name="desk")
    home.path.mkdir(mode=0o700)
    key = home.path / "device.key"
    key.write_text(_STORED["device_key"], encoding="ascii")
    key.chmod(0o600)
    path = folder / "refs"
    path.mkdir()
    database = lzma.decompress(base64.b64decode(_STORED["library.sqlite.xz"]))
    (path / "library.sqlite").write_bytes(database)
    return path, home

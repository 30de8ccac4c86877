"""Whether a library is served now: what the process that serves notes in the device's home."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Final

from bifolio.disk import make_private_folder, write_whole
from bifolio.home import Home

HOST: Final = "127.0.0.1"
_ASK_S: Final = 1.0


def note_port(home: Home, port: int) -> None:
    """A library is served on this port now."""
    path = _file(home)
    make_private_folder(path.parent)
    with write_whole(path) as file:
        file.write(json.dumps({"port": port}).encode())


def forget_port(home: Home) -> None:
    """It is not served any more."""
    _file(home).unlink(missing_ok=True)


def find_address(home: Home) -> str | None:
    """Where a library is served now; None where none is."""
    try:
        port = int(json.loads(_file(home).read_text(encoding="utf-8"))["port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    asking = http.client.HTTPConnection(HOST, port, timeout=_ASK_S)
    try:
        asking.request("GET", "/api/", headers={"User-Agent": "Bifolio"})
        ours = asking.getresponse().getheader("X-Bifolio-Version") is not None
    except (OSError, http.client.HTTPException):
        ours = False  # it was ended before it could say so
    finally:
        asking.close()
    return f"http://{HOST}:{port}/" if ours else None


def _file(home: Home) -> Path:
    return home.path / "serve" / "running.json"

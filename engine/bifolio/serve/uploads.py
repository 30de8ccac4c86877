"""Files on their way into a library, in three steps: announced, sent, registered.

What was sent lies in the device's home until it is registered, and is compared with what was
announced: its size and its MD5. What is not registered is forgotten.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from bifolio import limits
from bifolio.disk import make_private_folder
from bifolio.records.file_names import safe_file_name
from bifolio.serve.answers import Refusal

_MD5_LENGTH: Final = 32


class Upload(Struct):
    """One file on its way: the item that it is for, and what was announced of it."""

    library: str
    key: str
    name: str
    size: int
    md5: str
    path: Path
    begun: float
    arrived: bool = False


class Uploads:
    """The files on their way, each by a key that nobody can guess."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Upload] = {}
        shutil.rmtree(folder, ignore_errors=True)  # of a process before this one

    def announce(self, *, library: str, key: str, name: str, size: int, md5: str) -> str:
        """A file is to come; the key of its upload.

        Raises:
            Refusal: too large, without a name or an MD5, or too many are on their way.
        """
        if not name or safe_file_name(name) != name or "/" in name:
            raise Refusal(400, "Invalid 'filename'")
        if len(md5) != _MD5_LENGTH or set(md5.lower()) - set("0123456789abcdef"):
            raise Refusal(400, "Invalid 'md5'")
        if size > limits.SERVE_FILE_BYTES_MAX:
            raise Refusal(413, f"A file may have {limits.SERVE_FILE_BYTES_MAX:,} bytes.")
        self._forget_old()
        if len(self._known) >= limits.SERVE_UPLOADS_MAX:
            raise Refusal(429, "Too many uploads are on their way.", {"Retry-After": "10"})
        upload_key = secrets.token_hex(16)
        path = self.folder / upload_key / name
        self._known[upload_key] = Upload(
            library, key, name, size, md5.lower(), path, time.monotonic()
        )
        return upload_key

    async def receive(self, upload_key: str, pieces: AsyncIterator[bytes]) -> None:
        """Keep the bytes of a file that was announced.

        Raises:
            Refusal: they are not those that were announced.
        """
        if upload_key not in self._known:
            raise Refusal(404, "Upload not found")
        upload = self._find(upload_key)
        make_private_folder(upload.path.parent)
        hasher, size = hashlib.md5(usedforsecurity=False), 0
        with upload.path.open("wb") as file:
            async for piece in pieces:
                size += len(piece)
                if size > upload.size:
                    break
                hasher.update(piece)
                file.write(piece)
        if size != upload.size or hasher.hexdigest() != upload.md5:
            upload.path.unlink(missing_ok=True)
            raise Refusal(400, "The file is not the one that was announced.")
        upload.arrived = True

    def arrived(self, upload_key: str, *, library: str, key: str) -> Upload:
        """A file that came, to be registered.

        Raises:
            Refusal: it did not, or is another item's.
        """
        upload = self._find(upload_key)
        if not upload.arrived or (upload.library, upload.key) != (library, key):
            raise Refusal(400, "Upload not found or not complete")
        return upload

    def forget(self, upload_key: str) -> None:
        """An upload is over."""
        upload = self._known.pop(upload_key, None)
        if upload is not None:
            shutil.rmtree(upload.path.parent, ignore_errors=True)

    def _find(self, upload_key: str) -> Upload:
        found = self._known.get(upload_key)
        if found is None:
            raise Refusal(400, "Upload not found or not complete")
        return found

    def _forget_old(self) -> None:
        now = time.monotonic()
        for key, one in list(self._known.items()):
            if now - one.begun > limits.SERVE_UPLOAD_S:
                self.forget(key)

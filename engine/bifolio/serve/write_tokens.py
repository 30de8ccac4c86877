"""The tokens of writes that were done (``Zotero-Write-Token``), so that none is done twice.

A program that got no answer sends the same again, also after this process was ended and begun
again: tokens are kept in the device's home, as hashes, for twelve hours.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bifolio import limits
from bifolio.disk import make_private_folder, write_whole
from bifolio.serve.answers import Refusal

_LENGTHS: Final = range(5, 33)


class WriteTokens:
    """The tokens of the last hours."""

    def __init__(self, path: Path) -> None:
        """Args: path: the file that keeps them; it need not exist."""
        self._path = path
        self._known = _read(path)
        self._lines = len(self._known)
        self._under_way: set[str] = set()

    @contextmanager
    def used(self, token: str | None) -> Iterator[None]:
        """A write with a token; it counts as used once this ends well. None: a write without one.

        Raises:
            Refusal: it is no token, was used before, or is under way.
        """
        if token is None:
            yield
            return
        if len(token) not in _LENGTHS:
            raise Refusal(400, "A write token has 5 to 32 characters.")
        hashed = hashlib.blake2b(token.encode(errors="replace"), digest_size=16).hexdigest()
        used_at = self._known.get(hashed, 0.0)
        if hashed in self._under_way or time.time() - used_at < limits.SERVE_TOKEN_KEPT_S:
            raise Refusal(412, "Write token already used")
        self._under_way.add(hashed)
        try:
            yield
            self._add(hashed)
        finally:
            self._under_way.discard(hashed)

    def _add(self, hashed: str) -> None:
        now = time.time()
        self._known[hashed] = now
        if len(self._known) > limits.SERVE_TOKENS_MAX or self._lines > 2 * limits.SERVE_TOKENS_MAX:
            since = now - limits.SERVE_TOKEN_KEPT_S
            fresh = [(one, at) for one, at in self._known.items() if at > since]
            self._known = dict(fresh[-limits.SERVE_TOKENS_MAX :])
            with write_whole(self._path) as file:
                file.writelines(_line(*one) for one in self._known.items())
            self._lines = len(self._known)
            return
        make_private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(_line(hashed, now))
        self._lines += 1


def _line(hashed: str, at: float) -> bytes:
    return f"{hashed} {at:.0f}\n".encode()


def _read(path: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    try:
        lines = path.read_text("ascii", errors="replace").splitlines()
    except OSError:
        return found
    since = time.time() - limits.SERVE_TOKEN_KEPT_S
    for line in lines:
        hashed, _, at = line.partition(" ")
        if at.isdecimal() and len(hashed) == 32 and since < float(at) <= time.time() + 1:
            found[hashed] = float(at)
    return found

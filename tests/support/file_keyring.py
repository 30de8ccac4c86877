"""A keyring in a file, as a plug-in of the package ``keyring``: for processes of tests.

With ``KILL_AT`` in the environment the process ends by a signal at its so many'th call, before the
call does anything: a rotation that is interrupted wherever it asks its keyring.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import keyring.backend
import keyring.errors

FILE = "FILE_KEYRING"
KILL_AT = "FILE_KEYRING_KILL_AT"
#: Where this is set, the keyring is locked.
LOCKED = "FILE_KEYRING_LOCKED"


class FileKeyring(keyring.backend.KeyringBackend):
    """All secrets in one JSON file, by service and name."""

    priority = 5
    _calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self._count()
        return self._read().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._count()
        self._write(self._read() | {f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        self._count()
        entries = self._read()
        if entries.pop(f"{service} {username}", None) is None:
            raise keyring.errors.PasswordDeleteError(username)
        self._write(entries)

    def _count(self) -> None:
        if os.environ.get(LOCKED):
            raise keyring.errors.KeyringLocked("locked")
        FileKeyring._calls += 1
        if str(FileKeyring._calls) == os.environ.get(KILL_AT):
            os.kill(os.getpid(), signal.SIGKILL)

    def _read(self) -> dict[str, str]:
        path = Path(os.environ[FILE])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _write(self, entries: dict[str, str]) -> None:
        Path(os.environ[FILE]).write_text(json.dumps(entries))

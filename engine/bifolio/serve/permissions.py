"""Which programs may change what is served, and the keys by which they prove it.

A program asks for a key by its name. It gets one where its user allowed that name before, or does
so now; a key for one write is forgotten with it. Only hashes of keys are kept, in the device's
home, in no library.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from bifolio import limits
from bifolio.disk import make_private_folder, write_whole
from bifolio.errors import InvalidValueError
from bifolio.home import Home
from bifolio.records.values import is_one_line
from bifolio.results import AllowedProgram
from bifolio.serve.answers import Refusal

_NAME_CHARACTERS_MAX: Final = 80


class Consent(Enum):
    """What a user says to a program that asks to change the library."""

    ONCE = "for the next write"
    ALWAYS = "until it is revoked"
    NO = "not at all"


#: Asks the user about the program of a name; None: nobody can be asked.
Ask = Callable[[str], Consent | None]


@dataclass(slots=True)
class Permissions:
    """The programs that may write, as the home's file says at each moment."""

    home: Home
    _once: dict[str, str] = field(default_factory=dict)
    _asked: list[float] = field(default_factory=list)

    @property
    def _file(self) -> Path:
        return self.home.path / "serve" / "programs.json"

    def programs(self) -> list[AllowedProgram]:
        """The programs that are allowed, by name."""
        stored = self._read()
        return [
            AllowedProgram(name, str(one.get("since", "")), len(one.get("keys", ())))
            for name, one in sorted(stored.items())
        ]

    def allow(self, name: str) -> None:
        """Let the program of a name have keys; a second time is no error.

        Raises:
            InvalidValueError: no name of a program.
        """
        name = check_name(name)
        stored = self._read()
        if name not in stored:
            since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            stored[name] = {"since": since, "keys": []}
            self._write(stored)

    def revoke(self, name: str) -> bool:
        """Take a program's keys from it, at once; whether it was allowed."""
        stored = self._read()
        found = stored.pop(name.strip(), None)
        if found is not None:
            self._write(stored)
        return found is not None

    def authorize(self, name: str, ask: Ask) -> tuple[str, bool]:
        """A key for the program of a name, and whether it is for more than one write.

        Raises:
            Refusal: its user did not allow it, or it asks too often.
        """
        try:
            name = check_name(name)
        except InvalidValueError as error:
            raise Refusal(400, error.message) from error
        key = secrets.token_hex(16)
        if name not in self._read():
            self._count_asking()
            consent = ask(name)
            if consent is Consent.ONCE:
                self._once = {_hash(key): name}
                return key, False
            if consent is not Consent.ALWAYS:
                raise _denied(name)
            self.allow(name)
        stored = self._read()
        if name in stored:
            kept = stored[name]["keys"][-(limits.SERVE_KEYS_PER_PROGRAM_MAX - 1) :]
            stored[name]["keys"] = [*kept, _hash(key)]
            self._write(stored)
        return key, True

    def check(self, name: str, ask: Ask) -> None:
        """Whether a program that has no keys may write: its user is asked where it was not said.

        Raises:
            Refusal: it may not.
        """
        if name in self._read():
            return
        self._count_asking()
        consent = ask(name)
        if consent is Consent.ALWAYS:
            self.allow(name)
        elif consent is not Consent.ONCE:
            raise _denied(name)

    def program_of(self, key: str | None) -> str:
        """The program that a key was given to.

        Raises:
            Refusal: to none that may still write.
        """
        if key:
            hashed = _hash(key)
            if hashed in self._once:
                return self._once[hashed]
            for name, one in self._read().items():
                if any(secrets.compare_digest(hashed, str(each)) for each in one["keys"]):
                    return name
        raise Refusal(401, "Invalid or expired API key" if key else "API key required")

    def use(self, key: str | None) -> None:
        """A write was done with a key: one for a single write is forgotten."""
        if key:
            self._once.pop(_hash(key), None)

    def _count_asking(self) -> None:
        now = time.monotonic()
        self._asked = [one for one in self._asked if now - one < limits.SERVE_ASKING_S]
        if len(self._asked) >= limits.SERVE_ASKINGS_MAX:
            wait = int(limits.SERVE_ASKING_S - (now - self._asked[0])) + 1
            raise Refusal(429, "Too many programs asked.", {"Retry-After": str(wait)})
        self._asked.append(now)

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        if not isinstance(stored, dict):
            return {}
        return {
            name: {"since": one.get("since", ""), "keys": list(one.get("keys") or ())}
            for name, one in stored.items()
            if isinstance(one, dict)
        }

    def _write(self, stored: dict[str, Any]) -> None:
        make_private_folder(self._file.parent)
        with write_whole(self._file) as file:
            file.write(json.dumps(stored, ensure_ascii=False).encode("utf-8"))


def check_name(name: str) -> str:
    """The name of a program, as it is kept and shown.

    Raises:
        InvalidValueError: none that fits on a line.
    """
    name = name.strip()
    if not name or not is_one_line(name) or len(name) > _NAME_CHARACTERS_MAX:
        raise InvalidValueError("program", expected="a name on one line", got=f"'{name[:80]}'")
    return name


def _denied(name: str) -> Refusal:
    said = f"Not allowed. Its user can run: bifolio serve allow {json.dumps(name)}"
    return Refusal(403, said, facts={"denied": True})


def _hash(key: str) -> str:
    return hashlib.blake2b(key.encode(errors="replace"), digest_size=16).hexdigest()

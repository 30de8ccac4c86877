"""What a backup says of itself: its last entry, ``manifest.json``.

It names every other entry with size and hash, so that a backup can be checked without the library
that it was made of. Keys of a later version are passed over. Does no I/O.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

#: The version of a backup's form that this code writes and reads.
VERSION = 1

#: The names of a backup's entries; nothing else may be in it.
MANIFEST = "manifest.json"
DATABASE = "library.sqlite"
_CONTENT = re.compile(r"files/([0-9a-f]{2})/\1[0-9a-f]{62}")

_MARK = "bifolio backup"
_HASH = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file in a backup; ``hash`` is BLAKE2b-256 in hex."""

    name: str
    size: int
    hash: str

    @property
    def is_content(self) -> bool:
        """Whether it is an attached file's content, and not the library itself."""
        return self.name != DATABASE

    @property
    def is_whole(self) -> bool:
        """Whether a content is what its name says; one that rotted on the disk is not."""
        return not self.is_content or self.name.endswith("/" + self.hash)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's own account.

    ``files`` is ``all``, ``none`` or ``trashed`` (those of the trash alone); ``absent`` counts the
    attached files of that kind whose content was not on the computer.
    """

    made_at: str
    device: str
    library: str
    name: str
    references: int
    trashed: int
    state: str
    storage_version: int
    files: str
    absent: int = 0
    entries: tuple[ManifestEntry, ...] = ()

    def with_entries(self, entries: tuple[ManifestEntry, ...]) -> Manifest:
        """The same account with what was written."""
        return replace(self, entries=entries)

    def serialize(self) -> bytes:
        """The manifest as UTF-8 JSON."""
        account: dict[str, Any] = {
            "format": _MARK,
            "version": VERSION,
            **{name: getattr(self, name) for name in _TEXTS + _NUMBERS},
            "entries": [[one.name, one.size, one.hash] for one in self.entries],
        }
        return json.dumps(account, ensure_ascii=False, indent=1).encode("utf-8", "replace")


#: What ``Manifest.files`` may be.
_FILES = frozenset(("all", "none", "trashed"))

_TEXTS = ("made_at", "device", "library", "name", "state", "files")
_NUMBERS = ("references", "trashed", "storage_version", "absent")


def is_entry_name(name: str) -> bool:
    """Whether a backup may hold an entry with this name: no path leads out of a library."""
    return name == DATABASE or _CONTENT.fullmatch(name) is not None


def version_of(raw: bytes) -> int | None:
    """The version of a backup's form; None where this is no manifest of a backup."""
    account = _account(raw)
    version = account.get("version") if account is not None else None
    return version if type(version) is int and version > 0 else None


def parse(raw: bytes) -> Manifest | None:
    """A manifest of this version; None where it is none."""
    account = _account(raw)
    if account is None:
        return None
    texts = {name: account.get(name) for name in _TEXTS}
    numbers = {name: account.get(name) for name in _NUMBERS}
    listed = account.get("entries")
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(listed, list):
        return None
    if not all(type(number) is int and number >= 0 for number in numbers.values()):
        return None
    if texts["files"] not in _FILES:
        return None
    entries = [_entry(one) for one in listed]
    known = tuple(one for one in entries if one is not None)
    if len(known) != len(entries) or not _MOMENT.fullmatch(str(texts["made_at"])):
        return None
    return Manifest(**texts, **numbers, entries=known)  # type: ignore[arg-type]


def _account(raw: bytes) -> dict[str, Any] | None:
    try:
        account = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return account if isinstance(account, dict) and account.get("format") == _MARK else None


def _entry(listed: object) -> ManifestEntry | None:
    if not isinstance(listed, list) or len(listed) != 3:
        return None
    name, size, hashed = listed
    if not isinstance(name, str) or not is_entry_name(name):
        return None
    if type(size) is not int or size < 0:
        return None
    if not isinstance(hashed, str) or not _HASH.fullmatch(hashed):
        return None
    return ManifestEntry(name, size, hashed)

"""Attachments: which file belongs to a reference, as the element of its set ``files``.

An element names the content by its hash, so it syncs like any tag, long before the bytes do. It
was perhaps written by another computer: a name that could lead out of a folder is none of ours.
May not know where contents are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bifolio import limits
from bifolio.lazy import pattern
from bifolio.records.canonical import canonical_json, nfc, stored_json

#: The set of a reference that holds its attachments.
FIELD = "files"

#: Separates a name from the beginning of its hash, where several files have the name.
MARK = "~"

#: How much of a hash is shown, and is the least by which a file is found.
HASH_SHOWN_LENGTH = 6

_HASH = pattern(r"[0-9a-f]{64}")

#: What no file name has on one system or another: separators, and what moves a cursor.
_NOT_IN_A_NAME = pattern(r"[/\\\x00-\x1f\x7f-\x9f]")


class Attachment(Struct, frozen=True):
    """A file of a reference: ``hash`` is BLAKE2b-256 of its content in hex, ``size`` in bytes."""

    name: str
    hash: str
    size: int

    def to_element(self) -> str:
        """The element's text: canonical JSON."""
        return canonical_json({"hash": self.hash, "name": nfc(self.name), "size": self.size})

    @classmethod
    def from_element(cls, text: str) -> Attachment | None:
        """The attachment in an element; None for a newer version's or one that is not safe."""
        stored = stored_json(text)
        if not isinstance(stored, dict):
            return None
        name, hashed, size = stored.get("name"), stored.get("hash"), stored.get("size")
        if not isinstance(name, str) or not is_file_name(name):
            return None
        if not isinstance(hashed, str) or not _HASH.fullmatch(hashed):
            return None
        if type(size) is not int or not 0 <= size <= limits.CONTENT_BYTES_MAX:
            return None
        return cls(nfc(name), hashed, size)


def distinct_names(files: Sequence[tuple[str, str]]) -> list[str]:
    """What each of a reference's files (name, hash) is called, so that no two share a name.

    Of several with one name each gets as much of its hash as tells it from the others.
    """
    hashes: dict[str, list[str]] = {}
    for name, hashed in files:
        hashes.setdefault(name, []).append(hashed)
    return [
        name
        if len(hashes[name]) == 1
        else name + MARK + _shortest_unique_prefix(hashed, hashes[name])
        for name, hashed in files
    ]


def _shortest_unique_prefix(hashed: str, others: Sequence[str]) -> str:
    length = HASH_SHOWN_LENGTH
    while sum(other.startswith(hashed[:length]) for other in others) > 1:
        length += 1
    return hashed[:length]


def is_file_name(name: str) -> bool:
    """Whether a text can be a file's name everywhere: one part, no way out of a folder."""
    try:
        size_bytes = len(nfc(name).encode())
    except UnicodeEncodeError:  # half a character
        return False
    return (
        0 < size_bytes <= limits.FILE_NAME_BYTES_MAX
        and name not in (".", "..")
        and not name.isspace()
        and _NOT_IN_A_NAME.search(name) is None
    )

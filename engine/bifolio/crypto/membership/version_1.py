"""Records of libraries that began before records had room to grow.

Such a record is the msgpack array ``[body, signatures]``; its body holds version, kind and the
values of one of three kinds, and nothing else. A library's id is the hash of its genesis, and
members have signed what is in its log: so these records are read for ever, and never written.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifolio.crypto.encoding import HASH_BYTES, leading_values, pack, unpack
from bifolio.crypto.keys import signed_message

#: Values in the array of such a record.
VALUES = 2

_VERSION = 1

#: Version and kind, then the values of each kind of body.
_TYPES: dict[str, tuple[type, ...]] = {
    "genesis": (int, str, bytes, bytes, bytes),
    "invite": (int, str, bytes, bytes, bytes, bytes, str, int, bytes),
    "join": (int, str, bytes, bytes, bytes, bytes, int, bytes),
}


@dataclass(frozen=True, slots=True)
class FirstForm:
    """What a record of the first form says, in the terms of today's."""

    kind: str
    previous: bytes
    author: bytes
    body: bytes
    signatures: bytes
    message: bytes
    #: In a join the device signs before the invite, on whose right the record rests.
    author_signs_last: bool


def read(raw: bytes) -> FirstForm:
    """Read a record of the first form.

    Raises:
        ValueError: with what is wrong.
    """
    body, signatures = unpack(raw, (bytes, bytes))
    version, kind = leading_values(body, 2)
    if version != _VERSION or type(version) is not int:
        raise ValueError(f"it is of version {version!r:.20}, which has another form")
    types = _TYPES.get(kind) if isinstance(kind, str) else None
    if types is None:
        raise ValueError(f"its kind is {kind!r:.20}, which has another form")
    values = unpack(body, types)[2:]
    previous = values.pop(0) if kind != "genesis" else bytes(HASH_BYTES)
    author = values.pop(0)
    return FirstForm(
        kind=str(kind),
        previous=previous,
        author=author,
        body=pack(values),
        signatures=signatures,
        message=signed_message("membership 1", body),
        author_signs_last=kind == "join",
    )

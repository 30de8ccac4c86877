"""A record's canonical JSON, and its share of the state hash (DESIGN §6).

Over all live registers, texts, elements and unknown keys, nothing derived but the trash: two
replicas that hold the same changes give the same text, whatever was compacted.
"""

from __future__ import annotations

import hashlib

from bifolio.document import deletion
from bifolio.document.entries import Entries
from bifolio.records.canonical import canonical_json, exact_json

STATE_HASH_MODULUS = 1 << 256


def record_json(record_id: str, kind: str, entries: Entries) -> str:
    """``{id, kind, fields: {name: [[stamp, slot, value], ... newest first]}, trash}``."""
    fields: dict[str, object] = dict(entries.registers)  # each live value: stamp, slot, value
    for key, content in entries.texts.items():
        fields[key] = [["", "", content]]
    for key, value in entries.unknown.items():
        fields[key] = [["", "", _storable(value)]]
    # Texts alone except for what a newer version wrote.
    written = canonical_json if entries.unknown else exact_json
    return written(
        {
            "id": record_id,
            "kind": kind,
            "fields": fields,
            "trash": deletion.is_trashed(entries),
        }
    )


def record_share(record_id: str, kind: str, entries: Entries) -> int:
    """What a record adds to the state hash: nothing where it went with the trash."""
    if kind == "reference" and deletion.is_purged(entries):
        return 0
    return record_hash(record_id, record_json(record_id, kind, entries))


def record_hash(record_id: str, text: str) -> int:
    """BLAKE2b-256(id, 0x00, canonical JSON) as a number; the state hash is their sum."""
    hashed = hashlib.blake2b(record_id.encode() + b"\x00" + text.encode(), digest_size=32)
    return int.from_bytes(hashed.digest(), "big")


def _storable(value: object) -> object:
    """An unknown value in a form that canonical JSON carries."""
    if isinstance(value, float) and not value.is_integer():
        return {"float": repr(value)}
    if isinstance(value, list):
        return [_storable(member) for member in value]
    if isinstance(value, dict):
        return {str(key): _storable(member) for key, member in value.items()}
    return value

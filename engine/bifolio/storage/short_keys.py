"""Keys of eight characters, as Zotero's programs name things: one for each record and part of one.

A key is made of a hash, so that two computers mostly give one reference the same; where two things
would have one key, the later one takes another, which is why a table is kept. What has a key keeps
it for ever. A part has a version of its own: that of the change by which its content became what it
is. What went away is kept by its key, with the version at which it went.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from bifolio.records.canonical import read_json
from bifolio.records.notes import ANNOTATION, NOTE, annotations_of, notes_of, text_field
from bifolio.storage.database import Database
from bifolio.storage.list_rows import unpack_body
from bifolio.storage.sources import Sources

#: Zotero's alphabet: no 0, no 1 and no O. 33^8 keys: of 100,000 references two have one hash in
#: one library of 300.
ALPHABET = "23456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
LENGTH = 8

_COLUMNS = "key, record, part, version, content"


class ShortKey(Struct, frozen=True):
    """A key and what it names: a record, or a part of one; ``part`` is empty for all of it.

    ``version`` is that of the part, None where it is its record's; ``content`` tells one content of
    the part from another.
    """

    key: str
    record: str
    part: str = ""
    version: int | None = None
    content: bytes | None = None


class WantedKey(Struct, frozen=True):
    """A key that is to be given: to what, and which one it should be (None: any)."""

    record: str
    part: str = ""
    wanted: str | None = None
    version: int | None = None
    content: bytes | None = None


def hashed_keys(record: str, part: str) -> Iterator[str]:
    """The keys that a record's part may have, the likeliest first."""
    attempt = 0
    while True:
        material = f"{record}\x00{part}\x00{attempt}".encode(errors="replace")
        number = int.from_bytes(hashlib.blake2b(material, digest_size=8).digest(), "big")
        characters = []
        for _ in range(LENGTH):
            number, place = divmod(number, len(ALPHABET))
            characters.append(ALPHABET[place])
        yield "".join(characters)
        attempt += 1


def is_short_key(text: str) -> bool:
    """Whether a text may be such a key; Zotero's own use no other letters, others' may."""
    return len(text) == LENGTH and text.isascii() and text.isalnum() and text == text.upper()


def _first_key(wanted: WantedKey) -> str:
    if wanted.wanted is not None and is_short_key(wanted.wanted):
        return wanted.wanted
    return next(hashed_keys(wanted.record, wanted.part))


class ShortKeys:
    """The table ``short_keys``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        record: str,
        part: str = "",
        *,
        wanted: str | None = None,
        version: int | None = None,
        content: bytes | None = None,
    ) -> str:
        """Give a record's part a key: the wanted one where nothing else has it. Returns it."""
        candidates = hashed_keys(record, part)
        key = wanted if wanted is not None and is_short_key(wanted) else next(candidates)
        while self.find(key) is not None:
            key = next(candidates)
        self._database.execute(
            f"INSERT INTO short_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
            (key, record, part, version, content),
        )
        return key

    def add_all(self, wanted: Sequence[WantedKey]) -> list[str]:
        """``add`` for each of these in turn, in a few statements. Returns their keys."""
        first = [_first_key(one) for one in wanted]
        rows = self._database.rows(
            "SELECT key FROM short_keys WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(first),),
        )
        taken = {row[0] for row in rows}
        keys: list[str] = []
        for one, key in zip(wanted, first, strict=True):
            if key in taken:
                key = next(
                    other
                    for other in hashed_keys(one.record, one.part)
                    if other not in taken and self.find(other) is None
                )
            taken.add(key)
            keys.append(key)
        self._database.execute_many(
            f"INSERT INTO short_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
            [
                (key, one.record, one.part, one.version, one.content)
                for key, one in zip(keys, wanted, strict=True)
            ],
        )
        return keys

    def note_content(self, key: str, content: bytes | None, *, version: int) -> None:
        """What a key names has another content since a version."""
        self._database.execute(
            "UPDATE short_keys SET version = ?, content = ? WHERE key = ?", (version, content, key)
        )

    def move(self, key: str, *, part: str) -> None:
        """What a key names is another part of its record from now on."""
        self._database.execute("UPDATE short_keys SET part = ? WHERE key = ?", (part, key))

    def remove(self, keys: Iterable[str]) -> None:
        """What these keys named is not there any more."""
        self._database.execute_many(
            "DELETE FROM short_keys WHERE key = ?", [(one,) for one in keys]
        )

    def find(self, key: str) -> ShortKey | None:
        """What a key names, or None."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM short_keys WHERE key = ?", (key,))
        return ShortKey(*row) if row else None

    def of(self, records: Sequence[str]) -> dict[str, dict[str, ShortKey]]:
        """The keys of these records and of their parts: by record, then by part."""
        found: dict[str, dict[str, ShortKey]] = {one: {} for one in records}
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM short_keys WHERE record IN (SELECT value FROM json_each(?)) "
            "ORDER BY record, part",
            (json.dumps(list(records)),),
        )
        for row in rows:
            found[row[1]][row[2]] = ShortKey(*row)
        return found

    def without(self, kind: str) -> list[str]:
        """The records of a kind that have no key yet, in the order in which they came."""
        rows = self._database.rows(
            "SELECT id FROM records WHERE kind = ? AND NOT EXISTS "
            "(SELECT 1 FROM short_keys WHERE record = records.id AND part = '') ORDER BY number",
            (kind,),
        )
        return [row[0] for row in rows]

    def records_from(self, number: int, kind: str, *, most: int) -> list[tuple[int, str]]:
        """The first so many records of a kind from a number on, with their numbers."""
        rows = self._database.rows(
            "SELECT number, id FROM records WHERE kind = ? AND number >= ? ORDER BY number LIMIT ?",
            (kind, number, most),
        )
        return [(row[0], row[1]) for row in rows]

    def note_gone(self, keys: Iterable[str], *, kind: str, version: int) -> None:
        """What these keys named went away, with the change of this number."""
        self._database.execute_many(
            "INSERT OR REPLACE INTO gone_keys (key, kind, version) VALUES (?, ?, ?)",
            [(one, kind, version) for one in keys],
        )

    def note_back(self, keys: Iterable[str]) -> None:
        """What these keys name is there, whether it had gone before or not."""
        self._database.execute_many("DELETE FROM gone_keys WHERE key = ?", [(one,) for one in keys])

    def gone_since(self, version: int) -> list[tuple[str, str]]:
        """What went away after a version: the kind and the key of each, in order."""
        rows = self._database.rows(
            "SELECT kind, key FROM gone_keys WHERE version > ? ORDER BY kind, key", (version,)
        )
        return [(row[0], row[1]) for row in rows]

    def count_parts(self, *, trashed: bool) -> int:
        """How many parts of live (or of trashed) references have keys."""
        row = self._database.row(
            "SELECT count(*) FROM short_keys CROSS JOIN refs ON refs.id = short_keys.record "
            "WHERE short_keys.part != '' AND refs.trashed = ?",
            (int(trashed),),
        )
        return int(row[0]) if row else 0


def _texts(note: str | None, fields: Mapping[str, Any]) -> dict[str, bytes]:
    """The fields of the texts of notes and annotations, with what tells one content of each from
    another."""
    if note is None and not fields:
        return {}
    found = {text_field(NOTE, one.id): _told_apart(one) for one in notes_of(fields, note)}
    return found | {
        text_field(ANNOTATION, one.id): _told_apart(one) for one in annotations_of(fields)
    }


def _told_apart(part: Struct) -> bytes:
    written = repr(part).encode(errors="surrogatepass")
    return hashlib.blake2b(written, digest_size=8).digest()


class PartNames:
    """What of references can have keys: read from the derived tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, records: Sequence[str]) -> dict[str, dict[str, bytes]]:
        """The parts of those of these records that are listed references: the fields of their notes
        and annotations, and ``file/HASH/NAME`` for each attached file; each with what tells one
        content of it from another."""
        listed = (json.dumps(list(records)),)
        found: dict[str, dict[str, bytes]] = {}
        for record, body in self._database.rows(
            "SELECT id, body FROM refs WHERE id IN (SELECT value FROM json_each(?))", listed
        ):
            *_, note, _, fields = unpack_body(body)
            has_more = '"note:' in fields or '"annotation' in fields
            found[record] = _texts(note, read_json(fields) if has_more else {})
        for record, content, name in self._database.rows(
            "SELECT reference, hash, name FROM attachments "
            "WHERE reference IN (SELECT value FROM json_each(?)) ORDER BY stamp, slot, name",
            listed,
        ):
            if record in found:
                found[record][f"file/{content}/{name}"] = b"file"
        return found

    def own_keys(self, records: Sequence[str], *, format: str) -> dict[str, str]:
        """The keys that these records had where they were imported from, by record."""
        ids = Sources(self._database).first_ids(format, records)
        return {record: source_id.rpartition(":")[2] for record, source_id in ids.items()}

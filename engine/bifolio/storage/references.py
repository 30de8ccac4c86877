"""What lists and searches read: columns derived from the records, never the truth itself.

Reading a reference through its document costs about 0.2 ms; lists, searches and ``show`` read
these columns. ``rebuild`` gives what incremental upkeep gives (a test says so).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, NamedTuple

from bifolio import lazy
from bifolio.errors import DamagedLibraryError
from bifolio.records.canonical import read_json
from bifolio.storage.attachments import Attachments
from bifolio.storage.database import Database
from bifolio.storage.derived import (
    DerivedReference,
    Indexed,
    Kept,
    ReferenceRow,
    SourceRow,
    StoredBefore,
    StoredReference,
)
from bifolio.storage.elements import (
    ALIASES,
    ALIASES_NUMBER,
    ElementRow,
    Elements,
    element_rows,
    encodable_element,
)
from bifolio.storage.index import SearchIndex, Texts, in_trash
from bifolio.storage.list_rows import BODY_AT, Body, pack_row, unpack_body, unpack_row
from bifolio.storage.list_rows import COLUMNS as LISTED
from bifolio.storage.purged import PurgedTable
from bifolio.storage.searchable import Searchable
from bifolio.storage.shared_citation_keys import SharedKeys

if TYPE_CHECKING:
    from bifolio.storage import sources
else:
    sources = lazy.module("bifolio.storage.sources")  # for writing and for imports

#: True where an earlier reference keeps this one's citation key (case K1).
_KEY_IS_TAKEN = (
    "(refs.trashed = 0 AND EXISTS (SELECT 1 FROM refs AS other WHERE other.key = refs.key "
    "AND other.trashed = 0 AND (other.key_rank, other.id) < (refs.key_rank, refs.id)))"
)

#: What ``row_of`` takes.
COLUMNS = f"{', '.join('refs.' + name for name in LISTED)}, {_KEY_IS_TAKEN}"

_SELECT = f"SELECT {COLUMNS} FROM refs"

#: Takes ids as a JSON list: one statement for any number of them.
_LISTED = "IN (SELECT value FROM json_each(?))"

_WRITTEN = (*LISTED, "basis")
_UPSERT = (
    f"INSERT INTO refs ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' * len(_WRITTEN))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _WRITTEN[1:])}"
)

_SELECT_WRITTEN = f"SELECT {', '.join(_WRITTEN)}, number FROM refs WHERE id = ?"

#: The columns that plain fields are in.
_PLAIN_COLUMNS = ("type", "body")
_UPDATE_PLAIN = (
    f"UPDATE refs SET {', '.join(f'{name} = ?' for name in _PLAIN_COLUMNS)} WHERE number = ?"
)
_PLAIN = [LISTED.index(name) for name in _PLAIN_COLUMNS]

#: What ``Named`` has, each with its place there.
_NAMED = (
    "SELECT * FROM (SELECT trashed, id FROM refs WHERE key = ?1 "
    "ORDER BY trashed, key_rank, id LIMIT 1) "
    + "".join(
        f"UNION ALL SELECT * FROM (SELECT {2 + trashed}, orders.id FROM elements "
        "CROSS JOIN orders USING (number) WHERE field = ?2 AND elements.trashed = "
        f"{trashed} AND element = ?3 ORDER BY orders.id LIMIT 1) "
        for trashed in (0, 1)
    )
    + "UNION ALL SELECT 4, id FROM refs WHERE id = ?4"
)

_PAGE = 500

_TRASHED = -2  # of a row, which the number of its conflicts ends


class Named(NamedTuple):
    """The references that have a name, by id: as their citation key, living or in the trash (where
    none lives); as an earlier key, of the first that lives and the first in the trash; as their
    id."""

    living: str | None
    trashed: str | None
    earlier: str | None
    earlier_trashed: str | None
    itself: str | None


class References:
    """The derived tables. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.elements = Elements(database)
        self.attachments = Attachments(database)
        self.index = SearchIndex(database)
        self.shared_keys = SharedKeys(database)
        self.purged = PurgedTable(database)

    @property
    def _sources(self) -> sources.Sources:
        return sources.Sources(self._database)

    # --- writing ------------------------------------------------------------------------

    def write(self, references: Sequence[DerivedReference]) -> None:
        """Store what is derived from references, each id once."""
        before = self.read_stored([one.row.id for one in references])
        self.store([one.to_stored(before.get(one.row.id)) for one in references])

    def read_row(self, record_id: str) -> StoredBefore | None:
        """What is stored of one reference, as far as its row tells; None where it is not listed."""
        row = self._database.row(_SELECT_WRITTEN, (record_id,))
        if row is None:
            return None
        return StoredBefore(unpack_row(row, self._unpack_body(row[BODY_AT])), None, None, *row[-2:])

    def read_whole(self, before: StoredBefore) -> StoredBefore:
        """What is stored of a reference of which only the row was read."""
        record_id = str(before.row[0])
        sources = self._sources.among([record_id]).get(record_id, [])
        has_files = bool(self.attachments.among([record_id]))
        return before._replace(sources=sources, has_attachments=has_files)

    def read_stored(self, ids: Sequence[str]) -> dict[str, StoredBefore]:
        """What is stored of those of these references that are listed, by id."""
        listed = (json.dumps(ids),)
        names = ", ".join(_WRITTEN)
        rows = self._database.rows(f"SELECT {names}, number FROM refs WHERE id {_LISTED}", listed)
        if not rows:
            return {}
        sources = self._sources.among([row[0] for row in rows])
        with_files = self.attachments.among(ids)
        return {
            row[0]: StoredBefore(
                unpack_row(row, self._unpack_body(row[BODY_AT])),
                *(sources.get(row[0], []), row[0] in with_files),
                *(row[-2], row[-1]),
            )
            for row in rows
        }

    def store(self, references: Sequence[StoredReference]) -> None:
        """Store what was made ready to be stored, each id once, but the parts that are kept."""
        if not references:
            return
        if all(one.is_plain and one.indexed is not None for one in references):
            self._store_plain(references)
            return
        ids = [one.id for one in references]
        known = {one.id: one.number for one in references if one.number is not None}
        indexed = {
            one.number: one.indexed
            for one in references
            if one.number is not None and one.indexed is not None
        }
        numbers, texts = self._unlist({one.id: one.kept for one in references}, known, indexed)
        gone_before = self.purged.among(ids)
        moved = [one for one in references if not one.kept.key]
        old_keys = self.shared_keys.of([one.id for one in moved if one.id in numbers])
        there = numbers.keys() | set(gone_before)
        self._forget([(one.id, one.kept) for one in references if one.id in there])
        self.purged.remove(gone_before)
        living = [one for one in references if one.purged is None]
        self._write_rows(living)
        new = [one.id for one in living if one.id not in numbers]
        numbers = {**numbers, **self.numbers_among(new)} if new else numbers
        self.elements.write(
            (numbers[one.id], one.elements) for one in living if not one.kept.elements
        )
        changed = [one for one in living if not one.kept.texts or not one.kept.places]
        self._index({one.id: one for one in changed}, numbers, texts)
        self._sources.write(
            row for one in references if not one.kept.sources for row in one.sources
        )
        self.attachments.write(
            row for one in living if not one.kept.attachments for row in one.attachments
        )
        gone = [one.purged for one in references if one.purged is not None]
        self.purged.write(gone)
        self._database.execute_many("DELETE FROM refs WHERE id = ?", [(one.id,) for one in gone])
        new_keys = {one.key for one in moved if one.purged is None}
        self.shared_keys.renew(old=old_keys, new=new_keys)

    def _store_plain(self, references: Sequence[StoredReference]) -> None:
        """Store references of which only plain fields changed: they are in no other tables."""
        self._write_rows(references)
        given = sorted((one.number, one) for one in references if one.number is not None)
        self.index.write_places(
            (number, one.id, one.places, one.row[_TRASHED])
            for number, one in given
            if not one.kept.places
        )
        self.index.write_texts(
            (number, one.indexed and one.indexed.texts, one.texts)
            for number, one in given
            if not one.kept.texts
        )

    def _write_rows(self, references: Sequence[StoredReference]) -> None:
        """Write the rows that change; where an index has none of what changes, past all of them."""
        changed = [one for one in references if not one.kept.row]
        plain = [one for one in changed if one.is_plain]
        packed = [(pack_row(one.row), one.number) for one in plain]
        self._database.execute_many(
            _UPDATE_PLAIN, [(*(row[at] for at in _PLAIN), number) for row, number in packed]
        )
        if len(plain) < len(changed):
            others = [(*pack_row(one.row), one.basis) for one in changed if not one.is_plain]
            self._database.execute_many(_UPSERT, others)

    def remove(self, record_id: str) -> None:
        """Forget a reference: nothing is left of its record here."""
        _, texts = self._unlist({record_id: Kept()}, {}, {})
        self._index({}, {}, texts)
        old_keys = self.shared_keys.of([record_id])
        self._database.execute("DELETE FROM refs WHERE id = ?", (record_id,))
        self._forget([(record_id, Kept())])
        self.purged.remove([record_id])
        self.shared_keys.renew(old=old_keys, new=())

    def clear(self) -> None:
        """Forget everything, before a rebuild."""
        self.index.clear()
        self._database.execute("DELETE FROM refs")
        self._sources.clear()
        self.elements.clear()
        self.attachments.clear()
        self.shared_keys.clear()
        self.purged.clear()

    def _index(
        self,
        references: Mapping[str, StoredReference],
        numbers: Mapping[str, int],
        before: Mapping[int, Texts],
    ) -> None:
        """Put references into the search index; ``numbers`` are those of their rows, ``before``
        the texts that are to go, by number.

        By hand and not by triggers: each trigger's savepoint makes FTS5 flush, which took 2.4
        times as long for an import; and in the order of their numbers: each step back flushes.
        """
        given = sorted((numbers[one.id], one) for one in references.values())
        self.index.write_places(
            (number, one.id, one.places, one.row[_TRASHED])
            for number, one in given
            if not one.kept.places
        )
        after = {
            number: one.texts
            for number, one in given
            if not one.kept.texts and one.texts is not None
        }
        self.index.write_texts(
            (number, before.get(number), after.get(number))
            for number in sorted(before.keys() | after.keys())
        )

    def _unlist(
        self, kept: Mapping[str, Kept], known: Mapping[str, int], indexed: Mapping[int, Indexed]
    ) -> tuple[dict[str, int], dict[int, Texts]]:
        """Take references out of the orders and the elements as far as they are not kept there;
        returns the numbers of those that are listed, by id, and of those whose texts are not kept
        the texts that are indexed, by number; ``known`` are the numbers of some, ``indexed`` what
        the indexes hold of some."""
        asked = [one for one in kept if one not in known]
        numbers = {**known, **self.numbers_among(asked)} if asked else dict(known)
        listed = sorted((number, one) for one, number in numbers.items())
        self.index.remove_places([number for number, one in listed if not kept[one].places])
        texts = {number for number, one in listed if not kept[one].texts}
        elements = {number for number, one in listed if not kept[one].elements}
        unknown = sorted((texts | elements) - indexed.keys())
        held, found = self._read_indexed(unknown, texts, elements) if unknown else ([], {})
        for number in (texts | elements) & indexed.keys():
            one_of = indexed[number]
            if one_of.texts is not None:
                found[number] = one_of.texts
            if one_of.elements:
                held.append((number, one_of.elements))
        self.elements.remove(held)
        return numbers, found

    def _read_indexed(
        self, asked: Sequence[int], texts: Set[int], elements: Set[int]
    ) -> tuple[list[tuple[int, Sequence[ElementRow]]], dict[int, Texts]]:
        """What references hold of elements, and the texts that are indexed of live ones: both are
        made of their rows again."""
        rows = self._database.rows(
            "SELECT number, key, type, body, year, trashed, conflicts FROM refs "
            "WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(asked),),
        )
        found: dict[int, Texts] = {}
        held: list[tuple[int, Sequence[ElementRow]]] = []
        for number, key, kind, body, year, trashed, conflicts in rows:
            title, _, _, abstract, note, _, written = self._unpack_body(body)
            fields = self._read_fields(written)
            if number in elements:
                held.append((number, element_rows("", fields, trashed=bool(trashed))))
            if number in texts and not trashed:
                row = Searchable(key, kind, title, abstract, note, fields, year, conflicts)
                found[number] = row.index_texts()
        return held, found

    def _forget(self, references: Sequence[tuple[str, Kept]]) -> None:
        """Forget all that is derived of references but their rows, and what is kept."""
        self._sources.remove(one for one, kept in references if not kept.sources)
        self.attachments.remove(one for one, kept in references if not kept.attachments)

    # --- reading --------------------------------------------------------------------------

    def read(self, record_id: str) -> ReferenceRow | None:
        """One reference, or None."""
        row = self._database.row(f"{_SELECT} WHERE refs.id = ?", (record_id,))
        return self.row_of(row) if row else None

    def iter_rows(self, *, trashed: bool) -> Iterator[ReferenceRow]:
        """All live (or all trashed) references, by id, a page at a time."""
        last = ""
        while rows := self._database.rows(
            f"{_SELECT} WHERE {in_trash(trashed)} AND refs.id > ? ORDER BY refs.id LIMIT {_PAGE}",
            (last,),
        ):
            yield from map(self.row_of, rows)
            last = rows[-1][0]

    def iter_for_comparison(self) -> Iterator[tuple[str, str, str, int | None, dict[str, Any]]]:
        """Of every live reference what tells works apart: id, type, title, year and fields."""
        last = ""
        while rows := self._database.rows(
            "SELECT id, type, year, body FROM refs WHERE +trashed = 0 AND id > ? "
            f"ORDER BY id LIMIT {_PAGE}",
            (last,),
        ):
            for record_id, kind, year, body in rows:
                title, *_, written = self._unpack_body(body)
                yield record_id, kind, title or "", year, self._read_fields(written)
            last = rows[-1][0]

    def in_conflict(self) -> list[str]:
        """The ids of the live references that have conflicts, in order."""
        rows = self._database.rows(
            # Each + keeps SQLite to the index of conflicts: the others read all references.
            "SELECT id FROM refs WHERE conflicts > 0 AND +trashed = 0 ORDER BY +id"
        )
        return [row[0] for row in rows]

    def by_number(self, numbers: Sequence[int]) -> Iterator[ReferenceRow]:
        """The references of these numbers, in their order, a page at a time."""
        for start in range(0, len(numbers), _PAGE):
            page = numbers[start : start + _PAGE]
            rows = self._database.rows(
                f"SELECT {COLUMNS}, refs.number FROM refs WHERE refs.number IN "
                f"({', '.join('?' * len(page))})",
                page,
            )
            found = {row[-1]: row for row in rows}
            yield from (self.row_of(found[number]) for number in page if number in found)

    def find_named(self, name: str) -> Named:
        """The references that have a name, in one statement."""
        whole = name.lower()
        given = (_encodable(name), ALIASES_NUMBER, encodable_element(name), _encodable(whole))
        found = {row[0]: row[1] for row in self._database.rows(_NAMED, given)}
        return Named(*(found.get(how) for how in range(5)))

    def ids_with_key(self, key: str) -> list[str]:
        """The references with this citation key, the one that keeps it first, trash last."""
        rows = self._database.rows(
            "SELECT id FROM refs WHERE key = ? ORDER BY trashed, key_rank, id",
            (_encodable(key),),
        )
        return [row[0] for row in rows]

    def trashed_with_key(self, key: str, *, most: int) -> list[str]:
        """The references in the trash that had this citation key, by id."""
        rows = self._database.rows(
            "SELECT id FROM refs WHERE key = ? AND +trashed = 1 ORDER BY id LIMIT ?",
            (_encodable(key), most),
        )
        return [row[0] for row in rows]

    def ids_with_prefix(self, prefix: str, *, most: int) -> list[str]:
        """Ids that begin with a prefix of hex digits."""
        rows = self._database.rows(
            "SELECT id FROM refs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (prefix, prefix + "g", most),
        )
        return [row[0] for row in rows]

    def with_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """The live references with these citation keys, by key; keys that none has are left out."""
        rows = self._database.rows(
            f"SELECT key, id FROM refs WHERE key {_LISTED} AND +trashed = 0 ORDER BY key_rank, id",
            (json.dumps(keys),),
        )
        found: dict[str, list[str]] = {}
        for key, record_id in rows:
            found.setdefault(key, []).append(record_id)
        return found

    def key_finds_another(self, key: str, *, but: str) -> bool:
        """Whether a live reference other than ``but`` has this citation key, or had it earlier."""
        row = self._database.row(
            "SELECT 1 FROM refs WHERE key = ? AND +trashed = 0 AND id != ? LIMIT 1", (key, but)
        )
        if row is not None:
            return True
        return any(holder != but for holder in self.elements.holders(ALIASES, key))

    def from_sources(self, source_format: str, source_ids: Sequence[str]) -> dict[str, list[str]]:
        """The references that were imported from records of this format and these ids, by id of
        the source; ids of which there is none are left out."""
        return self._sources.find(source_format, source_ids)

    def has_source_of(self, source_format: str) -> bool:
        """Whether any reference was imported from this format."""
        return self._sources.has_format(source_format)

    def sources_of(self, record_id: str) -> list[SourceRow]:
        """The sources of a reference."""
        return [SourceRow(*one) for one in self._sources.among([record_id]).get(record_id, [])]

    def numbers_among(self, record_ids: Sequence[str]) -> dict[str, int]:
        """The numbers of the rows of those of these references that are listed, by id."""
        rows = self._database.rows(
            f"SELECT id, number FROM refs WHERE id {_LISTED}", (json.dumps(list(record_ids)),)
        )
        return dict(rows)

    def live_number(self, record_id: str) -> int | None:
        """The number of the row of a reference that is not in the trash; None where there is none.

        A reference that came later has a greater one.
        """
        row = self._database.row(
            "SELECT number FROM refs WHERE id = ? AND trashed = 0", (record_id,)
        )
        return row[0] if row else None

    def last_number(self) -> int:
        """The greatest number of a row; 0 without any."""
        row = self._database.row("SELECT max(number) FROM refs")
        return int(row[0] or 0) if row else 0

    def count(self, *, trashed: bool) -> int:
        """How many references live, or lie in the trash."""
        in_it = "(SELECT count(*) FROM refs WHERE trashed = 1)"
        asked = in_it if trashed else f"(SELECT count(*) FROM refs) - {in_it}"
        row = self._database.row(f"SELECT {asked}")
        return int(row[0]) if row else 0

    def conflict_count(self) -> int:
        """How many conflicts the live references have in all."""
        row = self._database.row(
            "SELECT coalesce(sum(conflicts), 0) FROM refs WHERE conflicts > 0 AND +trashed = 0"
        )
        return int(row[0]) if row else 0

    def check_text_index(self) -> None:
        """Compare the full-text index with the rows that it is of; of a copy only, as it writes.

        Raises:
            DamagedLibraryError: they differ.
        """
        self._database.execute(
            "INSERT INTO refs_fts (refs_fts, rank) VALUES ('integrity-check', 1)"
        )

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Everything that is derived, in order: to compare upkeep with a rebuild."""
        names = ", ".join(_WRITTEN)
        return [
            *(
                (*self._unpack(row), row[-1])
                for row in self._database.rows(f"SELECT {names} FROM refs ORDER BY id")
            ),
            *self._sources.all_rows(),
            *self.elements.all_rows(),
            *((key,) for key in self.shared_keys.list()),
            *self.attachments.all_rows(),
            *self.index.all_rows(),
            *self.purged.all_rows(),
        ]

    def row_of(self, row: Sequence[Any]) -> ReferenceRow:
        """The row of a list that the values of ``COLUMNS`` are.

        Raises:
            DamagedLibraryError: they are none.
        """
        *values, fields, year, trashed, conflicts = self._unpack(row)
        is_taken = bool(row[len(LISTED)])
        values += (self._read_fields(fields), year, bool(trashed), conflicts, is_taken)
        return ReferenceRow(*values)

    def _read_fields(self, stored: str) -> dict[str, Any]:
        try:
            fields: dict[str, Any] = read_json(stored)
        except ValueError as error:
            raise self._damaged("a row of its list is no JSON") from error
        return fields

    def _unpack(self, row: Sequence[Any]) -> tuple[Any, ...]:
        try:
            return unpack_row(row, unpack_body(row[BODY_AT]))
        except ValueError as error:
            raise self._damaged("a row of its list cannot be read") from error

    def _unpack_body(self, stored: bytes) -> Body:
        try:
            return unpack_body(stored)
        except ValueError as error:
            raise self._damaged("a row of its list cannot be read") from error

    def _damaged(self, reason: str) -> DamagedLibraryError:
        return DamagedLibraryError(self._database.path.parent, reason=reason)


def _encodable(text: str) -> str:
    """The text with a question mark for each half of a character: a shell passes bytes that are
    no UTF-8 as such halves, and SQLite takes none."""
    return text.encode(errors="replace").decode()

"""The records of one file between reading and committing, out of memory.

Which record of the library a record of a file belongs to can be told only when the whole file is
known (DESIGN §4), and a file may be larger than the memory. The staging is two temporary tables of
the connection: SQLite keeps them in a file of its own as soon as they grow, which no other
process sees and which is gone when the connection closes. Knows nothing of what it keeps.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bifolio.storage.database import Database

_PAGE = 500


@dataclass(frozen=True, slots=True)
class StagedRecord:
    """One record in its turn; ``number`` says where it was read."""

    number: int
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Unmade:
    """One record in the order of reading; ``is_fresh``: the library has no record of its id."""

    number: int
    id: str
    body: bytes
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class StagingPlace:
    """The id of one of several records that were read under one id, and its rank among them."""

    number: int
    id: str
    rank: int


class ImportStaging:
    """Records by id and in order. Use it once: ``add``, ``place``, ``arrange``, ``pages``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: How many records were added.
        self.added = 0
        self.close()
        database.execute(
            "CREATE TEMP TABLE staged (number INTEGER PRIMARY KEY, id TEXT NOT NULL, "
            "turn INTEGER NOT NULL, rank INTEGER NOT NULL, fresh INTEGER NOT NULL)"
        )
        database.execute(
            "CREATE TEMP TABLE spooled_bodies (number INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )
        database.execute(
            "CREATE TEMP TABLE spooled_made (last INTEGER PRIMARY KEY, "
            "first INTEGER NOT NULL, body BLOB NOT NULL)"
        )
        database.execute("CREATE TEMP TABLE spooled_taken (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def close(self) -> None:
        """Drop everything; a second time is no error."""
        for table in ("staged", "spooled_bodies", "spooled_made", "spooled_taken"):
            self._database.execute(f"DROP TABLE IF EXISTS temp.{table}")

    def add(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Keep (id, body) pairs in the order in which they are read."""
        numbered = list(enumerate(records, self.added + 1))
        self.added += len(records)
        self._database.execute_many(
            "INSERT INTO temp.staged (number, id, turn, rank, fresh) VALUES (?, ?, ?, 0, 0)",
            [(number, record_id, number) for number, (record_id, _) in numbered],
        )
        self._database.execute_many(
            "INSERT INTO temp.spooled_bodies (number, body) VALUES (?, ?)",
            [(number, body) for number, (_, body) in numbered],
        )

    def ids_read_twice(self) -> Iterator[tuple[str, list[int]]]:
        """Each id that several records were read under, with their numbers, ascending."""
        self._database.execute("CREATE INDEX temp.spooled_ids ON staged (id, number)")
        last = ""
        while rows := self._database.rows(
            "SELECT id FROM temp.staged WHERE id > ? GROUP BY id HAVING count(*) > 1 "
            f"ORDER BY id LIMIT {_PAGE}",
            (last,),
        ):
            for (record_id,) in rows:
                numbers = self._database.rows(
                    "SELECT number FROM temp.staged WHERE id = ? ORDER BY number", (record_id,)
                )
                yield record_id, [row[0] for row in numbers]
            last = rows[-1][0]

    def body(self, number: int) -> bytes:
        """What was added as the number-th record."""
        row = self._database.row("SELECT body FROM temp.spooled_bodies WHERE number = ?", (number,))
        assert row is not None, "a number that the staging gave"
        return bytes(row[0])

    def page(self, *, after: int, most: int, bytes_max: int) -> list[Unmade]:
        """The next records in the order of reading, up to a total size, but at least one."""
        found: list[Unmade] = []
        size = 0
        cursor = self._database.execute(
            "SELECT staged.number, id, body, NOT EXISTS "
            "(SELECT 1 FROM main.records WHERE records.id = staged.id) FROM temp.staged "
            "JOIN temp.spooled_bodies ON spooled_bodies.number = staged.number "
            "WHERE staged.number > ? ORDER BY staged.number LIMIT ?",
            (after, most),
        )
        for number, record_id, body, is_fresh in cursor:
            size += len(body)
            if found and size > bytes_max:
                break
            found.append(Unmade(number, record_id, body, bool(is_fresh)))
        cursor.close()
        return found

    def keep_made(self, first: int, last: int, body: bytes) -> None:
        """Keep what was made of the records from one number to another."""
        self._database.execute(
            "INSERT INTO temp.spooled_made VALUES (?, ?, ?)", (last, first, body)
        )

    def read_made(self, number: int) -> bytes | None:
        """What was kept with the number-th record in it, if it was."""
        row = self._database.row(
            "SELECT iif(first <= ?1, body, NULL) FROM temp.spooled_made "
            "WHERE last >= ?1 ORDER BY last LIMIT 1",
            (number,),
        )
        return row[0] if row else None

    def place(self, numbers: Sequence[int], places: Sequence[StagingPlace]) -> None:
        """Of records read under one id keep those that have a place, each under the id there;
        their turn is that of the first one."""
        kept = {place.number for place in places}
        self._database.execute_many(
            "DELETE FROM temp.staged WHERE number = ?",
            [(number,) for number in numbers if number not in kept],
        )
        self._database.execute_many(
            "UPDATE temp.staged SET id = ?, turn = ?, rank = ? WHERE number = ?",
            [(place.id, numbers[0], place.rank, place.number) for place in places],
        )

    def arrange(self) -> int:
        """Let those of which the library has a record of their id go first; returns how many
        records there are in all."""
        self._database.execute(
            "UPDATE temp.staged SET fresh = 1 "
            "WHERE NOT EXISTS (SELECT 1 FROM main.records WHERE records.id = staged.id)"
        )
        self._database.execute("CREATE INDEX temp.spooled_turns ON staged (fresh, turn, rank)")
        row = self._database.row("SELECT count(*) FROM temp.staged")
        return int(row[0]) if row else 0

    def pages(self, *, most: int = _PAGE, bytes_max: int) -> Iterator[list[StagedRecord]]:
        """All records in their order, some at a time, up to a total size, but at least one;
        transactions may end in between."""
        last: tuple[int, int, int] = (0, 0, -1)
        while rows := self._database.rows(
            "SELECT staged.number, id, length(body), fresh, turn, rank FROM temp.staged "
            "JOIN temp.spooled_bodies ON spooled_bodies.number = staged.number "
            "WHERE (fresh, turn, rank) > (?, ?, ?) ORDER BY fresh, turn, rank LIMIT ?",
            (*last, most),
        ):
            total = list(accumulate(row[2] for row in rows))
            page = rows[: max(1, bisect_right(total, bytes_max))]
            bodies = dict(
                self._database.rows(
                    "SELECT number, body FROM temp.spooled_bodies "
                    "WHERE number IN (SELECT value FROM json_each(?))",
                    (json.dumps([row[0] for row in page]),),
                )
            )
            yield [
                StagedRecord(number, record_id, bodies[number]) for number, record_id, *_ in page
            ]
            last = page[-1][3:]

    def take(self, record_ids: Iterable[str]) -> None:
        """Remember that records of the library have found their versions in the file."""
        self._database.execute_many(
            "INSERT OR IGNORE INTO temp.spooled_taken VALUES (?)", [(one,) for one in record_ids]
        )

    def is_taken(self, record_id: str) -> bool:
        """Whether ``take`` was told of it."""
        row = self._database.row("SELECT 1 FROM temp.spooled_taken WHERE id = ?", (record_id,))
        return row is not None

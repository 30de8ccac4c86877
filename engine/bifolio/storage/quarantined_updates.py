"""Updates of records that were not merged, kept as they came, each with its author and the reason.

A *refused* update never is merged by itself; an *incomplete* one builds on something that is not
in its record yet, and is tried again when that comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifolio import limits
from bifolio.storage.database import Database

REFUSED = "refused"
INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class QuarantinedUpdate:
    """One update. Of one that an earlier version set aside, ``device``, ``envelope`` are None and
    ``kind`` is empty."""

    number: int
    record: str
    contents: bytes
    reason: str
    device: bytes | None
    envelope: bytes | None
    kind: str


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """Updates of one author to one record that were not merged, with the first's reason."""

    device: bytes | None
    record: str
    kind: str
    reason: str
    count: int


_COLUMNS = "number, record, contents, reason, device, envelope, kind"


class QuarantinedUpdates:
    """The table ``quarantined_updates``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        record_id: str,
        update: bytes,
        reason: str,
        *,
        device: bytes,
        envelope: bytes,
        kind: str,
        needs: tuple[int, int] | None = None,
    ) -> bool:
        """Keep an update that was not merged.

        Args:
            device: its author's signing key.
            envelope: the hash of the envelope that brought it.
            needs: of an incomplete one, the client id and clock that must come first.

        Returns:
            whether it was kept: so many bytes of one author and no more. The envelope is kept in
            any case.
        """
        client, clock = needs or (None, None)
        cursor = self._database.execute(
            "INSERT INTO quarantined_updates "
            "(record, contents, reason, device, envelope, kind, needs_client, needs_clock) "
            "SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM quarantined_updates "
            "WHERE device = ?) < ?",
            (
                record_id,
                update,
                reason,
                device,
                envelope,
                kind,
                client,
                clock,
                device,
                limits.QUARANTINED_PER_AUTHOR_MAX,
            ),
        )
        return cursor.rowcount > 0

    def remove(self, number: int) -> None:
        """An update was merged after all."""
        self._database.execute("DELETE FROM quarantined_updates WHERE number = ?", (number,))

    def wait_for(self, number: int, needs: tuple[int, int]) -> None:
        """An incomplete update lacks something else now."""
        self._database.execute(
            "UPDATE quarantined_updates SET needs_client = ?, needs_clock = ?, kind = ? "
            "WHERE number = ?",
            (*needs, INCOMPLETE, number),
        )

    def has_incomplete(self, record_id: str) -> bool:
        """Whether an update of a record waits for something."""
        row = self._database.row(
            "SELECT 1 FROM quarantined_updates WHERE record = ? AND needs_client IS NOT NULL "
            "LIMIT 1",
            (record_id,),
        )
        return row is not None

    def needing(self, record_id: str, client: int, *, before: int) -> list[QuarantinedUpdate]:
        """The incomplete updates of a record that lack a clock of a client below a number."""
        return self._read(
            "record = ? AND needs_client = ? AND needs_clock < ?", (record_id, client, before)
        )

    def of_record(self, record_id: str) -> list[QuarantinedUpdate]:
        """All of a record, in the order in which they came."""
        return self._read("record = ?", (record_id,))

    def after(self, number: int, *, most: int) -> list[QuarantinedUpdate]:
        """Some behind a number, in the order in which they came."""
        return self._read("number > ?", (number,), most=most)

    def counts(self) -> list[QuarantineCount]:
        """By record, author and kind, in the order of arrival."""
        rows = self._database.rows(
            "SELECT device, record, coalesce(kind, ''), reason, count(*), min(number) "
            "FROM quarantined_updates GROUP BY record, device, kind ORDER BY min(number)"
        )
        return [QuarantineCount(*row[:5]) for row in rows]

    def _read(
        self, condition: str, values: tuple[object, ...], *, most: int = -1
    ) -> list[QuarantinedUpdate]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM quarantined_updates WHERE {condition} ORDER BY number LIMIT ?",
            (*values, most),
        )
        return [QuarantinedUpdate(*row[:6], row[6] or "") for row in rows]

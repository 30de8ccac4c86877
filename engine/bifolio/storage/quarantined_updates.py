"""Updates of records that could not be merged, kept as they came, each with the reason."""

from __future__ import annotations

from bifolio.storage.database import Database


class QuarantinedUpdates:
    """The table ``quarantined_updates``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has(self, record_id: str) -> bool:
        """Whether an update of a record is quarantined."""
        row = self._database.row(
            "SELECT 1 FROM quarantined_updates WHERE record = ? LIMIT 1", (record_id,)
        )
        return row is not None

    def add(self, record_id: str, update: bytes, reason: str) -> None:
        """Keep an update of a record that could not be merged."""
        self._database.execute(
            "INSERT INTO quarantined_updates (record, contents, reason) VALUES (?, ?, ?)",
            (record_id, update, reason),
        )

    def by_record(self) -> list[tuple[str, str, int]]:
        """Each record concerned, in the order of arrival: its id, the first reason, how many."""
        rows = self._database.rows(
            "SELECT record, reason, count(*), min(number) FROM quarantined_updates "
            "GROUP BY record ORDER BY min(number)"
        )
        return [(record, reason, count) for record, reason, count, _ in rows]

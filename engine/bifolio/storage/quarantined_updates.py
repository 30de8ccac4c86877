"""Updates of records that were not merged, kept as they came, each with its author and the reason.

A *refused* update never is merged by itself; an *incomplete* one builds on something that is not
in its record yet, and is tried again when that comes.
"""

from __future__ import annotations

from msgspec import Struct

from bifolio.storage.database import Database

REFUSED = "refused"
INCOMPLETE = "incomplete"


class QuarantinedUpdate(Struct, frozen=True):
    """One update. Of one that an earlier version set aside, ``device``, ``envelope`` are None and
    ``kind`` is empty."""

    number: int
    record: str
    contents: bytes
    reason: str
    device: bytes | None
    envelope: bytes | None
    kind: str


class QuarantineCount(Struct, frozen=True):
    """Updates of one author to one record that were not merged, with the first's reason."""

    device: bytes | None
    record: str
    kind: str
    reason: str
    count: int


_COLUMNS = "number, record, contents, reason, device, envelope, coalesce(kind, '')"


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
        device: bytes | None,
        envelope: bytes | None,
        kind: str,
        needs: tuple[int, int] | None = None,
    ) -> None:
        """Keep an update that was not merged.

        Args:
            record_id: the record that it is of.
            update: its bytes.
            reason: what is wrong with it.
            device: its author's signing key.
            envelope: the hash of the envelope that brought it.
            kind: ``REFUSED`` or ``INCOMPLETE``.
            needs: of an incomplete one, the client id and clock that must come first.
        """
        client, clock = needs or (None, None)
        self._database.execute(
            "INSERT INTO quarantined_updates "
            "(record, contents, reason, device, envelope, kind, needs_client, needs_clock) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (record_id, update, reason, device, envelope, kind, client, clock),
        )
        self._database.note_row("quarantined_updates")

    def usage(self, device: bytes | None) -> tuple[int, int]:
        """How many updates of an author are kept, and their bytes."""
        row = self._database.row_of_few(
            "quarantined_updates",
            "SELECT count(*), coalesce(sum(length(contents)), 0) FROM quarantined_updates "
            "WHERE device IS ?",
            (device,),
        )
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def has(self, number: int) -> bool:
        """Whether an update is still kept here, by its number."""
        row = self._database.row("SELECT 1 FROM quarantined_updates WHERE number = ?", (number,))
        return row is not None

    def remove(self, number: int) -> None:
        """An update was merged after all."""
        self._database.execute("DELETE FROM quarantined_updates WHERE number = ?", (number,))

    def wait_for(self, number: int, kind: str, reason: str, needs: tuple[int, int] | None) -> None:
        """An update was tried again, and lacks something else, or is refused now."""
        client, clock = needs or (None, None)
        self._database.execute(
            "UPDATE quarantined_updates SET kind = ?, reason = ?, needs_client = ?, "
            "needs_clock = ? WHERE number = ?",
            (kind, reason, client, clock, number),
        )

    def has_incomplete(self, record_id: str) -> bool:
        """Whether an update of a record waits for something."""
        row = self._database.row_of_few(
            "quarantined_updates",
            "SELECT 1 FROM quarantined_updates WHERE record = ? AND needs_client IS NOT NULL "
            "LIMIT 1",
            (record_id,),
        )
        return row is not None

    def has_any_incomplete(self) -> bool:
        """Whether an update of any record waits for something."""
        row = self._database.row(
            "SELECT 1 FROM quarantined_updates WHERE needs_client IS NOT NULL LIMIT 1"
        )
        return row is not None

    def has_of_author(self, record_id: str, device: bytes) -> bool:
        """Whether an update of an author to a record is kept here."""
        row = self._database.row_of_few(
            "quarantined_updates",
            "SELECT 1 FROM quarantined_updates WHERE record = ? AND device = ? LIMIT 1",
            (record_id, device),
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
        return [QuarantinedUpdate(*row) for row in rows]

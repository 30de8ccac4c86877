"""What a relay's log was at each position, as this replica was told it.

Others say in their envelopes what the log was for them: where the two differ, the relay has told
two stories. The last few epochs are kept, so that this comes out on another relay too.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.storage.database import Database


class LogHashes:
    """The table ``log_hashes``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, epoch: bytes, hashes: Sequence[tuple[int, bytes]]) -> None:
        """Note the chain's hash after each of some entries: (position, hash)."""
        if not hashes:
            return
        number = self._epoch(epoch)
        self._database.execute_many(
            "INSERT OR REPLACE INTO log_hashes (epoch, position, hash) VALUES (?, ?, ?)",
            [(number, position, chain_hash) for position, chain_hash in hashes],
        )

    def thin(self, epoch: bytes, *, after: int, before: int) -> None:
        """Forget the hashes between two positions: nobody honest stood there."""
        self._database.execute(
            "DELETE FROM log_hashes WHERE epoch = (SELECT number FROM log_epochs WHERE id = ?) "
            "AND position > ? AND position < ?",
            (epoch, after, before),
        )

    def read(self, epoch: bytes, position: int) -> bytes | None:
        """The chain's hash at a position of an epoch's log; None where it is not known."""
        row = self._database.row(
            "SELECT hash FROM log_hashes WHERE position = ? AND epoch = "
            "(SELECT number FROM log_epochs WHERE id = ?)",
            (position, epoch),
        )
        return row[0] if row else None

    def compare(self, epoch: bytes, position: int, chain_hash: bytes) -> bool | None:
        """Whether the log had this hash at a position here too, by as much as is given of it.

        Args:
            epoch: the first bytes of the log's epoch.
            position: in that log.
            chain_hash: the first bytes of the chain's hash there.

        Returns:
            None where this replica was not told of that position.
        """
        row = self._database.row(
            "SELECT log_hashes.hash FROM log_epochs JOIN log_hashes ON epoch = number "
            "WHERE substr(log_epochs.id, 1, ?) = ? AND position = ?",
            (len(epoch), epoch, position),
        )
        return None if row is None else bytes(row[0][: len(chain_hash)]) == chain_hash

    def remove_all(self) -> None:
        """Another library's log is followed from here on."""
        self._database.execute("DELETE FROM log_hashes")
        self._database.execute("DELETE FROM log_epochs")

    def _epoch(self, epoch: bytes) -> int:
        row = self._database.row("SELECT number FROM log_epochs WHERE id = ?", (epoch,))
        if row is not None:
            return int(row[0])
        number = self._database.execute(
            "INSERT INTO log_epochs (id) VALUES (?)", (epoch,)
        ).lastrowid
        assert number is not None
        oldest = number - limits.LOG_EPOCHS_KEPT
        self._database.execute("DELETE FROM log_hashes WHERE epoch <= ?", (oldest,))
        self._database.execute("DELETE FROM log_epochs WHERE number <= ?", (oldest,))
        return number

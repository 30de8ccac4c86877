"""What this replica knows of each content's whereabouts: here, on the relay, asked for, refused.

There is a row for every content that a reference ever named here, so that what is left to carry is
found by an index, whatever the number of files. Not derived from the records, but never the truth
either: ``reconcile`` puts it right by the folder, and the relay's answers by the relay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from msgspec import Struct

from bifolio.storage.database import Database

_COLUMNS = "hash, here, on_relay, asked, refused, failures, not_before_ms, unnamed_since_ms"


class Transfer(Struct, frozen=True):
    """Where a content is, as far as known.

    ``asked`` if a user wants it here whatever the replica fetches by itself; ``refused`` why the
    relay did not take it; ``failures`` how often it arrived damaged, and then the time before
    which it is not asked for again; ``unnamed_since_ms`` since when no reference names it.
    """

    hash: str
    here: bool = False
    on_relay: bool = False
    asked: bool = False
    refused: str = ""
    failures: int = 0
    not_before_ms: int = 0
    unnamed_since_ms: int | None = None


class Transfers:
    """The table ``transfers``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, hash: str) -> Transfer:
        """What is known of one content."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM transfers WHERE hash = ?", (hash,))
        return _transfer(row) if row else Transfer(hash)

    def knows(self, hash: str) -> bool:
        """Whether anything is known of a content: a reference named it, or it was found here."""
        return self._database.row("SELECT 1 FROM transfers WHERE hash = ?", (hash,)) is not None

    def mark_arrived(self, hash: str) -> None:
        """The content is here."""
        self._set(hash, "here = 1, asked = 0, failures = 0, not_before_ms = 0")

    def mark_missing(self, hash: str) -> None:
        """The content is not here (any more)."""
        self._set(hash, "here = 0")

    def mark_on_relay(self, hash: str, *, there: bool) -> None:
        """The relay has the whole content, or has not."""
        self._set(hash, "on_relay = 1, refused = ''" if there else "on_relay = 0")

    def mark_refused(self, hash: str, reason: str) -> None:
        """The relay did not take it."""
        self._database.execute(
            "INSERT INTO transfers (hash, refused) VALUES (?, ?) "
            "ON CONFLICT (hash) DO UPDATE SET refused = excluded.refused",
            (hash, reason),
        )

    def mark_wanted(self, hash: str) -> None:
        """A user wants it here."""
        self._set(hash, "asked = 1, not_before_ms = 0")

    def mark_failed(self, hash: str, *, not_before_ms: int) -> None:
        """It arrived damaged, and is not asked for again before that time."""
        self._set(hash, f"failures = failures + 1, not_before_ms = {int(not_before_ms)}")

    def forget_relay(self) -> None:
        """The relay is another one, or has lost something: nothing is known to be there."""
        self._database.execute(
            "UPDATE transfers SET on_relay = 0, refused = '' WHERE on_relay = 1 OR refused != ''"
        )

    def forget(self, hash: str) -> None:
        """Nothing more is to be known of a content."""
        self._database.execute("DELETE FROM transfers WHERE hash = ?", (hash,))

    def reconcile(self, present: Set[str]) -> None:
        """Put ``here`` right by what the folder holds."""
        known = {row[0] for row in self._database.rows("SELECT hash FROM transfers WHERE here = 1")}
        for hash in known - present:
            self.mark_missing(hash)
        for hash in present - known:
            self._set(hash, "here = 1")

    def to_send(self) -> list[tuple[str, int]]:
        """Contents that are here, named, and not known to be on the relay, with their sizes."""
        return self._find_named("transfers.on_relay = 0 AND transfers.here = 1")

    def to_fetch(self, *, all_of_them: bool) -> list[tuple[str, int, int]]:
        """Contents that are to come, with their sizes and the time before which not to ask."""
        wanted = "transfers.here = 0" + ("" if all_of_them else " AND transfers.asked = 1")
        return [
            (row[0], int(row[1]), int(row[2]))
            for row in self._database.rows(
                "SELECT transfers.hash, min(size), not_before_ms FROM transfers "
                "JOIN attachments ON attachments.hash = transfers.hash "
                f"WHERE {wanted} GROUP BY transfers.hash ORDER BY min(stamp), transfers.hash"
            )
        ]

    def absent(self) -> list[str]:
        """The contents that are not here, as far as noted."""
        return [row[0] for row in self._database.rows("SELECT hash FROM transfers WHERE here = 0")]

    def not_here(self) -> list[tuple[str, int]]:
        """Named contents that are neither here nor known to be on the relay."""
        return self._find_named("transfers.on_relay = 0 AND transfers.here = 0")

    def named_off_relay(self) -> list[tuple[str, int]]:
        """Named contents that are not known to be on the relay, wherever they are."""
        return self._find_named("transfers.on_relay = 0")

    def unsent(self) -> int:
        """How many contents only this computer may have."""
        return len(self.to_send())

    def refusals(self) -> list[tuple[str, int]]:
        """Why the relay did not take contents that are named here, and how many of each."""
        rows = self._database.rows(
            "SELECT refused, count(*) FROM transfers WHERE on_relay = 0 AND refused != '' "
            "AND EXISTS (SELECT 1 FROM attachments WHERE attachments.hash = transfers.hash) "
            "GROUP BY refused ORDER BY refused"
        )
        return [(row[0], int(row[1])) for row in rows]

    def damaged(self) -> list[Transfer]:
        """Contents that came damaged, and have not come whole since."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM transfers WHERE here = 0 AND failures > 0 ORDER BY hash"
        )
        return [_transfer(row) for row in rows]

    def note_unnamed(self, now_ms: int) -> None:
        """Note since when no reference names a content; naming it again resets that."""
        named = "EXISTS (SELECT 1 FROM attachments WHERE attachments.hash = transfers.hash)"
        self._database.execute(
            "UPDATE transfers SET unnamed_since_ms = NULL "
            f"WHERE unnamed_since_ms IS NOT NULL AND {named}"
        )
        self._database.execute(
            "UPDATE transfers SET unnamed_since_ms = ? "
            f"WHERE unnamed_since_ms IS NULL AND NOT {named}",
            (now_ms,),
        )

    def mark_unnamed(self, hash: str, then_ms: int) -> None:
        """No reference names it, and has not since that time."""
        self._set(hash, f"unnamed_since_ms = {int(then_ms)}")

    def reserve(self, hash: str, until_ms: int) -> None:
        """Somebody is about to name it: it counts as named until that time."""
        self._database.execute(
            "UPDATE transfers SET unnamed_since_ms = ? WHERE hash = ?", (until_ms, hash)
        )

    def unnamed(self, *, before_ms: int) -> list[Transfer]:
        """Contents that no reference has named since before that time."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM transfers WHERE unnamed_since_ms <= ? ORDER BY hash",
            (before_ms,),
        )
        return [_transfer(row) for row in rows]

    def know(self, hashes: Iterable[str]) -> None:
        """A reference names these contents: there is a row for each, and none counts as unnamed."""
        self._database.execute_many(
            "INSERT INTO transfers (hash) VALUES (?) ON CONFLICT (hash) DO UPDATE "
            "SET unnamed_since_ms = NULL WHERE unnamed_since_ms IS NOT NULL",
            [(one,) for one in hashes],
        )

    def _find_named(self, wanted: str) -> list[tuple[str, int]]:
        rows = self._database.rows(
            "SELECT transfers.hash, min(size) FROM transfers "
            "JOIN attachments ON attachments.hash = transfers.hash "
            f"WHERE {wanted} GROUP BY transfers.hash ORDER BY min(stamp), transfers.hash"
        )
        return [(row[0], int(row[1])) for row in rows]

    def _set(self, hash: str, change: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO transfers (hash) VALUES (?)", (hash,))
        self._database.execute(f"UPDATE transfers SET {change} WHERE hash = ?", (hash,))


def _transfer(row: Sequence[object]) -> Transfer:
    hash, here, on_relay, asked, refused, failures, not_before_ms, unnamed_since_ms = row
    return Transfer(
        str(hash),
        here=bool(here),
        on_relay=bool(on_relay),
        asked=bool(asked),
        refused=str(refused),
        failures=int(str(failures)),
        not_before_ms=int(str(not_before_ms)),
        unnamed_since_ms=None if unnamed_since_ms is None else int(str(unnamed_since_ms)),
    )

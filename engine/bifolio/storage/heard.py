"""What was last heard of each device: the time of its newest change here.

A relay can keep back what somebody sends, and no computer can know that it did. What each of them
can say is since when nothing came.
"""

from __future__ import annotations

from bifolio.storage.database import Database


class Heard:
    """The table ``heard``. Writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, tag: str, stamp: str) -> None:
        """A change of a device was merged, made at this stamp."""
        self._database.execute(
            "INSERT INTO heard (device, stamp) VALUES (?, ?) ON CONFLICT (device) "
            "DO UPDATE SET stamp = excluded.stamp WHERE excluded.stamp > stamp",
            (tag, stamp),
        )

    def read_all(self) -> dict[str, str]:
        """The stamp of the newest change of each device, by its tag."""
        rows = self._database.rows("SELECT device, stamp FROM heard ORDER BY stamp DESC, device")
        return {row[0]: row[1] for row in rows}

    def remove_all(self) -> None:
        """Another library's devices are heard from here on."""
        self._database.execute("DELETE FROM heard")

"""Closing a file that is refused, so that not a byte of it has changed.

The last connection that closes a file writes its log into it and removes the log: what the file
says stays the same, but the program whose file it is may keep its log by other rules.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path


def close_untouched(connection: sqlite3.Connection, path: Path) -> None:
    """Close the connection to a file that nothing was written to, and leave the file as it is."""
    log = path.with_name(path.name + "-wal")
    try:
        has_log = log.stat().st_size > 0
    except OSError:
        has_log = False
    if not has_log:
        connection.close()
        return
    place = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    # One that may not write is closed last, and so cannot empty the log.
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as last:
        with suppress(sqlite3.Error):
            last.execute("PRAGMA user_version").fetchone()
        connection.close()

"""The file of a new library: made once in a process by the migrations, then copied.

The migrations take ten times as long as the copy, and most unit tests begin with a new file; those
of ``storage`` and of ``Library.create`` make theirs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bifolio.storage.database import Database


def create_database(path: Path) -> Database:
    """What ``Database.create`` makes, opened."""
    path.write_bytes(_empty_file())
    return Database.open(path)


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        made = Path(folder) / "library.sqlite"
        Database.create(made).close()
        return made.read_bytes()

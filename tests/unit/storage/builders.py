"""Builders for storage: fresh files, and rows of references."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bifolio.storage.database import Database
from bifolio.storage.references import ReferenceRow


def new_database(folder: Path) -> Database:
    """A fresh file in a replica's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Database.create(folder / "library.sqlite")


def row(number: int, **values: object) -> ReferenceRow:
    """The row of a reference; its id is the number in hex."""
    plain = ReferenceRow(
        id=f"{number:032x}",
        key=f"key{number}",
        key_rank=f"{number:018x}slotAAA",
        type="book",
        title=f"Title {number}",
        creators="Doe, Jane",
        container="",
        abstract=None,
        note=None,
        tags="",
        fields={"author": [{"family": "Doe", "given": "Jane"}]},
        year=2024,
        trashed=False,
        conflicts=0,
    )
    return replace(plain, **values)  # type: ignore[arg-type]

"""What `status` and every round of a sync ask costs the same in a library of any size."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.unit.storage.builders import new_database, row

from bifolio.storage.database import Database
from bifolio.storage.derived import DerivedReference
from bifolio.storage.references import References


def library_of(folder: Path, count: int) -> tuple[Database, References]:
    """References of which one live one and one in the trash have conflicts."""
    database = new_database(folder)
    references = References(database)
    with database.transaction():
        references.write([DerivedReference(row(1, conflicts=2))])
        references.write([DerivedReference(row(2, conflicts=3, trashed=True))])
        for number in range(3, count + 1):
            references.write([DerivedReference(row(number))])
    return database, references


def steps(database: Database, act: Callable[[], object]) -> int:
    """The instructions that SQLite carries out for an act: the same in every run."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    database._connection.set_progress_handler(tick, 1)
    act()
    database._connection.set_progress_handler(None, 1)
    return count


def test_conflicts_are_counted_and_listed_without_reading_other_references(tmp_path: Path) -> None:
    small, in_small = library_of(tmp_path / "small", 10)
    large, in_large = library_of(tmp_path / "large", 500)
    assert in_large.conflict_count() == 2
    assert in_large.in_conflict() == [row(1).id]
    assert steps(large, in_large.conflict_count) == steps(small, in_small.conflict_count)
    assert steps(large, in_large.in_conflict) == steps(small, in_small.in_conflict)


def test_whether_a_key_is_used_or_shared_is_told_without_reading_other_references(
    tmp_path: Path,
) -> None:
    small, in_small = library_of(tmp_path / "small", 10)
    large, in_large = library_of(tmp_path / "large", 500)
    for act in (
        lambda references: references.key_finds_another("nobody2024", but=row(1).id),
        lambda references: references.shared_keys.renew(old=("key9",), new=("key3", "nobody2024")),
    ):
        # An index of more levels takes an instruction or two; 500 rows would take thousands.
        assert steps(large, partial(act, in_large)) <= steps(small, partial(act, in_small)) + 5

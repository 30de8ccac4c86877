"""What is derived from the records, in files of older versions of Bifolio too."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, owner_of_a_library
from tests.unit.storage.builders import back_to

from bifolio.document import deletion
from bifolio.library.groups import Groups
from bifolio.replica import folder
from bifolio.replica.derived_tables import bring_up_to_date, rebuild_lists
from bifolio.storage.database import Database
from bifolio.storage.derived import DERIVED_VERSION
from bifolio.storage.groups import GroupTable
from bifolio.storage.meta import Meta
from bifolio.storage.quarantined_updates import QuarantineCount, QuarantinedUpdates
from bifolio.storage.references import References

BOOK, ARTICLE, TRASHED = ("1" * 32, "2" * 32, "3" * 32)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    office = owner_of_a_library(tmp_path)
    office.adds(BOOK, {"title": "Über <i>Papier</i>", "citation-key": "papier", "abstract": "学习"})
    office.adds(ARTICLE, {"title": "Paper", "citation-key": "papier", "tags": ("C++", "red")})
    office.adds(TRASHED, {"title": "Gone", "tags": ("red",)})
    office.replica.commit([(TRASHED, deletion.plan_delete)])
    Groups(office.replica).create("Reading")
    return office


def derived(database: Database) -> list[object]:
    references = References(database)
    return [
        *references.all_rows(),
        *references.index.all_rows(),
        *references.elements.all_rows(),
        *GroupTable(database).all(),
        references.shared_keys.count(),
    ]


@pytest.mark.parametrize("version", [2, 5, 6, 10, 11, 12, 14, 32])
def test_a_file_of_an_older_schema_lists_what_a_new_one_lists(
    office: Computer, version: int
) -> None:
    path = office.replica.path
    expected = derived(office.replica.database)
    office.replica.database.close()
    back_to(version, path / folder.FILE)
    opened = folder.open_database(path)
    assert derived(opened) == expected
    assert Meta(opened).derived_version == DERIVED_VERSION


def test_what_an_older_version_derived_is_derived_again_and_only_then(office: Computer) -> None:
    path, database = office.replica.path, office.replica.database
    expected = derived(database)
    database.execute("UPDATE refs SET type = 'as an older version had it'")
    database.close()
    changed = derived(folder.open_database(path))
    assert changed != expected
    older = folder.open_database(path)
    Meta(older).derived_version = DERIVED_VERSION - 1
    older.close()
    assert derived(folder.open_database(path)) == expected


def test_deriving_again_changes_no_record_and_no_hash(office: Computer) -> None:
    database = office.replica.database
    before = (office.state, database.rows("SELECT * FROM records"), derived(database))
    with database.transaction():
        assert rebuild_lists(database) == 3
    assert (office.state, database.rows("SELECT * FROM records"), derived(database)) == before


def test_updates_that_an_older_version_set_aside_are_still_quarantined(office: Computer) -> None:
    path = office.replica.path
    rows = [
        (BOOK, b"damaged", "it is damaged"),
        (BOOK, b"later", "an earlier change to it could not be read"),
    ]
    office.replica.database.close()
    back_to(12, path / folder.FILE)
    older = Database.open(path / folder.FILE)
    older.execute_many(
        "INSERT INTO quarantined_updates (record, contents, reason) VALUES (?, ?, ?)", rows
    )
    (counted,) = QuarantinedUpdates(older).counts()
    assert counted == QuarantineCount(None, BOOK, "", "it is damaged", 2)


def test_a_record_that_cannot_be_read_hides_no_other_after_an_upgrade(office: Computer) -> None:
    path, database = office.replica.path, office.replica.database
    Meta(database).derived_version = DERIVED_VERSION - 1
    database.execute("UPDATE records SET state = x'ffff' WHERE id = ?", (BOOK,))
    database.close()
    opened = folder.open_database(path)
    assert [row.id for row in References(opened).iter_rows(trashed=False)] == [ARTICLE]
    assert Meta(opened).derived_version == DERIVED_VERSION


def test_a_file_from_before_versions_of_what_is_derived_lists_the_same(office: Computer) -> None:
    path, database = office.replica.path, office.replica.database
    expected = derived(database)
    database.execute("DELETE FROM meta WHERE key = 'derived_version'")
    database.close()
    back_to(14, path / folder.FILE)
    opened = Database.open(path / folder.FILE)
    assert Meta(opened).derived_version == 1
    bring_up_to_date(opened)
    assert derived(opened) == expected

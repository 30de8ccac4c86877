"""Contents that nothing names: kept for a day from when that began, and then dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, owner_of_a_library

from bifolio import limits
from bifolio.attachments import attachments, garbage_collection
from bifolio.imports.importer import Item
from bifolio.records.reference import ImportedFile, ImportedReference, Source

REF = "1" * 32


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    computer = owner_of_a_library(tmp_path)
    computer.adds(REF, {"title": "On Paper"})
    return computer


def attached(computer: Computer, path: Path) -> str:
    path.write_bytes(b"content")
    (file,) = attachments.attach(computer.replica, REF, [path], None)
    return file.hash


def test_a_content_that_was_named_again_is_kept_for_a_day_from_its_second_removal(
    office: Computer, tmp_path: Path
) -> None:
    hash = attached(office, tmp_path / "paper.pdf")
    attachments.detach(office.replica, REF, "paper.pdf")
    garbage_collection.collect(office.replica)
    office.waits(limits.UNNAMED_KEPT_S + 1)
    attached(office, tmp_path / "paper.pdf")
    attachments.detach(office.replica, REF, "paper.pdf")
    garbage_collection.collect(office.replica)
    assert office.replica.contents.has(hash)
    office.waits(limits.UNNAMED_KEPT_S + 1)
    garbage_collection.collect(office.replica)
    assert not office.replica.contents.has(hash)


def test_what_an_import_takes_is_not_dropped_before_a_record_names_it(
    office: Computer, tmp_path: Path
) -> None:
    hash = attached(office, tmp_path / "paper.pdf")
    attachments.detach(office.replica, REF, "paper.pdf")
    garbage_collection.collect(office.replica)
    office.waits(limits.UNNAMED_KEPT_S + 1)

    def items() -> Iterator[Item]:
        yield ImportedReference(
            values={"title": "Of Paper", "type": "book"},
            source=Source("zotero", "book", "1", (("title", "Of Paper"),)),
            line=1,
            files=(
                ImportedFile("storage/X/paper.pdf", "paper.pdf", tmp_path / "paper.pdf", tmp_path),
            ),
        )
        # What other processes may do before the records of the file are written.
        garbage_collection.collect(office.replica)
        garbage_collection.clean(office.replica)

    assert office.imports_all(items()).files == 1
    assert office.replica.contents.has(hash)
    assert [file.state for file in attachments.list_all_files(office.replica)] == ["here"]
    office.waits(3 * limits.UNNAMED_KEPT_S)
    garbage_collection.collect(office.replica)
    assert office.replica.contents.has(hash)


def test_what_an_import_took_and_no_record_names_is_dropped_after_a_while(
    office: Computer, tmp_path: Path
) -> None:
    hash = attached(office, tmp_path / "paper.pdf")
    attachments.detach(office.replica, REF, "paper.pdf")
    assert garbage_collection.reserve(office.replica, hash)
    office.waits(2 * limits.UNNAMED_KEPT_S + 1)
    garbage_collection.collect(office.replica)
    assert not office.replica.contents.has(hash)

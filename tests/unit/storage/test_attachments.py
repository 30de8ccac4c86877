"""Which references name which contents, kept with every write of a reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database, row

from bifolio.storage.attachments import AttachmentRow
from bifolio.storage.derived import DerivedReference
from bifolio.storage.references import References

ONE, TWO = "aa" * 32, "bb" * 32


@pytest.fixture
def references(tmp_path: Path) -> References:
    return References(new_database(tmp_path))


def file(number: int, hash: str, *, name: str = "a.pdf", size: int = 1) -> AttachmentRow:
    return AttachmentRow(row(number).id, hash, name, size, f"{number:018x}", "slotAAA")


def test_a_content_is_found_by_its_references_and_a_reference_s_files_by_name(
    references: References,
) -> None:
    files = [file(1, TWO, name="b.pdf"), file(1, ONE)]
    references.write([DerivedReference(row(1), [], files)])
    references.write([DerivedReference(row(2), [], [file(2, ONE)])])
    assert references.attachments.of(row(1).id) == [files[1], files[0]]
    assert references.attachments.with_content(ONE) == [file(1, ONE), file(2, ONE)]


def test_writing_again_replaces_and_removing_forgets(references: References) -> None:
    references.write([DerivedReference(row(1), [], [file(1, ONE)])])
    references.write([DerivedReference(row(1), [], [file(1, TWO)])])
    assert references.attachments.of(row(1).id) == [file(1, TWO)]
    references.remove(row(1).id)
    assert references.attachments.all_rows() == []


def test_what_lies_in_the_trash_names_its_contents_still(references: References) -> None:
    references.write([DerivedReference(row(1, trashed=True), [], [file(1, ONE)])])
    assert list(references.attachments.contents()) == [(ONE, 1)]


def test_more_contents_than_a_page_all_come_once_with_their_smallest_size(
    references: References,
) -> None:
    hashes = [f"{number:064x}" for number in range(1203)]
    references.write([DerivedReference(row(1), [], [file(1, one, size=7) for one in hashes])])
    references.write([DerivedReference(row(2), [], [file(2, one, size=5) for one in hashes[:2]])])
    sizes = [5, 5, *([7] * 1201)]
    assert list(references.attachments.contents()) == list(zip(hashes, sizes, strict=True))

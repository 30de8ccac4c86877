"""What the facts of a library add to a record's values, over several versions of it."""

from __future__ import annotations

from bifolio.formats import map_source, map_sources
from bifolio.formats.library_facts import merge_facts
from bifolio.records.attachments import Attachment
from bifolio.records.library_facts import LibraryFacts, LibraryFile
from bifolio.records.reference import Source, group_record_id

TAGS = (("titles/title", "A"), ("keywords/keyword", "x"))
PAPER = Attachment("paper.pdf", "ab" * 32, 5)
FOUND = LibraryFile("1/paper.pdf", "paper.pdf", PAPER)
MISSING = LibraryFile("1/paper.pdf", "paper.pdf")


def source(facts: LibraryFacts | None = None) -> Source:
    """A record of an EndNote library, or of a file that such a library wrote."""
    return Source("endnote-xml", "6 Book", "db:1", TAGS, library=facts)


def test_the_facts_add_to_the_records_own_values() -> None:
    facts = LibraryFacts(groups=("G1",), tags=("x", "y"), rating="4", files=(FOUND, MISSING))
    assert map_source(source(facts)) == {
        "type": "book",
        "title": "A",
        "tags": ("x", "y"),
        "rating": "4",
        "groups": (group_record_id("endnote-xml", "G1"),),
        "files": (PAPER.to_element(),),
    }


def test_what_a_version_cannot_say_is_as_the_one_before_said_it() -> None:
    library = source(LibraryFacts(groups=("G1",), rating="4", trashed=False))
    first, second = map_sources([(library, None), (source(), None)])
    assert second == first


def test_what_a_version_can_say_and_does_not_is_gone() -> None:
    before = LibraryFacts(groups=("G1",), rating="4")
    now = LibraryFacts(groups=(), rating="")
    assert merge_facts([before, None, now]) == now


def test_a_file_that_is_missing_now_is_the_one_that_was_found_before() -> None:
    other = LibraryFile("2/other.pdf", "other.pdf")
    before = LibraryFacts(files=(FOUND,))
    assert merge_facts([before, LibraryFacts(files=(MISSING, other))]).files == (FOUND, other)
    assert merge_facts([before, LibraryFacts(files=())]).files == ()

"""What an import brings of a reference, and the id that it gets."""

from __future__ import annotations

from msgspec.structs import replace

from bifolio.records.names import Name
from bifolio.records.reference import (
    ImportedBlocks,
    ImportedReference,
    Source,
    Values,
    values_to_json,
)

SOURCE = Source("bibtex", "article", "doe2014", (("title", "On Paper"), ("note", "a")), "ab" * 16)
VALUES: Values = {"title": "On Paper", "author": (Name("Doe", "Jane"),), "tags": ("a",)}
REFERENCE = ImportedReference(VALUES, SOURCE, 7)


def test_a_source_is_stored_and_read_back() -> None:
    assert Source.from_json(SOURCE.to_json()) == SOURCE


def test_the_id_is_the_same_wherever_the_record_stands_in_its_file() -> None:
    assert replace(REFERENCE, line=99).record_id() == REFERENCE.record_id()


def test_the_id_follows_every_identifying_value() -> None:
    ids = {REFERENCE.record_id()}
    for name, value in (
        ("title", "On Ink"),
        ("DOI", "10.1/a"),
        ("volume", "7"),
        ("issued", {"date-parts": [[2014]]}),
        ("author", (Name("Doe", "John"),)),
        ("editor", (Name("Doe", "Jane"),)),
    ):
        ids.add(replace(REFERENCE, values=VALUES | {name: value}).record_id())
    ids.add(replace(REFERENCE, source=replace(SOURCE, id="other")).record_id())
    ids.add(replace(REFERENCE, source=replace(SOURCE, format="ris")).record_id())
    assert len(ids) == 9


def test_the_id_does_not_follow_what_only_describes() -> None:
    tagged = replace(REFERENCE, values=VALUES | {"tags": ("b",), "abstract": "It speaks."})
    assert tagged.record_id() == REFERENCE.record_id()
    assert tagged.content_hash() != REFERENCE.content_hash()


def test_the_id_does_not_follow_the_composition_of_characters() -> None:
    one = replace(REFERENCE, values=VALUES | {"title": "Caf\u00e9"})
    other = replace(REFERENCE, values=VALUES | {"title": "Cafe\u0301"})
    assert one.record_id() == other.record_id()


def test_the_same_blocks_are_the_same_record() -> None:
    blocks = ImportedBlocks("bibtex", ("a", "bc"))
    assert blocks.record_id() == ImportedBlocks("bibtex", ("a", "bc")).record_id()
    assert blocks.record_id() != ImportedBlocks("bibtex", ("ab", "c")).record_id()


def test_values_become_json() -> None:
    assert values_to_json(VALUES) == {
        "title": "On Paper",
        "author": [{"family": "Doe", "given": "Jane"}],
        "tags": ["a"],
    }

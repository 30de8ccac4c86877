"""The facts of a library in a stored source: which are read, and what another replica may write."""

from __future__ import annotations

import json

import pytest
from tests.support.cases import each

from bifolio.records.attachments import Attachment
from bifolio.records.library_facts import LibraryFacts, LibraryFile
from bifolio.records.reference import Source

PAPER = Attachment("paper.pdf", "ab" * 32, 5)
FACTS = LibraryFacts(
    groups=("G1", "G2"),
    files=(LibraryFile("1/a.pdf", "paper.pdf", PAPER), LibraryFile("2/b.pdf", "b.pdf")),
    tags=("to read",),
    rating="4",
    read_status="",
    trashed=True,
    changed="17",
)
#: As every replica before the facts had a type of their own has stored them.
STORED = (
    '{"blocks":"","format":"endnote-xml","id":"db:1","tags":[["titles/title","A"],'
    '["@library","groups files tags rating read-status trash changed"],["@group","G1"],'
    '["@group","G2"],["@file","{\\"hash\\":\\"' + "ab" * 32 + '\\",\\"name\\":\\"paper.pdf\\",'
    '\\"path\\":\\"1/a.pdf\\",\\"size\\":5}"],["@file","{\\"name\\":\\"b.pdf\\",'
    '\\"path\\":\\"2/b.pdf\\"}"],["@tag","to read"],["@rating","4"],["@trash","1"],'
    '["@changed","17"]],"type":"6 Book"}'
)
SOURCE = Source("endnote-xml", "6 Book", "db:1", (("titles/title", "A"),), library=FACTS)


def stored(format: str, *facts: tuple[str, str]) -> str:
    """A source with these tags, as a member of the library may have written it."""
    tags = [["title", "A"], *map(list, facts)]
    return json.dumps({"format": format, "type": "book", "id": "1", "tags": tags, "blocks": ""})


def test_facts_are_stored_as_they_always_were_and_come_back() -> None:
    assert SOURCE.text() == STORED
    assert Source.from_text(STORED) == SOURCE


@pytest.mark.parametrize(
    "facts", [LibraryFacts(), LibraryFacts(groups=()), LibraryFacts(trashed=False, changed="")]
)
def test_what_a_library_could_not_say_is_not_what_it_did_not_say(facts: LibraryFacts) -> None:
    source = Source("zotero", "book", "AAAA2222", (), library=facts)
    assert Source.from_text(source.text()) == source


@each("format", ["csl-json", "bibtex", "ris", "enw", "nbib", "of-tomorrow"])
def test_in_a_source_of_a_file_of_records_no_tag_is_a_fact(format: str) -> None:
    facts = (("@library", "trash groups files"), ("@trash", "1"), ("@group", "G1"))
    source = Source.from_text(stored(format, *facts))
    assert source is not None
    assert source.library is None
    assert not source.is_trashed
    assert source.tags == (("title", "A"), *facts)


def test_a_field_named_as_the_mark_in_somebodys_database_is_a_tag() -> None:
    tags = (("@library", "trash"), ("@trash", "1"), ("title", "A"))
    source = Source("zotero", "book", "1", tags, library=LibraryFacts(trashed=False))
    again = Source.from_text(source.text())
    assert again == source
    assert not source.is_trashed


@each(
    ("tag", "text"),
    [
        ("@file", "no JSON"),
        ("@file", "[" * 100_000),
        ("@file", "[]"),
        ("@file", '{"path": 1, "name": "a.pdf"}'),
        ("@file", '{"hash": "ab"}'),
        ("@unknown", "of a newer version"),
        ("@library-of-tomorrow", ""),
    ],
)
def test_a_malformed_fact_of_another_member_says_nothing(tag: str, text: str) -> None:
    kinds = ("@library", "files trash changed of-tomorrow")
    source = Source.from_text(stored("zotero", kinds, (tag, text)))
    assert source is not None
    assert source.library == LibraryFacts(files=(), trashed=False, changed="")


@each(
    ("name", "hashed", "size"),
    [
        ("../../evil.pdf", "ab" * 32, 5),
        ("a.pdf", "no hash", 5),
        ("a.pdf", "ab" * 32, -1),
        ("a.pdf", "ab" * 32, True),
        ("a.pdf", "ab" * 32, 10**30),
    ],
)
def test_a_file_whose_content_cannot_be_one_was_not_found(
    name: str, hashed: str, size: int
) -> None:
    text = json.dumps({"path": "1/a.pdf", "name": name, "hash": hashed, "size": size})
    source = Source.from_text(stored("zotero", ("@library", "files"), ("@file", text)))
    assert source is not None
    assert source.library == LibraryFacts(files=(LibraryFile("1/a.pdf", name),))


def test_what_another_version_stored_is_written_again_unaltered() -> None:
    text = stored("zotero", ("@library", "of-tomorrow files"), ("@of-tomorrow", "x"))
    source = Source.from_text(text)
    assert source is not None
    assert source.text() == text


def test_the_facts_of_a_file_of_records_are_apart_from_its_tags() -> None:
    facts = LibraryFacts(groups=("Thesis",), files=())
    tags = (("title", "{A}"), ("@library", "{x files}"))
    source = Source("bibtex", "book", "a", tags, library=facts)
    read = Source.from_text(source.text())
    assert read is not None
    assert (read.tags, read.library) == (tags, facts)
    damaged = source.to_json() | {"library": [["@group", "G1"], 7]}
    other = Source.from_json(damaged)
    assert other is not None
    assert other.library is None

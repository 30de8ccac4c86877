"""Lists in every order that a program can ask for, in both directions, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.support.cases import each
from tests.support.serving import serving
from tests.unit.serve.test_writing import PROGRAM, Writer

from bifolio import Library
from bifolio.home import Home
from bifolio.serve.parameters import SORTS, SORTS_BY_FIELD
from bifolio.serve.permissions import Permissions

#: Articles whose values are in another order for each field.
VALUES = {
    "title": "bdacfe",
    "creator": "cafdeb",
    "date": "badfce",
    "publicationTitle": "ecafdb",
    "journalAbbreviation": "fbdaec",
    "language": "dfbeac",
    "accessDate": "acebdf",
    "libraryCatalog": "fedcba",
    "callNumber": "bacdfe",
    "rights": "cbafed",
}
COUNT = 6


def value(name: str, number: int) -> str:
    letter = VALUES[name][number]
    if name in ("date", "accessDate"):
        return f"20{10 + ord(letter) - ord('a')}-01-01"
    return f"{letter} word"


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    folder = tmp_path_factory.mktemp("served")
    home = Home(folder / "home")
    Library.create(folder / "A.bifolio", home=home).close()
    Permissions(home).allow(PROGRAM)
    with serving(folder / "A.bifolio", home) as running:
        made = Writer(running, folder)
        for number in range(COUNT):
            given = {name: value(name, number) for name in VALUES if name != "creator"}
            author = {"creatorType": "author", "lastName": value("creator", number)}
            made.add(itemType="journalArticle", creators=[author | {"firstName": "A"}], **given)
        yield made


def letters(writer: Writer, name: str, query: str) -> str:
    """The letters of a field in the order of a list; a page may hold two."""
    path, found = f"items/top?{query}", ""
    while path:
        answer = writer.served.get(path)
        assert answer.headers["total-results"] == str(COUNT)
        for one in answer.json:
            data = one["data"]
            given = data["creators"][0]["lastName"] if name == "creator" else data[name]
            found += chr(int(given[2:4]) - 10 + ord("a")) if given[:2] == "20" else given[0]
        given = re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("link", ""))
        links = {rel: url for url, rel in given}
        path = links.get("next", "").partition("/users/0/")[2]
    return found


@each("name", VALUES)
@each("words", ["", "&q=word"])
def test_a_list_is_in_the_order_of_a_field(writer: Writer, name: str, words: str) -> None:
    for page in ("", "&limit=2"):
        query = f"sort={name}{words}{page}"
        ascending, descending = (
            letters(writer, name, f"{query}&direction={way}") for way in ("asc", "desc")
        )
        assert ascending == "".join(sorted(VALUES[name]))
        assert descending == ascending[::-1]


@each("name", ["dateAdded", "dateModified"])
@each("words", ["", "&q=word"])
def test_a_list_is_in_the_order_of_its_moments(writer: Writer, name: str, words: str) -> None:
    made = VALUES["title"]
    for page in ("", "&limit=2"):
        query = f"sort={name}{words}{page}"
        assert letters(writer, "title", f"{query}&direction=asc") == made
        assert letters(writer, "title", f"{query}&direction=desc") == made[::-1]
        assert letters(writer, "title", query) == made[::-1]  # the newest first


def test_every_order_there_is_has_been_tried(writer: Writer) -> None:
    """What an article has no field for, and what is the same for all, is in some order."""
    rest = {*SORTS, *SORTS_BY_FIELD} - {*VALUES, "dateAdded", "dateModified"}
    assert rest == {"itemType", "publisher"}
    for name in rest:
        assert len(letters(writer, "title", f"sort={name}&limit=2")) == COUNT

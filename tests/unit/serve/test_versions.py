"""Versions of what is served: each note, annotation and file has its own, and what went is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.serving import serving
from tests.unit.serve.test_writing import PROGRAM, Writer

from bifolio import Library
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.serve.permissions import Permissions


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    Permissions(home).allow(PROGRAM)
    with serving(tmp_path / "A.bifolio", home) as running:
        yield Writer(running, tmp_path)


def note(writer: Writer, parent: str, text: str) -> str:
    item = {"itemType": "note", "parentItem": parent, "note": text}
    return str(writer.send("POST", "items", [item]).json["success"]["0"])


def version(writer: Writer) -> int:
    return int(writer.served.get("items?limit=1").headers["last-modified-version"])


def versions(writer: Writer, query: str = "") -> dict[str, int]:
    found: dict[str, int] = writer.served.get(f"items?format=versions{query}").json
    return found


def deleted(writer: Writer, since: int) -> dict[str, Any]:
    found: dict[str, Any] = writer.served.get(f"deleted?since={since}").json
    return found


def test_a_note_that_changes_has_another_version_and_its_siblings_have_not(
    writer: Writer,
) -> None:
    book = writer.add(title="A book")
    first, second = note(writer, book, "<p>one</p>"), note(writer, book, "<p>two</p>")
    before, seen = versions(writer), version(writer)
    change = {"note": "<p>one, and more</p>", "version": before[first]}
    assert writer.send("PATCH", f"items/{first}", change).status == 204
    after = versions(writer)
    assert after[first] > seen
    assert after[second] == before[second]
    assert set(versions(writer, f"&since={seen}&itemType=note")) == {first}
    children = writer.served.get(f"items/{book}/children?since={seen}").json
    assert [(one["key"], one["version"], one["data"]["version"]) for one in children] == [
        (first, after[first], after[first])
    ]
    one = writer.served.get(f"items/{first}")
    assert int(one.headers["last-modified-version"]) == after[first]


def test_a_note_is_written_by_who_saw_it_whatever_became_of_its_reference(writer: Writer) -> None:
    book = writer.add(title="A book")
    key = note(writer, book, "<p>one</p>")
    seen = versions(writer)[key]
    with writer.open() as library:
        (one,) = library.list()
        library.edit(one.id, [Edit("title", Act.SET, ("Another title",))])
    assert versions(writer)[key] == seen
    assert writer.send("PATCH", f"items/{key}", {"note": "<p>x</p>", "version": seen}).status == 204
    late = {"note": "<p>y</p>", "version": seen}
    assert writer.send("PATCH", f"items/{key}", late).status == 412
    assert (
        writer.send("DELETE", f"items/{key}", If_Unmodified_Since_Version=str(seen)).status == 412
    )


def test_a_note_that_a_command_changed_is_found_by_its_version(writer: Writer) -> None:
    book = writer.add(title="A book")
    key = note(writer, book, "<p>one</p>")
    seen = version(writer)
    with writer.open() as library:
        (one,) = library.list()
        (its,) = library.notes.list(one.id)
        library.notes.edit(one.id, its.id, text="by a command")
    assert set(versions(writer, f"&since={seen}&itemType=note")) == {key}
    with writer.open() as library:
        library.history.undo()
    assert writer.item(key)["note"] == "<p>one</p>"
    assert versions(writer)[key] == version(writer)


def test_what_went_away_is_told_once_it_is_gone_and_not_when_it_is_back(writer: Writer) -> None:
    book = writer.add(title="A book")
    key = note(writer, book, "<p>one</p>")
    made = writer.send("POST", "collections", [{"name": "Shelf"}]).json["success"]["0"]
    condition = {"condition": "title", "operator": "contains", "value": "x"}
    search = {"name": "Those", "conditions": [condition]}
    found = writer.send("POST", "searches", [search]).json["success"]["0"]
    seen = version(writer)
    empty: dict[str, Any] = {
        name: [] for name in ("collections", "items", "searches", "tags", "settings")
    }
    assert deleted(writer, 0) == empty
    for path in (f"items/{key}", f"collections/{made}", f"searches/{found}"):
        now = str(version(writer))
        assert writer.send("DELETE", path, If_Unmodified_Since_Version=now).status == 204
    assert deleted(writer, seen) == empty | {
        "items": [key],
        "collections": [made],
        "searches": [found],
    }
    assert deleted(writer, version(writer)) == empty
    with writer.open() as library:
        for _ in range(3):
            library.history.undo()
    assert deleted(writer, seen) == empty
    assert writer.item(key)["note"] == "<p>one</p>"


def test_what_is_in_the_trash_is_not_gone_before_the_trash_is_emptied(writer: Writer) -> None:
    book = writer.add(title="A book")
    key = note(writer, book, "<p>one</p>")
    seen = version(writer)
    now = str(version(writer))
    assert writer.send("DELETE", f"items/{book}", If_Unmodified_Since_Version=now).status == 204
    assert deleted(writer, seen)["items"] == []
    with writer.open() as library:
        library.trash.empty()
    assert set(deleted(writer, seen)["items"]) == {book, key}
    assert writer.served.get(f"items/{book}").status == 404


def test_what_went_is_asked_for_by_a_version(writer: Writer) -> None:
    assert writer.served.get("deleted").status == 400
    answer = writer.served.get("deleted?since=0")
    assert answer.headers["last-modified-version"] == str(version(writer))

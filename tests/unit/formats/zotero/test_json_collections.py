"""Collections of a JSON export of Zotero's come in as groups, and files next to it as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.unit.formats.files import Loaded, load

from bifolio import Library
from bifolio.records.reference import group_record_id


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "itemID": number,
        "key": f"ITEM{number}",
        "itemType": "book",
        "title": f"Book {number}",
        "date": "2019",
        **more,
    }


COLLECTIONS = {
    "BELOW222": {"key": "BELOW222", "name": "Ink", "parent": "ABOVE111", "items": [2]},
    "ABOVE111": {"key": "ABOVE111", "name": "Paper", "parent": False, "items": [1, 2]},
    "EMPTY333": {"key": "EMPTY333", "name": "Later", "parent": False, "items": []},
}


def export(collections: Any = COLLECTIONS, *, padding: int = 0, **more: Any) -> dict[str, Any]:
    """An export of Better BibTeX; a long one is read member by member."""
    return {
        "config": {"id": "x", "label": "BetterBibTeX JSON", "options": {"x": "y" * padding}},
        "version": {"zotero": "6.0.9", "bbt": "6.7.1"},
        "collections": collections,
        "items": [item(1, **more), item(2)],
    }


def read(tmp_path: Path, whole: object) -> Loaded:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    return load(file)


def groups_of(loaded: Loaded) -> list[set[str]]:
    ids = {group_record_id("zotero", one.id): one.name for one in loaded.groups}
    return [
        {ids[str(one)] for one in reference.values.get("groups", ())}
        for reference in loaded.references
    ]


def test_collections_of_better_bibtex_are_groups_those_above_first(tmp_path: Path) -> None:
    loaded = read(tmp_path, export())
    assert [(one.name, one.parent) for one in loaded.groups] == [
        ("Paper", ""),
        ("Later", ""),
        ("Ink", "ABOVE111"),
    ]
    assert groups_of(loaded) == [{"Paper"}, {"Paper", "Ink"}]
    assert loaded.skipped == []


def test_a_long_export_has_its_collections_too_and_nothing_of_it_is_called_damaged(
    tmp_path: Path,
) -> None:
    loaded = read(tmp_path, export(padding=300_000))
    assert groups_of(loaded) == [{"Paper"}, {"Paper", "Ink"}]
    assert loaded.skipped == []


def test_collections_in_a_circle_are_at_the_top(tmp_path: Path) -> None:
    circle = {
        "A": {"key": "A", "name": "One", "parent": "B", "items": [1]},
        "B": {"key": "B", "name": "Two", "parent": "A", "items": []},
        "C": {"key": "C", "name": "Three", "parent": "A", "items": [2]},
    }
    loaded = read(tmp_path, export(circle))
    assert {(one.name, one.parent) for one in loaded.groups} == {
        ("One", ""),
        ("Two", ""),
        ("Three", "A"),
    }


def test_a_collection_that_has_only_a_key_is_named_once(tmp_path: Path) -> None:
    answer = [{"key": f"ITEM{n}", "data": item(n, collections=["ABOVE111"])} for n in (1, 2)]
    loaded = read(tmp_path, answer)
    assert [one.what for one in loaded.left_out] == ["the collections of 2 references"]
    assert groups_of(loaded) == [set(), set()]


def test_a_file_next_to_the_export_is_attached(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a b.pdf").write_bytes(b"%PDF-1.4 a")
    attachments = [{"title": "PDF", "path": "files/a b.pdf"}, {"path": "/elsewhere/b.pdf"}]
    file = tmp_path / "a.json"
    file.write_text(json.dumps(export(attachments=attachments)), encoding="utf-8")
    with Library.create(tmp_path / "own.bifolio", name="own") as library:
        report = library.import_files([file])
        assert (report.groups, report.files, report.linked_files_left_out) == (3, 1, 1)
        assert {one.name for one in library.groups.list()} == {"Paper", "Ink", "Later"}
        (first,) = library.search('title:"Book 1"')
        assert tuple(first.groups) == ("Paper",)
        assert [one.name for one in library.files.list(first.key)] == ["a b.pdf"]
        again = library.import_files([file])
        assert (again.added, again.updated, again.unchanged, again.groups) == (0, 0, 2, 0)

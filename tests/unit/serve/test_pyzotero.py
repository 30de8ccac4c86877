"""pyzotero as its authors publish it, unchanged, on a library that is served."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyzotero import errors
from pyzotero.zotero import Zotero
from tests.support.pdfs import pdf
from tests.support.serving import Serving, serving

from bifolio import Library
from bifolio.home import Home
from bifolio.serve.permissions import Permissions

FOLDED = pdf(["Paper is folded"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    with Library.create(folder / "A.bifolio", home=Home(folder / "home")) as library:
        one = library.add(
            {
                "type": "article-journal",
                "title": "Folding",
                "author": ["Doe, Jane"],
                "DOI": "10.1000/fold",
                "tags": ["ink", "paper"],
                "note": "A note",
                "citation-key": "doe",
            }
        )
        (folder / "fold.pdf").write_bytes(FOLDED)
        (folder / "fold.txt").write_text("words inside")
        library.files.add(one.id, [folder / "fold.pdf", folder / "fold.txt"])
        for number in range(5):
            library.add({"type": "book", "title": f"Book {number}", "issued": str(1990 + number)})
        library.delete([library.add({"type": "book", "title": "Gone"}).id])
        library.groups.create("Chapters")
        library.groups.create("One", parent="Chapters")
        library.groups.add("One", [one.id])
        library.groups.create("Lately", query="year:1993..")
    return folder


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Serving]:
    with serving(place / "A.bifolio", Home(place / "home")) as running:
        yield running


@pytest.fixture
def zotero(served: Serving) -> Any:
    client = Zotero("0", "user", local=True)
    client.endpoint = f"http://127.0.0.1:{served.port}/api"
    return client


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [str(one["data"]["title"]) for one in found]


def key_of(zotero: Any, title: str) -> str:
    (found,) = zotero.top(q=title, qmode="titleCreatorYear")
    return str(found["key"])


def test_items_are_listed_counted_and_paged(zotero: Any) -> None:
    assert zotero.num_items() == 6
    assert zotero.count_items() == 9
    assert len(zotero.items()) == 9
    assert titles(zotero.top(sort="title", limit=2)) == ["Book 0", "Book 1"]
    assert len(zotero.everything(zotero.top(limit=2))) == 6
    zotero.top(limit=4)
    assert len(zotero.follow()) == 2
    assert titles(zotero.trash()) == ["Gone"]
    assert titles(zotero.items(q="fold", itemType="journalArticle")) == ["Folding"]
    assert titles(zotero.items(tag=["ink", "paper"])) == ["Folding"]
    assert titles(zotero.all_top(itemType="book"))[0].startswith("Book")


#: pyzotero opens a client of its own for a file, and does not close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_one_item_its_children_its_files_and_its_text(zotero: Any, tmp_path: Path) -> None:
    key = key_of(zotero, "Folding")
    assert zotero.item(key)["data"]["DOI"] == "10.1000/fold"
    children = {one["data"].get("filename", "note"): one for one in zotero.children(key)}
    assert set(children) == {"note", "fold.pdf", "fold.txt"}
    assert zotero.file(children["fold.pdf"]["key"]) == FOLDED
    zotero.dump(children["fold.txt"]["key"], path=tmp_path)
    assert (tmp_path / "fold.txt").read_text() == "words inside"
    assert zotero.fulltext_item(children["fold.txt"]["key"])["content"] == "words inside"
    assert zotero.fulltext_item(children["fold.pdf"]["key"]) == {
        "content": "Paper is folded",
        "indexedPages": 1,
        "totalPages": 1,
    }
    files = {children[name]["key"] for name in ("fold.txt", "fold.pdf")}
    assert set(zotero.new_fulltext(0)) == files
    assert titles(zotero.get_subset([key])) == ["Folding"]
    gc.collect()


def test_versions_say_what_is_new(zotero: Any) -> None:
    version = zotero.last_modified_version()
    assert len(zotero.item_versions()) == 9
    assert zotero.item_versions(since=version) == {}
    assert set(zotero.collection_versions()) == {one["key"] for one in zotero.collections()}
    assert len(zotero.server_id) == 12


def test_collections_searches_tags_groups_and_settings(zotero: Any) -> None:
    assert sorted(one["data"]["name"] for one in zotero.collections()) == ["Chapters", "One"]
    (top,) = zotero.collections_top()
    (below,) = zotero.collections_sub(top["key"])
    assert [one["key"] for one in zotero.all_collections()] == [top["key"], below["key"]]
    assert zotero.collection(below["key"])["data"]["name"] == "One"
    assert titles(zotero.collection_items_top(below["key"])) == ["Folding"]
    assert len(zotero.collection_items(below["key"])) == 4
    assert zotero.num_collectionitems(below["key"]) == 4
    assert zotero.collection_tags(below["key"]) == ["ink", "paper"]
    assert [one["data"]["name"] for one in zotero.searches()] == ["Lately"]
    assert zotero.tags() == ["ink", "paper"]
    assert zotero.item_tags(key_of(zotero, "Folding")) == ["ink", "paper"]
    assert zotero.groups() == []
    assert zotero.settings() == {}


def test_types_fields_and_templates(zotero: Any) -> None:
    assert {one["itemType"] for one in zotero.item_types()} >= {"book", "note", "attachment"}
    assert {one["field"] for one in zotero.item_fields()} >= {"title", "DOI"}
    assert {one["field"] for one in zotero.item_type_fields("book")} >= {"title", "ISBN"}
    assert zotero.item_creator_types("book")[0]["creatorType"] == "author"
    assert {one["field"] for one in zotero.creator_fields()} == {"firstName", "lastName", "name"}
    assert zotero.item_template("book")["itemType"] == "book"


def test_items_in_other_formats(zotero: Any) -> None:
    assert zotero.items(format="bibtex", q="fold").entries[0]["ID"] == "doe"
    assert len(zotero.top(format="keys").split()) == 6
    key = key_of(zotero, "Folding")
    assert "<div" in zotero.item(key, include="bib", style="apa")["bib"]


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Any]:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    Permissions(home).allow("Judge")
    with serving(tmp_path / "A.bifolio", home) as running:
        client = Zotero("0", "user", local=True)
        client.endpoint = f"http://127.0.0.1:{running.port}/api"
        yield client


def test_nothing_is_written_before_leave_is_given(writing: Any) -> None:
    with pytest.raises(errors.LocalAPIDeniedError):
        writing.authorize_local("Stranger")
    with pytest.raises(errors.LocalAPIKeyRequiredError):
        writing.create_items([writing.item_template("book")])
    assert writing.authorize_local("Judge")["remember"] is True


def test_items_are_made_changed_and_deleted(writing: Any) -> None:
    writing.authorize_local("Judge")
    template = writing.item_template("book")
    template["title"] = "Folding"
    template["creators"] = [{"creatorType": "author", "firstName": "Jane", "lastName": "Doe"}]
    made = writing.create_items([template, {**template, "title": "Ink"}])
    assert set(made["success"]) == {"0", "1"}
    item = writing.item(made["success"]["0"])
    item["data"]["title"] = "Folding again"
    assert writing.update_item(item["data"])
    with pytest.raises(errors.PreConditionFailedError):
        writing.update_item(item["data"])
    item = writing.item(item["key"])
    assert item["data"]["title"] == "Folding again"
    item["data"]["publisher"] = "Press"
    assert writing.update_items([item["data"]])
    item = writing.item(item["key"])
    assert writing.add_tags(item, "one", "two")
    assert writing.item_tags(item["key"]) == ["one", "two"]
    assert writing.delete_tags("one")
    assert writing.tags() == ["two"]
    assert writing.delete_item(writing.item(item["key"]))
    assert writing.delete_item([writing.item(made["success"]["1"])])
    assert writing.num_items() == 0
    assert len(writing.trash()) == 2


def test_notes_are_made_changed_tagged_and_deleted_each_by_itself(writing: Any) -> None:
    writing.authorize_local("Judge")
    parent = writing.create_items([writing.item_template("book")])["success"]["0"]
    template = writing.item_template("note")
    template["note"] = "<p>One</p>"
    made = writing.create_items([template, {**template, "note": "<p>Two</p>"}], parent)["success"]
    assert [one["data"]["note"] for one in writing.children(parent)] == ["<p>One</p>", "<p>Two</p>"]
    assert writing.num_items() == 1
    second = writing.item(made["1"])
    assert second["data"]["parentItem"] == parent
    second["data"]["note"] = "<p>Two and a half</p>"
    assert writing.update_item(second["data"])
    with pytest.raises(errors.PreConditionFailedError):
        writing.update_item(second["data"])
    assert writing.add_tags(writing.item(made["1"]), "idea")
    changed = writing.item(made["1"])
    assert changed["data"]["note"] == "<p>Two and a half</p>"
    assert changed["data"]["tags"] == [{"tag": "idea"}]
    assert writing.item(made["0"])["data"]["note"] == "<p>One</p>"
    assert writing.delete_item(writing.item(made["0"]))
    assert [one["key"] for one in writing.children(parent)] == [made["1"]]
    assert set(writing.item_versions()) == {parent, made["1"]}


def test_collections_are_made_filled_and_deleted(writing: Any) -> None:
    writing.authorize_local("Judge")
    made = writing.create_collections([{"name": "Thesis"}, {"name": "Drafts"}])
    first, second = made["success"]["0"], made["success"]["1"]
    key = writing.create_items([writing.item_template("book")])["success"]["0"]
    assert writing.addto_collection(first, writing.item(key))
    assert writing.moveto_collection(first, second, writing.item(key))
    assert [one["key"] for one in writing.collection_items(second)] == [key]
    assert writing.deletefrom_collection(second, writing.item(key))
    assert writing.collection_items(second) == []
    collection = writing.collection(first)["data"]
    assert writing.update_collection({**collection, "name": "PhD"})
    assert writing.collection(first)["data"]["name"] == "PhD"
    assert writing.delete_collection(writing.collection(first))
    assert [one["key"] for one in writing.collections()] == [second]


def test_files_are_attached_and_replaced(writing: Any, tmp_path: Path) -> None:
    writing.authorize_local("Judge")
    key = writing.create_items([writing.item_template("book")])["success"]["0"]
    (tmp_path / "a.txt").write_text("words")
    done = writing.attachment_simple([str(tmp_path / "a.txt")], key)
    assert [one["title"] for one in done["success"]] == ["a.txt"]
    (child,) = writing.children(key)
    assert writing.fulltext_item(child["key"])["content"] == "words"
    again = writing.attachment_both([("Another", str(tmp_path / "a.txt"))], key)
    assert len(again["success"]) == 1


def test_saved_searches_full_texts_and_collections_are_written(
    writing: Any, tmp_path: Path
) -> None:
    writing.authorize_local("Judge")
    key = writing.create_items([{**writing.item_template("book"), "title": "Ink"}])["success"]["0"]
    condition = {"condition": "title", "operator": "contains", "value": "ink"}
    made = writing.saved_search("Inks", [condition])
    (search,) = writing.searches()
    assert search["data"]["name"] == "Inks"
    assert made["success"]["0"] == search["key"]
    writing.delete_saved_search([search["key"]])
    assert writing.searches() == []
    (tmp_path / "a.bin").write_bytes(b"a scan")
    writing.attachment_simple([str(tmp_path / "a.bin")], key)
    (child,) = writing.children(key)
    assert writing.set_fulltext(child["key"], {"content": "read elsewhere", "indexedChars": 14})
    assert writing.fulltext_item(child["key"])["content"] == "read elsewhere"
    assert writing.create_collection([{"name": "One"}])["success"]
    assert [one["data"]["name"] for one in writing.collections()] == ["One"]


def test_lists_are_followed_page_by_page(zotero: Any) -> None:
    zotero.top(limit=4)
    assert [len(page) for page in zotero.iterfollow()] == [2]
    assert sum(len(page) for page in zotero.makeiter(zotero.top(limit=2))) == 6
    zotero.add_parameters(limit=1, sort="title")
    assert titles(zotero.top()) == ["Book 0"]
    assert zotero.check_items([{"itemType": "book", "title": "x"}])
    assert zotero.item_attachment_link_modes()

"""Zotero's Connector saves pages: what it asks, in the order in which it asks it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.header import Header
from pathlib import Path
from typing import Any

import pytest
from tests.support.cases import each
from tests.support.serving import Answer, Serving, serving

from bifolio import Library
from bifolio.home import Home
from bifolio.serve.connector import PROGRAM, without_proxy
from bifolio.serve.permissions import Permissions

#: What the extension's requests say of themselves.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "Origin": "chrome-extension://ekhagklcjbdpajgpjgmbionohlpdbjgc",
    "X-Zotero-Connector-API-Version": "3",
}

ARTICLE = {
    "id": "abc",
    "itemType": "journalArticle",
    "title": "Folding at scale",
    "creators": [{"creatorType": "author", "firstName": "Jane", "lastName": "Doe"}],
    "publicationTitle": "Journal of Paper",
    "date": "2026/11/30",
    "accessDate": "CURRENT_TIMESTAMP",
    "DOI": "10.1000/fold",
    "tags": ["ink", {"tag": "paper", "type": 1}],
    "notes": [{"note": "<p>A note</p>"}],
    "attachments": [{"title": "Full Text PDF", "mimeType": "application/pdf"}],
    "seeAlso": [],
    "complete": {},
}


class Browser:
    """A browser with the button."""

    def __init__(self, served: Serving) -> None:
        self.served = served

    def call(self, name: str, value: Any = None, **headers: str) -> Answer:
        given = BROWSER | {key.replace("_", "-"): one for key, one in headers.items()}
        body = value if isinstance(value, bytes) else json.dumps(value or {})
        return self.served.ask("POST", f"/connector/{name}", headers=given, body=body)

    def items(self) -> list[dict[str, Any]]:
        return [one["data"] for one in self.served.get("items/top").json]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    home = Home(tmp_path / "home")
    with Library.create(tmp_path / "A.bifolio", home=home) as library:
        library.groups.create("Thesis")
        library.groups.create("One", parent="Thesis")
    Permissions(home).allow(PROGRAM)
    with serving(tmp_path / "A.bifolio", home) as running:
        yield Browser(running)


def test_it_finds_what_it_takes_for_zotero(browser: Browser) -> None:
    answer = browser.call("ping")
    assert answer.json["prefs"]["supportsAttachmentUpload"] is True
    assert answer.headers["x-zotero-version"]
    assert "running" in browser.served.ask("GET", "/connector/ping", headers=BROWSER).text
    assert browser.call("getTranslators").status == 404
    assert "x-zotero-version" in browser.call("getTranslators").headers
    found = browser.call("getSelectedCollection").json
    assert [(one["name"], one["level"]) for one in found["targets"]] == [
        ("A", 0),
        ("Thesis", 1),
        ("One", 2),
    ]
    assert browser.call("hasAttachmentResolvers").json is False


def test_an_article_is_saved_with_its_pdf_then_moved_and_tagged(browser: Browser) -> None:
    given = {"sessionID": "s1", "uri": "https://example.org/a", "items": [ARTICLE]}
    assert browser.call("saveItems", given).status == 201
    assert browser.call("saveItems", given).status == 409
    about = {
        "id": "f",
        "parentItemID": "abc",
        "title": str(Header("Vollständiger Text / PDF", "utf-8").encode()),
        "contentType": "application/pdf",
        "url": "https://example.org/a.pdf",
    }
    answer = browser.call(
        "saveAttachment?sessionID=s1",
        b"%PDF-1.4 x",
        X_Metadata=json.dumps(about),
        Content_Type="application/pdf",
    )
    assert answer.status == 201
    target = browser.call("getSelectedCollection").json["targets"][2]["id"]
    given = {"sessionID": "s1", "target": target, "tags": "new tag, ink", "note": "<p>Mine</p>"}
    assert browser.call("updateSession", given).status == 200
    (item,) = browser.items()
    assert (item["itemType"], item["title"]) == ("journalArticle", "Folding at scale")
    assert (item["date"], item["DOI"]) == ("2026-11-30", "10.1000/fold")
    assert item["accessDate"] == time.strftime("%Y-%m-%d", time.gmtime())
    assert item["url"] == "https://example.org/a"
    assert sorted(one["tag"] for one in item["tags"]) == ["ink", "new tag", "paper"]
    assert item["collections"] == [target.removeprefix("C")]
    children = browser.served.get(f"items/{item['key']}/children").json
    notes = [one["data"]["note"] for one in children if one["data"]["itemType"] == "note"]
    assert notes == ["<p>A note</p>", "<p>Mine</p>"]
    (file,) = (one["data"] for one in children if one["data"]["itemType"] == "attachment")
    assert file["filename"] == "Vollständiger Text PDF.pdf"
    given = {"sessionID": "s1", "target": "L1"}
    assert browser.call("updateSession", given).status == 200
    assert browser.items()[0]["collections"] == []


def test_a_page_of_which_nothing_is_known_is_saved_with_a_snapshot(browser: Browser) -> None:
    given = {"sessionID": "s2", "url": "https://example.org/p", "title": "A page"}
    assert browser.call("saveSnapshot", given).json == {"saveSingleFile": True}
    given = {"sessionID": "s2", "snapshotContent": "<html>é</html>", "title": "A page"}
    assert browser.call("saveSingleFile", given).status == 201
    (item,) = browser.items()
    assert (item["itemType"], item["url"]) == ("webpage", "https://example.org/p")
    (child,) = browser.served.get(f"items/{item['key']}/children").json
    assert child["data"]["filename"] == "A page.html"


def test_a_pdf_by_itself_is_a_reference_with_a_file(browser: Browser) -> None:
    about = json.dumps({"sessionID": "s3", "title": "../x", "url": "https://example.org/x.pdf"})
    answer = browser.call(
        "saveStandaloneAttachment?sessionID=s3",
        b"%PDF-1.4",
        X_Metadata=about,
        Content_Type="application/pdf",
    )
    assert answer.status == 201
    (item,) = browser.items()
    (child,) = browser.served.get(f"items/{item['key']}/children").json
    assert child["data"]["filename"] == "x.pdf"


def test_a_file_of_references_is_imported(browser: Browser) -> None:
    ris = b"TY  - BOOK\nTI  - Ink\nAU  - Roe, Al\nER  - \n"
    answer = browser.call(
        "import?session=s4", ris, Content_Type="application/x-research-info-systems"
    )
    assert (answer.status, answer.json[0]["title"]) == (201, "Ink")
    target = browser.call("getSelectedCollection").json["targets"][1]["id"]
    assert browser.call("updateSession", {"sessionID": "s4", "target": target}).status == 200
    assert browser.items()[0]["collections"]


@pytest.mark.parametrize(
    "given",
    [
        {"sessionID": "x", "items": "none"},
        {"items": []},
        {"sessionID": 5, "items": []},
        {"sessionID": "x", "items": [5]},
        b"no json",
        b"[" * 5000,
    ],
)
def test_what_is_no_page_saves_nothing(browser: Browser, given: Any) -> None:
    assert browser.call("saveItems", given).status == 400
    assert browser.call("saveAttachment?sessionID=none", b"x", X_Metadata="{}").status == 400
    assert browser.items() == []


def test_a_value_of_any_shape_stops_no_page(browser: Browser) -> None:
    item = {
        "itemType": "nonsense",
        "title": {"a": 1},
        "creators": [{"creatorType": "nobody", "lastName": "Doe"}, 5],
        "tags": [5, None, "a\nb"],
        "notes": "x",
        "date": ["2020"],
        "DOI": "10.1000/y",
    }
    given = {"sessionID": "s", "items": [item, {"itemType": "note", "note": "x"}]}
    assert browser.call("saveItems", given).status == 201
    (found,) = browser.items()
    assert (found["itemType"], found["extra"]) == ("document", "DOI: 10.1000/y")
    assert found["tags"] == [{"tag": "a b"}]


def test_without_leave_nothing_is_saved(browser: Browser) -> None:
    Permissions(browser.served.server.home).revoke(PROGRAM)
    given = {"sessionID": "s1", "items": [ARTICLE]}
    answer = browser.call("saveItems", given)
    assert answer.status == 403
    assert "x-zotero-version" in answer.headers
    Permissions(browser.served.server.home).allow(PROGRAM)
    assert browser.call("saveItems", given).status == 201


def test_a_page_without_a_session_is_saved(browser: Browser) -> None:
    assert browser.call("saveItems", {"items": [ARTICLE]}).status == 201
    assert browser.call("saveItems", {"items": [ARTICLE]}).status == 201
    assert len(browser.items()) == 2


def test_an_address_is_kept_without_the_library_s_proxy(browser: Browser) -> None:
    item = ARTICLE | {"url": "https://www-example--one-com.proxy.example.edu/path?x=1"}
    proxy = {"scheme": "https://%h.proxy.example.edu/%p"}
    given = {"sessionID": "s", "items": [item], "uri": item["url"], "proxy": proxy}
    assert browser.call("saveItems", given).status == 201
    assert browser.items()[0]["url"] == "https://www.example-one.com/path?x=1"


@each("scheme", [None, 5, "%h", "%h%h", "(%h", "https://%h.else.edu/%p", "%p"])
def test_a_proxy_that_fits_nothing_changes_nothing(scheme: object) -> None:
    address = "https://www-example-com.proxy.example.edu/path"
    assert without_proxy(address, {"scheme": scheme}) in (address, f"https://{address}/")
    assert without_proxy(address, scheme) == address


def test_what_is_there_is_found_by_its_identifiers(browser: Browser) -> None:
    item = ARTICLE | {"url": "https://example.org/a"}
    browser.call("saveItems", {"sessionID": "s", "items": [item]})
    wanted = {"doi": ["10.1000/FOLD"], "url": ["https://example.org/a"], "isbn": []}
    (match,) = browser.call("findExistingItems", {"identifiers": wanted}).json["matches"]
    assert match["id"] == browser.items()[0]["key"]
    assert sorted(match["matchedFields"]) == ["DOI", "url"]
    other = {"identifiers": {"doi": ["10.1000/other"]}}
    assert browser.call("findExistingItems", other).json == {"matches": []}
    assert browser.call("findExistingItems", {}).status == 400


def test_a_file_without_references_is_refused(browser: Browser) -> None:
    assert browser.call("import?session=i", b"Owl", Content_Type="text/plain").status == 400
    assert browser.items() == []


def test_what_bifolio_has_not_is_said_in_a_sentence(browser: Browser) -> None:
    browser.call("saveItems", {"sessionID": "s", "items": [ARTICLE]})
    answer = browser.call("saveAttachmentFromResolver", {"sessionID": "s", "itemID": "abc"})
    assert (answer.status, answer.text[:28]) == (501, "Failed to save an attachment")
    style = b'<?xml version="1.0"?><style/>'
    assert browser.call("installStyle?origin=x", style).status == 501
    assert browser.call("installStyle", {"a": 1}).status == 400
    assert browser.call("document/execCommand", {"command": "addCitation"}).status == 501
    for one in (answer, browser.call("installStyle", style)):
        assert one.headers["x-zotero-version"]


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("getTranslators", 404, None),  # which it then asks Zotero's repository for
        ("getTranslatorCode", 404, None),
        ("hasAttachmentResolvers", 200, False),
        ("getRecognizedItem", 204, None),
        ("delaySync", 204, None),
        ("getClientHostnames", 200, []),
        ("proxies", 200, []),
    ],
)
def test_what_it_asks_beside_saving_is_answered(
    browser: Browser, name: str, status: int, says: object
) -> None:
    answer = browser.call(name, {"itemID": "abc", "sessionID": "none"})
    assert answer.status == status
    assert answer.headers["x-zotero-version"]  # without it, Zotero would not run to the button
    if says is not None:
        assert answer.json == says
    assert browser.items() == []


def test_what_was_saved_is_moved_into_another_library_and_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    with Library.create(tmp_path / "B.bifolio", home=home, name="Shared") as library:
        library.groups.create("Readings")
    Permissions(home).allow(PROGRAM)
    with serving(tmp_path / "A.bifolio", home, others=[tmp_path / "B.bifolio"]) as running:
        browser = Browser(running)
        found = browser.call("getSelectedCollection").json
        names = {one["name"]: one["id"] for one in found["targets"]}
        assert set(names) == {"A", "Shared", "Readings"}
        assert set(found["tags"]) == {names["A"], names["Shared"]}
        browser.call("saveItems", {"sessionID": "s", "items": [ARTICLE]})
        given = {"sessionID": "s", "target": names["Readings"], "tags": "moved"}
        assert browser.call("updateSession", given).status == 200
        about = {"sessionID": "s", "parentItemID": "abc", "title": "A", "contentType": "text/plain"}
        answer = browser.call("saveAttachment", b"words", X_Metadata=json.dumps(about))
        assert answer.status == 201
        (group,) = running.get("groups").json
        path = f"/api/groups/{group['id']}"
        (item,) = running.ask("GET", f"{path}/items/top").json
        assert item["data"]["title"] == "Folding at scale"
        assert "moved" in [one["tag"] for one in item["data"]["tags"]]
        assert [running.ask("GET", f"{path}/collections").json[0]["key"]] == (
            item["data"]["collections"]
        )
        assert len(running.ask("GET", f"{path}/items/{item['key']}/children").json) == 2
        assert browser.items() == []
        assert len(running.get("items/trash?itemType=journalArticle").json) == 1
        given = {"sessionID": "s", "target": names["A"]}
        assert browser.call("updateSession", given).status == 200
        assert [one["title"] for one in browser.items()] == ["Folding at scale"]
        assert running.ask("GET", f"{path}/items/top").json == []
        for wrong in ("L7", "C7-ABCDEFGH", "X", "CABCDEFGH"):
            assert browser.call("updateSession", given | {"target": wrong}).status in (400, 404)

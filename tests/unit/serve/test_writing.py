"""Zotero's local interface, written: leave, items, collections, tags, files; one command each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.serving import Answer, Serving, serving
from tests.support.zotero_libraries import Item, ZoteroLibrary

from bifolio import Library, limits
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.results import ActionKind
from bifolio.serve.permissions import Consent, Permissions

PROGRAM = "Some Program"


class Writer:
    """A program that was allowed to write."""

    def __init__(self, served: Serving, folder: Path) -> None:
        self.served = served
        self.folder = folder
        self.server = served.get("items?limit=1").headers["zotero-server-id"]
        answer = self.authorize(PROGRAM)
        self.key = str(answer.json["key"])

    def authorize(self, name: str) -> Answer:
        headers = {"Zotero-Server-ID": self.server}
        body = json.dumps({"appName": name})
        return self.served.ask("POST", "/api/local/authorize", headers=headers, body=body)

    def send(self, method: str, path: str, value: Any = None, **headers: str) -> Answer:
        named = {"Zotero-Server-ID": self.server, "Zotero-API-Key": self.key}
        named |= {name.replace("_", "-"): one for name, one in headers.items()}
        body = value if isinstance(value, bytes) else json.dumps(value)
        return self.served.ask(method, f"/api/users/0/{path}", headers=named, body=body)

    def add(self, **item: Any) -> str:
        answer = self.send("POST", "items", [{"itemType": "book", **item}])
        assert answer.json["failed"] == {}, answer.text
        return str(answer.json["success"]["0"])

    def item(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.served.get(f"items/{key}").json["data"]
        return found

    def open(self) -> Library:
        return Library.open(self.folder / "A.bifolio", home=Home(self.folder / "home"))

    def log(self) -> list[str]:
        with self.open() as library:
            return [
                action.text
                for entry in library.history.log()
                for action in entry.what
                if action.kind is ActionKind.TEXT
            ]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    Permissions(home).allow(PROGRAM)
    with serving(tmp_path / "A.bifolio", home) as running:
        yield Writer(running, tmp_path)


def test_nobody_writes_without_leave(writer: Writer) -> None:
    assert writer.authorize("Another").status == 403
    assert writer.send("POST", "items", [], Zotero_API_Key="nonsense").status == 401
    assert writer.served.ask("POST", "/api/users/0/items", body="[]").status == 428
    assert writer.send("POST", "items", [], Zotero_Server_ID="ABCDEFGH2345").status == 412
    Permissions(Home(writer.folder / "home")).revoke(PROGRAM)
    assert writer.send("POST", "items", [{"itemType": "book"}]).status == 401
    assert writer.served.get("items").json == []


def test_leave_for_one_write_is_for_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    asked: list[str] = []

    def ask(name: str) -> Consent:
        asked.append(name)
        return Consent.ONCE

    Permissions(home).allow(PROGRAM)
    with serving(tmp_path / "A.bifolio", home, ask=ask) as running:
        writer = Writer(running, tmp_path)
        answer = writer.authorize("Once")
        assert (answer.json["remember"], asked) == (False, ["Once"])
        writer.key = answer.json["key"]
        writer.add(title="One")
        assert writer.send("POST", "items", [{"itemType": "book"}]).status == 401
        statuses = [writer.authorize("Once").status for _ in range(limits.SERVE_ASKINGS_MAX)]
        assert statuses[-1] == 429


def test_an_item_is_made_as_it_was_sent(writer: Writer) -> None:
    key = writer.add(
        itemType="journalArticle",
        title="Folding",
        creators=[
            {"creatorType": "author", "firstName": "Jane", "lastName": "Doe"},
            {"creatorType": "editor", "name": "World Paper Organization"},
        ],
        publicationTitle="Journal",
        date="2026/11/30",
        accessDate="2026-11-30T10:11:12Z",
        DOI="10.1000/x",
        ISSN="1234-5678",
        extra="PMID: 123\nOriginal Date: 1900\nfree text: of any kind\nmore",
        tags=[{"tag": "ink"}, {"tag": "paper", "type": 1}],
    )
    data = writer.item(key)
    assert (data["title"], data["date"], data["DOI"]) == ("Folding", "2026-11-30", "10.1000/x")
    assert data["accessDate"] == "2026-11-30"
    assert [one["creatorType"] for one in data["creators"]] == ["author", "editor"]
    lines = data["extra"].splitlines()
    assert set(lines[:2]) == {"Original Date: 1900", "PMID: 123"}
    assert lines[2:] == ["free text: of any kind", "more"]
    assert [one["tag"] for one in data["tags"]] == ["ink", "paper"]
    with writer.open() as library:
        (one,) = library.search("doi:10.1000/x")
        assert one.fields["original-date"] == {"date-parts": [[1900]]}
        assert one.key


@pytest.mark.parametrize(
    "kind", ["film", "email", "podcast", "statute", "case", "thesis", "patent"]
)
def test_every_type_comes_back_as_it_was_sent(writer: Writer, kind: str) -> None:
    template = writer.served.ask("GET", f"/api/items/new?itemType={kind}").json
    given = {name: one for name, one in template.items() if isinstance(one, str)}
    for name in given:
        if name not in ("itemType", "citationKey", "extra") and "ate" not in name.lower():
            given[name] = f"{name} text"
    key = writer.add(**given)
    data = writer.item(key)
    differing = {
        name: (one, data.get(name)) for name, one in given.items() if one != data.get(name)
    }
    assert set(differing) <= {"citationKey", "ISBN", "ISSN", "DOI"}, differing


def test_a_change_changes_what_it_says_and_nothing_else(writer: Writer) -> None:
    key = writer.add(title="Before", publisher="Press", tags=[{"tag": "a"}], extra="kept line")
    version = writer.item(key)["version"]
    headers = {"If_Unmodified_Since_Version": str(version)}
    answer = writer.send("PATCH", f"items/{key}", {"title": "After"}, **headers)
    assert answer.status == 204
    data = writer.item(key)
    assert (data["title"], data["publisher"], data["extra"]) == ("After", "Press", "kept line")
    assert data["version"] == int(answer.headers["last-modified-version"]) > version
    assert writer.send("PATCH", f"items/{key}", {"title": "Late"}, **headers).status == 412
    assert writer.send("PATCH", f"items/{key}", {"title": "Late"}).status == 428
    whole = data | {"publisher": "", "tags": [{"tag": "b"}]}
    assert writer.send("PUT", f"items/{key}", whole).status == 204
    data = writer.item(key)
    assert (data["title"], data["publisher"], data["tags"]) == ("After", "", [{"tag": "b"}])
    assert writer.send("POST", "items", [data]).json["unchanged"] == {"0": key}
    assert writer.send("PATCH", "items/ABCDEFGH", {"title": "x", "version": 7}).status == 404


def test_what_fails_is_named_and_the_others_are_written(writer: Writer) -> None:
    given = [
        {"itemType": "book", "title": "One"},
        {"itemType": "nonsense"},
        "no object",
        {"itemType": "book", "title": ["a list"]},
        {"itemType": "book", "title": "Two", "collections": ["ABCDEFGH"]},
        {"itemType": "note", "note": "alone"},
        {"itemType": "book", "title": "Three", "creators": "Doe"},
    ]
    answer = writer.send("POST", "items", given).json
    assert set(answer["success"]) == {"0"}
    codes = {number: one["code"] for number, one in answer["failed"].items()}
    assert codes == {"1": 400, "2": 400, "3": 400, "4": 409, "5": 400, "6": 400}
    assert writer.send("POST", "items", {"itemType": "book"}).status == 400
    assert writer.send("POST", "items", [{}] * 51).status == 413
    assert writer.send("POST", "items", b"{" * 5000).status == 400
    assert len(writer.served.get("items").json) == 1


def test_a_request_is_one_command_named_after_its_program(writer: Writer) -> None:
    given = [{"itemType": "book", "title": one} for one in ("One", "Two")]
    writer.send("POST", "items", given)
    assert writer.log()[0] == f"{PROGRAM}: wrote 2 items"
    with writer.open() as library:
        library.history.undo()
    assert writer.served.get("items/top").json == []


def test_a_key_is_taken_from_the_header_of_a_bearer_or_a_parameter(writer: Writer) -> None:
    given = json.dumps([{"itemType": "book", "title": "One"}])
    server = {"Zotero-Server-ID": writer.server}
    path = "/api/users/0/items"
    bearer = server | {"Authorization": f"Bearer {writer.key}"}
    assert writer.served.ask("POST", path, headers=bearer, body=given).status == 200
    keyed = f"{path}?key={writer.key}"
    assert writer.served.ask("POST", keyed, headers=server, body=given).status == 200
    assert writer.served.ask("POST", path, headers=server, body=given).status == 401


def test_who_is_not_allowed_is_told_so_as_programs_read_it(writer: Writer) -> None:
    answer = writer.authorize("Another")
    assert (answer.status, answer.json["denied"]) == (403, True)
    assert "bifolio serve allow" in answer.json["message"]


def test_saved_searches_are_made_of_conditions_changed_and_deleted(writer: Writer) -> None:
    writer.add(title="Folding paper", tags=[{"tag": "ink"}])
    writer.add(title="Cutting paper", date="1999")
    conditions = [
        {"condition": "title", "operator": "contains", "value": "paper"},
        {"condition": "tag", "operator": "isNot", "value": "ink"},
    ]
    answer = writer.send("POST", "searches", [{"name": "Found", "conditions": conditions}]).json
    key = answer["success"]["0"]
    with writer.open() as library:
        (group,) = [one for one in library.groups.list() if one.name == "Found"]
        assert (group.query, group.count) == ('title:"paper" -tag:"ink"', 1)
    made = writer.served.get(f"searches/{key}").json
    assert made["data"]["name"] == "Found"
    version = made["version"]
    change = {
        "name": "Old",
        "conditions": [{"condition": "year", "operator": "isBefore", "value": "2000"}],
    }
    assert writer.send("PUT", f"searches/{key}", change).status == 428
    assert writer.send("PUT", f"searches/{key}", change | {"version": version}).status == 204
    with writer.open() as library:
        (group,) = [one for one in library.groups.list() if one.name == "Old"]
        assert (group.query, group.count) == ("year:<2000", 1)
    # What was read is sent back as it was: nothing changes.
    made = writer.served.get(f"searches/{key}").json["data"]
    assert writer.send("POST", "searches", [made]).json["unchanged"] == {"0": key}
    headers = {"If_Unmodified_Since_Version": str(made["version"] - 1)}
    assert writer.send("DELETE", f"searches/{key}", **headers).status == 412
    headers = {"If_Unmodified_Since_Version": str(made["version"])}
    assert writer.send("DELETE", f"searches/{key}", **headers).status == 204
    assert writer.served.get("searches").json == []


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"condition": "savedSearch", "operator": "is", "value": "x"},
        {"condition": "tag", "operator": "contains", "value": "x"},
        {"condition": "itemType", "operator": "is", "value": "nonsense"},
        {"condition": "collection", "operator": "is", "value": "0_ABCDEFGH"},
        {"condition": "dateAdded", "operator": "isInTheLast", "value": "many days"},
        {"condition": "title", "operator": "matches", "value": "x"},
    ],
)
def test_a_condition_that_has_no_like_is_refused(writer: Writer, condition: Any) -> None:
    given = [{"name": "Found", "conditions": [condition]}, {"name": "None", "conditions": []}]
    assert set(writer.send("POST", "searches", given).json["failed"]) == {"0", "1"}


def test_what_another_program_read_in_a_file_is_taken(writer: Writer) -> None:
    key = attachment(writer)
    answer = announce(writer, key, b"scanned", "a.bin").json
    upload(writer, answer["url"], b"scanned")
    done = f"upload={answer['uploadKey']}".encode()
    assert writer.send("POST", f"items/{key}/file", done, If_None_Match="*").status == 204
    assert writer.served.get(f"items/{key}/fulltext").status == 404
    given = {"content": "Words of a scan", "indexedPages": 1, "totalPages": 2}
    assert writer.send("PUT", f"items/{key}/fulltext", given).status == 204
    assert writer.served.get(f"items/{key}/fulltext").json == given
    assert writer.served.get("fulltext?since=0").json.keys() == {key}
    found = writer.served.get("items/top?q=scan&qmode=everything").json
    assert len(found) == 1
    parent = found[0]["key"]
    assert writer.send("PUT", f"items/{parent}/fulltext", given).status == 404
    refused: list[Any] = [{}, {"content": 5}, {"content": "x", "indexedPages": "1"}, []]
    for wrong in refused:
        assert writer.send("PUT", f"items/{key}/fulltext", wrong).status == 400
    newest = {
        "If_Unmodified_Since_Version": writer.served.get("items").headers["last-modified-version"]
    }
    several = [
        {"key": key, "content": "one"},
        {"key": "ZZZZZZZZ", "content": "x"},
        {"content": "y"},
    ]
    assert writer.send("POST", "fulltext", several).status == 428
    answer = writer.send("POST", "fulltext", several, **newest).json
    assert answer["success"] == {"0": key}
    assert {at: one["code"] for at, one in answer["failed"].items()} == {"1": 404, "2": 400}
    assert writer.send("POST", "fulltext", several * 4, **newest).status == 413


def test_what_names_too_much_or_too_little_is_refused(writer: Writer) -> None:
    newest = {"If_Unmodified_Since_Version": "99"}
    many = ",".join(["ABCDEFG2"] * 51)
    assert writer.send("DELETE", f"items?itemKey={many}", **newest).status == 413
    assert writer.send("DELETE", "items", **newest).status == 400
    assert writer.send("POST", "items/top", [{"itemType": "book"}]).status == 405
    assert writer.send("DELETE", "items/trash?itemKey=ABCDEFG2", **newest).status == 405
    assert writer.send("PUT", "items/badkey!!", {"itemType": "book"}).status == 400
    key = attachment(writer)
    assert writer.send("PATCH", f"items/{key}/file", b"diff").status == 405
    seconds = f"md5={'c' * 32}&filename=x.pdf&filesize=10&mtime=1000".encode()
    assert writer.send("POST", f"items/{key}/file", seconds, If_None_Match="*").status == 400


def test_deleted_items_are_in_the_trash_and_come_back(writer: Writer) -> None:
    keys = [writer.add(title=one) for one in ("One", "Two", "Three")]
    version = writer.item(keys[0])["version"]
    headers = {"If_Unmodified_Since_Version": str(version)}
    assert writer.send("DELETE", f"items/{keys[0]}").status == 428
    assert writer.send("DELETE", f"items/{keys[0]}", **headers).status == 204
    newest = writer.served.get("items").headers["last-modified-version"]
    both = f"items?itemKey={keys[1]},{keys[2]}"
    assert writer.send("DELETE", both, If_Unmodified_Since_Version=newest).status == 204
    assert len(writer.served.get("items/trash").json) == 3
    data = writer.item(keys[0])
    assert data["deleted"] == 1
    assert writer.send("PATCH", f"items/{keys[0]}", {**data, "deleted": 0}).status == 204
    assert len(writer.served.get("items/top").json) == 1


def test_collections_are_made_filled_moved_and_deleted(writer: Writer) -> None:
    answer = writer.send("POST", "collections", [{"name": "Thesis"}, {"name": ""}, {"name": "A/B"}])
    top = answer.json["success"]["0"]
    assert set(answer.json["failed"]) == {"1", "2"}
    below = writer.send("POST", "collections", [{"name": "One", "parentCollection": top}]).json
    inner = below["success"]["0"]
    key = writer.add(title="In it", collections=[inner])
    assert [one["key"] for one in writer.served.get(f"collections/{inner}/items").json] == [key]
    version = str(below["successful"]["0"]["version"])
    change = {"name": "Uno", "parentCollection": False}
    path = f"collections/{inner}"
    assert writer.send("PUT", path, change, If_Unmodified_Since_Version=version).status == 204
    data = writer.served.get(path).json["data"]
    assert (data["name"], data["parentCollection"]) == ("Uno", False)
    assert writer.send("PUT", path, change, If_Unmodified_Since_Version=version).status == 412
    item = writer.item(key)
    assert writer.send("PATCH", f"items/{key}", {"collections": [top], "version": 99}).status == 204
    assert writer.item(key)["collections"] == [top]
    assert (
        writer.send("PUT", f"items/{key}", item | {"version": 99, "collections": []}).status == 204
    )
    assert writer.item(key)["collections"] == []
    newest = writer.served.get("items").headers["last-modified-version"]
    assert writer.send("DELETE", path, If_Unmodified_Since_Version=newest).status == 204
    assert writer.served.get(path).status == 404


def test_a_smart_group_is_not_lost_with_the_collections(writer: Writer) -> None:
    key = writer.add(title="One", tags=[{"tag": "x"}])
    with writer.open() as library:
        library.groups.create("Smart", query="tag:x")
        hand = library.groups.create("By hand")
        (one,) = library.search("tag:x")
        library.groups.add(hand.id, [one.id])
    data = writer.item(key)
    assert len(data["collections"]) == 1
    assert writer.send("PATCH", f"items/{key}", {"title": "Uno", "version": 99}).status == 204
    assert writer.item(key)["collections"] == data["collections"]


def test_tags_are_taken_off_everything(writer: Writer) -> None:
    writer.add(title="One", tags=[{"tag": "a b"}, {"tag": "c"}])
    writer.add(title="Two", tags=[{"tag": "a b"}])
    newest = writer.served.get("items").headers["last-modified-version"]
    answer = writer.send("DELETE", "tags?tag=a%20b%20||%20none", If_Unmodified_Since_Version=newest)
    assert answer.status == 204
    assert [one["tag"] for one in writer.served.get("tags").json] == ["c"]


def test_each_note_is_an_item_of_its_own(writer: Writer) -> None:
    key = writer.add(title="One")
    note = {
        "itemType": "note",
        "parentItem": key,
        "note": "<p>First</p><p>Second <i>one</i></p>",
        "tags": [{"tag": "idea"}],
    }
    first = writer.send("POST", "items", [note]).json["success"]["0"]
    again = writer.send("POST", "items", [note | {"note": "<p>Third</p>"}]).json["success"]["0"]
    assert first != again
    children = {one["key"]: one for one in writer.served.get(f"items/{key}/children").json}
    assert children.keys() == {first, again}
    assert children[first]["data"]["note"] == "<p>First<br/>Second <i>one</i></p>"
    assert children[first]["data"]["tags"] == [{"tag": "idea"}]
    assert writer.served.get(f"items/{key}").json["meta"]["numChildren"] == 2
    change = {"note": "<p>New</p>", "tags": [], "version": 99}
    assert writer.send("PATCH", f"items/{first}", change).status == 204
    assert (writer.item(first)["note"], writer.item(first)["tags"]) == ("<p>New</p>", [])
    assert writer.item(again)["note"] == "<p>Third</p>"
    newest = writer.served.get("items").headers["last-modified-version"]
    assert writer.send("DELETE", f"items/{first}", If_Unmodified_Since_Version=newest).status == 204
    assert [one["key"] for one in writer.served.get(f"items/{key}/children").json] == [again]
    assert writer.served.get(f"items/{first}").status == 404
    with writer.open() as library:
        (one,) = library.list()
        assert [note.text for note in library.notes.list(one.id)] == ["Third"]


def test_a_note_of_a_user_is_changed_in_its_place(writer: Writer) -> None:
    key = writer.add(title="One")
    with writer.open() as library:
        (one,) = library.list()
        library.edit(one.id, [Edit("note", Act.SET, ("a < b & <i>c</i>",))])
    (note,) = writer.served.get(f"items/{key}/children").json
    assert note["data"]["note"] == "<p>a &lt; b &amp; <i>c</i></p>"
    assert writer.send("POST", "items", [note["data"]]).json["unchanged"] == {"0": note["key"]}
    tagged = {**note["data"], "tags": [{"tag": "idea"}]}
    assert writer.send("POST", "items", [tagged]).json["success"] == {"0": note["key"]}
    with writer.open() as library:
        (shown,) = library.notes.list(one.id)
    assert (shown.field, shown.text, shown.tags) == ("note", "a < b & <i>c</i>", ("idea",))


def test_an_annotation_is_an_item_of_its_file(writer: Writer) -> None:
    key = writer.add(title="One")
    with writer.open() as library:
        (one,) = library.list()
        (writer.folder / "fold.pdf").write_bytes(b"%PDF-1.4 not much of one")
        (attached,) = library.files.add(one.id, [writer.folder / "fold.pdf"])
    (file,) = writer.served.get(f"items/{key}/children").json
    given = {
        "itemType": "annotation",
        "parentItem": file["key"],
        "annotationType": "highlight",
        "annotationText": "folded twice",
        "annotationComment": "why twice?",
        "annotationColor": "#ffd400",
        "annotationPageLabel": "3",
        "annotationSortIndex": "00002|000123|00045",
        "annotationPosition": '{"pageIndex":2,"rects":[[1,2,3,4]]}',
        "tags": [{"tag": "method"}],
    }
    made = writer.send("POST", "items", [given]).json["success"]["0"]
    assert [one["key"] for one in writer.served.get(f"items/{key}/children").json] == [file["key"]]
    (annotation,) = writer.served.get(f"items/{file['key']}/children").json
    assert annotation["key"] == made
    assert {name: annotation["data"][name] for name in given} == given
    assert writer.served.get("items?itemType=annotation").json[0]["key"] == made
    change = {"annotationComment": "why?", "annotationColor": "#ff6666", "version": 99}
    assert writer.send("PATCH", f"items/{made}", change).status == 204
    data = writer.item(made)
    assert (data["annotationComment"], data["annotationColor"]) == ("why?", "#ff6666")
    assert data["annotationText"] == "folded twice"
    newest = writer.served.get("items").headers["last-modified-version"]
    assert writer.send("DELETE", f"items/{made}", If_Unmodified_Since_Version=newest).status == 204
    assert writer.served.get(f"items/{file['key']}/children").json == []
    with writer.open() as library:
        assert library.annotations.list(one.id) == ()
        library.history.undo()
        (back,) = library.annotations.list(one.id)
    assert (back.text, back.comment, back.file) == ("folded twice", "why?", attached.hash)


def test_what_comes_from_zotero_keeps_its_keys_and_its_files(
    writer: Writer, tmp_path: Path
) -> None:
    items = [
        Item("AAAA2222", "book", fields={"title": "On Paper"}),
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>One</p>"),
        Item("NNNN3333", "note", parent="AAAA2222", note="<p>Two</p>"),
        Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:a.pdf"}),
        Item("XXXX2222", "annotation", parent="PPPP2222", own={"text": "folded"}),
    ]
    library = ZoteroLibrary(items, files={"PPPP2222/a.pdf": b"%PDF-1.4 of a paper"})
    with writer.open() as opened:
        opened.import_files([library.write(tmp_path / "Zotero")])
    assert writer.item("AAAA2222")["title"] == "On Paper"
    second = writer.item("NNNN3333")
    assert (second["note"], second["parentItem"]) == ("<p>Two</p>", "AAAA2222")
    assert second["dateAdded"] == "2024-01-01T00:00:00Z"
    annotation = writer.item("XXXX2222")
    assert annotation["annotationText"] == "folded"
    file = writer.item(annotation["parentItem"])
    assert (file["itemType"], file["filename"]) == ("attachment", "a.pdf")
    (only,) = writer.served.get("items?itemKey=XXXX2222").json
    assert only["data"] == annotation


@pytest.mark.parametrize(
    "given",
    [
        {"annotationType": "highlight", "parentItem": "NOTHERE2"},
        {"annotationType": "highlight"},
        {"parentItem": "KEY"},
        {"annotationType": "scribble", "parentItem": "KEY"},
    ],
)
def test_an_annotation_of_nothing_is_refused(writer: Writer, given: dict[str, str]) -> None:
    key = writer.add(title="One")
    sent = {name: key if value == "KEY" else value for name, value in given.items()}
    answer = writer.send("POST", "items", [{"itemType": "annotation", **sent}]).json
    assert answer["failed"]["0"]["code"] == 400


def announce(writer: Writer, key: str, content: bytes, name: str, **headers: str) -> Answer:
    md5 = hashlib.md5(content).hexdigest()
    body = f"md5={md5}&filename={name}&filesize={len(content)}&mtime=1764000000000".encode()
    given = headers or {"If_None_Match": "*"}
    return writer.send("POST", f"items/{key}/file", body, **given)


def attachment(writer: Writer, name: str = "a.txt") -> str:
    parent = writer.add(title="One")
    item = {"itemType": "attachment", "linkMode": "imported_file", "parentItem": parent}
    answer = writer.send("POST", "items", [item | {"filename": name, "title": name}]).json
    return str(answer["success"]["0"])


def upload(writer: Writer, url: str, content: bytes) -> Answer:
    path = url.partition(f":{writer.served.port}")[2]
    headers = {"Zotero-Server-ID": writer.server}
    return writer.served.ask("POST", path, headers=headers, body=content)


def test_a_file_comes_in_three_steps(writer: Writer) -> None:
    key = attachment(writer)
    assert writer.item(key)["md5"] is None
    answer = announce(writer, key, b"content", "a.txt").json
    assert upload(writer, answer["url"], b"something else").status == 400
    assert upload(writer, answer["url"], b"content").status == 201
    done = f"upload={answer['uploadKey']}".encode()
    assert writer.send("POST", f"items/{key}/file", done, If_None_Match="*").status == 204
    data = writer.item(key)
    assert data["md5"] == hashlib.md5(b"content").hexdigest()
    assert writer.served.get(f"items/{key}/fulltext").json["content"] == "content"
    assert announce(writer, key, b"content", "a.txt", If_Match=data["md5"]).json == {"exists": 1}
    assert announce(writer, key, b"other", "a.txt").status == 412
    assert announce(writer, key, b"other", "a.txt", If_Match="0" * 32).status == 412
    answer = announce(writer, key, b"newer", "a.txt", If_Match=data["md5"]).json
    assert upload(writer, answer["url"], b"newer").status == 201
    done = f"upload={answer['uploadKey']}".encode()
    assert writer.send("POST", f"items/{key}/file", done, If_Match=data["md5"]).status == 204
    assert writer.served.get(f"items/{key}/fulltext").json["content"] == "newer"
    assert len(writer.served.get("items?itemType=attachment").json) == 1
    newest = writer.served.get("items").headers["last-modified-version"]
    assert writer.send("DELETE", f"items/{key}", If_Unmodified_Since_Version=newest).status == 204
    assert writer.served.get("items?itemType=attachment").json == []


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "..%2fevil.txt", "a%2fb.txt", "a%00b.txt", "", "..", "C:%5Cevil.txt"]
)
def test_a_file_s_name_is_no_path(writer: Writer, name: str) -> None:
    assert announce(writer, attachment(writer), b"x", name).status == 400


def test_an_upload_is_its_item_s_alone(writer: Writer) -> None:
    first, second = attachment(writer), attachment(writer)
    answer = announce(writer, first, b"content", "a.txt").json
    done = f"upload={answer['uploadKey']}".encode()
    assert writer.send("POST", f"items/{first}/file", done, If_None_Match="*").status == 400
    assert upload(writer, answer["url"], b"content").status == 201
    assert writer.send("POST", f"items/{second}/file", done, If_None_Match="*").status == 400
    assert upload(writer, answer["url"].replace(answer["uploadKey"], "0" * 32), b"x").status == 404

"""What a program at fault sends: every answer is no 5xx, and says what is wrong where something is.

The inputs are kinds, not cases: a value of each wrong form in each place where a program gives one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.cases import each
from tests.support.examples import IS_FULL
from tests.support.serving import Answer, serving
from tests.unit.serve.test_writing import PROGRAM, Writer

from bifolio import Library
from bifolio.home import Home
from bifolio.serve.permissions import Permissions

#: Values of every form that JSON has.
FORMS: tuple[Any, ...] = (None, True, 7, -1.5, "", "x", [], ["x"], [1], [None], {}, {"a": [1]})

LATE = 10**9

#: What a button of a browser may send; in `make test` each form is in a third of them.
PROPERTIES = "sessionID items uri target tags note url title snapshotContent".split()


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    folder = tmp_path_factory.mktemp("served")
    home = Home(folder / "home")
    with Library.create(folder / "A.bifolio", home=home) as library:
        one = library.add({"type": "book", "title": "Kept", "note": "A note", "tags": ["größe"]})
        (folder / "a.txt").write_text("words")
        library.files.add(one.id, [folder / "a.txt"])
        library.groups.create("Shelf")
    Permissions(home).allow(PROGRAM)
    Permissions(home).allow("Zotero Connector")
    with serving(folder / "A.bifolio", home) as running:
        yield Writer(running, folder)


def kept(writer: Writer) -> str:
    (key,) = writer.served.get("items/top?q=Kept&format=keys").text.split()
    return key


def refusal(answer: Answer) -> str:
    """What the answer to one object says was wrong with it."""
    assert answer.status == 200, answer.text
    failed = answer.json["failed"]
    assert set(failed) == {"0"}, answer.json
    assert failed["0"]["code"] in (400, 404, 409, 412, 413), failed
    return str(failed["0"]["message"])


@each("name", ["limit", "start", "since"])
@each("value", ["-1", "abc", "1e9", "9" * 40, "1.5", "\x00", "٣", " 5", "NaN"])
def test_a_number_that_is_none_is_named(writer: Writer, name: str, value: str) -> None:
    answer = writer.served.get(f"items?{name}={quote(value)}")
    assert (answer.status, name in answer.text) == (400, True)


@each(
    "query",
    [
        *("sort=foo", "direction=up", "qmode=x", "format=xml", "include=x", "itemKey=a,b"),
        *("itemKey=,", "style=../x", "format=bib&locale=../../x", "itemKey=" + "ABCDEFGH," * 51),
    ],
)
def test_a_parameter_without_a_meaning_is_refused(writer: Writer, query: str) -> None:
    answer = writer.served.get(f"items?{query}")
    assert answer.status == 400
    assert answer.text.strip()


@each(
    "words",
    ['"', "(((", "title:", "a OR", "*", "-", "NOT", "x" * 20_000, "\x00", "%", "a b " * 3000, "🎉"],
)
@each("qmode", ["titleCreatorYear", "everything"])
def test_any_words_can_be_searched_for(writer: Writer, words: str, qmode: str) -> None:
    answer = writer.served.get(f"items?qmode={qmode}&q={quote(words)}")
    assert answer.status in (200, 400)
    assert answer.status == 200 or len(words) > 5000


@each(
    "path",
    ["items/%ff", "items/%C3%28", "items/zz", "collections/%ff/items", "searches/%ff", "tags/%ff"],
)
def test_a_key_that_is_none_is_not_found(writer: Writer, path: str) -> None:
    assert writer.served.get(path).status == 404


def test_a_key_may_be_written_with_percent_signs(writer: Writer) -> None:
    key = kept(writer)
    written = "".join(f"%{ord(one):02X}" for one in key)
    assert writer.served.get(f"items/{written}").json["key"] == key


@each(
    "body",
    [
        *(b"", b"\xff\xfe\x00", b"{", b"[NaN]", b"[Infinity]", b"[" * 100_000, b'{"a":' * 100_000),
        *(b"[" + b"9" * 5000 + b"]", b'"x"', b"null", b"{}"),
    ],
)
@each("path", ["items", "collections", "searches", "fulltext"])
def test_a_body_that_is_no_array_is_refused(writer: Writer, path: str, body: bytes) -> None:
    headers = {"If_Unmodified_Since_Version": str(LATE)}
    answer = writer.send("POST", path, body, **headers)
    assert answer.status == 400, answer.text


@pytest.mark.parametrize("path", ["items", "collections", "searches"])
def test_an_empty_array_writes_nothing_and_more_than_50_is_too_many(
    writer: Writer, path: str
) -> None:
    nothing: dict[str, Any] = {"successful": {}, "success": {}, "unchanged": {}, "failed": {}}
    assert writer.send("POST", path, []).json == nothing
    assert writer.send("POST", path, [{}] * 51).status == 413


def test_one_key_twice_in_one_request_is_one_item(writer: Writer) -> None:
    item = {"itemType": "book", "key": "TWICE222"}
    answer = writer.send("POST", "items", [item | {"title": "a"}, item | {"title": "b"}])
    assert list(answer.json["success"]) == ["0"]
    assert answer.json["failed"]["1"]["code"] == 428
    assert writer.item("TWICE222")["title"] == "a"


@each(
    ("name", "good"),
    [
        ("creators", [[]]),
        ("tags", [[], ["x"]]),
        ("title", [None, 7, -1.5, "", "x"]),
        ("collections", [None, []]),
        ("deleted", [None, True]),
        ("version", [None, 7, *FORMS[4:]]),
        ("key", [None, "", [], {}]),
        ("itemType", []),
        ("relations", list(FORMS)),
    ],
)
def test_a_value_of_a_wrong_form_is_refused_by_name(
    writer: Writer, name: str, good: list[Any]
) -> None:
    """As new items; a version of a new item without a key says nothing."""
    for value in FORMS:
        answer = writer.send("POST", "items", [{"itemType": "book", "title": "T", name: value}])
        if any(value == one and type(value) is type(one) for one in good):
            if name != "version":
                assert answer.json["failed"] == {}, (name, value, answer.text)
        else:
            assert refusal(answer), (name, value)


@each(
    "creator",
    [
        *(1, "x", None, [], {}, {"creatorType": "foo", "name": "x"}, {"name": "x"}),
        *({"creatorType": ["author"]}, {"creatorType": "author", "lastName": ["x"]}),
    ],
)
def test_a_creator_of_a_wrong_form_is_refused(writer: Writer, creator: Any) -> None:
    said = refusal(writer.send("POST", "items", [{"itemType": "book", "creators": [creator]}]))
    assert "creator" in said


@each("tag", [1, None, [], {}, {"tag": 1}, {"tag": None}, {"tag": "a\nb"}])
def test_a_tag_of_a_wrong_form_is_refused(writer: Writer, tag: Any) -> None:
    assert "tag" in refusal(writer.send("POST", "items", [{"itemType": "book", "tags": [tag]}]))


def test_tags_are_any_text(writer: Writer) -> None:
    tags = ["größe", "日本語 🎉", "a/b", "-minus", "x || y", "größe"]
    key = writer.add(title="Tagged", tags=[{"tag": one} for one in tags])
    assert {one["tag"] for one in writer.item(key)["tags"]} == set(tags)
    answer = writer.send("PATCH", f"items/{key}", {"tags": ["日本語"], "version": LATE})
    assert (answer.status, writer.item(key)["tags"]) == (204, [{"tag": "日本語"}])
    found = writer.served.get(f"items/top?tag={quote('日本語')}&format=keys").text.split()
    assert key in found


@each("name", ["bogus", "", "a" * 3000, "Title", "__proto__"])
def test_a_property_that_no_item_has_is_named(writer: Writer, name: str) -> None:
    said = refusal(writer.send("POST", "items", [{"itemType": "book", name: "x"}]))
    assert said == f"Invalid property '{name[:40]}'"
    answer = writer.send("PATCH", f"items/{kept(writer)}", {name: "x", "version": LATE})
    assert (answer.status, answer.text) == (400, said)


@each(
    "item",
    [
        {"itemType": "note", "note": "without an item"},
        {"itemType": "note", "parentItem": ["x"], "note": "x"},
        {"itemType": "note", "parentItem": "KEPT", "note": ["x"]},
        {"itemType": "note", "parentItem": "KEPT", "note": {}},
        {"itemType": "attachment", "parentItem": "KEPT", "linkMode": ["x"], "filename": "x"},
        {"itemType": "attachment", "parentItem": "KEPT", "linkMode": "linked_url", "url": "x"},
        {
            "itemType": "attachment",
            "parentItem": "KEPT",
            "linkMode": "imported_file",
            "filename": 5,
        },
        {
            "itemType": "attachment",
            "parentItem": "KEPT",
            "linkMode": "imported_file",
            "filename": "../x",
        },
        {"itemType": "annotation", "parentItem": "KEPT", "annotationType": "bogus"},
        {"itemType": "annotation", "parentItem": "KEPT", "annotationType": ["x"]},
        {
            "itemType": "annotation",
            "parentItem": "KEPT",
            "annotationType": "note",
            "annotationPosition": {"a": 1},
        },
    ],
)
def test_a_child_of_a_wrong_form_is_refused(writer: Writer, item: dict[str, Any]) -> None:
    key = kept(writer)
    given = {name: key if value == "KEPT" else value for name, value in item.items()}
    before = writer.served.get(f"items/{key}/children").json
    assert refusal(writer.send("POST", "items", [given]))
    assert writer.served.get(f"items/{key}/children").json == before


def test_an_item_is_sent_back_as_a_whole(writer: Writer) -> None:
    key = writer.add(title="Whole")
    whole = writer.served.get(f"items/{key}").json
    whole["data"]["title"] = "Whole again"
    answer = writer.send("POST", "items", [whole])
    assert answer.json["success"] == {"0": key}, answer.text
    assert writer.item(key)["title"] == "Whole again"


def test_an_item_in_the_trash_is_changed_when_it_is_back(writer: Writer) -> None:
    key = writer.add(title="Trashed", deleted=1)
    assert writer.item(key)["deleted"] == 1
    answer = writer.send("PATCH", f"items/{key}", {"title": "Other", "version": LATE})
    assert (answer.status, "trash" in answer.text) == (409, True)
    change = {"title": "Other", "deleted": 0, "version": LATE}
    assert writer.send("PATCH", f"items/{key}", change).status == 204
    assert writer.item(key)["title"] == "Other"


@each(
    "given",
    [
        *({"name": one} for one in FORMS if one != "x"),
        *({"name": "a", "parentCollection": one} for one in (True, 7, "x", ["x"], {"a": 1})),
        *({"name": "a", "key": one} for one in (7, "abc", ["x"], {"a": 1})),
        {"name": "a", "key": "ABCDEFG2", "version": "x"},
        {"name": "a", "bogus": 1},
        {"name": "a\nb"},
    ],
)
def test_a_collection_of_a_wrong_form_is_refused(writer: Writer, given: dict[str, Any]) -> None:
    assert refusal(writer.send("POST", "collections", [given]))
    (shelf,) = writer.served.get("collections?q=Shelf").json
    if given != {"name": None} and "key" not in given:
        answer = writer.send("PATCH", f"collections/{shelf['key']}", given | {"version": LATE})
        assert answer.status in (400, 409), answer.text
    (now,) = writer.served.get("collections?q=Shelf").json
    assert now == shelf


def test_a_collection_is_not_put_under_itself(writer: Writer) -> None:
    (shelf,) = writer.served.get("collections?q=Shelf").json
    change = {"parentCollection": shelf["key"], "version": LATE}
    assert writer.send("PATCH", f"collections/{shelf['key']}", change).status == 409


@each("condition", FORMS)
def test_a_search_of_a_wrong_form_is_refused(writer: Writer, condition: Any) -> None:
    assert refusal(writer.send("POST", "searches", [{"name": "a", "conditions": [condition]}]))


def test_a_delete_of_many_keys_is_bounded_and_unknown_ones_are_passed(writer: Writer) -> None:
    late = {"If_Unmodified_Since_Version": str(LATE)}
    many = ",".join(["ABCDEFGH"] * 51)
    assert writer.send("DELETE", f"items?itemKey={many}", **late).status == 413
    assert writer.send("DELETE", "items?itemKey=,,,", **late).status == 400
    key = writer.add(title="Gone")
    assert writer.send("DELETE", f"items?itemKey=%ff,x,{key},{key}", **late).status == 204
    assert writer.item(key)["deleted"] == 1
    assert writer.send("DELETE", f"items?itemKey={key}").status == 428


@each("value", ["abc", "-1", "", "9" * 30])
def test_a_version_in_a_header_that_is_none_is_refused(writer: Writer, value: str) -> None:
    path = f"items/{kept(writer)}"
    answer = writer.send("PATCH", path, {"title": "x"}, If_Unmodified_Since_Version=value)
    assert answer.status == 400


def browser(writer: Writer, path: str, body: bytes, **headers: str) -> Answer:
    named = {"X-Zotero-Connector-API-Version": "3", "Content-Type": "application/json", **headers}
    return writer.served.ask("POST", f"/connector/{path}", headers=named, body=body)


@each(
    "endpoint",
    [
        *("saveItems", "saveSnapshot", "saveSingleFile", "updateSession", "findExistingItems"),
        *("saveAttachment", "saveStandaloneAttachment", "import", "getSelectedCollection"),
    ],
)
def test_a_button_of_a_browser_that_sends_anything_gets_an_answer(
    writer: Writer, endpoint: str
) -> None:
    bodies = [b"", b"\xff", b"{", b"[" * 100_000, b"5", b"[]"]
    for number, one in enumerate(FORMS):
        given = {"sessionID": f"{endpoint}{number}", "items": [{"id": "1", "itemType": "book"}]}
        bodies += [
            json.dumps(given | {name: one}).encode()
            for place, name in enumerate(PROPERTIES)
            if IS_FULL or (place + number) % 3 == 0
        ]
    for body in bodies:
        session = f"?sessionID={endpoint}&session={endpoint}"
        assert browser(writer, endpoint + session, body).status < 500, body[:200]
    for metadata in ("{", "5", '{"title": 5}', '{"sessionID": ["x"], "url": {}}'):
        answer = browser(writer, endpoint, b"abc", **{"X-Metadata": metadata})
        assert answer.status < 500, metadata

"""Better BibTeX's calls: JSON-RPC by POST and GET, pulled exports, citations to be typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.cases import each
from tests.support.serving import Serving, serving

from bifolio import Library
from bifolio.home import Home


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    home = Home(folder / "home")
    with Library.create(folder / "A.bifolio", home=home) as library:
        one = library.add(
            {
                "type": "article-journal",
                "title": "Folding at scale",
                "author": ["Doe, Jane"],
                "issued": "2014",
                "note": "A note",
                "citation-key": "doe2014",
            }
        )
        library.add({"type": "book", "title": "Ink", "citation-key": "roe", "issued": "1999"})
        (folder / "a.pdf").write_bytes(b"%PDF-1.4 x")
        library.files.add(one.id, [folder / "a.pdf"])
        library.groups.create("Thesis")
        library.groups.create("One", parent="Thesis")
        library.groups.add("One", [one.id])
    with serving(folder / "A.bifolio", home) as running:
        yield running


def call(served: Serving, method: str, *params: Any, **named: Any) -> Any:
    given = {"jsonrpc": "2.0", "id": 7, "method": method, "params": named or list(params)}
    answer = served.ask("POST", "/better-bibtex/json-rpc", body=json.dumps(given)).json
    assert answer["id"] == 7
    return answer.get("result", answer.get("error"))


def test_references_are_found_and_exported_by_their_keys(served: Serving) -> None:
    assert set(call(served, "api.ready")) == {"zotero", "betterbibtex"}
    (found,) = call(served, "item.search", "fold")
    assert (found["citekey"], found["title"]) == ("doe2014", "Folding at scale")
    key = found["id"].rpartition("/")[2]
    assert call(served, "item.citationkey", [key, f"1:{key}", "ABCDEFGH"]) == {
        key: "doe2014",
        f"1:{key}": "doe2014",
        "ABCDEFGH": None,
    }
    text = call(served, "item.export", ["doe2014"], "Better BibLaTeX")
    assert text.startswith("@article{doe2014")
    text = call(served, "item.export", citekeys=["roe"], translator="Better CSL JSON")
    assert json.loads(text)[0]["title"] == "Ink"
    assert call(served, "item.export", ["nobody"], "bibtex")["code"] == -32603
    style = {"id": "http://www.zotero.org/styles/apa", "contentType": "text"}
    assert call(served, "item.bibliography", ["roe"], style).startswith("Ink. (1999)")


def test_what_hangs_on_a_reference_is_told(served: Serving) -> None:
    assert call(served, "item.notes", ["doe2014"]) == {"doe2014": ["<p>A note</p>"]}
    (file,) = call(served, "item.attachments", "doe2014")
    assert Path(file["path"]).read_bytes() == b"%PDF-1.4 x"
    found = call(served, "item.collections", ["doe2014"], True)["doe2014"]
    assert [(one["name"], one["parentCollection"]["name"]) for one in found] == [("One", "Thesis")]
    (group,) = call(served, "user.groups", True)
    assert [one["name"] for one in group["collections"]] == ["Thesis", "One"]


def test_pandoc_s_filter_gets_items_and_the_keys_that_are_none(served: Serving) -> None:
    params = {"citekeys": ["doe2014", "nobody"], "asCSL": True, "style": "apa"}
    given = {"jsonrpc": "2.0", "method": "item.pandoc_filter", "params": params}
    path = "/better-bibtex/json-rpc?" + quote(json.dumps(given))
    result = served.ask("GET", path).json["result"]
    assert result["errors"] == {"nobody": 0}
    item = result["items"]["doe2014"]
    assert (item["id"], item["title"]) == ("doe2014", "Folding at scale")
    assert item["custom"]["uri"].startswith("http://zotero.org/")


@each(
    ("given", "code"),
    [
        (b"no json", -32700),
        (b"5", -32600),
        (b"[]", -32600),
        (b'{"method": "item.nothing"}', -32601),
        (b'{"method": "item.notes", "params": [1, 2, 3, 4]}', -32602),
        (b'{"method": "item.notes", "params": {"x": 1}}', -32602),
        (b'{"method": "item.notes", "params": [[5]]}', -32602),
        (b'{"method": "item.bibliography", "params": [["roe"], {"id": "../x.csl"}]}', -32603),
        (b"[" * 5000, -32700),
    ],
)
def test_what_is_no_call_is_answered_with_its_error(
    served: Serving, given: bytes, code: int
) -> None:
    answer = served.ask("POST", "/better-bibtex/json-rpc", body=given)
    assert answer.json["error"]["code"] == code


def test_an_export_is_pulled_as_it_is_now(served: Serving) -> None:
    text = served.ask("GET", "/better-bibtex/export/library?/1/library.biblatex").text
    assert "@article{doe2014" in text
    assert "@book{roe" in text
    key = {one["data"]["name"]: one["key"] for one in served.get("collections").json}["One"]
    for named in (f"/1/{key}.bibtex", "/1/Thesis/One.bibtex"):
        text = served.ask("GET", f"/better-bibtex/export/collection?{named}").text
        assert "@article{doe2014" in text
        assert "@book{roe" not in text
    assert "@book{roe" in served.ask("GET", "/better-bibtex/library?/library.bibtex").text
    text = served.ask("GET", "/better-bibtex/collection?/Thesis/One.bibtex").text
    assert "@article{doe2014" in text
    for wrong in ("library?/1/library.exe", "collection?/1/nothing.bibtex", "else?/1/x.bibtex"):
        assert served.ask("GET", f"/better-bibtex/export/{wrong}").status == 404


@each(
    ("query", "text"),
    [
        ("probe=true", "ready"),
        ("selected=true", ""),
        ("q=doe2014", "@doe2014"),
        ("q=doe2014&brackets=1", "[@doe2014]"),
        ("q=key:doe2014%20OR%20key:roe&format=latex&command=parencite", r"\parencite{doe2014,roe}"),
        ("q=roe&format=biblatex", r"\autocite{roe}"),
        ("q=roe&format=mmd", "[#roe][]"),
        ("q=roe&format=typst", "@roe"),
        ("q=roe&format=citekeys", "roe"),
        ("q=roe&format=formatted-citation&style=apa", "(Ink, 1999)"),
    ],
)
def test_citations_are_typed_for_what_a_query_finds(served: Serving, query: str, text: str) -> None:
    assert served.ask("GET", f"/better-bibtex/cayw?{query}").text == text


@each("query", ["", "q=year:x", "q=roe&format=exe", "q=roe&format=latex&command=a%7Bb"])
def test_what_cannot_be_cited_is_said(served: Serving, query: str) -> None:
    assert served.ask("GET", f"/better-bibtex/cayw?{query}").status in (400, 501)


def test_references_are_pulled_by_their_keys(served: Serving) -> None:
    item = "/better-bibtex/export/item?citationKeys="
    text = served.ask("GET", f"{item}roe,doe2014&translator=biblatex").text
    assert text.index("@book{roe") < text.index("@article{doe2014")
    assert "@book{roe" in served.ask("GET", f"{item}roe").text
    found = json.loads(served.ask("GET", f"{item}roe&translator=json").text)
    assert [one["id"] for one in found] == ["roe"]
    for wrong in ("", "nobody", "roe&translator=exe"):
        assert served.ask("GET", f"{item}{wrong}").status in (400, 404)
    given = f"{item}roe,nobody&pandocFilterData=true&translator=json"
    found = served.ask("GET", given).json
    assert found["items"]["roe"]["title"] == "Ink"
    assert found["zotero"]["roe"]["uri"].startswith("http://zotero.org/")
    assert found["errors"] == {"nobody": 0}
    assert served.ask("GET", "/better-bibtex/export/selected?bibtex").status == 404


def test_another_library_is_asked_by_its_name_or_number(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    with Library.create(tmp_path / "B.bifolio", home=home, name="Shared") as library:
        library.add({"type": "book", "title": "Of others", "citation-key": "others"})
    with serving(tmp_path / "A.bifolio", home, others=[tmp_path / "B.bifolio"]) as running:

        def call(method: str, *params: object) -> Any:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            return running.ask("POST", "/better-bibtex/json-rpc", body=body).json

        own, other = call("user.groups")["result"]
        assert (own["id"], other["name"]) == (1, "Shared")
        for named in ("Shared", other["id"]):
            assert "@book{others" in call("item.export", ["others"], "biblatex", named)["result"]
        assert "error" in call("item.export", ["others"], "biblatex")
        text = running.ask("GET", f"/better-bibtex/library?/{other['id']}/library.bibtex").text
        assert "@book{others" in text
        item = "/better-bibtex/export/item?citationKeys=others"
        assert "@book{others" in running.ask("GET", f"{item}&library=Shared").text
        assert running.ask("GET", item).status == 404

"""Zotero's local interface, read: lists, objects, formats, collections, tags, files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.serving import Serving, serving

from bifolio import Library
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.storage import index


class Place:
    """A library with some content, where it is, and that it is served."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.path = folder / "A.bifolio"

    def open(self) -> Library:
        return Library.open(self.path, home=self.home)

    def fill(self) -> None:
        with Library.create(self.path, home=self.home, name="Thesis") as library:
            article = library.add(
                {
                    "type": "article-journal",
                    "title": "Folding at scale",
                    "author": ["Doe, Jane", "{World Paper Organization}"],
                    "container-title": "Journal of Paper",
                    "issued": "2014-05-12",
                    "page": "1-9",
                    "DOI": "10.1000/fold",
                    "tags": ["ink", "paper"],
                    "note": "First paragraph\nof <i>two</i> & more\n\nSecond",
                    "original-date": "1900",
                    "citation-key": "doe2014",
                }
            )
            (self.folder / "fold.txt").write_text("The whole text")
            library.files.add(article.id, [self.folder / "fold.txt"])
            library.add({"type": "book", "title": "Ink", "author": ["Roe, Al"], "issued": "1999"})
            library.add({"type": "motion_picture", "title": "Sheets", "tags": ["ink"]})
            gone = library.add({"type": "book", "title": "Gone"})
            library.delete([gone.id])
            library.groups.create("Chapters")
            inner = library.groups.create("One", parent="Chapters")
            library.groups.add(inner.id, [article.id])
            library.groups.create("Lately", query="year:2010..")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("served"))
    made.fill()
    return made


@pytest.fixture(scope="module")
def served(place: Place) -> Iterator[Serving]:
    with serving(place.path, place.home) as running:
        yield running


def titles(served: Serving, path: str) -> list[str]:
    found = served.get(path).json
    return [one["data"].get("title", one["data"].get("note", ""))[:20] for one in found]


def key_of(served: Serving, title: str) -> str:
    (found,) = [one["key"] for one in served.get("items/top").json if one["data"]["title"] == title]
    return str(found)


def test_an_item_is_written_as_zotero_writes_it(served: Serving) -> None:
    key = key_of(served, "Folding at scale")
    answer = served.get(f"items/{key}")
    one = answer.json
    data = one["data"]
    assert data["itemType"] == "journalArticle"
    assert data["creators"] == [
        {"creatorType": "author", "firstName": "Jane", "lastName": "Doe"},
        {"creatorType": "author", "name": "World Paper Organization"},
    ]
    assert (data["publicationTitle"], data["pages"]) == ("Journal of Paper", "1-9")
    assert (data["date"], data["DOI"], data["citationKey"]) == (
        *("2014-05-12", "10.1000/fold"),
        "doe2014",
    )
    assert data["extra"] == "Original Date: 1900"
    assert data["tags"] == [{"tag": "ink"}, {"tag": "paper"}]
    assert one["meta"] == {
        "creatorSummary": "Doe and World Paper Organization",
        "parsedDate": "2014-05-12",
        "numChildren": 2,
    }
    assert one["version"] == data["version"] == int(answer.headers["last-modified-version"])
    assert data["dateAdded"].endswith("Z")
    assert len(data["dateAdded"]) == 20


def test_every_answer_has_the_headers_by_which_programs_know_it(served: Serving) -> None:
    for path in ("items", "items/ABCDEFGH", "nowhere", "items?format=nonsense"):
        headers = served.get(path).headers
        assert headers["x-zotero-version"]
        assert headers["zotero-api-version"] == "3"
        assert headers["zotero-schema-version"]
        assert len(headers["zotero-server-id"]) == 12
    assert served.get("items/ABCDEFGH").status == 404


def test_lists_hold_what_their_paths_say(served: Serving) -> None:
    assert sorted(titles(served, "items/top")) == ["Folding at scale", "Ink", "Sheets"]
    assert len(served.get("items").json) == 5
    assert titles(served, "items/trash") == ["Gone"]
    assert titles(served, "items/trash?q=gon") == ["Gone"]
    assert titles(served, "items/trash?q=ink") == []
    key = key_of(served, "Folding at scale")
    kinds = [one["data"]["itemType"] for one in served.get(f"items/{key}/children").json]
    assert sorted(kinds) == ["attachment", "note"]
    assert titles(served, "items?itemType=note") == ["<p>First paragraph<b"]
    assert titles(served, "items?itemType=attachment") == ["fold.txt"]
    assert len(served.get("items?itemType=-attachment").json) == 4


def test_lists_hold_the_trash_too_where_that_is_asked_for(
    served: Serving, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the list's order, counted, page by page, and filtered as what lives is."""
    with place.open() as library:
        (old,) = [one.id for one in library.list(trash=True) if one.fields["title"] == "Gone"]
        library.restore([old])
        library.edit(old, [Edit("tags", Act.ADD, ("ink",))])
        library.groups.add("Chapters", [old])
        library.delete([old])
    for most in (index._SORTED_MAX, 0):
        monkeypatch.setattr(index, "_SORTED_MAX", most)
        for path, found in {
            "items/top?sort=title": ["Folding at scale", "Gone", "Ink", "Sheets"],
            "items/top?sort=title&direction=desc": ["Sheets", "Ink", "Gone", "Folding at scale"],
            "items/top?sort=dateModified&limit=1": ["Gone"],
            "items/top?sort=title&start=1&limit=2": ["Gone", "Ink"],
            "items/top?sort=title&q=gon": ["Gone"],
            "items/top?sort=itemType&q=gon": ["Gone"],
            "items/top?sort=title&q=nothing": [],
            "items/top?sort=title&tag=ink": ["Folding at scale", "Gone", "Sheets"],
            "items/top?sort=title&tag=-ink": ["Ink"],
            "items/top?sort=title&itemType=book": ["Gone", "Ink"],
        }.items():
            assert titles(served, path) != found or "Gone" not in found
            assert titles(served, path + "&includeTrashed=1") == found
    answer = served.get("items/top?includeTrashed=1&limit=1")
    assert answer.headers["total-results"] == "4"
    chapters = {one["data"]["name"]: one["key"] for one in served.get("collections").json}
    path = f"collections/{chapters['Chapters']}/items/top"
    assert titles(served, path) == []
    assert titles(served, f"{path}?includeTrashed=1") == ["Gone"]


def test_lists_are_filtered(served: Serving) -> None:
    assert titles(served, "items/top?itemType=film") == ["Sheets"]
    assert titles(served, "items/top?itemType=videoRecording") == []
    assert sorted(titles(served, "items/top?itemType=book%20||%20film")) == ["Ink", "Sheets"]
    assert titles(served, "items/top?tag=paper") == ["Folding at scale"]
    assert titles(served, "items/top?tag=-paper&tag=ink") == ["Sheets"]
    assert sorted(titles(served, "items/top?tag=paper%20||%20ink")) == [
        "Folding at scale",
        "Sheets",
    ]
    assert titles(served, "items/top?q=fold") == ["Folding at scale"]
    assert titles(served, "items/top?q=paragraph") == []
    assert titles(served, "items/top?q=paragraph&qmode=everything") == ["Folding at scale"]
    assert titles(served, "items/top?q=roe%201999") == ["Ink"]
    key = key_of(served, "Ink")
    assert titles(served, f"items?itemKey={key},ABCDEFGH") == ["Ink"]


def test_everything_is_searched_for_whole_values_too(served: Serving) -> None:
    (first, *_) = served.get("items/top?sort=title").json
    key = first["data"]["citationKey"]
    found = served.get(f"items/top?q={key}&qmode=everything").json
    assert [one["key"] for one in found] == [first["key"]]


def test_lists_are_sorted_and_paged(served: Serving) -> None:
    assert titles(served, "items/top?sort=title") == ["Folding at scale", "Ink", "Sheets"]
    assert titles(served, "items/top?sort=title&direction=desc")[0] == "Sheets"
    assert titles(served, "items/top?sort=date")[:2] == ["Folding at scale", "Ink"]
    assert titles(served, "items/top?sort=creator")[:2] == ["Folding at scale", "Ink"]
    assert titles(served, "items/top?sort=itemType") == ["Ink", "Sheets", "Folding at scale"]
    answer = served.get("items/top?sort=title&limit=2")
    assert answer.headers["total-results"] == "3"
    assert 'start=2>; rel="next"' in answer.headers["link"]
    assert titles(served, "items/top?sort=title&limit=2&start=2") == ["Sheets"]
    whole = served.get("items?format=keys").text.split()
    paged = [served.get(f"items?format=keys&limit=1&start={n}").text.strip() for n in range(5)]
    assert paged == whole
    assert served.get("items?limit=1").headers["total-results"] == "5"
    for wrong in ("sort=x", "limit=-1", "start=a", "direction=up", "include=x", "itemKey=../a"):
        assert served.get(f"items/top?{wrong}").status == 400


def test_formats_hold_the_same_references(served: Serving) -> None:
    versions = served.get("items/top?format=versions").json
    assert set(versions) == set(served.get("items/top?format=keys").text.split())
    assert "@article{doe2014" in served.get("items/top?format=bibtex").text
    assert "@article{doe2014" in served.get("items/top?format=biblatex").text
    assert "TY  - JOUR" in served.get("items/top?format=ris").text
    assert len(served.get("items/top?format=csljson").json["items"]) == 3
    bib = served.get("items/top?format=bib&style=apa").text
    assert bib.startswith('<div class="csl-bib-body"')
    key = key_of(served, "Folding at scale")
    one = served.get(f"items/{key}?include=data,bibtex,csljson,citation&style=apa").json
    assert one["data"]["key"] == key
    assert "doe2014" in one["bibtex"]
    assert one["csljson"]["title"] == "Folding at scale"
    assert one["citation"] == "<span>(Doe &amp; World Paper Organization, 1900/2014)</span>"
    cited = served.get(f"items?itemKey={key}&format=citation&style=apa").text
    assert cited == one["citation"] == served.get(f"items/{key}?format=citation&style=apa").text
    assert served.get("items?format=atom").status == 501


def test_groups_are_collections_and_smart_groups_searches(served: Serving) -> None:
    found = {one["data"]["name"]: one for one in served.get("collections").json}
    assert set(found) == {"Chapters", "One"}
    assert found["One"]["data"]["parentCollection"] == found["Chapters"]["key"]
    assert found["Chapters"]["meta"] == {"numCollections": 1, "numItems": 0}
    assert [one["data"]["name"] for one in served.get("collections/top").json] == ["Chapters"]
    key = found["One"]["key"]
    assert titles(served, f"collections/{key}/items/top") == ["Folding at scale"]
    assert len(served.get(f"collections/{key}/items").json) == 3
    assert served.get(f"collections/{key}/items?limit=1").headers["total-results"] == "3"
    assert [one["tag"] for one in served.get(f"collections/{key}/tags").json] == ["ink", "paper"]
    below = served.get(f"collections/{found['Chapters']['key']}/collections").json
    assert [one["key"] for one in below] == [key]
    (search,) = served.get("searches").json
    assert search["data"]["conditions"][0]["value"] == "year:2010.."
    assert served.get("collections/ABCDEFGH").status == 404
    (item,) = served.get(f"collections/{key}/items/top").json
    assert item["data"]["collections"] == [key]


def test_tags_are_counted(served: Serving) -> None:
    counts = {one["tag"]: one["meta"]["numItems"] for one in served.get("tags").json}
    assert counts == {"ink": 2, "paper": 1}
    assert [one["tag"] for one in served.get("tags?q=pa&qmode=startsWith").json] == ["paper"]
    assert served.get("tags?limit=1").headers["total-results"] == "2"


def test_a_note_and_a_file_are_items_of_their_own(served: Serving) -> None:
    (note,) = served.get("items?itemType=note").json
    assert note["data"]["note"] == (
        "<p>First paragraph<br/>of <i>two</i> &amp; more</p><p>Second</p>"
    )
    (file,) = served.get("items?itemType=attachment").json
    key = file["key"]
    data = served.get(f"items/{key}").json["data"]
    assert (data["filename"], data["contentType"]) == ("fold.txt", "text/plain")
    assert data["md5"] == hashlib.md5(b"The whole text").hexdigest()
    assert served.get(f"items/{key}/fulltext").json["content"] == "The whole text"
    assert served.get("fulltext?since=0").json == {key: file["version"]}
    where = served.get(f"items/{key}/file/view/url").text
    assert Path(where.removeprefix("file://")).read_text() == "The whole text"
    assert served.get(f"items/{note['key']}/file").status == 404


def test_what_is_asked_for_by_version_is_what_changed(served: Serving, place: Place) -> None:
    before = int(served.get("items").headers["last-modified-version"])
    assert served.get("items", If_Modified_Since_Version=str(before)).status == 304
    assert served.get(f"items?since={before}").json == []
    with place.open() as library:  # another opening, as a command's
        (one,) = library.search("key:doe2014")
        library.edit(one.id, [Edit("volume", Act.SET, ("7",))])
    answer = served.get(f"items/top?since={before}")
    assert [one["data"]["volume"] for one in answer.json] == ["7"]
    assert int(answer.headers["last-modified-version"]) > before
    assert served.get("items", If_Modified_Since_Version=str(before)).status == 200
    with place.open() as library:
        new = library.add({"type": "book", "title": "New"})
    assert "New" in titles(served, "items/top")
    with place.open() as library:
        library.delete([new.id])
    assert "New" not in titles(served, "items/top")


def test_schema_pages_say_what_a_type_has(served: Serving) -> None:
    def page(path: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = served.ask("GET", f"/api/{path}").json
        return found

    assert {"itemType": "bookSection", "localized": "Book Section"} in page("itemTypes")
    assert {"field": "DOI", "localized": "DOI"} in page("itemFields")
    fields = [one["field"] for one in page("itemTypeFields?itemType=book")]
    assert {"title", "ISBN", "numPages", "extra"} <= set(fields)
    roles = [one["creatorType"] for one in page("itemTypeCreatorTypes?itemType=film")]
    assert roles[0] == "director"
    assert served.ask("GET", "/api/itemTypeFields?itemType=nonsense").status == 400
    template = served.ask("GET", "/api/items/new?itemType=book").json
    assert template["creators"] == [{"creatorType": "author", "firstName": "", "lastName": ""}]


def test_another_library_is_served_as_a_group(place: Place, tmp_path: Path) -> None:
    with Library.create(tmp_path / "B.bifolio", home=place.home, name="Shared") as library:
        library.add({"type": "book", "title": "Of others"})
    others = [tmp_path / "B.bifolio", place.path]
    with serving(place.path, place.home, others=others) as running:
        (group,) = running.get("groups").json
        assert group["data"]["name"] == "Shared"
        path = f"/api/groups/{group['id']}"
        (item,) = running.ask("GET", f"{path}/items/top").json
        assert item["data"]["title"] == "Of others"
        assert item["library"] == {
            "type": "group",
            "id": group["id"],
            "name": "Shared",
            "links": item["library"]["links"],
        }
        assert running.ask("GET", path).json["id"] == group["id"]
        assert running.ask("GET", "/api/groups/5/items").status == 404
        assert running.ask("GET", "/api/users/7/items").status == 400

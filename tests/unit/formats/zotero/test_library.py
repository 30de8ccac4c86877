"""Whole Zotero libraries: their items, collections, notes, annotations, trash and files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.cases import each
from tests.support.zotero_libraries import Collection, Item, ZoteroLibrary
from tests.unit.formats.files import Loaded, load

from bifolio.errors import FileFormatError
from bifolio.formats import LinkedFiles, map_source, source_identity
from bifolio.formats.mapping.zotero import CREATORS, FIELDS, ROLE_OF, TYPES
from bifolio.formats.zotero.items import trace
from bifolio.formats.zotero.json_items import source
from bifolio.records.fields import FORMS as KNOWN
from bifolio.records.fields import TYPES as CSL_TYPES
from bifolio.records.fields import Form
from bifolio.records.names import Name
from bifolio.records.notes import annotations_of, made_at, notes_of, own_name
from bifolio.records.reference import Source, Values

ARTICLE = Item(
    "AAAA2222",
    fields={
        "title": "On <i>Paper</i>",
        "publicationTitle": "Journal of Made-up Studies",
        "date": "2019-05-03 May 3, 2019",
        "accessDate": "2024-02-01 10:20:30",
        "volume": "7",
        "issue": "2",
        "pages": "1-9",
        "DOI": "https://doi.org/10.1234/paper",
        "ISSN": "1234-5679, 2345-6787",
        "url": "https://example.org/a",
        "libraryCatalog": "A Catalogue",
        "rights": "CC-BY",
        "journalAbbreviation": "J. Made-up Stud.",
        "assignee": "Somebody",
    },
    creators=[("author", "Roe", "Jane Q."), ("author", "World Paper Organization", "")],
    tags={"paper": 0, "from the catalogue": 1},
)


def _load(folder: Path, *items: Item, links: LinkedFiles | None = None, **more: object) -> Loaded:
    library = ZoteroLibrary(items, **more)  # type: ignore[arg-type]
    return load(library.write(folder / "Zotero"), links=links)


def _values(folder: Path, *items: Item) -> Values:
    (reference,) = _load(folder, *items).references
    return reference.values


def test_an_item_is_read_whole(tmp_path: Path) -> None:
    assert _values(tmp_path, ARTICLE) == {
        "type": "article-journal",
        "title": "On <i>Paper</i>",
        "container-title": "Journal of Made-up Studies",
        "container-title-short": "J. Made-up Stud.",
        "issued": {"date-parts": [[2019, 5, 3]]},
        "accessed": {"date-parts": [[2024, 2, 1]]},
        "volume": "7",
        "issue": "2",
        "page": "1-9",
        "DOI": "10.1234/paper",
        "ISSN": ("1234-5679", "2345-6787"),
        "URL": ("https://example.org/a",),
        "source": "A Catalogue",
        "license": "CC-BY",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(literal="World Paper Organization"),
        ),
        "tags": ("from the catalogue", "paper"),
        "x.zotero.assignee": ("Somebody",),
    }


def test_an_item_is_the_same_one_on_every_computer(tmp_path: Path) -> None:
    """Zotero's own numbers differ there; its keys do not."""
    note = Item("NNNN2222", "note", parent="AAAA2222", note="<p>Seen</p>")
    items = [ARTICLE, note]
    here = load(ZoteroLibrary(items, [Collection("C1", "All", ["AAAA2222"])]).write(tmp_path / "a"))
    there = load(
        ZoteroLibrary(items[::-1], [Collection("C1", "All", ["AAAA2222"])], first_id=700).write(
            tmp_path / "b"
        )
    )
    (one,), (other,) = here.references, there.references
    assert one.source == other.source
    assert one.record_id() == other.record_id()
    assert source_identity(one.source) == ("AAAA2222", True)
    assert here.groups == there.groups


def test_notes_and_annotations_of_an_item_are_its_own(tmp_path: Path) -> None:
    values = _values(
        tmp_path,
        ARTICLE,
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>First <b>note</b></p><p>more</p>"),
        Item(
            "NNNN3333", "note", parent="AAAA2222", tags={"idea": 0},
            note="<ul><li>a</li><li>b</li></ul>",
        ),
        Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:a.pdf"}),
        Item(
            "XXXX3333", "annotation", parent="PPPP2222", tags={"method": 0},
            own={"text": "later words", "pageLabel": "9", "sortIndex": "00008"},
        ),
        Item(
            "XXXX2222", "annotation", parent="PPPP2222",
            own={"text": "marked words", "comment": "why?", "pageLabel": "3", "sortIndex": "00002"},
        ),
    )  # fmt: skip
    first, second = notes_of(values)
    assert (first.id, first.text) == ("0", "First <b>note</b>\nmore")
    assert (own_name(second.id), second.text, second.tags) == ("NNNN3333", "- a\n- b", ("idea",))
    assert made_at(second.id) == 1_704_067_200_000
    early, late = annotations_of(values)
    assert (early.text, early.comment, early.page) == ("marked words", "why?", "3")
    assert (early.type, early.colour, early.author) == ("highlight", "#ffd400", "Reader")
    assert (late.text, late.tags, own_name(late.id)) == ("later words", ("method",), "XXXX3333")
    assert early.file == "PPPP2222/a.pdf"
    assert "annotation" not in values


def test_notes_that_an_earlier_version_imported_as_one_text_stay_one() -> None:
    tags = (("note", "<p>One</p>"), ("note", "<p>Two</p>"), ("annotation", '{"text":"marked"}'))
    values = trace(Source("zotero", "book", "AAAA2222", (("title", "T"), *tags)), None).values
    assert values["note"] == "One\n\nTwo"
    assert values["annotation"] == "> marked"


def test_tags_of_any_other_name_are_fields_as_before() -> None:
    tags = (("note/of hand", "a"), ("annotation/", "b"), ("note/0", "c"), ("note-tag/x", "d"))
    values = trace(Source("zotero", "book", "AAAA2222", tags), None).values
    assert {name for name in values if not name.startswith("x.zotero.")} == {"type"}


def test_better_bibtex_and_the_library_itself_give_the_same_notes(tmp_path: Path) -> None:
    values = _values(
        tmp_path,
        ARTICLE,
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>One</p>"),
        Item("NNNN3333", "note", parent="AAAA2222", note="<p>Two</p>", tags={"idea": 0}),
    )
    added = "2024-01-01T00:00:00Z"
    written = [
        {"key": "NNNN3333", "dateAdded": added, "note": "<p>Two</p>", "tags": [{"tag": "idea"}]},
        {"key": "NNNN2222", "dateAdded": added, "note": "<p>One</p>"},
    ]
    read = trace(source({"itemType": "journalArticle", "notes": written}), None).values
    assert notes_of(read) == notes_of(values)


def test_better_bibtex_s_annotations_are_read() -> None:
    marked = {
        "key": "XXXX2222", "annotationType": "underline", "annotationText": "words",
        "annotationPageLabel": "7", "annotationColor": "#2ea8e5", "tags": [{"tag": "method"}],
        "dateAdded": "2024-01-01T00:00:00Z",
    }  # fmt: skip
    files = [{"title": "Full text", "path": "a.pdf", "annotations": [marked, {"tags": []}]}]
    read = trace(source({"itemType": "book", "title": "T", "attachments": files}), None).values
    (found,) = annotations_of(read)
    assert (found.type, found.text, found.page, found.tags) == (
        *("underline", "words", "7"),
        ("method",),
    )


def test_collections_are_groups_under_each_other_by_name(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        ARTICLE,
        collections=[
            Collection("C1", "Thesis", ["AAAA2222"]),
            Collection("C2", "methods", ["AAAA2222"], parent="C1"),
            Collection("C3", "Introduction", parent="C1"),
            Collection("C4", "Gone", ["AAAA2222"], deleted=True),
        ],
    )
    assert [(one.name, one.parent, one.place) for one in loaded.groups] == [
        ("Introduction", "C1", 0), ("methods", "C1", 1), ("Thesis", "", 0),
    ]  # fmt: skip
    ids = {one.name: one.record_id() for one in loaded.groups}
    assert set(loaded.references[0].values["groups"]) == {ids["Thesis"], ids["methods"]}
    assert [one.what for one in loaded.left_out] == ["the collection 'Gone'"]


def test_files_are_found_in_storage_and_missing_ones_are_named(tmp_path: Path) -> None:
    linked = tmp_path / "papers" / "linked.pdf"
    linked.parent.mkdir()
    linked.write_bytes(b"%PDF-linked")
    loaded = _load(
        tmp_path,
        ARTICLE,
        Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:a b.pdf"}),
        Item("PPPP3333", "attachment", parent="AAAA2222", own={"path": "storage:gone.pdf"}),
        Item("PPPP4444", "attachment", parent="AAAA2222", own={"linkMode": 2, "path": str(linked)}),
        Item(
            "PPPP5555", "attachment", parent="AAAA2222",
            own={"linkMode": 2, "path": "C:\\Users\\jane\\there.pdf"},
        ),
        Item(
            "PPPP6666", "attachment", parent="AAAA2222", own={"linkMode": 3},
            fields={"title": "Publisher", "url": "u:x"},
        ),
        files={"PPPP2222/a b.pdf": b"%PDF-"},
        links=LinkedFiles(tmp_path),
    )  # fmt: skip
    (reference,) = loaded.references
    found = {one.name: one.place for one in reference.files}
    assert found == {
        "a b.pdf": tmp_path / "Zotero" / "storage" / "PPPP2222" / "a b.pdf",
        "gone.pdf": None,
        "linked.pdf": linked,
        "there.pdf": None,
    }
    assert reference.values["x.zotero.link"] == ("Publisher u:x",)
    kept = json.dumps([reference.source.to_json(), [one.path for one in reference.files]])
    assert str(tmp_path) not in kept
    assert "jane" not in kept


def test_what_lies_in_zoteros_trash_is_marked_and_trashed_notes_stay_out(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        ARTICLE,
        replace(ARTICLE, key="BBBB2222", trashed=True),
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>thrown away</p>", trashed=True),
    )
    assert [one.source.is_trashed for one in loaded.references] == [False, True]
    assert "note" not in loaded.references[0].values
    assert [one.what for one in loaded.left_out] == ["1 note, attachment or annotation"]


def test_a_note_and_a_file_that_stand_alone_are_references(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        Item("NNNN2222", "note", note="<p>An idea</p><p>in full</p>"),
        Item("PPPP2222", "attachment", own={"path": "storage:alone.pdf"}),
    )
    note, file = loaded.references
    assert (note.values["type"], note.values["title"]) == ("document", "An idea")
    assert note.values["note"] == "An idea\nin full"
    assert (file.values["type"], file.values["title"]) == ("document", "alone.pdf")
    assert len(file.files) == 1


def test_the_lines_of_extra_that_say_a_field_are_that_field(tmp_path: Path) -> None:
    extra = "Citation Key: roe2019\nPMID: 123\noriginal-date: 1950-02\nvolume: 9\nA remark: kept"
    item = replace(ARTICLE, fields={**ARTICLE.fields, "extra": extra})
    values = _values(tmp_path, item)
    assert values["citation-key"] == "roe2019"
    assert values["PMID"] == "123"
    assert values["original-date"] == {"date-parts": [[1950, 2]]}
    assert values["volume"] == "7"
    assert values["x.zotero.extra"] == ("9",)
    assert values["note"] == "A remark: kept"


@each(
    ("stored", "date"),
    [
        ("2019-00-00 2019", {"date-parts": [[2019]]}),
        ("2019-05-00 May 2019", {"date-parts": [[2019, 5]]}),
        ("2019-05-03 2019-05-03", {"date-parts": [[2019, 5, 3]]}),
        ("2019-00-00 Spring 2019", {"date-parts": [[2019]], "season": 1}),
        ("2011-00-00 2011-2012", {"date-parts": [[2011], [2012]]}),
        ("2011-00-00 about 2011 or 2014", {"literal": "about 2011 or 2014"}),
        ("0000-00-00 in press", {"literal": "in press"}),
        ("in press", {"literal": "in press"}),
        ("2019-05-03 quite something", {"date-parts": [[2019, 5, 3]]}),
    ],
)
def test_a_date_is_what_was_typed(stored: str, date: dict[str, object]) -> None:
    assert map_source(Source("zotero", "book", "K", (("date", stored),)))["issued"] == date


def test_relations_stay_and_searches_and_other_libraries_are_named(tmp_path: Path) -> None:
    item = replace(ARTICLE, relations=["http://zotero.org/users/1/items/BBBB2222"])
    theirs = replace(ARTICLE, key="CCCC2222", library=2)
    loaded = _load(
        tmp_path,
        item,
        theirs,
        searches={"Unread": [("title", "contains", "x")]},
        groups={"Lab": 4711},
    )
    (reference,) = loaded.references
    assert reference.values["x.zotero.relation"] == (
        "dc:relation http://zotero.org/users/1/items/BBBB2222",
    )
    assert [one.what for one in loaded.left_out] == [
        "the group library 'Lab'", "the saved search 'Unread'",
    ]  # fmt: skip


def test_a_saved_search_of_tags_and_collections_is_a_smart_group(tmp_path: Path) -> None:
    conditions = [
        ("joinMode", "any", ""), ("tag", "is", "to read"), ("collection", "is", "C1"),
        ("noChildren", "true", ""),
    ]  # fmt: skip
    loaded = _load(
        tmp_path, ARTICLE, collections=[Collection("C1", "Thesis")], searches={"Next": conditions}
    )
    thesis, found = loaded.groups
    assert (found.name, found.parent) == ("Next", "")
    assert found.query == f'tag:"to read" OR group:{thesis.record_id()}'
    assert loaded.left_out == []


def test_one_of_zoteros_group_libraries_is_read_by_name(tmp_path: Path) -> None:
    theirs = replace(ARTICLE, key="CCCC2222", library=2)
    lab = [Collection("C1", "Ours", ["CCCC2222"], library=2)]
    path = ZoteroLibrary([ARTICLE, theirs], lab, groups={"Lab": 4711}).write(tmp_path)
    loaded = load(path, zotero_group="Lab")
    assert [one.source.id for one in loaded.references] == ["group-4711:CCCC2222"]
    assert loaded.references[0].values["groups"] == (loaded.groups[0].record_id(),)
    with pytest.raises(FileFormatError, match="'Lab'"):
        load(path, zotero_group="Nobody")


def test_the_tables_name_known_types_and_fields_once() -> None:
    assert {row.csl for row in TYPES} <= CSL_TYPES
    assert {row.field for row in FIELDS} <= KNOWN.keys()
    assert {KNOWN[row.field] for row in CREATORS} == {Form.NAMES}
    for rows in (FIELDS, CREATORS):
        names = [name for row in rows for name in row.zotero.split()]
        assert len(names) == len(set(names))
    assert ROLE_OF["author"] == "author"

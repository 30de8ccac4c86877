"""Whole EndNote libraries: their records, groups, tags, trash and files."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from tests.support.endnote_libraries import DB_ID, EndNoteLibrary, Group
from tests.unit.formats.files import Loaded, export, exported, load, load_content

from bifolio.errors import FileFormatError
from bifolio.formats import read_library, source_identity
from bifolio.records.library_facts import LibraryFacts
from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference

ARTICLE: dict[str, object] = {
    "author": "Roe, Jane Q.\rWorld Paper Organization,",
    "year": "2019",
    "title": "On Paper",
    "secondary_title": "Journal of Made-up Studies",
    "volume": "7",
    "number": "2",
    "pages": "1-9",
    "keywords": "folding\rpaper",
    "url": "https://example.org/a\rhttps://example.org/b",
    "isbn": "1234-5679",
    "electronic_resource_number": "10.1234/paper",
    "notes": "First line\rsecond line",
    "date": "May 3",
}


def _load(folder: Path, library: EndNoteLibrary) -> Loaded:
    return load(library.write(folder))


def test_a_row_is_read_as_its_record_in_endnotes_xml(tmp_path: Path) -> None:
    (row,) = _load(tmp_path, EndNoteLibrary([ARTICLE])).references
    assert row.values == {
        "type": "article-journal",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(literal="World Paper Organization"),
        ),
        "title": "On Paper",
        "container-title": "Journal of Made-up Studies",
        "volume": "7",
        "issue": "2",
        "page": "1-9",
        "issued": {"date-parts": [[2019, 5, 3]]},
        "tags": ("folding", "paper"),
        "URL": ("https://example.org/a", "https://example.org/b"),
        "ISSN": ("1234-5679",),
        "DOI": "10.1234/paper",
        "note": "First line\nsecond line",
    }
    written, report = export([ExportedReference("1", row.values, row.source)], "endnote-xml")
    (back,) = load_content(tmp_path, written, "a.xml").references
    assert (back.values, back.source.id, back.source.type) == (
        row.values, row.source.id, row.source.type,
    )  # fmt: skip
    assert back.record_id() == row.record_id()
    assert report.lost == []


def test_a_group_library_of_zotero_s_is_not_looked_for_in_it(tmp_path: Path) -> None:
    path = EndNoteLibrary([ARTICLE]).write(tmp_path)
    with pytest.raises(FileFormatError, match="found an EndNote library"):
        list(read_library(path, zotero_group="Lab"))


def test_a_record_is_the_same_one_in_the_library_and_in_its_xml(tmp_path: Path) -> None:
    (row,) = _load(tmp_path, EndNoteLibrary([{}, ARTICLE])).references
    assert source_identity(row.source) == (f"{DB_ID}:2", True)
    key = f'<foreign-keys><key app="EN" db-id="{DB_ID}">2</key></foreign-keys>'
    xml = f"<xml><records><record>{key}<titles><title>A</title></titles></record></records></xml>"
    (exported_one,) = load_content(tmp_path, xml, "a.xml").references
    assert source_identity(exported_one.source) == source_identity(row.source)


def test_styled_words_are_rich_text_and_a_list_is_cut_where_it_ends(tmp_path: Path) -> None:
    styles = (
        '<record><field id="4"><run face="normal" start="0" /><run face="italic" start="3" />'
        '<run face="normal" start="8" /></field>'
        '<field id="20"><run face="underline" start="0" /></field></record>'
    )
    row = {"title": "On Paper and Ink", "url": "http://a.org\rhttp://b.org", "text_styles": styles}
    (reference,) = _load(tmp_path, EndNoteLibrary([row])).references
    assert reference.values["title"] == "On <i>Paper</i> and Ink"
    assert reference.values["URL"] == ("http://a.org", "http://b.org")
    urls = [raw for tag, raw in reference.source.tags if tag == "urls/related-urls/url"]
    assert urls[1] == '<style face="underline" font="default" size="100%">http://b.org</style>'


def test_groups_stand_in_their_sets_in_endnotes_order(tmp_path: Path) -> None:
    library = EndNoteLibrary(
        [ARTICLE, ARTICLE | {"title": "Second"}],
        groups=[Group("G1", "Alone", [2]), Group("G2", "Later", [1]), Group("G3", "First", [1, 2])],
        sets={"Thesis": ["G3", "G2"], "My Groups": []},
    )
    loaded = _load(tmp_path, library)
    shown = [(one.name, one.parent.rpartition(":")[2], one.place) for one in loaded.groups]
    assert shown == [
        ("Thesis", "", 0), ("First", "set-Thesis", 0), ("Later", "set-Thesis", 1),
        ("My Groups", "", 1), ("Alone", "", 2),
    ]  # fmt: skip
    ids = {one.name: one.record_id() for one in loaded.groups}
    first, second = loaded.references
    assert first.values["groups"] == (ids["Later"], ids["First"])
    assert second.values["groups"] == (ids["Alone"], ids["First"])


def test_a_smart_group_holds_what_endnote_found_and_its_query_is_named(tmp_path: Path) -> None:
    library = EndNoteLibrary(
        [ARTICLE], groups=[Group("G1", "Notes", [1], query="('PDF Notes' CONTAINS [x])")]
    )
    loaded = _load(tmp_path, library)
    assert loaded.references[0].values["groups"] == (loaded.groups[0].record_id(),)
    assert [one.what for one in loaded.left_out] == ["the query of the smart group 'Notes'"]
    assert "('PDF Notes' CONTAINS [x])" in loaded.left_out[0].reason


def test_a_smart_group_of_years_goes_on_finding(tmp_path: Path) -> None:
    query = "('Year' CONTAINS [2019]) OR ('Year' CONTAINS [2020])"
    library = EndNoteLibrary([ARTICLE], groups=[Group("G1", "Late", [1], query=query)])
    loaded = _load(tmp_path, library)
    assert [one.query for one in loaded.groups] == ["year:2019 OR year:2020"]
    assert "groups" not in loaded.references[0].values
    assert loaded.left_out == []


def test_trash_rating_read_status_and_tags_come_along(tmp_path: Path) -> None:
    rows = [
        ARTICLE | {"rating": "100", "read_status": "1"},
        ARTICLE | {"title": "Second", "rating": "0", "read_status": "0", "trash_state": 1},
    ]
    library = EndNoteLibrary(rows, tags={"to read": [1, 2], "paper": [1]})
    first, second = _load(tmp_path, library).references
    assert (first.values["rating"], first.values["read-status"]) == ("5", "read")
    assert first.values["tags"] == ("folding", "paper", "to read")
    assert [one.source.is_trashed for one in (first, second)] == [False, True]
    assert second.values.keys() & {"rating", "read-status"} == set()


def test_files_are_found_where_they_lie_and_missing_ones_are_named(tmp_path: Path) -> None:
    kept = {"0123/On Paper.pdf": b"%PDF-", "0456/gone.pdf": None, "../../secret.pdf": None}
    (tmp_path.parent / "secret.pdf").write_bytes(b"secret")
    (reference,) = _load(tmp_path, EndNoteLibrary([ARTICLE], files={1: kept})).references
    found, gone, outside = reference.files
    assert (found.name, found.path) == ("On Paper.pdf", "0123/On Paper.pdf")
    assert found.place is not None
    assert found.place.read_bytes() == b"%PDF-"
    assert (gone.name, gone.place) == ("gone.pdf", None)
    assert (outside.name, outside.place) == ("secret.pdf", None)
    assert "files" not in reference.values
    assert reference.source.library is not None
    assert reference.source.library.files == ()


def test_a_type_number_that_is_not_known_stays_and_a_guessed_one_is_named(tmp_path: Path) -> None:
    rows = [
        ARTICLE | {"reference_type": 45},
        ARTICLE | {"title": "Second", "reference_type": 33},
        ARTICLE | {"title": "Third", "reference_type": 2},
    ]
    loaded = _load(tmp_path, EndNoteLibrary(rows))
    assert [one.values["type"] for one in loaded.references] == [
        "document", "paper-conference", "thesis",
    ]  # fmt: skip
    assert loaded.references[0].source.type == "EndNote type 45"
    assert ["33" in one.reason for one in loaded.left_out] == [True, False]
    assert ["45" in one.reason for one in loaded.left_out] == [False, True]


def test_a_row_with_nothing_in_it_is_named(tmp_path: Path) -> None:
    loaded = _load(tmp_path, EndNoteLibrary([{}]))
    assert [one.reason for one in loaded.skipped] == ["the record 1 holds nothing but its type"]


def test_a_column_of_a_newer_endnote_is_an_extra_field(tmp_path: Path) -> None:
    path = EndNoteLibrary([ARTICLE]).write(tmp_path)
    connection = sqlite3.connect(path)
    connection.create_function("EN_MAKE_SORT_KEY", 3, lambda *_: "")
    for name in ("ENCI_Base", "ENCIN_nl_NL"):
        connection.create_collation(name, lambda one, other: (one > other) - (one < other))
    connection.execute("ALTER TABLE refs ADD COLUMN mood_of_day TEXT NOT NULL DEFAULT 'fine'")
    connection.commit()
    connection.close()
    (reference,) = load(path).references
    assert reference.values["x.endnote.mood-of-day"] == ("fine",)


def test_what_only_the_library_says_goes_to_xml_as_carriers_and_is_named(tmp_path: Path) -> None:
    library = EndNoteLibrary(
        [ARTICLE | {"rating": "60"}], groups=[Group("G1", "Alone", [1])], tags={"to read": [1]}
    )
    loaded = _load(tmp_path, library)
    written, report = export(exported(loaded), "endnote-xml")
    assert [one.field for one in report.lost] == ["groups"]
    assert "@" not in written.replace("[@", "")
    (back,) = load_content(tmp_path, written, "a.xml").references
    assert back.values["rating"] == "3"
    assert back.values["tags"] == ("folding", "paper", "to read")


def test_no_path_of_the_exporters_computer_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "jane-doe"
    folder.mkdir(parents=True)
    library = EndNoteLibrary([ARTICLE], files={1: {"0123/a.pdf": b"%PDF-"}})
    for one in load(library.write(folder)).references:
        assert "jane-doe" not in json.dumps([one.source.to_json(), str(one.values)])


def test_a_damaged_database_is_a_clear_error(tmp_path: Path) -> None:
    path = EndNoteLibrary([ARTICLE] * 50).write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(FileFormatError, match="a database that SQLite cannot read"):
        load(path)


def test_a_database_of_another_program_is_none_of_these(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (name)")
    connection.commit()
    connection.close()
    with pytest.raises(FileFormatError, match="a database of another program"):
        load(path)


XML = (
    '<xml><records><record><database name="My Thesis.enl" path="X">My Thesis.enl</database>'
    "<titles><title>A</title></titles><urls><pdf-urls>"
    "<url>internal-pdf://0123/on%20paper.pdf</url><url>internal-pdf://0456/gone.pdf</url>"
    "</pdf-urls></urls></record><record><titles><title>B</title></titles></record></records></xml>"
)


@pytest.mark.parametrize("name", ["My Thesis", "export"])
def test_the_pdfs_of_an_xml_file_are_those_of_the_library_beside_it(
    tmp_path: Path, name: str
) -> None:
    EndNoteLibrary([], files={}).write_data(tmp_path / f"{name}.Data")
    pdf = tmp_path / f"{name}.Data" / "PDF" / "0123" / "on paper.pdf"
    pdf.parent.mkdir()
    pdf.write_bytes(b"%PDF-")
    first, *_ = load_content(tmp_path, XML, "export.xml").references
    assert [(one.name, one.place) for one in first.files] == [
        ("on paper.pdf", pdf), ("gone.pdf", None),
    ]  # fmt: skip
    assert first.source.library == LibraryFacts(files=())


def test_an_xml_file_alone_says_nothing_of_files(tmp_path: Path) -> None:
    for reference in load_content(tmp_path, XML, "export.xml").references:
        assert reference.files == ()
        assert reference.source.library is None

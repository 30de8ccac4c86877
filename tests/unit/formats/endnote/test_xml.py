"""EndNote XML: what stands in a file, what it means, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.examples import examples
from tests.unit.formats.files import GOLDEN, export, exported, load, load_content

from bifolio.errors import FileFormatError
from bifolio.formats import source_identity
from bifolio.formats.endnote.text import read_raw, rich_text, runs_of_rich_text, write_raw
from bifolio.formats.registry import ENDNOTE_XML
from bifolio.records.names import Name
from bifolio.records.reference import Source


def _record(inside: str, kind: str = "17 Journal Article") -> str:
    number, _, label = kind.partition(" ")
    return (
        f'<xml><records><record><ref-type name="{label}">{number}</ref-type>{inside}'
        "</record></records></xml>"
    )


def test_an_article_is_read_whole() -> None:
    assert load(GOLDEN / "small.xml").values()[0] == {
        "type": "article-journal",
        "author": (
            Name(family="Roe", given="Jane Q."),
            Name(literal="World Paper Organization"),
        ),
        "title": "On <i>Paper<b>s</b></i> & H<sub>2</sub>O",
        "container-title": "Journal of Made-up Studies",
        "container-title-short": "J. Made-up Stud.",
        "page": "1-9",
        "volume": "7",
        "issue": "2",
        "tags": ("paper", "ink"),
        "issued": {"date-parts": [[2014, 3, 5]]},
        "ISSN": ("0896-3207", "1234-5678"),
        "PMID": "123456",
        "note": "One\nTwo",
        "annotation": "Mine.",
        "URL": ("https://example.org/a",),
        "DOI": "10.1000/made.up",
        "source": "NLM",
        "x.ris.XY": ("nobody knows",),
        "x.endnote.label": ("PROJECT",),
        "x.endnote.custom3": ("public",),
        "x.endnote.urls/pdf-urls/url": ("internal-pdf://0123456789/a.pdf",),
    }


def test_a_book_in_another_layout_and_order_is_read_by_its_label() -> None:
    loaded = load(GOLDEN / "small.xml")
    assert loaded.references[1].line == 4
    assert loaded.values()[1] == {
        "type": "book",
        "title": "A Book < another",
        "collection-title": "Folds",
        "editor": (Name(family="Roe", given="J."),),
        "collection-editor": (Name(family="Poe", given="K."),),
        "number-of-pages": "320",
        "issued": {"literal": "in press"},
        "x.endnote.orig-pub": ("1 One\n2 Two",),
    }


def test_a_record_of_a_library_has_an_identity_of_its_own() -> None:
    first, second = load(GOLDEN / "small.xml").references
    assert source_identity(first.source) == ("abc0made0up0library0id:7", True)
    assert source_identity(second.source) == ("", False)


def test_the_exporters_path_is_neither_kept_nor_written() -> None:
    loaded = load(GOLDEN / "small.xml")
    text, _ = export(exported(loaded), "endnote-xml")
    assert "somebody" not in str(loaded) + text
    assert '<database name="Mine.enl">Mine.enl</database>' in text


def test_an_untouched_record_is_written_as_it_was_read_but_for_the_path() -> None:
    written = (GOLDEN / "small.xml").read_text(encoding="utf-8").split("\n")[2]
    text, report = export(exported(load(GOLDEN / "small.xml")), "endnote-xml")
    before = written.replace(' path="C:\\Users\\somebody\\Mine.enl"', "")
    after = text.split("\n")[2]
    # A carrier becomes a run of its own, once.
    style = '<style face="normal" font="default" size="100%">'
    parted = before.replace("Mine.&#xD;x-ris", f"Mine.</style>{style}&#xD;</style>{style}x-ris")
    assert after == parted
    assert report.lost == []


def test_a_touched_record_differs_only_in_touched_elements() -> None:
    loaded = load(GOLDEN / "small.xml")
    before, _ = export(exported(loaded), "endnote-xml")
    values = {**loaded.references[0].values, "container-title": "A <sup>n</sup>ew one"}
    changed = [replace(exported(loaded)[0], values=values), exported(loaded)[1]]
    after, _ = export(changed, "endnote-xml")
    style = '<style face="normal" font="default" size="100%">'
    old = f"{style}Journal of Made-up Studies</style>"
    raised = '<style face="superscript" font="default" size="100%">n</style>'
    assert after == before.replace(old, f"{style}A </style>{raised}{style}ew one</style>")


def test_an_element_that_endnote_reads_once_is_written_once() -> None:
    loaded = load(GOLDEN / "small.xml")
    values = {**loaded.references[0].values, "citation-key": "Roe2014", "PMCID": "PMC7"}
    text, report = export([replace(exported(loaded)[0], values=values)], "endnote-xml")
    assert (text.count("<label>"), text.count("<research-notes>")) == (1, 1)
    assert "x-csl-citation-key: Roe2014" in text
    text, _ = export(exported(loaded, with_source=False), "endnote-xml")
    assert text.count("<isbn>") == 1
    assert report.lost == []


def test_new_elements_stand_in_endnotes_order() -> None:
    loaded = load(GOLDEN / "small.xml")
    values = {**loaded.references[1].values, "author": (Name("A", "B"),), "abstract": "New"}
    text, _ = export([replace(exported(loaded)[1], values=values)], "endnote-xml")
    places = [text.index(f"<{name}") for name in ("ref-type", "authors", "titles", "abstract")]
    assert places == sorted(places)
    assert text.count("<contributors>") == 1


@pytest.mark.parametrize(
    ("inside", "kind", "field", "value"),
    [
        ("<number>TR-7</number>", "27 Report", "number", "TR-7"),
        ("<isbn>US 7</isbn>", "25 Patent", "number", "US 7"),
        ("<label>Roe2014</label>", "6 Book", "citation-key", "Roe2014"),
        ("<custom2>PMC77</custom2>", "17 Journal Article", "PMCID", "PMC77"),
        ("<custom7>e08</custom7>", "17 Journal Article", "article-number", "e08"),
        ("<custom7>x</custom7>", "17 Journal Article", "x.endnote.custom7", ("x",)),
        ("<title>loose</title>", "99 Unheard-of", "x.endnote.title", ("loose",)),
        ("<titles><secondary-title>M</secondary-title></titles>", "47 X", "event-title", "M"),
    ],
)
def test_an_element_means_what_its_type_says(
    tmp_path: Path, inside: str, kind: str, field: str, value: object
) -> None:
    assert load_content(tmp_path, _record(inside, kind), "a.xml").values()[0][field] == value


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + _record(
        "<notes>&a;</notes>"
    )
    with pytest.raises(FileFormatError, match="document type"):
        load_content(tmp_path, text, "a.xml")


def test_a_document_type_behind_a_comment_that_names_a_record_is_refused(tmp_path: Path) -> None:
    comments = '<?xml version="1.0"?>\n<!-- <record --> <!-- <xml><records> -->\n'
    text = comments + '<!DOCTYPE xml [<!ENTITY a "aa">]>' + _record("<notes>&a;</notes>")
    with pytest.raises(FileFormatError, match="document type"):
        load_content(tmp_path, text, "a.xml")
    named = "<!-- <!DOCTYPE --><!-- -->" + _record("<notes>A</notes>")
    assert load_content(tmp_path, named, "a.xml").values()[0]["note"] == "A"


_TITLES = [
    "A &amp; B &lt; 5",
    "B",
    'C &amp;amp; D &gt; <style face="italic">E</style>',
    "F &#38; G",
]


def _titled(titles: list[str]) -> str:
    records = [f"<record><titles><title>{one}</title></titles></record>\n" for one in titles]
    return "<xml><records>\n" + "".join(records) + "</records></xml>"


_DAMAGES = [
    "&nothing;", "<b>", "\x02", "</title>", "&#x0B;", "AT&T", "p < 0.05", "]]>", "<!--",
    "<![CDATA[ x", "<record>", "</record>", "&#99999999;", "<?x", "</records></xml>", "<a b=c>",
]  # fmt: skip


@pytest.mark.parametrize("damage", _DAMAGES)
@pytest.mark.parametrize("place", range(4))
def test_damage_of_one_record_changes_no_other_and_is_named(
    tmp_path: Path, damage: str, place: int
) -> None:
    whole = load_content(tmp_path, _titled(_TITLES), "a.xml")
    damaged = [one + damage * (number == place) for number, one in enumerate(_TITLES)]
    loaded = load_content(tmp_path, _titled(damaged), "a.xml")
    assert loaded.skipped[0].line == place + 2
    sources = {one.line: one.source for one in loaded.references if "title" in one.values}
    for number, reference in enumerate(whole.references):
        if number != place:
            assert sources[number + 2] == reference.source
    title = str(whole.values()[place]["title"])
    assert any(str(values.get("title", "")).startswith(title[:1]) for values in loaded.values())


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("One \x0b two \x02 x", "One two x"),
        ("One &#x0B; two", "One two"),
        ("AT&T &amp; more", "AT&T & more"),
        ("Caf&eacute;&nbsp;&mdash; &foo; bar", "Café — &foo; bar"),
        ("p < 0.05 &lt; 1", "p < 0.05 < 1"),
        ("<![CDATA[a & b < c]]> & d ]]> e", "a & b < c & d ]]> e"),
    ],
)
def test_characters_that_are_no_xml_are_mended(tmp_path: Path, written: str, title: str) -> None:
    loaded = load_content(tmp_path, _titled([written]), "a.xml")
    assert [values["title"] for values in loaded.values()] == [title]
    assert "mended" in loaded.skipped[0].reason


def test_damage_outside_of_records_is_named_and_costs_none(tmp_path: Path) -> None:
    text = _titled(_TITLES).replace("<records>", "<records> & <!-- <record> -->")
    loaded = load_content(tmp_path, text, "a.xml")
    assert len(loaded.references) == len(_TITLES)
    assert [one.line for one in loaded.skipped] == [1]
    assert f"records read from it: {len(_TITLES)}" in loaded.skipped[0].reason


def test_a_comment_that_holds_a_record_is_no_record_after_damage(tmp_path: Path) -> None:
    text = _titled(["A<!-- <record></record> -->", "B\x02", "C"]).replace(
        "<records>", "<records><!-- <record><titles><title>Z</title></titles></record> -->"
    )
    loaded = load_content(tmp_path, text, "a.xml")
    assert [values["title"] for values in loaded.values()] == ["A", "B", "C"]


def test_a_file_cut_short_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    text = _record("<titles><title>A</title></titles>").replace("</record></records></xml>", "")
    loaded = load_content(tmp_path, text, "a.xml")
    assert [values["title"] for values in loaded.values()] == ["A"]
    assert len(loaded.skipped) == 1


@settings(max_examples=examples(200), deadline=None)
@given(st.text(alphabet='<>/abisup&;" \r\n'), st.text(alphabet='[]@="/a-'))
def test_no_stored_source_makes_the_reader_or_writer_fail(raw: str, tag: str) -> None:
    source = Source("endnote-xml", "17 x", "", (("titles/title", raw), (tag, raw)))
    ENDNOTE_XML.trace(source, None)
    ENDNOTE_XML.render(source)


@given(st.text(alphabet="<>/bisup ab\n"))
def test_rich_text_without_overlap_comes_back_or_is_seen_not_to(text: str) -> None:
    raw = write_raw(runs_of_rich_text(text))
    assert write_raw(read_raw(raw)) == raw
    assert rich_text(read_raw(raw)).replace("<", "").count("a") == text.count("a")

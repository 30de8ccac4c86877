"""Exports: untouched text as it was read, changes in their place, nothing lost in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.formats.files import GOLDEN, NAMES, Loaded, export, exported, load, load_content

from bifolio.errors import UsageError
from bifolio.formats import map_source
from bifolio.formats.registry import RIS
from bifolio.formats.writing import compose
from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference, Source, Values

DEMO = Path(__file__).parents[3] / "cli" / "bifolio_cli" / "demo" / "libraries"

_GOLDEN = ["small.bib", "damaged.bib", "small.ris", "small.csl.json", "small.enw", "small.xml"]
_TARGETS = ["ris", "bibtex", "biblatex", "csl-json", "enw", "endnote-xml"]


def _again(text: str, folder: Path, name: str) -> Loaded:
    return load_content(folder, text, name)


@pytest.mark.parametrize("name", _GOLDEN)
def test_import_export_import_is_equal(tmp_path: Path, name: str) -> None:
    first = load(GOLDEN / name)
    format = first.references[0].source.format
    text, report = export(exported(first), format, first.blocks)
    second = _again(text, tmp_path, name)
    if name != "damaged.bib":  # a brace without its partner is not written again
        assert [one.source for one in second.references] == [one.source for one in first.references]
    assert second.values() == first.values()
    assert second.blocks == first.blocks
    assert report.lost == []


@pytest.mark.parametrize(
    ("name", "count"),
    [
        pytest.param("typography.bib", 5735, marks=pytest.mark.heavy),
        ("printing-history.bib", 846),
    ],
)
def test_an_untouched_library_is_written_byte_for_byte(name: str, count: int) -> None:
    loaded = load(DEMO / name)
    assert len(loaded.references) == count
    assert len({one.record_id() for one in loaded.references}) == count
    text, report = export(exported(loaded), "bibtex", loaded.blocks)
    assert text == (DEMO / name).read_text(encoding="utf-8")
    assert report.exported == count
    assert report.lost == []


def test_an_entry_that_goes_without_its_parent_says_what_it_inherited(tmp_path: Path) -> None:
    text = "@inbook{a, crossref={b}, title={A}}\n@book{b, title={B}, publisher={P}}"
    loaded = load_content(tmp_path, text)
    child, parent = exported(loaded)
    alone, _ = export([child], "bibtex")
    assert "  booktitle = {B},\n  publisher = {P},\n" in alone
    assert load_content(tmp_path, alone).values() == loaded.values()[:1]
    together, _ = export([child, parent], "bibtex")
    assert together.count("{P}") == 1
    streamed, _ = export(iter([child, parent]), "bibtex")
    assert streamed.count("{P}") == 2


@pytest.mark.parametrize("dialect", ["bibtex", "biblatex"])
def test_a_part_of_a_volume_of_a_work_keeps_both_titles(tmp_path: Path, dialect: str) -> None:
    values: Values = {
        "type": "chapter",
        "title": "A",
        "container-title": "All",
        "language": "de-DE",
    }
    values |= {"volume-title": "One", "citation-key": "a"}
    text, report = export([ExportedReference("0" * 32, values)], dialect)
    assert "maintitle = {All}" in text
    assert "booktitle = {One}" in text
    assert ("langid = {german}" in text) == (dialect == "biblatex")
    assert load_content(tmp_path, text).values() == [values]
    assert report.lost == []


def test_an_entry_written_anew_inherits_nothing_beyond_what_it_has(tmp_path: Path) -> None:
    text = "@inbook{a, crossref={b}, title={A}}\n@book{b, title={B}, note={N}}"
    loaded = load_content(tmp_path, text)
    anew, _ = export(exported(loaded, with_source=False), "bibtex")
    assert "  x-bibtex-crossref = {b},\n" in anew
    assert load_content(tmp_path, anew).values() == loaded.values()


def test_a_touched_record_differs_only_in_touched_fields() -> None:
    loaded = load(GOLDEN / "small.bib")
    before, _ = export(exported(loaded), "bibtex", loaded.blocks)
    values = dict(loaded.references[0].values)
    values["title"] = "New & <i>old</i>"
    values["volume"] = "7"
    values["x.bibtex.own"] = ("mine",)
    del values["note"]
    changed = [replace(exported(loaded)[0], values=values), *exported(loaded)[1:]]
    after, report = export(changed, "bibtex", loaded.blocks)
    gone = set(before.split("\n")) - set(after.split("\n"))
    come = set(after.split("\n")) - set(before.split("\n"))
    assert {line.split("=")[0].strip() for line in gone} == {"title", "note"}
    assert come == {r"  title = {New \& \emph{old}},", "  volume = {7},", "  own = {mine},"}
    assert report.lost == []


def test_the_order_in_which_a_library_shows_a_set_is_no_change() -> None:
    loaded = load(GOLDEN / "small.bib")
    before, _ = export(exported(loaded), "bibtex", loaded.blocks)
    values = {**loaded.references[0].values, "tags": ("ink", "paper")}
    shown = [replace(exported(loaded)[0], values=values), *exported(loaded)[1:]]
    assert export(shown, "bibtex", loaded.blocks)[0] == before


def test_a_changed_type_changes_the_entry_and_keeps_the_values(tmp_path: Path) -> None:
    loaded = load(GOLDEN / "small.bib")
    values = {**loaded.references[0].values, "type": "book"}
    text, _ = export([replace(exported(loaded)[0], values=values)], "bibtex", loaded.blocks)
    assert "@book{Roe:1984:TB," in text
    assert _again(text, tmp_path, "a.bib").values() == [values]


def test_macros_of_two_files_that_disagree_become_text(tmp_path: Path) -> None:
    one = load_content(tmp_path, '@string{j = "One"}\n@article{a, journal = j}', "a.bib")
    two = load_content(tmp_path, '@string{j = "Two"}\n@article{b, journal = j}', "b.bib")
    text, _ = export([*exported(one), *exported(two)], "bibtex", {**one.blocks, **two.blocks})
    journals = [values["container-title"] for values in _again(text, tmp_path, "c.bib").values()]
    assert journals == ["One", "Two"]


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("name", [*_GOLDEN, "small.nbib"])
def test_another_format_and_back_keeps_every_value(tmp_path: Path, name: str, target: str) -> None:
    first = load(GOLDEN / name)
    text, report = export(exported(first, with_source=False), target)
    second = _again(text, tmp_path, NAMES[target])
    assert second.values() == first.values()
    assert report.lost == []


_HARD: list[Values] = [
    {"type": "speech", "title": "A -- \"quoted\" {x} \\y $5 50% _^~ #1", "rating": "5"},
    {"type": "book", "note": "one\n\nTY  - two\n  three", "x.own": (" spaced  ", 'q"'),
     "publisher": "A, B and C"},
    {"type": "article-journal", "author": (Name(family="de la Cruz", given="A and B"),
     Name(literal="others"), Name("O", "P", dropping_particle="van")), "tags": ("a, b", "c; d")},
    {"type": "song", "issued": {"date-parts": [[-44, 3]], "circa": True},
     "accessed": {"literal": "yesterday"}, "x.bibtex.title": ("t",), "x.ris.T9": ("u",)},
    {"type": "thesis", "title": "No genre", "citation-key": "a b,c"},
    {"type": "report", "issue": "2", "number": "7", "collection-number": "9", "URL": ("a", "b")},
]  # fmt: skip


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("values", _HARD, ids=lambda values: str(values["type"]))
def test_values_that_fit_no_format_come_back_by_carriers(
    tmp_path: Path, values: Values, target: str
) -> None:
    text, report = export([ExportedReference("ab" * 16, values)], target)
    (back,) = _again(text, tmp_path, NAMES[target]).values()
    assert {field: back.get(field) for field in values} == values
    assert report.lost == []


def test_what_no_format_carries_is_reported() -> None:
    reference = ExportedReference("ab" * 16, {"type": "book", "groups": ("Reading",)})
    for target in _TARGETS:
        _, report = export([reference], target)
        assert [one.field for one in report.lost] == ["groups"]


def test_an_extra_field_whose_new_text_would_mean_something_else_is_carried() -> None:
    remark = "An address of the first author, which some databases write into the issue's tag"
    source = Source("ris", "JOUR", "", (("TI", "A"), ("IS", remark)))
    values = map_source(source)
    assert values["x.ris.IS"] == (remark,)
    edited = {**values, "x.ris.IS": (remark, "4")}
    composed, lost = compose(
        ExportedReference("1", edited, source), RIS, dialect="ris", blocks=None
    )
    assert lost == []
    assert map_source(composed) == edited


def test_csl_json_is_one_array_of_items() -> None:
    assert json.loads(export([], "csl-json")[0]) == []
    text, report = export(exported(load(GOLDEN / "small.ris")), "csl-json")
    first, second = json.loads(text)
    assert report.exported == 2
    assert first["ISSN"] == "0896-3207"
    assert first["custom"]["ISSN"] == ["0896-3207", "1234-5678"]
    assert first["custom"]["x.ris.XY"] == ["nobody knows"]
    assert first["author"][1]["non-dropping-particle"] == "van der"
    assert first["keyword"] == "paper, ink, folding"
    assert second["type"] == "book"


def test_an_unknown_export_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="endnote"):
        export([], "endnote")


def test_a_key_that_the_import_made_is_not_written_into_a_record_that_had_no_id(
    tmp_path: Path,
) -> None:
    text = "TY  - BOOK\nTI  - Without a name of its own\nAU  - Doe, Jane\nER  - \n\n"
    first = _again(text, tmp_path, "noid.ris")
    (bare,) = exported(first)
    made = replace(bare, values=dict(bare.values) | {"citation-key": "doewithout"})
    written, report = export([made], "ris", first.blocks)
    assert "ID  -" not in written
    assert report.lost == []
    again = _again(written, tmp_path, "again.ris")
    assert again.references[0].record_id() == first.references[0].record_id()


def test_a_key_that_a_user_gave_is_written_into_a_record_that_had_no_id(tmp_path: Path) -> None:
    text = "TY  - BOOK\nTI  - Without a name of its own\nAU  - Doe, Jane\nER  - \n\n"
    (bare,) = exported(_again(text, tmp_path, "noid.ris"))
    named = replace(bare, values=dict(bare.values) | {"citation-key": "mine"})
    written, _ = export([named], "ris", {})
    assert "ID  - mine" in written


@pytest.mark.parametrize("text", ["10.1000/{a", "10.1000/a}b", "10.1000/a\\", "10.1/}{"])
@pytest.mark.parametrize("format", ["bibtex", "biblatex"])
def test_a_brace_in_a_verbatim_field_damages_no_entry(
    tmp_path: Path, text: str, format: str
) -> None:
    values: Values = {
        "type": "book", "citation-key": "k", "title": "A", "DOI": text, "URL": (text,),
        "accessed": {"literal": text}, "publisher": "P", "note": "last",
    }  # fmt: skip
    written, report = export([ExportedReference("1", values)], format)
    again = load_content(tmp_path, written)
    assert again.skipped == []
    assert again.values() == [values]
    assert report.lost == []


@pytest.mark.parametrize("format", ["bibtex", "biblatex"])
def test_a_title_is_protected_where_it_is_composed_and_stays_where_it_is_not(
    tmp_path: Path, format: str
) -> None:
    raw = "@article{k,\n  title = {Of {dna} and RNA},\n  note = {RNA},\n}\n"
    loaded = load_content(tmp_path, raw)
    assert export(exported(loaded), format)[0].strip() == raw.strip()
    (reference,) = exported(loaded)
    edited = replace(reference, values={**reference.values, "title": "Of DNA and RNA"})
    written, report = export([edited], format)
    assert "title = {Of {DNA} and {RNA}},\n  note = {RNA},\n" in written
    assert load_content(tmp_path, written).values() == [edited.values]
    assert report.lost == []
    ris = load_content(tmp_path, "TY  - JOUR\nTI  - mRNA\nER  - \n", "a.ris")
    assert "title = {{mRNA}},\n" in export(exported(ris), format)[0]


def test_a_few_control_characters_of_a_file_go_back_as_they_came(tmp_path: Path) -> None:
    abstract = "Wires grow from 300\x01C to 900\x01C. " + "They are thin. " * 60
    for text, name in (
        (f"@article{{a,\n abstract = {{{abstract}}}\n}}\n", "a.bib"),
        (f"TY  - JOUR\nTI  - T\nAB  - {abstract}\nER  - \n", "a.ris"),
    ):
        loaded = load_content(tmp_path, text, name)
        format = "bibtex" if name == "a.bib" else "ris"
        written, report = export(exported(loaded), format, loaded.blocks)
        assert report.lost == []
        assert "300\x01C" in written
        assert load_content(tmp_path, written, name).values() == loaded.values()


def test_many_control_characters_are_never_written(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, "@article{a,\n title = {A\x01B\x02C}\n}\n")
    written, report = export(exported(loaded), "bibtex")
    assert "\x01" not in written
    assert [one.field for one in report.lost] == ["title"]


def test_a_lone_brace_behind_a_backslash_is_written_as_a_command(tmp_path: Path) -> None:
    text = "@book{a,\n title = {Sets \\{ and \\textbraceleft}\n}\n@book{b,\n title = {\\{x\\}}\n}\n"
    loaded = load_content(tmp_path, text)
    written, report = export(exported(loaded), "bibtex")
    assert report.lost == []
    assert "Sets \\textbraceleft{} and" in written
    assert "{\\{x\\}}" in written
    assert written.count("{") == written.count("}")
    assert load_content(tmp_path, written).values() == loaded.values()

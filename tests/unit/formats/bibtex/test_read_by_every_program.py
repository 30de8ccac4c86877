"""What BibTeX, Biber and pandoc do not read, or read on in for ever, is written otherwise."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.formats.files import export, exported, load_content

from bifolio import Library
from bifolio.formats import without_damage, write
from bifolio.formats.bibtex.values import with_paired_braces
from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference, ImportedBlocks, Values


@pytest.mark.parametrize(
    "text",
    [
        "@book{a, title={A}, crossref={a}}\n",
        "@book{a, title={A}, crossref={b}}\n@book{b, title={B}, crossref={A}}\n",
        "@book{a, title={A}, xdata={b}}\n@xdata{b, title={B}, xdata={c}}\n"
        "@xdata{c, publisher={P}, xdata={b}}\n",
    ],
)
def test_a_circle_of_parents_is_written_without_its_links(tmp_path: Path, text: str) -> None:
    loaded = load_content(tmp_path, text)
    written, report = export(exported(loaded), "bibtex")
    assert report.lost == []
    circle = "crossref = {" if "crossref" in text else "xdata = {c}"
    assert f"  {circle}" not in written
    assert load_content(tmp_path, written).values() == loaded.values()


def test_parents_of_parents_that_are_no_circle_stay_linked(tmp_path: Path) -> None:
    text = "@book{a, title={A}, xdata={b}}\n@xdata{b, xdata={c}}\n@xdata{c, publisher={P}}\n"
    written, _ = export(exported(load_content(tmp_path, text)), "bibtex")
    assert "  xdata = {b}" in written
    assert "  xdata = {c}" in written


def test_a_name_that_pandoc_does_not_read_is_written_otherwise(tmp_path: Path) -> None:
    text = "@misc{a, max.best = {6}, author+an:x = {1}, title = {A}}\n"
    loaded = load_content(tmp_path, text)
    written, _ = export(exported(loaded), "bibtex")
    assert "max.best" not in written
    assert "  author+an:x = {1}" in written
    assert load_content(tmp_path, written).values() == loaded.values()


def test_what_belongs_to_no_field_is_a_comment(tmp_path: Path) -> None:
    text = "@misc{a,\n  author 💯 {Doe, Jane},\n  title = {A},\n}\n"
    written, _ = export(exported(load_content(tmp_path, text)), "bibtex")
    assert "\n  % author 💯 {Doe, Jane}\n" in written


@each(
    ("block", "kept"),
    [
        ('@String{{BAZ = "Foo" }', ""),
        ("@preamble{ {x }", ""),
        ("@Comment{a, does={\n}", "@Comment{a, does={\n}}"),
        ("@comment{jabref-meta: databaseType:bibtex;}", None),
        ('@string{jf = "J. {F}" # x}', None),
        ("loose % text", None),
        ("% @manual{x}", ""),
    ],
)
def test_a_block_that_would_damage_an_entry_is_mended_or_left_out(
    block: str, kept: str | None
) -> None:
    blocks, named = without_damage(ImportedBlocks("bibtex", (block,)))
    expected = block if kept is None else kept
    assert blocks.blocks == ((expected,) if expected else ())
    assert len(named) == (not expected)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("{Miller, D., Firby, J. and Dean, T.}", False),
        ("{Smith, , J}", False),
        ("{, Smith}", False),
        ("{Doe, Jane and and Roe, R.}", False),
        ("{Doe AND  And Roe, R.}", False),
        ("{Doe, Jane and 0}", False),
        ("{Press {of Ink, Paper, Wood, Board} House and Roe, R.}", False),
        ("{{Ink, Paper, Wood}, Board}", False),
        ("{Roe, R. and {Ink,,Paper} House}", False),
        ('{M{\\"u}ller, {\\"O}. and Roe, , J}', False),
        ("{{Ink, Paper, Wood}, {Board}}", True),
        ('{M{\\"u}ller, {\\"O}. and {and and and}, R0}', True),
        ('"Doe, Jr., Jane and Roe, R."', True),
        ("{{Ink, Paper, Wood, Board} and Roe, R}", True),
        ("{Doe, J. and family=Harman, given=Hans, prefix=von, useprefix=false}", True),
    ],
)
def test_names_for_which_biber_leaves_out_the_entry_are_written_again(
    tmp_path: Path, written: str, kept: bool
) -> None:
    loaded = load_content(tmp_path, f"@misc{{a, author = {written}, title = {{A}}}}\n")
    text, report = export(exported(loaded), "bibtex")
    assert report.lost == []
    assert (f"author = {written}," in text) == kept
    assert load_content(tmp_path, text).values() == loaded.values()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (Name(family="Miller, D., Firby", given="J."), "{Miller, D., Firby}, {J.}"),
        (Name(family="A, B", given="C, D", suffix="Jr."), "{A, B}, Jr., {C, D}"),
        (Name(family="A, B, C", given="D", non_dropping_particle="von"), "{von {A, B, C}}, {D}"),
        (Name(family="0"), "{0}"),
        (Name(family="A, B", given="C"), "{A, B}, C"),
        (Name(family="Ross Moore", dropping_particle="and"), "{and} Ross Moore, "),
        (Name(family="X", given="Y", non_dropping_particle="de, la"), "{de, la} X, Y"),
        (Name(family="", given="Plato"), "{Plato}"),
        (Name(family="", given="J.", suffix="Jr."), "{J., Jr.}"),
    ],
)
def test_a_name_of_ours_is_none_for_which_biber_leaves_out_the_entry(
    tmp_path: Path, name: Name, written: str
) -> None:
    values: Values = {"type": "book", "citation-key": "a", "title": "A", "author": (name,)}
    reference = ExportedReference("0" * 32, values)
    text, report = export([reference], "bibtex")
    assert report.lost == []
    assert f"author = {{{written}}}," in text
    assert load_content(tmp_path, text).values() == [values]


def test_the_key_nought_is_written_otherwise_and_named() -> None:
    """Biber leaves out its entry."""
    out = io.BytesIO()
    reference = ExportedReference("0" * 32, {"citation-key": "0"})
    report = write(out, [reference], format="bibtex", blocks={}, names_keys=True)
    assert out.getvalue().startswith(b"@misc{key-0,")
    assert [one.field for one in report.lost] == ["citation-key"]


@pytest.mark.parametrize(
    ("defined", "kept"), [("", False), ('@string{mp = "Pollack, M."}\n', True)]
)
def test_a_macro_that_leaves_an_empty_name_is_written_as_it_is_read(
    tmp_path: Path, defined: str, kept: bool
) -> None:
    """Biber takes a macro that nothing defines for no text, and leaves out the entry."""
    raw = "{Veloso, Manuela and } # MP # { and Cox, M. T.}"
    loaded = load_content(tmp_path, f"{defined}@misc{{a, author = {raw}, title = {{A}}}}\n")
    text, report = export(exported(loaded), "bibtex", loaded.blocks)
    assert report.lost == []
    assert (f"author = {raw}," in text) == kept
    assert load_content(tmp_path, text).values() == loaded.values()


@pytest.mark.parametrize("kind", ["COMMENTED", "commentary"])
def test_a_type_that_begins_like_a_comment_is_written_otherwise(tmp_path: Path, kind: str) -> None:
    """pandoc reads no such entry."""
    loaded = load_content(tmp_path, f"@{kind}{{a, author = {{Erman, W.}}, title = {{A}}}}\n")
    text, report = export(exported(loaded), "bibtex")
    assert report.lost == []
    assert text.startswith("@misc{a,")
    assert load_content(tmp_path, text).values() == loaded.values()


@pytest.mark.parametrize("key", ["O'Keeffe_1967", "a(b)", "'a", "Dobrovol'skii"])
def test_a_key_that_biber_does_not_read_is_written_otherwise_and_named(
    tmp_path: Path, key: str
) -> None:
    (tmp_path / "a.bib").write_text(f"@misc{{{key}, title = {{A}}}}\n")
    with Library.create(tmp_path / "a.bifolio", name="a") as library:
        library.import_files([tmp_path / "a.bib"])
        out = io.BytesIO()
        report = library.export(out, format="bibtex")
    written = out.getvalue().decode()
    assert not set("()'") & set(written.split(",", 1)[0])
    assert [one.field for one in report.lost] == ["citation-key"]


def test_an_entry_of_more_fields_than_biber_reads_joins_those_of_one_name(tmp_path: Path) -> None:
    many = tuple(f"line {number} # {{}} %" for number in range(150))
    values: Values = {"type": "book", "citation-key": "a", "title": "A", "x.ris.M1": many}
    reference = ExportedReference("0" * 32, values)
    written, report = export([reference], "bibtex")
    assert report.lost == []
    assert len(re.findall("^  [^ %]* = ", written, re.MULTILINE)) < 90
    assert load_content(tmp_path, written).values() == [values]


def test_of_an_entry_with_too_many_fields_what_is_too_much_is_a_comment_and_named(
    tmp_path: Path,
) -> None:
    fields = "".join(f"  field{number} = {{{number}}},\n" for number in range(95))
    loaded = load_content(tmp_path, "@misc{a,\n" + fields + "}\n")
    written, report = export(exported(loaded), "bibtex")
    assert len(re.findall("^  [^ %]* = ", written, re.MULTILINE)) == 90
    assert "\n  % field94 = {94}\n" in written
    assert [one.field for one in report.lost] == [f"x.bibtex.field{n}" for n in range(90, 95)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"{L\{o}drup}", r"{L\textbraceleft{}odrup}"),
        (r"{x {a\{b} y} z}", r"{x {a\textbraceleft{}b} y z}"),
        (r"{a \{b\} c}", r"{a \{b\} c}"),
        (r"{a \\{b} c}", r"{a \\ {b} c}"),
        (r"{a{\\}c}", r"{a{\\ }c}"),
        (r"{a{\\ }c}", r"{a{\\ }c}"),
        (r"{a\} b\{}", r"{a\textbraceright{} b\textbraceleft{}}"),
    ],
)
def test_a_brace_behind_a_backslash_has_a_partner_however_it_is_counted(
    written: str, meant: str
) -> None:
    assert with_paired_braces(written) == meant


def test_an_address_with_a_line_s_end_in_braces_stays_that_address(tmp_path: Path) -> None:
    """A blank before the brace, which pandoc needs in a text, would be a part of the address."""
    entry = "@misc{a,\n  title = {One},\n  url = {http://example.org/{x}{\\\\}/y.htm},\n}\n"
    loaded = load_content(tmp_path, entry)
    written, _ = export(exported(loaded), "bibtex")
    (tmp_path / "again").mkdir()
    again = load_content(tmp_path / "again", written)
    assert exported(again)[0].values["URL"] == exported(loaded)[0].values["URL"]
    assert r"{\\}" not in written

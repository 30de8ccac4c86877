"""What BibTeX, Biber and pandoc do not read, or read on in for ever, is written otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import export, exported, load_content

from bifolio.formats import without_damage
from bifolio.records.reference import ImportedBlocks


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


@pytest.mark.parametrize(
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
        ('"Doe, Jr., Jane and Roe, R."', True),
        ("{{Ink, Paper, Wood, Board} and Roe, R}", True),
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

"""What an entry has of its parents: read, edited, and written next to them."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from tests.unit.formats.files import export, exported, load_content

from bifolio.records.reference import Values

CHILD = "@inproceedings{child, title = {A}, crossref = {par}}\n"
PARENT = "@proceedings{par, title = {Proceedings}, publisher = {Press}, year = 2001}\n"


def edited_child(folder: Path, **edits: str | None) -> tuple[str, Values]:
    """An export of a child next to its parent after edits of the child, and what a reader of it
    finds in the child."""
    loaded = load_content(folder, CHILD + PARENT)
    child, parent = exported(loaded)
    values = {name: one for name, one in (child.values | edits).items() if one is not None}
    text, report = export([replace(child, values=values), parent], "bibtex")
    assert report.lost == []
    return text, load_content(folder, text).values()[0]


def test_an_edit_of_what_a_parent_gives_is_written_in_the_child(tmp_path: Path) -> None:
    text, values = edited_child(tmp_path, publisher="Other Press")
    assert "  publisher = {Other Press}," in text
    assert values["publisher"] == "Other Press"
    assert values["container-title"] == "Proceedings"


def test_an_edited_title_of_the_whole_is_written_under_the_name_that_the_parent_gives_it(
    tmp_path: Path,
) -> None:
    text, values = edited_child(tmp_path, **{"container-title": "Other Proceedings"})
    assert "  booktitle = {Other Proceedings}," in text
    assert values["container-title"] == "Other Proceedings"


def test_what_a_parent_gives_and_the_child_has_no_more_does_not_come_back(tmp_path: Path) -> None:
    text, values = edited_child(tmp_path, publisher=None)
    assert "publisher = {Press}" in text.partition("@proceedings")[2]
    assert "publisher" not in values


def test_a_name_of_the_files_own_is_never_taken_for_inherited(tmp_path: Path) -> None:
    child = "@inproceedings{child, title = {A}, crossref = {par}, ^publisher = {x}, ^^a = {y}}\n"
    loaded = load_content(tmp_path, child + PARENT)
    assert loaded.values()[0]["publisher"] == "Press"
    assert loaded.values()[0]["x.bibtex.^publisher"] == ("x",)
    text, _ = export(exported(loaded), "bibtex")
    assert "^" not in text  # a name that pandoc does not read
    again = load_content(tmp_path, text)
    assert again.values()[0] == loaded.values()[0]

"""Whatever a file calls its fields: they are its own, and come back under their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.names_in_files import FILES
from tests.unit.formats.files import NAMES, export, exported, load_content

from bifolio.formats.bibtex.names import READABLE_NAME

FORMATS = {name: format for format, name in NAMES.items() if format != "biblatex"}


@pytest.mark.parametrize("name", FILES)
def test_no_name_in_a_file_is_a_fact_of_a_library(tmp_path: Path, name: str) -> None:
    (reference,) = load_content(tmp_path, FILES[name]("First"), name).references
    assert reference.source.library is None
    assert reference.values.keys() & {"groups", "files"} == set()
    assert reference.values["title"] == "First"


@pytest.mark.parametrize("name", FILES)
def test_a_field_comes_back_under_whatever_name_the_file_has_for_it(
    tmp_path: Path, name: str
) -> None:
    loaded = load_content(tmp_path, FILES[name]("First"), name)
    text, report = export(exported(loaded), FORMATS[name])
    assert report.lost == []
    again = load_content(tmp_path, text, name)
    assert again.values() == loaded.values()
    came, went = (set(one.references[0].source.tags) for one in (loaded, again))
    # BibTeX's other programs read no name with signs: it goes out under another one.
    assert all(READABLE_NAME.fullmatch(tag) is None for tag, _ in came - went)
    assert name == "a.bib" or came == went

"""Real libraries and nasty files, from outside of the repository.

The folder comes from ``BIFOLIO_CORPORA`` (by default ``../shared/corpora`` beside the checkout).
That every file is read whole and comes back is asked by the conformance run, a slice of it and, in
`make test-all`, all of it in ``tests/unit/conformance``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.formats.files import load

from bifolio.errors import FileFormatError

_REPOSITORY = Path(__file__).parents[3]
CORPORA = Path(os.environ.get("BIFOLIO_CORPORA") or _REPOSITORY.parent / "shared" / "corpora")


def _cores(path: Path) -> set[str]:
    """What identifies each reference of a file, spelled without case or punctuation."""
    return {
        "".join(
            character
            for field in ("title", "container-title", "volume", "issued")
            for character in str(values.get(field, "")).casefold()
            if character.isalnum()
        )
        for values in load(path).values()
    }


def test_ten_records_exported_by_six_tools_land_on_equal_references() -> None:
    folder = CORPORA / "ris" / "medium" / "asreview_cff"
    if not folder.is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}; set BIFOLIO_CORPORA to their folder")
    zotero = _cores(folder / "baseline_zotero.ris")
    for tool, common in [
        ("endnote", 10),
        ("mendeley", 10),
        ("eppireviewer", 10),
        ("covidence_mendeley", 8),
        ("covidence_refworks", 8),
    ]:
        assert len(zotero & _cores(folder / f"baseline_{tool}.ris")) == common, tool


def test_real_libraries_are_read_whole() -> None:
    if not (CORPORA / "endnote_lib").is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}; set BIFOLIO_CORPORA to their folder")
    for name, records, trashed, groups, files in [
        ("endnote_lib/medium/bradshaw/AustraliaCostsInvasiveSppEndnote.enlx", 265, 27, 1, 0),
        ("endnote_lib/medium/utsmok/MyLibrary.enl", 270, 19, 27, 127),
        ("endnote_lib/nasty/utsmok_fixtures/stress-large.zip", 250, 0, 0, 0),
        ("endnote_lib/nasty/utsmok_fixtures/attachment-present.zip", 1, 0, 0, 1),
        ("endnote_lib/nasty/utsmok_fixtures/mixed-case-data-lookup.zip", 1, 0, 0, 0),
        ("endnote_lib/nasty/utsmok_fixtures/supported-enlp-equivalent.zip", 1, 0, 0, 0),
        ("zotero_sqlite/nasty/bbt/zotero__zotero__zotero.sqlite", 49, 0, 0, 1),
    ]:
        found = load(CORPORA / name)
        assert len(found.references) == records, name
        assert found.skipped == [], name
        assert sum(one.source.is_trashed for one in found.references) == trashed, name
        assert len(found.groups) == groups, name
        assert sum(len(one.files) for one in found.references) == files, name
    for name in ("missing-db.zip", "malformed-archive.zip"):
        with pytest.raises(FileFormatError):
            load(CORPORA / "endnote_lib" / "nasty" / "utsmok_fixtures" / name)


def test_a_library_and_its_export_by_another_program_say_the_same() -> None:
    """Of each record of the export, by its number, the fields that both have."""
    folder = CORPORA / "endnote_xml" / "medium" / "utsmok_golden"
    if not folder.is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}; set BIFOLIO_CORPORA to their folder")
    library = load(CORPORA / "endnote_lib/medium/utsmok/MyLibrary.Data__sdb__sdb.eni")
    ours = {dict(one.source.tags)["rec-number"]: one.values for one in library.references}
    exported_ones = load(folder / "endnote-example-library.xml").references
    for one in exported_ones:
        values = ours[dict(one.source.tags)["rec-number"]]
        for name in ("type", "title", "author", "issued", "DOI", "volume", "issue", "page"):
            assert values.get(name) == one.values.get(name), (name, values["title"])
    assert len(exported_ones) == 240

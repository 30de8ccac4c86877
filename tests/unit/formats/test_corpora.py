"""Real libraries and nasty files, from outside of the repository.

The folder comes from ``BIFOLIO_CORPORA`` (by default ``../shared/corpora`` beside the checkout). A
file counts as read if it gives as many references as its manifest counts, or names every record
that is missing; and it must survive import, export and import.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from tests.unit.formats.files import NAMES, Loaded, export, exported, load, load_content

from bifolio.errors import FileFormatError
from bifolio.formats import EXPORT_FORMATS

_REPOSITORY = Path(__file__).parents[3]
CORPORA = Path(os.environ.get("BIFOLIO_CORPORA") or _REPOSITORY.parent / "shared" / "corpora")
_SETS = ("ris/", "bibtex/", "biblatex/", "csl_json/", "enw/", "nbib/", "endnote_xml/", "derived/")
_SUFFIXES = {
    ".bib",
    ".bibtex",
    ".biblatex",
    ".ris",
    ".txt",
    ".ciw",
    ".json",
    ".enw",
    ".end",
    ".nbib",
}

#: Files that hold no record of these formats: other formats under a borrowed name, and two pages
#: of prose.
_OTHER = {"PubMed_example.txt", "WoS_ciw_example.ciw", "WoS_txt_example.txt",
          "noerrors__237.bib", "noerrors__66.bib"}  # fmt: skip


def _files() -> list[tuple[Path, int]]:
    """(file, records that the manifest counts)."""
    if not (CORPORA / "MANIFEST.tsv").exists():
        pytest.skip(f"the corpora are not at {CORPORA}; set BIFOLIO_CORPORA to their folder")
    with (CORPORA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    return [
        (CORPORA / row["path"], int(row["records"] or 0))
        for row in rows
        if row["path"].startswith(_SETS) and Path(row["path"]).suffix in _SUFFIXES
    ]


def _check(path: Path, records: int, folder: Path) -> int:
    """Read, write and read one file; how many references it holds."""
    try:
        first = load(path)
    except FileFormatError:
        assert path.name in _OTHER, path
        return 0
    assert len(first.references) + len(first.skipped) >= records, path
    if not first.references:
        return 0
    format = first.references[0].source.format
    if format not in EXPORT_FORMATS:
        return len(first.references)
    text, report = export(exported(first), format, first.blocks)
    second = load_content(folder, text, NAMES[format])
    assert second.values() == first.values(), path
    assert _stated_tags(second) == _stated_tags(first), path
    assert report.lost == [], path
    return len(first.references)


def _stated_tags(loaded: Loaded) -> list[list[tuple[str, str]]]:
    """All tags; what an entry inherits it may state itself if a parent of it is in no file."""
    return [
        [(tag.removeprefix("^"), raw) for tag, raw in one.source.tags] for one in loaded.references
    ]


@pytest.mark.heavy
def test_small_real_files_are_read_whole_and_survive_a_round_trip(tmp_path: Path) -> None:
    small = [(path, records) for path, records in _files() if path.stat().st_size < 100_000]
    assert sum(_check(path, records, tmp_path) for path, records in small) > 3_000


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


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_all_real_files_are_read_whole_and_survive_a_round_trip(tmp_path: Path) -> None:
    assert sum(_check(path, records, tmp_path) for path, records in _files()) > 100_000

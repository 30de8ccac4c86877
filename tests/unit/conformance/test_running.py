"""A conformance run over small corpora, and over a slice of the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance.__main__ import main
from conformance.families import FAMILIES
from conformance.folders import Folders
from conformance.report import text
from conformance.running import run, tasks
from tests.unit.conformance.folders import ENW, small_folders

ITEMS: list[dict[str, Any]] = [
    {
        "itemType": "journalArticle",
        "title": "On the Engine",
        "publicationTitle": "Annals",
        "date": "1843",
        "volume": "3",
        "pages": "666-731",
        "tags": [{"tag": "engines"}],
        "creators": [{"creatorType": "author", "lastName": "Lovelace", "firstName": "Ada"}],
    },
    {"itemType": "book", "title": "Passages of a Life", "date": "1864", "session": "7"},
]


def _use(monkeypatch: pytest.MonkeyPatch, folders: Folders) -> None:
    monkeypatch.setenv("BIFOLIO_CORPORA", str(folders.corpora))
    monkeypatch.setenv("BIFOLIO_CONFORMANCE", str(folders.cases))


def test_every_record_is_counted_and_comes_back_by_every_way(tmp_path: Path) -> None:
    folders = small_folders(tmp_path, files={"enw/a.enw": (ENW, 2)}, items=ITEMS)
    found = run(tasks(folders, ["enw"]), processes=1)["enw"]
    assert found.is_sound()
    assert (found.reading.files_read, found.reading.records_read) == (1, 2)
    assert found.unchanged.tried == found.touched.tried == 2
    assert set(found.across) == {"ris", "bibtex", "biblatex", "csl-json", "endnote-xml"}


def test_an_expected_value_agrees_differs_by_name_or_is_unexplained(tmp_path: Path) -> None:
    folders = small_folders(tmp_path, files={}, items=ITEMS)
    found = run(tasks(folders, ["enw"]), processes=1)["enw"].agreement
    assert (found.values, found.agreeing) == (12, 10)
    assert found.named == {"kept-as-extra": 1}
    assert len(found.unexplained) == 1
    assert "title: expected 'Passages of a Life', ours 'Passages'" in found.unexplained[0]


def test_a_record_that_is_missing_without_a_reason_is_a_loss(tmp_path: Path) -> None:
    folders = small_folders(tmp_path, files={"enw/a.enw": (ENW, 3)}, items=ITEMS)
    figures = run(tasks(folders, ["enw"]), processes=1)
    assert figures["enw"].reading.lost == 1
    assert not figures["enw"].is_sound()
    assert "enw/a.enw: 2 of 3 (nothing says why)" in text(figures, verbose=True)


def test_the_command_prints_json_and_its_end_tells_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"enw/a.enw": (ENW, 2), "enw/b.enw": ("no record at all\n", 1)}
    _use(monkeypatch, small_folders(tmp_path, files=files, items=ITEMS))
    assert main(["--format", "enw", "--json", "--processes", "2"]) == 1
    printed = json.loads(capsys.readouterr().out)["enw"]
    assert (printed["records_read"], printed["lost"], printed["sound"]) == (2, 1, False)
    assert printed["named_differences"] == {"kept-as-extra": 1}


def test_absent_folders_are_named_with_the_way_to_set_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(monkeypatch, Folders(tmp_path / "nowhere", tmp_path))
    assert main([]) == 2
    assert "set BIFOLIO_CORPORA" in capsys.readouterr().err


#: Thousands of cases each.
_LARGE = ("bibtex", "biblatex")


@pytest.mark.parametrize(
    "formats",
    [
        [name for name in FAMILIES if name not in _LARGE],
        pytest.param([*_LARGE], marks=pytest.mark.heavy),
    ],
)
def test_a_slice_of_the_real_files_is_read_whole_and_comes_back(formats: list[str]) -> None:
    folders = Folders.from_environment()
    if absence := folders.absence():
        pytest.skip(absence)
    chosen = tasks(folders, formats, size_bytes_max=2_500, sample=2)
    figures = run(chosen, processes=1)
    for one in figures.values():
        assert one.is_sound(), text({one.format: one}, verbose=True)
        assert one.agreement.values > 20
        if one.format not in _LARGE:
            assert one.agreement.unexplained == []


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_all_real_files_are_read_whole_and_come_back() -> None:
    folders = Folders.from_environment()
    if absence := folders.absence():
        pytest.skip(absence)
    figures = run(tasks(folders, FAMILIES, sample=5), processes=1)
    for one in figures.values():
        assert one.is_sound(), text({one.format: one}, verbose=True)
    assert sum(one.unchanged.tried for one in figures.values()) > 100_000

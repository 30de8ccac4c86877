"""Which format a file is in, and files of which nothing can be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.examples import examples
from tests.unit.formats.files import GOLDEN, load, load_content

from bifolio.errors import FileFormatError
from bifolio.formats import read, source_identity
from bifolio.formats.registry import BIBTEX, RIS
from bifolio.formats.tagged.lines import TaggedRecord, split
from bifolio.records.reference import Source


def test_the_content_tells_the_format_whatever_the_name(tmp_path: Path) -> None:
    assert load_content(tmp_path, "TY  - JOUR\nTI  - A\n", "a.bib").values()[0]["title"] == "A"
    assert load_content(tmp_path, "@misc{a, title={A}}", "a.txt").values()[0]["title"] == "A"


def test_an_empty_file_holds_nothing_and_is_no_error(tmp_path: Path) -> None:
    assert load_content(tmp_path, "").references == []
    assert load_content(tmp_path, " \n\n").references == []


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 40, b"%PDF-1.7\n@misc{a, title={A}}", b"PK\x03\x04rest", b"plain words"],
)
def test_a_file_that_holds_no_record_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.bib"
    path.write_bytes(content)
    with pytest.raises(FileFormatError) as raised:
        list(read(path, format="bibtex"))
    assert "cannot be imported" in str(raised.value)
    assert raised.value.next_step


def test_zotero_rdf_is_refused_with_the_ways_that_there_are(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?>\n<rdf:RDF xmlns:z="http://www.zotero.org/namespaces/export#">\n'
    with pytest.raises(FileFormatError, match="Zotero RDF, which is not read") as failure:
        load_content(tmp_path, text, "library.rdf")
    assert "Zotero's own folder" in str(failure.value.next_step)
    assert "CSL JSON" in str(failure.value.next_step)


def test_a_missing_file_a_folder_and_an_unknown_format_say_so(tmp_path: Path) -> None:
    for path, format, words in [
        (tmp_path / "none.bib", None, "no file there"),
        (tmp_path, None, "a folder"),
        (GOLDEN / "small.bib", "endnote", "the format 'endnote'"),
        (GOLDEN / "small.bib", "ris", "found BibTeX"),
    ]:
        with pytest.raises(FileFormatError, match=words):
            list(read(path, format=format))


def test_a_nul_never_reaches_a_value(tmp_path: Path) -> None:
    (values,) = load_content(tmp_path, b"@misc{a, title={A\x00B}}").values()
    assert values["title"] == "AB"


def test_lone_surrogates_never_reach_a_value(tmp_path: Path) -> None:
    lone = '@misc{a, title={A\ud800B}, x-csl-note={"\\ud800"}}'
    (values,) = load_content(tmp_path, lone.encode("utf-16", "surrogatepass")).values()
    str(values).encode()


def test_progress_ends_at_the_size_of_the_file() -> None:
    seen: list[tuple[int, int]] = []
    list(read(GOLDEN / "small.bib", progress=lambda done, size: seen.append((done, size))))
    size = (GOLDEN / "small.bib").stat().st_size
    assert seen[-1] == (size, size)


def test_a_key_is_no_identity_of_its_own() -> None:
    assert source_identity(Source("bibtex", "misc", "key", ())) == ("key", False)


def test_importing_the_package_loads_no_parser() -> None:
    code = (
        "import sys, bifolio.formats; assert not {'pylatexenc', 'lxml', 'edtf'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


_BIBTEX = st.text(alphabet='@{}(),="#%\\ \nabtitle1', max_size=120)


@settings(max_examples=examples(200), deadline=None)
@given(_BIBTEX)
def test_no_bibtex_text_makes_the_reader_fail(text: str) -> None:
    from bifolio.formats.bibtex.blocks import BibtexEntry
    from bifolio.formats.bibtex.blocks import split as split_bibtex

    for found in split_bibtex("@misc{a, " + text):
        if isinstance(found, BibtexEntry):
            BIBTEX.trace(Source("bibtex", found.type, found.key, found.tags), None)


_RIS_LINES = st.sampled_from(
    [
        "TY  - JOUR",
        "ER  - ",
        "TI  - a",
        "PY  - 2//x",
        "SP  -",
        "DA  - 31/2",
        "N1  - x-csl-issued: {",
        "words",
        "",
        "A1 - b",
    ]
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(_RIS_LINES))
def test_no_ris_text_makes_the_reader_fail(lines: list[str]) -> None:
    for found in split("\n".join(lines)):
        if isinstance(found, TaggedRecord):
            RIS.trace(Source("ris", found.type, "", tuple(found.tags)), None)


def test_golden_files_are_read_without_a_skipped_record() -> None:
    assert load(GOLDEN / "small.bib").skipped == []
    assert load(GOLDEN / "small.ris").skipped == []

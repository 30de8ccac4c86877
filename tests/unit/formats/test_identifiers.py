"""DOIs and pages as files write them, in every format the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.formats.files import export, exported, load_content

from bifolio.formats.identifiers import doi_of


@each(
    "written",
    [
        "10.1000/X1", "https://doi.org/10.1000/X1", "http://dx.doi.org/10.1000%2FX1",
        "doi:10.1000/X1", "DOI 10.1000/X1", "doi: 10.1000/X1.", "doi.org/10.1000/X1",
        "https://doi-org.proxy.example.edu/10.1000/X1", "https://doi.org/10.1000/X1?from=a",
        "https://www.example.org/doi/abs/10.1000/X1", "https://example.org/doi/10.1000/X1",
    ],
)  # fmt: skip
def test_a_doi_is_one_however_it_is_written(written: str) -> None:
    assert doi_of(written) == "10.1000/X1"


@each("written", ["see above", "10 pages", "https://example.org/a/10.html", ""])
def test_what_is_no_doi_stays_as_it_is(written: str) -> None:
    assert doi_of(written) == written


@pytest.mark.parametrize(
    ("written", "doi"),
    [
        (r"10.1002/1521(2001)40:6\textless 98::AID\textgreater 3.0.CO;2-C",
         "10.1002/1521(2001)40:6<98::AID>3.0.CO;2-C"),
        (r"10.1175/1520(1995)052\%3C2741:X\%3E2.0.CO;2", "10.1175/1520(1995)052<2741:X>2.0.CO;2"),
        (r"\url{https://doi.org/10.1000/a\_b}", "10.1000/a_b"),
        (r"10.1000/a$<$b$>$c", "10.1000/a<b>c"),
        (r"10.1000/{\textless}x{\textgreater}", "10.1000/<x>"),
    ],
)  # fmt: skip
def test_a_doi_of_bibtex_is_without_its_commands(tmp_path: Path, written: str, doi: str) -> None:
    loaded = load_content(tmp_path, f"@misc{{a, title={{T}}, doi={{{written}}}}}")
    assert loaded.values()[0]["DOI"] == doi
    ris, _ = export(exported(loaded), "ris")
    assert load_content(tmp_path, ris, "a.ris").values()[0]["DOI"] == doi


@pytest.mark.parametrize(
    ("written", "pages"),
    [
        ("S12-1--S12-9", "S12-1–S12-9"), ("1---9", "1-9"), ("11:1--11:20", "11:1-11:20"),
        ("e1--e10", "e1-e10"), ("2-1-2-12", "2-1-2-12"), ("123--5, 130-40", "123-5, 130-40"),
    ],
)  # fmt: skip
def test_a_range_of_pages_is_one(tmp_path: Path, written: str, pages: str) -> None:
    loaded = load_content(tmp_path, f"@article{{a, title={{T}}, pages={{{written}}}}}")
    assert loaded.values()[0]["page"] == pages


@pytest.mark.parametrize("key", ["OCLS1999–2003", "a>b", "x|y", "Müller’s", "a^b"])
def test_a_key_that_pandoc_refuses_is_written_so_that_it_reads_it(tmp_path: Path, key: str) -> None:
    loaded = load_content(tmp_path, f'[{{"id":"{key}","type":"book","title":"T"}}]', "a.json")
    written, report = export(exported(loaded), "bibtex")
    assert "@book{" + key not in written
    assert load_content(tmp_path, written).values()[0]["citation-key"] == key
    assert not {one.field for one in report.lost} - {"citation-key"}

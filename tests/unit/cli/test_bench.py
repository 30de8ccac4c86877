"""``bifolio bench``: what it shows of its figures (``end_to_end/test_bench.py`` runs it)."""

from __future__ import annotations

from xml.etree import ElementTree

from bifolio_cli.bench import workload
from bifolio_cli.bench.picture import svg
from bifolio_cli.bench.table import lines
from bifolio_cli.json_documents import BenchGrowth, BenchReport, BenchStep

REPORT = BenchReport(
    references=1000,
    edits=200,
    replicas=2,
    steps=(
        BenchStep("import", 1000, 2.0, 1.5),
        BenchStep("merge", 400, 0.4, 0.2),
        BenchStep("edit", 0, 0.0, 0.0),
    ),
    growth=(BenchGrowth(125, 4.0, 3.0), BenchGrowth(1000, 4.0, 3.1)),
    bytes_per_reference=410,
    bytes_per_edit=310,
    disk_bytes_per_reference=12_000,
    peak_bytes=72_000_000,
    state="ab" * 32,
)


def test_the_table_names_each_step_with_its_figures() -> None:
    text = "\n".join(lines(REPORT))
    assert "1,000 references on 2 computers, 200 edits on each" in text
    assert "400 changes      0.40     0.20    1.00 ms" in text
    assert "410 bytes a reference" in text
    assert "310 bytes an edit" in text
    assert "72 MB" in text


def test_the_longest_bar_is_of_the_largest_figure() -> None:
    bars = {line.split(" █")[0].strip(): line.count("█") for line in lines(REPORT) if "█" in line}
    assert bars["import"] == 40
    assert bars["merge the others' edits"] == 20
    assert (bars["125"], bars["1,000"]) == (39, 40)


def test_the_picture_is_xml_with_the_same_figures() -> None:
    root = ElementTree.fromstring(svg(REPORT))
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "import" in texts
    assert "2.00" in texts
    assert "1,000" in texts


def test_a_picture_of_nothing_is_xml_too() -> None:
    empty = BenchReport(8, 1, 2, (BenchStep("import", 0, 0.0, 0.0),), (), 0, 0, 0, 0, "")
    ElementTree.fromstring(svg(empty))
    assert list(lines(empty))


def test_the_same_numbers_give_the_same_references() -> None:
    first = list(workload.references(0, 20))
    assert first == list(workload.references(0, 20))
    assert first[5:] == list(workload.references(5, 20))

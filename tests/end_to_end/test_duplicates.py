"""Case A2: one work from two sources, proposed, merged by one command, on two computers."""

from __future__ import annotations

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess

BIBTEX = """
@article{knuth1981, title={Breaking paragraphs into lines}, author={Knuth, Donald E. and Plass,
  Michael F.}, year={1981}, doi={10.1002/spe.4380111102}, keywords={typography}}
@book{bringhurst1992, title={The Elements of Typographic Style}, author={Bringhurst, Robert},
  year={1992}, note={Read in May.}}
@article{report1990, title={Annual report}, author={Doe, Jane}, year={1990}, volume={1}, pages={3}}
@article{report1990b, title={Annual report}, author={Doe, Jane}, year={1990}, volume={2}, pages={5}}
"""
RIS = """TY  - JOUR
ID  - 77
TI  - Breaking Paragraphs into Lines
AU  - Knuth, D. E.
DO  - https://doi.org/10.1002/SPE.4380111102
PY  - 1981
VL  - 11
KW  - layout
ER  -
TY  - BOOK
ID  - 78
TI  - The elements of typographic styles
AU  - Bringhurst, R.
PY  - 1992
N1  - Cited by Doe.
ER  -
"""


@pytest.fixture
def pair(relay: RelayProcess, desk: Computer, laptop: Computer) -> tuple[Computer, Computer]:
    """Two computers with one library, into which both files were imported."""
    share(relay.url, desk, laptop, entries=BIBTEX)
    file = desk.home / "other.ris"
    file.write_text(RIS, "utf-8")
    desk.run("import", file)
    sync_all(desk, laptop)
    return desk, laptop


def proposed(computer: Computer, *arguments: str) -> list[set[str]]:
    return [
        {one["fields"]["title"].lower() for one in group["references"]}
        for group in computer.run("duplicates", *arguments)
    ]


def test_one_work_from_two_sources_is_proposed_merged_synced_and_doubled_by_no_import(
    pair: tuple[Computer, Computer],
) -> None:
    """A2: the same DOI, and nearly the same title and authors."""
    desk, laptop = pair
    by_doi, by_title = laptop.run("duplicates")
    assert by_doi["pairs"][0]["reasons"][0] == "same DOI"
    assert by_doi["score"] >= by_title["score"] >= 80
    assert any(reason.startswith("title 9") for reason in by_title["pairs"][0]["reasons"])
    assert "bifolio merge" in laptop.call("duplicates").stdout
    for group in (by_doi, by_title):
        assert len(group["references"]) == 2

    keys = [one["key"] for one in by_doi["references"]]
    other = next(key for key in keys if key != "knuth1981")
    merged = laptop.run("merge", "knuth1981", other)
    assert merged["kept"]["fields"]["volume"] == "11"
    assert set(merged["kept"]["tags"]) == {"typography", "layout"}
    assert {one["field"] for one in merged["differing"]} == {"author"}
    books = [one["key"] for one in by_title["references"]]
    laptop.call("merge", *books, "--keep", "bringhurst1992", exits=0)

    view = assert_converges(laptop, desk)
    assert len(view.references) == 4
    assert len(view.trash) == 2
    assert "Cited by Doe." in view.fields("bringhurst1992")["note"]
    for computer in (desk, laptop):
        assert proposed(computer) == []
        assert computer.run("show", other)["id"] == merged["kept"]["id"]
        assert computer.run("search", other)[0]["id"] == merged["kept"]["id"]
        gone = computer.run("show", merged["merged"][0]["id"])
        assert (gone["trashed"], gone["merged_into"]) == (True, merged["kept"]["id"])

    state = desk.run("status")["state"]
    for file in ("start.bib", "other.ris"):
        report = desk.run("import", desk.home / file)
        assert (report["added"], report["updated"], report["trashed"]) == (0, 0, 0)
    assert desk.run("status")["state"] == state


@pytest.mark.heavy
def test_works_that_are_set_apart_are_not_proposed_on_the_other_computer(
    pair: tuple[Computer, Computer],
) -> None:
    desk, laptop = pair
    (_, by_title) = desk.run("duplicates")
    desk.run("duplicates", "--ignore", *(one["key"] for one in by_title["references"]))
    sync_all(desk, laptop)
    assert proposed(laptop) == [{"breaking paragraphs into lines"}]
    assert proposed(laptop, "--min-score", "20", "report1990") == [{"annual report"}]
    assert proposed(laptop, "--min-score", "99") == [{"breaking paragraphs into lines"}]
    assert "min-score" in laptop.fails("duplicates", "--min-score", "200", exits=2)
    assert "--ignore REF REF" in laptop.fails("duplicates", "--ignore", exits=2)
    assert "at least two" in laptop.fails("merge", "report1990", exits=2)


@pytest.mark.heavy
def test_two_merges_into_each_other_lose_neither_reference(
    pair: tuple[Computer, Computer],
) -> None:
    """A2 on two computers apart: A merges B's into its own, and B A's."""
    desk, laptop = pair
    (by_doi, _) = desk.run("duplicates")
    one, other = (shown["id"] for shown in by_doi["references"])
    desk.run("merge", one, other)
    laptop.run("merge", other, one)
    view = assert_converges(desk, laptop)
    assert {one, other} <= {shown["id"] for shown in view.references}
    assert {conflict["ref"] for conflict in view.conflicts} == {one, other}
    desk.run("merge", one, other)
    view = assert_converges(desk, laptop)
    assert other in {shown["id"] for shown in view.trash}
    assert one in {shown["id"] for shown in view.references}


@pytest.mark.heavy
def test_a_merge_is_undone_by_one_command_and_that_syncs_too(
    pair: tuple[Computer, Computer],
) -> None:
    """A2: and can be undone."""
    desk, laptop = pair
    before = desk.run("list")
    (by_doi, _) = laptop.run("duplicates")
    laptop.run("merge", *(one["id"] for one in by_doi["references"]))
    sync_all(laptop, desk)
    assert len(desk.run("list")) == len(before) - 1
    laptop.run("undo")
    view = assert_converges(laptop, desk)
    assert view.trash == []
    shown = {one["id"]: one for one in view.references}
    assert {one["id"] for one in before} == set(shown)
    for one in before:
        assert shown[one["id"]]["fields"] == one["fields"]
        assert shown[one["id"]]["tags"] == one["tags"]

"""The search language through the commands that use it: search, list, group, export."""

from __future__ import annotations

from pathlib import Path

from tests.support.arrangements import make_library
from tests.support.computer import Computer

ENTRIES = """
@article{knuth1981breaking, title={Breaking paragraphs into lines}, author={Knuth, Donald E.
  and Plass, Michael F.}, journal={Software: Practice and Experience}, year={1981},
  keywords={typography; read}, doi={10.1002/spe.4380111102}}
@book{bringhurst1992elements, title={The Elements of Typographic Style},
  author={Bringhurst, Robert}, year={1992}, keywords={typography}, note={Draft notes on lines}}
@book{muller1999grid, title={Raster: eine Gestaltung}, author={Müller, Jörg}, year={1999}}
"""


def keys(computer: Computer, *arguments: str) -> list[str]:
    return [one["key"] for one in computer.run(*arguments)]


def test_a_query_is_understood_by_every_command_that_takes_one(
    desk: Computer, tmp_path: Path
) -> None:
    make_library(desk, ENTRIES)
    knuth, bringhurst, muller = "knuth1981breaking", "bringhurst1992elements", "muller1999grid"
    assert keys(desk, "search", "lines") == [knuth, bringhurst]
    assert keys(desk, "search", "lines", "-draft") == [knuth]
    assert keys(desk, "search", "tag:typography", "-author:knuth") == [bringhurst]
    assert keys(desk, "search", "year:1990..", "--sort", "-year") == [muller, bringhurst]
    assert keys(desk, "search", "muller") == [muller]
    assert keys(desk, "search", "Software: Practice") == [knuth]
    assert keys(desk, "search", "10.1002/spe.4380111102") == [knuth]
    assert keys(desk, "list", "--query", "type:book", "--sort", "author") == [bringhurst, muller]
    assert keys(desk, "list", "--sort", "title", "--limit", "1") == [knuth]
    desk.run("group", "create", "Books", "--query", "type:book")
    made = desk.run("group", "create", "Old books", "--query", "group:Books year:..1995")
    assert (made["count"], made["problem"]) == (1, None)
    assert keys(desk, "list", "--group", "Old books") == [bringhurst]
    assert keys(desk, "search", 'group:"Old books" OR knuth', "--sort", "key") == [
        bringhurst,
        knuth,
    ]
    file = tmp_path / "out.bib"
    desk.run("export", "--format", "bibtex", "-o", str(file), "author:knuth year:1981")
    assert file.read_text("utf-8").count("@") == 1


def test_what_a_query_means_nothing_by_is_named(desk: Computer) -> None:
    make_library(desk, ENTRIES)
    assert "Did you mean 'author:'?" in desk.fails("search", "autor:knuth", exits=2)
    assert "year:2015..2020" in desk.fails("list", "--query", "year:soon", exits=2)
    assert "'autor:'" in desk.fails("group", "create", "G", "--query", "autor:x", exits=2)
    assert "'autor:'" in desk.fails(
        *("export", "--format", "ris", "-o", str(desk.home / "a.ris"), "autor:x"), exits=2
    )
    assert "sort" in desk.fails("search", "lines", "--sort", "size", exits=2)
    assert "No such option: --sortt" in desk.fails("search", "lines", "--sortt", "year", exits=2)
    assert "nobody" in desk.fails("search", "group:nobody")
    assert "--trash" in desk.fails("list", "--trash", "--query", "lines", exits=2)
    assert "Give one of them" in desk.fails(*("list", "--group", "G", "--query", "lines"), exits=2)
    assert keys(desk, "search", '"autor:knuth"') == []


def test_a_smart_group_whose_query_names_a_deleted_group_says_so(desk: Computer) -> None:
    make_library(desk, ENTRIES)
    desk.run("group", "create", "Read")
    desk.run("group", "create", "Smart", "--query", "group:Read lines")
    desk.run("group", "delete", "Read")
    (listed,) = desk.run("group", "list")
    problem = "There is no group with the name, path or id 'Read'."
    assert (listed["count"], listed["problem"]) == (0, problem)
    assert problem in desk.call("group", "list", exits=0).stdout

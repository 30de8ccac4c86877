"""References on their way out: cited, copied into another library."""

from __future__ import annotations

import signal

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.deadlines import until
from tests.support.relay_process import RelayProcess


def test_references_are_cited_in_a_style_as_text_and_html(desk: Computer) -> None:
    desk.run("init")
    fields = ("author=Doe, Jane", "issued=2024", "publisher=Roe & Sons")
    desk.run("add", "--type", "book", "title=On <i>Folding</i>", "key=doe2024", *fields)
    cited = desk.run("cite", "doe2024")
    assert cited["citation"] == "(Doe, 2024)"
    assert cited["bibliography"] == ["Doe, J. (2024). On Folding. Roe & Sons."]
    html = desk.call("cite", "doe2024", "--html", "--style", "ieee", exits=0).stdout
    assert "<i>Folding</i>" in html
    assert "Roe &amp; Sons" in html
    assert "Did you mean" in desk.fails("cite", "doe2024", "--style", "apaa")
    assert "apa" in desk.run("cite", "--styles", "apa")
    assert "nobody" in desk.fails("cite", "doe2024", "nobody")
    assert "references to cite" in desk.fails("cite", exits=2)


@pytest.mark.heavy
def test_two_computers_copy_one_reference_into_a_shared_library(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    thesis = [one.with_library(one.home / "Thesis.bifolio") for one in (desk, laptop)]
    share(relay.url, *thesis)
    for own, shared in zip(thesis, (desk, laptop), strict=True):
        own.run("add", "title=Late", f"author=Doe, {own.name}")
        (copied,) = own.run("copy", "work1", "--to", shared.library)["references"]
        assert copied["outcome"] == "copied"
    view = assert_converges(desk, laptop)
    copies = [one for one in view.references if "x.bifolio.origin" in one["fields"]]
    assert [one["id"] for one in copies] == [copied["copy"]]
    assert view.conflicts == []
    again = thesis[0].run("copy", "work1", "--to", desk.library)["references"]
    assert [one["outcome"] for one in again] == ["exists"]
    assert "same library" in desk.fails("copy", "work1", "--to", desk.library)


def test_a_bib_file_is_kept_current_and_nobody_s_version_of_it_is_overwritten(
    desk: Computer,
) -> None:
    desk.run("init")
    desk.run("add", "--type", "book", "title=On Paper", "key=paper")
    file = desk.home / "thesis.bib"
    watching = desk.start("--json", "export", "--watch", file)
    try:
        until(
            lambda: file.exists() and "On Paper" in file.read_text("utf-8"),
            what="the first version",
        )
        desk.run("edit", "paper", "title=On Ink")
        until(lambda: "On Ink" in file.read_text("utf-8"), what="the edit")
        file.write_text("by hand", "utf-8")
        desk.run("edit", "paper", "title=On Glue")
        until(lambda: "On Glue" in file.read_text("utf-8"), what="the second edit")
        assert (desk.home / "thesis.edited-1.bib").read_text("utf-8") == "by hand"
    finally:
        watching.send_signal(signal.SIGTERM)
        out, errors = watching.communicate(timeout=30)
    assert watching.returncode == 0, errors
    assert "thesis.edited-1.bib" in errors
    assert len(out.splitlines()) >= 3


@pytest.mark.heavy
@pytest.mark.parametrize(
    "query",
    [
        ("-plastic",),
        ("on", "-author:doe"),
        ("-plastic", "-tag:read"),
        ('"on ink"', "OR", "plastic"),
    ],
    ids=" ".join,
)
def test_an_export_that_is_kept_current_holds_what_the_export_of_its_query_holds(
    desk: Computer, query: tuple[str, ...]
) -> None:
    desk.run_all(
        [
            ("init",),
            ("add", "--type", "book", "title=On Plastic", "author=Doe, Jane", "key=plastic"),
            ("add", "--type", "book", "title=On Ink", "author=Doe, Jane", "key=ink", "tags=read"),
            ("add", "--type", "book", "title=On Paper", "author=Roe, Richard", "key=paper"),
        ]
    )
    once, kept = desk.home / "once.ris", desk.home / "kept.ris"
    desk.run("export", *query, "-o", once)
    assert 0 < once.read_text("utf-8").count("TY  - BOOK") < 3
    watching = desk.start("export", *query, "--watch", kept)
    try:
        until(kept.exists, what="the first version")
        assert kept.read_bytes() == once.read_bytes()
        desk.run("edit", "paper", "title=On Paper and Plastic")
        desk.run("export", *query, "-o", once)
        until(lambda: kept.read_bytes() == once.read_bytes(), what="the version after an edit")
    finally:
        watching.send_signal(signal.SIGTERM)
        _, errors = watching.communicate(timeout=30)
    assert watching.returncode == 0, errors


def test_the_format_of_an_export_is_told_by_its_file(desk: Computer) -> None:
    desk.run("init")
    desk.run("add", "--type", "book", "title=On Paper", "key=paper")
    desk.run("export", "-o", desk.home / "all.ris")
    assert (desk.home / "all.ris").read_text("utf-8").startswith("TY  - BOOK")
    assert "--format" in desk.fails("export", "-o", desk.home / "all.xyz", exits=2)
    assert "--watch" in desk.fails("export", "--watch", "a.bib", "-o", "b.bib", exits=2)

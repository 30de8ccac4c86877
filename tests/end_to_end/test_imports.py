"""Cases A5 and A6: files that are imported again, corrected or not; and what an import reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, sync_all
from tests.support.relay_process import RelayProcess


def said(report: dict[str, Any]) -> dict[str, Any]:
    """What an import says, without what there was none of."""
    return {name: value for name, value in report.items() if value}


def corrected(folder: Path) -> Path:
    """The three works that ``share`` imports, two of them corrected by whoever made the file."""
    text = numbered_entries(3)
    for old, new in (
        ("{Work number 0}", "{Work Number 0}"),
        ("volume = {1}", "volume = {100}"),
        ("author = {Doe, Jane}", "author = {Doe, Jane and Roe, Richard}"),
        ("Middle of 1.", "Middle of one, corrected."),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "corrected.bib"
    file.write_text(text, "utf-8")
    return file


def test_a_corrected_file_imported_on_both_arrives_once_and_local_edits_stay(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """A5: the corrections arrive once, the local edits of both stay, nothing doubles."""
    share(relay.url, desk, laptop)
    desk.run("edit", "work0", "publisher=The desk's", "volume=7")
    laptop.run_all(
        [
            ("edit", "work0", "page=12-34", "author+=Local, Laura"),
            ("edit", "work1", "note+=A remark of my own."),
        ]
    )

    # The desk's own volume differs from the corrected one, and is shown.
    file = str(corrected(desk.home))
    asked, done = desk.run_all([("import", "--dry-run", file), ("import", file)])
    updated = {"updated": 2, "updated_keys": ["work1", "work0"]}
    assert said(asked) == said(done) == updated | {"unchanged": 1, "conflicts": 1}
    # The laptop's note was edited too: both texts are kept.
    assert laptop.run("import", corrected(laptop.home)) == asked

    view = assert_converges(desk, laptop)
    assert view.keys == {"work0", "work1", "work2"}
    assert view.trash_keys == set()
    first, second = view.fields("work0"), view.fields("work1")
    assert first["title"] == "Work Number 0"
    assert (first["publisher"], first["page"], first["volume"]) == ("The desk's", "12-34", "7")
    assert sorted(name["family"] for name in first["author"]) == ["Doe", "Local", "Roe"]
    assert "Middle of one, corrected." in second["note"]
    values = {one["field"]: [each["value"] for each in one["values"]] for one in view.conflicts}
    assert set(values) == {"volume", "note"}
    assert values["volume"] == ["7", "100"]
    assert values["note"][0] == second["note"]
    assert "A remark of my own." in values["note"][1]

    for computer in (desk, laptop):
        file = str(corrected(computer.home))
        again, synced = computer.run_all([("import", file), ("sync",)])
        assert said(again) == {"unchanged": 3}
        assert synced["pushed"] == 0


@pytest.mark.heavy
def test_a_file_that_holds_a_trashed_reference_leaves_it_there_and_names_it(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """A6: on the computer that deleted it and on the other, as it was and corrected."""
    share(relay.url, desk, laptop)
    desk.run("delete", "work0")
    sync_all(desk, laptop)
    for computer in (desk, laptop):
        start = computer.home / "start.bib"
        start.write_text(numbered_entries(3), "utf-8")
        named = {"trashed": 1, "trashed_keys": ["work0"]}
        same, newer = computer.run_all(
            [("import", str(start)), ("import", str(corrected(computer.home)))]
        )
        assert said(same) == {"unchanged": 2, **named}
        assert said(newer) == {"updated": 1, "updated_keys": ["work1"], "unchanged": 1, **named}
    assert "work0" in desk.call("import", desk.home / "start.bib", exits=0).stdout
    view = assert_converges(desk, laptop)
    assert (view.keys, view.trash_keys) == ({"work1", "work2"}, {"work0"})


def test_a_dry_run_over_several_files_says_what_the_import_then_does(desk: Computer) -> None:
    entries = numbered_entries(3)
    (desk.home / "one.bib").write_text(entries, "utf-8")
    (desk.home / "two.bib").write_text(entries.replace("volume = {2}", "volume = {22}"), "utf-8")
    broken = desk.home / "three.bib"
    broken.write_text("@book{work9, title = {Kept}}\n@book{broken, title = {", "utf-8")
    files = [desk.home / name for name in ("one.bib", "two.bib", "one.bib", "three.bib")]

    desk.run("init")
    before = desk.run("status")
    asked = desk.run("import", "--dry-run", *files, exits=3)
    assert desk.run("status") == before
    assert desk.run("import", *files, exits=3) == asked
    assert (asked["added"], asked["updated"], asked["unchanged"]) == (5, 1, 5)
    assert [one["file"] for one in asked["skipped"]] == [str(broken)]

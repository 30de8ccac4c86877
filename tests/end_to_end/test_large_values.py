"""Case J1: values far larger than anyone types."""

from __future__ import annotations

import pytest
from tests.support.arrangements import make_library
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess

NOTE_CHARACTERS = 5_000_000
TAG_CHARACTERS = 10_000
AUTHORS = 5_000
OTHERS = 999


def large_entry() -> str:
    """One article with all of it."""
    sentence = "Paper remembers what ink was told. "
    note = (sentence * (NOTE_CHARACTERS // len(sentence) + 1))[:NOTE_CHARACTERS]
    authors = " and ".join(f"Family{number}, Given" for number in range(AUTHORS))
    return (
        f"@article{{large,\n  title = {{Large}},\n  author = {{{authors}}},\n"
        f"  keywords = {{{'t' * TAG_CHARACTERS}}},\n  note = {{{note}}},\n}}\n"
    )


@pytest.mark.heavy
def test_enormous_values_sync_and_are_edited_and_hold_nothing_else_back(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """J1: a note of 5 million characters, a tag of 10,000 and 5,000 authors."""
    entries = "".join(
        f"@book{{work{number},\n  title = {{Work {number}}},\n}}\n" for number in range(OTHERS)
    )
    make_library(desk, entries + large_entry())
    ticket = desk.run("attach", relay.url)["ticket"]
    assert laptop.run("attach", ticket, laptop.library)["references"] == OTHERS + 1
    assert desk.run("status")["refusals"] == laptop.run("status")["refusals"] == []

    shown = laptop.run("show", "large")
    assert len(shown["fields"]["note"].rstrip()) >= NOTE_CHARACTERS - 1
    assert [len(tag) for tag in shown["tags"]] == [TAG_CHARACTERS]
    assert len(shown["fields"]["author"]) == AUTHORS

    desk.run("edit", "large", "author+=Last, Lara", "note+=And the desk's end.")
    laptop.run("edit", "large", "author-=Family2500, Given", "volume=7")
    fields = assert_converges(desk, laptop).fields("large")
    families = [name["family"] for name in fields["author"]]
    assert (len(families), families[-1]) == (AUTHORS, "Last")
    assert "Family2500" not in families
    assert fields["note"].endswith("And the desk's end.")
    assert fields["volume"] == "7"


def test_a_record_that_no_envelope_could_hold_is_left_out_alone_and_named(desk: Computer) -> None:
    """J1: what is larger still is named with its line; the others are imported."""
    file = desk.home / "larger.bib"
    note = "x" * 12_000_000  # once as the note, once as the file said it
    file.write_text(
        f"@book{{one,\n  title = {{One}},\n}}\n@book{{larger,\n  note = {{{note}}},\n}}\n"
        "@book{two,\n  title = {Two},\n}\n",
        "utf-8",
    )
    desk.run("init")
    report = desk.run("import", file, exits=3)
    assert report["added"] == 2
    (skipped,) = report["skipped"]
    assert (skipped["file"], skipped["line"]) == (str(file), 4)
    assert "bytes" in skipped["reason"]
    assert {one["key"] for one in desk.run("list")} == {"one", "two"}

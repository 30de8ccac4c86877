"""Cases K: citation keys on two computers apart."""

from __future__ import annotations

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.relay_process import RelayProcess

SMITH = ("add", "--type", "book", "author=Smith, Ann", "issued=2020", "key=smith2020")


def test_one_key_on_two_computers_is_kept_by_the_earlier_reference(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """K1: both create `smith2020`; the same on both, and a warning says so."""
    share(relay.url, desk, laptop)
    earlier = desk.run(*SMITH, "title=Paper")
    later = laptop.run(*SMITH, "title=Ink")
    suffixed = f"smith2020-{later['id'][:6]}"

    desk.run("sync")
    assert "1 citation key is used by several" in laptop.call("sync", exits=0).stderr
    view = assert_converges(desk, laptop)
    assert {"smith2020", suffixed} <= view.keys
    for computer in (desk, laptop):
        assert computer.run("status")["shared_keys"] == 1
        found = computer.run("show", "smith2020")
        assert found["id"] == earlier["id"]
        assert found["same_key"] == [suffixed]
        assert suffixed in computer.call("show", "smith2020", exits=0).stdout
        assert computer.run("show", suffixed)["id"] == later["id"]
        assert computer.run("key", "shared") == [
            {"key": "smith2020", "keeper": earlier["id"], "others": [suffixed]}
        ]

    desk.run("delete", "smith2020")
    assert_converges(desk, laptop)
    assert laptop.run("show", "smith2020")["id"] == later["id"]
    assert laptop.run("key", "shared") == []


@pytest.mark.heavy
def test_two_files_with_one_key_come_back_with_it(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """K1: exporting to the source's format writes the source's keys."""
    share(relay.url, desk, laptop)
    for computer, title in ((desk, "Paper"), (laptop, "Ink")):
        file = computer.home / "own.bib"
        file.write_text(f"@book{{smith2020,\n  title = {{{title}}},\n}}\n", "utf-8")
        computer.run("import", file)
    assert_converges(desk, laptop)
    for computer in (desk, laptop):
        out = computer.home / "all.bib"
        report = computer.run("export", "--format", "bibtex", "-o", out, exits=3)
        assert out.read_text("utf-8").count("@book{smith2020,") == 2
        assert [one["field"] for one in report["lost"]] == ["citation-key"]


@pytest.mark.heavy
def test_a_key_does_not_change_with_the_title_and_a_pattern_is_everybody_s(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """K2: a citation key does not change by itself."""
    share(relay.url, desk, laptop)
    desk.run("edit", "work0", "title=Quite Another")
    desk.run("key", "pattern", "[title]:[year]")
    assert "work0" in assert_converges(desk, laptop).keys

    assert laptop.run("key", "pattern") == {"pattern": "[title]:[year]"}
    laptop.run("key", "make", "work0")
    view = assert_converges(desk, laptop)
    key = next(one["key"] for one in view.references if one["fields"]["title"] == "Quite Another")
    assert key.startswith("Quite:")
    assert desk.run("show", "work0")["key"] == key  # what cites it by the old key still finds it

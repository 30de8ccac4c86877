"""Cases A: files imported before computers meet, and replicas attached from nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from typing import Any

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import (
    PRINTING_HISTORY,
    TYPOGRAPHY,
    TYPOGRAPHY_REFERENCES,
    numbered_entries,
    real_entries,
)
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, assert_same_library, sync_all
from tests.support.relay_process import RelayProcess


def assert_nothing_new(report: dict[str, Any], state: str) -> None:
    """A sync sent and received nothing, and left the library as it was."""
    assert report == {
        **dict.fromkeys(
            ("pushed", "pulled", "files_sent", "files_received", "kept_back", "conflicts"), 0
        ),
        "moved_to": "",
        "state": state,
    }


def test_a_file_imported_on_both_before_they_meet_gives_one_of_each_reference(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """A1: B's 20 own references are there too; importing a third time makes no change."""
    same = real_entries(TYPOGRAPHY, first=0, count=100)
    own = real_entries(PRINTING_HISTORY, first=0, count=20)
    make_library(desk, same)
    make_library(laptop, same + "\n" + own)
    ticket = desk.run("attach", relay.url)["ticket"]

    joined = laptop.run("attach", ticket, "--join")
    assert joined["references"] == 120
    assert joined["backup"] is not None

    view = assert_converges(desk, laptop)
    assert len(view.references) == 120
    assert view.keys == set(re.findall(r"^@\w+\{([^,]+),", same + own, re.MULTILINE))
    assert view.conflicts == []

    before = desk.run("status")["state"]
    again = desk.run("import", desk.home / "start.bib")
    assert (again["added"], again["updated"], again["unchanged"]) == (0, 0, 100)
    assert_nothing_new(desk.run("sync"), before)


@pytest.mark.heavy
def test_a_replica_removed_and_attached_again_is_the_same_library_and_no_change_to_others(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """A3: from nothing but a ticket; the owner's, whose own key is in no record, and a member's."""
    ticket = share(relay.url, desk, laptop)
    desk.run("edit", "work0", "title=Edited before the disk died")
    before = sync_all(desk, laptop)

    shutil.rmtree(desk.library)
    assert desk.run("attach", ticket, desk.library)["references"] == 3

    assert_nothing_new(laptop.run("sync"), before)
    assert_nothing_new(desk.run("sync"), before)
    assert_same_library(desk, laptop)

    shutil.rmtree(laptop.library)
    laptop.run("attach", ticket, laptop.library)
    assert_nothing_new(desk.run("sync"), before)
    desk.run("edit", "work1", "title=Edited on the new disk")
    view = assert_converges(desk, laptop)
    assert len(view.references) == 3
    assert view.fields("work1")["title"] == "Edited on the new disk"


def test_a_private_library_next_to_an_attached_one_stays_private(
    own_relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    ticket = share(own_relay.url, desk)
    make_library(laptop, numbered_entries(2))
    laptop.run("add", "type=book", "title=Of nobody else", "citation-key=mine")
    before = laptop.run("status")
    shared = laptop.with_library(laptop.home / "Shared.bifolio")
    laptop.run("attach", ticket, shared.library)
    shared.run("sync")
    after = laptop.run("status")
    assert (after["relay"], after["state"]) == (None, before["state"])
    assert "not attached" in laptop.fails("sync")
    desk.run("sync")
    assert len(desk.run("list")) == 3
    assert desk.run("search", "nobody") == []
    assert len(desk.run("relay", "libraries", "--data", own_relay.data)) == 1


@pytest.mark.parametrize(
    ("count", "alike_min"),
    [(150, 3), pytest.param(TYPOGRAPHY_REFERENCES, 700, marks=pytest.mark.heavy)],
    ids=["some", "all"],
)
def test_different_works_with_one_title_year_and_author_stay_apart(
    desk: Computer, count: int, alike_min: int
) -> None:
    """A4: ``typography.bib`` is imported and gives 5,735 references (also in the demo)."""
    file = desk.home / "typography.bib"
    whole = count == TYPOGRAPHY_REFERENCES
    text = (
        TYPOGRAPHY.read_text("utf-8") if whole else real_entries(TYPOGRAPHY, first=0, count=count)
    )
    file.write_text(text, "utf-8")
    _, imported, references = desk.run_all([("init",), ("import", str(file)), ("list",)])
    assert imported["added"] == count
    assert not any(value for name, value in imported.items() if name != "added")
    assert len({reference["id"] for reference in references}) == count
    assert len({reference["key"] for reference in references}) == count

    alike = Counter(look(reference["fields"]) for reference in references)
    swallowed = sum(held - 1 for held in alike.values())
    assert swallowed > alike_min, "the file holds works that look alike"


def look(fields: dict[str, Any]) -> str:
    """Title, year and first author: what would be taken for one work."""
    year = fields.get("issued", {}).get("date-parts", [[None]])[0][0]
    return json.dumps([fields.get("title"), year, fields.get("author", [None])[0]], sort_keys=True)

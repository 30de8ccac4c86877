"""Citation keys of a library: the pattern, pins, keys made anew, keys that two references have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import InvalidValueError, KeyTakenError, PinnedKeyError, UsageError
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.results import KeptBecause


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    home = Home(tmp_path / "home", device_name="desk")
    with Library.create(tmp_path / "Keys.bifolio", home=home) as made:
        yield made


def add(library: Library, title: str, year: str = "2020", **more: str) -> str:
    """A work by Doe; its key."""
    fields = {"type": "book", "author": "Doe, Jane", "title": title, "issued": year}
    return library.add(fields | {name.replace("_", "-"): text for name, text in more.items()}).key


def test_the_library_s_pattern_makes_the_keys_of_what_is_added(library: Library) -> None:
    assert library.keys.pattern == "[auth:lower][year][title:lower]"
    library.keys.set_pattern("[auth]:[shortyear]")
    assert add(library, "On Paper") == "Doe:20"
    assert add(library, "On Ink") == "Doe:20b"


def test_a_wrong_pattern_changes_nothing(library: Library) -> None:
    with pytest.raises(InvalidValueError):
        library.keys.set_pattern("[wrong]")
    assert library.keys.pattern == "[auth:lower][year][title:lower]"


def test_a_key_made_anew_leaves_the_old_one_as_an_alias(library: Library) -> None:
    key = add(library, "On Paper")
    library.edit(key, [Edit("title", Act.SET, ("On Ink",))])
    assert library.show(key).key == "doe2020paper"
    report = library.keys.make([key])
    assert [(one.old, one.key) for one in report.changed] == [("doe2020paper", "doe2020ink")]
    shown = library.show("doe2020paper")
    assert shown.key == "doe2020ink"
    assert shown.fields["citation-key-aliases"] == ["doe2020paper"]


def test_no_new_key_finds_another_reference(library: Library) -> None:
    first = add(library, "On Paper")
    library.edit(first, [Edit("title", Act.SET, ("On Ink",))])
    library.keys.make([first])
    assert add(library, "On Paper") == "doe2020paperb"  # an alias of the first one
    assert library.show("doe2020paper").fields["title"] == "On Ink"


def test_of_many_made_at_once_no_two_get_one_key(library: Library) -> None:
    for number in range(5):
        add(library, f"Volume {number}", citation_key=f"own{number}")
    library.keys.set_pattern("[auth:lower]")
    changed = library.keys.make(imported=True).changed
    assert sorted(one.key for one in changed) == ["doe", "doeb", "doec", "doed", "doee"]
    assert library.keys.shared() == []


def test_a_pinned_key_stays(library: Library) -> None:
    key = add(library, "On Paper")
    (pinned,) = library.keys.pin([key], key="doe-thesis")
    assert pinned.key == "doe-thesis"
    with pytest.raises(PinnedKeyError):
        library.keys.make(["doe-thesis"])
    assert [one.reason for one in library.keys.make().kept] == [KeptBecause.PINNED]
    library.keys.unpin([key])
    assert library.keys.make([key]).changed[0].key == "doe2020paper"


def test_a_chosen_key_must_be_free_and_for_one_reference(library: Library) -> None:
    first, second = add(library, "On Paper"), add(library, "On Ink")
    with pytest.raises(KeyTakenError):
        library.keys.pin([first], key=second)
    with pytest.raises(UsageError):
        library.keys.pin([first, second], key="both")
    assert "citation-key-pinned" not in library.show(first).fields


def test_keys_that_came_with_a_file_stay_unless_asked_for(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "one.bib"
    file.write_text("@book{MyOwn, author={Doe, Jane}, title={On Paper}, year={2020}}", "utf-8")
    library.import_files([file])
    assert [one.reason for one in library.keys.make().kept] == [KeptBecause.IMPORTED]
    assert library.keys.make(imported=True).changed[0].key == "doe2020paper"


def test_keys_made_at_an_import_are_made_anew(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "one.ris"
    file.write_text("TY  - BOOK\nAU  - Doe, Jane\nTI  - On Paper\nPY  - 2020\nER  - \n", "utf-8")
    library.import_files([file])
    library.keys.set_pattern("[auth]")
    assert [(one.old, one.key) for one in library.keys.make().changed] == [("doe2020paper", "Doe")]


def test_a_trashed_reference_holds_no_key_and_gives_way_to_an_alias(library: Library) -> None:
    first = add(library, "On Paper")
    library.edit(first, [Edit("title", Act.SET, ("On Ink",))])
    library.keys.make([first])
    second = library.add({"title": "Other", "citation-key": "doe2020paper"})
    library.delete([second.id])
    assert library.show("doe2020paper").fields["title"] == "On Ink"


def test_references_with_one_key_name_each_other(library: Library) -> None:
    first = library.add({"title": "One", "citation-key": "same"})
    second = library.add({"title": "Two", "citation-key": "same"})
    assert second.key == f"same-{second.id[:6]}"
    assert library.show("same").id == first.id
    assert library.show("same").same_key == (second.key,)
    assert library.show(second.key).same_key == ("same",)
    (shared,) = library.keys.shared()
    assert shared.to_json() == {"key": "same", "keeper": first.id, "others": [second.key]}
    library.delete([first.id])
    assert library.show("same").id == second.id
    assert library.show("same").same_key == ()
    assert library.keys.shared() == []

"""The trash: a deletion covers what it saw; an edit that none covers brings the reference back."""

from __future__ import annotations

from tests.support.cases import each
from tests.unit.document.builders import RECORD_ID, Desk, desks, meet

from bifolio.document import canonical, importing
from bifolio.document.conflicts import DELETED, ConflictKind
from bifolio.document.importing import ImportVersion
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import Source


def test_a_deleted_reference_is_in_the_trash_everywhere() -> None:
    office, home = desks("office", "home")
    office.deletes()
    meet(office, home)
    assert home.view.trashed
    assert home.conflicts == {}


def test_an_edit_unseen_by_the_deleter_revives_the_reference() -> None:
    office, home = desks("office", "home")
    office.deletes()
    home.sets("title", "On Ink")
    meet(office, home)
    assert not office.view.trashed
    assert office.values["title"] == "On Ink"
    (conflict,) = office.view.conflicts
    assert (conflict.field, conflict.kind) == (DELETED, ConflictKind.REVIVED)
    assert [one.slot for one in conflict.values] == [home.slot, office.slot]


@each(
    "act",
    [
        Edit("note", Act.ADD, ("More.",)),
        Edit("tags", Act.ADD, ("kept",)),
        Edit("tags", Act.REMOVE, ("old",)),
        Edit("author", Act.REMOVE, ("Doe, Jane",)),
        Edit("title", Act.CLEAR),
    ],
    ids=lambda act: f"{act.act.name} {act.field}",
)
def test_every_kind_of_edit_revives(act: Edit) -> None:
    office = Desk("office")
    office.creates({"title": "On Paper", "note": "Long enough.", "tags": ("old",)})
    office.sets("author", "Doe, Jane", "Roe, R.")
    home = Desk("home").learns(office)
    office.deletes()
    home.edits(act)
    meet(office, home)
    assert not office.view.trashed


def test_an_edit_that_the_deleter_saw_stays_in_the_trash() -> None:
    office, home = desks("office", "home")
    home.sets("title", "On Ink")
    office.learns(home)
    office.deletes()
    meet(office, home)
    assert home.view.trashed


def test_each_edit_may_be_covered_by_another_deletion() -> None:
    maker, office, home = desks("maker", "office", "home")
    office.sets("title", "On Ink")
    home.sets("volume", "7")
    office.deletes()
    home.deletes()
    meet(maker, office, home)
    assert maker.view.trashed


def test_restoring_takes_it_out_and_gives_everything_back() -> None:
    office, home = desks("office", "home", holding={"title": "On Paper", "tags": ("paper",)})
    office.deletes()
    meet(office, home)
    home.restores()
    meet(office, home)
    assert not office.view.trashed
    assert office.values["tags"] == ("paper",)
    assert office.conflicts == {}


def test_restoring_dismisses_the_flag_of_a_revival() -> None:
    office, home = desks("office", "home")
    office.deletes()
    home.sets("title", "On Ink")
    meet(office, home)
    home.restores()
    meet(office, home)
    assert office.conflicts == {}
    assert not office.view.trashed


def test_deleting_again_settles_a_revival_the_other_way() -> None:
    office, home = desks("office", "home")
    office.deletes()
    home.sets("title", "On Ink")
    meet(office, home)
    home.deletes()
    meet(office, home)
    assert office.view.trashed
    assert office.conflicts == {}


def test_a_deletion_carries_on_what_the_one_it_replaces_had_seen() -> None:
    office, home, train = desks("office", "home", "train")
    train.sets("volume", "7")
    office.learns(train)
    office.deletes()
    home.sets("title", "On Ink")
    home.learns(office)
    home.deletes()
    meet(office, home, train)
    assert train.view.trashed


def test_a_restoration_unseen_by_a_second_deleter_brings_it_back_flagged() -> None:
    office, home = desks("office", "home")
    office.deletes()
    meet(office, home)
    office.restores()
    home.restores()
    home.deletes()
    meet(office, home)
    assert not office.view.trashed
    assert DELETED in office.conflicts


def test_two_deletions_at_the_same_time_are_one_trash() -> None:
    office, home = desks("office", "home")
    office.deletes()
    home.deletes()
    meet(office, home)
    assert office.view.trashed
    assert office.conflicts == {}


def test_deleting_what_is_in_the_trash_writes_nothing() -> None:
    (office,) = desks("office")
    office.deletes()
    before = office.json()
    office.deletes()
    assert office.json() == before


def test_restoring_what_was_never_deleted_writes_nothing() -> None:
    (office,) = desks("office")
    before = office.json()
    office.restores()
    assert office.json() == before


def imports(desk: Desk, *versions: ImportVersion) -> None:
    for update in importing.import_updates(RECORD_ID, versions, mapping="1"):
        desk.document.merge(update)


def test_an_import_never_revives() -> None:
    first = ImportVersion({"title": "On Paper"}, source("1"))
    second = ImportVersion({"title": "On Ink"}, source("2"))
    office = Desk("office")
    imports(office, first)
    office.deletes()
    imports(office, first, second)
    assert office.view.trashed


def test_a_damaged_deletion_covers_nothing_so_nothing_is_lost() -> None:
    (office,) = desks("office")
    office.writes(lambda plan, _: plan.put("deleted", "[broken", seen=[]))
    assert not office.view.trashed


def source(number: str) -> Source:
    return Source("ris", "JOUR", "1", (("TI", number),))


def purged(office: Desk) -> bool:
    return office.view.purged


def test_a_purged_reference_is_gone_everywhere_and_adds_nothing_to_the_state_hash() -> None:
    office, home = desks("office", "home")
    office.deletes()
    office.purges()
    meet(office, home)
    assert home.view.purged
    assert home.view.trashed
    assert home.conflicts == {}
    assert canonical.record_share(RECORD_ID, "reference", home.entries) == 0
    assert home.values["title"] == "On Paper"


def test_only_what_is_in_the_trash_is_purged() -> None:
    office, home = desks("office", "home")
    office.purges()
    assert not purged(office)
    office.deletes()
    home.sets("title", "On Ink")
    meet(office, home)
    office.purges()
    assert not purged(office)


def test_an_edit_unseen_by_the_purger_brings_the_reference_back_whole_and_flagged() -> None:
    office, home = desks("office", "home")
    office.deletes()
    office.purges()
    home.sets("volume", "7")
    meet(office, home)
    for desk in (office, home):
        assert not desk.view.purged
        assert not desk.view.trashed
        assert (desk.values["title"], desk.values["volume"]) == ("On Paper", "7")
        (conflict,) = desk.view.conflicts
        assert (conflict.field, conflict.kind) == (DELETED, ConflictKind.REVIVED)
        assert [(one.value, one.slot) for one in conflict.values] == [
            ("kept, because it was edited", home.slot),
            ("removed with the trash", office.slot),
            ("deleted", office.slot),
        ]
    home.restores()
    meet(office, home)
    assert office.conflicts == {}


def test_who_restores_without_knowing_of_the_purge_has_the_reference_back_flagged() -> None:
    office, home = desks("office", "home")
    office.deletes()
    meet(office, home)
    office.purges()
    home.restores()
    meet(office, home)
    assert not office.view.trashed
    assert [one.kind for one in office.view.conflicts] == [ConflictKind.REVIVED]


def test_an_unseen_edit_that_its_author_deleted_again_lies_in_the_trash_and_not_beyond() -> None:
    office, home = desks("office", "home")
    office.deletes()
    office.purges()
    home.sets("volume", "7")
    home.deletes()
    meet(office, home)
    assert office.view.trashed
    assert not purged(office)
    assert office.conflicts == {}
    home.purges()
    meet(office, home)
    assert purged(office)


def test_who_took_back_a_purge_and_deleted_again_has_it_in_the_trash_and_not_beyond() -> None:
    """Found by the simulation (seed 1044), which thought that another's purge would do."""
    office, home = desks("office", "home")
    office.deletes()
    meet(office, home)
    for desk in (office, home):
        desk.purges()
    home.restores()
    home.deletes()
    meet(office, home)
    assert office.view.trashed
    assert not purged(office)
    office.purges()
    meet(office, home)
    assert purged(home)


def test_a_restoration_that_took_back_no_purge_ends_with_the_next_deletion() -> None:
    office, home = desks("office", "home")
    office.deletes()
    meet(office, home)
    office.purges()
    home.restores()
    home.deletes()
    meet(office, home)
    assert purged(office)


def test_two_purges_that_each_saw_another_edit_hide_the_reference_together() -> None:
    office, home = desks("office", "home")
    office.sets("volume", "7")
    home.sets("page", "3")
    for desk in (office, home):
        desk.deletes()
        desk.purges()
    meet(office, home)
    assert purged(office)


def test_restoring_a_purged_reference_brings_it_back_without_a_flag() -> None:
    office, home = desks("office", "home")
    office.deletes()
    office.purges()
    meet(office, home)
    home.restores()
    meet(office, home)
    assert not office.view.trashed
    assert office.conflicts == {}
    office.deletes()
    office.purges()
    meet(office, home)
    assert purged(home)


def test_a_newer_version_of_an_import_brings_no_purged_reference_back() -> None:
    source = Source("ris", "JOUR", "1", (("TI", "On Paper"),))
    newer = Source("ris", "JOUR", "1", (("TI", "On Ink"),))
    first, second = (ImportVersion({"title": str(one.tags[0][1])}, one) for one in (source, newer))
    office = Desk("office")
    imports(office, first)
    office.deletes()
    office.purges()
    imports(office, first, second)
    assert purged(office)

"""What is shown on of a mass deletion is what a rebuild shows, and no part of what is synced."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.prepared import members
from tests.property.test_undo import passes_on
from tests.simulation.computer import Computer
from tests.simulation.history import History, check_equal, check_index
from tests.simulation.typist import Typist
from tests.support.examples import IS_FULL, examples

from bifolio import limits
from bifolio.document import deletion
from bifolio.library.trash import Trash

SLOW = settings(
    deadline=None,
    max_examples=examples(10),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
CHOICES = st.integers(0, 1 << 32).map(random.Random)


def check_shown(computer: Computer) -> int:
    """What is shown on was deleted by others; all else is shown as its record says; how many."""
    replica = computer.replica
    count = 0
    for row in replica.references.iter_rows(trashed=False):
        is_deleted = deletion.is_trashed(replica.document(row.id).entries())
        is_noted = replica.deletion_guard.noted.read(row.id) is not None
        assert is_deleted == (is_noted and replica.deletion_guard.is_holding)
        count += is_deleted
    check_index(computer)
    return count


def session(computer: Computer, *others: Computer) -> None:
    """A computer receives what others have, as one sync."""
    database = computer.replica.database
    with database.transaction():
        computer.replica.deletion_guard.begin_session()
    for other in others:
        passes_on(other, computer)
    with database.transaction():
        computer.replica.deletion_guard.end_session()


def delete_many(choose: random.Random, folder: Path, *, steps: int = 60) -> int:
    computers = list(members(folder))
    typist = Typist(choose, History())
    shown_on = 0
    for _ in range(steps):
        computer = choose.choice(computers)
        others = [one for one in computers if one is not computer]
        computer.clock.advance(choose.random())
        trash = Trash(computer.replica)
        rows = [row.id for row in computer.replica.references.iter_rows(trashed=False)]
        act = choose.random()
        if act < 0.45:
            typist.add(computer)
        elif act < 0.6:
            session(computer, *others)
        elif act < 0.75 and rows:
            trash.delete(choose.sample(rows, k=choose.randint(1, len(rows))))
        elif act < 0.8:
            trash.empty()
        elif act < 0.85 and rows:
            trash.restore([choose.choice(rows)])
        elif act < 0.9:
            trash.confirm()
        else:
            computer.reopen()
        shown_on += check_shown(computer)
    for _ in range(2):
        for computer in computers:
            session(computer, *(one for one in computers if one is not computer))
    # Equal while some of them are still shown on, and after every confirmation.
    check_equal(computers)
    for computer in computers:
        shown_on += check_shown(computer)
        Trash(computer.replica).confirm()
        assert check_shown(computer) == 0
    check_equal(computers)
    for computer in computers:
        computer.close()
    return shown_on


@SLOW
@given(CHOICES)
def test_what_is_shown_on_is_what_a_rebuild_shows(choose: random.Random) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "DELETED_BY_OTHERS_MAX", 1)
        delete_many(choose, Path(folder), steps=60 if IS_FULL else 25)


@pytest.mark.heavy
def test_many_mass_deletions_are_shown_on() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "DELETED_BY_OTHERS_MAX", 1)
        shown_on = 0
        for seed in range(60):
            with TemporaryDirectory() as folder:
                shown_on += delete_many(random.Random(seed), Path(folder))
        assert shown_on > 100

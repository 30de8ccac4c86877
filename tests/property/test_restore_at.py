"""The whole library as it was at a moment, whatever was written since, by whomever."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.prepared import members
from tests.property.test_undo import passes_on, shown, values
from tests.simulation.computer import Computer
from tests.simulation.history import History, check_equal, check_index
from tests.simulation.typist import Typist
from tests.support.examples import examples

from bifolio.clock import stamp_milliseconds
from bifolio.history.restore import restore

SLOW = settings(
    deadline=None,
    max_examples=examples(10),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
CHOICES = st.integers(0, 1 << 32).map(random.Random)


def type_on_all(choose: random.Random, typist: Typist, computers: list[Computer]) -> None:
    for _ in range(choose.randint(8, 25)):
        computer = choose.choice(computers)
        computer.clock.advance(choose.random())
        typist.type(computer)
        if choose.random() < 0.3:
            passes_on(computer, *(one for one in computers if one is not computer))
    for _ in range(2):
        for computer in computers:
            passes_on(computer, *(one for one in computers if one is not computer))


def go_back(choose: random.Random, folder: Path) -> None:
    computers = list(members(folder))
    typist = Typist(choose, History())
    type_on_all(choose, typist, computers)
    then = shown(computers[0])
    moment = max(stamp_milliseconds(one.replica.meta.clock) for one in computers)
    for computer in computers:
        computer.clock.advance(10.0)
        while computer.replica.runtime.now_ms() <= moment:
            computer.clock.advance(10.0)
    type_on_all(choose, typist, computers)

    computer = choose.choice(computers)
    done = restore(computer.replica, to_ms=moment)
    assert done.unknown == 0
    now = shown(computer)
    for record_id, fields in now.items():
        before = then.get(record_id)
        if before is None:
            assert fields[""] is True  # made since: in the trash
        elif before[""] is True:
            assert fields[""] is True
        else:
            assert values(fields) == values(before)
    again = restore(computer.replica, to_ms=moment)
    assert (again.back, again.trashed, again.changed) == (0, 0, 0)
    check_index(computer)
    for _ in range(2):
        passes_on(computer, *(one for one in computers if one is not computer))
    check_equal(computers)
    for one in computers:
        one.close()


@SLOW
@given(CHOICES)
def test_a_library_is_what_it_was_at_a_moment(choose: random.Random) -> None:
    with TemporaryDirectory() as folder:
        go_back(choose, Path(folder))


@pytest.mark.heavy
@settings(SLOW, max_examples=200)
@given(CHOICES)
def test_many_more_libraries_are_what_they_were(choose: random.Random) -> None:
    with TemporaryDirectory() as folder:
        go_back(choose, Path(folder))

"""Any number of replicas, any edits, envelopes in any order, twice, in any batches: one library.

The replicas are real (SQLite, keys, sealed envelopes); only what carries envelopes is the test's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.property.prepared import members
from tests.simulation.computer import Computer
from tests.simulation.history import (
    History,
    check_equal,
    check_index,
    check_state_hash,
    check_stored,
)
from tests.simulation.typist import Typist
from tests.support.examples import examples
from tests.support.stored_changes import all_envelopes

from bifolio import limits
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox

SLOW = settings(
    deadline=None,
    max_examples=examples(20),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)

#: Seeds, not recorded draws: a random history says more than a small one.
CHOICES = st.integers(0, 1 << 32).map(random.Random)


class World:
    """Replicas of one library, what was typed, and every envelope that was ever made."""

    def __init__(self, folder: Path, choose: random.Random) -> None:
        self.choose = choose
        self.history = History()
        self.typist = Typist(choose, self.history)
        self.envelopes: list[bytes] = []
        self.computers = list(members(folder))

    def step(self) -> None:
        """One computer does something, or something reaches it."""
        computer = self.choose.choice(self.computers)
        computer.clock.advance(self.choose.random())
        act = self.choose.random()
        if act < 0.55:
            self.typist.type(computer)
        elif act < 0.7:
            self.seal(computer)
        elif act < 0.92 and self.envelopes:
            count = self.choose.randint(1, min(6, len(self.envelopes)))
            self.deliver(computer, self.choose.choices(self.envelopes, k=count))
        elif act < 0.97:
            computer.reopen()
        else:
            computer.clock.jump(self.choose.choice((-3600.0, 3600.0)))

    def seal(self, computer: Computer) -> None:
        """What waits is sealed; from now on it may turn up anywhere."""
        before = {one.hash for one in all_envelopes(computer.replica.database)}
        Outbox(computer.replica, computer.member_log).seal()
        self.envelopes += [
            one.envelope
            for one in all_envelopes(computer.replica.database)
            if one.hash not in before
        ]

    def deliver(self, computer: Computer, envelopes: list[bytes]) -> None:
        """A batch reaches a computer; what must always hold is checked."""
        batch = [Received(envelope, None) for envelope in envelopes]
        Inbox(computer.replica, computer.member_log).receive(batch)
        self.history.check_causality(computer)
        check_stored(computer)

    def deliver_all(self) -> None:
        """Every envelope reaches every computer, in another order, some of them twice."""
        for computer in self.computers:
            self.seal(computer)
        for computer in self.computers:
            left = self.envelopes + self.choose.choices(self.envelopes, k=3)
            self.choose.shuffle(left)
            while left:
                count = self.choose.randint(1, len(left))
                self.deliver(computer, left[:count])
                left = left[count:]
                if self.choose.random() < 0.2:
                    computer.reopen()

    def close(self) -> None:
        """Close the replicas."""
        for computer in self.computers:
            computer.close()


@contextmanager
def world(choose: random.Random) -> Iterator[World]:
    """Computers for one example."""
    with TemporaryDirectory() as folder:
        made = World(Path(folder), choose)
        try:
            yield made
        finally:
            made.close()


@given(choose=CHOICES, steps=st.integers(5, 60))
@SLOW
def test_replicas_that_hold_the_same_changes_show_the_same_library_and_nothing_is_lost(
    choose: random.Random, steps: int
) -> None:
    check_world(choose, steps)


@given(choose=CHOICES, steps=st.integers(5, 40))
@settings(SLOW, max_examples=examples(5))
def test_replicas_do_so_where_all_is_derived_after_it_is_committed(
    choose: random.Random, steps: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "DERIVED_LATER_MIN", 1)
        patch.setattr(limits, "DERIVED_AT_ONCE", 2)
        check_world(choose, steps)


@pytest.mark.heavy
@given(choose=CHOICES, steps=st.integers(5, 120))
@settings(SLOW, max_examples=200)
def test_replicas_do_so_after_long_histories_too(choose: random.Random, steps: int) -> None:
    check_world(choose, steps)


def check_world(choose: random.Random, steps: int) -> None:
    """Random steps; then everybody has every envelope."""
    with world(choose) as together:
        for _ in range(steps):
            together.step()
        together.deliver_all()
        note(f"{len(together.history.events)} events, {len(together.envelopes)} envelopes")
        for computer in together.computers:
            assert computer.replica.changes.waiting() == 0
            assert computer.replica.changes.refusals() == []
            together.history.check_contents(computer)
            check_index(computer)
            check_state_hash(computer)
        check_equal(together.computers)


@given(choose=CHOICES, steps=st.integers(5, 25))
@settings(SLOW, max_examples=examples(8))
def test_merging_everything_a_second_time_changes_no_byte(
    choose: random.Random, steps: int
) -> None:
    with world(choose) as together:
        for _ in range(steps):
            together.step()
        together.deliver_all()
        for computer in together.computers:
            database = computer.replica.database
            before = [
                database.rows(f"SELECT * FROM {table} ORDER BY 1")
                for table in ("records", "changes", "meta", "refs")
            ]
            merged = Inbox(computer.replica, computer.member_log).receive(
                [Received(one, None) for one in together.envelopes]
            )
            assert merged.changes == 0
            assert not merged.records
            after = [
                database.rows(f"SELECT * FROM {table} ORDER BY 1")
                for table in ("records", "changes", "meta", "refs")
            ]
            assert after == before


@given(choose=CHOICES, steps=st.integers(10, 30))
@settings(SLOW, max_examples=examples(8))
def test_a_missing_envelope_holds_back_what_builds_on_it_until_it_comes(
    choose: random.Random, steps: int
) -> None:
    with world(choose) as together:
        for _ in range(steps):
            together.step()
        for computer in together.computers:
            together.seal(computer)
        if not together.envelopes:
            return
        missing = choose.choice(together.envelopes)
        reader = together.computers[0]
        together.deliver(reader, [one for one in together.envelopes if one != missing])
        reader.reopen()
        together.deliver(reader, [missing])
        assert reader.replica.changes.waiting() == 0
        together.history.check_contents(reader)

"""Replicas that exchange bundles alone, of any kind, in any order, twice: one library."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.property.prepared import members
from tests.simulation.history import History, check_equal, check_state_hash
from tests.simulation.typist import Typist
from tests.support.examples import examples

from bifolio.bundles.exporting import LAST, export_bundle
from bifolio.bundles.importing import BundleInbox
from bifolio.errors import BundleError

SLOW = settings(
    deadline=None,
    max_examples=examples(12),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
CHOICES = st.integers(0, 1 << 32).map(random.Random)


def exchange(choose: random.Random, folder: Path, steps: int) -> None:
    """Computers type, export and import; then everybody takes in what everybody made."""
    stick = folder / "stick"
    stick.mkdir()
    typist = Typist(choose, History())
    computers = list(members(folder))
    made: list[Path] = []
    for step in range(steps):
        computer = choose.choice(computers)
        computer.clock.advance(choose.random())
        act = choose.random()
        if act < 0.5:
            typist.type(computer)
        elif act < 0.7:
            since = choose.choice([None, LAST, LAST, *made[-3:]])
            path = stick / f"{step}.bundle"
            export_bundle(computer.replica, path, since=since)
            made.append(path)
        elif act < 0.95 and made:
            path = choose.choice(made)
            inbox = BundleInbox(computer.replica, computer.member_log)
            if choose.random() < 0.2:
                half = stick / "half"
                raw = path.read_bytes()
                half.write_bytes(raw[: choose.randrange(len(raw))])
                with pytest.raises(BundleError):
                    inbox.import_file(half)
            inbox.import_file(path)
        else:
            computer.reopen()
    for number, computer in enumerate(computers):
        export_bundle(computer.replica, stick / f"last{number}.bundle")
    (stick / "half").unlink(missing_ok=True)
    for computer in computers:
        totals = BundleInbox(computer.replica, computer.member_log).import_folder(stick)
        assert totals.refused == []
        assert computer.replica.changes.waiting() == 0
    check_equal(computers)
    for computer in computers:
        check_state_hash(computer)
        computer.close()


@SLOW
@given(CHOICES)
def test_bundles_in_any_order_give_one_library(choose: random.Random) -> None:
    note("exchange of bundles")
    with TemporaryDirectory() as folder:
        exchange(choose, Path(folder), 30)


@pytest.mark.heavy
@settings(SLOW, max_examples=150)
@given(CHOICES)
def test_many_more_exchanges_of_bundles(choose: random.Random) -> None:
    with TemporaryDirectory() as folder:
        exchange(choose, Path(folder), 80)

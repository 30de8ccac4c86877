"""An undo gives back what nobody touched since; its own undo gives the command's values again;
replicas converge. Under random edits by three replicas."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.property.prepared import members
from tests.simulation.computer import Computer
from tests.simulation.history import History as Truth
from tests.simulation.history import check_equal, check_index
from tests.simulation.typist import Typist
from tests.support.examples import examples
from tests.support.stored_changes import all_envelopes

from bifolio.document.conflicts import ConflictKind
from bifolio.document.field_kinds import element_of
from bifolio.document.undoing import Reason
from bifolio.document.view import read_view
from bifolio.history.history import History
from bifolio.records.fields import MergeRule, merge_rule
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox

#: What is shown of a record by field, its conflicts with it; what it is as a whole under "".
Shown = dict[str, object]

CHOICES = st.integers(0, 1 << 32).map(random.Random)


def shown(computer: Computer) -> dict[str, Shown]:
    """What a computer shows of every reference."""
    found: dict[str, Shown] = {}
    for record in computer.replica.records.of_kind("reference"):
        view = read_view(computer.replica.document(record.id).visible())
        fields: Shown = {
            name: frozenset(value) if merge_rule(name) is MergeRule.SET else str(value)
            for name, value in view.values.items()
        }
        for conflict in view.conflicts:
            if conflict.kind is ConflictKind.REVIVED:
                continue  # undoing the deletion settles it
            name = element_of(conflict.field) or conflict.field
            values = sorted(str(one.value) for one in conflict.values)
            fields[name] = (fields.get(name), fields.get("conflict " + name), tuple(values))
        found[record.id] = fields | {"": view.trashed}
    return found


def values(fields: Shown) -> Shown:
    """The fields without their conflicts: an undo writes one value."""
    return {name: value[0] if isinstance(value, tuple) else value for name, value in fields.items()}


def passes_on(sender: Computer, *receivers: Computer) -> None:
    """Everything that a computer holds reaches others."""
    Outbox(sender.replica, sender.member_log).seal()
    batch = [Received(one.envelope, None) for one in all_envelopes(sender.replica.database)]
    for receiver in receivers:
        Inbox(receiver.replica, receiver.member_log).receive(batch)


def untouched(before: Shown, after: Shown) -> set[str]:
    """The fields of which others changed nothing."""
    return {name for name in before.keys() | after.keys() if before.get(name) == after.get(name)}


SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@given(choose=CHOICES, steps=st.integers(3, 15), others=st.integers(0, 4))
@settings(SLOW, max_examples=examples(10))
def test_an_undo_gives_back_what_nobody_touched_since_and_can_be_undone(
    choose: random.Random, steps: int, others: int
) -> None:
    check_world(choose, steps, others)


@pytest.mark.heavy
@given(choose=CHOICES, steps=st.integers(3, 40), others=st.integers(0, 6))
@settings(SLOW, max_examples=150)
def test_an_undo_does_so_after_long_histories_too(
    choose: random.Random, steps: int, others: int
) -> None:
    check_world(choose, steps, others)


def check_world(choose: random.Random, steps: int, others: int) -> None:
    """Random edits by three replicas, an undo and its undo; then everybody meets."""
    with TemporaryDirectory() as folder:
        computers = list(members(Path(folder)))
        typist = Typist(choose, Truth())
        for _ in range(steps):
            computer = choose.choice(computers)
            computer.clock.advance(choose.random())
            typist.type(computer)
            if choose.random() < 0.4:
                passes_on(choose.choice(computers), choose.choice(computers))
        undoing, *rest = computers
        check_undo(choose, typist, undoing, rest, others)
        for _ in range(2):
            for computer in computers:
                passes_on(computer, *computers)
        for computer in computers:
            check_index(computer)
        check_equal(computers)
        for computer in computers:
            computer.close()


def check_undo(
    choose: random.Random, typist: Typist, undoing: Computer, rest: list[Computer], others: int
) -> None:
    """One command, edits of others, its undo, and the undo of that."""
    operations = undoing.replica.journal.operations
    first, last = shown(undoing), operations.last()
    typist.type(undoing)
    command = operations.last()
    if command == last:
        return
    assert command is not None
    done = shown(undoing)
    passes_on(undoing, *rest)
    for _ in range(others):
        other = choose.choice(rest)
        other.clock.advance(1.0)
        typist.type(other)
    for other in rest:
        passes_on(other, undoing)
    met = shown(undoing)
    undoing.clock.advance(5.0)
    report = History(undoing.replica).undo()
    undone = shown(undoing)
    note(f"{report}")
    whole = {one.ref for one in report.kept if one.field is None}
    for record, before in first.items():
        same = untouched(done[record], met[record])
        if record in whole:
            assert same != met[record].keys() | done[record].keys(), "named without a reason"
            continue
        if "" not in same or met[record][""] != done[record][""]:
            continue  # somebody deleted or restored it: what goes back then is tested by name
        for name in same:
            assert values(undone[record]).get(name) == values(before).get(name), name
    for record in done.keys() - first.keys():
        if met[record] == done[record]:
            assert undone[record][""] is True
    if report.id is not None:
        again = History(undoing.replica).undo(report.id)
        assert {one.reason for one in again.kept} <= {Reason.BEATEN.value}
        redone = shown(undoing)
        for record, fields in met.items():
            assert values(redone[record]) == values(fields), record

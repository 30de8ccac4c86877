"""A library that becomes part of another one looks as before, wherever it came from."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from tests.property.test_replicas import CHOICES, SLOW, World, world

from bifolio.document import canonical, snapshots
from bifolio.document.record import RecordDocument
from bifolio.document.update_identity import is_content_named
from bifolio.document.update_structure import read_update
from bifolio.document.view import RecordView, read_view


def states(made: World) -> list[tuple[str, bytes]]:
    """The live references of one of the computers."""
    replica = made.choose.choice(made.computers).replica
    ids = [row.id for row in replica.references.iter_rows(trashed=False)]
    found = [(one, replica.records.state(one)) for one in ids]
    return [(one, state) for one, state in found if state is not None]


def shown(view: RecordView) -> tuple[object, ...]:
    """All that a user sees of a record, but who wrote it, and the flag of what came back."""
    conflicts = sorted(
        (one.field, one.kind, [str(value.value) for value in one.values])
        for one in view.conflicts
        if one.field != "deleted"
    )
    return view.kind, view.values, conflicts, view.trashed, view.purged


@SLOW
@given(choose=CHOICES, steps=st.integers(5, 40))
def test_what_is_offered_of_a_record_shows_what_the_record_showed(
    choose: random.Random, steps: int
) -> None:
    with world(choose) as made:
        for _ in range(steps):
            made.step()
        for record_id, state in states(made):
            offered = snapshots.offered_update(record_id, state)
            assert is_content_named(record_id, offered, read_update(offered))
            assert snapshots.offered_update(record_id, offered) == offered
            before, after = RecordDocument(state), RecordDocument()
            after.merge(offered)
            assert shown(read_view(after.entries())) == shown(read_view(before.entries()))


@SLOW
@given(choose=CHOICES, steps=st.integers(5, 40))
def test_computers_with_equal_records_offer_equal_bytes(choose: random.Random, steps: int) -> None:
    with world(choose) as made:
        for _ in range(steps):
            made.step()
        made.deliver_all()
        offers = [
            {
                record_id: snapshots.offered_update(record_id, state)
                for record_id in computer.replica.records.all_ids()
                if (state := computer.replica.records.state(record_id)) is not None
            }
            for computer in made.computers
        ]
        assert offers[0] == offers[1] == offers[2]
        for record_id, update in offers[0].items():
            twice = RecordDocument()
            assert twice.merge(update)
            text = canonical.record_json(record_id, "reference", twice.entries())
            assert not twice.merge(update)
            assert canonical.record_json(record_id, "reference", twice.entries()) == text

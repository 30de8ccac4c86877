"""A member that writes two different things under one of its own names: replicas agree all the
same, in whatever order, in whatever batches, and whoever built on which of the two."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from tests.property.test_hostile_members import SLOW
from tests.support.hostile_member import HostileMember
from tests.unit.replica.builders import Computer, members

from bifolio.document.update_structure import ANY, Struct, UpdateStructure
from bifolio.ids import content_hash
from bifolio.records.reference import Values
from bifolio.replication.contested import WROTE_ANOTHER, losers

RECORDS = tuple(f"{number:032x}" for number in range(1, 4))
FIELDS = ("title", "note", "volume")


def test_of_two_updates_under_one_clock_every_replica_keeps_the_same_one(tmp_path: Path) -> None:
    office, home, laptop = members(tmp_path, "office", "home", "laptop")
    mallory = HostileMember.of(laptop.replica, laptop.member_log)
    one = mallory.writes(mallory.document(), {"title": "For the office"})
    other = mallory.writes(mallory.document(), {"title": "For the home"})
    first = mallory.says(mallory.change((RECORDS[0], one)))
    mallory.starts_chain()
    second = mallory.says(mallory.change((RECORDS[0], other)))
    office.receives([first.raw])
    home.receives([second.raw])
    assert office.titles() != home.titles()
    office.receives([second.raw])
    home.receives([first.raw])
    assert office.titles() == home.titles()
    office.receives(home.envelopes())
    home.receives(office.envelopes())
    assert office.state == home.state
    for computer in (office, home):
        (aside,) = computer.replica.quarantined.counts()
        assert aside.device == laptop.keys.sign_public
        assert aside.reason == WROTE_ANOTHER


def test_an_honest_edit_on_top_of_what_lost_is_kept(tmp_path: Path) -> None:
    office, home, laptop = members(tmp_path, "office", "home", "laptop")
    mallory = HostileMember.of(laptop.replica, laptop.member_log)
    envelopes = []
    for title in ("For the office", "For the home"):
        update = mallory.writes(mallory.document(), {"title": title})
        envelopes.append(mallory.says(mallory.change((RECORDS[0], update))))
        mallory.starts_chain()
    for computer, envelope in zip((office, home), envelopes, strict=True):
        computer.receives([envelope.raw])
        computer.sets(RECORDS[0], "volume", computer.name)
    office.receives(home.envelopes())
    home.receives(office.envelopes())
    assert office.state == home.state
    view = office.shows(RECORDS[0])
    assert {conflict.field for conflict in view.conflicts} == {"volume"}


@SLOW
@given(st.integers(0, 1 << 32))
def test_replicas_agree_on_what_bears_one_name_twice(seed: int) -> None:
    choose = random.Random(seed)
    with TemporaryDirectory() as folder:
        office, home, train, laptop = members(Path(folder), "office", "home", "train", "laptop")
        mallory = HostileMember.of(laptop.replica, laptop.member_log)
        for number, record_id in enumerate(RECORDS):
            office.adds(record_id, {"title": f"On {number}", "note": "A note of some length."})
        sent = _branches(mallory, office, choose)
        office.receives(choose.sample(sent, len(sent) // 2))
        for record_id in RECORDS:
            office.sets(record_id, choose.choice(FIELDS), "The office was here")
        log = [*office.envelopes(), *(one for one in sent if one not in office.envelopes())]
        for computer in (home, train, office):
            computer.receives_in_any_order(log, choose)
        shown = [_shown(one) for one in (home, train, office)]
        assert shown[0] == shown[1] == shown[2]
        for computer in (office, home, train, laptop):
            computer.replica.database.close()


def _branches(mallory: HostileMember, office: Computer, choose: random.Random) -> list[bytes]:
    """Envelopes that write on from some state of a record under one incarnation, several from
    each, so that their clocks overlap in all ways."""
    sent: list[bytes] = []
    for record_id in RECORDS:
        mallory.starts_incarnation()
        states = [office.replica.records.state(record_id)]
        for _ in range(8):
            state = choose.choice(states)
            document = mallory.document(state)
            values: Values = {
                name: f"v{len(sent)}" for name in choose.sample(FIELDS, choose.randint(1, 3))
            }
            update = mallory.writes(document, values)
            states.append(document.state())
            with mallory.elsewhere():
                sent.append(mallory.says(mallory.change((record_id, update))).raw)
    return sent


def _shown(computer: Computer) -> tuple[object, ...]:
    aside = computer.replica.database.rows(
        "SELECT DISTINCT record, contents, kind, reason FROM quarantined_updates "
        "ORDER BY record, contents"
    )
    return computer.state, aside


def test_of_updates_that_claim_one_clock_the_lowest_hash_wins_whatever_the_order() -> None:
    claims = ((1, 0, 3), (1, 2, 2), (1, 3, 2), (1, 0, 1), (2, 0, 9))
    updates = {
        bytes([number]): UpdateStructure({client: [Struct(start, start + count, ANY)]}, {})
        for number, (client, start, count) in enumerate(claims)
    }
    lost = losers(updates)
    assert losers(dict(reversed(updates.items()))) == lost
    kept = [claims[key[0]] for key in updates if key not in lost]
    taken = [
        (client, clock) for client, start, count in kept for clock in range(start, start + count)
    ]
    assert len(taken) == len(set(taken))
    for key in lost:
        client, start, count = claims[key[0]]
        rivals = [
            other
            for other in updates.keys() - lost
            if claims[other[0]][0] == client
            and claims[other[0]][1] < start + count
            and start < claims[other[0]][1] + claims[other[0]][2]
        ]
        assert any(content_hash(rival) < content_hash(key) for rival in rivals)

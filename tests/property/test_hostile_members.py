"""Honest and hostile changes in any order, in any batches: equal libraries, and nobody stops."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support import yjs_updates as yjs
from tests.support.examples import examples
from tests.support.hostile_member import HostileMember
from tests.unit.replica.builders import Computer, members

from bifolio.document.update_structure import read_update
from bifolio.ids import SEPARATOR

SLOW = settings(
    deadline=None,
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
RECORDS = tuple(f"{number:032x}" for number in range(1, 4))

#: Makes one update of a record, given who writes and what an honest one has written.
Attack = Callable[[HostileMember, bytes, random.Random], bytes]


def _garbage(_: HostileMember, __: bytes, choose: random.Random) -> bytes:
    return choose.randbytes(choose.randint(0, 60))


def _nested(mallory: HostileMember, _: bytes, choose: random.Random) -> bytes:
    depth = choose.choice((10, 1_000, 100_000))
    content = yjs.nested(depth, maps=choose.random() < 0.5)
    return yjs.update(yjs.entry(_key(mallory), content), client=mallory.client_id)


def _foreign_client(_: HostileMember, honest: bytes, choose: random.Random) -> bytes:
    client, (start, count) = next(iter(read_update(honest).ranges.items()))
    clock = start + choose.choice((0, count, count + 5))
    return yjs.update(
        yjs.entry("title" + SEPARATOR + "x" * 12, yjs.NULL), client=client, clock=clock
    )


def _early_delete(_: HostileMember, honest: bytes, choose: random.Random) -> bytes:
    client, (start, count) = next(iter(read_update(honest).ranges.items()))
    return yjs.update(deletes=[(client, start + choose.randint(0, count + 3), 1)])


def _missing(mallory: HostileMember, _: bytes, choose: random.Random) -> bytes:
    clock = choose.randint(1, 1 << 20)
    return yjs.update(yjs.entry(_key(mallory), yjs.NULL), client=mallory.client_id, clock=clock)


def _foreign_slot(mallory: HostileMember, honest: bytes, _: random.Random) -> bytes:
    (key, *_others) = read_update(honest).keys
    stamped = yjs.pair(mallory.stamp(), "signed with another's name")
    return yjs.update(yjs.entry(key, stamped), client=mallory.client_id)


def _cut_off(_: HostileMember, honest: bytes, choose: random.Random) -> bytes:
    return honest[: choose.randint(1, len(honest) - 1)]


def _replayed(_: HostileMember, honest: bytes, __: random.Random) -> bytes:
    return honest


ATTACKS: tuple[Attack, ...] = (
    _garbage,
    _nested,
    _foreign_client,
    _early_delete,
    _missing,
    _foreign_slot,
    _cut_off,
    _replayed,
)


def _key(mallory: HostileMember) -> str:
    return f"title{SEPARATOR}{mallory.slot}"


def honest_edits(office: Computer, choose: random.Random) -> None:
    for number, record_id in enumerate(RECORDS):
        office.adds(record_id, {"title": f"On {number}", "note": "A note 😀 of some length."})
    for _ in range(6):
        office.sets(choose.choice(RECORDS), choose.choice(("title", "note", "volume")), "7")


def own_writes(mallory: HostileMember, choose: random.Random) -> list[bytes]:
    """Its own changes, in which nothing is wrong but that they come in any order."""
    document = mallory.document()
    updates = [mallory.writes(document, {"title": "Mine"})]
    updates += [
        mallory.writes(document, {choose.choice(("title", "note")): str(number)})
        for number in range(5)
    ]
    return updates


def attacks(mallory: HostileMember, office: Computer, choose: random.Random) -> list[bytes]:
    """Envelopes of a member's, none of which builds on what it should."""
    sent: list[bytes] = []
    honest = [(record_id, office.replica.records.state(record_id)) for record_id in RECORDS]
    for update in own_writes(mallory, choose):
        with mallory.elsewhere():
            sent.append(mallory.says(mallory.change((RECORDS[0], update))).raw)
    for attack in ATTACKS:
        for record_id, state in choose.sample(honest, 2):
            assert state is not None
            mallory.starts_incarnation()
            update = attack(mallory, state, choose)
            with mallory.elsewhere():
                sent.append(mallory.says(mallory.change((record_id, update))).raw)
    for _ in range(3):
        sent.append(mallory.seals(choose.randbytes(50), moves=choose.random() < 0.5).raw)
    return sent


@SLOW
@given(st.integers(0, 1 << 32))
def test_replicas_agree_whatever_a_member_sends_and_in_whatever_order(seed: int) -> None:
    choose = random.Random(seed)
    with TemporaryDirectory() as folder:
        office, home, train, laptop = members(Path(folder), "office", "home", "train", "laptop")
        mallory = HostileMember.of(laptop.replica, laptop.member_log)
        honest_edits(office, choose)
        office.envelopes()  # who has them knows under which names the office wrote
        sent = attacks(mallory, office, choose)
        # The office goes on on top of some of it: nothing that it writes may be lost.
        office.receives(choose.sample(sent, len(sent) // 2))
        for record_id in RECORDS:
            office.sets(record_id, "title", "The office's last word")
        log = [*office.envelopes(), *(one for one in sent if one not in office.envelopes())]
        for computer in (home, train, office):
            computer.receives_in_any_order(log, choose)
        assert len({one.state for one in (home, train, office)}) == 1
        assert all("The office's last word" in _all_titles(home, one) for one in RECORDS)
        waiting = [_aside(one) for one in (home, train, office)]
        assert waiting[0] == waiting[1] == waiting[2]
        for computer in (office, home, train, laptop):
            computer.replica.database.close()


def _all_titles(computer: Computer, record_id: str) -> set[object]:
    """The title that is shown, and those that lost to it: a member may write one too."""
    view = computer.shows(record_id)
    others = (value.value for one in view.conflicts for value in one.values)
    return {view.fields.get("title"), *others}


def _aside(computer: Computer) -> list[tuple[object, ...]]:
    """What is set aside, by what and for which reason; in no order."""
    return sorted(
        computer.replica.database.rows(
            "SELECT DISTINCT record, contents, kind FROM quarantined_updates"
        )
    )

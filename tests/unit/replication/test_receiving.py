"""What a hostile member sends: it costs itself, its author is named, and all else arrives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import yjs_updates as yjs
from tests.support.hostile_member import HostileMember
from tests.unit.replica.builders import Computer, members, new_computer

from bifolio import limits
from bifolio.crypto.envelope import Envelope, parse_envelope
from bifolio.crypto.keys import new_device_keys
from bifolio.document.update_structure import read_update
from bifolio.library import status
from bifolio.replication.inbox import Received
from bifolio.wire.changes import Body
from bifolio.wire.position import LogPosition

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


@pytest.fixture
def trio(tmp_path: Path) -> tuple[Computer, Computer, HostileMember]:
    """Two honest computers, and a member that is not."""
    office, home, laptop = members(tmp_path, "office", "home", "laptop")
    return office, home, HostileMember.of(laptop.replica, laptop.member_log)


def titled(mallory: HostileMember, record_id: str, title: str) -> Envelope:
    """An envelope in which nothing is wrong."""
    update = mallory.writes(mallory.document(), {"title": title})
    return mallory.says(mallory.change((record_id, update)))


def said(computer: Computer) -> str:
    return " ".join(one.reason for one in status.refusals(computer.replica))


# --- chains ---------------------------------------------------------------------------------


@pytest.mark.parametrize("previous_first", [True, False], ids=["previous first", "previous last"])
def test_an_envelope_in_another_s_chain_is_refused_whatever_came_first(
    trio: tuple[Computer, Computer, HostileMember], previous_first: bool
) -> None:
    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    (first,) = (parse_envelope(one) for one in office.envelopes())
    mallory.chain, mallory.seq, mallory.previous = first.header.chain, 1, first.hash
    squatter = titled(mallory, TWO, "In her chain")
    batches = [[first.raw], [squatter.raw]]
    for batch in batches if previous_first else reversed(batches):
        home.receives(batch)
    assert home.titles() == ["On Paper"]
    assert f"of {mallory.keys.name} was refused: it does not follow" in said(home)
    assert home.replica.changes.waiting() == 0
    office.sets(ONE, "title", "On Ink")
    home.learns(office)
    assert home.titles() == ["On Ink"]


def test_the_same_chain_id_of_two_devices_is_two_chains(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    (first,) = (parse_envelope(one) for one in office.envelopes())
    mallory.chain = first.header.chain
    home.receives([titled(mallory, TWO, "On Glue").raw])
    office.sets(ONE, "title", "On Ink")
    home.learns(office)
    assert home.titles() == ["On Glue", "On Ink"]
    assert home.replica.changes.doubles() == []


@pytest.mark.parametrize("seq", [3, 7])
def test_a_gap_in_a_chain_is_refused(
    trio: tuple[Computer, Computer, HostileMember], seq: int
) -> None:
    _, home, mallory = trio
    first = titled(mallory, ONE, "On Paper")
    second = mallory.seals(Body((), ()).serialize(), seq=seq)
    home.receives([second.raw, first.raw])
    assert "it does not follow the one that it names" in said(home)
    assert home.titles() == ["On Paper"]


def test_two_envelopes_at_one_place_are_both_merged_and_prove_it(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, mallory = trio
    home.learns(office)
    before = (mallory.seq, mallory.previous)
    one = titled(mallory, ONE, "For the office")
    mallory.seq, mallory.previous = before
    mallory.slot, mallory.nonce = mallory.slot[:-4] + "abcd", b"n" * 8
    other = titled(mallory, TWO, "For home")
    office.receives([one.raw, other.raw])
    home.receives([other.raw, one.raw])
    assert office.state == home.state
    for computer in (office, home):
        assert computer.replica.changes.doubles() == [(mallory.keys.sign_public, 1)]
        assert f"{mallory.keys.name} signed two different changes for one" in said(computer)


def test_a_second_envelope_for_a_place_whose_first_was_damaged_here_stops_nothing(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, _, mallory = trio
    one = titled(mallory, ONE, "For the office")
    office.receives([one.raw])
    office.replica.database.execute("UPDATE changes SET body = x'' WHERE hash = ?", (one.hash,))
    mallory.starts_incarnation()
    mallory.seq, mallory.previous = 0, one.header.previous
    other = titled(mallory, TWO, "For home")
    office.receives([other.raw])
    assert sorted(office.titles()) == ["For home", "For the office"]


@pytest.mark.parametrize("claim_first", [True, False])
def test_nobody_replaces_what_another_one_wrote(
    trio: tuple[Computer, Computer, HostileMember], claim_first: bool
) -> None:
    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    theirs = office.envelopes()
    update = mallory.writes(mallory.document(), {"title": "On Glue"})
    replaced = (parse_envelope(theirs[0]).hash,)
    claim = mallory.says(mallory.change((TWO, update)), replaces=replaced)
    batches = [theirs, [claim.raw]]
    for batch in reversed(batches) if claim_first else batches:
        home.receives(batch)
    assert home.titles() == ["On Glue", "On Paper"], "the change itself is its author's own"
    assert home.replica.changes.replacing(replaced) == set()
    assert "claims to replace what another computer wrote" in said(home)
    assert mallory.keys.name in said(home)


# --- envelopes carried in others ------------------------------------------------------------


def test_what_is_carried_counts_for_what_builds_on_it_and_is_not_offered_by_itself(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, carrier = trio
    office.adds(ONE, {"title": "On Paper"})
    theirs = [parse_envelope(one) for one in office.envelopes()]
    carried = carrier.says(carried=tuple(one.raw for one in theirs), frontier=(theirs[-1].hash,))
    home.receives([carried.raw])
    assert home.titles() == ["On Paper"]
    assert home.replica.changes.waiting() == 0
    offered = home.replica.changes.unacknowledged(after=0, bytes_max=1 << 20)
    assert [one.hash for one in offered] == [carried.hash]


def test_what_is_carried_is_checked_like_any_other(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    (theirs,) = office.envelopes()
    forged = theirs[:-1] + bytes([theirs[-1] ^ 1])
    inner = mallory.says(carried=(forged, b"no envelope"))
    home.receives([mallory.says(carried=(inner.raw,)).raw])
    assert len(home.replica.changes.refusals()) == 2
    assert home.titles() == []


def test_envelopes_carried_in_one_another_end_somewhere(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    _, home, mallory = trio
    one = titled(mallory, ONE, "Deep inside")
    for _ in range(50):
        one = mallory.says(carried=(one.raw,))
    home.receives([one.raw])
    stored = home.replica.database.row("SELECT count(*) FROM changes")
    waiting = home.replica.changes.waiting()
    assert stored is not None
    assert stored[0] + waiting == limits.CARRIED_DEPTH_MAX + 1


# --- one bad update costs itself ----------------------------------------------------------------


@pytest.mark.parametrize("bad", [b"\xff" * 40, b"", b"\x00", bytes(40), b"\x01\x01\xff\xff\xff"])
def test_one_bad_update_costs_itself(
    trio: tuple[Computer, Computer, HostileMember], bad: bytes
) -> None:
    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    home.learns(office)
    home.receives([mallory.says(mallory.change((ONE, bad))).raw])
    office.sets(ONE, "title", "On Ink")
    home.learns(office)
    assert home.titles() == ["On Ink"]
    assert home.state == office.state
    if bad not in (b"", bytes(40)):
        assert f"1 change of {mallory.keys.name} to 111111111111 was set aside" in said(home)


def test_who_writes_two_things_in_one_place_is_named_wherever_both_came(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, mallory = trio
    one = titled(mallory, ONE, "For the office")
    mallory.starts_chain()
    other = titled(mallory, ONE, "For home")
    for computer in (office, home):
        computer.receives([one.raw, other.raw] if computer is office else [other.raw, one.raw])
        assert "its author wrote something else there" in said(computer)
        assert mallory.keys.name in said(computer)


def test_nobody_deletes_beforehand_what_another_computer_writes_next(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    """Under one client id the next clocks could be told, and a delete of them would wait."""
    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    sent = office.envelopes()
    written = read_update(office.replica.records.state(ONE) or b"")
    deletes = [(client, start + count, 50) for client, (start, count) in written.ranges.items()]
    attack = mallory.says(mallory.change((ONE, yjs.update(deletes=deletes))))
    office.sets(ONE, "title", "On Ink")
    home.receives([*sent, attack.raw])
    home.learns(office)
    office.receives([attack.raw])
    office.learns(home)
    assert (home.titles(), office.titles()) == (["On Ink"], ["On Ink"])
    assert home.state == office.state


def test_the_same_change_in_two_chains_is_one(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    _, home, mallory = trio
    update = mallory.writes(mallory.document(), {"title": "On Paper"})
    change = mallory.change((ONE, update))
    first = mallory.says(change)
    mallory.starts_chain()
    home.receives([first.raw, mallory.says(change, replaces=(first.hash,)).raw])
    assert (home.titles(), said(home)) == (["On Paper"], "")


def test_an_incomplete_update_is_merged_when_what_it_lacks_comes(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, mallory = trio
    document = mallory.document()
    first = mallory.writes(document, {"title": "On Paper"})
    second = mallory.writes(document, {"title": "On Ink"})
    third = mallory.writes(document, {"note": "A note."})
    changes = [mallory.change((ONE, update)) for update in (third, second, first)]
    home.receives([mallory.says(changes[0]).raw])
    assert home.replica.records.read(ONE) is None
    assert "waits for a part that is missing" in said(home)
    for change in changes[1:]:
        home.receives([mallory.says(change).raw])
    assert home.titles() == ["On Ink"]
    assert home.shows(ONE).fields["note"] == "A note."
    assert said(home) == ""
    mallory.starts_chain()
    office.receives([mallory.says(change).raw for change in reversed(changes)])
    office.learns(home)
    home.learns(office)
    assert office.state == home.state


def test_the_history_goes_on_behind_what_was_set_aside(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    from bifolio.history.replay import Replay

    office, home, mallory = trio
    office.adds(ONE, {"title": "On Paper"})
    home.learns(office)
    home.receives([mallory.says(mallory.change((ONE, b"\xff" * 40))).raw])
    office.sets(ONE, "title", "On Ink")
    home.learns(office)
    shown = [step.after.live("title")[0].value for step in Replay(home.replica).steps(ONE)]
    assert shown == ["On Paper", "On Ink"]


# --- what waits ---------------------------------------------------------------------------------


def waits(mallory: HostileMember, number: int) -> Envelope:
    """An envelope that builds on something that never comes."""
    with mallory.elsewhere():
        return mallory.says(frontier=(number.to_bytes(32, "big"),))


def as_log(envelopes: Sequence[bytes], *, after: int = 0) -> tuple[list[Received], LogPosition]:
    batch = [Received(raw, at) for at, raw in enumerate(envelopes, start=after + 1)]
    return batch, LogPosition(b"e" * 16, after + len(envelopes), b"h" * 32)


def test_a_member_s_full_queue_hinders_nobody_and_is_named(
    trio: tuple[Computer, Computer, HostileMember], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, home, mallory = trio
    monkeypatch.setattr(limits, "PENDING_PER_AUTHOR_MAX", 5)
    office.adds(ONE, {"title": "On Paper"})
    first, second = office.envelopes()[0], None
    office.sets(ONE, "title", "On Ink")
    second = office.envelopes()[1]
    flood = [waits(mallory, number).raw for number in range(20)]
    batch, cursor = as_log([*flood, second, first])
    merged = home.inbox.receive(batch, cursor=cursor)
    assert (home.titles(), merged.not_kept) == (["On Ink"], 15)
    assert home.replica.meta.cursor == cursor
    assert home.replica.changes.waiting() == 5
    assert f"15 changes of {mallory.keys.name} were not kept" in said(home)
    home.inbox.retry_newer()
    assert home.replica.meta.cursor == cursor, "nothing is pulled again while the queue is full"


def test_what_was_not_kept_is_pulled_again_when_there_is_room(
    trio: tuple[Computer, Computer, HostileMember], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, home, mallory = trio
    monkeypatch.setattr(limits, "PENDING_PER_AUTHOR_MAX", 4)
    needed = titled(mallory, ONE, "On Paper")
    waiting = []
    for number in range(7):
        with mallory.elsewhere():
            update = mallory.writes(mallory.document(), {"title": f"On {number}"})
            change = mallory.change((f"{number + 2:032x}", update))
            waiting.append(mallory.says(change, frontier=(needed.hash,)).raw)
    log = [*waiting, needed.raw]
    batch, cursor = as_log(log[:-1])
    home.inbox.receive(batch, cursor=cursor)
    assert home.replica.changes.waiting() == 4
    batch, cursor = as_log(log[-1:], after=7)
    home.inbox.receive(batch, cursor=cursor)
    start = home.replica.meta.cursor
    assert start is not None
    assert start.position == 0, "what was not kept is pulled again"
    batch, cursor = as_log(log)
    home.inbox.receive(batch, cursor=cursor)
    assert (home.replica.meta.cursor, home.replica.changes.waiting()) == (cursor, 0)
    assert len(home.titles()) == 8
    assert said(home) == ""


def test_of_who_is_no_member_under_unknown_members_nothing_is_kept_until_they_are_known(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    known = office.member_log.membership()
    assert known is not None
    late = new_computer(tmp_path, "late", library=office.replica.library_id)
    secret = office.draw(32)
    office.member_log.learn([office.member_log.invite(secret)])
    grown = office.member_log.membership()
    assert grown is not None
    late.member_log.learn(grown.records)
    office.member_log.learn([late.member_log.join(secret)])
    whole = office.member_log.membership()
    assert whole is not None
    late.member_log.learn(whole.records[len(grown.records) :])
    late.adds(ONE, {"title": "On Paper"})
    batch, cursor = as_log(late.envelopes())
    merged = home.inbox.receive(batch, cursor=cursor)
    assert (merged.not_kept, home.replica.changes.waiting()) == (1, 0)
    assert "no members, as far as is known" in said(home)
    home.member_log.learn(whole.records[len(known.records) :])
    home.inbox.retry_pending()
    assert home.replica.meta.cursor is not None
    assert home.replica.meta.cursor.position == 0
    home.inbox.receive(batch, cursor=cursor)
    assert home.titles() == ["On Paper"]
    assert said(home) == ""


def test_a_stranger_s_signature_fills_no_disk(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    _, home, mallory = trio
    keys = new_device_keys("stranger", random.Random(3).randbytes)
    stranger = replace(mallory, keys=keys, membership_head=b"u" * 32)
    batch, cursor = as_log([waits(stranger, number).raw for number in range(50)])
    assert home.inbox.receive(batch, cursor=cursor).not_kept == 50
    assert home.replica.changes.waiting() == 0


def test_merging_one_envelope_costs_what_it_frees(
    trio: tuple[Computer, Computer, HostileMember], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, home, mallory = trio
    home.receives([waits(mallory, number).raw for number in range(300)])
    looked_at = 0

    def count(raw: bytes) -> Envelope:
        nonlocal looked_at
        looked_at += 1
        return parse_envelope(raw)

    monkeypatch.setattr("bifolio.replication.receiving.parse_envelope", count)
    office.adds(ONE, {"title": "On Paper"})
    home.learns(office)
    assert home.titles() == ["On Paper"]
    assert looked_at == 1
    assert home.replica.changes.waiting() == 300


def test_an_envelope_of_one_change_costs_a_bounded_number_of_statements(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    office, home, _ = trio
    for number in range(1, 21):
        office.adds(f"{number:032x}", {"title": f"On {number}"})
        received = office.envelopes()  # each is sealed by itself
    statements: list[str] = []
    home.replica.database._connection.set_trace_callback(statements.append)
    home.receives(received)
    home.replica.database._connection.set_trace_callback(None)
    assert len(home.titles()) == 20
    by_kind = Counter(" ".join(one.split()[:3]) for one in statements)
    # The records' own rows are written together at the end. What is asked or written for each
    # envelope: whether it is here, its record's state, and its rows in three tables.
    for_each = sum(count for count in by_kind.values() if count >= 20)
    written = sum(count for kind, count in by_kind.items() if "INSERT" in kind and count >= 20)
    assert for_each - written <= 20 * 5, by_kind


def test_what_waited_through_a_whole_log_goes(
    trio: tuple[Computer, Computer, HostileMember],
) -> None:
    _, home, mallory = trio
    home.receives([waits(mallory, 1).raw])
    for left in (1, 0):
        with home.replica.database.transaction():
            home.replica.pending.begin_epoch()
        assert home.replica.changes.waiting() == left
    assert home.replica.database.rows("SELECT * FROM waits_for") == []


# --- budgets ------------------------------------------------------------------------------------


def test_a_large_batch_is_merged_in_parts(
    trio: tuple[Computer, Computer, HostileMember], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, home, mallory = trio
    monkeypatch.setattr(limits, "MERGED_AT_ONCE_UPDATES", 3)
    batch = [titled(mallory, f"{number:032x}", f"On {number}").raw for number in range(1, 11)]
    before = home.replica.database.transactions_begun
    home.receives(batch)
    assert home.replica.database.transactions_begun - before == 4
    assert len(home.titles()) == 10


def test_refused_envelopes_of_one_author_hide_no_other_s(
    trio: tuple[Computer, Computer, HostileMember], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, home, mallory = trio
    monkeypatch.setattr(limits, "REFUSED_KEPT_PER_AUTHOR_MAX", 3)
    for number in range(10):
        with mallory.elsewhere():
            home.receives([mallory.seals(bytes([0xC1, number])).raw])
    home.receives([b"no envelope"])
    counts = home.replica.refused.counts()
    assert [(one.device, one.count) for one in counts] == [
        (mallory.keys.sign_public, 3),
        (None, 1),
    ]
    assert len(list(status.refusals(home.replica))) == 2

"""Received envelopes: nothing before its frontier, nothing twice, nothing forged."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest
from tests.support.stored_changes import all_envelopes
from tests.unit.replica.builders import Computer, meet, members, owner_of_a_library

from bifolio import limits
from bifolio.crypto.envelope import (
    KIND_CHANGES,
    NO_PREVIOUS,
    Header,
    open_envelope,
    parse_envelope,
    seal,
)
from bifolio.crypto.keys import new_device_keys
from bifolio.library import status
from bifolio.replica.envelope_formats import ENVELOPE_FORMATS, EnvelopeFormats
from bifolio.replication.inbox import Received
from bifolio.storage.records import Records
from bifolio.wire.changes import BODY_VERSION, Body, Change, Incarnation
from bifolio.wire.position import LogPosition

#: What a newer program can read that has one kind more, of the same content.
SEVENTH_KIND = EnvelopeFormats(
    ENVELOPE_FORMATS.openers, {**ENVELOPE_FORMATS.readers, (7, BODY_VERSION): Body.parse}
)

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Computer, Computer]:
    office, home = members(tmp_path, "office", "home")
    return office, home


def three_envelopes(office: Computer) -> list[bytes]:
    """Three envelopes of one chain: a reference, its title replaced, its note."""
    office.adds(ONE, {"title": "On Paper"})
    office.envelopes()
    office.sets(ONE, "title", "On Ink")
    office.envelopes()
    office.sets(ONE, "note", "A note.")
    return office.envelopes()


def forged(office: Computer, **changed: object) -> bytes:
    """An envelope of the office's next change, with some values of its header changed."""
    membership = office.member_log.membership()
    assert membership is not None
    keys = changed.pop("keys", office.keys)
    changes = changed.pop("changes", (Change("0" * 18, ()),))
    own = office.replica.incarnation()
    body = Body((), changes, incarnations=(Incarnation(own.slot, own.nonce),))  # type: ignore[arg-type]
    content = changed.pop("content", None) or body.serialize()
    header = Header(
        library=office.replica.library_id,
        generation=0,
        device=keys.sign_public,  # type: ignore[attr-defined]
        chain=b"c" * 16,
        seq=1,
        previous=NO_PREVIOUS,
        kind=KIND_CHANGES,
        membership_head=membership.head,
    )
    return seal(
        replace(header, **changed),  # type: ignore[arg-type]
        content,  # type: ignore[arg-type]
        content_key=b"k" * 32,
        keys=keys,  # type: ignore[arg-type]
        random_bytes=random.Random(1).randbytes,
    ).raw


def test_every_order_ends_in_the_same_library(tmp_path: Path) -> None:
    office, *others = members(tmp_path, "office", *(f"home{number}" for number in range(6)))
    envelopes = three_envelopes(office)
    for home, order in zip(others, itertools.permutations(envelopes), strict=True):
        for envelope in order:
            home.receives([envelope])
        assert home.state == office.state
        assert home.replica.changes.waiting() == 0
        assert home.shows(ONE).fields["note"] == "A note."


def test_nothing_is_shown_of_an_envelope_whose_frontier_is_missing(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    first, second, third = three_envelopes(office)
    merged = home.receives([third, second])
    assert merged.changes == 0
    assert home.replica.changes.waiting() == 2
    assert home.titles() == []
    again = home.reopened()
    merged = again.receives([first])
    assert merged.changes == office.replica.changes.unsent()
    assert again.titles() == ["On Ink"]
    assert again.replica.changes.waiting() == 0


def test_the_same_envelope_twice_counts_once(pair: tuple[Computer, Computer]) -> None:
    office, home = pair
    envelopes = three_envelopes(office)
    assert home.receives(envelopes + envelopes).changes == 4
    before = home.tables()
    assert home.receives(envelopes).changes == 0
    assert home.tables() == before


def test_an_envelope_that_is_merged_learns_its_position(pair: tuple[Computer, Computer]) -> None:
    office, home = pair
    envelopes = three_envelopes(office)
    home.receives(envelopes)
    cursor = LogPosition(b"e" * 16, 3, b"h" * 32)
    batch = [Received(envelope, number) for number, envelope in enumerate(envelopes, start=1)]
    home.inbox.receive(batch, cursor=cursor)
    positions = [one.position for one in all_envelopes(home.replica.database)]
    assert positions == [1, 2, 3]
    assert home.replica.meta.cursor == cursor


def test_the_cursor_moves_with_what_it_covers_or_not_at_all(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, home = pair
    first, second, third = three_envelopes(office)
    before = home.tables()
    with monkeypatch.context() as patched:
        patched.setattr(Records, "write", _fails)
        with pytest.raises(OSError):
            home.inbox.receive(
                [Received(first, 1), Received(third, 3)],
                cursor=LogPosition(b"e" * 16, 4, b"h" * 32),
            )
    assert home.tables() == before
    assert home.receives([first, second, third]).changes == 4


def _fails(*_: object) -> None:
    raise OSError("the disk is gone")


@pytest.mark.parametrize("damage", [b"", b"\x00", b"not an envelope"])
def test_bytes_that_are_no_envelope_are_refused_and_named(
    pair: tuple[Computer, Computer], damage: bytes
) -> None:
    office, home = pair
    merged = home.receives([damage, *three_envelopes(office)])
    assert len(merged.refused) == 1
    assert home.titles() == ["On Ink"]
    (refusal,) = status.refusals(home.replica)
    assert "was refused" in refusal.reason


def test_a_changed_bit_anywhere_is_refused(pair: tuple[Computer, Computer]) -> None:
    office, home = pair
    envelope = three_envelopes(office)[0]
    for place in range(0, len(envelope), max(1, len(envelope) // 40)):
        damaged = bytearray(envelope)
        damaged[place] ^= 1
        home.receives([bytes(damaged)])
    assert home.titles() == []
    assert home.replica.meta.frontier == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"keys": new_device_keys("stranger", random.Random(9).randbytes)}, "no right to write"),
        ({"library": b"o" * 16}, "another library"),
    ],
    ids=["a stranger", "another library"],
)
def test_what_breaks_a_rule_is_refused_with_the_reason(
    pair: tuple[Computer, Computer], changed: dict[str, object], reason: str
) -> None:
    office, home = pair
    (refused,) = home.receives([forged(office, **changed)]).refused
    assert reason in refused
    assert home.replica.meta.frontier == ()


@pytest.mark.parametrize(
    ("changed", "needs"),
    [
        ({"kind": 7}, "kind 7"),
        ({"version": 3, "more": (b"more",)}, "header version 3"),
        ({"content": msgpack.packb([4, "anything"])}, "kind 1, content version 4"),
    ],
)
def test_what_only_a_newer_program_can_read_is_kept_and_not_refused(
    pair: tuple[Computer, Computer], changed: dict[str, object], needs: str
) -> None:
    office, home = pair
    raw = forged(office, **changed)
    merged = home.receives([raw, raw])
    assert (merged.kept, merged.refused, merged.changes) == (1, [], 0)
    kept = home.replica.newer_envelopes.first(after=0, through=9)
    assert kept is not None
    assert (kept.envelope, kept.needs) == (raw, needs)
    assert home.replica.meta.frontier == ()
    assert home.receives(three_envelopes(office)).changes == 4


def test_an_envelope_that_is_kept_learns_its_position(pair: tuple[Computer, Computer]) -> None:
    office, home = pair
    raw = forged(office, kind=7)
    home.receives([raw])
    home.inbox.receive([Received(raw, 5)])
    home.inbox.receive([Received(raw, None)])
    kept = home.replica.newer_envelopes.first(after=0, through=9)
    assert kept is not None
    assert kept.position == 5


@pytest.mark.parametrize("changed", [{"kind": 7}, {"version": 3}])
def test_what_breaks_a_rule_is_not_kept_for_a_newer_program(
    pair: tuple[Computer, Computer], changed: dict[str, object]
) -> None:
    office, home = pair
    stranger = new_device_keys("stranger", random.Random(9).randbytes)
    good = forged(office, **changed)
    bad = [
        forged(office, keys=stranger, **changed),
        forged(office, library=b"o" * 16, **changed),
        good[:-1] + bytes([good[-1] ^ 1]),
    ]
    merged = home.receives(bad)
    assert (merged.kept, len(merged.refused)) == (0, 3)


def continues(raw: bytes, office: Computer, *, seq: int = 2) -> bytes:
    """An envelope of today's format that continues the chain of another one."""
    return forged(office, seq=seq, previous=parse_envelope(raw).hash)


def test_whatever_builds_on_what_is_kept_takes_no_place_of_what_waits(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, home = pair
    monkeypatch.setattr(limits, "PENDING_MAX", 2)
    monkeypatch.setattr(limits, "PENDING_BYTES_MAX", 1)
    chain = [forged(office, kind=7)]
    for seq in range(2, 30):
        chain.append(continues(chain[-1], office, seq=seq))
    for raw in chain:
        home.receives([raw])
    assert home.replica.changes.waiting() == 0
    assert home.replica.newer_envelopes.waiting() == 28


def test_what_waited_for_an_envelope_is_kept_with_it(pair: tuple[Computer, Computer]) -> None:
    office, home = pair
    first = forged(office, kind=7)
    second = continues(first, office)
    third = continues(second, office, seq=3)
    home.receives([third, second])
    assert home.replica.changes.waiting() == 2
    home.receives([first])
    assert home.replica.changes.waiting() == 0
    assert home.replica.newer_envelopes.waiting() == 2
    again = home.reopened(formats=SEVENTH_KIND)
    assert again.inbox.retry_newer().changes == 3
    assert again.replica.newer_envelopes.last_number() == 0


def test_what_builds_on_a_kept_envelope_goes_on_when_another_one_carries_its_changes(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    first = forged(office, kind=7)
    second = continues(first, office)
    home.receives([first, second])
    body = Body((), (Change("0" * 18, ()),), replaces=(parse_envelope(first).hash,))
    merged = home.receives([forged(office, chain=b"o" * 16, content=body.serialize())])
    assert merged.changes == 2
    assert home.replica.changes.is_stored(parse_envelope(second).hash)
    assert home.replica.newer_envelopes.needs() == {"kind 7": 1}
    assert home.replica.newer_envelopes.waiting() == 0


def test_what_is_kept_is_tried_again_once_for_each_program(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, home = pair
    home.inbox.retry_newer()
    first = forged(office, kind=7)
    home.receives([first, continues(first, office)])
    before = home.tables()
    home.inbox.retry_newer()
    assert home.tables() == before
    monkeypatch.setattr(limits, "BATCH_ENVELOPES_MAX", 1)
    other = EnvelopeFormats({**ENVELOPE_FORMATS.openers, 9: open_envelope}, SEVENTH_KIND.readers)
    again = home.reopened(formats=other)
    assert again.inbox.retry_newer().changes == 2
    before = again.tables()
    assert again.inbox.retry_newer().changes == 0
    assert again.tables() == before


def test_an_upgrade_that_is_cut_off_goes_on_where_it_was(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, home = pair
    first = forged(office, kind=7)
    home.receives([first, continues(first, office)])
    monkeypatch.setattr(limits, "BATCH_ENVELOPES_MAX", 1)
    cut_off = home.reopened(
        formats=EnvelopeFormats(
            SEVENTH_KIND.openers, {**SEVENTH_KIND.readers, (1, BODY_VERSION): _ends_the_process}
        )
    )
    with pytest.raises(KeyboardInterrupt):
        cut_off.inbox.retry_newer()
    assert len(list(all_envelopes(cut_off.replica.database))) == 1
    again = cut_off.reopened(formats=SEVENTH_KIND)
    again.inbox.retry_newer()
    assert again.replica.newer_envelopes.last_number() == 0
    assert len(list(all_envelopes(again.replica.database))) == 2


def test_what_an_older_program_that_still_runs_keeps_is_tried_again_too(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    home.receives([forged(office, kind=7)])
    upgraded = home.reopened(formats=SEVENTH_KIND)
    assert upgraded.inbox.retry_newer().changes == 1
    older = upgraded.reopened()
    older.receives([forged(office, kind=7, chain=b"o" * 16)])
    assert older.replica.newer_envelopes.needs() == {"kind 7": 1}
    again = older.reopened(formats=SEVENTH_KIND)
    assert again.inbox.retry_newer().changes == 1
    assert again.replica.newer_envelopes.last_number() == 0


def test_what_builds_on_a_kept_envelope_goes_on_also_when_its_replacement_waited(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    first = forged(office, kind=7)
    second = continues(first, office)
    earlier = forged(office, chain=b"z" * 16)
    body = Body(
        (parse_envelope(earlier).hash,),
        (Change("0" * 18, ()),),
        replaces=(parse_envelope(first).hash,),
    )
    replacement = forged(office, chain=b"o" * 16, content=body.serialize())
    home.receives([first, second, replacement])
    assert home.replica.changes.waiting() == 1
    home.receives([earlier])
    assert home.replica.changes.waiting() == 0
    assert home.replica.changes.is_stored(parse_envelope(second).hash)
    assert home.replica.newer_envelopes.waiting() == 0


def test_an_upgrade_merges_what_was_kept_in_another_order_than_that_of_the_frontiers(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    first = forged(office, kind=7)
    body = Body((parse_envelope(first).hash,), (Change("0" * 18, ()),))
    second = forged(office, kind=7, chain=b"o" * 16, content=body.serialize())
    home.receives([second, first])  # what cannot be read is kept whatever it builds on
    again = home.reopened(formats=SEVENTH_KIND)
    assert again.inbox.retry_newer().changes == 2
    assert again.replica.newer_envelopes.last_number() == 0
    assert again.replica.changes.waiting() == 0


def test_what_a_kill_left_waiting_is_tried_at_the_next_sync(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    first, second, _ = three_envelopes(office)
    home.receives([first])
    home.replica.pending.add(
        parse_envelope(second).hash,
        None,
        second,
        device=office.keys.sign_public,
        size=len(second),
        needs=(),
        of_members=False,
    )
    assert home.inbox.retry_newer().changes == 1
    assert home.replica.changes.waiting() == 0


def _ends_the_process(_plaintext: bytes) -> Body:
    raise KeyboardInterrupt


def test_a_forged_author_is_refused(pair: tuple[Computer, Computer]) -> None:
    office, home = pair
    mine = new_device_keys("thief", random.Random(9).randbytes)
    envelope = parse_envelope(forged(office, keys=mine))
    header = replace(envelope.header, device=office.keys.sign_public)
    raw = envelope.raw.replace(mine.sign_public, header.device)
    (reason,) = home.receives([raw]).refused
    assert "signature" in reason


def test_an_envelope_under_a_membership_not_known_yet_waits_for_it(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    known = office.member_log.membership()
    assert known is not None
    office.member_log.learn([office.member_log.invite(b"s" * 32)])
    office.adds(ONE, {"title": "On Paper"})
    home.learns(office)
    assert home.titles() == []
    assert home.replica.changes.waiting() == 1
    grown = office.member_log.membership()
    assert grown is not None
    home.member_log.learn(grown.records[len(known.records) :])
    home.inbox.retry_pending()
    assert home.titles() == ["On Paper"]
    assert home.replica.changes.waiting() == 0


def test_an_update_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    pair: tuple[Computer, Computer],
) -> None:
    office, home = pair
    office.adds(TWO, {"title": "On Glue"})
    good = home.replica.records.state(TWO) or office.replica.records.state(TWO)
    assert good is not None
    bad = Change("0" * 17 + "1", ((ONE, b"\xff" * 30), (TWO, good)))
    later = Change("0" * 17 + "2", ((ONE, good),))
    home.receives([forged(office, changes=(bad, later))])
    assert home.titles() == ["On Glue", "On Glue"], "the record's later update goes on"
    (refusal,) = status.refusals(home.replica)
    assert f"1 change of device {office.keys.tag} to 111111111111 was set aside" in refusal.reason


def test_two_writers_at_once_are_merged_on_both(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper", "volume": "1"})
    meet(office, home)
    office.sets(ONE, "title", "On Ink")
    home.sets(ONE, "volume", "2")
    meet(office, home)
    assert home.shows(ONE).fields["title"] == "On Ink"
    assert office.shows(ONE).fields["volume"] == "2"


def test_an_edit_unseen_by_the_deleter_revives_the_reference_on_both(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    meet(office, home)
    office.deletes(ONE)
    home.sets(ONE, "title", "On Ink")
    meet(office, home)
    for computer in (office, home):
        assert computer.titles() == ["On Ink"]
        assert [one.kind for one in computer.shows(ONE).conflicts] == ["revived"]


def test_an_owner_who_lost_the_replica_gets_everything_back(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    envelopes = three_envelopes(office)
    again = office.reopened()
    before = again.state
    again.replica.database.execute("DELETE FROM changes")
    again.receives(envelopes)
    assert again.state == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issued", '{"date-parts":[["soon"]]}'),
        ("issued", '{"date-parts":[[99999999999999999999]]}'),
        ("issued", '{"literal":"\\ud800"}'),
        ("issued", "[" * 9000),
        ("deleted", "[" * 9000),
        ("+source\x1fabc", "{}"),
        ("+source\x1fabc", '{"format":"ris","type":"","id":"","tags":[["TI",5]]}'),
        ("creator\x1fAAA\x1fname", '{"role":"author","name":{"family":"\\ud800"}}'),
    ],
)
def test_a_value_of_another_version_stops_no_merge(
    pair: tuple[Computer, Computer], name: str, value: str
) -> None:
    office, home = pair
    office.adds(ONE, {"title": "On Paper"})
    office.adds(TWO, {"title": "On Ink"})
    office.commits(ONE, lambda plan, entries: plan.put(name, value, seen=entries.live(name)))
    home.learns(office)
    assert home.titles() == ["On Ink", "On Paper"]
    assert home.state == office.state

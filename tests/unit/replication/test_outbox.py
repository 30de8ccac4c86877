"""Own changes, sealed into a chain; and what a fork does to it."""

from __future__ import annotations

import itertools
import tracemalloc
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest
from msgspec import structs
from tests.support.forks import proof_of_fork
from tests.support.stored_changes import all_envelopes
from tests.unit.replica.builders import Computer, meet, members, new_computer, owner_of_a_library

from bifolio import limits
from bifolio.crypto.envelope import Envelope, SignedHeader, parse_envelope, seal
from bifolio.errors import NotAMemberError

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


def parsed(computer: Computer) -> list[Envelope]:
    return [parse_envelope(raw) for raw in computer.envelopes()]


def test_many_small_changes_are_packed_into_one_envelope(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    for number in range(20):
        office.adds(f"{number:032x}", {"title": f"Title {number}"})
    assert office.replica.changes.unsent() == 21
    assert office.outbox.seal() == 1
    (stored,) = all_envelopes(office.replica.database)
    assert stored.count == 21
    assert office.replica.changes.unsent() == 21
    assert office.outbox.seal() == 0


def test_an_envelope_is_packed_up_to_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ENVELOPE_TARGET_BYTES", 1000)
    office = owner_of_a_library(tmp_path)
    for number in range(20):
        office.adds(f"{number:032x}", {"title": "x" * 200})
    assert office.outbox.seal() > 3
    chain = parsed(office)
    assert [one.header.seq for one in chain] == list(range(1, len(chain) + 1))
    for before, after in itertools.pairwise(chain):
        assert after.header.previous == before.hash
        assert after.header.chain == before.header.chain


def test_a_chain_goes_on_after_a_reopening(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    office.envelopes()
    again = office.reopened()
    again.adds(ONE, {"title": "On Paper"})
    first, second = parsed(again)
    assert second.header.chain == first.header.chain
    assert second.header.previous == first.hash


def test_an_envelope_names_what_was_merged_when_its_changes_were_made(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    (founding,) = office.envelopes()
    home.receives([founding])
    home.sets(ONE, "title", "On Ink")
    office.sets(ONE, "volume", "7")
    office.envelopes()
    home.learns(office)
    home.outbox.seal()
    own = next(one for one in all_envelopes(home.replica.database) if one.own)
    assert own.frontier == (parse_envelope(founding).hash,)


def test_the_frontier_is_what_no_other_merged_envelope_names(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    meet(office, home)
    office.adds(TWO, {"title": "On Ink"})
    home.adds(THREE, {"title": "On Glue"})
    meet(office, home)
    heads = {one.hash for one in all_envelopes(office.replica.database)}
    for one in all_envelopes(office.replica.database):
        heads -= {*one.frontier, parse_envelope(one.envelope).header.previous}
    assert set(office.replica.meta.frontier) == heads
    assert set(home.replica.meta.frontier) == heads
    assert len(heads) == 2
    office.sets(ONE, "volume", "7")
    office.outbox.seal()
    assert len(office.replica.meta.frontier) == 1


def test_who_is_no_member_cannot_seal_and_loses_nothing(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    stranger = new_computer(tmp_path, "stranger", library=office.replica.library_id)
    membership = office.member_log.membership()
    assert membership is not None
    stranger.member_log.learn(membership.records)
    stranger.adds(ONE, {"title": "On Paper"})
    with pytest.raises(NotAMemberError):
        stranger.outbox.seal()
    assert stranger.replica.changes.unsent() == 1
    stranger.joins(office)
    assert stranger.outbox.seal() == 1
    office.learns(stranger)
    assert office.titles() == ["On Paper"]


def test_a_refused_chain_is_written_again_as_a_new_one(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    (taken,) = parsed(office)
    office.replica.changes.set_position(taken.hash, 1)
    office.adds(TWO, {"title": "On Ink"})
    office.outbox.seal()
    office.adds(THREE, {"title": "On Glue"})
    state, unsent = office.state, office.replica.changes.unsent()
    (own, *_) = office.replica.changes.unacknowledged(after=0, bytes_max=1 << 30)
    assert forks(office, parse_envelope(own.envelope), office)
    assert (office.state, office.replica.changes.unsent()) == (state, unsent)
    first, second, third = parsed(office)
    assert first.raw == taken.raw
    assert len({one.header.chain for one in (first, second, third)}) == 3
    assert second.header.seq == third.header.seq == 1
    home.learns(office)
    assert home.state == office.state
    assert home.titles() == ["On Glue", "On Ink", "On Paper"]


def test_what_a_later_version_put_behind_a_body_is_carried_into_its_replacement(
    tmp_path: Path,
) -> None:
    office = owner_of_a_library(tmp_path)
    later = msgpack.packb(["from a later version", 1])
    part = (("later", later),)
    office.adds(ONE, {"title": "On Paper"})
    (sealed,) = parsed(office)
    body = office.replica.formats.read(sealed, b"k" * 32)
    changes = tuple(structs.replace(one, more=(later,)) for one in body.changes)
    extended = seal(
        sealed.header,
        structs.replace(body, changes=changes, more=part).serialize(),
        content_key=b"k" * 32,
        keys=office.keys,
        random_bytes=office.draw,
    )
    office.replica.changes.remove_envelope(sealed.hash)
    office.receives([extended.raw])
    assert forks(office, extended, office)
    (replacement,) = parsed(office)
    read = office.replica.formats.read(replacement, b"k" * 32)
    assert (read.more, read.changes) == (part, changes)
    assert read.replaces == (extended.hash,)
    assert read.incarnations == body.incarnations != ()


def test_a_restarted_chain_holds_one_envelope_at_a_time_and_none_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ENVELOPE_TARGET_BYTES", 1000)
    office = owner_of_a_library(tmp_path)
    size = 200_000
    for number in range(20):
        office.adds(f"{number:032x}", {"title": "On Paper", "note": office.draw(size).hex()})
    office.outbox.seal()
    stored = list(all_envelopes(office.replica.database))
    for place, one in enumerate(stored[:10], start=1):
        office.replica.changes.set_position(one.hash, place)
    state = office.state
    tracemalloc.start()
    try:
        assert office.outbox.restart_own_chain(stored[-1].hash)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2 * size
    assert len(stored) > 20
    assert (office.state, len(office.replica.meta.frontier)) == (state, 1)


def test_a_restarted_chain_builds_on_the_envelope_that_was_taken(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    (taken,) = parsed(office)
    office.replica.changes.set_position(taken.hash, 1)
    office.sets(ONE, "title", "On Ink")
    office.outbox.seal()
    (own,) = office.replica.changes.unacknowledged(after=0, bytes_max=1 << 30)
    assert forks(office, parse_envelope(own.envelope), office)
    _, second = office.envelopes()
    home.receives([second])
    assert home.replica.changes.waiting() == 1
    assert home.titles() == []
    home.receives([taken.raw])
    assert home.replica.changes.waiting() == 0
    assert home.titles() == ["On Ink"]


def test_what_goes_on_in_a_chain_that_was_moved_waits_for_nothing(tmp_path: Path) -> None:
    """What comes before it is on the relay inside of a snapshot alone."""
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    office.outbox.seal()
    office.sets(ONE, "volume", "7")
    first, second = parsed(office)
    home.learns(office)
    assert office.outbox.restart_own_chain(first.hash)
    office.receives([second.raw])
    assert office.replica.changes.waiting() == 0
    home.learns(office)
    assert home.state == office.state


def test_of_two_envelopes_at_one_place_a_chain_has_the_one_that_its_end_builds_on(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    office.outbox.seal()
    office.sets(ONE, "volume", "7")
    first, second = parsed(office)
    other = seal(
        first.header, b"", content_key=b"k" * 32, keys=office.keys, random_bytes=office.draw
    )
    home.learns(office)
    assert home.outbox.is_in_chain(first.hash, seq=2, head=second.hash) is True
    assert home.outbox.is_in_chain(second.hash, seq=2, head=second.hash) is True
    assert home.outbox.is_in_chain(second.hash, seq=1, head=first.hash) is False
    assert home.outbox.is_in_chain(first.hash, seq=2, head=b"?" * 32) is None
    home.replica.changes.add_envelope(
        envelope=other.raw,
        envelope_hash=other.hash,
        chain=other.header.chain,
        seq=other.header.seq,
        position=None,
        own=False,
        count=0,
        frontier=(),
    )
    assert home.outbox.is_in_chain(first.hash, seq=2, head=second.hash) is True
    assert home.outbox.is_in_chain(other.hash, seq=2, head=second.hash) is False


def test_the_same_update_in_two_chains_is_harmless(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    office.sets(ONE, "note", "A note.")
    (first,) = parsed(office)
    home.receives([first.raw])
    assert forks(office, first, office)
    office.sets(ONE, "volume", "7")
    home.learns(office)
    assert home.state == office.state
    assert home.shows(ONE).fields["note"] == "A note."
    assert home.shows(ONE).conflicts == ()


def test_someone_else_s_refused_envelope_is_carried_whole_and_stays_theirs(tmp_path: Path) -> None:
    office, home, train = members(tmp_path, "office", "home", "train")
    office.adds(ONE, {"title": "On Paper"})
    (theirs,) = parsed(office)
    home.learns(office)
    assert forks(home, theirs, office)
    assert home.titles() == ["On Paper"]
    (offered,) = home.outbox.offers(after=0, bytes_max=1 << 30)
    carrier = parse_envelope(offered.envelope)
    assert carrier.header.device == home.keys.sign_public
    body = home.replica.formats.read(carrier, b"k" * 32)
    assert (body.changes, body.replaces, body.carried) == ((), (), (theirs.raw,))
    train.receives([offered.envelope])
    assert train.state == home.state
    assert train.replica.changes.is_stored(theirs.hash)


def test_what_a_relay_does_not_continue_of_another_s_chain_is_carried_whole(tmp_path: Path) -> None:
    """Found by seed 93: the relay had another second envelope, and the third reached nobody."""
    office, home, train = members(tmp_path, "office", "home", "train")
    first, second, third = three_of(office)
    home.learns(office)
    with home.replica.database.transaction():
        home.replica.changes.set_position(first.hash, 1)
    assert home.outbox.continue_chain(third.hash, seq=2, head=b"other" * 6 + b"##")
    offered = [
        parse_envelope(one.envelope) for one in home.outbox.offers(after=0, bytes_max=1 << 30)
    ]
    assert {one.header.device for one in offered} == {home.keys.sign_public}
    bodies = [home.replica.formats.read(one, b"k" * 32) for one in offered]
    assert [one.carried for one in bodies] == [(second.raw,), (third.raw,)]
    train.receives([first.raw, *(one.raw for one in offered)])
    assert train.state == home.state == office.state
    # Who comes to a relay that has the second one is not asked to send it by itself again.
    assert home.outbox.continue_chain(third.hash, seq=1, head=b"other" * 6 + b"##")
    assert [one.hash for one in home.outbox.offers(after=0, bytes_max=1 << 30)] == [
        one.hash for one in offered
    ]


def test_what_somebody_carried_goes_by_itself_where_the_chain_goes_on_with_it(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    first, second, third = three_of(office)
    home.learns(office)
    with home.replica.database.transaction():
        home.replica.changes.set_position(first.hash, 1)
        home.replica.changes.add_carried([second.hash], by=b"carrier")
    before = home.envelopes()
    assert home.outbox.continue_chain(third.hash, seq=1, head=first.hash)
    assert home.envelopes() == before
    offered = [one.hash for one in home.outbox.offers(after=0, bytes_max=1 << 30)]
    assert offered == [second.hash, third.hash]


def test_our_own_that_came_back_is_refused_as_a_fork_though_nothing_is_here_to_compare(
    tmp_path: Path,
) -> None:
    """Found by seed 52: it had been sealed again, with the one before it, and a bundle brought it
    back; the sync ended with a relay that does not do what it should."""
    (office,) = members(tmp_path, "office")
    first, second, third = three_of(office)
    with office.replica.database.transaction():
        office.replica.changes.set_position(first.hash, 1)
    assert office.outbox.restart_own_chain(second.hash)
    again = [one.hash for one in office.outbox.offers(after=0, bytes_max=1 << 30)]
    office.receives([third.raw])
    assert office.replica.changes.is_stored(third.hash)
    assert office.outbox.restart_chain(third.hash, proof_of_fork(second, office.keys))
    assert [one.hash for one in office.outbox.offers(after=0, bytes_max=1 << 30)] == again


def three_of(computer: Computer) -> list[Envelope]:
    """Three envelopes of one chain."""
    computer.adds(ONE, {"title": "On Paper"})
    for volume in ("7", "8"):
        computer.envelopes()
        computer.sets(ONE, "volume", volume)
    return parsed(computer)


def test_a_relay_that_shows_no_other_envelope_of_the_author_changes_nothing(
    tmp_path: Path,
) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    office.envelopes()
    office.sets(ONE, "volume", "7")
    first, second = parsed(office)
    home.learns(office)
    before = home.envelopes()
    other_place = proof_of_fork(replace(second, header=replace(second.header, seq=9)), office.keys)
    other_author = proof_of_fork(
        replace(second, header=replace(second.header, device=home.keys.sign_public)), home.keys
    )
    same = SignedHeader.of(second).serialize()
    true = proof_of_fork(second, office.keys)
    forged = true[:-1] + bytes([true[-1] ^ 1])
    for proof in (b"", b"nothing", other_place, other_author, same, forged):
        assert not home.outbox.restart_chain(second.hash, proof)
        assert not office.outbox.restart_chain(second.hash, proof)
    assert home.envelopes() == before
    assert parsed(office) == [first, second]
    assert home.outbox.restart_chain(second.hash, proof_of_fork(first, office.keys))


def test_a_gap_in_another_s_chain_makes_nothing_ours(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    (theirs,) = parsed(office)
    home.learns(office)
    before = home.envelopes()
    assert not home.outbox.restart_own_chain(theirs.hash)
    assert home.envelopes() == before


def forks(computer: Computer, refused: Envelope, author: Computer) -> bool:
    """The relay refuses an envelope, and shows another one that the author made."""
    return computer.outbox.restart_chain(refused.hash, proof_of_fork(refused, author.keys))

"""What is offered to a relay, and what a refusal of one envelope means for those behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from bifolio import limits
from bifolio.sync.counts import Counts
from bifolio.sync.line import Line
from bifolio.sync.outgoing import Offers
from bifolio.sync.store import OutgoingEnvelope, SyncStore
from bifolio.wire.messages import Code, Nack, Push

CHAIN = b"c" * 16


class Log:
    """The part of a store that an offer asks for: so many envelopes, all unsealed work done."""

    def __init__(self, *envelopes: OutgoingEnvelope) -> None:
        self.envelopes = envelopes

    def settle_join_offers(self) -> None:
        """Nothing joins."""

    def seal(self) -> None:
        """Everything is sealed."""

    def note(self, *_: object) -> None:
        """Nobody reads it."""

    def seal_without_right_again(self, _: bytes) -> bool:
        return False

    def lacks_right(self, _: bytes) -> bool:
        return False

    def next_outgoing(self, *, after: int, bytes_max: int) -> Sequence[OutgoingEnvelope]:
        found: list[OutgoingEnvelope] = []
        for one in self.envelopes:
            if one.number > after and (not found or sum(map(_size, found)) < bytes_max):
                found.append(one)
        return found


def _size(envelope: OutgoingEnvelope) -> int:
    return len(envelope.envelope)


def envelope(number: int, *, changes: int = 1, size: int = 10) -> OutgoingEnvelope:
    return OutgoingEnvelope(number, bytes([number]) * 32, CHAIN, bytes(size), changes)


def offers_of(*envelopes: OutgoingEnvelope) -> Offers:
    return Offers(cast("SyncStore", Log(*envelopes)), Counts(), Line(lambda: 0.0))


def refusal(subject: bytes, code: Code) -> Nack:
    return Nack(code=code, subject=subject, detail="no", seq=0, head=bytes(32))


def test_what_is_left_out_does_not_hold_up_what_is_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES_TARGET", 5)
    monkeypatch.setattr(limits, "PUSH_IN_FLIGHT_BYTES_MAX", 5)
    first, second = envelope(1), envelope(2)
    offers = offers_of(first, second)
    assert offers.decide() == [Push((first.envelope,))]
    assert offers.refuse(refusal(first.hash, Code.TOO_BIG))
    offers.forget()
    assert offers.decide() == [Push((second.envelope,))]
    assert not offers.is_settled


def test_a_relay_that_forbids_what_is_kept_for_a_newer_program_ends_no_sync() -> None:
    kept, own = envelope(1, changes=0), envelope(2)
    offers = offers_of(kept, own)
    offers.decide()
    assert offers.refuse(refusal(kept.hash, Code.FORBIDDEN))
    assert not offers.refuse(refusal(own.hash, Code.FORBIDDEN))


def test_another_s_change_without_a_right_to_it_ends_no_sync_and_its_chain_is_left_out() -> None:
    class Forbidden(Log):
        notes = 0

        def lacks_right(self, hash: bytes) -> bool:
            return hash == envelope(1).hash

        def is_replaced(self, _: bytes) -> bool:
            return False

        def note(self, *_: object) -> None:
            self.notes += 1

    log = Forbidden(*(envelope(number) for number in range(1, 100)))
    offers = Offers(cast("SyncStore", log), Counts(), Line(lambda: 0.0))
    offers.decide()
    assert offers.refuse(refusal(envelope(1).hash, Code.FORBIDDEN))
    for number in range(2, 100):
        assert offers.refuse(refusal(envelope(number).hash, Code.GAP))
    assert offers.decide() == []
    assert offers.is_settled
    assert log.notes == 1


def test_our_own_changes_without_a_right_are_sealed_again_under_the_one_we_have_now() -> None:
    class Readmitted(Log):
        def seal_without_right_again(self, _: bytes) -> bool:
            self.envelopes = (envelope(3),)
            return True

    log = Readmitted(envelope(1), envelope(2))
    offers = Offers(cast("SyncStore", log), Counts(), Line(lambda: 0.0))
    offers.decide()
    assert offers.refuse(refusal(envelope(1).hash, Code.FORBIDDEN))
    assert offers.decide() == [Push((envelope(3).envelope,))]
    assert offers.refuse(refusal(envelope(2).hash, Code.FORBIDDEN))  # sent before: it came late
    assert not offers.refuse(refusal(b"another" * 4, Code.FORBIDDEN))


class Broken(Log):
    """The second envelope has no place on the relay."""

    def __init__(self, *, instead: tuple[OutgoingEnvelope, ...], is_covered: bool) -> None:
        super().__init__(envelope(2))
        self.instead = instead
        self.is_covered = is_covered
        self.asked: list[tuple[int, bytes]] = []
        self.notes = 0

    def note(self, *_: object) -> None:
        self.notes += 1

    def continue_chain(self, _: bytes, *, seq: int, head: bytes) -> bool:
        self.asked.append((seq, head))
        instead, self.instead = self.instead, ()
        self.envelopes = instead or self.envelopes
        return bool(instead)

    def note_gap(self, _: bytes) -> bool:
        return self.is_covered

    def may_move(self, _: bytes) -> bool:
        return bool(self.instead)


def test_what_a_relay_lacks_of_a_chain_is_offered_or_goes_in_another_one() -> None:
    log = Broken(instead=(envelope(1), envelope(2)), is_covered=False)
    offers = Offers(cast("SyncStore", log), Counts(), Line(lambda: 0.0))
    assert offers.decide() == [Push((envelope(2).envelope,))]
    assert offers.refuse(refusal(envelope(2).hash, Code.GAP))
    assert log.asked == [(0, bytes(32))]
    assert offers.decide() == [Push((envelope(1).envelope, envelope(2).envelope))]
    assert not offers.take_left_to_snapshot()
    assert not log.notes


def test_what_a_relay_lacks_and_a_snapshot_brought_is_looked_for_in_its_snapshots() -> None:
    log = Broken(instead=(envelope(3),), is_covered=True)
    offers = Offers(cast("SyncStore", log), Counts(), Line(lambda: 0.0))
    offers.decide()
    assert offers.refuse(refusal(envelope(2).hash, Code.GAP))
    assert offers.decide() == [Push((envelope(3).envelope,))]
    assert offers.take_left_to_snapshot()


@pytest.mark.parametrize("code", [Code.GAP, Code.FORK])
def test_who_may_not_write_leaves_to_others_what_has_no_place_on_the_relay(code: Code) -> None:
    log = Broken(instead=(), is_covered=False)
    offers = Offers(cast("SyncStore", log), Counts(), Line(lambda: 0.0))
    offers.decide()
    assert offers.refuse(refusal(envelope(2).hash, code))
    assert offers.decide() == []
    assert offers.is_settled
    assert log.notes == 1

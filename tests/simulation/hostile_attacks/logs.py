"""Attacks on what a relay keeps: its log, and the library's list of members."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace
from tests.simulation.hostile_attacks.cases import (
    attack,
    is_of,
    new_epoch,
    stranger_envelope,
)
from tests.simulation.hostile_world import World, library_of_others
from tests.support.hostile_relay import Answers, Attack, Line, RewrittenLog

from bifolio.ids import content_hash
from bifolio.wire.messages import (
    Ack,
    Challenge,
    Envelopes,
    Members,
    Message,
    PullMembers,
    Welcome,
)

# --- the log: forged, altered, in another order, from elsewhere ---------------------------------


@attack("A received change was refused|were refused|no Bifolio")
def _forges_bytes(_: World) -> Attack:
    return new_epoch(lambda log, _: [b"\xc1 no envelope", *log, b"", b"x" * 5000])


@attack("signature", heavy=True)
def _forges_signatures(_: World) -> Attack:
    return new_epoch(lambda log, _: [*log, *(raw[:-1] + bytes([raw[-1] ^ 1]) for raw in log)])


@attack(heavy=True)
def _forges_strangers(world: World) -> Attack:
    return new_epoch(lambda log, _: [*(stranger_envelope(world, n).raw for n in range(20)), *log])


@attack("signature|refused")
def _alters_content(_: World) -> Attack:
    def change(log: list[bytes], _: Line) -> Sequence[bytes]:
        return [raw[: len(raw) // 2] + b"?" + raw[len(raw) // 2 + 1 :] for raw in log]

    return new_epoch(change)


@attack("signature|refused", heavy=True)
def _alters_a_header(world: World) -> Attack:
    def change(log: list[bytes], _: Line) -> Sequence[bytes]:
        return [
            raw.replace(world.alice.keys.sign_public, world.bob.keys.sign_public) for raw in log
        ]

    return new_epoch(change)


@attack("refused", heavy=True)
def _truncates_envelopes(_: World) -> Attack:
    return new_epoch(lambda log, _: [raw[: len(raw) // 2] for raw in log])


@attack("does not speak Bifolio's protocol", heavy=True)
def _truncates_messages(_: World) -> Attack:
    def says(message: Message) -> Iterable[Message | bytes]:
        if isinstance(message, Envelopes | Ack):
            return [message.serialize()[:-3]]
        return [message]

    return Answers(says=says)


@attack()
def _reorders(_: World) -> Attack:
    return new_epoch(lambda log, _: log[::-1])


@attack()
def _replays_entries(_: World) -> Attack:
    return new_epoch(lambda log, _: [*log, *log, *log[::-1]])


@attack("CHALLENGE came in the state", heavy=True)
def _replays_messages(_: World) -> Attack:
    return Answers(says=lambda message: [message, message])


@attack(heavy=True)
def _replays_what_is_no_greeting(_: World) -> Attack:
    def says(message: Message) -> Iterable[Message]:
        return [message] if isinstance(message, Challenge | Welcome) else [message, message]

    return Answers(says=says)


@attack("lost part of its log")
def _splices_another_library(world: World) -> Attack:
    others = library_of_others(world.folder / "elsewhere")
    return new_epoch(
        lambda log, _: [one for pair in itertools.zip_longest(others, log) for one in pair if one]
    )


# --- withheld, rolled back ----------------------------------------------------------------------


@attack()
def _withholds_a_tail(world: World) -> Attack:
    keep = len(world.evil.log())
    return RewrittenLog(lambda log, _: log[:keep])


@attack(heavy=True)
def _withholds_one_author(world: World) -> Attack:
    return new_epoch(lambda log, _: [raw for raw in log if not is_of(world, raw, world.alice)])


@attack("lost part of its log")
def _rolls_back_in_the_same_epoch(_: World) -> Attack:
    return RewrittenLog(lambda log, _: log[:1])


@attack("lost part of its log", heavy=True)
def _rolls_back_to_a_new_epoch(_: World) -> Attack:
    return new_epoch(lambda log, _: log[:1])


@attack("lost part of its log", heavy=True)
def _a_new_epoch_each_time(_: World) -> Attack:
    count = itertools.count()

    class Again(RewrittenLog):
        def begin(self, _: Line) -> None:
            self._epoch = next(count).to_bytes(16)

    return Again(lambda log, _: log)


@attack("lost part of its log", heavy=True)
def _takes_and_keeps_nothing(world: World) -> Attack:
    """ACK for what it drops: the log that it tells later does not have it."""
    before = world.evil.log()
    return RewrittenLog(lambda _log, _line: before, keeps=False)


@attack("different things|lost part of its log")
def _tells_two_stories(world: World) -> Attack:
    """Each of the two gets what the other wrote, in another order."""

    def change(log: list[bytes], line: Line) -> Sequence[bytes]:
        is_alice = line.hello is not None and line.hello.device == world.alice.keys.sign_public
        return log if is_alice else [*log[1::-1], *log[2:]]

    return new_epoch(change)


# --- the membership log -------------------------------------------------------------------------


def _members(change: Callable[[Members], Members], *, told: int | None = None) -> Attack:
    def says(message: Message) -> Iterable[Message]:
        match message:
            case Members():
                return [change(message)]
            case Welcome() if told is not None:
                return [replace(message, members=told)]
        return [message]

    return Answers(says=says)


@attack(heavy=True)
def _tells_a_short_membership_log(world: World) -> Attack:
    members = world.alice.member_log.membership()
    assert members is not None
    head = content_hash(members.records[0])
    return Answers(
        says=lambda message: [
            replace(message, members=1, members_head=head)
            if isinstance(message, Welcome)
            else message
        ]
    )


@attack("", heavy=True)
def _tells_another_membership_head(_: World) -> Attack:
    # The list itself is asked for then, and it is the right one.
    return Answers(
        says=lambda message: [
            replace(message, members_head=b"h" * 32) if isinstance(message, Welcome) else message
        ]
    )


@attack("member")
def _forges_a_membership_record(world: World) -> Attack:
    members = world.alice.member_log.membership()
    assert members is not None
    count = len(members.records)

    def says(message: Message) -> Iterable[Message]:
        match message:
            case Welcome():
                return [replace(message, members=count + 1, members_head=b"h" * 32)]
            case Members():
                forged = members.records[-1][:-1] + b"?"
                return [Members(message.start, (forged,), count + 1, content_hash(forged))]
        return [message]

    return Answers(says=says)


@attack("again and again|list of members")
def _members_without_end(_: World) -> Attack:
    def answers(message: Message) -> Iterable[Message] | None:
        if isinstance(message, PullMembers):
            return [Members(message.start, (), message.start + 9, b"h" * 32)]
        return None

    def says(message: Message) -> Iterable[Message]:
        if isinstance(message, Welcome):
            return [replace(message, members=message.members + 9)]
        return [message]

    return Answers(says=says, answers=answers)

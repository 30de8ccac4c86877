"""Relays that answer for ever: each exchange ends with a sentence, whatever is said again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, members
from tests.unit.sync.builders import ScriptedRelay, Talk, relay_of

from bifolio import limits
from bifolio.errors import ProtocolError
from bifolio.sync.fruitless import FruitlessCount
from bifolio.sync.phases import Left
from bifolio.wire import messages as wire
from bifolio.wire.messages import (
    AskBlobs,
    Blobs,
    BlobState,
    Challenge,
    Code,
    Envelopes,
    Message,
    Nack,
    Pull,
    PullMembers,
    Push,
)

ONE, TWO = "1" * 32, "2" * 32
SOME_HASH = b"h" * 32


@pytest.fixture
def met(tmp_path: Path) -> tuple[Computer, ScriptedRelay]:
    """A member with something to say, and a relay that has what it has said before."""
    office, home = members(tmp_path, "office", "home")
    relay = relay_of(office)
    office.adds(ONE, {"title": "On Paper"})
    Talk(office, relay).run()
    Talk(home, relay).run()
    home.adds(TWO, {"title": "On Ink"})
    return home, relay


def _empty_pages(relay: ScriptedRelay, message: Message) -> list[Message]:
    """There is more, it says, and sends nothing of it."""
    if isinstance(message, Pull):
        return [Envelopes(message.after, (), message.after + 5)]
    return relay.answers(message)


def _known_pages(relay: ScriptedRelay, message: Message) -> list[Message]:
    """It sends what is known, and says that there is more."""
    if isinstance(message, Pull):
        return [Envelopes(0, tuple(relay.log), len(relay.log) + 5)]
    return relay.answers(message)


def _pages_beyond(relay: ScriptedRelay, message: Message) -> list[Message]:
    """It sends what lies behind a gap."""
    if isinstance(message, Pull):
        return [Envelopes(message.after + 3, (b"x",), message.after + 9)]
    return relay.answers(message)


def _growing_members(relay: ScriptedRelay, message: Message) -> list[Message]:
    """More and more members, it says, and sends none."""
    if isinstance(message, PullMembers):
        return [wire.Members(message.start, (), message.start + 7, SOME_HASH)]
    if isinstance(message, Pull):
        return [wire.Members(2, (), 99, SOME_HASH)]
    return relay.answers(message)


def _moved_heads(relay: ScriptedRelay, message: Message) -> list[Message]:
    """Whatever is pushed is signed under a head that has just moved."""
    if isinstance(message, Push):
        return [Nack(Code.UNKNOWN_HEAD, b"", "append first")]
    return relay.answers(message)


def _files_that_come_and_go(relay: ScriptedRelay, message: Message) -> list[Message]:
    """It tells of files of no interest to anybody."""
    if isinstance(message, Pull | Push | AskBlobs):
        state = BlobState(SOME_HASH, 10, 1, True)
        return [Blobs((state,), 0) for _ in range(limits.FRUITLESS_MESSAGES_MAX + 5)]
    return relay.answers(message)


@pytest.mark.parametrize(
    "answers",
    [
        _empty_pages,
        _known_pages,
        _pages_beyond,
        _growing_members,
        _moved_heads,
        _files_that_come_and_go,
    ],
)
def test_a_relay_that_brings_nothing_new_ends_the_sync_with_a_sentence(
    met: tuple[Computer, ScriptedRelay],
    answers: Callable[[ScriptedRelay, Message], list[Message]],
) -> None:
    home, relay = met
    relay.log.append(b"something that makes it pull")
    state = home.state
    talk = Talk(home, relay)

    def talk_for_ever() -> None:
        said = talk.tell(relay.welcome(talk.greet()))
        while said:  # in silence the time for an answer ends it
            said = [
                more
                for message in said
                for answer in answers(relay, message)
                for more in talk.tell(answer)
            ]

    with pytest.raises(ProtocolError, match="nothing new comes of it"):
        talk_for_ever()
    assert isinstance(talk.session.phase, Left)
    assert (home.state, home.replica.changes.unsent() > 0) == (state, True)


def test_what_comes_slowly_and_brings_nothing_ends_too() -> None:
    times = iter(range(0, 400_000, 20_000))
    fruitless = FruitlessCount(lambda: next(times))

    def hear_for_ever() -> None:
        while True:
            fruitless.count(is_settled=False)

    with pytest.raises(ProtocolError):
        hear_for_ever()


def test_news_begins_the_count_again_and_colleagues_may_be_busy() -> None:
    now_ms = 0
    fruitless = FruitlessCount(lambda: now_ms)
    for _ in range(10 * limits.FRUITLESS_MESSAGES_MAX):
        fruitless.count(is_settled=False)
        fruitless.note_news()
    for _ in range(10 * limits.FRUITLESS_MESSAGES_MAX):
        fruitless.count(is_settled=True)
        now_ms += 1000 // limits.FRUITLESS_PER_SECOND + 1


def test_a_list_of_members_that_is_given_back_slowly_comes_to_its_end(tmp_path: Path) -> None:
    """Found by seeds 1127 and 1135: others gave an emptied relay the same list meanwhile."""
    home = members(tmp_path, "office", *(f"computer {one}" for one in range(4)))[1]
    relay = relay_of(home)
    talk = Talk(home, relay)
    waiting = deque(talk.tell(Challenge((2,), b"n" * 32)))
    while waiting:
        message = waiting.popleft()
        for answer in relay.answers(message):
            notices = 2 if isinstance(answer, wire.Members) else 1  # another's append is told too
            for _ in range(notices):
                home.monotonic_s += 50
                waiting.extend(one for one in talk.tell(answer) if one not in waiting)
    assert talk.session.is_settled
    assert relay.members == list(talk.port.members())


def test_another_list_of_members_that_comes_slowly_is_read_to_its_end(tmp_path: Path) -> None:
    office, home, *_ = members(tmp_path, "office", *(f"computer {one}" for one in range(4)))
    other, own = (office.member_log.invite(secret * 32) for secret in (b"x", b"y"))
    office.member_log.learn([other])
    home.member_log.learn([own])
    relay = relay_of(office)
    known = office.member_log.membership()
    assert known is not None
    relay.members = list(known.records)
    talk = Talk(home, relay)
    said = talk.tell(relay.welcome(talk.greet()))
    pulls = 0
    while isinstance(said[-1], PullMembers):
        pulls, start = pulls + 1, said[-1].start
        home.monotonic_s += 50
        record = (relay.members[start],)
        said = talk.tell(wire.Members(start, record, len(relay.members), known.head))
    assert pulls == len(relay.members)

"""A session is in one phase: what it hears and says there, and how it gets to the next one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace
from tests.support.said import SAID_IN, check_said
from tests.unit.replica.builders import Computer, members, owner_of_a_library
from tests.unit.sync.builders import ScriptedRelay, Talk, relay_of

from bifolio.attachments import attachments
from bifolio.errors import BifolioError, MembershipError, ProtocolError
from bifolio.ids import content_hash
from bifolio.sync.phases import Creating, Greeting, Left, Live, Log, Members, Phase
from bifolio.sync.session import SyncSession
from bifolio.wire import messages as wire
from bifolio.wire.connection import Side, next_state
from bifolio.wire.messages import (
    Ack,
    Append,
    AskBlobs,
    Blobs,
    BlobState,
    BlobTally,
    Bye,
    Challenge,
    Chunk,
    Code,
    Create,
    DropBlobs,
    Envelopes,
    Hello,
    Message,
    Nack,
    Pull,
    PullChunk,
    PullMembers,
    Push,
    Receipt,
    Retry,
    Welcome,
)
from bifolio.wire.snapshot_messages import (
    AskSnapshots,
    OfferSnapshot,
    PullSnapshotChunk,
    SnapshotChunk,
    SnapshotHeld,
    Snapshots,
    Statement,
    Statements,
    VerifySnapshot,
)

ONE = "1" * 32
SOME_HASH = b"h" * 32

#: One of each message of the protocol.
ONE_OF_EACH: tuple[Message, ...] = (
    Challenge((2,), b"n" * 32),
    Hello(2, (2,), b"l" * 16, b"d" * 32, b"s" * 64, "relay:443"),
    replace(Welcome.nothing({}), exists=True, members=1),
    Pull(0),
    Envelopes(0, (), 0),
    Push((b"x",)),
    Ack((Receipt(SOME_HASH, 1),)),
    Nack(Code.RATE, SOME_HASH, "slower"),
    Create(b"genesis"),
    PullMembers(0),
    wire.Members(0, (), 0, SOME_HASH),
    Append(SOME_HASH, b"record"),
    Bye(Retry.ONCE, "closing"),
    AskBlobs((SOME_HASH,)),
    Blobs((BlobState(SOME_HASH, 0, 0, False),), 0),
    Chunk(SOME_HASH, 1, 0, b"x"),
    PullChunk(SOME_HASH, 0),
    DropBlobs((SOME_HASH,)),
    SnapshotChunk(SOME_HASH, 0, b"x"),
    SnapshotHeld(SOME_HASH, 0),
    Snapshots(()),
    Statements(()),
    Statement(b""),
    AskSnapshots(),
    OfferSnapshot(b"header"),
    PullSnapshotChunk(SOME_HASH, 0),
    VerifySnapshot(b"verdict"),
    wire.Fragment(SOME_HASH, 2, 0, b"x"),
    wire.Locate(()),
    wire.Located(()),
    wire.Flow(4096),
    wire.Delete(b"s" * 64),
    wire.Unknown(99),
)

EXCHANGED = (
    Envelopes,
    wire.Located,
    Ack,
    Nack,
    wire.Members,
    Blobs,
    Chunk,
    Bye,
    wire.Unknown,
    SnapshotChunk,
    SnapshotHeld,
    Snapshots,
    Statements,
)

#: What each phase hears; everything else is an error.
HEARD_IN: dict[type[Phase], tuple[type[Message], ...]] = {
    Greeting: (Challenge, Bye, wire.Unknown),
    Creating: (Welcome, Nack, Bye, wire.Unknown),
    Members: EXCHANGED,
    Log: EXCHANGED,
    Live: EXCHANGED,
    Left: tuple(type(message) for message in ONE_OF_EACH),
}


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "On Paper"})
    return office


def in_greeting(office: Computer) -> Talk:
    return Talk(office, relay_of(office))


def in_creating(office: Computer) -> Talk:
    relay = relay_of(office)
    talk = Talk(office, relay)
    talk.tell(relay.welcome(talk.greet()))
    return talk


def in_log(office: Computer) -> Talk:
    talk = in_creating(office)
    talk.tell(*talk.relay.answers(talk.sent[-1]))
    return talk


def in_members(office: Computer) -> Talk:
    talk = in_live(office)
    total = len(talk.relay.members)
    talk.tell(wire.Members(total + 1, (), total + 1, SOME_HASH))
    return talk


def in_live(office: Computer) -> Talk:
    return in_greeting(office).run()


def in_left(office: Computer) -> Talk:
    talk = in_live(office)
    talk.tell(Bye(Retry.ONCE, "closing"))
    return talk


BEGUN: dict[type[Phase], Callable[[Computer], Talk]] = {
    Greeting: in_greeting,
    Creating: in_creating,
    Members: in_members,
    Log: in_log,
    Live: in_live,
    Left: in_left,
}


def phase_of(talk: Talk) -> type[Phase]:
    return type(talk.session.phase)


def test_every_phase_and_every_message_is_tested() -> None:
    assert set(BEGUN) == set(SAID_IN) == set(HEARD_IN) == set(get_args(Phase))
    assert {type(message) for message in ONE_OF_EACH} == {*wire.MESSAGE_TYPES, wire.Unknown}


def test_only_an_open_library_has_anything_under_way() -> None:
    """What is pulled, pushed or carried exists only where the relay holds the library."""
    holding = {phase for phase in get_args(Phase) if "exchange" in {f.name for f in fields(phase)}}
    assert holding == {Members, Log, Live}
    assert set(vars(SyncSession(_NoStore(), library=b"l" * 16))) == {  # type: ignore[arg-type]
        *("_store", "_library", "_counts", "_fruitless", "phase"),
        *(
            "_line",
            "_held",
            "_told_message_bytes",
            "relay_holds",
            "was_welcomed",
        ),  # of the line, not the library
    }


class _NoStore:
    """A session asks nothing of a replica before the relay speaks."""


@pytest.mark.parametrize("phase", get_args(Phase), ids=lambda phase: phase.__name__)
def test_what_cannot_come_in_a_phase_is_an_error_and_ends_it(
    office: Computer, phase: type[Phase]
) -> None:
    for message in ONE_OF_EACH:
        talk = BEGUN[phase](office)
        assert isinstance(talk.session.phase, phase)
        if isinstance(message, HEARD_IN[phase]):
            with suppress(MembershipError):  # the head is none of this log's
                said = talk.session.receive(message)
                check_said(talk.session, said)
            continue
        before = office.tables()
        with pytest.raises(ProtocolError, match=f"{message.NAME} came ") as caught:
            talk.session.receive(message)
        assert talk.session.phase == Left(caught.value)
        assert office.tables() == before


def test_a_session_that_was_left_passes_over_what_was_under_way(office: Computer) -> None:
    talk = in_left(office)
    left, before = talk.session.phase, office.tables()
    for message in ONE_OF_EACH:
        assert talk.session.receive(message) == []
    assert talk.session.local_change() == talk.session.tick() == []
    assert talk.session.phase is left
    assert office.tables() == before
    assert not talk.session.is_settled


def test_a_refusal_to_hold_the_library_is_the_end_and_says_why(office: Computer) -> None:
    talk = in_creating(office)
    assert talk.tell(Nack(Code.HEAD_MOVED, SOME_HASH, "not now")) == []
    assert isinstance(talk.session.phase, Left)
    assert isinstance(talk.session.phase.why, BifolioError)
    assert "not now" in talk.session.phase.why.message


def test_a_live_session_goes_back_for_a_record_and_for_an_entry(office: Computer) -> None:
    talk = in_members(office)
    assert talk.session.is_log_settled is talk.session.is_settled is False
    total = len(talk.relay.members)
    talk.tell(wire.Members(total, (), total, content_hash(talk.relay.members[-1])))
    assert phase_of(talk) is Live
    length = len(talk.relay.log)
    assert talk.tell(Envelopes(length + 1, (), length + 1)) == [Pull(length)]
    assert phase_of(talk) is Log


# --- any order of legal messages -------------------------------------------------------------


class Stranger:
    """A relay that says anything that may be said, of what is true and of what is not."""

    def __init__(self, seed: int, talk: Talk) -> None:
        self._random = random.Random(seed)
        self._talk = talk
        self._relay = talk.relay
        self._unanswered: list[Message] = []

    def heard(self, said: Sequence[Message]) -> None:
        """What the session said: it may be answered honestly later."""
        self._unanswered += said

    def next_message(self) -> Message:
        """The next thing to say, such as may be said now."""
        while True:
            message = self._any_message()
            if next_state(self._talk.wire_state, Side.RELAY, message) is not None:
                return message

    def _any_message(self) -> Message:
        draw = self._random
        if self._unanswered and draw.random() < 0.4:
            message = self._unanswered.pop(draw.randrange(len(self._unanswered)))
            return draw.choice(self._honest(message))
        if isinstance(self._talk.session.phase, (Greeting, Creating)):
            return draw.choice((self._welcome, self._welcome, self._nack))()
        if draw.random() < 0.03:
            return wire.Unknown(99)
        kinds = [self._envelopes, self._ack, self._nack, self._members, self._blobs, self._chunk]
        return draw.choice(kinds)() if draw.random() > 0.02 else Bye(Retry.ONCE, "closing")

    def _honest(self, message: Message) -> Sequence[Message]:
        match message:
            case AskBlobs(blobs) | DropBlobs(blobs):
                return [Blobs(tuple(wire.nothing_of(blob) for blob in blobs), 0)]
            case Chunk(blob, size_bytes, number, _):
                return [Blobs((BlobState(blob, size_bytes, number + 1, False),), 0)]
            case PullChunk(blob, _):
                return [Blobs((wire.nothing_of(blob),), 0)]
            case Pull(after) if after > len(self._relay.log):
                return [Envelopes(after, (), after)]
        return self._relay.answers(message)

    def _welcome(self) -> Message:
        draw = self._random
        welcome = self._relay.welcome(role=draw.choice(("owner", None)))
        if draw.random() < 0.5:
            welcome = replace(welcome, n=draw.randint(0, 3), blob_drops=draw.randint(0, 3))
        if draw.random() < 0.2:
            welcome = replace(welcome, members=draw.randint(0, 3))
        return welcome

    def _envelopes(self) -> Message:
        draw, log = self._random, self._relay.log
        after = draw.randint(0, len(log) + 1)
        entries = tuple(log[after : after + draw.randint(0, 3)])
        if draw.random() < 0.2:
            entries += (draw.randbytes(draw.randint(0, 300)),)
        return Envelopes(after, entries, after + len(entries) + draw.choice((0, 0, 1)))

    def _ack(self) -> Message:
        draw = self._random
        hashes = draw.sample(self._hashes(), k=min(2, len(self._hashes())))
        first = draw.randint(1, len(self._relay.log) + 2)
        return Ack(tuple(Receipt(one, first + place) for place, one in enumerate(hashes)))

    def _nack(self) -> Message:
        draw = self._random
        subject = draw.choice([b"", *self._hashes(), *self._blob_ids()])
        return Nack(draw.choice(list(Code)), subject, "no")

    def _members(self) -> Message:
        draw, known = self._random, self._relay.members
        start = draw.randint(0, len(known))
        records = tuple(known[start:])
        if draw.random() < 0.2:
            records += (draw.randbytes(40),)
        total = start + len(records) + draw.choice((0, 0, 1))
        true_head = content_hash(known[-1]) if known else SOME_HASH
        return wire.Members(start, records, total, draw.choice((true_head, SOME_HASH)))

    def _blobs(self) -> Message:
        draw = self._random
        states = tuple(
            BlobState(blob, draw.choice((0, 300, 1 << 20)), draw.randint(0, 3), draw.random() < 0.3)
            for blob in self._blob_ids()[: draw.randint(0, 2)]
        )
        tally = BlobTally(draw.randint(0, 3), draw.randbytes(32)) if draw.random() < 0.5 else None
        return Blobs(states, draw.randint(0, 2), tally)

    def _chunk(self) -> Message:
        draw = self._random
        blob = draw.choice(self._blob_ids())
        return Chunk(blob, 300, draw.randint(0, 2), draw.randbytes(draw.randint(1, 300)))

    def _hashes(self) -> list[bytes]:
        pushes = [said for said in self._talk.sent if isinstance(said, Push)]
        return [SOME_HASH, *(content_hash(one) for said in pushes for one in said.envelopes)]

    def _blob_ids(self) -> list[bytes]:
        questions = [said for said in self._talk.sent if isinstance(said, AskBlobs)]
        return [SOME_HASH, *(blob for said in questions for blob in said.blobs)]


def test_no_order_of_legal_messages_is_met_by_anything_but_an_answer_or_an_error(
    tmp_path: Path,
) -> None:
    """Whatever a relay says, in any order that the protocol allows: each answer belongs to its
    phase, and to what the protocol allows us; or it is a documented error, and the end. An honest
    relay then finds both computers as before, with nothing lost."""
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    path = tmp_path / "paper.pdf"
    path.write_bytes(b"content" * 40)
    attachments.attach(office.replica, ONE, [path], None)
    relay = relay_of(office)
    Talk(home, relay).run()
    seen: Counter[type[Phase]] = Counter()
    for seed in range(80):
        print("seed", seed)
        home.adds(f"{seed + 16:032x}", {"title": f"Title {seed}"})
        stranger = relay if seed % 4 else ScriptedRelay(relay.library, epoch=b"%016d" % seed)
        seen += Counter(_hold_a_talk(office if seed % 3 else home, stranger, seed))
    assert all(seen[phase] >= 20 for phase in get_args(Phase)), seen
    for computer in (home, office, home):
        _come_to_rest(computer, relay)
    assert len(office.titles()) == 81
    assert office.state == home.state


def _hold_a_talk(computer: Computer, relay: ScriptedRelay, seed: int) -> list[type[Phase]]:
    """One connection with a stranger; the phases that it went through."""
    talk = Talk(computer, relay)
    stranger = Stranger(seed, talk)
    talk.greet()
    seen: list[type[Phase]] = [Greeting]
    with closing(talk.port.files):
        for _ in range(40):
            message = stranger.next_message()
            try:
                said = talk.tell(message)
            except BifolioError as error:
                caught: BifolioError | None = error
            else:
                caught = None
                check_said(talk.session, said)
                stranger.heard(said)
            phase = talk.session.phase
            seen.append(type(phase))
            assert caught is None or phase == Left(caught)
            if isinstance(phase, Left):
                break
    return seen


def _come_to_rest(computer: Computer, relay: ScriptedRelay) -> None:
    """Sync with an honest relay, files aside."""
    talk = Talk(computer, relay)
    waiting = talk.tell(Challenge((2,), b"n" * 32))
    while waiting:
        message = waiting.pop(0)
        if not isinstance(message, (AskBlobs, Chunk, PullChunk, DropBlobs)):
            waiting += [more for answer in relay.answers(message) for more in talk.tell(answer)]
    talk.port.files.close()
    assert talk.session.is_log_settled

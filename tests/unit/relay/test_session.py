"""What one connection is told, with a real service and store and no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.relay_client import CONTENT_KEY, Author, SharedLibrary, seeded, ticket_keys

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.crypto.keys import DeviceKeys, KeyPair, new_device_keys
from bifolio.crypto.membership import hello_message, make_leave, make_remove
from bifolio.replication.greeting import make_hello
from bifolio.wire.connection import ClientConnection, State
from bifolio.wire.messages import (
    PROTOCOL_VERSIONS,
    Ack,
    Append,
    AttestedPosition,
    Blobs,
    Bye,
    Challenge,
    Code,
    Create,
    Envelopes,
    Hello,
    Members,
    Message,
    Nack,
    Pull,
    PullMembers,
    Push,
    Receipt,
    Retry,
    Welcome,
)
from bifolio_relay.log_service import LogService
from bifolio_relay.requests import (
    Answer,
    Commit,
    LogPart,
    MembersPart,
    Outcome,
    Question,
    Submission,
    Unavailable,
)
from bifolio_relay.session import Action, Ask, Send, Session, Submit
from bifolio_relay.storage.sqlite import SqliteLogStorage

#: The relay as its clients call it.
NAME = "relay.example.org:443"

ROOM = limits.RELAY_QUEUE_BYTES_MAX


class Service:
    """The real service over the real store, to be called without ``await``."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._storage = SqliteLogStorage(folder)
        self._service = LogService(self._storage, random_bytes=seeded(7), now_ms=lambda: 0)

    def answer(self, question: Question) -> Answer:
        return self._runner.run(self._service.answer(question))

    def commit(self, submissions: Sequence[Submission]) -> Commit:
        async def check_and_commit() -> Commit:
            checked = [await self._service.check(submission) for submission in submissions]
            return await self._service.commit(checked)

        return self._runner.run(check_and_commit())

    def prune(self, library: bytes, floor: int) -> None:
        """Let the log's entries up to ``floor`` go."""
        self._runner.run(self._storage.prune(library, floor=floor))

    def close(self) -> None:
        self._runner.run(self._storage.close())
        self._runner.close()


class Shell:
    """A session with the real service behind it and the client's end before it."""

    def __init__(
        self,
        service: Service,
        library: SharedLibrary,
        keys: KeyPair,
        *,
        names: Sequence[str] = (),
    ) -> None:
        self.service, self.library, self.keys = service, library, keys
        self.session = Session(nonce=b"n" * 32, names=names)
        self.client = ClientConnection()
        self.submissions: list[Submission] = []
        self.grown: MembersPart | None = None
        (challenge,) = self.carry_out(self.session.greet())
        assert isinstance(challenge, Challenge)

    def carry_out(self, actions: Sequence[Action]) -> list[Message]:
        """Do what the session decided; the messages that the client gets."""
        got: list[Message] = []
        for action in actions:
            match action:
                case Send():
                    got.append(self.client.receive(action.raw))
                case Ask():
                    answer = self.service.answer(action.question)
                    if isinstance(answer, MembersPart):
                        self.grown = answer
                    got += self.carry_out(self.session.take_answer(answer))
                case Submit():
                    self.submissions.append(action.submission)
        return got

    def says(self, message: Message) -> list[Message]:
        """The client says something; what it gets at once."""
        return self.carry_out(self.session.receive(self.client.send(message)))

    def greeting(self, *, nonce: bytes = b"n" * 32, signer: KeyPair | None = None) -> Hello:
        """HELLO, signed for a nonce."""
        challenge = Challenge(PROTOCOL_VERSIONS, nonce)
        hello = make_hello(self.keys, challenge, library=self.library.id, relay=NAME)
        if signer is not None:
            said = hello_message(offered=PROTOCOL_VERSIONS, nonce=nonce, said=hello.said())
            hello = hello.with_signature(signer.sign(said))
        return hello

    def hello(self, *, signer: KeyPair | None = None) -> Message:
        """The greeting and its one answer."""
        (answer,) = self.says(self.greeting(signer=signer))
        return answer

    def pushes(self, *envelopes: Envelope) -> None:
        """Push without committing."""
        assert self.says(Push(tuple(envelope.raw for envelope in envelopes))) == []


def commit(service: Service, *shells: Shell, room: int = ROOM) -> list[list[Message]]:
    """Commit what the shells have submitted; what each of them gets."""
    waiting = [(shell, submission) for shell in shells for submission in shell.submissions]
    done: Commit = service.commit([submission for _, submission in waiting])
    got: list[list[Message]] = []
    for shell in shells:
        outcomes: list[Outcome] = []
        for (source, _), row in zip(waiting, done.outcomes, strict=True):
            if source is shell:
                outcomes.extend(row)
        shell.submissions = []
        growth = _growth(done, shell.library)
        actions = shell.session.apply_commit(outcomes, growth, room_bytes=room)
        got.append(shell.carry_out(actions))
    return got


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.close()


@pytest.fixture
def library() -> SharedLibrary:
    return SharedLibrary()


def opened(service: Service, library: SharedLibrary, keys: DeviceKeys | None = None) -> Shell:
    """A connection that is welcomed; makes the library where it is missing."""
    shell = Shell(service, library, keys or library.owner)
    welcome = shell.hello()
    assert isinstance(welcome, Welcome)
    if not welcome.exists:
        shell.says(Create(library.genesis))
        for index, record in enumerate(library.membership.records[1:]):
            (part,) = shell.says(PullMembers(index))
            assert isinstance(part, Members)
            shell.says(Append(part.head, record))
    assert shell.client.state is State.OPEN
    return shell


def live(service: Service, library: SharedLibrary, keys: DeviceKeys | None = None) -> Shell:
    """A connection that has pulled to the end."""
    shell = opened(service, library, keys)
    after = 0
    while not shell.session.is_live:
        (part,) = shell.says(Pull(after))
        assert isinstance(part, Envelopes)
        after = part.after + len(part.envelopes)
    return shell


def test_an_unknown_library_is_welcomed_as_missing_and_can_be_created(
    service: Service, library: SharedLibrary
) -> None:
    shell = Shell(service, library, library.owner)
    missing = shell.hello()
    assert isinstance(missing, Welcome)
    assert (missing.exists, missing.role) == (False, None)
    (welcome,) = shell.says(Create(library.genesis))
    assert isinstance(welcome, Welcome)
    assert (welcome.exists, welcome.role, welcome.members) == (True, "owner", 1)
    assert welcome.members_head == library.membership.head


def test_a_creation_that_lost_the_race_is_welcomed_too(
    service: Service, library: SharedLibrary
) -> None:
    first, second = (Shell(service, library, library.owner) for _ in range(2))
    first.hello()
    second.hello()
    assert first.says(Create(library.genesis)) == second.says(Create(library.genesis))


def test_a_greeting_signed_by_another_key_is_sent_away(
    service: Service, library: SharedLibrary
) -> None:
    shell = Shell(service, library, library.owner)
    goodbye = shell.hello(signer=new_device_keys("thief", seeded(3)))
    assert isinstance(goodbye, Bye)
    assert goodbye.retry is Retry.NEVER
    assert shell.session.is_closed
    assert not shell.session.is_greeted


def test_a_replayed_greeting_is_sent_away(service: Service, library: SharedLibrary) -> None:
    shell = Shell(service, library, library.owner)
    (goodbye,) = shell.says(shell.greeting(nonce=b"o" * 32))
    assert isinstance(goodbye, Bye)


@pytest.mark.parametrize(
    "altered",
    [
        {"versions": (2, 3)},
        {"library": b"x" * 16},
        {"relay": "other:443"},
        {"join": True},
        {"cursor": 7},
        {"attested": AttestedPosition(b"e" * 16, 7)},
        {"blob_tally": 7},
    ],
)
def test_nothing_of_a_greeting_can_be_altered_on_the_way(
    service: Service, library: SharedLibrary, altered: dict[str, Any]
) -> None:
    shell = Shell(service, library, library.owner)
    (goodbye,) = shell.says(replace(shell.greeting(), **altered))
    assert isinstance(goodbye, Bye)
    assert "signature" in goodbye.reason


def test_versions_that_a_relay_did_not_offer_cannot_be_put_into_its_challenge(
    service: Service, library: SharedLibrary
) -> None:
    """Who takes the better version out of a challenge is found out, because it is signed."""
    shell = Shell(service, library, library.owner)
    offered = (1, *PROTOCOL_VERSIONS)
    hello = make_hello(shell.keys, Challenge(offered, b"n" * 32), library=library.id, relay=NAME)
    (goodbye,) = shell.says(hello)
    assert isinstance(goodbye, Bye)


@pytest.mark.parametrize(("version", "older"), [(1, "your Bifolio"), (9, "this relay")])
def test_a_client_of_another_version_is_told_which_side_to_upgrade(
    service: Service, library: SharedLibrary, version: int, older: str
) -> None:
    shell = Shell(service, library, library.owner)
    hello = replace(shell.greeting(), version=version, versions=(version,))
    (goodbye,) = shell.says(hello)
    assert isinstance(goodbye, Bye)
    assert goodbye.retry is Retry.NEVER
    assert goodbye.reason.endswith(f"upgrade {older}")


def test_a_greeting_for_another_relay_is_not_taken_where_the_relay_knows_its_names(
    service: Service, library: SharedLibrary
) -> None:
    """A relay between the two passes on the greeting that was made for itself."""
    taken = Shell(service, library, library.owner, names=["elsewhere:1", NAME])
    assert isinstance(taken.hello(), Welcome)
    refused = Shell(service, library, library.owner, names=["refs.example.org:443"])
    goodbye = refused.hello()
    assert isinstance(goodbye, Bye)
    assert goodbye.retry is Retry.NEVER


def test_a_message_that_may_be_passed_over_is_passed_over(
    service: Service, library: SharedLibrary
) -> None:
    shell = opened(service, library)
    assert shell.carry_out(shell.session.receive(bytes([0x92, 0xCC, 200, 0x01]))) == []
    (goodbye,) = shell.carry_out(shell.session.receive(bytes([0x92, 100, 0x01])))
    assert isinstance(goodbye, Bye)


def test_garbage_ends_this_connection_with_a_reason(
    service: Service, library: SharedLibrary
) -> None:
    shell = opened(service, library)
    (goodbye,) = shell.carry_out(shell.session.receive(b"garbage"))
    assert isinstance(goodbye, Bye)
    assert goodbye.retry is Retry.ONCE
    assert shell.session.receive(Pull(0).serialize()) == []


def test_a_live_peer_is_told_of_others_entries_and_the_author_of_its_positions(
    service: Service, library: SharedLibrary
) -> None:
    keys = library.with_member()
    author, other = live(service, library), live(service, library, keys)
    envelopes = library.author().envelopes(2)
    author.pushes(*envelopes)
    acked, told = commit(service, author, other)
    assert acked == [
        Ack((Receipt(envelopes[0].hash, 1), Receipt(envelopes[1].hash, 2))),
    ]
    assert told == [Envelopes(0, tuple(envelope.raw for envelope in envelopes), 2)]


def test_in_a_shared_commit_everybody_is_told_in_the_order_of_positions(
    service: Service, library: SharedLibrary
) -> None:
    keys = library.with_member()
    first, second = live(service, library), live(service, library, keys)
    ours, theirs = library.author().envelopes(2), library.author(keys, seed=2).envelopes(1)
    first.pushes(ours[0])
    first.pushes(ours[1])
    second.pushes(theirs[0], ours[0])
    got_first, got_second = commit(service, first, second)
    assert got_first == [
        Ack((Receipt(ours[0].hash, 1), Receipt(ours[1].hash, 2))),
        Envelopes(2, (theirs[0].raw,), 3),
    ]
    assert got_second == [
        Ack((Receipt(ours[0].hash, 1),)),
        Envelopes(1, (ours[1].raw,), 3),
        Ack((Receipt(theirs[0].hash, 3),)),
    ]


def test_the_same_envelope_again_gets_the_same_position(
    service: Service, library: SharedLibrary
) -> None:
    shell = live(service, library)
    envelope = library.author().envelope()
    shell.pushes(envelope)
    (first,) = commit(service, shell)
    shell.pushes(envelope)
    assert commit(service, shell) == [first]


def test_fork_and_gap_say_what_the_relay_has(service: Service, library: SharedLibrary) -> None:
    shell = live(service, library)
    author: Author = library.author()
    clone = library.author()
    envelopes = author.envelopes(3)
    shell.pushes(envelopes[0])
    commit(service, shell)
    shell.pushes(envelopes[2], clone.envelope(b"another first"))
    ((gap, fork),) = commit(service, shell)
    assert isinstance(gap, Nack)
    assert (gap.code, gap.subject, gap.seq) == (Code.GAP, envelopes[2].hash, 1)
    assert isinstance(fork, Nack)
    assert (fork.code, fork.seq, fork.head) == (Code.FORK, 1, envelopes[0].hash)


def test_a_fork_from_what_the_log_let_go_says_where_the_chain_ends(
    service: Service, library: SharedLibrary
) -> None:
    shell = live(service, library)
    author, clone = library.author(), library.author()
    first = author.envelope()
    shell.pushes(first)
    commit(service, shell)
    service.prune(library.id, 1)
    early = clone.envelope(b"another first")
    shell.pushes(early, clone.envelope(b"on top of the other"))
    for nack in commit(service, shell)[0]:
        assert isinstance(nack, Nack)
        assert (nack.code, nack.seq, nack.head) == (Code.NEED_SNAPSHOT, 1, first.hash)
        assert not nack.proof


def test_what_was_committed_while_a_part_was_read_is_pulled_before_going_live(
    service: Service, library: SharedLibrary
) -> None:
    keys = library.with_member()
    author, reader = live(service, library), opened(service, library, keys)
    (ask,) = reader.session.receive(reader.client.send(Pull(0)))
    assert isinstance(ask, Ask)
    early = service.answer(ask.question)
    author.pushes(library.author().envelope())
    assert commit(service, author, reader)[1] == []
    (part,) = reader.carry_out(reader.session.take_answer(early))
    assert part == Envelopes(0, (), 1)
    assert not reader.session.is_live
    (part,) = reader.says(Pull(0))
    assert isinstance(part, Envelopes)
    assert len(part.envelopes) == 1
    assert reader.session.is_live


def test_what_was_read_already_is_not_sent_again(service: Service, library: SharedLibrary) -> None:
    keys = library.with_member()
    author, reader = live(service, library), opened(service, library, keys)
    author.pushes(library.author().envelope())
    done = service.commit(author.submissions)
    (part,) = reader.says(Pull(0))
    assert isinstance(part, Envelopes)
    assert len(part.envelopes) == 1
    late = reader.session.apply_commit((), _growth(done, library), room_bytes=ROOM)
    assert reader.carry_out(late) == []
    assert reader.session.is_live


def test_what_was_pulled_ahead_of_what_is_told_is_not_sent_again(
    service: Service, library: SharedLibrary
) -> None:
    keys = library.with_member()
    author, reader = live(service, library), opened(service, library, keys)
    source = library.author()
    told: list[LogPart | None] = []
    for _ in range(3):  # as if through another relay process: not told yet
        author.pushes(source.envelope())
        told.append(_growth(service.commit(author.submissions), library))
        author.submissions = []
    (part,) = reader.says(Pull(0))
    assert isinstance(part, Envelopes)
    assert len(part.envelopes) == 3
    for growth in told:
        late = reader.session.apply_commit((), growth, room_bytes=ROOM)
        assert reader.carry_out(late) == []
    author.pushes(source.envelope())
    _, news = commit(service, author, reader)
    assert [(message.after, message.n) for message in news if isinstance(message, Envelopes)] == [
        (3, 4)
    ]


def test_a_slow_reader_gets_one_notice_when_it_has_caught_up_and_then_pulls(
    service: Service, library: SharedLibrary
) -> None:
    keys = library.with_member()
    author, slow = live(service, library), live(service, library, keys)
    source = library.author()
    for _ in range(3):
        author.pushes(source.envelope())
        assert commit(service, author, slow, room=0)[1] == []
    assert not slow.session.is_live
    assert slow.carry_out(slow.session.resume()) == [Envelopes(3, (), 3)]
    assert slow.session.resume() == []
    (part,) = slow.says(Pull(0))
    assert isinstance(part, Envelopes)
    assert len(part.envelopes) == 3
    assert slow.session.is_live


def test_a_slow_writer_still_gets_its_acknowledgements(
    service: Service, library: SharedLibrary
) -> None:
    keys = library.with_member()
    author, other = live(service, library), live(service, library, keys)
    author.pushes(library.author().envelope())
    other.pushes(library.author(keys, seed=2).envelope())
    got = commit(service, author, other, room=0)
    assert [type(message) for message in got[0]] == [Ack]
    assert not author.session.is_live


def test_large_news_come_in_bounded_messages(service: Service, library: SharedLibrary) -> None:
    keys = library.with_member()
    author, other = live(service, library), live(service, library, keys)
    source = library.author()
    for envelope in source.envelopes(5, library.random(limits.BATCH_BYTES_TARGET // 2)):
        author.pushes(envelope)
    _, told = commit(service, author, other)
    parts = [message for message in told if isinstance(message, Envelopes)]
    assert [part.after for part in parts] == [0, 1, 2, 3, 4]
    assert len(told) == len(parts)


def test_who_is_no_member_reads_and_appends_membership_and_nothing_else(
    service: Service, library: SharedLibrary
) -> None:
    secret, _ = library.invite()
    opened(service, library)
    newcomer = Shell(service, library, ticket_keys(secret))
    welcome = newcomer.hello()
    assert isinstance(welcome, Welcome)
    assert welcome.role is None
    (refusal,) = newcomer.says(Pull(0))
    assert isinstance(refusal, Nack)
    assert refusal.code is Code.FORBIDDEN
    newcomer.pushes(library.author().envelope())
    ((refusal,),) = commit(service, newcomer)
    assert isinstance(refusal, Nack)
    assert refusal.code is Code.FORBIDDEN
    (members,) = newcomer.says(PullMembers(0))
    assert isinstance(members, Members)
    assert members.records == library.membership.records
    _, join = library.join(secret)
    (members,) = newcomer.says(Append(members.head, join))
    assert members == Members(2, (join,), 3, library.membership.head)


def test_everybody_hears_of_a_new_member(service: Service, library: SharedLibrary) -> None:
    owner, desktop = live(service, library), live(service, library)
    head = library.membership.head
    _, invite = library.invite()
    owner.says(Append(head, invite))
    assert owner.grown is not None
    told = desktop.carry_out(desktop.session.tell_members(owner.grown, room_bytes=ROOM))
    assert told == [Members(1, (invite,), 2, library.membership.head)]


@pytest.mark.parametrize("room", [ROOM, 0])
def test_who_is_removed_is_told_by_which_record_and_nothing_more(
    service: Service, library: SharedLibrary, room: int
) -> None:
    keys = library.with_member()
    owner, removed = live(service, library), live(service, library, keys)
    head = library.membership.head
    record = make_remove(
        library.membership,
        library.owner,
        cuts={keys.sign_public: {}},
        content_key=library.random(32),
        earlier={0: CONTENT_KEY},
        random_bytes=library.random,
    )[0]
    owner.says(Append(head, record))
    assert owner.grown is not None
    told = removed.carry_out(removed.session.tell_members(owner.grown, room_bytes=room))
    *members, goodbye = told
    assert [type(one) for one in members] == ([Members] if room else [])
    assert isinstance(goodbye, Bye)
    assert goodbye.retry is Retry.NEVER
    assert removed.session.is_closed
    assert not removed.session.is_member


def test_who_leaves_is_told_nothing_more(service: Service, library: SharedLibrary) -> None:
    keys = library.with_member()
    live(service, library)
    leaver = live(service, library, keys)
    record = make_leave(library.membership, keys, cut={})
    members, goodbye = leaver.says(Append(library.membership.head, record))
    assert isinstance(members, Members)
    assert isinstance(goodbye, Bye)
    assert not leaver.session.is_member


def test_a_slow_reader_hears_of_new_members_in_one_notice(
    service: Service, library: SharedLibrary
) -> None:
    owner, slow = live(service, library), live(service, library)
    head = library.membership.head
    for _ in range(2):
        _, invite = library.invite()
        owner.says(Append(head, invite))
        assert owner.grown is not None
        assert slow.session.tell_members(owner.grown, room_bytes=0) == []
        head = library.membership.head
    assert slow.carry_out(slow.session.resume()) == [Members(3, (), 3, head)]


def test_a_store_that_fails_ends_the_connection_without_an_acknowledgement(
    service: Service, library: SharedLibrary
) -> None:
    shell = live(service, library)
    actions = shell.session.apply_commit([Unavailable(b"h" * 32, "damaged")], None, room_bytes=ROOM)
    (goodbye,) = shell.carry_out(actions)
    assert isinstance(goodbye, Bye)
    assert goodbye.retry is Retry.BACKOFF


def test_who_is_told_that_others_changed_blobs_asks_again(
    service: Service, library: SharedLibrary
) -> None:
    member, slow = live(service, library), live(service, library)
    assert member.carry_out(member.session.tell_blob_news(room_bytes=ROOM)) == [Blobs((), 0)]
    assert slow.session.tell_blob_news(room_bytes=0) == []
    assert slow.carry_out(slow.session.resume()) == [Blobs((), 0)]


def _growth(commit: Commit, library: SharedLibrary) -> LogPart | None:
    """The new entries of a log to which nobody else wrote."""
    entries = commit.appended.get(library.id)
    if entries is None:
        return None
    return LogPart(min(entries) - 1, tuple(entries[at] for at in sorted(entries)), max(entries))

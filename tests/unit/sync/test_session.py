"""One connection's decisions, against a real replica and a relay of real messages."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.support.forks import proof_of_fork
from tests.support.stored_changes import all_envelopes
from tests.unit.replica.builders import Computer, members, new_computer, owner_of_a_library
from tests.unit.sync.builders import ScriptedRelay, Talk, notes, relay_of

from bifolio import limits
from bifolio.crypto.envelope import parse_envelope
from bifolio.crypto.membership import invite_keys, make_revoke
from bifolio.errors import (
    BifolioError,
    MembershipError,
    Next,
    NextStep,
    NotAMemberError,
    ProtocolError,
    RelayRefusedError,
    VersionsError,
)
from bifolio.ids import content_hash
from bifolio.library import status
from bifolio.sync.phases import Joined, Left
from bifolio.wire.messages import (
    Ack,
    Append,
    Bye,
    Challenge,
    Code,
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
    Unknown,
)

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    office = owner_of_a_library(tmp_path)
    office.adds(ONE, {"title": "On Paper"})
    return office


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Computer, Computer, ScriptedRelay]:
    """Two members and a relay that holds one envelope of the first; both have pulled it."""
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    relay = relay_of(office)
    Talk(office, relay).run()
    Talk(home, relay).run()
    assert len(relay.log) == 1
    return office, home, relay


def cursor_of(computer: Computer) -> int:
    cursor = computer.replica.meta.cursor
    assert cursor is not None
    return cursor.position


def positions(computer: Computer) -> list[int | None]:
    return [one.position for one in all_envelopes(computer.replica.database)]


def pushed(messages: list[Message]) -> Push:
    (message,) = messages
    assert isinstance(message, Push)
    return message


# --- the ordinary course ------------------------------------------------------------------


def test_a_library_new_to_the_relay_is_created_and_pushed(office: Computer) -> None:
    relay = relay_of(office)
    talk = Talk(office, relay).run()
    assert talk.kinds() == ["HELLO", "CREATE", "PULL", "PUSH"]
    assert talk.session.is_settled
    assert talk.session.counts.pushed == 2
    assert office.replica.changes.unsent() == 0
    assert positions(office) == [1]
    assert office.replica.meta.cursor == relay.position()


def test_nothing_is_sent_twice(office: Computer) -> None:
    relay = relay_of(office)
    Talk(office, relay).run()
    again = Talk(office, relay).run()
    assert again.session.is_settled
    assert (again.session.counts.pushed, again.session.counts.pulled) == (0, 0)
    assert "PUSH" not in again.kinds()


def test_a_member_pulls_to_the_end_before_it_pushes(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    relay = relay_of(office)
    for number in range(7):
        office.adds(f"{number + 1:032x}", {"title": f"Title {number}"})
        office.outbox.seal()
    Talk(office, relay).run()
    home.adds("f" * 32, {"title": "Of home"})
    talk = Talk(home, relay).run()
    assert talk.kinds() == ["HELLO", "PULL", "PULL", "PULL", "PULL", "PUSH"]
    assert len(home.titles()) == 8
    assert talk.session.is_settled
    Talk(office, relay).run()
    assert office.state == home.state


def test_an_edit_of_another_process_is_pushed_at_once(office: Computer) -> None:
    talk = Talk(office, relay_of(office)).run()
    office.adds(TWO, {"title": "On Ink"})
    assert not talk.session.counts.pushed > 2
    talk.go_on(talk.local_change())
    assert talk.session.is_settled
    assert talk.session.counts.pushed == 3


def test_what_is_written_while_something_is_sent_is_sent_too_and_survives_a_kill(
    office: Computer,
) -> None:
    """The acknowledgement of the one says nothing of the other."""
    relay = relay_of(office)
    talk = Talk(office, relay)
    talk.run()
    office.adds(TWO, {"title": "On Ink"})
    (push,) = talk.local_change()
    office.sets(TWO, "note", "Written meanwhile.")
    talk.go_on([push])  # the session ends here: nothing of the second was sent by it
    again = Talk(office, relay).run()
    assert office.replica.changes.unsent() == 0
    assert again.session.is_settled
    bodies = [one for one in all_envelopes(office.replica.database) if one.position is not None]
    assert len(bodies) == len(relay.log)


def test_progress_tells_both_ways(pair: tuple[Computer, Computer, ScriptedRelay]) -> None:
    office, home, relay = pair
    for number in range(4):
        office.adds(f"{number + 5:032x}", {"title": f"Title {number}"})
        office.outbox.seal()
    Talk(office, relay).run()
    talk = Talk(home, relay)
    talk.tell(relay.welcome(talk.greet()))
    assert talk.session.progress() == ("receiving", 1, 5)
    talk.go_on([Pull(1)])
    assert talk.session.progress() == ("sending", 0, 0)


# --- a relay that lost something -----------------------------------------------------------


def test_a_wiped_relay_gets_everything_again_from_anyone(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    wiped = ScriptedRelay(relay.library, epoch=b"2" * 16)
    talk = Talk(home, wiped).run()
    assert wiped.log == relay.log
    assert wiped.members == relay.members
    assert talk.session.is_settled
    assert "lost part of its log" in notes(home)[0]
    Talk(office, wiped).run()
    assert office.replica.meta.cursor == home.replica.meta.cursor == wiped.position()


def test_a_relay_that_was_rolled_back_is_seen_by_the_hash_at_the_cursor(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    Talk(home, relay).run()
    lost = relay.log.pop()
    talk = Talk(home, relay).run()
    assert relay.log[-1] == lost
    assert talk.session.is_settled
    assert "lost part of its log" in notes(home)[0]


def test_a_rolled_back_relay_that_others_have_written_to_since_loses_nothing(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    relay.log.pop()
    home.adds(THREE, {"title": "On Glue"})
    Talk(home, relay).run()
    Talk(office, relay).run()
    Talk(home, relay).run()
    assert home.titles() == office.titles() == ["On Glue", "On Ink", "On Paper"]
    assert len(relay.log) == 3
    assert home.state == office.state


def test_a_log_that_is_not_what_welcome_said_ends_the_session(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    talk = Talk(home, relay)
    talk.greet()
    talk.tell(relay.welcome())
    relay.log[1] = relay.log[0]
    before = home.tables()
    with pytest.raises(ProtocolError, match="not what it said"):
        talk.tell(relay.entries(0))
    assert home.tables() == before


def test_a_newcomer_notices_a_relay_rolled_back_since_its_ticket(
    pair: tuple[Computer, Computer, ScriptedRelay], tmp_path: Path
) -> None:
    office, _, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    secret = b"s" * 32
    Talk(office, relay, invite_secret=secret).run()
    expected = relay.position()
    relay.log.pop()
    train = new_computer(tmp_path, "train", library=relay.library)
    Talk(train, relay, join_secret=secret, expected=expected).run()
    assert "holds less than it did" in notes(train)[0]


def test_a_newcomer_is_told_that_the_relay_was_set_up_anew_since_its_ticket(
    pair: tuple[Computer, Computer, ScriptedRelay], tmp_path: Path
) -> None:
    office, _, relay = pair
    secret = b"s" * 32
    Talk(office, relay, invite_secret=secret).run()
    expected = relay.position()
    other = ScriptedRelay(relay.library, epoch=b"3" * 16)
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, other).run()
    assert len(other.log) > expected.position
    train = new_computer(tmp_path, "train", library=relay.library)
    Talk(train, other, join_secret=secret, expected=expected).run()
    Talk(train, other).run()
    assert notes(train) == ["The relay was set up again since the ticket was made."]
    assert train.titles() == office.titles()


def test_an_unknown_or_empty_relay_deletes_nothing(
    pair: tuple[Computer, Computer, ScriptedRelay], tmp_path: Path
) -> None:
    _, home, relay = pair
    state = home.state
    Talk(home, ScriptedRelay(relay.library, epoch=b"3" * 16)).run()
    assert home.state == state
    newcomer = new_computer(tmp_path, "train", library=relay.library)
    with pytest.raises(RelayRefusedError, match="does not hold this library"):
        Talk(newcomer, ScriptedRelay(relay.library)).run()


# --- order and gaps ------------------------------------------------------------------------


def test_a_gap_in_what_is_broadcast_is_pulled_from_the_cursor(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    talk = Talk(home, relay).run()
    for number in range(3):
        office.adds(f"{number + 5:032x}", {"title": f"Title {number}"})
        office.outbox.seal()
    Talk(office, relay).run()
    said = talk.tell(relay.entries(3, count=1))
    assert said == [Pull(1)]
    assert home.replica.changes.waiting() == 0
    talk.go_on(said)
    assert talk.session.is_settled
    assert cursor_of(home) == 4


def test_entries_that_are_known_already_are_passed_over(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    talk = Talk(home, relay).run()
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    assert talk.tell(relay.entries(0)) == []
    assert talk.session.counts.pulled == 1
    assert talk.tell(relay.entries(0)) == []
    assert talk.session.counts.pulled == 1
    assert cursor_of(home) == 2


def test_a_notice_that_the_log_grew_is_followed_by_a_pull(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    talk = Talk(home, relay).run()
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    said = talk.tell(Envelopes(2, (), 2))
    assert said == [Pull(1)]
    talk.go_on(said)
    assert talk.session.is_settled


def test_an_acknowledgement_ahead_of_the_log_counts_when_the_log_reaches_it(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    talk = Talk(home, relay).run()
    home.adds(THREE, {"title": "On Glue"})
    push = pushed(talk.local_change())
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    relay.log += push.envelopes
    said = talk.tell(Ack((Receipt(content_hash(push.envelopes[0]), 3),)))
    assert said == [Pull(1)]
    assert positions(home) == [1, None]
    assert not talk.session.is_settled
    talk.tell(relay.entries(1, count=1))
    assert sorted(one or 0 for one in positions(home)) == [1, 2, 3]
    assert home.replica.meta.cursor == relay.position()
    assert talk.session.is_settled


def test_an_acknowledgement_after_the_broadcast_of_the_same_is_fine(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    _, home, relay = pair
    talk = Talk(home, relay).run()
    home.adds(THREE, {"title": "On Glue"})
    push = pushed(talk.local_change())
    relay.log += push.envelopes
    talk.tell(relay.entries(1))
    talk.tell(Ack((Receipt(content_hash(push.envelopes[0]), 2),)))
    assert talk.session.is_settled
    assert positions(home) == [1, 2]
    assert talk.session.counts.pulled == 0


def test_an_acknowledgement_of_what_was_never_sent_changes_nothing(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    _, home, relay = pair
    talk = Talk(home, relay).run()
    before = home.tables()
    assert talk.tell(Ack((Receipt(b"x" * 32, 2),))) == []
    assert home.tables() == before


# --- membership ----------------------------------------------------------------------------


def test_a_ticket_s_holder_joins_and_comes_back_as_itself(
    pair: tuple[Computer, Computer, ScriptedRelay], tmp_path: Path
) -> None:
    office, _, relay = pair
    secret = b"s" * 32
    Talk(office, relay, invite_secret=secret).run()
    train = new_computer(tmp_path, "train", library=relay.library)
    talk = Talk(train, relay, join_secret=secret).run()
    assert talk.session.phase == Left(Joined())
    assert talk.kinds() == ["HELLO", "PULL_MEMBERS", "APPEND"]
    assert isinstance(talk.sent[0], Hello)
    assert talk.sent[0].join
    back = Talk(train, relay).run()
    assert back.session.is_settled
    assert train.titles() == ["On Paper"]
    again = Talk(office, relay, invite_secret=secret).run()
    assert again.kinds() == ["HELLO", "PULL_MEMBERS", "PULL"]


def test_a_head_that_moved_is_pulled_and_signed_again(
    pair: tuple[Computer, Computer, ScriptedRelay], tmp_path: Path
) -> None:
    office, _, relay = pair
    Talk(office, relay, invite_secret=b"s" * 32).run()
    talk = Talk(office, relay, invite_secret=b"t" * 32)
    said = talk.tell(relay.welcome(talk.greet()))
    train = new_computer(tmp_path, "train", library=relay.library)
    assert Talk(train, relay, join_secret=b"s" * 32).run().session.phase == Left(Joined())
    talk.go_on(said)
    assert talk.kinds() == ["HELLO", "APPEND", "PULL_MEMBERS", "APPEND", "PULL"]
    plane = new_computer(tmp_path, "plane", library=relay.library)
    assert Talk(plane, relay, join_secret=b"t" * 32).run().session.phase == Left(Joined())


def test_a_membership_log_that_never_agrees_comes_to_an_end(
    pair: tuple[Computer, Computer, ScriptedRelay], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _, relay = pair
    monkeypatch.setattr(limits, "MEMBERSHIP_APPENDS_MAX", 3)
    talk = Talk(office, relay, invite_secret=b"s" * 32)
    (append,) = talk.tell(relay.welcome(talk.greet()))
    assert append.NAME == "APPEND"

    def refuse_for_ever() -> None:
        count = len(relay.members)
        for _ in range(20):
            talk.tell(Nack(Code.HEAD_MOVED, b"s" * 32, "it moved"))
            talk.tell(Members(count, (), count, content_hash(relay.members[-1])))

    with pytest.raises(MembershipError):
        refuse_for_ever()


def test_a_forged_membership_record_is_refused(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    _, home, relay = pair
    talk = Talk(home, relay).run()
    before = home.tables()
    bad = relay.members[1][:-1] + bytes([relay.members[1][-1] ^ 1])
    count = len(relay.members)
    whole = Members(0, (*relay.members, bad), count + 1, content_hash(bad))
    asked = talk.tell(Members(count, (bad,), count + 1, content_hash(bad)))
    assert asked == [PullMembers(0)]  # where the logs part is to be seen
    with pytest.raises(MembershipError):
        talk.tell(whole)
    assert home.tables() == before


def test_a_relay_without_all_members_is_given_them_first(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    _, home, relay = pair
    whole = list(relay.members)
    del relay.members[2:]
    talk = Talk(home, relay).run()
    assert relay.members == whole
    assert talk.session.is_settled


def test_membership_records_are_progress_whoever_lacked_them(
    pair: tuple[Computer, Computer, ScriptedRelay], tmp_path: Path
) -> None:
    """On a line that is cut, a long list of members is worth another connection."""
    _, home, relay = pair
    del relay.members[2:]
    talk = Talk(home, relay).run()
    assert talk.session._line.progress_bytes == sum(map(len, relay.members[2:])) > 0
    newcomer = new_computer(tmp_path, "newcomer", library=relay.library)
    talk = Talk(newcomer, relay)
    with pytest.raises(NotAMemberError):
        talk.run()
    assert talk.session._line.progress_bytes == sum(map(len, relay.members))


def test_who_is_no_member_is_told_so_and_loses_nothing(office: Computer, tmp_path: Path) -> None:
    relay = relay_of(office)
    Talk(office, relay).run()
    stranger = new_computer(tmp_path, "stranger", library=relay.library)
    stranger.adds(TWO, {"title": "On Ink"})
    with pytest.raises(NotAMemberError):
        Talk(stranger, relay).run()
    assert stranger.titles() == ["On Ink"]
    assert stranger.replica.changes.unsent() == 1


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [Code.FORK, Code.GAP])
def test_a_refused_chain_goes_on_as_a_new_one(
    pair: tuple[Computer, Computer, ScriptedRelay], code: Code
) -> None:
    office, home, relay = pair
    for number in range(3):
        home.adds(f"{number + 5:032x}", {"title": f"Title {number}"})
        home.outbox.seal()
    refused = [
        parse_envelope(one.envelope) for one in all_envelopes(home.replica.database) if one.own
    ]
    relay.refuses = {
        one.hash: Nack(code, one.hash, "another is there", proof=proof_of_fork(one, home.keys))
        for one in refused
    }
    talk = Talk(home, relay).run()
    assert talk.session.is_settled
    assert home.replica.changes.unsent() == 0
    Talk(office, relay).run()
    assert office.state == home.state
    assert len(office.titles()) == 4


@pytest.mark.parametrize("code", [Code.TOO_BIG, Code.INVALID])
def test_one_refused_envelope_is_left_out_and_named_and_the_rest_goes_on(
    pair: tuple[Computer, Computer, ScriptedRelay], code: Code
) -> None:
    office, _, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    office.outbox.seal()
    (own,) = office.replica.changes.unacknowledged(after=0, bytes_max=1 << 30)
    relay.refuses = {own.hash: Nack(code, own.hash, "it does not fit")}
    talk = Talk(office, relay).run()
    assert talk.session.is_settled
    assert "it does not fit" in notes(office)[0]
    assert office.replica.changes.unsent() == 1
    assert office.titles() == ["On Ink", "On Paper"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (Code.FORBIDDEN, NotAMemberError),
        (Code.QUOTA, RelayRefusedError),
        (Code.RATE, RelayRefusedError),
        (Code.STALE_KEY, RelayRefusedError),
    ],
)
def test_a_refusal_of_everything_is_told_and_nothing_is_lost(
    pair: tuple[Computer, Computer, ScriptedRelay], code: Code, error: type[BifolioError]
) -> None:
    office, _, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    talk = Talk(office, relay)
    talk.greet()
    (pull,) = talk.tell(relay.welcome())
    assert isinstance(pull, Pull)
    push = pushed(talk.tell(relay.entries(0)))
    assert talk.tell(Nack(code, content_hash(push.envelopes[0]), "no")) == []
    assert isinstance(talk.session.phase, Left)
    assert isinstance(talk.session.phase.why, error)
    assert talk.session.phase.why.next_step
    assert office.replica.changes.unsent() == 1
    assert [one.reason for one in status.refusals(office.replica)]


def test_a_refusal_in_a_word_of_a_later_version_is_named_with_its_reason(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, _, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    talk = Talk(office, relay)
    talk.tell(relay.welcome(talk.greet()))
    push = pushed(talk.tell(relay.entries(cursor_of(office))))
    refusal = Nack(Code("on-holiday"), content_hash(push.envelopes[0]), "ask in summer")
    assert talk.tell(refusal) == []
    assert isinstance(talk.session.phase, Left)
    assert isinstance(talk.session.phase.why, RelayRefusedError)
    (named,) = status.refusals(office.replica)
    assert "ask in summer" in named.reason
    assert office.replica.changes.unsent() == 1


def test_news_of_a_later_version_are_passed_over(office: Computer) -> None:
    talk = Talk(office, relay_of(office)).run()
    assert talk.tell(Unknown(99)) == []
    assert talk.session.is_settled


def test_a_farewell_ends_it_and_says_whether_to_come_back(office: Computer) -> None:
    talk = Talk(office, relay_of(office)).run()
    assert talk.tell(Bye(Retry.BACKOFF, "closing")) == []
    assert talk.session.phase == Left(Bye(Retry.BACKOFF, "closing"))


@pytest.mark.parametrize(
    ("offered", "older", "step"),
    [((1,), "The relay", Next.UPGRADE_RELAY), ((3, 4), "This Bifolio", Next.UPGRADE)],
)
def test_a_relay_of_another_version_is_refused_and_the_older_side_named(
    office: Computer, offered: tuple[int, ...], older: str, step: Next
) -> None:
    with pytest.raises(VersionsError) as caught:
        Talk(office, relay_of(office)).tell(Challenge(offered, b"n" * 32))
    assert caught.value.message.startswith(f"{older} is too old")
    assert caught.value.next_step == NextStep(step)


def test_the_best_version_that_both_sides_speak_is_chosen(office: Computer) -> None:
    talk = Talk(office, relay_of(office))
    (hello,) = talk.tell(Challenge((1, 2, 9), b"n" * 32))
    assert isinstance(hello, Hello)
    assert (hello.version, hello.versions) == (2, (2,))


def test_what_only_a_client_says_is_refused_from_a_relay(office: Computer) -> None:
    for message in (Pull(0), Push((b"x",))):
        with pytest.raises(ProtocolError, match=f"{message.NAME} came from a relay"):
            Talk(office, relay_of(office)).session.receive(message)


def test_log_entries_and_acknowledgements_before_a_welcome_are_refused(office: Computer) -> None:
    for message in (Envelopes(0, (b"x",), 1), Ack((Receipt(b"x" * 32, 1),))):
        with pytest.raises(ProtocolError, match="before a welcome"):
            Talk(office, relay_of(office)).session.receive(message)


def test_a_forged_entry_of_the_log_is_named_and_the_rest_goes_on(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, home, relay = pair
    relay.log.append(random.Random(1).randbytes(200))
    office.adds(TWO, {"title": "On Ink"})
    Talk(office, relay).run()
    talk = Talk(home, relay).run()
    assert talk.session.is_settled
    assert cursor_of(home) == 3
    assert home.titles() == ["On Ink", "On Paper"]
    assert any("was refused" in one.reason for one in status.refusals(home.replica))


def test_a_receipt_for_a_place_that_another_envelope_holds_counts_for_nothing(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    office, _, relay = pair
    office.adds(TWO, {"title": "On Ink"})
    talk = Talk(office, relay)
    said = talk.tell(relay.welcome(talk.greet()))
    while not isinstance(said[0], Push):
        said = [more for answer in relay.answers(said[0]) for more in talk.tell(answer)]
    (own,) = pushed(said).envelopes
    talk.tell(Ack((Receipt(content_hash(own), 1),)))
    assert office.replica.changes.unsent() == 1
    Talk(office, relay).run()
    assert own in relay.log
    assert office.replica.changes.unsent() == 0


def test_a_relay_that_refuses_every_chain_comes_to_an_end(
    pair: tuple[Computer, Computer, ScriptedRelay], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _, relay = pair
    monkeypatch.setattr(limits, "CHAIN_RESTARTS_MAX", 3)
    office.adds(TWO, {"title": "On Ink"})
    talk = Talk(office, relay)
    said = talk.tell(relay.welcome(talk.greet()))

    def refuse_every_push() -> None:
        nonlocal said
        while True:
            message = said[0]
            if isinstance(message, Push):
                pushed = parse_envelope(message.envelopes[0])
                proof = proof_of_fork(pushed, office.keys)
                said = talk.tell(Nack(Code.FORK, pushed.hash, "taken", proof=proof))
            else:
                said = [more for answer in relay.answers(message) for more in talk.tell(answer)]

    with pytest.raises(ProtocolError, match="again and again to continue"):
        refuse_every_push()
    assert talk.kinds().count("PUSH") == 4
    Talk(office, relay).run()
    assert office.replica.changes.unsent() == 0


def test_a_key_that_is_owed_and_refused_stops_no_sync(
    pair: tuple[Computer, Computer, ScriptedRelay],
) -> None:
    """As where the list of members has no room any more: an owner syncs all the same."""
    office, _, relay = pair
    secret = b"s" * 32
    Talk(office, relay, invite_secret=secret).run()
    membership = office.member_log.membership()
    assert membership is not None
    keys = office.replica.keys
    revoke = make_revoke(membership, keys, sign_public=invite_keys(secret).sign_public)
    office.member_log.learn([revoke])
    relay.members.append(revoke)
    office.adds(TWO, {"title": "On Ink"})
    talk = Talk(office, relay)
    said = talk.tell(relay.welcome(talk.greet(), role="owner"))
    refused = 0
    while said:
        message = said.pop(0)
        if isinstance(message, Append):
            refused += 1
            said += talk.tell(Nack(Code.QUOTA, content_hash(message.record), "it is full"))
            continue
        for answer in relay.answers(message):
            said += talk.tell(answer)
    assert refused == 1
    assert talk.session.is_settled
    again = Talk(office, relay).run()
    assert "APPEND" in again.kinds()
    after = office.member_log.membership()
    assert after is not None
    assert not after.needs_new_key

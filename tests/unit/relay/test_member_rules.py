"""What the relay adds to the rules of a membership log: room, haste, and when a ticket ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.relay_client import CONTENT_KEY, SharedLibrary, seeded

from bifolio import limits
from bifolio.crypto.envelope import author_chain
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import (
    ChainEnd,
    Cut,
    Membership,
    Role,
    invite_keys,
    make_carry,
    make_invite,
    make_join,
    make_remove,
    make_rename,
    make_rotate,
    merge_logs,
)
from bifolio.crypto.membership.records import VERSION, RecordHeader, sign_record
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay.join_rates import JoinRates
from bifolio_relay.log_service import LogService
from bifolio_relay.member_rules import cuts_of, judge_record, judge_replacement
from bifolio_relay.requests import (
    AppendMember,
    CreateLibrary,
    LibraryInfo,
    MembersPart,
    OpenLibrary,
    Rejected,
    ReplaceMembers,
    Submission,
)
from bifolio_relay.storage.sqlite import SqliteLogStorage


@pytest.fixture
def library() -> SharedLibrary:
    return SharedLibrary()


def code_of(answer: MembersPart | Rejected) -> Code | None:
    return answer.code if isinstance(answer, Rejected) else None


def asked(
    library: SharedLibrary, raw: bytes, carrier: bytes, *, fresh: bool = True
) -> AppendMember:
    return AppendMember(library.id, carrier, library.membership.head, raw, fresh)


def join_with(library: SharedLibrary, secret: bytes) -> AppendMember:
    """A newcomer's join, asked for with the ticket's key."""
    keys = new_device_keys("new", library.random)
    raw = make_join(library.membership, keys, ticket_secret=secret)
    return asked(library, raw, invite_keys(secret).sign_public)


def rename(library: SharedLibrary, author: DeviceKeys, name: str = "x") -> bytes:
    return make_rename(
        library.membership,
        author,
        device=author.sign_public,
        name=name,
        generation=0,
        content_key=CONTENT_KEY,
        random_bytes=library.random,
    )


def removal(library: SharedLibrary, gone: DeviceKeys, cut: Cut) -> bytes:
    return make_remove(
        library.membership,
        library.owner,
        cuts={gone.sign_public: cut},
        content_key=b"n" * 32,
        earlier={0: CONTENT_KEY},
        random_bytes=library.random,
    )[0]


def test_a_ticket_lets_in_until_it_ends(library: SharedLibrary) -> None:
    secret, _ = library.invite(expires_ms=1000)
    question = join_with(library, secret)
    assert code_of(judge_record(library.membership, question, now_ms=999)) is None
    assert code_of(judge_record(library.membership, question, now_ms=1000)) is Code.EXPIRED
    # A member that gives a lost log back brings who joined in time.
    given_back = AppendMember(
        library.id, library.owner.sign_public, library.membership.head, question.record
    )
    assert code_of(judge_record(library.membership, given_back, now_ms=2000)) is None


def test_a_ticket_lets_in_so_many_within_a_minute(library: SharedLibrary) -> None:
    secret, _ = library.invite()
    question = join_with(library, secret)
    most = limits.RELAY_JOINS_PER_MINUTE
    assert code_of(judge_record(library.membership, question, joined_lately=most - 1)) is None
    assert code_of(judge_record(library.membership, question, joined_lately=most)) is Code.RATE


def test_joins_are_counted_by_ticket_and_minute() -> None:
    rates = JoinRates()
    for _ in range(3):
        rates.note(b"l", b"i", 60_000)
    assert rates.count(b"l", b"i", 119_999) == 3
    assert rates.count(b"l", b"i", 120_000) == 0
    assert rates.count(b"l", b"other", 60_000) == 0
    rates.note(b"l", b"i", 120_000)
    assert rates.count(b"l", b"i", 120_000) == 1


def test_what_joins_are_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RELAY_JOIN_RATES_KEPT", 3)
    rates = JoinRates()
    for number in range(9):
        rates.note(b"l", bytes([number]), 0)
    assert [rates.count(b"l", bytes([number]), 0) for number in range(9)] == [0] * 6 + [1] * 3


def test_room_is_kept_for_owners_so_that_removal_is_always_possible(
    library: SharedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = library.with_member()
    secret, _ = library.invite()
    count = len(library.membership.records)
    monkeypatch.setattr(limits, "RELAY_MEMBERSHIP_RECORDS_MAX", count + 1)
    monkeypatch.setattr(limits, "RELAY_MEMBERSHIP_KEPT_FOR_OWNERS", 2)
    for question in (
        join_with(library, secret),
        asked(library, rename(library, editor), editor.sign_public),
    ):
        assert code_of(judge_record(library.membership, question)) is Code.QUOTA
    remove = asked(library, removal(library, editor, {}), library.owner.sign_public)
    assert code_of(judge_record(library.membership, remove)) is None


def test_room_in_bytes_is_kept_for_owners_too(
    library: SharedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = library.with_member()
    size = library.membership.size_bytes
    monkeypatch.setattr(limits, "RELAY_MEMBERSHIP_BYTES_MAX", size + 1000)
    monkeypatch.setattr(limits, "RELAY_MEMBERSHIP_KEPT_FOR_OWNERS", 2)
    question = asked(library, rename(library, editor), editor.sign_public)
    assert code_of(judge_record(library.membership, question)) is Code.QUOTA
    remove = asked(library, removal(library, editor, {}), library.owner.sign_public)
    assert code_of(judge_record(library.membership, remove)) is None


def test_no_member_fills_the_rest_alone(
    library: SharedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, other = library.with_member(), library.with_member()
    monkeypatch.setattr(limits, "RELAY_MEMBERSHIP_RECORDS_OF_ONE_MAX", 2)
    for number in range(2):
        library.membership = library.membership.append(rename(library, editor, str(number)))
    for keys, code in ((editor, Code.QUOTA), (other, None), (library.owner, None)):
        question = asked(library, rename(library, keys), keys.sign_public)
        assert code_of(judge_record(library.membership, question)) is code


def test_who_only_claims_to_be_an_owner_gets_no_owners_room(
    library: SharedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RELAY_MEMBERSHIP_RECORDS_MAX", len(library.membership.records) + 1)
    raw = rename(library, library.owner)
    forged = raw[:-64] + bytes(64)
    question = asked(library, forged, b"s" * 32)
    assert code_of(judge_record(library.membership, question)) is Code.INVALID


# --- the cut --------------------------------------------------------------------------------


class Relay:
    """The real service over the real store, to be called without ``await``."""

    def __init__(self, folder: Path, library: SharedLibrary) -> None:
        self._runner = asyncio.Runner()
        self._storage = SqliteLogStorage(folder)
        self._service = LogService(self._storage, random_bytes=seeded(7), now_ms=lambda: 0)
        self.library = library
        opening = OpenLibrary(library.id, library.owner.sign_public, 0, None)
        assert isinstance(self.ask(CreateLibrary(opening, library.genesis)), LibraryInfo)
        head = content_hash(library.genesis)
        for raw in library.membership.records[1:]:
            carrier = library.owner.sign_public
            answer = self.ask(AppendMember(library.id, carrier, head, raw))
            assert isinstance(answer, MembersPart)
            head = answer.head

    def ask(self, question: CreateLibrary | AppendMember) -> object:
        return self._runner.run(self._service.answer(question))

    def push(self, keys: DeviceKeys, *envelopes: bytes) -> None:
        async def pushed() -> None:
            submission = Submission(self.library.id, keys.sign_public, envelopes)
            await self._service.commit([await self._service.check(submission)])

        self._runner.run(pushed())

    def close(self) -> None:
        self._runner.run(self._storage.close())
        self._runner.close()


def test_a_removal_that_leaves_out_what_its_member_wrote_meanwhile_is_made_again(
    library: SharedLibrary, tmp_path: Path
) -> None:
    editor = library.with_member()
    relay = Relay(tmp_path, library)
    author = library.author(editor)
    first, second = author.envelopes(2)
    relay.push(editor, first.raw, second.raw)
    chain = first.header.chain
    owner = library.owner.sign_public
    for cut in ({}, {chain: ChainEnd(1, first.hash)}, {chain: ChainEnd(2, first.hash)}):
        answer = relay.ask(asked(library, removal(library, editor, cut), owner))
        assert isinstance(answer, Rejected)
        assert answer.code is Code.HEAD_MOVED
    good = removal(library, editor, {chain: ChainEnd(2, second.hash)})
    assert isinstance(relay.ask(asked(library, good, owner)), MembersPart)
    relay.close()


@pytest.mark.parametrize("fresh", [True, False])
def test_a_removal_is_given_back_to_a_relay_that_forgot_whatever_it_holds(
    library: SharedLibrary, tmp_path: Path, fresh: bool
) -> None:
    """Less than the cut is no harm; more, pushed to a relay that was rolled back, is refused by
    every replica: neither can keep the removal out."""
    editor = library.with_member()
    relay = Relay(tmp_path, library)
    first, second = library.author(editor).envelopes(2)
    if not fresh:
        relay.push(editor, first.raw, second.raw)
    cut = {first.header.chain: ChainEnd(1, first.hash)}
    raw = removal(library, editor, cut)
    answer = relay.ask(asked(library, raw, library.owner.sign_public, fresh=fresh))
    assert isinstance(answer, MembersPart)
    if fresh:
        # What lies inside the cut is taken later, from whoever carries it.
        library.membership = library.membership.append(raw)
        relay.push(library.owner, first.raw, second.raw)
        relay.close()
        return
    relay.close()


def test_where_chains_end_is_read_from_each_kind_that_cuts(library: SharedLibrary) -> None:
    editor = library.with_member()
    cut = {b"c" * 16: ChainEnd(3, b"h" * 32)}
    by_author = {author_chain(editor.sign_public, b"c" * 16): cut[b"c" * 16]}
    assert cuts_of(removal(library, editor, cut)) == {editor.sign_public: by_author}
    assert cuts_of(removal(library, editor, {})) == {editor.sign_public: {}}
    assert cuts_of(rename(library, editor)) == {}
    assert cuts_of(library.genesis) == {}


def test_a_membership_knows_its_size(library: SharedLibrary) -> None:
    library.with_member()
    membership = Membership.from_records(library.membership.records)
    assert membership.size_bytes == sum(map(len, library.membership.records))
    count, size_bytes = membership.written_by(library.owner.sign_public)
    assert count == 2
    assert 0 < size_bytes < membership.size_bytes


# --- a list in the place of another one -----------------------------------------------------


class Forked:
    """A relay's log and another one, of which the other goes on by the rule."""

    def __init__(self, library: SharedLibrary) -> None:
        self.shared = library.membership
        self.owner = library.owner
        logs = [
            self.shared.append(
                make_invite(
                    self.shared,
                    library.owner,
                    ticket_secret=bytes([number]) * 32,
                    role=Role.EDITOR,
                    generation=0,
                    content_key=CONTENT_KEY,
                )
            )
            for number in (1, 2)
        ]
        merged = merge_logs(*logs)
        self.ours = merged.winner
        self.relay = logs[1] if self.ours == logs[0] else logs[0]

    def whole(self, carrier: DeviceKeys, *, count: int = 1) -> Membership:
        """Ours with all that is in the relay's."""
        lost = self.relay.records[len(self.shared.records) :]
        whole = self.ours
        for raw in make_carry(whole, carrier, lost, count_min=count):
            whole = whole.append(raw)
        return whole

    def ask(self, whole: Membership, carrier: bytes, *, kept: int | None = None) -> ReplaceMembers:
        kept = len(self.shared.records) if kept is None else kept
        return ReplaceMembers(
            whole.library_id, carrier, self.relay.head, kept, whole.records[kept:]
        )


def test_a_list_that_goes_on_takes_the_place_of_the_relays(library: SharedLibrary) -> None:
    member = library.with_member()
    forked = Forked(library)
    for carrier in (library.owner, member):
        whole = forked.whole(carrier)
        part = judge_replacement(forked.relay, forked.ask(whole, carrier.sign_public))
        assert isinstance(part, MembersPart)
        assert part.grown == whole
        assert (part.records, part.total, part.head) == ((), len(whole.records), whole.head)


def test_a_list_is_not_replaced_by_one_that_has_less_or_loses(library: SharedLibrary) -> None:
    member = library.with_member()
    stranger = new_device_keys("stranger", library.random)
    forked = Forked(library)
    whole, carrier = forked.whole(member), member.sign_public
    kept = len(forked.shared.records)
    lost = make_carry(forked.relay, member, forked.ours.records[kept:])
    losing = forked.relay
    for raw in lost:
        losing = losing.append(raw)
    there = replace(forked.ask(losing, carrier), expected_head=whole.head)
    forged = replace(forked.ask(whole, carrier), records=(b"nonsense",))
    refused = (
        (forked.relay, forked.ask(forked.ours, carrier), Code.FORBIDDEN),  # a record is missing
        (forked.relay, forked.ask(whole, stranger.sign_public), Code.FORBIDDEN),
        (forked.ours, forked.ask(whole, carrier), Code.HEAD_MOVED),
        (forked.relay, forked.ask(whole, carrier, kept=kept - 1), Code.FORBIDDEN),
        (forked.relay, forked.ask(whole, carrier, kept=len(forked.relay.records)), Code.INVALID),
        (forked.relay, forged, Code.INVALID),
    )
    for membership, question, code in refused:
        assert code_of(judge_replacement(membership, question)) is code
    # Both have the same records: one of them goes on, whichever the relay has.
    back = replace(forked.ask(whole, carrier), expected_head=losing.head)
    codes = [code_of(judge_replacement(whole, there)), code_of(judge_replacement(losing, back))]
    assert sorted(codes, key=str) == [None, Code.FORBIDDEN]


def test_a_list_that_replaces_another_is_longer(library: SharedLibrary) -> None:
    """What others watch is a number that only grows."""
    member = library.with_member()
    forked = Forked(library)
    for _ in range(3):
        forked.relay = forked.relay.append(
            make_rename(
                forked.relay,
                member,
                device=member.sign_public,
                name="x",
                generation=0,
                content_key=CONTENT_KEY,
                random_bytes=library.random,
            )
        )
    question = forked.ask(forked.whole(member), member.sign_public)
    assert code_of(judge_replacement(forked.relay, question)) is Code.FORBIDDEN
    question = forked.ask(forked.whole(member, count=4), member.sign_public)
    assert code_of(judge_replacement(forked.relay, question)) is None


def test_a_removed_member_puts_no_list_in_the_place_of_that_without_it(
    library: SharedLibrary,
) -> None:
    """With a past made up behind a head under which it was one, carrying all that came since."""
    member = library.with_member()
    before = library.membership
    relay = before.append(removal(library, member, {}))
    for number in range(8):
        made_up = before.append(rename(library, member, f"{number}"))
        for raw in make_carry(made_up, member, relay.records[len(before.records) :]):
            made_up = Membership.from_records([*made_up.records, raw])
        assert made_up.role_of(member.sign_public) is None
        question = ReplaceMembers(
            before.library_id,
            member.sign_public,
            relay.head,
            len(before.records),
            made_up.records[len(before.records) :],
        )
        assert code_of(judge_replacement(relay, question)) is Code.FORBIDDEN


def with_newer_carry(membership: Membership, keys: DeviceKeys) -> Membership:
    """A log that carries a record which carries others in a form that is not known here."""
    header = RecordHeader(
        VERSION, membership.library_id, membership.head, keys.sign_public, "carry", 2
    )
    newer = sign_record(header, {"records": [b"in another form"]}, keys)
    (raw,) = make_carry(membership, keys, [newer])
    return membership.append(raw)


def test_a_list_with_what_a_newer_program_carried_is_judged(library: SharedLibrary) -> None:
    """It is nothing wrong with the relay's own list, which would be mended for it."""
    member = library.with_member()
    forked = Forked(library)
    whole = with_newer_carry(forked.whole(member), member)
    question = forked.ask(whole, member.sign_public)
    part = judge_replacement(forked.relay, question)
    assert isinstance(part, MembersPart)
    assert part.grown == whole


def test_what_who_is_no_owner_replaces_is_bounded(
    library: SharedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = library.with_member()
    forked = Forked(library)
    question = forked.ask(forked.whole(member), member.sign_public)
    for name in (
        "RELAY_MEMBERSHIP_RECORDS_OF_ONE_MAX",
        "RELAY_MEMBERSHIP_BYTES_OF_ONE_MAX",
        "MEMBERSHIP_CARRY_DEPTH_BY_MEMBERS_MAX",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(limits, name, 0)
            assert code_of(judge_replacement(forked.relay, question)) is Code.QUOTA
            owners = forked.ask(forked.whole(library.owner), library.owner.sign_public)
            assert code_of(judge_replacement(forked.relay, owners)) is None


def test_who_brings_its_own_join_is_let_in_as_who_joins(library: SharedLibrary) -> None:
    """Expiry and haste are judged of a join inside a carrier as of one that comes by itself."""
    secret, _ = library.invite(expires_ms=1000)
    keys = new_device_keys("new", library.random)
    join = make_join(library.membership, keys, ticket_secret=secret)
    library.invite()
    (raw,) = make_carry(library.membership, keys, [join])
    question = asked(library, raw, keys.sign_public)
    assert code_of(judge_record(library.membership, question, now_ms=999)) is None
    assert code_of(judge_record(library.membership, question, now_ms=1000)) is Code.EXPIRED
    lately = limits.RELAY_JOINS_PER_MINUTE
    assert code_of(judge_record(library.membership, question, joined_lately=lately)) is Code.RATE


def test_behind_a_rotation_strangers_fill_no_log(library: SharedLibrary) -> None:
    """A kind that an earlier program could not judge lets records without effect into the log: they
    are given back by members, and by nobody else."""
    member = library.with_member()
    successor = new_device_keys("next", library.random)
    rotation = make_rotate(
        library.membership,
        member,
        successor,
        cut={},
        generation=0,
        content_key=CONTENT_KEY,
        random_bytes=library.random,
    )
    library.membership = library.membership.append(rotation)
    stranger = new_device_keys("stranger", library.random)
    header = RecordHeader(
        VERSION, library.id, library.membership.head, stranger.sign_public, "revoke", 1
    )
    raw = sign_record(header, {"sign": b"k" * 32}, stranger)
    by_stranger = asked(library, raw, stranger.sign_public)
    assert code_of(judge_record(library.membership, by_stranger)) is Code.INVALID
    by_member = asked(library, raw, successor.sign_public)
    assert code_of(judge_record(library.membership, by_member)) is None
    assert cuts_of(rotation) == {member.sign_public: {}}

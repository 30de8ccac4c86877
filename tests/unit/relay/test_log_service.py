"""The relay's rules over a real store: who may enter what, and what others wrote meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.in_loop import InLoop
from tests.support.newer_envelopes import NEWER, golden_library
from tests.support.relay_client import Author, SharedLibrary, seeded

from bifolio import limits
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.membership import Role, library_id_of
from bifolio.errors import MembershipError
from bifolio.wire.messages import AttestedPosition, Code
from bifolio_relay.log_service import LogService
from bifolio_relay.quotas import Quotas, entry_cost
from bifolio_relay.requests import (
    Appended,
    AppendMember,
    Commit,
    CreateLibrary,
    LibraryInfo,
    LogPart,
    MembersPart,
    OpenLibrary,
    Outcome,
    ReadLog,
    ReadMembers,
    Rejected,
    Submission,
    Unavailable,
)
from bifolio_relay.storage.sqlite import SqliteLogStorage


class Bench:
    """Two relay processes' services, each with its own store on the same data."""

    def __init__(self, folder: Path, *, quotas: Quotas | None = None) -> None:
        self.runner = asyncio.Runner()
        self.stores = [SqliteLogStorage(folder, shared=True) for _ in range(2)]
        self.store: Any = InLoop(self.runner, self.stores[0])
        self.services = [self.new_service(store, quotas) for store in self.stores]
        self.service, self.other = (Service(self.runner, service) for service in self.services)

    @staticmethod
    def new_service(store: SqliteLogStorage, quotas: Quotas | None = None) -> LogService:
        return LogService(store, random_bytes=seeded(7), now_ms=lambda: 0, quotas=quotas)

    def close(self) -> None:
        for store in self.stores:
            self.runner.run(store.close())
        self.runner.close()


class Service:
    """One service, to be called without ``await``."""

    def __init__(self, runner: asyncio.Runner, service: LogService) -> None:
        self._runner, self._service = runner, service

    def answer(self, question: Any) -> Any:
        return self._runner.run(self._service.answer(question))

    def commit(self, submissions: list[Submission]) -> Commit:
        async def check_and_commit() -> Commit:
            checked = [await self._service.check(submission) for submission in submissions]
            return await self._service.commit(checked)

        return self._runner.run(check_and_commit())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, quotas=Quotas(libraries=400))
    yield made
    made.close()


@pytest.fixture
def service(bench: Bench) -> Service:
    return bench.service


def opening(library: SharedLibrary, device: bytes | None = None) -> OpenLibrary:
    return OpenLibrary(library.id, device or library.owner.sign_public, 0, None)


def create(service: Service, library: SharedLibrary) -> None:
    answer = service.answer(CreateLibrary(opening(library), library.genesis))
    assert isinstance(answer, LibraryInfo)
    head = hashlib.blake2b(library.genesis, digest_size=32).digest()
    for record in library.membership.records[1:]:
        part = service.answer(AppendMember(library.id, library.owner.sign_public, head, record))
        assert isinstance(part, MembersPart)
        head = part.head


def push(
    service: Service, library: SharedLibrary, *raws: bytes, carrier: bytes | None = None
) -> tuple[Outcome, ...]:
    submission = Submission(library.id, carrier or library.owner.sign_public, raws)
    return service.commit([submission]).outcomes[0]


def code_of(answer: object) -> Code:
    assert isinstance(answer, Rejected), answer
    return answer.code


def test_creating_twice_is_creating_once(bench: Bench, service: Service) -> None:
    library = SharedLibrary()
    first = service.answer(CreateLibrary(opening(library), library.genesis))
    assert service.answer(CreateLibrary(opening(library), library.genesis)) == first
    assert isinstance(first, LibraryInfo)
    assert first.role == "owner"
    assert bench.store.count_libraries() == 1


def test_a_genesis_makes_no_other_library(service: Service) -> None:
    library, other = SharedLibrary(1), SharedLibrary(2)
    answer = service.answer(CreateLibrary(opening(library), other.genesis))
    assert code_of(answer) is Code.INVALID
    assert service.answer(opening(library)) == LibraryInfo(None)


def test_the_relay_holds_only_so_many_libraries(tmp_path: Path) -> None:
    bench = Bench(tmp_path, quotas=Quotas(libraries=1))
    service = bench.service
    create(service, SharedLibrary(1))
    library = SharedLibrary(2)
    answer = service.answer(CreateLibrary(opening(library), library.genesis))
    assert code_of(answer) is Code.QUOTA
    bench.close()


def test_whoever_holds_the_records_may_rebuild_a_wiped_relay(service: Service) -> None:
    library = SharedLibrary()
    keys = library.with_member()
    author = library.author()
    lost = author.envelopes(3)
    answer = service.answer(CreateLibrary(opening(library, keys.sign_public), library.genesis))
    assert isinstance(answer, LibraryInfo)
    assert answer.role is None
    create(service, library)
    outcomes = push(
        service, library, *(envelope.raw for envelope in lost), carrier=keys.sign_public
    )
    assert all(isinstance(outcome, Appended) for outcome in outcomes)


def test_a_member_carries_another_members_envelopes(service: Service) -> None:
    library = SharedLibrary()
    reader = library.with_member(Role.READER)
    create(service, library)
    envelope = library.author().envelope()
    (outcome,) = push(service, library, envelope.raw, carrier=reader.sign_public)
    assert outcome == Appended(envelope.hash, 1, fresh=True)


@pytest.mark.parametrize("name", list(NEWER))
def test_what_only_a_newer_program_can_read_is_stored_and_passed_on(
    service: Service, name: str
) -> None:
    golden = golden_library(name)
    library, device = library_id_of(golden.members[0]), golden.keys.sign_public
    asked = CreateLibrary(OpenLibrary(library, device, 0, None), golden.members[0])
    assert isinstance(service.answer(asked), LibraryInfo)
    (outcomes,) = service.commit([Submission(library, device, golden.log)]).outcomes
    assert [getattr(one, "position", one) for one in outcomes] == [1, 2, 3, 4]
    part = service.answer(ReadLog(library, device, 0))
    assert isinstance(part, LogPart)
    assert part.envelopes == golden.log


@pytest.mark.parametrize("changed", [{"kind": 7}, {"version": 2, "more": (b"more",)}])
def test_the_rules_hold_for_envelopes_of_every_version(
    service: Service, changed: dict[str, Any]
) -> None:
    library = SharedLibrary()
    reader = library.with_member(Role.READER)
    create(service, library)
    author = library.author()
    good = author.envelope(**changed)
    stranger = library.author(new_device_keys("stranger", seeded(5)), seed=2)
    forged = good.raw[:-1] + bytes([good.raw[-1] ^ 1])
    outcomes = push(
        service,
        library,
        forged,
        library.author(reader, seed=3).envelope(**changed).raw,
        stranger.envelope(**changed).raw,
        author.envelope(**changed).raw,
        good.raw,
    )
    codes = [code_of(outcome) for outcome in outcomes[:-1]]
    assert codes == [Code.INVALID, Code.FORBIDDEN, Code.FORBIDDEN, Code.GAP]
    assert outcomes[-1] == Appended(good.hash, 1, fresh=True)


def test_a_stranger_carries_nothing_and_reads_nothing(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    stranger = new_device_keys("stranger", seeded(5)).sign_public
    (outcome,) = push(service, library, library.author().envelope().raw, carrier=stranger)
    assert code_of(outcome) is Code.FORBIDDEN
    assert code_of(service.answer(ReadLog(library.id, stranger, 0))) is Code.FORBIDDEN


def test_a_readers_envelope_is_refused(service: Service) -> None:
    library = SharedLibrary()
    reader = library.with_member(Role.READER)
    create(service, library)
    (outcome,) = push(service, library, library.author(reader).envelope().raw)
    assert code_of(outcome) is Code.FORBIDDEN


def test_an_envelope_from_before_its_authors_join_is_refused(service: Service) -> None:
    library = SharedLibrary()
    before = library.membership
    keys = library.with_member()
    create(service, library)
    author = library.author(keys)
    author.membership = before
    assert code_of(push(service, library, author.envelope().raw)[0]) is Code.FORBIDDEN


def test_an_unknown_membership_head_asks_for_the_records_first(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    secret, invite = library.invite()
    envelope = library.author().envelope()
    assert code_of(push(service, library, envelope.raw)[0]) is Code.UNKNOWN_HEAD
    genesis_head = hashlib.blake2b(library.genesis, digest_size=32).digest()
    service.answer(AppendMember(library.id, library.owner.sign_public, genesis_head, invite))
    assert isinstance(push(service, library, envelope.raw)[0], Appended)
    assert secret


def test_a_forged_damaged_or_misdirected_envelope_is_refused(service: Service) -> None:
    library, other = SharedLibrary(1), SharedLibrary(2)
    create(service, library)
    raw = library.author().envelope().raw
    forged = raw[:-1] + bytes([raw[-1] ^ 1])
    outcomes = push(service, library, forged, b"garbage", b"", other.author().envelope().raw)
    assert [code_of(outcome) for outcome in outcomes] == [Code.INVALID] * 4
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].subject == hashlib.blake2b(b"garbage", digest_size=32).digest()


def test_an_envelope_over_the_limit_is_too_big(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    (outcome,) = push(service, library, bytes(limits.ENVELOPE_BYTES_MAX + 1))
    assert code_of(outcome) is Code.TOO_BIG


def test_a_record_appended_again_is_answered_as_at_first(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    head = library.membership.head
    _, record = library.invite()
    first = service.answer(AppendMember(library.id, library.owner.sign_public, head, record))
    assert isinstance(first, MembersPart)
    again = service.answer(AppendMember(library.id, library.owner.sign_public, head, record))
    assert isinstance(again, MembersPart)
    assert (again.start, again.records, again.head) == (1, (record,), first.head)
    assert again.grown is None


def test_a_rival_record_learns_that_the_head_moved(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    before = library.membership
    _, record = library.invite()
    service.answer(AppendMember(library.id, library.owner.sign_public, before.head, record))
    library.membership = before
    _, rival = library.invite()
    answer = service.answer(AppendMember(library.id, library.owner.sign_public, before.head, rival))
    assert code_of(answer) is Code.HEAD_MOVED


def test_a_record_that_breaks_the_rules_is_refused(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    for record in (b"garbage", library.genesis):
        answer = service.answer(
            AppendMember(library.id, library.owner.sign_public, library.membership.head, record)
        )
        assert code_of(answer) is Code.INVALID
    huge = bytes(limits.MEMBERSHIP_RECORD_BYTES_MAX + 1)
    answer = service.answer(
        AppendMember(library.id, library.owner.sign_public, library.membership.head, huge)
    )
    assert code_of(answer) is Code.TOO_BIG


def test_the_hashes_at_cursor_and_attested_position_are_told(
    bench: Bench, service: Service
) -> None:
    library = SharedLibrary()
    create(service, library)
    push(service, library, *(envelope.raw for envelope in library.author().envelopes(3)))
    head = bench.store.read_head(library.id)
    assert head is not None
    device = library.owner.sign_public
    info = service.answer(OpenLibrary(library.id, device, 2, AttestedPosition(head.epoch, 3)))
    assert isinstance(info, LibraryInfo)
    assert (info.cursor_hash,) == bench.store.read_chain_hashes(library.id, [2])
    assert info.attested_hash == head.chain_hash
    info = service.answer(
        OpenLibrary(library.id, device, 4, AttestedPosition(b"another epoch 16", 1))
    )
    assert isinstance(info, LibraryInfo)
    assert info.cursor_hash is None
    assert info.attested_hash is None


def test_reading_past_the_end_tells_where_the_end_is(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    device = library.owner.sign_public
    assert service.answer(ReadLog(library.id, device, 9)) == LogPart(0, (), 0)
    part = service.answer(ReadMembers(library.id, 9))
    assert isinstance(part, MembersPart)
    assert (part.start, part.records, part.total) == (1, (), 1)


def test_what_a_commit_added_is_told_in_order(service: Service) -> None:
    library = SharedLibrary()
    keys = library.with_member()
    create(service, library)
    ours, theirs = library.author().envelopes(2), library.author(keys, seed=2).envelopes(2)
    commit = service.commit(
        [
            Submission(library.id, library.owner.sign_public, (ours[0].raw, ours[1].raw)),
            Submission(library.id, keys.sign_public, (theirs[0].raw, ours[0].raw, theirs[1].raw)),
        ]
    )
    raws = tuple(envelope.raw for envelope in (*ours, *theirs))
    assert commit.appended == {library.id: dict(enumerate(raws, 1))}
    assert commit.outcomes[1][1] == Appended(ours[0].hash, 1, fresh=False)


def test_what_a_stranger_carries_is_not_even_parsed(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    stranger = new_device_keys("stranger", seeded(5)).sign_public
    (outcome,) = push(service, library, b"garbage", carrier=stranger)
    assert code_of(outcome) is Code.FORBIDDEN


def test_many_envelopes_are_checked_in_a_thread_to_the_same_outcomes(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    envelopes = library.author().envelopes(limits.RELAY_CHECKED_INLINE_MAX + 1)
    outcomes = push(service, library, *(envelope.raw for envelope in envelopes), b"garbage")
    assert outcomes[:-1] == tuple(
        Appended(envelope.hash, position, fresh=True)
        for position, envelope in enumerate(envelopes, 1)
    )
    assert code_of(outcomes[-1]) is Code.INVALID


def test_fork_and_gap_name_the_chain_as_it_is_with_the_same_commit(service: Service) -> None:
    library = SharedLibrary()
    create(service, library)
    author, clone = library.author(), library.author()
    envelopes = author.envelopes(3)
    clone.seq, clone.previous = 1, envelopes[0].hash
    rival = clone.envelope(b"another change")
    early = author.envelopes(2)[1]
    raws = [envelope.raw for envelope in (*envelopes, rival, envelopes[1], early)]
    *placed, fork, again, gap = push(service, library, *raws)
    assert [type(outcome) for outcome in placed] == [Appended] * 3
    assert isinstance(fork, Rejected)
    assert (fork.code, fork.seq, fork.head) == (Code.FORK, 3, envelopes[2].hash)
    assert again == Appended(envelopes[1].hash, 2, fresh=False)
    assert isinstance(gap, Rejected)
    assert (gap.code, gap.seq, gap.head) == (Code.GAP, 3, envelopes[2].hash)
    (fork,) = push(service, library, rival.raw)
    assert isinstance(fork, Rejected)
    assert (fork.code, fork.seq, fork.head) == (Code.FORK, 3, envelopes[2].hash)


def test_a_full_library_rejects_and_the_others_go_on(tmp_path: Path) -> None:
    full, sound = SharedLibrary(1), SharedLibrary(2)
    author: Author = full.author()
    first, second = author.envelopes(2)
    bench = Bench(
        tmp_path,
        quotas=Quotas(
            library_bytes=entry_cost(len(first.raw)) + entry_cost(len(full.genesis)) + 10
        ),
    )
    for library in (full, sound):
        create(bench.service, library)
    commit = bench.service.commit(
        [
            Submission(full.id, full.owner.sign_public, (first.raw, second.raw)),
            Submission(sound.id, sound.owner.sign_public, (sound.author().envelope().raw,)),
        ]
    )
    (kept, rejected), (other,) = commit.outcomes
    assert isinstance(kept, Appended)
    assert code_of(rejected) is Code.QUOTA
    assert isinstance(other, Appended)
    bench.close()


def test_a_member_who_joined_through_one_relay_process_is_a_member_at_the_other(
    bench: Bench,
) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    create(bench.other, library)
    for service in (bench.service, bench.other):  # both remember the membership now
        push(service, library, library.author(seed=9).envelope().raw)
    head = library.membership.head
    keys = library.with_member()
    for record in library.membership.records[-2:]:
        part = bench.service.answer(
            AppendMember(library.id, library.owner.sign_public, head, record)
        )
        assert isinstance(part, MembersPart)
        head = part.head
    info = bench.other.answer(opening(library, keys.sign_public))
    assert info.role == "editor"
    assert isinstance(bench.other.answer(ReadLog(library.id, keys.sign_public, 0)), LogPart)
    envelope = library.author(keys).envelope()
    (outcome,) = push(bench.other, library, envelope.raw, carrier=keys.sign_public)
    assert isinstance(outcome, Appended)


def test_an_envelope_made_under_a_record_that_another_process_took_is_not_rejected(
    bench: Bench,
) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    push(bench.other, library, library.author(seed=9).envelope().raw)
    head = library.membership.head
    _, invite = library.invite()
    bench.service.answer(AppendMember(library.id, library.owner.sign_public, head, invite))
    (outcome,) = push(bench.other, library, library.author().envelope().raw)
    assert isinstance(outcome, Appended)


def test_a_chain_may_go_on_through_another_process(bench: Bench) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    author = library.author()
    envelopes = author.envelopes(9)
    for number, envelope in enumerate(envelopes):
        service = (bench.service, bench.other)[number % 2]
        (outcome,) = push(service, library, envelope.raw)
        assert outcome == Appended(envelope.hash, number + 1, fresh=True)
        (again,) = push((bench.other, bench.service)[number % 2], library, envelope.raw)
        assert again == Appended(envelope.hash, number + 1, fresh=False)


def test_what_others_wrote_between_judging_and_appending_is_judged_again(bench: Bench) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    author = library.author()
    envelopes = author.envelopes(4)
    push(bench.service, library, envelopes[0].raw)
    for envelope in envelopes[1:3]:  # the first service believes the chain to end before these
        push(bench.other, library, envelope.raw)
    outcomes = push(bench.service, library, *(envelope.raw for envelope in envelopes[1:]))
    assert outcomes == (
        Appended(envelopes[1].hash, 2, fresh=False),
        Appended(envelopes[2].hash, 3, fresh=False),
        Appended(envelopes[3].hash, 4, fresh=True),
    )


def test_one_chain_carried_through_two_processes_at_once_is_in_the_log_once(
    bench: Bench,
) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    rows = [library.author(seed=seed).envelopes(12) for seed in range(3)]
    places: dict[bytes, set[int]] = {}

    async def carry(service: LogService, start: int) -> None:
        """Push each chain from its beginning, a little further each time."""
        for at in range(start, 12 + start, 3):
            for row in rows:
                raws = tuple(envelope.raw for envelope in row[: at + 1])
                submission = Submission(library.id, library.owner.sign_public, raws)
                commit = await service.commit([await service.check(submission)])
                for outcome in commit.outcomes[0]:
                    assert isinstance(outcome, Appended), outcome
                    places.setdefault(outcome.hash, set()).add(outcome.position)

    async def carry_both() -> None:
        first, second = bench.services
        await asyncio.gather(carry(first, 0), carry(second, 1), carry(second, 2))

    bench.runner.run(carry_both())
    found = bench.store.read(library.id, after=0, bytes_max=1 << 30, count_max=99)
    assert sorted(found.envelopes) == sorted(one.raw for row in rows for one in row)
    assert sorted(min(one) for one in places.values()) == list(range(1, 37))
    assert {len(one) for one in places.values()} == {1}


def test_a_rival_record_through_another_process_learns_that_the_head_moved(bench: Bench) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    bench.other.answer(opening(library))
    head, before = library.membership.head, library.membership
    _, invite = library.invite()
    library.membership = before
    _, rival = library.invite()
    assert isinstance(
        bench.service.answer(AppendMember(library.id, library.owner.sign_public, head, invite)),
        MembersPart,
    )
    assert (
        code_of(
            bench.other.answer(AppendMember(library.id, library.owner.sign_public, head, rival))
        )
        is Code.HEAD_MOVED
    )


def test_a_membership_that_others_extended_far_is_read_whole(bench: Bench) -> None:
    library = SharedLibrary()
    create(bench.service, library)
    bench.other.answer(opening(library))
    head = library.membership.head
    for _ in range(20):
        _, invite = library.invite()
        part = bench.service.answer(
            AppendMember(library.id, library.owner.sign_public, head, invite)
        )
        head = part.head
    (outcome,) = push(bench.other, library, library.author().envelope().raw)
    assert isinstance(outcome, Appended)


@pytest.mark.heavy
def test_idle_libraries_do_not_stay_in_memory(bench: Bench, service: Service) -> None:
    libraries = [SharedLibrary(seed) for seed in range(limits.RELAY_MEMBERSHIPS_CACHED_MAX + 20)]
    for library in libraries:
        create(service, library)
        push(service, library, library.author().envelope().raw)
    assert len(bench.services[0]._known) == limits.RELAY_MEMBERSHIPS_CACHED_MAX
    assert isinstance(
        push(service, libraries[0], libraries[0].author(seed=2).envelope().raw)[0], Appended
    )


def test_a_damaged_membership_log_stops_its_own_library_only(bench: Bench) -> None:
    broken, sound = SharedLibrary(1), SharedLibrary(2)
    for library in (broken, sound):
        create(bench.service, library)
    store = bench.stores[1]
    store._file.connection.execute("UPDATE member SET record = x'00' WHERE library = 1")
    commit = bench.other.commit(
        [
            Submission(library.id, library.owner.sign_public, (library.author().envelope().raw,))
            for library in (broken, sound)
        ]
    )
    assert [type(row[0]) for row in commit.outcomes] == [Unavailable, Appended]
    # A greeting is answered by the index of roles: it does not read the log.
    assert bench.other.answer(opening(broken)).role == "owner"
    head, owner = broken.membership.head, broken.owner.sign_public
    _, invite = broken.invite()
    with pytest.raises(MembershipError):
        bench.other.answer(AppendMember(broken.id, owner, head, invite))

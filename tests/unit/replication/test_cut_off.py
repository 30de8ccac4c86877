"""What was merged of a member before one heard of its removal, and lies behind its end: it is taken
back, and what was written on top of it is not lost."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.forks import proof_of_fork
from tests.unit.replica.builders import Computer, members

from bifolio.crypto.envelope import parse_envelope, read_header
from bifolio.crypto.membership import Cut, Role, make_remove, make_role
from bifolio.document.record import RecordDocument
from bifolio.history.replay import rebuild_index
from bifolio.ids import content_hash
from bifolio.library import status
from bifolio.records.reference import Values
from bifolio.replication.chain_ends import cut_of
from bifolio.replication.judging import NO_RIGHT
from bifolio.storage.snapshots import ChainEnd

ONE, TWO = "1" * 32, "2" * 32


class World:
    """An owner that has seen a member's first change alone, a colleague that has its later ones too
    and goes on from there, and a newcomer that has nothing."""

    def __init__(self, folder: Path) -> None:
        self.owner, self.colleague, self.newcomer, self.gone = members(
            folder, "office", "home", "train", "laptop"
        )
        self.gone.adds(ONE, Values({"title": "On Paper"}))
        self.owner.learns(self.gone)
        self.gone.sets(ONE, "title", "Behind the end")
        self.gone.adds(TWO, Values({"title": "New behind the end"}))
        self.colleague.learns(self.gone)

    def everybody(self) -> tuple[Computer, Computer, Computer]:
        return (self.owner, self.colleague, self.newcomer)

    def removal(self) -> bytes:
        """The owner's record that removes the member, with its end as the owner knows it."""
        membership = self.owner.member_log.membership()
        assert membership is not None
        generation, key = self.owner.member_log.newest_key()
        (record,) = make_remove(
            membership,
            self.owner.keys,
            cuts={self.gone.keys.sign_public: self.cut()},
            content_key=b"n" * 32,
            earlier={generation: key},
            random_bytes=random.Random(1).randbytes,
        )
        return record

    def demotion(self) -> bytes:
        """That it may read only from here on."""
        membership = self.owner.member_log.membership()
        assert membership is not None
        device = self.gone.keys.sign_public
        return make_role(
            membership, self.owner.keys, device=device, role=Role.READER, cut=self.cut()
        )

    def cut(self) -> Cut:
        return cut_of(self.owner.replica, self.gone.keys.sign_public)


def learns(computer: Computer, record: bytes) -> None:
    """As a sync or a bundle does it."""
    computer.member_log.learn([record])
    computer.inbox.follow_cuts()
    computer.inbox.retry_pending()


def meet_all(*computers: Computer) -> None:
    for _ in range(3):
        for one in computers:
            one.learns(*(other for other in computers if other is not one))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("record_of", [World.removal, World.demotion])
def test_what_lies_behind_the_end_is_taken_back(
    world: World, record_of: Callable[[World], bytes]
) -> None:
    record = record_of(world)
    assert world.colleague.shows(ONE).fields["title"] == "Behind the end"
    for computer in world.everybody():
        learns(computer, record)
    meet_all(*world.everybody())
    assert len({one.state for one in world.everybody()}) == 1
    for computer in world.everybody():
        assert computer.shows(ONE).fields["title"] == "On Paper"
        assert not computer.replica.records.exists(TWO)
        assert computer.replica.changes.waiting() == 0
    said = [one.reason for one in status.refusals(world.colleague.replica)]
    assert any(NO_RIGHT in one for one in said)


def test_what_a_member_wrote_on_top_is_not_lost_and_holds_nobody_up(world: World) -> None:
    """Found by seed 242 of the simulation: everybody else waited for what they had refused."""
    colleague = world.colleague
    colleague.sets(ONE, "volume", "7")  # sealed, and with others, before it hears of the removal
    early = colleague.envelopes()
    colleague.sets(ONE, "title", "Mine")  # needs what it replaces
    colleague.sets(TWO, "page", "5")  # of a record that goes
    record = world.removal()
    for computer in (world.owner, world.newcomer):
        learns(computer, record)
        computer.receives(early)
        assert computer.replica.changes.waiting() == 0  # what it builds on comes no more
    learns(colleague, record)
    meet_all(*world.everybody())
    assert len({one.state for one in world.everybody()}) == 1
    for computer in world.everybody():
        view = computer.shows(ONE)
        assert (view.fields["volume"], view.fields["title"]) == ("7", "Mine")
        assert computer.shows(TWO).fields["page"] == "5"
        assert computer.replica.changes.waiting() == 0
        state = computer.state
        with computer.replica.database.transaction():
            rebuild_index(computer.replica)
        assert computer.reopened().state == state


def test_what_a_member_wrote_on_top_and_deleted_lies_in_the_trash(world: World) -> None:
    """Found by seed 10072 of the simulation: what was written again was the deletion alone."""
    colleague = world.colleague
    colleague.sets(TWO, "title", "Mine")  # needs what it replaces, of a record that goes
    colleague.deletes(TWO)
    record = world.removal()
    for computer in world.everybody():
        learns(computer, record)
    meet_all(*world.everybody())
    assert len({one.state for one in world.everybody()}) == 1
    for computer in world.everybody():
        view = computer.shows(TWO)
        assert (view.trashed, view.fields["title"]) == (True, "Mine")


def test_what_was_sealed_again_before_it_went_is_not_waited_for(world: World) -> None:
    """Found by seed 290: what is named had been sealed again, and that went."""
    gone, colleague = world.gone, world.colleague
    first = gone.replica.changes.hashes()[-1]
    gone.adds("3" * 32, Values({"title": "Sealed twice"}))
    gone.outbox.seal()
    twice = gone.replica.changes.hashes()[-1]
    assert twice != first
    named = gone.replica.changes.envelope(twice)
    assert named is not None
    gone.sets("3" * 32, "page", "7")
    on_top = gone.envelopes()[-1]
    assert gone.outbox.restart_own_chain(twice)
    colleague.learns(gone)
    colleague.receives([on_top])
    assert colleague.replica.records.exists("3" * 32)
    colleague.sets(ONE, "volume", "7")
    early = colleague.envelopes()
    record = world.removal()
    for computer in (world.owner, world.newcomer):
        learns(computer, record)
        computer.receives(early)
    learns(colleague, record)
    meet_all(*world.everybody())
    assert len({one.state for one in world.everybody()}) == 1
    for computer in world.everybody():
        assert computer.shows(ONE).fields["volume"] == "7"
        assert computer.replica.changes.waiting() == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_what_refused_edits_build_on_and_replace_is_not_waited_for(
    world: World, order: tuple[int, ...]
) -> None:
    """Found by seed 20152: what was refused built on an envelope that its author had sealed again,
    and sent to nobody. What a member wrote on top waited for that without end."""
    gone, colleague = world.gone, world.colleague
    with gone.replica.database.transaction():
        for number, sent in enumerate(gone.replica.changes.hashes(), 1):
            gone.replica.changes.set_position(sent, number)
    gone.adds("3" * 32, Values({"title": "Sealed twice"}))
    gone.outbox.seal()
    twice = gone.replica.changes.hashes()[-1]
    gone.sets("3" * 32, "page", "7")
    on_top = gone.envelopes()[-1]
    colleague.learns(gone)
    assert gone.outbox.restart_own_chain(twice)
    *before, again, _ = gone.envelopes()
    assert replaced_by(gone, again) == (twice,)
    colleague.receives([again])
    colleague.sets(ONE, "volume", "7")
    early = colleague.envelopes()[-1]
    record = world.removal()
    for computer in (world.owner, world.newcomer):
        learns(computer, record)
        computer.receives(before)
        for number in order:
            computer.receives([(again, on_top, early)[number]])
        assert computer.replica.changes.waiting() == 0
    learns(colleague, record)
    meet_all(*world.everybody())
    assert len({one.state for one in world.everybody()}) == 1


def replaced_by(computer: Computer, raw: bytes) -> tuple[bytes, ...]:
    """What an envelope says that it was made instead of."""
    key = computer.member_log.key(read_header(raw).generation)
    assert key is not None
    return tuple(computer.replica.formats.read(parse_envelope(raw), key).replaces)


def test_a_later_edit_in_the_same_opening_writes_under_a_name_of_its_own(world: World) -> None:
    """What cannot be merged any more keeps its place: another edit there would be a lie."""
    colleague = world.colleague
    colleague.sets(ONE, "title", "Mine")
    record = world.removal()
    for computer in world.everybody():
        learns(computer, record)
    colleague.sets(ONE, "volume", "8")
    meet_all(*world.everybody())
    for computer in world.everybody():
        assert computer.shows(ONE).fields["volume"] == "8"
        assert computer.shows(ONE).fields["title"] == "Mine"


def test_nothing_is_looked_for_twice_or_without_a_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cost follows the change: a sync without news of members reads no chain."""
    asked: list[int] = []
    changes = world.colleague.replica.changes
    chain_ends = changes.chain_ends

    def counted() -> list[tuple[bytes, int, bytes]]:
        asked.append(1)
        return chain_ends()

    monkeypatch.setattr(changes, "chain_ends", counted)
    world.colleague.inbox.follow_cuts()
    assert not asked
    learns(world.colleague, world.removal())
    assert len(asked) == 1
    world.colleague.inbox.follow_cuts()
    world.colleague.inbox.retry_newer()
    assert len(asked) == 1


def test_what_was_taken_back_counts_again_where_the_removal_does_not_hold(world: World) -> None:
    """A second owner removed the member, and the first one that owner, on lists that parted."""
    owner, colleague = world.owner, world.colleague
    membership = owner.member_log.membership()
    assert membership is not None
    promotion = make_role(
        membership, owner.keys, device=colleague.keys.sign_public, role=Role.OWNER
    )
    for computer in world.everybody():
        computer.member_log.learn([promotion])
    before = membership.append(promotion)
    generation, key = owner.member_log.newest_key()

    def removal(author: Computer, gone: bytes, cut: Cut) -> bytes:
        (record,) = make_remove(
            before,
            author.keys,
            cuts={gone: cut},
            content_key=author.draw(32),
            earlier={generation: key},
            random_bytes=author.draw,
        )
        return record

    third = world.newcomer
    third.learns(world.gone)
    shown = third.state
    of_the_second = removal(colleague, world.gone.keys.sign_public, {})
    of_the_first = removal(owner, colleague.keys.sign_public, {})
    learns(third, of_the_second)
    assert not third.replica.records.exists(TWO)
    third.member_log.meet(before.append(of_the_first).records)
    third.inbox.follow_cuts()
    after = third.member_log.membership()
    assert after is not None
    assert after.role_of(world.gone.keys.sign_public) is Role.EDITOR
    assert third.state == shown
    assert third.shows(TWO).fields["title"] == "New behind the end"
    assert not list(status.refusals(third.replica))


def test_a_chain_ends_where_it_ends_though_a_snapshot_brought_its_beginning(
    tmp_path: Path,
) -> None:
    """Found by seed 29: the relay, which has more, refused every removal of that member."""
    owner, _, _, gone = members(tmp_path, "office", "home", "train", "laptop")
    gone.adds(ONE, Values({"title": "On Paper"}))
    (first,) = gone.envelopes()
    gone.sets(ONE, "title", "On Ink")
    owner.learns(gone)
    header = read_header(first)
    with owner.replica.database.transaction():
        owner.replica.changes.remove_envelope(content_hash(first))
        owner.replica.snapshots.add_covered([content_hash(first)])
        end = ChainEnd(header.device, header.chain, header.seq, content_hash(first))
        owner.replica.snapshots.write_chains([end])
    (last,) = cut_of(owner.replica, gone.keys.sign_public).values()
    assert (last.seq, last.hash) == (2, content_hash(gone.envelopes()[-1]))


def test_what_somebody_carried_behind_its_end_goes_to_the_relay_by_itself(tmp_path: Path) -> None:
    """Whose envelope it is has the right to write; nobody offered it any more."""
    world = World(tmp_path)
    author = world.newcomer
    author.adds("3" * 32, Values({"title": "Whole"}))
    (theirs,) = map(parse_envelope, author.envelopes())
    world.gone.learns(author)
    assert world.gone.outbox.restart_chain(theirs.hash, proof_of_fork(theirs, author.keys))
    record = world.removal()
    for computer in (author, world.colleague):
        computer.learns(world.gone)
        assert theirs.hash not in offered_by(computer)
        learns(computer, record)
        assert theirs.hash in offered_by(computer)


def offered_by(computer: Computer) -> list[bytes]:
    return [one.hash for one in computer.outbox.offers(after=0, bytes_max=1 << 30)]


def test_each_value_in_conflict_of_what_is_written_again_is_kept(world: World) -> None:
    """Found by seed 128 with snapshots and rights in every run: who wrote its edit again wrote the
    value that was shown, and its own one was set aside."""
    colleague, newcomer = world.colleague, world.newcomer
    newcomer.learns(world.gone)
    colleague.sets(TWO, "title", "Mine")
    newcomer.waits(10)
    newcomer.sets(TWO, "title", "Shown")
    newcomer.sets(TWO, "page", "5")
    sealed = [computer.envelopes() for computer in (colleague, newcomer)]
    colleague.receives(sealed[1])
    newcomer.receives(sealed[0])
    assert colleague.shows(TWO).fields["title"] == "Shown"
    record = world.removal()
    for computer in world.everybody():
        learns(computer, record)
    # Alone too: the other one may never come back.
    world.owner.learns(colleague)
    assert titles_in_conflict(world.owner) == {"Shown", "Mine"}
    meet_all(*world.everybody())
    assert len({one.state for one in world.everybody()}) == 1
    for computer in world.everybody():
        view = computer.shows(TWO)
        assert (view.fields["title"], view.fields["page"]) == ("Shown", "5")
        assert titles_in_conflict(computer) == {"Shown", "Mine"}
        state = computer.state
        with computer.replica.database.transaction():
            rebuild_index(computer.replica)
        assert computer.reopened().state == state


def titles_in_conflict(computer: Computer) -> set[str | None]:
    """All titles that the second reference has."""
    state = computer.replica.records.state(TWO)
    assert state is not None
    return {live.value for live in RecordDocument(state).entries().live("title")}

"""A removed member that writes on below the end of its chain: replicas take that back."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.support.hostile_member import HostileMember
from tests.unit.replica.builders import Computer, meet, members

from bifolio.crypto.envelope import Envelope, parse_envelope
from bifolio.crypto.membership import ChainEnd
from bifolio.crypto.membership.authoring import make_remove
from bifolio.history.replay import rebuild_index
from bifolio.library import status
from bifolio.replication import cut_forks
from bifolio.replication.cut_forks import NOT_IN_CHAIN
from bifolio.replication.snapshots import making

ONE, TWO = "1" * 32, "2" * 32
TITLES = ("On Paper", "On Ink", "On Glue", "On Thread")


class Removal:
    """An owner, a colleague and a newcomer; what a member wrote before it was removed, and what it
    then put into the same places."""

    def __init__(self, folder: Path) -> None:
        self.owner, self.colleague, self.newcomer, laptop = members(
            folder, "office", "home", "train", "laptop"
        )
        self.mallory = HostileMember.of(laptop.replica, laptop.member_log)
        self.written = [self.writes(ONE, title) for title in TITLES]
        self.mallory.seq, self.mallory.previous = 1, self.written[0].hash
        self.forged = [self.writes(ONE, "Forged"), self.writes(TWO, "Forged too")]

    def writes(self, record_id: str, title: str) -> Envelope:
        self.mallory.starts_incarnation()
        update = self.mallory.writes(self.mallory.document(), {"title": title})
        return self.mallory.says(self.mallory.change((record_id, update)))

    def removes(self) -> bytes:
        """The owner's record that removes the member, with the end of its chain."""
        membership = self.owner.member_log.membership()
        assert membership is not None
        generation, key = self.owner.member_log.newest_key()
        end = self.written[-1]
        records = make_remove(
            membership,
            self.owner.keys,
            cuts={self.mallory.keys.sign_public: {self.mallory.chain: ChainEnd(4, end.hash)}},
            content_key=b"n" * 32,
            earlier={generation: key},
            random_bytes=random.Random(1).randbytes,
        )
        (record,) = records
        return record


def learns(computer: Computer, record: bytes) -> None:
    computer.member_log.learn([record])
    computer.inbox.retry_pending()


def titles_of(computer: Computer, record_id: str) -> set[object]:
    """The title that is shown, and those in conflict with it."""
    view = computer.shows(record_id)
    others = (value.value for one in view.conflicts for value in one.values)
    return {view.fields["title"], *others}


def raw(envelopes: list[Envelope]) -> list[bytes]:
    return [one.raw for one in envelopes]


@pytest.fixture
def removal(tmp_path: Path) -> Removal:
    return Removal(tmp_path)


def test_what_a_removed_member_puts_below_the_end_of_its_chain_counts_nowhere(
    removal: Removal,
) -> None:
    """To who has the chain, gets the other one first, or got it before the removal."""
    owner, colleague, newcomer = removal.owner, removal.colleague, removal.newcomer
    owner.receives(raw(removal.written))
    record = removal.removes()
    colleague.receives(raw([removal.written[0], *removal.forged]))
    assert colleague.replica.records.exists(TWO)
    for computer in (owner, newcomer, colleague):
        learns(computer, record)
    owner.receives(raw(removal.forged))
    newcomer.receives(raw([removal.written[0], *removal.forged]))
    for computer in (newcomer, colleague):
        computer.receives(raw(removal.written[1:]))
    meet(owner, colleague, newcomer)
    for computer in (owner, colleague, newcomer):
        assert not computer.replica.records.exists(TWO)
        assert TITLES[-1] in titles_of(computer, ONE)
        assert "Forged" not in titles_of(computer, ONE)
        said = [one for one in status.refusals(computer.replica) if NOT_IN_CHAIN in one.reason]
        assert said
        with computer.replica.database.transaction():
            rebuild_index(computer.replica)
        ends = making.find_chains(
            computer.replica, computer.replica.snapshot_source.chain_end_beginnings()
        )
        assert removal.written[-1].hash in {one.hash for one in ends}


def test_what_an_honest_computer_wrote_on_top_of_it_is_kept(removal: Removal) -> None:
    owner, colleague = removal.owner, removal.colleague
    colleague.receives(raw([removal.written[0], *removal.forged]))
    colleague.sets(TWO, "volume", "7")
    owner.receives(raw(removal.written))
    record = removal.removes()
    for computer in (owner, colleague):
        learns(computer, record)
    colleague.receives(raw(removal.written[1:]))
    meet(owner, colleague)
    assert owner.shows(TWO).fields["volume"] == "7"


def test_a_chain_without_a_second_envelope_loses_nothing_by_its_authors_removal(
    removal: Removal,
) -> None:
    owner, newcomer = removal.owner, removal.newcomer
    owner.receives(raw(removal.written))
    record = removal.removes()
    for computer in (owner, newcomer):
        learns(computer, record)
    newcomer.receives(raw(removal.written))
    meet(owner, newcomer)
    assert TITLES[-1] in titles_of(newcomer, ONE)
    for computer in (owner, newcomer):
        assert not list(status.refusals(computer.replica))


def test_a_members_second_envelopes_are_not_read_again_until_it_is_removed(
    removal: Removal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could sign as many as it likes, as large as they may be."""
    read: list[bytes] = []

    def counted(contents: bytes) -> Envelope:
        read.append(contents)
        return parse_envelope(contents)

    monkeypatch.setattr(cut_forks, "parse_envelope", counted)
    colleague = removal.colleague
    for one in (*removal.written, *removal.forged):
        colleague.receives([one.raw])
    assert len(colleague.replica.changes.double_places()) == len(removal.forged)
    assert not read
    removal.owner.receives(raw(removal.written))
    learns(colleague, removal.removes())
    assert read

"""Who may read and write: tickets with an end, roles, removal, leaving, by the library's calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.crypto.envelope import KIND_CHANGES, NO_PREVIOUS, Header, seal
from bifolio.doctor.computer import check_pending
from bifolio.errors import (
    AmbiguousMemberError,
    DeviceNotFoundError,
    DraftError,
    InvalidValueError,
    LastOwnerError,
    MemberNameTakenError,
    MemberNotFoundError,
    Next,
    NextStep,
    NotAMemberError,
    NothingToSendError,
    NotTheOwnerError,
    ReaderError,
    RelayRefusedError,
    RemovedError,
    TicketError,
    UsageError,
)
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.replica.membership import LibraryMembership
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.judging import NO_RIGHT
from bifolio.results import EditKind, InviteState
from bifolio.wire.changes import Body, Change


class World:
    """A relay, an owner's library on it, and computers that come with tickets."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.relay = stack.enter_context(RelayProcess(folder))
        self.office = self._enter(
            Library.create(folder / "Thesis.bifolio", name="Thesis", home=self.home("office"))
        )
        self.office.add({"title": "On Paper", "citation-key": "paper"})
        self.first_ticket = self.office.attach(self.relay.url, backup=False).ticket

    def home(self, name: str) -> Home:
        return Home(self.folder / f"home of {name}", device_name=name)

    def join(self, name: str, ticket: str) -> Library:
        place = self.folder / f"{name}.bifolio"
        return self._enter(Library.attach_new(ticket, place, home=self.home(name)))

    def _enter(self, library: Library) -> Library:
        return self._stack.enter_context(library)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_a_ticket_lets_one_computer_in_and_says_so(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    assert [(one.name, one.role, one.is_own) for one in laptop.members.list()] == [
        ("office", "owner", False),
        ("laptop", "editor", True),
    ]
    with pytest.raises(TicketError, match="for one computer") as refused:
        world.join("stranger", world.first_ticket)
    assert refused.value.next_step == NextStep(Next.ASK_FOR_TICKET)
    world.office.sync()
    (invite,) = world.office.members.invites()
    assert (invite.state, invite.joined, invite.uses) == (InviteState.USED, ("laptop",), 1)
    assert invite.expires is not None
    assert world.office.members.list()[1].joined is not None


def test_tickets_have_roles_labels_uses_and_are_closed(world: World) -> None:
    ticket = world.office.invite(role="reader", uses=None, lasts_s=None, label="for the seminar")
    about = world.office.members.invite_of(ticket)
    assert (about.role, about.label, about.uses, about.expires) == (
        "reader",
        "for the seminar",
        None,
        None,
    )
    first, second = world.join("first", ticket), world.join("second", ticket)
    assert {one.role for one in (*first.members.list(), *second.members.list())} == {
        "owner",
        "reader",
    }
    revoked = world.office.members.revoke("For the seminar")
    assert revoked.id == about.id
    with pytest.raises(TicketError, match="closed it"):
        world.join("third", ticket)
    assert world.office.members.invites()[-1].state is InviteState.CLOSED
    # Whoever saw the ticket may have the key: the next change is sealed under another one.
    world.office.add({"title": "After", "citation-key": "after"})
    world.office.sync()
    first.sync()
    assert first.show("after").fields["title"] == "After"


def test_two_tickets_of_one_label_are_told_apart_by_their_ids(world: World) -> None:
    for _ in range(2):
        world.office.invite(label="seminar")
    with pytest.raises(AmbiguousMemberError, match="several tickets") as refused:
        world.office.members.revoke("seminar")
    assert refused.value.next_step == NextStep(Next.LIST_INVITES)
    assert world.office.members.revoke(refused.value.ids[0]).id == refused.value.ids[0]
    with pytest.raises(MemberNotFoundError, match=r"no ticket 'x+\.\.\.'") as unknown:
        world.office.members.revoke("x" * 10_000)
    assert len(unknown.value.message) < 300


def test_the_log_of_a_member_that_wrote_nothing_is_empty(world: World) -> None:
    world.join("quiet", world.first_ticket)
    world.office.sync()
    assert world.office.history.log(device="quiet") == []
    with pytest.raises(DeviceNotFoundError):
        world.office.history.log(device="nobody")


def test_what_comes_while_the_log_is_read_stays_new(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    last = world.office.history.last_change()
    laptop.add({"title": "Meanwhile"})
    laptop.sync()
    world.office.sync()
    world.office.history.mark_read(last)
    assert [one.by for one in world.office.history.log(new=True)] == ["laptop"]
    world.office.history.mark_read()
    assert world.office.history.log(new=True) == []


def test_an_expired_ticket_lets_nobody_in(world: World) -> None:
    ticket = world.office.invite(lasts_s=0.001)
    with pytest.raises(RelayRefusedError, match="it ended on"):
        world.join("late", ticket)


def test_a_reader_s_edit_is_refused_before_it_is_made(world: World) -> None:
    reader = world.join("reader", world.office.invite(role="reader"))
    before = reader.status().state
    for act in (
        lambda: reader.add({"title": "Mine"}),
        lambda: reader.delete(["paper"]),
        lambda: reader.groups.create("Mine"),
    ):
        with pytest.raises(ReaderError):
            act()
    assert (reader.status().state, reader.status().unsent) == (before, 0)
    world.office.add({"title": "More", "citation-key": "more"})
    world.office.sync()
    reader.sync()
    assert reader.show("more")
    with pytest.raises(NotTheOwnerError, match="may only read"):
        reader.invite()


def test_who_is_removed_reads_nothing_of_what_follows(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    phone = world.join("phone", world.office.invite())
    laptop.add({"title": "From the laptop", "citation-key": "sent"})
    laptop.sync()
    done = world.office.members.remove(["laptop"])
    assert [one.name for one in done.removed] == ["laptop"]
    world.office.add({"title": "Secret", "citation-key": "secret"})
    world.office.sync()
    phone.sync()
    assert {one.key for one in phone.list()} == {"paper", "sent", "secret"}
    laptop.add({"title": "Too late", "citation-key": "late"})
    with pytest.raises(RemovedError, match="office removed this computer"):
        laptop.sync()
    assert laptop.status().unsent == 1
    phone.sync()
    assert "late" not in {one.key for one in phone.list()}
    assert [one.name for one in phone.members.list()] == ["office", "phone"]


def test_an_invite_that_is_open_gets_the_next_key(world: World) -> None:
    world.join("laptop", world.first_ticket)
    ticket = world.office.invite()
    world.office.members.remove(["laptop"])
    world.office.add({"title": "Secret", "citation-key": "secret"})
    world.office.sync()
    late = world.join("late", ticket)
    assert late.show("secret").fields["title"] == "Secret"


def test_roles_go_up_and_down_and_one_owner_stays(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    world.office.sync()
    for act in (
        lambda: world.office.members.set_role("office", "editor"),
        lambda: world.office.members.leave(),
    ):
        with pytest.raises(LastOwnerError):
            act()
    assert world.office.members.set_role("laptop", "owner").role == "owner"
    laptop.sync()
    laptop.members.set_role("office", "reader")
    world.office.sync()
    with pytest.raises(ReaderError):
        world.office.add({"title": "No"})
    laptop.members.set_role("office", "editor")
    world.office.sync()
    world.office.add({"title": "Yes", "citation-key": "yes"})
    world.office.sync()
    laptop.sync()
    assert laptop.show("yes")


def test_the_last_owner_is_told_so_though_it_thought_there_was_another(world: World) -> None:
    laptop = world.join("laptop", world.office.invite(role="owner"))
    world.office.sync()
    laptop.members.set_role("laptop", "editor")
    for act in (
        lambda: world.office.members.leave(),
        lambda: world.office.members.set_role("office", "reader"),
    ):
        with pytest.raises(LastOwnerError):  # what was known here when it began: two owners
            act()


def test_a_computer_that_calls_itself_as_another_one_is_shown_apart(world: World) -> None:
    home = Home(world.folder / "home of somebody", device_name="office")
    false = Library.attach_new(world.first_ticket, world.folder / "false.bifolio", home=home)
    false.edit("paper", [Edit("title", Act.SET, ("False",))])
    false.sync()
    false.close()
    world.office.edit("paper", [Edit("title", Act.SET, ("Right",))])
    world.office.sync()
    first, second = world.office.members.list()
    assert {first.name[:8], second.name[:8]} == {"office ("}
    assert first.name != second.name
    history = world.office.history
    by = {event.by for event in history.of("paper")}
    assert {first.name, second.name} <= by
    with pytest.raises(AmbiguousMemberError):  # not the changes of both
        history.undo_device("office", since=datetime.fromtimestamp(0, UTC))
    history.undo_device(second.name, since=datetime.fromtimestamp(0, UTC))
    assert world.office.show("paper").fields["title"] == "Right"
    assert [one.id for one in world.office.members.remove([second.name]).removed] == [second.id]


def test_a_sync_says_what_it_may_not_send_and_that_a_sync_does_not_help(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    laptop.add({"title": "Draft", "citation-key": "draft"})
    world.office.sync()
    world.office.members.set_role("laptop", "reader")
    assert laptop.sync().kept_back == 1
    told = [one for one in check_pending(laptop.status()) if one.next is not None]
    assert [one.next for one in told] == [NextStep(Next.EXPORT_DRAFT_OR_ASK)]
    world.office.members.set_role("laptop", "editor")
    report = laptop.sync()
    assert (report.kept_back, report.pushed) == (0, 1)


def test_a_draft_of_who_is_not_known_here_yet_says_to_sync(world: World, tmp_path: Path) -> None:
    other = world.join("other", world.office.invite())
    laptop = world.join("laptop", world.first_ticket)
    world.office.sync()
    laptop.add({"title": "Draft", "citation-key": "draft"})
    world.office.members.remove(["laptop"])
    with pytest.raises(RemovedError):
        laptop.sync()
    laptop.drafts.export(tmp_path / "draft")
    with pytest.raises(DraftError) as refused:
        other.drafts.show(tmp_path / "draft")
    assert refused.value.next_step == NextStep(Next.SYNC_THEN_OPEN_DRAFT)
    other.sync()
    assert [one.key for one in other.drafts.show(tmp_path / "draft").edits] == ["draft"]


def test_what_was_edited_before_the_role_was_lowered_stays_a_draft(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    laptop.edit("paper", [])
    laptop.add({"title": "Draft", "citation-key": "draft"})
    world.office.sync()
    world.office.members.set_role("laptop", "reader")
    world.office.add({"title": "New", "citation-key": "new"})
    world.office.sync()
    laptop.sync()
    assert {one.key for one in laptop.list()} == {"paper", "draft", "new"}
    assert laptop.status().unsent == 1
    world.office.sync()
    assert {one.key for one in world.office.list()} == {"paper", "new"}


def test_who_leaves_keeps_the_replica_and_is_on_no_relay(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    laptop.add({"title": "Last", "citation-key": "last"})
    laptop.members.leave()
    assert laptop.status().relay is None
    assert {one.key for one in laptop.list()} == {"paper", "last"}
    with pytest.raises(NotAMemberError):
        laptop.members.leave()
    world.office.sync()
    assert world.office.show("last")
    assert [one.name for one in world.office.members.list()] == ["office"]
    # A new key, which who left does not have, was made by the owner's next sync.
    world.office.add({"title": "Later", "citation-key": "later"})
    world.office.sync()
    again = Library.attach_new(
        world.office.invite(), world.folder / "again.bifolio", home=world.home("laptop")
    )
    with again:
        assert again.show("later")


def test_members_are_called_by_name_or_id_and_renamed_for_everybody(world: World) -> None:
    laptop = world.join("laptop", world.first_ticket)
    world.office.sync()
    members = world.office.members
    with pytest.raises(MemberNotFoundError):
        members.set_role("nobody", "reader")
    assert members.rename(members.list()[1].id[:6], "Ada's laptop").name == "Ada's laptop"
    laptop.sync()
    assert laptop.members.list()[1].name == "Ada's laptop"
    assert laptop.members.rename("Ada's laptop", "lab").name == "lab"
    with pytest.raises(NotTheOwnerError):
        laptop.members.rename("office", "theirs")
    with pytest.raises(InvalidValueError):
        laptop.members.rename("lab", "two\nlines")
    world.office.sync()
    with pytest.raises(MemberNameTakenError):  # two of one name could not be told apart
        members.rename("office", "LAB")
    assert members.rename("lab", "Lab").name == "Lab"
    world.join("lab", world.office.invite())
    world.office.sync()
    with pytest.raises(AmbiguousMemberError):
        members.remove(["lab"])
    with pytest.raises(UsageError):
        members.remove(["office"])


def test_a_draft_goes_to_an_owner_as_a_file_and_is_accepted(world: World, tmp_path: Path) -> None:
    laptop = world.join("laptop", world.first_ticket)
    laptop.sync()
    laptop.edit("paper", [put("title", "On Ink"), put("note", "Read it twice.")])
    laptop.add({"title": "Draft", "citation-key": "draft", "author": ["Doe, Jane"]})
    laptop.import_files([_bib(tmp_path)])
    laptop.groups.create("Seminar")
    world.office.edit("paper", [put("title", "On Stone")])
    world.office.sync()
    world.office.members.remove(["laptop"])
    with pytest.raises(RemovedError):
        laptop.sync()
    own = laptop.drafts.own()
    assert {(one.of, one.title, one.kind) for one in own.edits} == {
        ("reference", "On Ink", EditKind.CHANGED),
        ("reference", "Draft", EditKind.ADDED),
        ("reference", "On Sand", EditKind.ADDED),
        ("group", "Seminar", EditKind.ADDED),
    }
    written = laptop.drafts.export(tmp_path / "for-the-owner.draft")
    assert written.records == 4
    shown = world.office.drafts.show(written.file)
    assert shown.device == "laptop"
    assert {one.kind for one in shown.edits} == {EditKind.ADDED, EditKind.CHANGED}
    reader = world.join("reader", world.office.invite(role="reader"))
    assert reader.drafts.show(written.file).device == "laptop"
    with pytest.raises(ReaderError):
        reader.drafts.check_may_accept()
    with world.office.command("accepted a draft"):
        assert world.office.drafts.accept(written.file).changed == 4
    paper = world.office.show("paper")
    assert paper.fields["note"] == "Read it twice."
    assert {one.value for one in paper.conflicts[0].values} == {"On Ink", "On Stone"}
    assert world.office.show("draft").fields["title"] == "Draft"
    assert world.office.drafts.accept(written.file).changed == 0
    world.office.sync()
    fresh = world.join("fresh", world.office.invite())
    assert fresh.status().state == world.office.status().state
    assert fresh.import_files([_bib(tmp_path)]).unchanged == 1
    # It was the laptop's own to drop: there it is as the office has it without the draft.
    assert laptop.drafts.discard().changes >= 3
    assert laptop.drafts.discard().changes == 0
    assert laptop.status().unsent == 0
    assert {one.key for one in laptop.list()} == {"paper"}


def test_a_draft_deletes_and_a_foreign_file_is_refused(world: World, tmp_path: Path) -> None:
    laptop = world.join("laptop", world.first_ticket)
    laptop.delete(["paper"])
    world.office.sync()
    world.office.members.set_role("laptop", "reader")
    laptop.sync()
    written = laptop.drafts.export(tmp_path / "d")
    (edit,) = world.office.drafts.show(written.file).edits
    assert edit.kind is EditKind.DELETED
    raw = written.file.read_bytes()
    for bad in (b"", b"PDF", raw[:-1], raw[:20], raw[:-5] + b"\x00" * 5):
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(DraftError):
            world.office.drafts.accept(tmp_path / "bad")
    with pytest.raises(DraftError):
        world.office.drafts.accept(tmp_path)
    other = Library.create(tmp_path / "Other.bifolio", home=world.home("office"))
    with other, pytest.raises(DraftError, match="another library"):
        other.drafts.accept(written.file)
    assert world.office.drafts.accept(written.file).changed == 1
    assert [one.key for one in world.office.trash.list()] == ["paper"]
    assert laptop.drafts.discard().changes == 1
    world.office.restore(["paper"])
    world.office.sync()
    laptop.sync()
    assert laptop.status().state == world.office.status().state
    with pytest.raises(NothingToSendError):
        laptop.drafts.export(tmp_path / "none")


def put(field: str, value: str) -> Edit:
    return Edit(field, Act.SET, (value,))


def _bib(folder: Path) -> Path:
    path = folder / "refs.bib"
    path.write_text("@book{sand, title = {On Sand}, author = {Roe, Ann}, year = 2001}\n")
    return path


def test_what_a_reader_seals_is_refused_by_every_replica_whatever_a_relay_lets_pass(
    world: World,
) -> None:
    """I2: the reader's program was altered, and the relay takes everything."""
    reader = world.join("reader", world.office.invite(role="reader"))
    editor = world.join("editor", world.office.invite())
    replica = reader._replica
    log = LibraryMembership(replica)
    membership = log.membership()
    assert membership is not None
    generation, content_key = log.newest_key()
    header = Header(
        library=replica.library_id,
        generation=generation,
        device=replica.keys.sign_public,
        chain=bytes(16),
        seq=1,
        previous=NO_PREVIOUS,
        kind=KIND_CHANGES,
        membership_head=membership.head,
    )
    sealed = seal(
        header,
        Body((), (Change(f"{1:012x}{0:06x}", ()),)).serialize(),
        content_key=content_key,
        keys=replica.keys,
        random_bytes=replica.runtime.random_bytes,
    )
    for other in (world.office, editor):
        before = other.status().state
        merged = Inbox(other._replica, LibraryMembership(other._replica)).receive(
            [Received(sealed.raw, None)]
        )
        assert (merged.changes, merged.refused) == (0, [NO_RIGHT])
        assert other.status().state == before
        (refusal,) = other.status().refusals
        assert refusal.next is not None
        assert refusal.next.code is Next.ASK_FOR_DRAFT
        assert "reader was refused: its author had no right to write" in refusal.reason

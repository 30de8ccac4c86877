"""Who comes into a simulated library: tickets, joins, roles; and the promise to who is in.

Everybody who was admitted by a relay, and whom nobody removed, is a member in the end. Of a ticket
for so many computers that more used at relays that did not know of each other, so many stay; who
is left out asks for another ticket, as its user would.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulation.computer import Computer
from tests.simulation.relay import SimulatedRelay, sync

from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import (
    Membership,
    Role,
    invite_keys,
    make_invite,
    make_rename,
    make_role,
)
from bifolio.crypto.membership.records import parse_record
from bifolio.errors import BifolioError, MembershipError
from bifolio_relay.requests import AppendMember, MembersPart

#: What makes a record on top of a log.
Make = Callable[[Membership, DeviceKeys], bytes]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that was given to somebody, for so many computers; None for any number."""

    secret: bytes
    uses: int | None

    @property
    def sign_public(self) -> bytes:
        """The key by which the log knows it."""
        return invite_keys(self.secret).sign_public


@dataclass(slots=True)
class Admission:
    """The tickets of one run, and who was let in."""

    choose: random.Random
    tickets: list[Ticket] = field(default_factory=list)
    #: By device, the ticket that it came with.
    admitted: dict[bytes, Ticket | None] = field(default_factory=dict)
    #: Who was removed, left or was given less, by somebody or itself; and the tickets that were
    #: closed.
    restricted: set[bytes] = field(default_factory=set)
    closed: set[bytes] = field(default_factory=set)
    #: Who has begun to take new keys: a relay may know those alone by now.
    rotating: set[bytes] = field(default_factory=set)
    _names: int = 0

    def invite(self, owner: Computer, relay: SimulatedRelay, *, uses: int | None = None) -> bool:
        """An owner makes a ticket, for any number of computers or a few where that is not said, and
        hands it on. False where the relay did not take it."""
        secret = self.choose.randbytes(32)
        uses = self.choose.choice((None, None, 1, 2)) if uses is None else uses

        def make(log: Membership, keys: DeviceKeys) -> bytes:
            generation, content_key = owner.member_log.newest_key()
            return make_invite(
                log,
                keys,
                ticket_secret=secret,
                role=Role.EDITOR,
                generation=generation,
                content_key=content_key,
                uses=uses,
            )

        if not self._append(owner, relay, make):
            return False
        self.tickets.append(Ticket(secret, uses))
        return True

    def promote(self, owner: Computer, relay: SimulatedRelay) -> bool:
        """An owner makes another member an owner too."""
        log = _log(owner)
        editors = [one.device for one in log.members if one.role is Role.EDITOR]
        if not editors:
            return False
        device = self.choose.choice(editors)

        def make(log: Membership, keys: DeviceKeys) -> bytes:
            return make_role(log, keys, device=log.current(device), role=Role.OWNER)

        return self._append(owner, relay, make)

    def rename(self, member: Computer, relay: SimulatedRelay) -> bool:
        """A member says what it is called: the record of who is no owner."""
        self._names += 1

        def make(log: Membership, keys: DeviceKeys) -> bytes:
            generation, content_key = member.member_log.newest_key()
            return make_rename(
                log,
                keys,
                device=member.keys.sign_public,
                name=f"name {self._names}",
                generation=generation,
                content_key=content_key,
                random_bytes=self.choose.randbytes,
            )

        return self._append(member, relay, make)

    def note(self, computer: Computer) -> None:
        """A computer has synced: it is in by now if it is a member by its own list."""
        device = computer.keys.sign_public
        if device in self.admitted or computer.member_log.role() is None:
            return
        log = _log(computer)
        came_with = [one for one in log.invites if device in one.joined]
        by_key = {ticket.sign_public: ticket for ticket in self.tickets}
        self.admitted[device] = by_key.get(came_with[0].sign_public) if came_with else None

    def may_be_out(self, computer: Computer) -> bool:
        """Whether a computer that is no member came with a ticket that others used up."""
        device = computer.keys.sign_public
        if computer.join_secret is not None or device not in self.admitted:
            return True  # on its way in
        if device in self.restricted or device in self.rotating:
            return True
        ticket = self.admitted[device]
        membership = computer.member_log.membership()
        if ticket is not None and self._is_closed(ticket, membership):
            return True  # where its join lost against another list, it is not made again
        if ticket is None or ticket.uses is None:
            return False
        invite = membership.invite(ticket.sign_public) if membership is not None else None
        return invite is not None and len(invite.joined) >= ticket.uses

    def _is_closed(self, ticket: Ticket, log: Membership | None) -> bool:
        """Whether a ticket lets nobody in any more: an owner closed it, or removed one who came
        with it."""
        invite = log.invite(ticket.sign_public) if log is not None else None
        return ticket.sign_public in self.closed or (invite is not None and not invite.is_open)

    def check(self, computers: Iterable[Computer]) -> None:
        """Nobody who was let in is out, and no ticket let in more than it may."""
        computers = list(computers)
        log = _log(computers[0])
        for computer in computers:
            assert computer.member_head() == log.head, f"{computer.name} has another list"
        here = {device for raw in log.records if (device := _who_joins(raw))}
        for device, ticket in self.admitted.items():
            device, before = log.current(device), device
            if {device, before} & self.restricted:
                continue
            if ticket is not None and self._is_closed(ticket, log) and device not in here:
                continue
            if ticket is None or ticket.uses is None:
                assert log.role_of(device) is not None, "a member is locked out"
        for ticket in self.tickets:
            invite = log.invite(ticket.sign_public)
            if invite is not None and ticket.uses is not None:
                assert len(invite.joined) <= ticket.uses, "a ticket let in more than it may"

    def _append(self, author: Computer, relay: SimulatedRelay, make: Make) -> bool:
        """Append a record of a computer's own making, as its sync would."""
        try:
            sync(relay, author)
        except BifolioError:
            is_restricted = author.keys.sign_public in self.restricted
            if is_restricted or (author.member_log.role() is None and self.may_be_out(author)):
                return False
            raise
        log = _log(author)
        try:
            record = make(log, author.keys)
        except MembershipError:
            if self.restricted or self.rotating:
                return False  # whom it is about was removed meanwhile
            raise
        question = AppendMember(log.library_id, author.keys.sign_public, log.head, record, True)
        answer = relay.answer(question)
        assert isinstance(answer, MembersPart), answer
        relay.members_grown(answer, None)
        author.member_log.learn([record])
        return True


def _who_joins(raw: bytes) -> bytes | None:
    """Whom a record of the log itself, not one that is carried, lets in."""
    record = parse_record(raw)
    device = record.fields.get("device") if record.header.kind == "join" else None
    return device if isinstance(device, bytes) else None


def _log(computer: Computer) -> Membership:
    membership = computer.member_log.membership()
    assert membership is not None
    return membership

"""Members who are removed, leave, or are given less or more, and tickets that are closed: as users
do it, with nobody waiting until all have everything.

What must hold of them is in ``check``: who keeps the right to write loses nothing, which the
oracle sees to (``history``); who lost it keeps what it wrote, as a draft where nobody else has
that; and no key that was made behind a removal is in the hands of who was removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from tests.simulation.computer import Computer
from tests.simulation.members import membership_of
from tests.simulation.relay import sync

from bifolio.crypto.membership import Membership, Role, merge_logs
from bifolio.crypto.membership.records import parse_record
from bifolio.errors import BifolioError
from bifolio.replication.drafts import find_draft
from bifolio.replication.member_acts import (
    LeaveAct,
    MemberAct,
    RemoveAct,
    RevokeAct,
    RoleAct,
)

if TYPE_CHECKING:
    from tests.simulation.simulator import Simulator


class RightsSteps:
    """The steps of one run in which rights are taken and given."""

    def __init__(self, world: Simulator) -> None:
        self._world = world

    def acts(self) -> list[tuple[int, Callable[[], None]]]:
        """Each with its weight."""
        return [
            (2, self._remove),
            (2, self._lower),
            (2, self._raise),
            (1, self._leave),
            (1, self._close_ticket),
        ]

    def may_write(self, computer: Computer) -> bool:
        """Whether its user may edit, by what the computer knows."""
        membership = computer.member_log.membership()
        return membership is not None and membership.may_write(computer.keys.sign_public)

    def is_restricted(self, computer: Computer) -> bool:
        """Whether somebody took a right of this computer's device, or tried to."""
        return computer.keys.sign_public in self._restricted

    def live(self) -> list[Computer]:
        """The computers of who is a member by the list of an owner's that nobody touched; without
        those on which somebody left, or that know of their own end alone: where a relay lost the
        record of that, nobody else has heard of it, and who is out tells nobody (seed 206 with
        notes, 20343, 21016)."""
        world = self._world
        owners = [one for one in world._owners() if not self.is_restricted(one)]
        log = membership_of(owners[0])
        members = [one for one in world.computers if log.role_of(one.keys.sign_public) is not None]
        return [one for one in members if not _has_left(one) and not self._is_out(one, log)]

    def _is_out(self, computer: Computer, log: Membership) -> bool:
        """Whether somebody took the right of a computer, and its own list, in which it is no member
        any more, goes on against an owner's, who has lost that: it follows no other list."""
        own = membership_of(computer)
        is_member = own.role_of(computer.keys.sign_public) is not None
        if is_member or not self.is_restricted(computer):
            return False
        merged = merge_logs(own, log)
        return merged.ours_won and merged.shared < len(log.records)

    def writers(self) -> list[Computer]:
        """Those of ``live`` whose rights nobody touched."""
        return [one for one in self.live() if not self.is_restricted(one)]

    # --- in the end -----------------------------------------------------------------------

    def check(self, held: Mapping[int, frozenset[bytes]]) -> None:
        """What must hold of those who lost a right.

        Args:
            held: by the id of each computer what it had when all began to sync for the last time.
        """
        live = self.live()
        everywhere = frozenset[bytes].intersection(*(one.known() for one in live))
        newest = {live[0].member_log.newest_key()}
        for computer in live:
            assert {computer.member_log.newest_key()} == newest, f"{computer.name} lacks a key"
        for computer in self._world.computers:
            if not self.is_restricted(computer):
                continue
            own = {
                one
                for one in held[id(computer)] - everywhere
                if self._world.history.authors.get(one) == computer.keys.sign_public
            }
            lost = own - computer.known()
            assert not lost, f"{computer.name} lost {len(lost)} edits with its right"
            role = computer.member_log.role()
            if own and (role is None or not role.may_write):
                draft = find_draft(computer.replica, computer.member_log)
                assert draft.records, f"{computer.name} does not list {len(own)} edits"
            if membership_of(live[0]).role_of(computer.keys.sign_public) is None:
                keys = computer.member_log.keys().values()
                generation, key = next(iter(newest))
                assert not generation or key not in keys, f"{computer.name} has a later key"

    # --- steps ------------------------------------------------------------------------------

    def _remove(self) -> None:
        owner, device = self._an_owner(), self._somebody(Role.EDITOR, Role.READER)
        if owner is not None and device is not None:
            self._note(device)
            self._act(owner, RemoveAct(owner.replica, owner.member_log, [device]), "removes one")

    def _lower(self) -> None:
        owner, device = self._an_owner(), self._somebody(Role.EDITOR)
        if owner is not None and device is not None:
            self._note(device)
            self._act(
                owner,
                RoleAct(owner.replica, owner.member_log, device, Role.READER),
                "makes one a reader",
            )

    def _raise(self) -> None:
        owner, device = self._an_owner(), self._somebody(Role.READER)
        if owner is not None and device is not None:
            self._act(
                owner,
                RoleAct(owner.replica, owner.member_log, device, Role.EDITOR),
                "lets one write",
            )

    def _leave(self) -> None:
        device = self._somebody(Role.EDITOR, Role.READER)
        computers = [one for one in self._world.computers if one.keys.sign_public == device]
        if device is not None and computers:
            self._note(device)
            self._act(computers[0], LeaveAct(computers[0].replica), "leaves")

    def _close_ticket(self) -> None:
        owner, admission = self._an_owner(), self._world.admission
        # The first one is what every computer came with.
        tickets = admission.tickets[1:]
        if owner is None or not tickets:
            return
        ticket = self._world.choose.choice(tickets)
        admission.closed.add(ticket.sign_public)
        self._act(owner, RevokeAct(owner.replica, [ticket.sign_public]), "closes a ticket")

    # --- small steps --------------------------------------------------------------------------

    def _act(self, computer: Computer, act: MemberAct, what: str) -> None:
        """In one go, or message by message, so that a cut or a lost relay comes in between."""
        world = self._world
        world._say(f"{computer.name} {what}")
        relay = world._relay_of(computer)
        if world.choose.random() < 0.3:
            relay.connect(computer, act=act)
            return
        try:
            sync(relay, computer, act=act)
        except BifolioError as error:
            world._refused(computer, error)

    def _note(self, device: bytes) -> None:
        names = [one.name for one in self._world.computers if one.keys.sign_public == device]
        self._world._say(f"  ({names[0] if names else device.hex()[:8]})")
        self._restricted.add(device)
        self._world.history.restricted.add(device)
        if self._world.devices is not None:
            self._world.devices.restrict_successors(device)

    @property
    def _restricted(self) -> set[bytes]:
        return self._world.admission.restricted

    def _an_owner(self) -> Computer | None:
        owners = [one for one in self._world._owners() if not self.is_restricted(one)]
        return self._world.choose.choice(owners) if owners else None

    def _somebody(self, *roles: Role) -> bytes | None:
        """A device that has such a role by the first owner's list, and a computer here; two are
        left alone, so that somebody writes."""
        owner = self._an_owner()
        if owner is None:
            return None
        log = membership_of(owner)
        here: Sequence[bytes] = sorted({one.keys.sign_public for one in self._world.computers})
        free = [one for one in here if one not in self._restricted and log.role_of(one) is not None]
        found = [
            one
            for one in here
            if log.role_of(one) in roles and (one in self._restricted or len(free) > 2)
        ]
        return self._world.choose.choice(found) if found else None


def _has_left(computer: Computer) -> bool:
    """Whether its own list says that its user left."""
    if computer.member_log.role() is not None:
        return False
    records = map(parse_record, membership_of(computer).records)
    own = computer.keys.sign_public
    return any(one.header.kind == "leave" and one.header.author == own for one in records)

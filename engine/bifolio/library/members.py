"""The members of a library and its tickets, as programs use them: ``library.members``.

Listing needs no network. Every other call changes the members on the relay, or here alone where
the library is on none; each has a coroutine of its name with ``_async``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from bifolio import limits
from bifolio.crypto.membership import Invite, Member, Membership, Role, invite_keys
from bifolio.crypto.recovery import RECOVERY_SECRET_BYTES, encode_recovery
from bifolio.crypto.ticket import Ticket
from bifolio.errors import (
    AmbiguousMemberError,
    InvalidValueError,
    MemberNameTakenError,
    MemberNotFoundError,
    Next,
    NotAMemberError,
    UsageError,
)
from bifolio.ids import device_tag
from bifolio.records.values import is_one_line
from bifolio.replica import lookup
from bifolio.replica.device_naming import likeness
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.member_acts import (
    MemberAct,
    RecoveryAct,
    RemoveAct,
    RenameAct,
    RevokeAct,
    RoleAct,
    become,
    check_another_owner,
)
from bifolio.replication.remote import Remote
from bifolio.replication.run_blocking import run_blocking
from bifolio.results import (
    ChangedMember,
    InviteState,
    InviteView,
    LeftLibrary,
    MemberView,
    RecoveryCode,
    RemovedMembers,
    RevokedInvite,
)

T = TypeVar("T")

_ID_SHOWN, _ID_LENGTH_MIN = lookup.MEMBER_ID_LENGTH, lookup.MEMBER_ID_LENGTH_MIN


class Members:
    """Who may read and write one library."""

    def __init__(self, replica: Replica, remote: Callable[[], Remote]) -> None:
        self._replica = replica
        self._remote = remote
        self._log = LibraryMembership(replica)

    # --- who there is ------------------------------------------------------------------------

    def invites(self) -> Sequence[InviteView]:
        """All tickets and recovery codes that were made, in their order, without their secrets."""
        membership, names = self._membership(), lookup.device_names(self._replica)
        now_ms = self._replica.runtime.now_ms()
        return [
            InviteView(
                id=_short(one.sign_public),
                role=str(one.role),
                label=self._log.about(one).label,
                by=_name(names, one.author),
                state=_state(one, now_ms),
                uses=one.uses,
                expires=_moment(one.expires_ms),
                joined=tuple(sorted(_name(names, device) for device in one.joined)),
                is_recovery=one.is_recovery,
            )
            for one in membership.invites
        ]

    def invite_of(self, ticket: str) -> InviteView:
        """For whom a ticket is that was made here.

        Raises:
            TicketError, MemberNotFoundError: it is none, or not of this library.
        """
        key = invite_keys(Ticket.decode(ticket).secret).sign_public
        for one in self.invites():
            if one.id == _short(key):
                return one
        raise MemberNotFoundError(_short(key), names=(), of="ticket")

    def list(self) -> Sequence[MemberView]:
        """All members as far as they are known here, in the order in which they came."""
        membership = self._membership()
        names, heard = lookup.device_names(self._replica), self._replica.heard.read_all()
        own = self._replica.keys.sign_public
        return [
            MemberView(
                id=_short(one.device),
                name=_name(names, one.device),
                role=str(one.role),
                joined=_moment(membership.joined_ms(one.device)),
                last_heard=_last_heard(heard, membership.lineage(one.device)),
                is_own=one.device == own,
            )
            for one in membership.members
        ]

    # --- tickets -----------------------------------------------------------------------------

    def revoke(self, invite: str) -> RevokedInvite:
        """Close a ticket or a recovery code, by its id or its label: it lets nobody in any more.

        Raises:
            MemberNotFoundError, AmbiguousMemberError: nothing was changed.
            NotTheOwnerError, RelayUnreachableError and others.
        """
        return run_blocking(self.revoke_async(invite))

    async def revoke_async(self, invite: str) -> RevokedInvite:
        """``revoke`` in an event loop."""
        found = await self._find_fresh(lambda: self._find_invite(invite))
        await self._act("close tickets", RevokeAct(self._replica, [found.sign_public]))
        return RevokedInvite(_short(found.sign_public), self._log.about(found).label)

    def create_recovery(self) -> RecoveryCode:
        """Make a recovery code, with which a new computer becomes an owner when all others are
        lost. It is stored nowhere; the codes before it are good no more.

        Raises:
            NotTheOwnerError, RelayUnreachableError and others.
        """
        return run_blocking(self.create_recovery_async())

    async def create_recovery_async(self) -> RecoveryCode:
        """``create_recovery`` in an event loop."""
        secret = os.urandom(RECOVERY_SECRET_BYTES)
        code = encode_recovery(self._replica.library_id, secret)
        await self._act("make recovery codes", RecoveryAct(self._replica, self._log, code.secret))
        return RecoveryCode(code.text)

    # --- members -----------------------------------------------------------------------------

    def set_role(self, member: str, role: str) -> ChangedMember:
        """Give a member another role: ``owner``, ``editor`` or ``reader``.

        Args:
            member: its name, or the beginning of its id.
            role: the new one.

        Raises:
            MemberNotFoundError, AmbiguousMemberError, LastOwnerError: nothing was changed.
            NotTheOwnerError, RelayUnreachableError and others.
        """
        return run_blocking(self.set_role_async(member, role))

    async def set_role_async(self, member: str, role: str) -> ChangedMember:
        """``set_role`` in an event loop."""
        wanted = read_role(role)
        found = await self._find_fresh(lambda: self._find(member))
        if wanted is not Role.OWNER:
            check_another_owner(self._membership(), found.device, become(wanted))
        await self._act("give roles", RoleAct(self._replica, self._log, found.device, wanted))
        return self._changed(found.device, str(wanted))

    def rename(self, member: str, name: str) -> ChangedMember:
        """Say what a member's computer is called in this library: this one's own, or an owner's of
        any.

        Raises:
            InvalidValueError, MemberNotFoundError, AmbiguousMemberError, MemberNameTakenError:
                nothing was changed.
            NotTheOwnerError, RelayUnreachableError and others.
        """
        return run_blocking(self.rename_async(member, name))

    def rename_own(self, name: str) -> ChangedMember:
        """``rename`` of this computer."""
        return self.rename(self._replica.keys.sign_public.hex(), name)

    async def rename_async(self, member: str, name: str) -> ChangedMember:
        """``rename`` in an event loop."""
        name = name.strip()
        is_short = len(name.encode("utf-8", "replace")) <= limits.MEMBER_NAME_BYTES_MAX
        if not name or not is_one_line(name) or not is_short:
            expected = f"a name on one line, of at most {limits.MEMBER_NAME_BYTES_MAX} bytes"
            raise InvalidValueError("name", expected=expected, got=f"'{name}'")
        found = await self._find_fresh(lambda: self._find(member))
        names = lookup.said_names(self._replica)
        for other in self._membership().members:
            taken = names.get(device_tag(other.device), "")
            if other.device != found.device and likeness(taken) == likeness(name):
                raise MemberNameTakenError(taken, id=_short(other.device))
        act = RenameAct(self._replica, self._log, found.device, name)
        own = found.device == self._replica.keys.sign_public
        await self._act(None if own else "rename others", act)
        return self._changed(found.device, str(found.role))

    def remove(self, members: Sequence[str]) -> RemovedMembers:
        """Remove members: what they sent stays, nothing that follows is taken from them, and they
        can read nothing of it. What they have read stays with them.

        Raises:
            MemberNotFoundError, AmbiguousMemberError, UsageError: nothing was changed.
            NotTheOwnerError, RelayUnreachableError and others.
        """
        return run_blocking(self.remove_async(members))

    async def remove_async(self, members: Sequence[str]) -> RemovedMembers:
        """``remove`` in an event loop."""
        named = await self._find_fresh(lambda: [self._find(one) for one in members])
        found = {one.device: one for one in named}
        if self._replica.keys.sign_public in found:
            raise UsageError(
                "A computer cannot remove itself. Nothing was changed.",
                next_step=Next.LEAVE_OR_REMOVE_ELSEWHERE,
            )
        removed = tuple(self._changed(one.device, str(one.role)) for one in found.values())
        closed = self._membership().invites_known_to(list(found))
        await self._act("remove members", RemoveAct(self._replica, self._log, list(found)))
        return RemovedMembers(removed, len(closed))

    def leave(self) -> LeftLibrary:
        """Stop being a member, once all of this computer's changes are on the relay. The replica
        stays, as a library that is on no relay.

        Raises:
            LastOwnerError: this is the only owner; nothing was changed.
            NotAMemberError, RelayUnreachableError and others.
        """
        return run_blocking(self.leave_async())

    async def leave_async(self) -> LeftLibrary:
        """``leave`` in an event loop."""
        own = self._replica.keys.sign_public
        if self._membership().role_of(own) is None:
            raise NotAMemberError
        check_another_owner(self._membership(), own, "leave")
        await self._remote().leave()
        return LeftLibrary(self._replica.library_id.hex(), self._replica.path)

    # --- small steps -------------------------------------------------------------------------

    async def _act(self, words: str | None, act: MemberAct) -> None:
        remote = self._remote()
        if words is not None:
            remote.check_owner(words)
        await remote.act(act)

    async def _find_fresh(self, find: Callable[[], T]) -> T:
        """What is found here, or after a sync: somebody may have joined just now."""
        try:
            return find()
        except MemberNotFoundError:
            remote = self._remote()
            if not remote.url:
                raise
            await remote.sync()
            return find()

    def _membership(self) -> Membership:
        membership = self._log.membership()
        if membership is None:
            raise NotAMemberError
        return membership

    def _find(self, wanted: str) -> Member:
        names = lookup.device_names(self._replica)
        members = self._membership().members
        tags = lookup.tags_named(self._replica, wanted)
        found = [one for one in members if device_tag(one.device) in tags]
        if not found:
            found = _matching(wanted, members, lambda one: (one.device, ""))
        if not found:
            known = tuple(_name(names, one.device) for one in members)
            raise MemberNotFoundError(wanted, names=known)
        if len(found) > 1:
            raise AmbiguousMemberError(wanted, ids=tuple(_short(one.device) for one in found))
        return found[0]

    def _find_invite(self, wanted: str) -> Invite:
        invites = self._membership().invites
        found = _matching(
            wanted, invites, lambda one: (one.sign_public, self._log.about(one).label)
        )
        still_open = [one for one in found if one.is_open]
        found = still_open if len(found) > 1 and still_open else found
        if not found:
            raise MemberNotFoundError(wanted, names=(), of="ticket")
        if len(found) > 1:
            ids = tuple(_short(one.sign_public) for one in found)
            raise AmbiguousMemberError(wanted, ids=ids, of="tickets", next_step=Next.LIST_INVITES)
        return found[0]

    def _changed(self, device: bytes, role: str) -> ChangedMember:
        names = lookup.device_names(self._replica)
        return ChangedMember(_short(device), _name(names, device), role)


def read_role(text: str) -> Role:
    """The role of a name.

    Raises:
        InvalidValueError: there is no such role.
    """
    try:
        return Role(text.strip().casefold())
    except ValueError:
        expected = ", ".join(Role)
        raise InvalidValueError("role", expected=f"one of {expected}", got=f"'{text}'") from None


def _matching(
    wanted: str, all_of: Sequence[T], key_and_name: Callable[[T], tuple[bytes, str]]
) -> list[T]:
    """Who is called so; otherwise whose key begins so."""
    wanted = wanted.strip().casefold()
    named = [one for one in all_of if wanted and key_and_name(one)[1].casefold() == wanted]
    if named or len(wanted) < _ID_LENGTH_MIN:
        return named
    return [one for one in all_of if key_and_name(one)[0].hex().startswith(wanted)]


def _short(key: bytes) -> str:
    return key.hex()[:_ID_SHOWN]


def _name(names: dict[str, str], device: bytes) -> str:
    return lookup.device_name(names, device_tag(device))


def _last_heard(heard: Mapping[str, str], lineage: Sequence[bytes]) -> str | None:
    """When the newest change that is here of a device was made, under whichever of its keys."""
    stamps = [heard[device_tag(key)] for key in lineage if device_tag(key) in heard]
    return lookup.moment(max(stamps)) if stamps else None


def _state(invite: Invite, now_ms: int) -> InviteState:
    if not invite.is_open:
        return InviteState.CLOSED
    if invite.is_used_up:
        return InviteState.USED
    if invite.expires_ms is not None and invite.expires_ms <= now_ms:
        return InviteState.EXPIRED
    return InviteState.OPEN


def _moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

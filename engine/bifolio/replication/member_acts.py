"""What a user does to the members, as records that a relay appends one after the other.

An act is asked for its next record as often as there may be one: on top of the log as it is then,
so one that lost against another's record is simply made again. Those that end somebody's right to
write say where its chains end, and wait until the relay's log is merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import (
    Membership,
    Role,
    invite_keys,
    make_earlier_keys,
    make_keys,
    make_leave,
    make_recovery,
    make_remove,
    make_rename,
    make_revoke,
    make_role,
    make_rotate,
    recovery_keys,
)
from bifolio.errors import LastOwnerError
from bifolio.replica.membership import InviteTerms, LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.chain_ends import cut_of

_CONTENT_KEY_BYTES = 32


class MemberAct(Protocol):
    """Something that a user does to the members."""

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:
        """The record to append now; None where there is none, or none yet.

        Raises:
            LastOwnerError, MembershipError, NotAMemberError, NewerMembershipError: it cannot be
                done.
        """


class InviteAct:
    """Let the holder of a ticket join."""

    def __init__(
        self, member_log: LibraryMembership, secret: bytes, terms: InviteTerms | None = None
    ) -> None:
        self._member_log = member_log
        self._secret = secret
        self._terms = terms or InviteTerms(uses=None)

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:  # noqa: ARG002
        """The invite."""
        if membership.is_open_invite(invite_keys(self._secret).sign_public):
            return None
        return self._member_log.invite(self._secret, self._terms)


class RecoveryAct:
    """Make a recovery key; those before it are closed, so that one code is good at a time."""

    def __init__(self, replica: Replica, member_log: LibraryMembership, secret: bytes) -> None:
        self._replica = replica
        self._member_log = member_log
        self._secret = secret

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:  # noqa: ARG002
        """The key, then the end of each earlier one."""
        keys, own = self._replica.keys, recovery_keys(self._secret).sign_public
        if membership.invite(own) is None:
            generation, content_key = self._member_log.newest_key()
            return make_recovery(
                membership,
                keys,
                secret=self._secret,
                generation=generation,
                content_key=content_key,
            )
        for one in membership.invites:
            if one.is_recovery and one.is_open and one.sign_public != own:
                return make_revoke(membership, keys, sign_public=one.sign_public)
        return None


class RevokeAct:
    """Close invites or recovery keys, named by their signing keys."""

    def __init__(self, replica: Replica, invites: Sequence[bytes]) -> None:
        self._replica = replica
        self._invites = invites

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:  # noqa: ARG002
        """The end of the next one that is open."""
        for sign_public in self._invites:
            invite = membership.invite(sign_public)
            if invite is not None and invite.is_open:
                return make_revoke(membership, self._replica.keys, sign_public=sign_public)
        return None


class RoleAct:
    """Give a member another role."""

    def __init__(
        self, replica: Replica, member_log: LibraryMembership, device: bytes, role: Role
    ) -> None:
        self._replica = replica
        self._device = device
        self._role = role
        self._said_again = SaidAgain(replica, member_log)

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:
        """The role, with the cut where it ends the right to write."""
        device = membership.current(self._device)
        held = membership.role_of(device)
        if held is None or held is self._role:
            return self._said_again.next_record(membership)
        self._said_again.note(membership)
        if held is Role.OWNER:
            check_another_owner(membership, device, become(self._role))
        cut = None
        if held.may_write and not self._role.may_write:
            if not log_is_merged:
                return None
            cut = cut_of(self._replica, device)
        return make_role(membership, self._replica.keys, device=device, role=self._role, cut=cut)


class RemoveAct:
    """Remove members, all at once; the keys for which the record has no room follow."""

    def __init__(
        self, replica: Replica, member_log: LibraryMembership, devices: Sequence[bytes]
    ) -> None:
        self._replica = replica
        self._member_log = member_log
        self._devices = devices
        self._said_again = SaidAgain(replica, member_log)

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:
        """The removal of who is still a member, also under keys that it took meanwhile."""
        now = dict.fromkeys(membership.current(one) for one in self._devices)
        left = [one for one in now if membership.role_of(one) is not None]
        if not log_is_merged:
            return None
        if not left:
            return self._said_again.next_record(membership)
        self._said_again.note(membership)
        random_bytes = self._replica.runtime.random_bytes
        return make_remove(
            membership,
            self._replica.keys,
            cuts={one: cut_of(self._replica, one) for one in left},
            content_key=random_bytes(_CONTENT_KEY_BYTES),
            earlier=self._member_log.keys(),
            random_bytes=random_bytes,
        )[0]


class LeaveAct:
    """Leave, once everything of this computer is on the relay."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:
        """The record by which this device goes."""
        keys = self._replica.keys
        if not log_is_merged or membership.role_of(keys.sign_public) is None:
            return None
        check_another_owner(membership, keys.sign_public, "leave")
        return make_leave(membership, keys, cut=cut_of(self._replica, keys.sign_public))


class MoveAct:
    """Say on which relay the library is from here on."""

    def __init__(self, member_log: LibraryMembership, address: str) -> None:
        self._member_log = member_log
        self._address = address

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:  # noqa: ARG002
        """The address, unless the log says it already."""
        if membership.relay is not None and self._member_log.said_address() == self._address:
            return None
        return self._member_log.say_address(self._address)


class SaidAgain:
    """Where the library is, said again by this owner when who said it loses the right to: what it
    said does not count any more, and this computer knows where it is itself."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._was_said = False

    def note(self, membership: Membership) -> None:
        """Before the right is taken."""
        self._was_said = self._was_said or membership.relay is not None

    def next_record(self, membership: Membership) -> bytes | None:
        """The address of this computer's relay, where nobody else's counts now."""
        url = self._replica.meta.relay_url
        if not self._was_said or membership.relay is not None or not url:
            return None
        return self._member_log.say_address(url)


class RotateAct:
    """Go on under new keys, once everything that the old ones signed is on the relay."""

    def __init__(
        self, replica: Replica, member_log: LibraryMembership, successor: DeviceKeys
    ) -> None:
        self._replica = replica
        self._member_log = member_log
        self._successor = successor

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:
        """The record by which the new keys follow the old ones."""
        keys = self._replica.keys
        if not log_is_merged or membership.role_of(keys.sign_public) is None:
            return None
        if membership.has_met(self._successor.sign_public):
            return None  # another process of this device was faster
        generation, content_key = self._member_log.newest_key()
        named = self._member_log.logged_names().get(keys.sign_public, keys.name)
        return make_rotate(
            membership,
            keys,
            replace(self._successor, name=named),
            cut=cut_of(self._replica, keys.sign_public),
            generation=generation,
            content_key=content_key,
            random_bytes=self._replica.runtime.random_bytes,
        )


class RenameAct:
    """Say what a member's computer is called."""

    def __init__(
        self, replica: Replica, member_log: LibraryMembership, device: bytes, name: str
    ) -> None:
        self._replica = replica
        self._member_log = member_log
        self._device = device
        self._name = name

    def next_record(self, membership: Membership, *, log_is_merged: bool) -> bytes | None:  # noqa: ARG002
        """The name, unless the log says it already."""
        if self._member_log.logged_names().get(self._device) == self._name:
            return None
        generation, content_key = self._member_log.newest_key()
        return make_rename(
            membership,
            self._replica.keys,
            device=self._device,
            name=self._name,
            generation=generation,
            content_key=content_key,
            random_bytes=self._replica.runtime.random_bytes,
        )


def check_another_owner(membership: Membership, device: bytes, act: str) -> None:
    """Check that somebody owns the library when this device does not.

    Args:
        act: what it cannot do otherwise, behind "it cannot".

    Raises:
        LastOwnerError: nobody would.
    """
    owners = [one.device for one in membership.members if one.role is Role.OWNER]
    if owners == [device]:
        raise LastOwnerError(act)


def become(role: Role) -> str:
    """That somebody gets a role, behind "cannot"."""
    return f"become an {role}" if role is Role.EDITOR else f"become a {role}"


def owed_keys(
    replica: Replica, member_log: LibraryMembership, membership: Membership
) -> bytes | None:
    """The record by which this computer gives the others the keys that they lack. An owner's: the
    next one after somebody left or a ticket was closed, and the newest one to who was not given it.
    Any member's: one from a log that lost, which nobody finds who joins from here on; no owner may
    have it.

    None where nothing is owed, or this computer cannot give it.
    """
    keys, newest = replica.keys, member_log.key(membership.generation)
    role = membership.role_of(keys.sign_public)
    if membership.needs_newer or role is None:
        return None
    if role is Role.OWNER and membership.needs_new_key and member_log.has_key():
        random_bytes = replica.runtime.random_bytes
        return make_keys(
            membership,
            keys,
            content_key=random_bytes(_CONTENT_KEY_BYTES),
            earlier=member_log.keys(),
            random_bytes=random_bytes,
        )[0]
    if newest is None:
        return None
    if role is Role.OWNER and membership.without_key:
        return make_keys(membership, keys, content_key=newest)[0]
    return make_earlier_keys(
        membership,
        keys,
        content_key=newest,
        earlier=member_log.keys(),
        random_bytes=replica.runtime.random_bytes,
    )

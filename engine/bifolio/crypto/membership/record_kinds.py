"""What each kind of membership record says, and who may say it.

A further kind is a class here and an entry in ``KINDS``. A record of a kind that is not in there,
or that needs a later version of one, is carried without being understood (``rules``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from bifolio.crypto.keys import PUBLIC_KEY_BYTES, SEAL_BYTES, is_usable_box_key
from bifolio.crypto.membership.records import GENESIS, Record, read_body
from bifolio.crypto.membership.rights import Invite, Join, Rights, Role
from bifolio.errors import MembershipError

CONTENT_KEY_BYTES = 32
GENERATION_MAX = 2**32 - 1
NONCE_BYTES = 32

_SEALED_KEY_BYTES = CONTENT_KEY_BYTES + SEAL_BYTES
_ROLES = tuple(role.value for role in Role)


class RecordKind(ABC):
    """One kind of record. ``version`` is the latest of its bodies that this program knows."""

    name: ClassVar[str]
    version: ClassVar[int] = 1

    @abstractmethod
    def enter(self, record: Record, rights: Rights) -> None:
        """Check a record, whose author's signature is good, and note what it says.

        Raises:
            MembershipError: it breaks a rule; nothing was noted.
        """


class GenesisKind(RecordKind):
    """The first record: its author owns the library. Body: ``[box_public, nonce, ...]``."""

    name = GENESIS

    def enter(self, record: Record, rights: Rights) -> None:
        """The author becomes the owner."""
        box_public, nonce = read_body(record, (bytes, bytes))
        if len(nonce) != NONCE_BYTES:
            raise MembershipError("its nonce has the wrong length")
        _check_box_key(box_public)
        record.check_others()
        rights.admit(record.header.author, box_public, Role.OWNER)


class InviteKind(RecordKind):
    """An owner lets the holder of a ticket join.

    Body: ``[sign_public, box_public, role, generation, sealed_key, ...]``.
    """

    name = "invite"

    def enter(self, record: Record, rights: Rights) -> None:
        """The invite is open from here on."""
        values = read_body(record, (bytes, bytes, str, int, bytes))
        sign_public, box_public, role, generation, sealed_key = values
        if rights.role(record.header.author) is not Role.OWNER:
            raise MembershipError("its author is no owner of the library, and only owners invite")
        if role not in _ROLES:
            raise MembershipError(f"its role is {role!r:.20}; there are {', '.join(_ROLES)}")
        if sign_public in rights.invites:
            raise MembershipError("there is an invite with this key already")
        if len(sign_public) != PUBLIC_KEY_BYTES:
            raise MembershipError("a key in it has the wrong length")
        _check_box_key(box_public)
        _check_grant(generation, sealed_key)
        record.check_others()
        rights.invites[sign_public] = Invite(
            sign_public, box_public, Role(role), generation, sealed_key
        )


class JoinKind(RecordKind):
    """A device joins on the right of an invite, which is the author; it signs too.

    Body: ``[device, box_public, generation, sealed_key, ...]``.
    """

    name = "join"

    def enter(self, record: Record, rights: Rights) -> None:
        """The device gets the invite's role."""
        join = Join(*read_body(record, (bytes, bytes, int, bytes)))
        invite = rights.invites.get(record.header.author)
        if invite is None:
            raise MembershipError("it names an invite that this library does not have")
        if join.generation != invite.generation:
            raise MembershipError("it carries another generation of the key than its invite")
        _check_box_key(join.box_public)
        _check_grant(join.generation, join.sealed_key)
        record.check_others(join.device)
        rights.admit(join.device, join.box_public, invite.role)
        rights.joins[join.device] = (*rights.joins.get(join.device, ()), join)


#: The kinds that this program knows, by name.
KINDS: Mapping[str, RecordKind] = {
    kind.name: kind for kind in (GenesisKind(), InviteKind(), JoinKind())
}


def _check_box_key(box_public: bytes) -> None:
    if not is_usable_box_key(box_public):
        raise MembershipError("there is no sealing to a public key in it")


def _check_grant(generation: int, sealed_key: bytes) -> None:
    if not 0 <= generation <= GENERATION_MAX:
        raise MembershipError(f"it names key generation {generation}")
    if len(sealed_key) != _SEALED_KEY_BYTES:
        raise MembershipError("the content key in it has the wrong length")

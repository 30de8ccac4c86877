"""What a later version of Bifolio will know of a library's members: a kind of record of its own.

Stands in for a program of tomorrow. What it writes is received today; what it knows is handed to
the rules where today's kinds are (``crypto.membership.kinds``).
"""

from __future__ import annotations

from bifolio.crypto.encoding import pack
from bifolio.crypto.keys import DeviceKeys
from bifolio.crypto.membership import Membership, Role
from bifolio.crypto.membership.kinds import KINDS, RecordKind
from bifolio.crypto.membership.records import (
    VERSION,
    Record,
    RecordHeader,
    read_body,
    sign_record,
)
from bifolio.crypto.membership.rights import Rights
from bifolio.errors import MembershipError


class RoleKind(RecordKind):
    """An owner gives a member another role. Body: ``[device, role, ...]``."""

    name = "role"

    def enter(self, record: Record, rights: Rights) -> None:
        """The member has the role from here on."""
        device, role = read_body(record, (bytes, str))
        if rights.role(record.header.author) is not Role.OWNER:
            raise MembershipError("only owners give roles")
        if rights.role(device) is None:
            raise MembershipError("there is no such member")
        record.check_others()
        rights.assign(device, Role(role))


class GreetingKind(RecordKind):
    """A member says something. Body: ``[text, ...]``."""

    name = "greeting"

    def enter(self, record: Record, rights: Rights) -> None:
        """Nothing comes of it."""
        read_body(record, (str,))
        if rights.role(record.header.author) is None:
            raise MembershipError("only members greet")
        record.check_others()


#: What the program of tomorrow knows.
NEWER_KINDS = {**KINDS, "role": RoleKind(), "greeting": GreetingKind()}


def make_record(
    membership: Membership,
    author: DeviceKeys,
    kind: str,
    *values: bytes | str | int,
    needs: int = 1,
    version: int = VERSION,
) -> bytes:
    """A well-signed record that follows a membership."""
    header = RecordHeader(
        version, membership.library_id, membership.head, author.sign_public, kind, needs
    )
    return sign_record(header, pack(values), author)


def make_role(membership: Membership, owner: DeviceKeys, device: bytes, role: Role) -> bytes:
    """The record that gives a member another role: nobody may go on without knowing it."""
    return make_record(membership, owner, "role", device, role.value)


def make_greeting(membership: Membership, author: DeviceKeys, text: str = "Hello") -> bytes:
    """A record that whoever does not know it goes on without."""
    return make_record(membership, author, "greeting", text, needs=0)

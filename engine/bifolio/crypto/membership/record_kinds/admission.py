"""How devices come in: the genesis, invites, joins, recovery keys, and the end of an invite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from bifolio import limits
from bifolio.crypto.membership.record_kinds.base import (
    COMMITMENT_BYTES,
    NONCE_BYTES,
    RecordKind,
    check_box_key,
    check_key,
    check_owner,
    check_sealed_key,
    read_role,
)
from bifolio.crypto.membership.records import GENESIS, Record
from bifolio.crypto.membership.rights import Grant, Invite, Rights, Role
from bifolio.errors import MembershipError

_USES_MAX = 2**32 - 1
_TIME_MAX_MS = 2**53 - 1


class GenesisKind(RecordKind):
    """The first record: its author owns the library, and has made its content key."""

    name = GENESIS
    required: ClassVar = {"box": bytes, "commitment": bytes, "nonce": bytes}

    def enter(self, record: Record, rights: Rights) -> None:
        """The author becomes the owner."""
        fields, author = self.read(record), record.header.author
        if len(fields["nonce"]) != NONCE_BYTES:
            raise MembershipError("its nonce has the wrong length")
        if len(fields["commitment"]) != COMMITMENT_BYTES:
            raise MembershipError("its key's commitment has the wrong length")
        check_box_key(fields["box"])
        record.check_others()
        rights.admit(author, fields["box"], Role.OWNER)
        rights.commitments[0] = fields["commitment"]
        rights.key_makers[0] = author


class InviteKind(RecordKind):
    """An owner lets the holder of a ticket join.

    ``uses`` devices may (any number without it), until ``expires_ms``, which is the relay's to
    check. ``commitment`` repeats what the log says of the generation.
    """

    name = "invite"
    required: ClassVar = {
        "box": bytes,
        "commitment": bytes,
        "generation": int,
        "key": bytes,
        "role": str,
        "sign": bytes,
    }
    optional: ClassVar = {"expires_ms": int, "label": bytes, "uses": int}

    def enter(self, record: Record, rights: Rights) -> None:
        """The invite is open from here on."""
        check_owner(record, rights, "invite")
        fields = self.read(record)
        role = read_role(fields["role"])
        uses, expires_ms, label = fields["uses"], fields["expires_ms"], fields["label"]
        if uses is not None and not 1 <= uses <= _USES_MAX:
            raise MembershipError(f"it lets {uses} devices join")
        if expires_ms is not None and not 0 <= expires_ms <= _TIME_MAX_MS:
            raise MembershipError(f"it ends at {expires_ms}")
        if label is not None and len(label) > limits.SEALED_LABEL_BYTES_MAX:
            raise MembershipError("its label is too long")
        invite = Invite(
            sign_public=fields["sign"],
            box_public=fields["box"],
            role=role,
            author=record.header.author,
            uses=uses,
            expires_ms=expires_ms,
            sealed_label=label or b"",
        )
        _open(record, rights, invite, fields)


class RecoveryKind(RecordKind):
    """An owner makes a key by whose code a new device becomes an owner, when all are lost."""

    name = "recovery"
    required: ClassVar = {
        "box": bytes,
        "commitment": bytes,
        "generation": int,
        "key": bytes,
        "sign": bytes,
    }

    def enter(self, record: Record, rights: Rights) -> None:
        """The holder of the code may join from here on."""
        check_owner(record, rights, "make recovery keys")
        fields = self.read(record)
        invite = Invite(
            sign_public=fields["sign"],
            box_public=fields["box"],
            role=Role.OWNER,
            author=record.header.author,
            is_recovery=True,
        )
        _open(record, rights, invite, fields)


class RevokeKind(RecordKind):
    """An owner closes an invite or a recovery key: from here on it lets nobody in."""

    name = "revoke"
    required: ClassVar = {"sign": bytes}

    def enter(self, record: Record, rights: Rights) -> None:
        """The invite is closed."""
        check_owner(record, rights, "close invites")
        sign_public = self.read(record)["sign"]
        invite = rights.invites.get(sign_public)
        if invite is None:
            raise MembershipError("it closes an invite that this library does not have")
        record.check_others()
        rights.invites[sign_public] = replace(invite, is_open=False)


class JoinKind(RecordKind):
    """A device joins on the right of an invite, which is the author; it signs too.

    ``name`` is what it calls itself, sealed as in ``rename``; ``at_ms`` when it joined, by its own
    clock: both are for the members to show, and decide nothing.
    """

    name = "join"
    required: ClassVar = {"box": bytes, "device": bytes, "generation": int, "key": bytes}
    optional: ClassVar = {"at_ms": int, "name": bytes}

    def enter(self, record: Record, rights: Rights) -> None:
        """The device gets the invite's role."""
        fields, author = self.read(record), record.header.author
        device, box_public, generation = fields["device"], fields["box"], fields["generation"]
        invite = rights.invites.get(author)
        if invite is None:
            raise MembershipError("it names an invite that this library does not have")
        if not invite.is_open:
            raise MembershipError("its invite was closed")
        if not invite.admits(device):
            raise MembershipError(f"its invite was for {invite.uses}, who have joined")
        # Of a log that lost, the key may be of who was no owner any more by the one that won.
        is_known = rights.holds(author, generation)
        if not is_known and rights.forked_at is None:
            raise MembershipError(
                "it carries a generation of the key that its invite was not given"
            )
        if rights.removed_since_fork(device):
            raise MembershipError("its device was removed since")
        check_key(device)
        check_box_key(box_public)
        check_sealed_key(generation, fields["key"])
        record.check_others(device)
        rights.admit(device, box_public, invite.role)
        rights.invites[author] = replace(invite, joined=invite.joined | {device})
        name, at_ms = fields["name"], fields["at_ms"]
        if is_known:  # otherwise an owner gives the key of the log that won
            rights.grant(device, Grant(generation, fields["key"], box_public, invite.author))
        if is_known and name is not None and len(name) <= limits.SEALED_LABEL_BYTES_MAX:
            rights.joined_names[device] = (generation, name)
        if at_ms is not None and 0 <= at_ms <= _TIME_MAX_MS:
            rights.joined_ms[device] = at_ms


def _open(record: Record, rights: Rights, invite: Invite, fields: dict[str, Any]) -> None:
    """Check what an invite and a recovery key have alike, and note it."""
    if invite.sign_public in rights.invites:
        raise MembershipError("there is an invite with this key already")
    check_key(invite.sign_public)
    check_box_key(invite.box_public)
    generation = fields["generation"]
    check_sealed_key(generation, fields["key"])
    if rights.commitments.get(generation) != fields["commitment"]:
        raise MembershipError("its content key is not the one that the log commits to")
    record.check_others()
    rights.invites[invite.sign_public] = invite
    rights.grant(
        invite.sign_public,
        Grant(generation, fields["key"], invite.box_public, invite.author),
    )

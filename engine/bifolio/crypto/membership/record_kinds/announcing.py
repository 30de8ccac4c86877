"""What members tell each other of themselves: the library's relay, and a device's next keys."""

from __future__ import annotations

from typing import ClassVar

from bifolio import limits
from bifolio.crypto.keys import signed_message, verify
from bifolio.crypto.membership.record_kinds.base import (
    RecordKind,
    check_box_key,
    check_key,
    check_owner,
    check_sealed_key,
    read_cuts,
)
from bifolio.crypto.membership.records import Record
from bifolio.crypto.membership.rights import Grant, RelayNotice, Rights
from bifolio.errors import MembershipError


class RelayKind(RecordKind):
    """An owner says on which relay the library is from here on; the relay is not told.

    Of two, the later one in the log holds, and where one lost against another log the one that won.
    A program that does not know the kind stays where it is.
    """

    name = "relay"
    is_critical = False
    required: ClassVar = {"address": bytes, "generation": int}

    def enter(self, record: Record, rights: Rights) -> None:
        """The library is there."""
        check_owner(record, rights, "say where the library is")
        fields = self.read(record)
        if fields["generation"] not in rights.commitments:
            raise MembershipError(f"it names key generation {fields['generation']}")
        if len(fields["address"]) > limits.SEALED_RELAY_ADDRESS_BYTES_MAX:
            raise MembershipError("its address is too long")
        if rights.is_relay_said_since_fork():
            raise MembershipError("where the library is was said since")
        record.check_others()
        rights.relay = RelayNotice(
            position=rights.length,
            hash=record.hash,
            author=record.header.author,
            generation=fields["generation"],
            sealed_address=fields["address"],
        )


def succession_message(
    library: bytes, previous: bytes, device: bytes, successor: bytes, box_public: bytes
) -> bytes:
    """What a device's next key signs: at which place of which log it follows which key."""
    return signed_message("rotate", library, previous, device, successor, box_public)


class RotateKind(RecordKind):
    """A device goes on under new keys, with its role, its name and its age; ``cut`` says where its
    chains end that the old ones signed. The new ones sign ``proof``: a second signature of the
    record could be checked by no program that does not know the kind.

    Of two that a device and a thief of its key make, the first in the log holds; what lost has no
    effect, because its author is no member any more.
    """

    name = "rotate"
    required: ClassVar = {
        "box": bytes,
        "cut": list,
        "generation": int,
        "key": bytes,
        "proof": bytes,
        "successor": bytes,
    }
    optional: ClassVar = {"name": bytes}

    def enter(self, record: Record, rights: Rights) -> None:
        """The new keys are the member's."""
        fields, author = self.read(record), record.header.author
        successor, box_public, generation = fields["successor"], fields["box"], fields["generation"]
        role = rights.role(author)
        if role is None:
            raise MembershipError("its author is no member of the library")
        if successor in rights.roles or successor in rights.invites or successor == author:
            raise MembershipError("its new key was used in this library before")
        check_key(successor)
        check_box_key(box_public)
        check_sealed_key(generation, fields["key"])
        is_known = generation in rights.commitments
        if not is_known and rights.forked_at is None:
            raise MembershipError(f"it names key generation {generation}")
        cuts = read_cuts(fields["cut"], (author,))
        record.check_others()
        header = record.header
        message = succession_message(header.library, header.previous, author, successor, box_public)
        if not verify(successor, message, fields["proof"]):
            raise MembershipError("its new key has not signed it")
        rights.succeed(author, successor, box_public, role, cuts[author])
        if not is_known:
            return  # of a log that lost: an owner gives the key of the one that won
        rights.grant(successor, Grant(generation, fields["key"], box_public, author))
        name = fields["name"]
        if name is not None and len(name) <= limits.SEALED_LABEL_BYTES_MAX:
            known = rights.names if author in rights.names else rights.joined_names
            known[successor] = (generation, name)

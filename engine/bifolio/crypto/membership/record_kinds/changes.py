"""What becomes of members: roles, removal, leaving, further keys, names."""

from __future__ import annotations

from typing import ClassVar

from bifolio import limits
from bifolio.crypto.membership.record_kinds.base import (
    NewKeys,
    RecordKind,
    check_another_owner,
    check_owner,
    read_cuts,
    read_earlier,
    read_role,
)
from bifolio.crypto.membership.records import Record
from bifolio.crypto.membership.rights import Rights, Role
from bifolio.errors import MembershipError


class RoleKind(RecordKind):
    """An owner gives a member another role. Who may not write any more is cut off: ``cut`` says
    where its chains end, and what lies inside stays valid for ever."""

    name = "role"
    ends_right = True
    required: ClassVar = {"device": bytes, "role": str}
    optional: ClassVar = {"cut": list}

    def enter(self, record: Record, rights: Rights) -> None:
        """The member has the role from here on."""
        check_owner(record, rights, "give roles")
        fields = self.read(record)
        named, role = fields["device"], read_role(fields["role"])
        # Of a record that lost: its member may have taken new keys in the log that won.
        device = named if rights.forked_at is None else rights.current(named)
        held = rights.role(device)
        if held is None:
            raise MembershipError("it gives a role to who is no member")
        ends_writing = held.may_write and not role.may_write
        if ends_writing != (fields["cut"] is not None):
            raise MembershipError("a cut belongs to a role that ends the right to write")
        if not ends_writing and rights.changed_since_fork(device):
            raise MembershipError("its member's role was changed since")
        if role is not Role.OWNER:
            check_another_owner(rights, device)
        cuts = read_cuts(fields["cut"] or [], (named,))
        record.check_others()
        if role is not Role.OWNER:
            rights.forget_relay_of(device)
        if ends_writing:
            rights.cut_off(device, cuts[named] if device == named else {}, role)
        else:
            rights.assign(device, role)


class RemoveKind(RecordKind):
    """An owner removes devices and the tickets that they made or joined with, with the cut and the
    next content key for who stays. Keys for which there is no room here follow (``keys``)."""

    name = "remove"
    brings_key = True
    required: ClassVar = {
        "commitment": bytes,
        "cut": list,
        "devices": list,
        "earlier": list,
        "generation": int,
        "keys": list,
    }

    def enter(self, record: Record, rights: Rights) -> None:
        """The devices have no right from here on."""
        check_owner(record, rights, "remove members")
        fields, author = self.read(record), record.header.author
        devices = fields["devices"]
        if not devices or any(type(device) is not bytes for device in devices):
            raise MembershipError("it names no device to remove")
        if sorted(set(devices)) != devices:
            raise MembershipError("the devices that it removes do not ascend")
        if author in devices:
            raise MembershipError("who wants to go leaves, and removes nobody")
        # Where two removals met, one of them may have been said twice.
        present = [device for device in devices if rights.role(device) is not None]
        if rights.forked_at is not None:
            # One took new keys in the log that won: it is removed under those, and nothing that
            # they signed counts, because the record does not know it.
            now = dict.fromkeys(rights.current(device) for device in devices)
            present = [device for device in now if rights.role(device) and device != author]
        if rights.forked_at is None and (not present or present != devices):
            raise MembershipError("it removes who is no member")
        cuts = read_cuts(fields["cut"], devices)
        keys = NewKeys(fields, author)
        if fields["generation"] in rights.commitments and rights.forked_at is None:
            raise MembershipError("it brings no new content key")
        known_to_them = rights.invites_known_to({*devices, *present})
        keys.check(rights, gone=known_to_them.union(devices))
        record.check_others()
        for device in devices:
            rights.end_stranger(device, cuts[device])
        # Where both sides removed the same, the key of the one that lost is needed all the same:
        # members sealed changes under it meanwhile.
        for device in present:
            rights.forget_relay_of(device)
            rights.cut_off(device, cuts.get(device, {}), None)
        if present:
            rights.close_invites(known_to_them)
        keys.enter(rights)


class LeaveKind(RecordKind):
    """A member leaves, and says where its own chains end."""

    name = "leave"
    ends_right = True
    required: ClassVar = {"cut": list}

    def enter(self, record: Record, rights: Rights) -> None:
        """The author has no right from here on."""
        author = record.header.author
        if rights.role(author) is None:
            raise MembershipError("its author is no member of the library")
        check_another_owner(rights, author)
        cuts = read_cuts(self.read(record)["cut"], (author,))
        record.check_others()
        rights.cut_off(author, cuts[author], None)


class KeysKind(RecordKind):
    """An owner gives members and open invites a content key: one that a removal had no room for, or
    the next one, after somebody left."""

    name = "keys"
    brings_key = True
    required: ClassVar = {"generation": int, "keys": list}
    optional: ClassVar = {"commitment": bytes, "earlier": list}

    def enter(self, record: Record, rights: Rights) -> None:
        """Those who are named have the key."""
        check_owner(record, rights, "give keys")
        keys = NewKeys(self.read(record), record.header.author)
        keys.check(rights)
        record.check_others()
        keys.enter(rights)


class EarlierKeysKind(RecordKind):
    """A member passes on content keys that are not found from the newest one: those of a list of
    members that lost, which no owner may have. Each is the one that the log promised, or it is used
    by nobody; so it gives nobody more than a member may read."""

    name = "earlier"
    is_critical = False
    required: ClassVar = {"earlier": list, "generation": int}

    def enter(self, record: Record, rights: Rights) -> None:
        """The keys are found by who has the one that they are sealed under."""
        if rights.role(record.header.author) is None:
            raise MembershipError("its author is no member of the library")
        fields = self.read(record)
        generation, rows = fields["generation"], read_earlier(fields["earlier"])
        known = {*rights.commitments, *rights.lost_commitments}
        if generation not in rights.commitments or any(row[0] not in known for row in rows):
            raise MembershipError("it seals a key of a generation that is not known")
        record.check_others()
        rights.seal_earlier_under(generation, rows)


class RenameKind(RecordKind):
    """A member, or an owner for it, says what a device is called; the relay is not told."""

    name = "rename"
    is_critical = False
    required: ClassVar = {"device": bytes, "generation": int, "name": bytes}

    def enter(self, record: Record, rights: Rights) -> None:
        """The device has the name."""
        fields, author = self.read(record), record.header.author
        if rights.role(author) is not Role.OWNER and (
            fields["device"] != author or rights.role(author) is None
        ):
            raise MembershipError("its author may not name that device")
        if rights.role(fields["device"]) is None:
            raise MembershipError("it names a device that is no member")
        if fields["generation"] not in rights.commitments:
            raise MembershipError(f"it names key generation {fields['generation']}")
        if len(fields["name"]) > limits.SEALED_LABEL_BYTES_MAX:
            raise MembershipError("its name is too long")
        record.check_others()
        rights.names[fields["device"]] = (fields["generation"], fields["name"])

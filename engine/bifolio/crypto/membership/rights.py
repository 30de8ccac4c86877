"""What the records of a log say so far: roles, cuts, invites, content keys, names.

Grows with each record; who may add what is the records' kinds' to check (``record_kinds``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """What a member may do: an owner also invites and removes, a reader only reads."""

    OWNER = "owner"
    EDITOR = "editor"
    READER = "reader"

    @property
    def may_write(self) -> bool:
        """Whether the library takes changes from who has it."""
        return self is not Role.READER


_RANK = {Role.READER: 0, Role.EDITOR: 1, Role.OWNER: 2}


@dataclass(frozen=True, slots=True)
class Member:
    """A device allowed in a library, with the role it has at the head of the log."""

    device: bytes
    box_public: bytes
    role: Role


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The last envelope of a chain: its number, and its hash (32 bytes)."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Effect:
    """A record that took or gave a right: at which position, and whose right it was."""

    position: int
    kind: str
    author: bytes
    subject: bytes
    role: Role | None = None


#: Where each chain of a device ends, by the chain's id; nothing counts of one that is not there.
Cut = Mapping[bytes, ChainEnd]


@dataclass(frozen=True, slots=True)
class Invite:
    """The keys of a ticket or a recovery code, what its holder becomes, and how often.

    ``author`` is the owner who made it; ``uses`` None where any number of devices may join;
    ``expires_ms`` (Unix time) is the relay's to check; ``sealed_label`` is for the members;
    ``is_open`` until an owner closes it.
    """

    sign_public: bytes
    box_public: bytes
    role: Role
    author: bytes
    uses: int | None = None
    expires_ms: int | None = None
    sealed_label: bytes = b""
    is_recovery: bool = False
    is_open: bool = True
    joined: frozenset[bytes] = frozenset()

    def admits(self, device: bytes) -> bool:
        """Whether this device may join with it: one that did so before may come again."""
        if not self.is_open:
            return False
        return self.uses is None or device in self.joined or len(self.joined) < self.uses

    @property
    def is_used_up(self) -> bool:
        """Whether no further device may join with it."""
        return self.uses is not None and len(self.joined) >= self.uses


@dataclass(frozen=True, slots=True)
class Grant:
    """A content key of one generation, sealed to a box key by the one who is named."""

    generation: int
    sealed_key: bytes
    box_public: bytes
    giver: bytes


@dataclass(frozen=True, slots=True)
class KeyBatch:
    """The content key of one generation for many, as one record brings it: by the signing key of
    each recipient the key sealed to it; ``position`` is the record's."""

    generation: int
    giver: bytes
    position: int
    keys: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class RelayNotice:
    """Where an owner said that the library is: in which record, and the address sealed under the
    content key of a generation."""

    position: int
    hash: bytes
    author: bytes
    generation: int
    sealed_address: bytes


@dataclass(slots=True)
class Rights:
    """Who may do what; ``length`` is the number of records so far, the next one's position."""

    length: int = 0
    #: Where each head that an envelope may name lies: one position, and for a record that lost
    #: against another and was carried later, that of the fork too.
    heads: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    #: Of each device the roles that it was given or lost, each with the position of the record.
    roles: dict[bytes, tuple[tuple[int, Role | None], ...]] = field(default_factory=dict)
    #: Of each device where its chains ended when it lost the right to write.
    cuts: dict[bytes, tuple[tuple[int, Cut], ...]] = field(default_factory=dict)
    #: Who has a role now.
    present: set[bytes] = field(default_factory=set)
    box_keys: dict[bytes, bytes] = field(default_factory=dict)
    #: Of each device that came again with another key to seal to: the earlier ones, each with the
    #: position up to which it had it.
    earlier_boxes: dict[bytes, tuple[tuple[int, bytes], ...]] = field(default_factory=dict)
    invites: dict[bytes, Invite] = field(default_factory=dict)
    #: By signing key of a device or an invite what came for it alone.
    grants: dict[bytes, tuple[Grant, ...]] = field(default_factory=dict)
    #: By generation what came for many at once: never a value for each of them, because there are
    #: as many as members, for each removal.
    batches: dict[int, tuple[KeyBatch, ...]] = field(default_factory=dict)
    #: What each generation's content key must hash to.
    commitments: dict[int, bytes] = field(default_factory=dict)
    #: Those of keys that who was no owner any more made by a list that lost: read by, never sealed.
    lost_commitments: dict[int, bytes] = field(default_factory=dict)
    #: Who gave each generation out.
    key_makers: dict[int, bytes] = field(default_factory=dict)
    #: By generation the earlier keys that are sealed under it: generation and sealed key.
    earlier_keys: dict[int, tuple[tuple[int, bytes], ...]] = field(default_factory=dict)
    #: Of each device the generation, and the name sealed under its key.
    names: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    #: Of each device what it called itself when it joined, sealed, and when that was.
    joined_names: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    joined_ms: dict[bytes, int] = field(default_factory=dict)
    #: The positions of the records that carried others.
    carries: frozenset[int] = frozenset()
    #: The removals, roles, joins and closed tickets that had effect, in their order.
    effects: list[Effect] = field(default_factory=list)
    #: The records that carried others, and the last one of the log itself that is none of them.
    carriers: set[bytes] = field(default_factory=set)
    plain_head: bytes = b""
    #: Of each device the record that last gave it a role.
    granted: dict[bytes, bytes] = field(default_factory=dict)
    #: Where the library is, as an owner said last who was not removed for it.
    relay: RelayNotice | None = None
    #: Of each device that took new keys the next ones, and of the next ones those before.
    successors: dict[bytes, bytes] = field(default_factory=dict)
    predecessors: dict[bytes, bytes] = field(default_factory=dict)
    #: Of each device that became an owner under new keys: since when it was one before.
    owners_from: dict[bytes, int] = field(default_factory=dict)
    #: While a record is judged that lost against another one: the position of the fork.
    forked_at: int | None = None

    def copy(self) -> Rights:
        """Rights that grow by themselves from here on."""
        return replace(
            self,
            heads=dict(self.heads),
            roles=dict(self.roles),
            cuts=dict(self.cuts),
            present=set(self.present),
            box_keys=dict(self.box_keys),
            earlier_boxes=dict(self.earlier_boxes),
            invites=dict(self.invites),
            grants=dict(self.grants),
            batches=dict(self.batches),
            commitments=dict(self.commitments),
            lost_commitments=dict(self.lost_commitments),
            key_makers=dict(self.key_makers),
            earlier_keys=dict(self.earlier_keys),
            names=dict(self.names),
            joined_names=dict(self.joined_names),
            joined_ms=dict(self.joined_ms),
            effects=list(self.effects),
            carriers=set(self.carriers),
            granted=dict(self.granted),
            successors=dict(self.successors),
            predecessors=dict(self.predecessors),
            owners_from=dict(self.owners_from),
        )

    # --- roles ---------------------------------------------------------------------------

    def role_at(self, device: bytes, position: int) -> Role | None:
        """The device's role when the record at this position was the last one."""
        role = None
        for since, granted in self.roles.get(device, ()):
            if since <= position:
                role = granted
        return role

    def role(self, device: bytes) -> Role | None:
        """The device's role now."""
        return self.role_at(device, self.length)

    def role_under(self, device: bytes, position: int) -> Role | None:
        """The device's role under a head at this position: where the record there carried others,
        of which one gave it the right to write and a later one took it again, that which it had in
        between."""
        role = self.role_at(device, position)
        if role is not None and role.may_write:
            return role
        return self._passing_role(device, position) or role

    def _passing_role(self, device: bytes, position: int) -> Role | None:
        """The writing role that a device was given and lost by one record, which carried others."""
        if position not in self.carries:
            return None
        given = (role for since, role in self.roles.get(device, ()) if since == position)
        return next((role for role in given if role is not None and role.may_write), None)

    def owners(self) -> list[bytes]:
        """The devices that are owners now."""
        return [device for device in self.roles if self.role(device) is Role.OWNER]

    def owner_since(self, device: bytes) -> int:
        """The position at which the device became an owner; beyond the log if it is none."""
        since = self.length + 1
        for position, role in self.roles.get(device, ()):
            if role is not Role.OWNER:
                since = self.length + 1
            elif since > self.length:
                since = position
        first = self.roles.get(device, ((since, None),))[0][0]
        return self.owners_from.get(device, since) if since == first else since

    def changed_since_fork(self, device: bytes) -> bool:
        """Whether the log that won gave or took a role of a carried record's device."""
        if self.forked_at is None:
            return False
        changes = self.roles.get(device, ())
        return any(since > self.forked_at and since not in self.carries for since, _ in changes)

    def removed_since_fork(self, device: bytes) -> bool:
        """Whether a carried record's device was removed since the fork, other than by a record
        that came with it."""
        if self.forked_at is None:
            return False
        changes = self.roles.get(device, ())
        return any(role is None and self.forked_at < at < self.length for at, role in changes)

    def assign(self, device: bytes, role: Role | None) -> None:
        """The next record gives the device this role, or takes it."""
        self.roles[device] = (*self.roles.get(device, ()), (self.length, role))
        if role is None:
            self.present.discard(device)
        else:
            self.present.add(device)

    def admit(self, device: bytes, box_public: bytes, role: Role) -> None:
        """The next record lets the device in: a member who joins again keeps the higher role."""
        held = self.role(device)
        if held is None or _RANK[role] > _RANK[held]:
            self.assign(device, role)
        before = self.box_keys.get(device, box_public)
        if before != box_public:
            known = self.earlier_boxes.get(device, ())
            self.earlier_boxes[device] = (*known, (self.length, before))
        self.box_keys[device] = box_public

    def succeed(
        self, device: bytes, successor: bytes, box_public: bytes, role: Role, cut: Cut
    ) -> None:
        """The next record gives a device new keys, with the role that it has."""
        if role is Role.OWNER:
            self.owners_from[successor] = self.owner_since(device)
        self.cut_off(device, cut, None)
        self.admit(successor, box_public, role)
        self.successors[device] = successor
        self.predecessors[successor] = device
        if device in self.joined_ms:
            self.joined_ms[successor] = self.joined_ms[device]

    def current(self, device: bytes) -> bytes:
        """Under which key a device is a member, where it took new ones since; otherwise this one.

        One that came back under its old key by a ticket is that again.
        """
        while self.role(device) is None and device in self.successors:
            device = self.successors[device]
        return device

    def lineage(self, device: bytes) -> tuple[bytes, ...]:
        """A device's key and those that it had before, the newest first."""
        keys = [device]
        while (before := self.predecessors.get(keys[-1])) is not None and before not in keys:
            keys.append(before)
        return tuple(keys)

    def is_relay_said_since_fork(self) -> bool:
        """Whether the log that won over a carried record says where the library is."""
        if self.forked_at is None or self.relay is None:
            return False
        return self.relay.position > self.forked_at and self.relay.position not in self.carries

    def forget_relay_of(self, device: bytes) -> None:
        """A device loses an owner's right: where it said that the library is does not count."""
        if self.relay is not None and self.relay.author in self.lineage(device):
            self.relay = None

    def cut_off(self, device: bytes, cut: Cut, role: Role | None) -> None:
        """The next record takes the right to write; what lies inside the cut stays valid."""
        self.assign(device, role)
        self.cuts[device] = (*self.cuts.get(device, ()), (self.length, cut))

    def end_stranger(self, device: bytes, cut: Cut) -> None:
        """A record that lost says that the right of who came in by that log alone ended: what it
        wrote there counts nowhere, and nobody waits until it is sealed again."""
        if self.forked_at is not None and device not in self.roles:
            self.cuts[device] = (*self.cuts.get(device, ()), (self.length, cut))

    def cut_after(self, device: bytes, position: int) -> Cut | None:
        """Where the chains of a device ended that lost its right behind this position, or by the
        very record that gave it, which carried both."""
        role = self.role_at(device, position)
        is_lost = role is None or not role.may_write
        if is_lost and self._passing_role(device, position) is not None:
            at_once = [cut for since, cut in self.cuts.get(device, ()) if since == position]
            if at_once:
                return at_once[-1]
        for since, cut in self.cuts.get(device, ()):
            if since > position:
                return cut
        return None

    def permits_at(self, position: int, device: bytes, chain: bytes, place: ChainEnd) -> bool:
        """Whether a device might write under the head at a position, and what it wrote at this
        place of a chain does not lie behind the end of that right."""
        role = self.role_under(device, position)
        if role is None or not role.may_write:
            return False
        cut = self.cut_after(device, position)
        end = cut.get(chain) if cut is not None else None
        if cut is None or end is None or place.seq > end.seq:
            return cut is None
        return place.seq < end.seq or place.hash == end.hash

    # --- invites and keys ----------------------------------------------------------------

    def invites_known_to(self, devices: Iterable[bytes]) -> frozenset[bytes]:
        """The open invites that these devices made or joined with: they may know the secret."""
        known = frozenset(key for device in devices for key in self.lineage(device))
        return frozenset(
            sign_public
            for sign_public, invite in self.invites.items()
            if invite.is_open and (invite.author in known or invite.joined & known)
        )

    def close_invites(self, invites: Iterable[bytes]) -> None:
        """The next record ends these: they let nobody in."""
        for sign_public in invites:
            self.invites[sign_public] = replace(self.invites[sign_public], is_open=False)

    def grant(self, recipient: bytes, grant: Grant) -> None:
        """A device or an invite is given a content key."""
        self.grants[recipient] = (*self.grants.get(recipient, ()), grant)

    def grant_to_many(self, batch: KeyBatch) -> None:
        """Devices and invites are given a content key, by one record."""
        known = self.batches.get(batch.generation, ())
        self.batches[batch.generation] = (*known, batch)

    def seal_earlier_under(self, generation: int, rows: Sequence[tuple[int, bytes]]) -> None:
        """Earlier content keys are sealed under that of a generation."""
        known = self.earlier_keys.get(generation, ())
        self.earlier_keys[generation] = (*known, *rows)

    def grants_of(self, recipient: bytes) -> tuple[Grant, ...]:
        """The content keys that a device or an invite was given: what came for it alone first."""
        return (
            *self.grants.get(recipient, ()),
            *(
                Grant(
                    one.generation,
                    one.keys[recipient],
                    self._box_at(recipient, one.position),
                    one.giver,
                )
                for batches in self.batches.values()
                for one in batches
                if recipient in one.keys
            ),
        )

    def _box_at(self, recipient: bytes, position: int) -> bytes:
        """The key to seal to that a device or an invite had before the record at a position."""
        for until, box_public in self.earlier_boxes.get(recipient, ()):
            if position < until:
                return box_public
        return self.last_box_key(recipient) or b""

    def holders(self, generation: int) -> set[bytes]:
        """Everybody who was given the key of a generation, as far as is known."""
        alone = (
            recipient
            for recipient, grants in self.grants.items()
            if any(grant.generation == generation for grant in grants)
        )
        many = (recipient for one in self.batches.get(generation, ()) for recipient in one.keys)
        maker = self.key_makers.get(generation)
        return {*alone, *many, *((maker,) if maker is not None else ())}

    def may_be_given(self) -> set[bytes]:
        """The members and the invites that were not closed: to whom a key may be sealed."""
        return self.present.union(key for key, one in self.invites.items() if one.is_open)

    def commitment(self, generation: int) -> bytes | None:
        """What a generation's content key must give; one that lost gives way to one that holds."""
        return self.commitments.get(generation, self.lost_commitments.get(generation))

    def newest_generation(self) -> int:
        """The generation of the content key to seal under."""
        return max(self.commitments)

    def holds(self, recipient: bytes, generation: int) -> bool:
        """Whether a device or an invite was given the key of a generation, as far as is known."""
        return (
            self.key_makers.get(generation) == recipient
            or any(grant.generation == generation for grant in self.grants.get(recipient, ()))
            or any(recipient in one.keys for one in self.batches.get(generation, ()))
        )

    def box_key(self, recipient: bytes) -> bytes | None:
        """The key to seal to for a member or an open invite; None for anybody else."""
        if self.role(recipient) is not None:
            return self.box_keys[recipient]
        invite = self.invites.get(recipient)
        return invite.box_public if invite is not None and invite.is_open else None

    def last_box_key(self, recipient: bytes) -> bytes | None:
        """The key to seal to for a device or an invite that was ever in the log."""
        invite = self.invites.get(recipient)
        return self.box_keys.get(recipient) or (invite.box_public if invite else None)

    def recipients(self) -> list[bytes]:
        """The members and the open invites, who are to have every key."""
        members = [device for device in self.roles if device in self.present]
        usable = (one for one in self.invites.values() if one.is_open and not one.is_used_up)
        return [*members, *(invite.sign_public for invite in usable)]

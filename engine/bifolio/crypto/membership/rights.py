"""What the records of a log say so far: roles, invites, joins.

Grows with each record; who may add what is the records' kinds' to check (``kinds``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a member may do: an owner also invites, a reader only reads."""

    OWNER = "owner"
    EDITOR = "editor"
    READER = "reader"


_RANK = {Role.READER: 0, Role.EDITOR: 1, Role.OWNER: 2}


@dataclass(frozen=True, slots=True)
class Member:
    """A device allowed in a library, with the role it has at the head of the log."""

    device: bytes
    box_public: bytes
    role: Role


@dataclass(frozen=True, slots=True)
class Invite:
    """The keys of a ticket, what its holder becomes, and the content key sealed to it."""

    sign_public: bytes
    box_public: bytes
    role: Role
    generation: int
    sealed_key: bytes


@dataclass(frozen=True, slots=True)
class Join:
    """A device that joined with an invite, and the content key sealed to it."""

    device: bytes
    box_public: bytes
    generation: int
    sealed_key: bytes


@dataclass(slots=True)
class Rights:
    """Who may do what; ``length`` is the number of records so far, the next one's position."""

    length: int = 0
    #: Of each device the roles that it was given, each with the position of the record.
    roles: dict[bytes, tuple[tuple[int, Role], ...]] = field(default_factory=dict)
    box_keys: dict[bytes, bytes] = field(default_factory=dict)
    invites: dict[bytes, Invite] = field(default_factory=dict)
    joins: dict[bytes, tuple[Join, ...]] = field(default_factory=dict)

    def copy(self) -> Rights:
        """Rights that grow by themselves from here on."""
        return Rights(
            self.length,
            dict(self.roles),
            dict(self.box_keys),
            dict(self.invites),
            dict(self.joins),
        )

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

    def assign(self, device: bytes, role: Role) -> None:
        """The next record gives the device this role."""
        self.roles[device] = (*self.roles.get(device, ()), (self.length, role))

    def admit(self, device: bytes, box_public: bytes, role: Role) -> None:
        """The next record lets the device in: a member who joins again keeps the higher role."""
        held = self.role(device)
        if held is None or _RANK[role] > _RANK[held]:
            self.assign(device, role)
        self.box_keys[device] = box_public

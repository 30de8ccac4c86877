"""The rules of a membership log, and what it permits.

A record of a kind that this program knows is checked by all its rules. Of any other record the
header is checked: its place, its author's signature and right. Where such a record is ignorable the
log goes on behind it; where it is critical, nobody here can say who may do what from there on: the
records behind it are carried without effect, no envelope is judged, and nothing is to be written,
until a program that knows the kind reads the same records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from bifolio.crypto.encoding import HASH_BYTES
from bifolio.crypto.envelope import Envelope
from bifolio.crypto.membership.record_kinds import KINDS, RecordKind
from bifolio.crypto.membership.records import (
    GENESIS,
    NO_LIBRARY,
    VERSION,
    Record,
    library_id_of,
    parse_record,
)
from bifolio.crypto.membership.rights import Invite, Join, Member, Rights, Role
from bifolio.errors import MembershipError

_MAY_WRITE = (Role.OWNER, Role.EDITOR)

#: What every program knows. Behind a critical record of any other kind or version, a relay or a
#: replica of an earlier program may have carried what it could not judge.
_KNOWN_TO_ALL = {"genesis": 1, "invite": 1, "join": 1}
_VERSION_KNOWN_TO_ALL = 2


class Permission(Enum):
    """What a membership says of an envelope."""

    PERMITTED = auto()
    #: Its author may not write, and never might under the head that it names.
    FORBIDDEN = auto()
    #: It names a head that has not arrived.
    UNKNOWN_HEAD = auto()
    #: The log holds a critical record that this program does not know.
    NEEDS_NEWER = auto()


class _Log:
    """A log's records and what they say; grows by ``add``, which changes nothing if it raises."""

    def __init__(self, kinds: Mapping[str, RecordKind]) -> None:
        self.kinds = kinds
        self.records: list[bytes] = []
        self.positions: dict[bytes, int] = {}
        self.rights = Rights()
        self.head = bytes(HASH_BYTES)
        #: The kinds of the critical records that are not known, and where the first one is.
        self.unknown: tuple[str, ...] = ()
        self.unknown_from = 0
        self._judged_by_all = True

    def copy(self) -> _Log:
        twin = _Log(self.kinds)
        twin.records = list(self.records)
        twin.positions = dict(self.positions)
        twin.rights = self.rights.copy()
        twin.head = self.head
        twin.unknown = self.unknown
        twin.unknown_from = self.unknown_from
        twin._judged_by_all = self._judged_by_all
        return twin

    def add(self, raw: bytes, *, strict: bool) -> None:
        """Add the next record.

        ``strict`` refuses a record without a right wherever it is. Otherwise one that an
        earlier program may have carried unjudged has no effect: if it had, any member could
        end a library for good, with a record that only a newer program can judge. That holds for
        relays too: a log that was lost is given back record by record, this one among them.
        """
        record = parse_record(raw)
        self._check_place(record)
        record.check_author()
        header = record.header
        kind = self._known_kind(record)
        if header.kind not in self.kinds:
            # Nobody here can check others' signatures, so a relay could add some: then one record
            # would have two hashes. A later kind has further signatures in its body.
            record.check_others()
        known_to_all = (
            header.version <= _VERSION_KNOWN_TO_ALL
            and header.kind in _KNOWN_TO_ALL
            and header.needs <= _KNOWN_TO_ALL[header.kind]
        )
        if self.unknown:
            if kind is None and header.is_critical and header.kind not in self.unknown:
                self.unknown = (*self.unknown, header.kind)
        else:
            try:
                self._judge(record, kind)
            except MembershipError:
                if strict or (self._judged_by_all and (known_to_all or kind is None)):
                    raise
        if header.is_critical and not known_to_all:
            self._judged_by_all = False
        self.head = record.hash
        self.positions[self.head] = len(self.records)
        self.records.append(raw)
        self.rights.length += 1

    def _judge(self, record: Record, kind: RecordKind | None) -> None:
        if kind is not None:
            kind.enter(record, self.rights)
            return
        self._check_unknown(record)
        if record.header.is_critical:
            self.unknown, self.unknown_from = (record.header.kind,), len(self.records)

    def _known_kind(self, record: Record) -> RecordKind | None:
        header = record.header
        kind = self.kinds.get(header.kind)
        known = kind is not None and header.version <= VERSION and header.needs <= kind.version
        return kind if known else None

    def _check_place(self, record: Record) -> None:
        header = record.header
        if not self.records:
            if header.kind != GENESIS or header.previous != self.head:
                raise MembershipError("it does not follow the last record of this library")
            if self._known_kind(record) is None:
                raise MembershipError("its library was begun by a newer Bifolio")
        elif header.kind == GENESIS:
            raise MembershipError("a library has one genesis, the first of its records")
        elif header.previous != self.head:
            raise MembershipError("it does not follow the last record of this library")
        elif header.library not in (NO_LIBRARY, library_id_of(self.records[0])):
            raise MembershipError("it is another library's")

    def _check_unknown(self, record: Record) -> None:
        """Of a record that is not known: whether its author may add it at all.

        A critical one stops everybody who does not know it, so it takes an owner.
        """
        role = self.rights.role(record.header.author)
        if role is Role.OWNER or (role in _MAY_WRITE and not record.header.is_critical):
            return
        raise MembershipError(
            f"its kind is '{record.header.kind}', which this Bifolio does not know, and its author "
            "has no right to add it"
        )


class Membership:
    """The checked membership log of one library; immutable."""

    __slots__ = ("_log", "library_id", "records")

    #: The library's id: 16 bytes of the hash of its genesis.
    library_id: bytes
    #: The records as they came, the genesis first.
    records: tuple[bytes, ...]

    def __init__(self, log: _Log) -> None:
        """Internal: made by ``from_records`` and ``append``."""
        self._log = log
        self.records = tuple(log.records)
        self.library_id = library_id_of(self.records[0])

    @classmethod
    def from_records(
        cls, records: Sequence[bytes], *, kinds: Mapping[str, RecordKind] = KINDS
    ) -> Membership:
        """The membership that these records make, every one checked.

        Args:
            records: the whole log.
            kinds: the kinds of records that the program knows, by name.

        Raises:
            MembershipError: a record is damaged, forged, out of place or not permitted.
        """
        if not records:
            raise MembershipError("a library begins with a genesis, and there is none")
        log = _Log(kinds)
        for raw in records:
            log.add(raw, strict=False)
        return cls(log)

    def append(self, raw: bytes, *, strict: bool = False) -> Membership:
        """The membership with one more record.

        Args:
            raw: the record.
            strict: whether a record without effect is refused too: one of our own making.

        Raises:
            MembershipError: the record is damaged, forged, out of place or not permitted.
        """
        log = self._log.copy()
        log.add(raw, strict=strict)
        return Membership(log)

    @property
    def head(self) -> bytes:
        """The hash (BLAKE2b-256) of the last record."""
        return self._log.head

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody with a role now, in the order in which they came."""
        rights = self._log.rights
        roles = ((device, rights.role(device)) for device in rights.roles)
        return tuple(Member(one, rights.box_keys[one], role) for one, role in roles if role)

    @property
    def needs_newer(self) -> tuple[str, ...]:
        """The kinds of the critical records that this program does not know; empty as a rule."""
        return self._log.unknown

    def knows(self, head: bytes) -> bool:
        """Whether this is, or was, the head of the log."""
        return head in self._log.positions

    def role_of(self, device: bytes, *, head: bytes | None = None) -> Role | None:
        """The device's role when ``head`` was the log's head, by default now.

        None for a stranger, and for a head that the log does not know.
        """
        position = self._log.positions.get(self.head if head is None else head)
        return None if position is None else self._log.rights.role_at(device, position)

    def has_met(self, device: bytes) -> bool:
        """Whether the device has, or had, a role."""
        return device in self._log.rights.roles

    def may_write(self, device: bytes) -> bool:
        """Whether the device may write now, as far as is known."""
        return self.role_of(device) in _MAY_WRITE

    def permits(self, envelope: Envelope) -> Permission:
        """Whether an envelope, whose signature was checked, is permitted: asked with all that
        its header says and with its hash, because a right may end within a chain."""
        header = envelope.header
        position = self._log.positions.get(header.membership_head)
        if position is None:
            return Permission.UNKNOWN_HEAD
        is_known = not self.needs_newer or position < self._log.unknown_from
        if is_known and self._log.rights.role_at(header.device, position) not in _MAY_WRITE:
            return Permission.FORBIDDEN
        return Permission.NEEDS_NEWER if self.needs_newer else Permission.PERMITTED

    def is_open_invite(self, sign_public: bytes) -> bool:
        """Whether a ticket with this key lets its holder join."""
        return sign_public in self._log.rights.invites

    def invite(self, sign_public: bytes) -> Invite | None:
        """The invite with this key; None where there is none."""
        return self._log.rights.invites.get(sign_public)

    def joins(self, device: bytes) -> tuple[Join, ...]:
        """The device's joins, in their order."""
        return self._log.rights.joins.get(device, ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Membership) and self.head == other.head

    def __hash__(self) -> int:
        return hash(self.head)

    def __repr__(self) -> str:
        return f"Membership({self.library_id.hex()[:8]}, {len(self.records)} records)"

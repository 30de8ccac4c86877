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

from bifolio import limits
from bifolio.crypto.encoding import HASH_BYTES, content_hash
from bifolio.crypto.envelope import Envelope
from bifolio.crypto.membership.record_kinds import KINDS, RecordKind
from bifolio.crypto.membership.record_kinds.carrying import CarryKind
from bifolio.crypto.membership.records import (
    GENESIS,
    VERSION,
    Record,
    library_id_of,
    parse_record,
)
from bifolio.crypto.membership.rights import (
    ChainEnd,
    Effect,
    Grant,
    Invite,
    Member,
    RelayNotice,
    Rights,
    Role,
)
from bifolio.errors import MembershipError

#: What every program knows, by kind and version. Behind a critical record of any other, or with a
#: critical field (these kinds began with none), a relay or a replica of an earlier program may have
#: carried what it could not judge.
_KNOWN_TO_ALL = {
    "genesis": 1,
    "invite": 1,
    "join": 1,
    "recovery": 1,
    "revoke": 1,
    "role": 1,
    "remove": 1,
    "leave": 1,
    "keys": 1,
    "rename": 1,
    "carry": 1,
}
_VERSION_KNOWN_TO_ALL = 3


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
        self.size_bytes = 0
        #: Of each author how many records there are, and their bytes.
        self.written: dict[bytes, tuple[int, int]] = {}
        self.rights = Rights()
        self.head = bytes(HASH_BYTES)
        #: The kinds of the critical records that are not known, and where the first one is.
        self.unknown: tuple[str, ...] = ()
        self.unknown_from = 0
        self._judged_by_all = True

    def copy(self) -> _Log:
        twin = _Log(self.kinds)
        twin.records = list(self.records)
        twin.size_bytes = self.size_bytes
        twin.written = dict(self.written)
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
        self._check_signers(record)
        known_to_all = (
            header.version <= _VERSION_KNOWN_TO_ALL
            and header.kind in _KNOWN_TO_ALL
            and header.needs <= _KNOWN_TO_ALL[header.kind]
            and not record.critical_fields
        )
        if self.unknown:
            if kind is None and _stops(self.kinds, record) and header.kind not in self.unknown:
                self.unknown = (*self.unknown, header.kind)
        else:
            try:
                self._judge(record, kind)
            except MembershipError:
                if strict or (self._judged_by_all and (known_to_all or kind is None)):
                    raise
        if _stops(self.kinds, record) and not known_to_all:
            self._judged_by_all = False
        self.head = record.hash
        self.rights.heads[self.head] = (len(self.records),)
        if header.kind == CarryKind.name:
            self.rights.carriers.add(self.head)
        else:
            self.rights.plain_head = self.head
        self.records.append(raw)
        self.size_bytes += len(raw)
        count, size_bytes = self.written.get(header.author, (0, 0))
        self.written[header.author] = (count + 1, size_bytes + len(raw))
        self.rights.length += 1

    def _note_effect(self, record: Record) -> None:
        """The record has just had its effect."""
        kind, fields, author = record.header.kind, record.fields, record.header.author
        if kind == GENESIS:
            self.rights.granted[author] = record.hash
        if kind == "rotate":
            successor = bytes(fields["successor"])  # type: ignore[arg-type]
            self.rights.granted[successor] = record.hash
            # What one may add to the log is not more under new keys.
            count, size_bytes = self.written.get(author, (0, 0))
            self.written[successor] = (count + 1, size_bytes)
        if kind not in ("remove", "role", "revoke", "join"):
            return
        subject = fields.get("sign" if kind == "revoke" else "device")
        subject = subject if isinstance(subject, bytes) else b""
        role = Role(str(fields["role"])) if kind == "role" else None
        self.rights.effects.append(Effect(len(self.records), kind, author, subject, role))
        if kind in ("role", "join"):
            self.rights.granted[subject] = record.hash

    def _judge(self, record: Record, kind: RecordKind | None) -> None:
        if kind is None:
            self._check_unknown(record)
            if _stops(self.kinds, record):
                self.unknown, self.unknown_from = (record.header.kind,), len(self.records)
            return
        if not isinstance(kind, CarryKind):
            kind.enter(record, self.rights)
            self._note_effect(record)
            return
        carried = self._read_carried(record)
        kind.check(record)
        if self.rights.role(record.header.author) is not None:
            self._carry(carried)
            return
        before, unknown = self.rights.copy(), (self.unknown, self.unknown_from)
        self._carry(carried)
        if self.rights.role(record.header.author) is None:
            self.rights, (self.unknown, self.unknown_from) = before, unknown
            raise MembershipError("its author is no member of the library")

    # --- records that lost -----------------------------------------------------------------

    def _read_carried(self, carrier: Record) -> list[Record]:
        """The records that this one brings, each behind what brings it, before any has an effect.

        Raises:
            MembershipError: one is damaged, forged or another library's, or its place is not known.
        """
        found: list[Record] = []
        known: set[bytes] = set()
        left = [(one, 1) for one in carried_by(carrier)][::-1]
        while left:
            raw, depth = left.pop()
            if depth > limits.MEMBERSHIP_CARRY_DEPTH_MAX:
                raise MembershipError("it carries records that carry others too deeply")
            record_hash = content_hash(raw)
            if record_hash in known or record_hash in self.rights.heads:
                continue
            record = parse_record(raw)
            header = record.header
            if header.kind == GENESIS or header.library != library_id_of(self.records[0]):
                raise MembershipError("it carries a record of another library")
            if header.previous not in known and header.previous not in self.rights.heads:
                raise MembershipError("it carries a record whose place is not known")
            record.check_author()
            self._check_signers(record)
            known.add(record_hash)
            found.append(record)
            if isinstance(self._known_kind(record), CarryKind):
                left.extend((one, depth + 1) for one in carried_by(record)[::-1])
        return found

    def _carry(self, carried: Sequence[Record]) -> None:
        """Let each of the records that lost have the effect that it still has."""
        rights, here = self.rights, len(self.records)
        rights.carries |= {here}
        for record in carried:
            forked_at = min(rights.heads[record.header.previous])
            rights.heads[record.hash] = (forked_at, here)
            if record.header.kind == CarryKind.name:
                rights.carriers.add(record.hash)
            if self.unknown:
                continue
            rights.forked_at, kind = forked_at, self._known_kind(record)
            try:
                if kind is not None:
                    kind.enter(record, rights)
                    self._note_effect(record)
                    continue
                self._check_unknown(record)
                if _stops(self.kinds, record):
                    self.unknown, self.unknown_from = (record.header.kind,), here
            except MembershipError:
                # It does not hold any more: whoever made it lost the right, or it is said.
                if kind is not None:
                    kind.keep(record, rights)
            finally:
                rights.forked_at = None

    # --- the form of a log -----------------------------------------------------------------

    def _check_signers(self, record: Record) -> None:
        if record.header.kind not in self.kinds:
            # Nobody here can check others' signatures, so a relay could add some: then one record
            # would have two hashes. A later kind has further signatures in its body.
            record.check_others()

    def _known_kind(self, record: Record) -> RecordKind | None:
        header = record.header
        kind = self.kinds.get(header.kind)
        if kind is None or header.version > VERSION or header.needs > kind.version:
            return None
        return kind if kind.knows(record) else None

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
        elif header.library != library_id_of(self.records[0]):
            raise MembershipError("it is another library's")

    def _check_unknown(self, record: Record) -> None:
        """Of a record that is not known: whether its author may add it at all.

        A critical one stops everybody who does not know it, so it takes an owner.
        """
        role = self.rights.role(record.header.author)
        may_ignore = role is not None and role.may_write and not _stops(self.kinds, record)
        if role is Role.OWNER or may_ignore:
            return
        raise MembershipError(
            f"its kind is '{record.header.kind}', which this Bifolio does not know, and its author "
            "has no right to add it"
        )


def _stops(kinds: Mapping[str, RecordKind], record: Record) -> bool:
    """Whether nobody may go on behind a record who does not know all of it."""
    if record.header.is_critical:
        return True
    # Of a kind that is not known, and may be ignored, all fields may be.
    return record.header.kind in kinds and bool(record.critical_fields)


def carried_by(record: Record) -> list[bytes]:
    """The records in a record that carries others."""
    records = record.fields.get("records")
    if not isinstance(records, list):
        return []
    return [one for one in records if isinstance(one, bytes)]


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

    def extend(self, records: Sequence[bytes]) -> Membership:
        """The membership with further records; what was checked before is not checked again.

        Raises:
            MembershipError: a record is damaged, forged, out of place or not permitted.
        """
        log = self._log.copy()
        for raw in records:
            log.add(raw, strict=False)
        return Membership(log)

    @property
    def head(self) -> bytes:
        """The hash (BLAKE2b-256) of the last record."""
        return self._log.head

    def naming_head(self, device: bytes) -> bytes:
        """The head for an envelope of this device to name: no carrier of others at the log's end,
        because who carried what is nothing that every computer keeps.

        It is the last record that is no carrier; and where the device had another role then, the
        one that gave it its role, which came with a carrier.
        """
        rights = self._log.rights
        if self.role_of(device, head=rights.plain_head) == self.role_of(device):
            return rights.plain_head
        return rights.granted.get(device, self.head)

    @property
    def content(self) -> frozenset[bytes]:
        """The hashes of all records in it, carried ones too, without those that only carry."""
        rights = self._log.rights
        return frozenset(rights.heads.keys() - rights.carriers)

    def effects_from(self, position: int) -> tuple[Effect, ...]:
        """The removals, roles, joins and closed tickets that had effect from a position on."""
        return tuple(one for one in self._log.rights.effects if one.position >= position)

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody with a role now, in the order in which they came."""
        rights = self._log.rights
        roles = ((device, rights.role(device)) for device in rights.roles)
        return tuple(Member(one, rights.box_keys[one], role) for one, role in roles if role)

    @property
    def devices(self) -> tuple[bytes, ...]:
        """Everybody who has, or had, a role, in the order in which they came."""
        return tuple(self._log.rights.roles)

    @property
    def size_bytes(self) -> int:
        """Of all records."""
        return self._log.size_bytes

    def written_by(self, author: bytes) -> tuple[int, int]:
        """How many records there are on the right of a device or an invite, and their bytes."""
        return self._log.written.get(author, (0, 0))

    @property
    def needs_newer(self) -> tuple[str, ...]:
        """The kinds of the critical records that this program does not know; empty as a rule."""
        return self._log.unknown

    def knows(self, head: bytes) -> bool:
        """Whether this is, or was, the head of the log, or of one that lost and was carried."""
        return head in self._log.rights.heads

    def role_of(self, device: bytes, *, head: bytes | None = None) -> Role | None:
        """The device's role when ``head`` was the log's head, by default now; None for a stranger,
        and for a head that the log does not know."""
        rights = self._log.rights
        if head is None:
            return rights.role(device)
        positions = rights.heads.get(head)
        return None if positions is None else rights.role_under(device, positions[-1])

    def has_met(self, device: bytes) -> bool:
        """Whether the device has, or had, a role."""
        return device in self._log.rights.roles

    def may_write(self, device: bytes) -> bool:
        """Whether the device may write now, as far as is known."""
        role = self.role_of(device)
        return role is not None and role.may_write

    def permits(self, envelope: Envelope) -> Permission:
        """Whether an envelope, whose signature was checked, is permitted.

        Its author has the right under the head that it names. Where it lost the right behind that
        head, the record that took it says where the author's chains end (``cut_end``): what lies
        inside stays valid for ever, and nothing beyond is, whichever head it names.
        """
        header, rights = envelope.header, self._log.rights
        positions = rights.heads.get(header.membership_head)
        if positions is None:
            return Permission.UNKNOWN_HEAD
        is_known = not self.needs_newer or positions[-1] < self._log.unknown_from
        if is_known and not any(self._permits_at(envelope, position) for position in positions):
            return Permission.FORBIDDEN
        return Permission.NEEDS_NEWER if self.needs_newer else Permission.PERMITTED

    def _permits_at(self, envelope: Envelope, position: int) -> bool:
        header, place = envelope.header, ChainEnd(envelope.header.seq, envelope.hash)
        return self._log.rights.permits_at(position, header.device, header.chain, place)

    @property
    def has_lost_rights(self) -> bool:
        """Whether anybody may ever have lost the right to write, by a record or with a log."""
        return bool(self._log.rights.cuts or self._log.rights.carries)

    def is_cut(self, device: bytes) -> bool:
        """Whether the device ever lost the right to write: a record says where its chains ended."""
        return device in self._log.rights.cuts

    def cut_end(self, envelope: Envelope) -> ChainEnd | None:
        """The end to which an envelope's chain counts, where its author lost the right to write
        behind the head that the envelope names: an envelope before that end must be one of those
        which the end's hash links to. None where no cut is about it."""
        header, rights = envelope.header, self._log.rights
        positions = rights.heads.get(header.membership_head, ())
        cuts = [rights.cut_after(header.device, position) for position in positions]
        ends = [cut.get(header.chain) for cut in cuts if cut is not None]
        return ends[0] if ends and len(ends) == len(positions) else None

    def is_open_invite(self, sign_public: bytes) -> bool:
        """Whether a ticket with this key lets a device join that has not done so."""
        invite = self.invite(sign_public)
        return invite is not None and invite.is_open and not invite.is_used_up

    def invite(self, sign_public: bytes) -> Invite | None:
        """The invite or recovery key with this signing key; None where there is none."""
        return self._log.rights.invites.get(sign_public)

    @property
    def invites(self) -> tuple[Invite, ...]:
        """All invites and recovery keys, in their order, the closed ones too."""
        return tuple(self._log.rights.invites.values())

    # --- content keys ----------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """The generation of the content key to seal under."""
        return self._log.rights.newest_generation()

    def commitment(self, generation: int) -> bytes | None:
        """What the content key of a generation must give (``key_commitment``)."""
        return self._log.rights.commitment(generation)

    @property
    def generations(self) -> tuple[int, ...]:
        """Every generation of content keys that there is to seal under, ascending."""
        return tuple(sorted(self._log.rights.commitments))

    @property
    def lost_generations(self) -> frozenset[int]:
        """Those of lists that lost, under which members sealed something meanwhile."""
        rights = self._log.rights
        return frozenset(rights.lost_commitments.keys() - rights.commitments.keys())

    def grants(self, recipient: bytes) -> tuple[Grant, ...]:
        """The content keys that a device or an invite was given, in their order."""
        return self._log.rights.grants_of(recipient)

    def earlier_keys(self, generation: int) -> tuple[tuple[int, bytes], ...]:
        """The generations whose keys are sealed under this one's, with the sealed keys."""
        return self._log.rights.earlier_keys.get(generation, ())

    @property
    def without_key(self) -> tuple[bytes, ...]:
        """The members and open invites that were not given the newest content key yet."""
        rights, newest = self._log.rights, self.generation
        return tuple(one for one in rights.recipients() if not rights.holds(one, newest))

    @property
    def needs_new_key(self) -> bool:
        """Whether somebody has the newest content key who is no member any more, or may have it by
        a ticket that was closed: an owner is to make the next one."""
        rights, newest = self._log.rights, self.generation
        gone = rights.holders(newest) - rights.present
        return any(not self._is_usable(one) for one in gone)

    def _is_usable(self, recipient: bytes) -> bool:
        """Of an invite: whether it was not closed."""
        invite = self.invite(recipient)
        return invite is not None and invite.is_open

    @property
    def recipients(self) -> tuple[bytes, ...]:
        """The members and the open invites, who are to have every key."""
        return tuple(self._log.rights.recipients())

    @property
    def kinds(self) -> Mapping[str, RecordKind]:
        """The kinds of records by which it was checked."""
        return self._log.kinds

    def has_carried(self, raw: bytes) -> bool:
        """Whether a record is in the log, or was carried into it."""
        return self.knows(content_hash(raw))

    def box_key(self, recipient: bytes) -> bytes | None:
        """The key to seal to for a member or an open invite; None for anybody else."""
        return self._log.rights.box_key(recipient)

    def sealed_name(self, device: bytes) -> tuple[int, bytes] | None:
        """The generation and the sealed name by which a device was called in the log, if it was."""
        return self._log.rights.names.get(device)

    def joined_name(self, device: bytes) -> tuple[int, bytes] | None:
        """The generation and the sealed name by which a device called itself when it joined."""
        return self._log.rights.joined_names.get(device)

    def joined_ms(self, device: bytes) -> int | None:
        """When a device joined (Unix time), by its own clock; None where it did not say so."""
        return self._log.rights.joined_ms.get(device)

    def current(self, device: bytes) -> bytes:
        """Under which key a device is a member, where it took new ones since; otherwise this."""
        return self._log.rights.current(device)

    def lineage(self, device: bytes) -> tuple[bytes, ...]:
        """A device's key and those that it had before, the newest first."""
        return self._log.rights.lineage(device)

    @property
    def relay(self) -> RelayNotice | None:
        """Where an owner said last that the library is, if one did and was not removed since."""
        return self._log.rights.relay

    def owner_since(self, device: bytes) -> int:
        """The position at which a device became an owner; beyond the log if it is none."""
        return self._log.rights.owner_since(device)

    def invites_known_to(self, devices: Sequence[bytes]) -> frozenset[bytes]:
        """The open invites that end with a removal of these devices."""
        return self._log.rights.invites_known_to(devices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Membership) and self.head == other.head

    def __hash__(self) -> int:
        return hash(self.head)

    def __repr__(self) -> str:
        return f"Membership({self.library_id.hex()[:8]}, {len(self.records)} records)"

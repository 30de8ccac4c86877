"""The membership log of the library, and the content keys that it brings."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from bifolio import limits
from bifolio.crypto.keys import DeviceKeys, seal_to
from bifolio.crypto.membership import (
    Invite,
    Membership,
    MergedLogs,
    RelayNotice,
    Role,
    find_keys,
    invite_keys,
    joined_names,
    library_id_of,
    lost_to,
    make_carry,
    make_genesis,
    make_invite,
    make_join,
    make_recovery_join,
    make_relay,
    member_names,
    merge_logs,
    open_text,
    relay_address,
    seal_text,
)
from bifolio.crypto.membership.records import parse_record
from bifolio.crypto.ticket import is_relay_address
from bifolio.errors import (
    EnvelopeError,
    MembershipError,
    Next,
    NotAMemberError,
    TicketError,
    WrongKeyError,
)
from bifolio.ids import RandomBytes, content_hash, device_tag
from bifolio.replica.lookup import MEMBER_ID_LENGTH, device_names
from bifolio.replica.replica import Replica
from bifolio.storage.content_keys import ContentKeys
from bifolio.storage.members import Members
from bifolio.storage.meta import SaidRelay, Standing


def check_ticket(membership: Membership, ticket_secret: bytes, device: bytes) -> None:
    """Check that a ticket still lets this device in, by the list of members alone: only a relay
    tells when a ticket ends.

    Raises:
        TicketError: an owner closed it, as many joined with it as may, or it was never one.
    """
    if membership.needs_newer:
        return
    invite = membership.invite(invite_keys(ticket_secret).sign_public)
    if invite is None:
        reason = "the library does not know it"
    elif not invite.is_open:
        reason = "an owner of the library closed it"
    elif not invite.admits(device) and membership.role_of(device) is None:
        reason = "as many computers joined with it as may"
        if invite.uses == 1:
            reason = "it is for one computer, and another one joined with it"
    else:
        return
    raise TicketError(reason, next_step=Next.ASK_FOR_TICKET)


class InviteTerms(Struct, frozen=True):
    """What who joins with a ticket becomes, how many may (None: any number), until when (Unix
    time in ms; None: for ever), and what the owners call the ticket."""

    role: Role = Role.EDITOR
    uses: int | None = 1
    expires_ms: int | None = None
    label: str = ""


class AboutInvite(Struct, frozen=True):
    """What an invite says under the library's key, to members and to who holds the ticket: what
    the owners call it, the library's name, and the name of the computer that made it."""

    label: str = ""
    library: str = ""
    by: str = ""

    def seal(self, content_key: bytes, invite: bytes, random_bytes: RandomBytes) -> bytes:
        """It, sealed for the invite with this signing key."""
        text = json.dumps([self.label, self.library, self.by], ensure_ascii=False)
        return seal_text(content_key, b"invite" + invite, text, random_bytes)

    @classmethod
    def open(cls, content_key: bytes, invite: Invite) -> AboutInvite:
        """What an invite says; all empty where it says nothing that can be read."""
        text = open_text(content_key, b"invite" + invite.sign_public, invite.sealed_label)
        try:
            said = json.loads(text) if text is not None else None
        except (ValueError, RecursionError):
            return cls()
        match said:
            case [str() as label, str() as library, str() as by]:
                return cls(label, library, by)
        return cls()


def _cut(text: str) -> str:
    """As much of a text as an invite has room for."""
    return text.encode("utf-8", "replace")[: limits.INVITE_TEXT_BYTES_MAX].decode("utf-8", "ignore")


def _said_relay(membership: Membership, keys: dict[int, bytes]) -> SaidRelay | None:
    """Where an owner said that the library is, if that is an address which can be shown."""
    notice = membership.relay
    address = relay_address(membership, keys) if notice is not None else None
    if notice is None or address is None or not is_relay_address(address) or "@" in address:
        return None
    return SaidRelay(address, device_tag(notice.author), notice.hash)


class LibraryMembership:
    """Who may read and write, as this replica knows it."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._database = replica.database
        self._members = Members(replica.database)
        self._keys = ContentKeys(replica.database)
        self._known: Membership | None = None
        #: The table's mark when that was last compared with it.
        self._known_at: object = None
        #: Content keys by generation as they are sealed, and the table's mark when they were read.
        self._sealed: dict[int, bytes | None] = {}
        self._keys_at: object = None
        #: Content keys by how they were sealed to this device.
        self._opened: dict[bytes, bytes] = {}
        #: The content keys that this device was given and that are not the library's.
        self.wrong_keys: Sequence[WrongKeyError] = ()

    def membership(self) -> Membership | None:
        """The membership as stored; None before anything is known of it.

        Another process may have appended since, or followed another log: its end tells.
        """
        mark, known = self._database.mark("members"), self._known
        if known is not None and mark is not None and mark is self._known_at:
            return known
        count, head = self._members.end()
        if count == 0:
            return None
        if known is None or known.head != head or len(known.records) != count:
            self._known = self._read(self._members.records())
        self._known_at = mark
        return self._known

    def is_of_an_earlier_program(self) -> bool:
        """Whether the records have a form that is not read any more."""
        return self._members.is_of_an_earlier_program()

    def create_genesis(self, content_key: bytes) -> None:
        """Begin the log of a new library: this device is its owner. Inside a transaction."""
        replica = self._replica
        genesis = make_genesis(replica.keys, replica.runtime.random_bytes, content_key=content_key)
        replica.meta.library_id = library_id_of(genesis)
        self._insert([genesis])
        self._keep_key(0, content_key)
        self.note_standing(self._membership())

    def learn(self, records: Sequence[bytes]) -> None:
        """Follow the log with further records, checked by the rules, and their content keys.

        Raises:
            MembershipError: a record breaks a rule, or the log is another library's.
        """
        with self._database.transaction():
            known = self.membership()
            stored = frozenset(known.records if known else ())
            # Another process that syncs this replica may have learnt some of them just now.
            fresh = [record for record in records if record not in stored]
            if len(stored) + len(fresh) > limits.RELAY_MEMBERSHIP_RECORDS_MAX:
                raise MembershipError("the log has more records than any library may have")
            whole = known.extend(fresh) if known is not None else self._read(fresh)
            if whole.library_id != self._replica.library_id:
                raise MembershipError("the log is that of another library")
            self._insert(fresh)
            self._note(whole)
        self._known = whole

    def is_next(self, record: bytes) -> bool:
        """Whether a record follows the last one of the log, or nothing is known of the log."""
        membership = self.membership()
        return membership is None or parse_record(record).header.previous == membership.head

    def meet(self, records: Sequence[bytes]) -> int | None:
        """Make one log of this replica's and another of the library that went a different way.

        Where the other one goes on by the rule, or this device is no member by it, it is followed,
        and what is lost by that is kept until it is carried on top (``carry``). Where our own goes
        on, what the other one loses is carried on top of ours at once.

        Returns:
            None where the other log is followed; otherwise with how many records both begin, behind
            which ours is to take the other one's place.

        Raises:
            MembershipError: a record breaks a rule, the log is another library's, or what lost
                cannot be carried.
        """
        with self._database.transaction():
            ours, theirs = self._membership(), self._read(records)
            merged = merge_logs(ours, theirs)
            device = self._replica.keys.sign_public
            if merged.shared == len(theirs.records):
                return None  # it is the beginning of ours, which is appended as usual
            # Who is no member by ours brings it to nobody, and need not where theirs has all of it.
            is_there = ours.role_of(device) is None and ours.content <= theirs.content
            if merged.ours_won and theirs.role_of(device) is not None and not is_there:
                whole = self._absorb(ours, theirs, merged)
                self._insert(whole.records[len(ours.records) :])
                shared: int | None = merged.shared
            else:
                whole, shared = theirs, None
                lost = lost_to(theirs, ours, merged.shared)
                # What was kept before lost against ours, and may follow what ours loses now.
                kept = (one for one in self._replica.meta.lost_members if one not in lost)
                self._replica.meta.lost_members = [*lost, *kept]
                self._members.clear()
                self._insert(theirs.records)
            self._note(whole)
        self._known = whole
        return shared

    def _absorb(self, ours: Membership, theirs: Membership, merged: MergedLogs) -> Membership:
        """Ours with all that the other one has, and longer where that is more: what is watched is
        a log's length."""
        lost = merged.lost
        missing = len(theirs.records) - len(ours.records) + (ours.content != theirs.content)
        if ours.role_of(self._replica.keys.sign_public) is None:
            if lost or missing > 0:
                raise NotAMemberError
            return ours
        if lost or missing > 0:
            # Only longer: with what it went through behind the fork, whose places are known.
            behind = [one for one in theirs.records[merged.shared :] if not ours.has_carried(one)]
            carried = lost or behind or theirs.records[-1:]
            for raw in make_carry(ours, self._replica.keys, carried, count_min=max(1, missing)):
                ours = ours.append(raw)
        return ours

    def keep_lost(self, records: Sequence[bytes]) -> bool:
        """Keep records of another log, which lost against this one, until they are carried on top
        of it (``carry``); whether any was not carried or kept before."""
        membership = self._membership()
        with self._database.transaction():
            kept = self._replica.meta.lost_members
            fresh = [one for one in records if one not in kept and not membership.has_carried(one)]
            self._replica.meta.lost_members = [*kept, *fresh]
        return bool(fresh)

    def carry(self) -> bytes | None:
        """The next record by which this device carries what lost; None where nothing is left, or
        it is no member of the log that won and what lost does not make it one."""
        lost = self._replica.meta.lost_members
        membership = self.membership()
        if not lost or membership is None or membership.needs_newer:
            return None
        left = [raw for raw in lost if not membership.has_carried(raw)]
        if left:
            try:
                return make_carry(membership, self._replica.keys, left)[0]
            except MembershipError:
                return None  # kept: who becomes a member by a ticket carries the rest
        with self._database.transaction():
            self._replica.meta.lost_members = ()
        return None

    def read_again(self) -> None:
        """Note what this program finds in the records; an earlier one may not have known all."""
        with self._database.transaction():
            self.read_again_inside()

    def read_again_inside(self) -> None:
        """``read_again`` as part of the caller's transaction."""
        membership = self.membership()
        if membership is not None:
            self._note(membership)

    def forget(self) -> None:
        """Forget the log and the keys (joining another library only). Inside a transaction."""
        self._members.clear()
        self._keys.clear()
        self._replica.meta.newer_members = ()
        self._replica.meta.lost_members = ()
        self._replica.meta.forget("standing", "member_names", "joined_names", "said_relay")
        self._known = None

    def role(self) -> Role | None:
        """This device's role now."""
        membership = self.membership()
        return membership.role_of(self._replica.keys.sign_public) if membership else None

    def has_joined(self) -> bool:
        """Whether this device is a member by a ticket: the library was begun on another one."""
        membership, own = self.membership(), self._replica.keys.sign_public
        if membership is None or membership.role_of(own) is None:
            return False
        founder = parse_record(membership.records[0]).header.author
        return founder not in membership.lineage(own)

    def owner_names(self) -> tuple[str, ...]:
        """What the owners' computers are called, as far as they have written anything."""
        membership = self.membership()
        members = membership.members if membership else ()
        tags = [device_tag(one.device) for one in members if one.role is Role.OWNER]
        names = device_names(self._replica)
        return tuple(sorted(names[tag] for tag in tags if tag in names))

    def invite(self, ticket_secret: bytes, terms: InviteTerms | None = None) -> bytes:
        """The record of a new invite, to be appended by the relay."""
        terms = terms or InviteTerms(uses=None)
        membership = self._membership()
        generation, key = self.newest_key()
        replica = self._replica
        invite = invite_keys(ticket_secret).sign_public
        about = AboutInvite(
            *(_cut(one) for one in (terms.label, replica.meta.name, replica.keys.name))
        )
        return make_invite(
            membership,
            replica.keys,
            ticket_secret=ticket_secret,
            role=terms.role,
            generation=generation,
            content_key=key,
            uses=terms.uses,
            expires_ms=terms.expires_ms,
            sealed_label=about.seal(key, invite, replica.runtime.random_bytes),
        )

    def about(self, invite: Invite) -> AboutInvite:
        """What an invite says to the members; nothing where this device has no key to it."""
        membership = self._membership()
        for grant in membership.grants(invite.sign_public)[:1]:
            key = self.key(grant.generation)
            if key is not None:
                return AboutInvite.open(key, invite)
        return AboutInvite()

    def join(self, ticket_secret: bytes) -> bytes:
        """The record by which this device joins, to be appended by the relay.

        Raises:
            TicketError: the ticket lets nobody in any more.
            MembershipError, NewerMembershipError: as ``make_join``.
        """
        runtime, keys = self._replica.runtime, self._replica.keys
        membership = self._membership()
        check_ticket(membership, ticket_secret, keys.sign_public)
        return make_join(
            membership,
            keys,
            ticket_secret=ticket_secret,
            at_ms=max(runtime.now_ms(), 0),
            random_bytes=runtime.random_bytes,
        )

    def recover(self, secret: bytes) -> bytes:
        """The record by which this device becomes an owner with a recovery code."""
        runtime = self._replica.runtime
        return make_recovery_join(
            self._membership(),
            self._replica.keys,
            secret=secret,
            at_ms=max(runtime.now_ms(), 0),
            random_bytes=runtime.random_bytes,
        )

    def relay_notice(self) -> RelayNotice | None:
        """The record that says where the library is, if an owner made one."""
        membership = self.membership()
        return membership.relay if membership else None

    def said_address(self) -> str | None:
        """Where an owner said that the library is, as far as this device can read it. It may be
        anything."""
        membership = self.membership()
        if membership is None or membership.relay is None:
            return None
        return relay_address(membership, self._openable_keys(membership))

    def say_address(self, address: str) -> bytes:
        """The record that says where the library is, to be appended by the relay."""
        generation, key = self.newest_key()
        return make_relay(
            self._membership(),
            self._replica.keys,
            address=address,
            generation=generation,
            content_key=key,
            random_bytes=self._replica.runtime.random_bytes,
        )

    def take_keys(self, successor: DeviceKeys) -> None:
        """This device goes on under new keys, which the log knows: what is sealed to the old ones
        is sealed to the new ones. Inside a transaction."""
        replica, membership = self._replica, self._membership()
        keys = self._openable_keys(membership)
        for generation, key in keys.items():
            self._keys.write(generation, seal_to(successor.box_public, key))
        meta = replica.meta
        for fact in ("relay_token", "ticket_secret"):
            sealed = getattr(meta, fact)
            if sealed:
                setattr(meta, fact, self._reseal(sealed, successor))
        meta.former_relays = [
            replace(one, token=self._reseal(one.token, successor)) for one in meta.former_relays
        ]
        replica.take_keys(successor)
        self._note(membership)

    def _reseal(self, sealed: bytes, successor: DeviceKeys) -> bytes:
        """What was sealed to this device's keys, sealed to its next ones."""
        try:
            plain = self._replica.keys.unseal(sealed)
        except EnvelopeError:
            return b""  # nothing was sealed, or to another computer's
        return seal_to(successor.box_public, plain)

    def remover(self) -> bytes | None:
        """The device that removed this one last, where one did and this one is no member."""
        membership = self.membership()
        own = self._replica.keys.sign_public
        if membership is None or membership.role_of(own) is not None:
            return None
        for raw in reversed(membership.records):
            record = parse_record(raw)
            devices = record.fields.get("devices")
            if record.header.kind == "remove" and isinstance(devices, list) and own in devices:
                return record.header.author
        return None

    def logged_names(self) -> dict[bytes, str]:
        """What the log calls the members, by their signing keys, as far as that can be opened."""
        membership = self.membership()
        return member_names(membership, self.keys()) if membership is not None else {}

    def keys(self) -> dict[int, bytes]:
        """The content keys that this device has, by generation."""
        membership = self.membership()
        return self._openable_keys(membership) if membership is not None else {}

    def newest_key(self) -> tuple[int, bytes]:
        """The content key of the newest generation that this device was given.

        Raises:
            NotAMemberError: this device has none.
        """
        membership = self.membership()
        for generation in reversed(membership.generations if membership else ()):
            key = self.key(generation)
            if key is not None:
                return generation, key
        raise NotAMemberError

    def has_key(self) -> bool:
        """Whether this device can open the newest content key."""
        try:
            self.newest_key()
        except NotAMemberError:
            return False
        return True

    def key(self, generation: int) -> bytes | None:
        """The content key of a generation, or None where this device was never given it."""
        mark = self._database.mark("content_keys")
        if mark is None or mark is not self._keys_at:
            self._sealed.clear()
            self._keys_at = mark
        if generation not in self._sealed:
            self._sealed[generation] = self._keys.read(generation)
        sealed = self._sealed[generation]
        return self._open_key(sealed) if sealed else None

    def _membership(self) -> Membership:
        membership = self.membership()
        if membership is None:
            raise NotAMemberError
        return membership

    def _open_key(self, sealed: bytes) -> bytes:
        """A key sealed to this device, opened once; a copy on another device cannot open it."""
        opened = self._opened.get(sealed)
        if opened is None:
            try:
                opened = self._opened[sealed] = self._replica.keys.unseal(sealed)
            except EnvelopeError:
                raise NotAMemberError from None
        return opened

    def _read(self, records: Sequence[bytes]) -> Membership:
        return Membership.from_records(records, kinds=self._replica.formats.record_kinds)

    def _note(self, membership: Membership) -> None:
        """Keep the content keys that the records bring, and what only a newer program knows."""
        known = self._openable_keys(membership)
        found = find_keys(membership, self._replica.keys, known=known)
        for generation, key in found.keys.items():
            if known.get(generation) != key:
                self._keep_key(generation, key)
        for generation in known.keys() - found.keys.keys():
            self._keys.remove(generation)  # of a list that lost: this one promises another
        self.wrong_keys = found.wrong
        self._replica.meta.newer_members = membership.needs_newer
        self._replica.meta.envelope_formats = self._replica.formats.name
        self.note_standing(membership)

    def note_standing(self, membership: Membership) -> None:
        """Keep what commands that load no keys need to know of the members. In a transaction."""
        meta, own = self._replica.meta, self._replica.keys.sign_public
        role = membership.role_of(own)
        standing = Standing(
            own,
            str(role or ""),
            len(membership.members),
            sum(one.role is Role.OWNER for one in membership.members),
            any(one.is_recovery and one.is_open for one in membership.invites),
        )
        if meta.standing != standing:
            meta.standing = standing
        successors = {
            device_tag(one): device_tag(now)
            for one in membership.devices
            if (now := membership.current(one)) != one
        }
        if meta.successors != successors:
            meta.successors = successors
        ids = {device_tag(one): one.hex()[:MEMBER_ID_LENGTH] for one in membership.devices}
        if meta.member_ids != ids:
            meta.member_ids = ids
        keys = self._openable_keys(membership)
        said = _said_relay(membership, keys)
        if meta.said_relay != said:
            meta.said_relay = said
        for fact, found in (
            ("member_names", member_names(membership, keys)),
            ("joined_names", joined_names(membership, keys)),
        ):
            names = {device_tag(key): name for key, name in found.items()}
            if getattr(meta, fact) != names:
                setattr(meta, fact, names)

    def _openable_keys(self, membership: Membership) -> dict[int, bytes]:
        """The content keys that are here; a copy on another device has some that it cannot open."""
        keys: dict[int, bytes] = {}
        for generation in (*membership.generations, *membership.lost_generations):
            sealed = self._keys.read(generation)
            try:
                if sealed is not None:
                    keys[generation] = self._replica.keys.unseal(sealed)
            except EnvelopeError:
                continue
        return keys

    def _keep_key(self, generation: int, key: bytes) -> None:
        self._keys.write(generation, seal_to(self._replica.keys.box_public, key))

    def _insert(self, records: Sequence[bytes]) -> None:
        self._members.append([(content_hash(record), record) for record in records])

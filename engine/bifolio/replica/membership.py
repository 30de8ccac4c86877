"""The membership log of the library, and the content keys that it brings."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.crypto.keys import seal_to
from bifolio.crypto.membership import (
    Membership,
    Role,
    find_keys,
    library_id_of,
    make_carry,
    make_genesis,
    make_invite,
    make_join,
    merge_logs,
)
from bifolio.crypto.membership.records import parse_record
from bifolio.errors import EnvelopeError, MembershipError, NotAMemberError, WrongKeyError
from bifolio.ids import content_hash, device_tag
from bifolio.replica.lookup import device_names
from bifolio.replica.replica import Replica
from bifolio.storage.content_keys import ContentKeys
from bifolio.storage.members import Members


class LibraryMembership:
    """Who may read and write, as this replica knows it."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._database = replica.database
        self._members = Members(replica.database)
        self._keys = ContentKeys(replica.database)
        self._known: Membership | None = None
        #: The content keys that this device was given and that are not the library's.
        self.wrong_keys: Sequence[WrongKeyError] = ()

    def membership(self) -> Membership | None:
        """The membership as stored; None before anything is known of it.

        Another process may have appended since: the number of records tells.
        """
        count = self._members.count()
        if count == 0:
            return None
        if self._known is None or len(self._known.records) != count:
            self._known = self._read(self._members.records())
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

    def learn(self, records: Sequence[bytes]) -> None:
        """Follow the log with further records, checked by the rules, and their content keys.

        Raises:
            MembershipError: a record breaks a rule, or the log is another library's.
        """
        with self._database.transaction():
            known = self.membership()
            stored = known.records if known else ()
            # Another process that syncs this replica may have learnt some of them just now.
            fresh = [record for record in records if record not in stored]
            if len(stored) + len(fresh) > limits.RELAY_MEMBERSHIP_RECORDS_MAX:
                raise MembershipError("the log has more records than any library may have")
            whole = self._read([*stored, *fresh])
            if whole.library_id != self._replica.library_id:
                raise MembershipError("the log is that of another library")
            self._insert(fresh)
            self._note(whole)
        self._known = whole

    def is_next(self, record: bytes) -> bool:
        """Whether a record follows the last one of the log, or nothing is known of the log."""
        membership = self.membership()
        return membership is None or parse_record(record).header.previous == membership.head

    def follow(self, records: Sequence[bytes]) -> bool:
        """Follow another log of this library that went a different way, if the rule says so.

        What lost is kept until it is carried on top of what won (``carry``).

        Returns:
            whether it is followed; otherwise this replica's own log goes on, and nothing changed.

        Raises:
            MembershipError: a record breaks a rule, or the log is another library's.
        """
        with self._database.transaction():
            ours, theirs = self._membership(), self._read(records)
            merged = merge_logs(ours, theirs)
            if merged.ours_won:
                return False
            self._members.clear()
            self._insert(merged.winner.records)
            self._replica.meta.lost_members = [*self._replica.meta.lost_members, *merged.lost]
            self._note(merged.winner)
        self._known = merged.winner
        return True

    def carry(self) -> bytes | None:
        """The next record by which this device carries what lost; None where nothing is left, or
        this device is no member of the log that won."""
        lost = self._replica.meta.lost_members
        membership = self.membership()
        if not lost or membership is None or self.role() is None or membership.needs_newer:
            return None
        left = [raw for raw in lost if not membership.has_carried(raw)]
        try:
            if left:
                return make_carry(membership, self._replica.keys, left)[0]
        except MembershipError:
            pass  # it cannot be carried: whoever made it makes it again
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
        self._known = None

    def role(self) -> Role | None:
        """This device's role now."""
        membership = self.membership()
        return membership.role_of(self._replica.keys.sign_public) if membership else None

    def owner_names(self) -> tuple[str, ...]:
        """What the owners' computers are called, as far as they have written anything."""
        membership = self.membership()
        members = membership.members if membership else ()
        tags = [device_tag(one.device) for one in members if one.role is Role.OWNER]
        names = device_names(self._replica)
        return tuple(sorted(names[tag] for tag in tags if tag in names))

    def invite(self, ticket_secret: bytes) -> bytes:
        """The record of a new invite, to be appended by the relay."""
        membership = self._membership()
        generation, key = self.newest_key()
        return make_invite(
            membership,
            self._replica.keys,
            ticket_secret=ticket_secret,
            role=Role.EDITOR,
            generation=generation,
            content_key=key,
        )

    def join(self, ticket_secret: bytes) -> bytes:
        """The record by which this device joins, to be appended by the relay."""
        return make_join(self._membership(), self._replica.keys, ticket_secret=ticket_secret)

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
        sealed = self._keys.read(generation)
        return self._open_key(sealed) if sealed else None

    def _membership(self) -> Membership:
        membership = self.membership()
        if membership is None:
            raise NotAMemberError
        return membership

    def _open_key(self, sealed: bytes) -> bytes:
        """A key sealed to this device; a copy on another device cannot open it."""
        try:
            return self._replica.keys.unseal(sealed)
        except EnvelopeError:
            raise NotAMemberError from None

    def _read(self, records: Sequence[bytes]) -> Membership:
        return Membership.from_records(records, kinds=self._replica.formats.record_kinds)

    def _note(self, membership: Membership) -> None:
        """Keep the content keys that the records bring, and what only a newer program knows."""
        known = self._openable_keys(membership)
        found = find_keys(membership, self._replica.keys, known=known)
        for generation, key in found.keys.items():
            if generation not in known:
                self._keep_key(generation, key)
        self.wrong_keys = found.wrong
        self._replica.meta.newer_members = membership.needs_newer
        self._replica.meta.envelope_formats = self._replica.formats.name

    def _openable_keys(self, membership: Membership) -> dict[int, bytes]:
        """The content keys that are here; a copy on another device has some that it cannot open."""
        keys: dict[int, bytes] = {}
        for generation in membership.generations:
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

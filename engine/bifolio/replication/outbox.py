"""Own changes, sealed into this replica's chain when they are first offered (DESIGN §6).

Changes wait unsealed, are packed into envelopes, and an envelope is never altered. When the
relay answers FORK and proves it (this folder was copied, and the copy was quicker), the envelopes
of ours that it did not take are opened again, and each goes into an envelope of a new chain that
names it: others may have built on it and be in the log already, so its hash must be answered for.
The same update in two chains is harmless. **Nothing of another's is signed again**: its envelopes
are carried whole, inside ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bifolio import limits
from bifolio.crypto.envelope import (
    CHAIN_ID_BYTES,
    KIND_CHANGES,
    NO_PREVIOUS,
    Envelope,
    Header,
    parse_envelope,
    read_header,
    seal,
)
from bifolio.crypto.membership import Membership, Permission
from bifolio.errors import EnvelopeError, NewerMembershipError, NotAMemberError
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.chain_places import ChainPlaces
from bifolio.replication.judging import NO_RIGHT
from bifolio.storage.changes import StoredEnvelope, UnsealedChange
from bifolio.storage.meta import OwnChain
from bifolio.sync.store import OfferedPlace, OutgoingEnvelope
from bifolio.wire.changes import Attested, Body, Change

#: The numbers of envelopes that are kept for a newer program, behind those of all others.
_NEWER_FROM = 2**62


class Outbox:
    """What this replica has to offer."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._places = ChainPlaces(replica)

    def seal(self) -> int:
        """Seal every unsealed change; returns how many envelopes were made.

        None is made under members of whom only a newer program knows what they may do: the
        changes wait for that program. Nor by a reader: what it changed before it became one stays
        a draft. What was sealed before the content key was changed, and never sent, is sealed
        again: who was removed has the earlier key.

        Raises:
            NotAMemberError: this device has no right, or no key, to seal with.
        """
        membership = self._member_log.membership()
        if membership is not None and (membership.needs_newer or self._is_reader(membership)):
            return 0
        if membership is not None:
            self._seal_stale_again(membership)
        made = 0
        # In a copied folder lie changes of the computer that it was copied from: nobody else can
        # sign them, and that computer sends them.
        tag = self._replica.keys.tag
        while self._replica.changes.has_unsealed(tag):
            with self._replica.database.transaction():
                changes = self._replica.changes.unsealed(
                    bytes_max=limits.ENVELOPE_TARGET_BYTES, tag=tag
                )
                if not changes:
                    break
                self._seal(changes)
                made += 1
        return made

    def offers(self, *, after: int, bytes_max: int) -> list[OutgoingEnvelope]:
        """Envelopes, anyone's, that the relay does not have, in causal order.

        Those that only a newer program can read come last: no other one builds on them.
        """
        if after < _NEWER_FROM:
            merged = self._replica.changes.unacknowledged(after=after, bytes_max=bytes_max)
            while merged:
                sendable = [one for one in merged if not self._is_draft(one)]
                if sendable:
                    return [
                        OutgoingEnvelope(one.number, one.hash, one.chain, one.envelope, one.count)
                        for one in sendable
                    ]
                after = merged[-1].number
                merged = self._replica.changes.unacknowledged(after=after, bytes_max=bytes_max)
            after = _NEWER_FROM if after < _NEWER_FROM else after
        kept = self._replica.newer_envelopes.unacknowledged(
            after=max(after - _NEWER_FROM, 0), bytes_max=bytes_max
        )
        return [
            OutgoingEnvelope(_NEWER_FROM + one.number, one.hash, one.chain, one.envelope, 0)
            for one in kept
        ]

    def _is_reader(self, membership: Membership) -> bool:
        """Whether this device is a member that may not write."""
        own = self._replica.keys.sign_public
        return membership.role_of(own) is not None and not membership.may_write(own)

    def _is_draft(self, stored: StoredEnvelope) -> bool:
        """Whether nobody takes an envelope: it does not count any more, or is this device's own,
        which lost the right to it before it was sent."""
        if self._replica.voided.has(stored.hash) and (
            stored.own or self._replica.refused.kept(stored.hash, NO_RIGHT)
        ):
            return True
        membership = self._member_log.membership()
        if not stored.own or membership is None or not self._is_reader(membership):
            return False
        return _is_forbidden(membership, parse_envelope(stored.envelope))

    def _seal_stale_again(self, membership: Membership) -> None:
        """Put what was sealed under an earlier content key, and is in no log, into a new chain."""
        replica = self._replica
        after = replica.meta.sent_through
        own = replica.keys.sign_public
        stale: dict[bytes, Header] = {}
        for beginning in replica.changes.own_on_the_way(after=after):
            header = read_header(beginning)
            if header.device == own and header.generation < membership.generation:
                stale.setdefault(header.chain, header)
        if not stale or self._member_log.key(membership.generation) is None:
            return
        for header in stale.values():
            self._move_chain(header)

    def places(self, *, after: int, count_max: int) -> list[tuple[int, OfferedPlace]]:
        """The places of envelopes, anyone's, that the relay is not known to have, by number; of a
        draft the relay is not asked: what has it brings it to nobody."""
        found = []
        membership, own = self._member_log.membership(), self._replica.keys.sign_public
        may_be_drafts = membership is not None and self._is_reader(membership)
        for one in self._replica.changes.unacknowledged_places(after=after, count_max=count_max):
            try:
                header = read_header(one.beginning)
            except EnvelopeError:
                continue
            if may_be_drafts and header.device == own:
                stored = self._replica.changes.envelope(one.hash)
                if stored is not None and self._is_draft(stored):
                    continue
            place = OfferedPlace(
                one.hash, header.author_chain, header.seq, one.size_bytes, one.count
            )
            found.append((one.number, place))
        return found

    def restart_chain(self, envelope_hash: bytes, proof: bytes) -> bool:
        """The relay has another envelope of the same author in the place of one, or of the one
        before it: what it did not take of the chain moves to a new one of ours.

        Args:
            envelope_hash: of the one that was refused.
            proof: what its author signed of the other (``SignedHeader``).

        Returns:
            False, and nothing changed, where that proves nothing. True where the envelope is not
            here any more: another process of this replica heard the same, and moved its chain.
        """
        refused = self._places.find(envelope_hash)
        if refused is None:
            return True
        if not self._places.is_fork(refused, proof):
            return False
        self._move_chain(refused.header)
        return True

    def restart_own_chain(self, envelope_hash: bytes) -> bool:
        """The relay lacks a part of a chain of ours: what it did not take moves to a new one.

        Returns:
            False, and nothing changed, where another device made it.
        """
        refused = self._places.find(envelope_hash)
        if refused is None or refused.header.device != self._replica.keys.sign_public:
            return False
        self._move_chain(refused.header)
        return True

    def is_in_chain(self, envelope_hash: bytes, *, seq: int, head: bytes) -> bool | None:
        """Whether an envelope is one of those that a relay has of its chain (``ChainPlaces``)."""
        return self._places.is_in_chain(envelope_hash, seq=seq, head=head)

    def move_chain(self, envelope_hash: bytes) -> None:
        """Put what the relay did not take of an envelope's chain into a new one of ours."""
        refused = self._places.find(envelope_hash)
        if refused is not None:
            self._move_chain(refused.header)

    def seal_without_right_again(self, envelope_hash: bytes) -> bool:
        """An envelope of ours names a head under which we had no right, by the list of members that
        goes on: who joined again has one now, under which it is sealed in a new chain.

        Returns:
            False, and nothing changed, where another device made it, it was sealed with the right
            to, or we have none now.
        """
        membership, refused = self._member_log.membership(), self._places.find(envelope_hash)
        own = self._replica.keys.sign_public
        if membership is None or refused is None or refused.header.device != own:
            return False
        if not membership.may_write(own) or not _is_forbidden(membership, refused):
            return False
        self._move_chain(refused.header)
        return True

    def lacks_right(self, envelope_hash: bytes) -> bool:
        """Whether an envelope is another's, who had no right to it by the list that goes on."""
        membership, refused = self._member_log.membership(), self._places.find(envelope_hash)
        if membership is None or refused is None:
            return False
        is_own = refused.header.device == self._replica.keys.sign_public
        return not is_own and _is_forbidden(membership, refused)

    def continue_chain(self, envelope_hash: bytes, *, seq: int, head: bytes) -> bool:
        """The relay lacks what is before an envelope in its chain, which ends there with another
        one. What was not offered because somebody's envelope carries it is offered by itself, if
        with that the chain goes on; otherwise the rest of the chain goes into a new one of ours.

        Args:
            envelope_hash: of the one that has no place there.
            seq: the number of the chain's end on the relay; 0 where it has nothing of it.
            head: its hash.

        Returns:
            False, and nothing changed, without the right to write, or where the envelope is kept
            for a newer program.
        """
        refused = self._places.find(envelope_hash)
        if refused is None:
            return True  # another process of this replica moved it
        own, changes = self._replica.keys.sign_public, self._replica.changes
        if refused.header.device != own and self._places.leads_to(refused, seq=seq, head=head):
            with self._replica.database.transaction():
                if changes.offer_carried(refused.header.chain):
                    return True
        if not self.may_move(envelope_hash):
            return False
        self._move_chain(refused.header)
        return True

    def may_move(self, envelope_hash: bytes) -> bool:
        """Whether an envelope may be put into a chain of ours: our own, also one that is kept for a
        newer program, or another's that was merged, with the right to write."""
        membership, refused = self._member_log.membership(), self._places.find(envelope_hash)
        own = self._replica.keys.sign_public
        if refused is None or refused.header.device == own:
            return True
        if membership is None or membership.needs_newer or not membership.may_write(own):
            return False
        return self._replica.changes.is_stored(envelope_hash)

    def build_on_what_counts(self) -> None:
        """Each chain of ours goes on in a new one from the first envelope on that no other computer
        takes: one that names what does not count any more, as who wrote it was removed before, or
        that was sealed under a right that we had by a list that lost, whoever has it. Inside a
        transaction.

        Nothing is done without the right to write: what was not sent is a draft then.
        """
        replica, own = self._replica, self._replica.keys.sign_public
        membership = self._member_log.membership()
        if membership is None or membership.needs_newer or not membership.may_write(own):
            return
        links = replica.changes.links()
        voided = set(replica.voided.hashes())
        moved: dict[bytes, tuple[Header, list[bytes]]] = {}
        for one, frontier in links:
            beginning = replica.changes.beginning(one) or b""
            header = read_header(beginning) if beginning else None
            if header is None or header.device != own or one in voided:
                continue
            stored = replica.changes.envelope(one)
            assert stored is not None
            counts = not _is_forbidden(membership, parse_envelope(stored.envelope))
            if self._find_replacement(one) is not None or (
                counts and not (voided and any(map(self._voided, frontier)))
            ):
                continue
            if header.chain not in moved or header.seq < moved[header.chain][0].seq:
                moved[header.chain] = (header, self._from(header))
        for header, envelopes in moved.values():
            self._move(header, envelopes)
        if moved or voided:
            self._recompute_frontier()

    def _from(self, first: Header) -> list[bytes]:
        """The envelopes of a chain of ours from one on, in their order."""
        found = [
            one
            for one, beginning in self._replica.changes.backwards(first.chain)
            if read_header(beginning).seq >= first.seq
        ]
        return found[::-1]

    def _move_chain(self, header: Header) -> None:
        """Put what the relay did not take of a chain into a new one.

        Our own are sealed again: each is replaced by one that carries the same changes and builds
        on the same envelopes and on nothing else, because a replacement that built on our later
        ones might wait for what waits for it. Another's are carried whole: nobody signs for it.
        One that was replaced before came back from a relay that has it: where another relay has no
        place for it, the replacement goes there, and there is no second one. Who syncs with both
        in turns would else make one in each turn.
        """
        with self._replica.database.transaction():
            self._replica.newer_envelopes.keep_back(header.chain)
            self._move(header, self._replica.changes.unacknowledged_of(header.chain))
            self._recompute_frontier()

    def _move(self, header: Header, envelopes: Sequence[bytes]) -> None:
        """Put these envelopes of a chain into a new one, in their order."""
        replica = self._replica
        is_own = header.device == replica.keys.sign_public
        own = replica.meta.own_chain
        if own is not None and own.chain == header.chain and is_own:
            replica.meta.own_chain = None
        fresh = self._fresh_chain()
        last_own = replica.meta.last_own
        covered = self._find_covered(header)
        for one in envelopes:
            # One at a time: together they may be larger than the memory.
            stored = replica.changes.envelope(one)
            assert stored is not None
            envelope = parse_envelope(stored.envelope)
            if envelope.header.device != header.device:
                continue
            if not is_own:
                fresh = self._carry(envelope, fresh)
                continue
            replacement = self._find_replacement(one)
            if replacement is not None:
                replica.changes.add_carried([one], by=replacement)
                replica.changes.carry_on(one, by=replacement)
                continue
            fresh = self._replace(stored, envelope, fresh)
            if one in covered:
                replica.snapshots.add_covered([one])
            if one == last_own:
                replica.meta.last_own = fresh.head

    def _find_covered(self, header: Header) -> set[bytes]:
        """Which envelopes of a chain that are here are in a snapshot that was loaded: once they are
        sealed again they are merged by that alone, and what it says of the chain goes on holding.
        """
        replica = self._replica
        found: set[bytes] = set()
        end = replica.snapshots.end_of(header.device, header.chain)
        one = end.hash if end is not None else b""
        while one not in found and (beginning := replica.changes.beginning(one)) is not None:
            found.add(one)
            one = read_header(beginning).previous
        return found

    def _find_replacement(self, envelope_hash: bytes) -> bytes | None:
        """The envelope of ours that was made instead of another one of ours, by what it says
        itself: a snapshot's word is not enough to leave out an edit."""
        replica = self._replica
        for one in replica.changes.offered_replacements(envelope_hash):
            envelope = self._places.find(one)
            if envelope is None or envelope.header.device != replica.keys.sign_public:
                continue
            key = self._member_log.key(envelope.header.generation)
            if key is None:
                continue
            if envelope_hash in replica.formats.read_past(envelope, key).replaces:
                return one
        return None

    def _seal(self, changes: Sequence[UnsealedChange]) -> None:
        replica = self._replica
        chain = replica.meta.own_chain
        if chain is None or chain.device != replica.keys.sign_public:
            chain = self._fresh_chain()
        frontier = self._frontier(changes)
        body = Body(
            tuple(frontier),
            tuple(Change.parse(change.body) for change in changes),
            incarnations=replica.incarnations_of(changes),
        )
        replica.end_incarnations(changes)
        replica.changes.remove_unsealed(changes)
        grown, number = self._append(chain, body)
        replica.journal.index.move([change.number for change in changes], to=number)
        replica.meta.own_chain = grown
        replica.meta.last_own = grown.head
        named = {*frontier, chain.head}
        merged = [one for one in replica.meta.frontier if one not in named]
        replica.meta.frontier = [*merged, grown.head]

    def _fresh_chain(self) -> OwnChain:
        replica = self._replica
        chain = replica.runtime.random_bytes(CHAIN_ID_BYTES)
        return OwnChain(chain, replica.keys.sign_public, 0, NO_PREVIOUS)

    def _append(self, chain: OwnChain, body: Body) -> tuple[OwnChain, int]:
        """Seal a body as the next envelope of a chain of ours and keep it; its number too."""
        replica = self._replica
        membership = self._member_log.membership()
        keys = replica.keys
        if membership is None or not membership.may_write(keys.sign_public):
            raise NotAMemberError
        if membership.needs_newer:
            raise NewerMembershipError(membership.needs_newer)
        generation, content_key = self._member_log.newest_key()
        header = Header(
            library=replica.library_id,
            generation=generation,
            device=keys.sign_public,
            chain=chain.chain,
            seq=chain.seq + 1,
            previous=chain.head,
            kind=KIND_CHANGES,
            membership_head=membership.naming_head(replica.keys.sign_public),
        )
        envelope = seal(
            header,
            replace(body, attested=self._attested()).serialize(),
            content_key=content_key,
            keys=keys,
            random_bytes=replica.runtime.random_bytes,
        )
        number = replica.changes.add_envelope(
            envelope=envelope.raw,
            envelope_hash=envelope.hash,
            chain=chain.chain,
            seq=header.seq,
            position=None,
            own=True,
            count=len(body.changes),
            frontier=body.frontier,
        )
        return OwnChain(chain.chain, keys.sign_public, header.seq, envelope.hash), number

    def _attested(self) -> Attested | None:
        """Where this replica stands in the relay's log: others compare it with what they saw."""
        cursor = self._replica.meta.cursor
        return Attested.at(cursor) if cursor is not None and cursor.position else None

    def _frontier(self, changes: Sequence[UnsealedChange]) -> list[bytes]:
        """What was merged when the changes were made: heads that no other of them names."""
        named: dict[bytes, None] = {}
        for change in changes:
            named.update(dict.fromkeys(self._counting(change.frontier)))
        last_own = self._replica.meta.last_own
        if last_own:  # under earlier keys it may count no more
            named.update(dict.fromkeys(self._counting((last_own,))))
        below: set[bytes] = set()
        for one in named:
            stored = self._replica.changes.envelope(one)
            if stored is not None:
                below.update(stored.frontier)
        return [one for one in named if one not in below]

    def _replace(self, stored: StoredEnvelope, envelope: Envelope, chain: OwnChain) -> OwnChain:
        """Put the changes of an envelope of ours that the relay refused into another one."""
        key = self._member_log.key(envelope.header.generation)
        if key is None:
            raise NotAMemberError
        body = self._replica.formats.read_past(envelope, key)
        builds_on = list(self._counting(body.frontier))
        if envelope.header.seq > 1 and envelope.header.previous not in builds_on:
            builds_on.append(envelope.header.previous)
        replaces = (stored.hash, *body.replaces)
        self._replica.changes.remove_envelope(stored.hash)
        replacement = replace(body, frontier=tuple(builds_on), replaces=replaces)
        grown, number = self._append(chain, replacement)
        tag = self._replica.keys.tag
        self._replica.journal.index.move_envelope(stored.number, to=number, device=tag)
        self._replica.changes.add_replacements(replaces, by=grown.head)
        self._replica.changes.carry_on(stored.hash, by=grown.head)
        return grown

    def _carry(self, envelope: Envelope, chain: OwnChain) -> OwnChain:
        """Carry another's envelope whole inside one of ours, which says nothing of its own."""
        grown, _ = self._append(chain, Body((), (), carried=(envelope.raw,)))
        self._replica.changes.add_carried([envelope.hash], by=grown.head)
        return grown

    def _counting(self, frontier: Sequence[bytes]) -> tuple[bytes, ...]:
        """What a change builds on, and instead of what does not count what that builds on."""
        found: dict[bytes, None] = {}
        left, seen = list(frontier)[::-1], set[bytes]()
        while left:
            one = left.pop()
            if one in seen:
                continue
            seen.add(one)
            gone = self._voided(one)
            if not gone:
                found[one] = None
            for stored in gone:
                header = parse_envelope(stored.envelope).header
                left += stored.frontier[::-1]
                if header.seq > 1:
                    left.append(header.previous)
        return tuple(found)

    def _voided(self, envelope_hash: bytes) -> list[StoredEnvelope]:
        """An envelope that does not count any more, or those that its author made instead of it,
        where none of these does; none where it counts."""
        replica = self._replica
        instead = [envelope_hash]
        if not replica.changes.is_stored(envelope_hash):
            instead = replica.changes.offered_replacements(envelope_hash)
        if not all(map(replica.voided.has, instead)):
            return []
        found = [replica.changes.envelope(one) for one in instead]
        return [one for one in found if one is not None]

    def _recompute_frontier(self) -> None:
        """The frontier from what is stored, after a fork only; an envelope may be named by what it
        replaces."""
        changes, links = self._replica.changes, self._replica.changes.links()
        voided = set(self._replica.voided.hashes())
        if voided:
            links = [(one, self._counting(names)) for one, names in links if one not in voided]
        named = {one for _, frontier in links for one in frontier}
        named |= changes.replacing(named)
        heads = [one for one, _ in links if one not in named]
        # One that a snapshot covers and that was here is no more here once it was sealed again.
        here, snapshots = set(heads), self._replica.snapshots
        heads += [
            one
            for one in self._replica.meta.covered_frontier
            if one not in named and one not in here and snapshots.is_covered(one)
        ]
        self._replica.meta.frontier = heads


def _is_forbidden(membership: Membership, envelope: Envelope) -> bool:
    return membership.permits(envelope) is Permission.FORBIDDEN

"""Whether a received envelope is in order: who wrote it, its place in its chain, its content.

Decides and changes nothing. Every replica checks all of it itself, whoever carried the envelope: a
relay's word counts for nothing, and a member's only for what that member may write. Each verdict
is the same whatever came first; what is not known yet makes an envelope wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.crypto.envelope import (
    Envelope,
    Header,
    parse_envelope,
    read_header,
    verify_signature,
)
from bifolio.crypto.membership import Membership, Permission, Role
from bifolio.document.update_identity import UpdateAuthor
from bifolio.errors import DocumentError, EnvelopeError, NewerFormatError, NotAMemberError
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.wire.changes import Body

#: Places of chains that are remembered: the next envelope of a chain asks for the last one.
_PLACES_MAX = 4096

#: Why an envelope is refused whose author was no member, or no writing one, under its head.
NO_RIGHT = "its author had no right to write"


class WaitsError(Exception):
    """Something that the envelope builds on is not here yet.

    ``needs`` are hashes of envelopes; with ``of_members`` of membership records, or names of keys.
    """

    def __init__(self, needs: Sequence[bytes], *, of_members: bool = False) -> None:
        super().__init__()
        self.needs = needs
        self.of_members = of_members


class StrangerError(Exception):
    """Its author is no member as far as is known, under a membership that is not known."""


class BuildsOnNewerError(Exception):
    """All it builds on is here, and some of it can only be read by a newer program."""


class Judge:
    """Judges the envelopes of one batch by what a replica knows."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._library = b""
        self._places: dict[bytes, tuple[bytes, bytes, int]] = {}
        #: Of this transaction: the members, and the content keys by generation.
        self._membership: Membership | None = None
        self._content_keys: dict[int, bytes | None] = {}
        #: Also of this transaction: envelopes that are merged for sure.
        self._merged: set[bytes] = set()

    def begin(self) -> None:
        """A transaction begins: nobody else can change the members until it ends."""
        self._membership = self._member_log.membership()
        self._content_keys.clear()
        self._merged.clear()
        self._library = self._replica.library_id

    def verify(self, envelope: Envelope) -> None:
        """Check that it is this library's and its author's.

        Raises:
            EnvelopeError: it is not; who made it is not known.
        """
        if envelope.header.library != self._library:
            raise EnvelopeError("it belongs to another library")
        verify_signature(envelope)

    def read(self, envelope: Envelope) -> Body:
        """The content of an envelope that was verified.

        Raises:
            EnvelopeError: a rule is broken.
            NewerFormatError: no rule is broken, but only a newer program can read it.
            StrangerError: its author is no member as far as is known, which may change.
            WaitsError: the membership or the key is not here yet.
        """
        header = envelope.header
        self._check_link(header)
        membership = self._membership
        if membership is None:
            raise StrangerError
        self._check_right(envelope, membership)
        self._replica.formats.check(header)
        key = self._key(header.generation)
        if key is None:
            raise WaitsError([_name_of_key(header.generation)], of_members=True)
        return self._replica.formats.read(envelope, key)

    def check_frontier(self, envelope: Envelope, body: Body) -> None:
        """Check that all that an envelope builds on is merged.

        Raises:
            BuildsOnNewerError: it can be read, but not all that it builds on.
            WaitsError: something it builds on is not here yet.
        """
        header = envelope.header
        missing = self._find_missing(body.frontier)
        # What this device moved to another chain is its own: nobody has to show its place.
        is_own = header.device == self._replica.keys.sign_public
        if header.seq > 1 and not self._is_here(header.previous, by_itself=not is_own):
            missing.append(header.previous)
        if any(map(self._replica.newer_envelopes.is_kept, missing)):
            raise BuildsOnNewerError
        if missing:
            raise WaitsError(missing)
        if len(self._places) >= _PLACES_MAX:
            self._places.clear()
        self._places[envelope.hash] = (header.device, header.chain, header.seq)

    def note_merged(self, header: Header, envelope_hash: bytes) -> None:
        """An envelope is merged and stored: the next one of its chain asks for its place."""
        known = self._replica.database.rows_known("changes")
        known["place", envelope_hash] = (header.device, header.chain, header.seq)

    def author(self, envelope: Envelope, body: Body) -> UpdateAuthor:
        """Whose updates an envelope brings, and which names are theirs.

        Raises:
            EnvelopeError: it declares a name that is another computer's.
        """
        header = envelope.header
        membership = self._membership
        assert membership is not None
        role = membership.role_of(header.device, head=header.membership_head)
        try:
            return UpdateAuthor.of(
                header.device,
                is_owner=role is Role.OWNER,
                incarnations=body.incarnations,
            )
        except DocumentError as error:
            raise EnvelopeError(error.reason) from None

    def author_of(self, envelope_hash: bytes) -> UpdateAuthor | None:
        """Whose updates a merged envelope brought; None where that cannot be read here."""
        stored = self._replica.changes.envelope(envelope_hash)
        if stored is None:
            return None
        try:
            envelope = parse_envelope(stored.envelope)
            key = self._key(envelope.header.generation)
            if key is None:
                return None
            return self.author(envelope, self._replica.formats.read(envelope, key))
        except (EnvelopeError, NotAMemberError):
            return None

    def permits(self, envelope: Envelope) -> bool:
        """Whether the author of an envelope had the right to write it, by what is known here."""
        membership = self._membership
        return membership is not None and membership.permits(envelope) is Permission.PERMITTED

    def ends_cut_chain(self, envelope: Envelope) -> bool:
        """Whether an envelope is the last one that counts of a removed member's chain."""
        membership = self._membership
        end = membership.cut_end(envelope) if membership is not None else None
        return end is not None and end.hash == envelope.hash

    def has_met(self, device: bytes) -> bool:
        """Whether a device is, or was, a member: an honest relay holds nothing of any other."""
        return self._membership is not None and self._membership.has_met(device)

    def is_author(self, envelope_hash: bytes, device: bytes) -> bool | None:
        """Whether an envelope that is here is this device's; None where it is not here."""
        place = self._place_of(envelope_hash)
        return None if place is None else place[0] == device

    def _key(self, generation: int) -> bytes | None:
        """The content key of a generation: opened once in a transaction."""
        if generation not in self._content_keys:
            self._content_keys[generation] = self._member_log.key(generation)
        return self._content_keys[generation]

    def _find_missing(self, names: Sequence[bytes]) -> list[bytes]:
        """Which of these envelopes are not here yet. One that counts for nobody, as its author lost
        the right to write it, does not come: instead of it, what it builds on has to be here, but
        for what it or another such one was made instead of, which its author sends no more."""
        missing: list[bytes] = []
        instead_of = set[bytes]()
        left, seen = list(names)[::-1], set[bytes]()
        while left:
            one = left.pop()
            if one in seen or self._is_here(one):
                continue
            seen.add(one)
            refused = self._replica.refused.kept(one, NO_RIGHT)
            if refused is None or not self.is_cut(read_header(refused).device):
                missing.append(one)
            else:
                builds_on, replaces = self._read_refused(refused)
                left += builds_on
                instead_of.update(replaces)
        return [one for one in missing if one in names or one not in instead_of]

    def is_cut(self, device: bytes) -> bool:
        """Whether a device ever lost the right to write. Who had it by a list of members that lost,
        which did not end it, seals again what it wrote under that: this is waited for."""
        return self._membership is not None and self._membership.is_cut(device)

    def replaced_by(self, refused: Envelope) -> Sequence[bytes]:
        """What an envelope that was refused for its author's right was made instead of."""
        return self._read_refused(refused.raw)[1]

    def _read_refused(self, refused: bytes) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """What an envelope that was refused for its author's right builds on, and what it was made
        instead of, as far as what is kept of it tells."""
        header = read_header(refused)
        previous = [header.previous] if header.seq > 1 else []
        key = self._key(header.generation)
        if key is None:
            return previous, ()
        try:
            body = self._replica.formats.read_past(parse_envelope(refused), key)
        except (EnvelopeError, NewerFormatError):
            return previous, ()
        return [*previous, *body.frontier], body.replaces

    def _is_here(self, envelope_hash: bytes, *, by_itself: bool = False) -> bool:
        """Whether an envelope is merged, by itself or by one that carries its changes, or set
        aside for good: what builds on it need not wait for it.

        Args:
            by_itself: whether its place must be known too, for the next one of its chain.
        """
        if envelope_hash in self._places or envelope_hash in self._merged:
            return True
        replica = self._replica
        if ("place", envelope_hash) in replica.database.rows_known("changes"):
            return True
        merged = replica.changes.is_stored(envelope_hash)
        if not merged and (not by_itself or replica.newer_envelopes.is_kept(envelope_hash)):
            merged = replica.changes.is_merged(envelope_hash)
        elif not merged:
            merged = replica.snapshots.is_covered(envelope_hash)
        return merged or replica.refused.fatal(envelope_hash) is not None

    def _check_right(self, envelope: Envelope, membership: Membership) -> None:
        permission = membership.permits(envelope)
        if permission is Permission.UNKNOWN_HEAD:
            if membership.role_of(envelope.header.device) is None:
                raise StrangerError
            raise WaitsError([envelope.header.membership_head], of_members=True)
        if permission is Permission.NEEDS_NEWER:
            kinds = " and ".join(f"'{kind}'" for kind in membership.needs_newer)
            raise NewerFormatError(f"membership record {kinds}")
        if permission is Permission.FORBIDDEN:
            raise EnvelopeError(NO_RIGHT)

    def _check_link(self, header: Header) -> None:
        """Check that the one before it in its chain is of the same chain, and just before it."""
        if header.seq == 1:
            return
        place = self._place_of(header.previous)
        if place is not None and place != (header.device, header.chain, header.seq - 1):
            raise EnvelopeError("it does not follow the one that it names in its chain")

    def _place_of(self, envelope_hash: bytes) -> tuple[bytes, bytes, int] | None:
        """The author, chain and number of an envelope that is here in any way."""
        known = self._places.get(envelope_hash)
        if known is not None:
            return known
        replica = self._replica
        merged = replica.database.rows_known("changes").get(("place", envelope_hash))
        if merged is not None:
            device, chain, seq = merged
            return device, chain, seq
        beginning = replica.changes.beginning(envelope_hash)
        if beginning:
            self._merged.add(envelope_hash)
        beginning = (
            beginning
            or replica.newer_envelopes.envelope(envelope_hash)
            or replica.refused.fatal(envelope_hash)
        )
        if beginning is None:
            end = replica.snapshots.chain_end(envelope_hash)
            return None if end is None else (end.device, end.chain, end.seq)
        header = read_header(beginning)
        return (header.device, header.chain, header.seq)


def _name_of_key(generation: int) -> bytes:
    return b"key %d" % generation

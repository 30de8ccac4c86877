"""Where an envelope is in its chain, compared with what a relay has of that chain.

A relay says of a chain where it ends, or shows what it has in an envelope's place. What that means
for what is here is told from what is here alone: nothing is changed.
"""

from __future__ import annotations

from bifolio.crypto.envelope import Envelope, SignedHeader, parse_envelope, read_header
from bifolio.errors import EnvelopeError
from bifolio.replica.replica import Replica


class ChainPlaces:
    """The places of envelopes that this replica has to offer."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def find(self, envelope_hash: bytes) -> Envelope | None:
        """An envelope that is here, merged or kept for a newer program."""
        stored = self._replica.changes.envelope(envelope_hash)
        if stored is not None:
            return parse_envelope(stored.envelope)
        kept = self._replica.newer_envelopes.envelope(envelope_hash)
        return parse_envelope(kept) if kept is not None else None

    def is_in_chain(self, envelope_hash: bytes, *, seq: int, head: bytes) -> bool | None:
        """Whether an envelope is one of those before or at the end of its chain that a relay has.

        Args:
            envelope_hash: of one that the relay has no place for.
            seq: the number of the chain's end.
            head: its hash.

        Returns:
            None where that cannot be told: the end is not merged here, or its author made two
            envelopes for the place and what leads from the end to there is not here. True also
            where the end came by a snapshot: that is compared with what is here, and what it does
            not have moves to a new chain then (``snapshots.desk``).
        """
        refused = self.find(envelope_hash)
        if refused is None:
            return True  # another process of this replica moved it
        header, changes = refused.header, self._replica.changes
        if header.seq >= seq:
            return envelope_hash == head
        if len(changes.at_place(header.chain, header.seq)) < 2:
            return True if changes.is_merged(head) else None
        one = head
        for _ in range(seq - header.seq):
            beginning = changes.beginning(one)
            if beginning is None:
                return None
            one = read_header(beginning).previous
        return one == envelope_hash

    def leads_to(self, envelope: Envelope, *, seq: int, head: bytes) -> bool:
        """Whether the envelopes are here that follow the end of a chain up to this one."""
        header = envelope.header
        while header.seq > seq + 1:
            beginning = self._replica.changes.beginning(header.previous)
            if beginning is None or self._replica.voided.has(header.previous):
                return False
            header = read_header(beginning)
        return seq == 0 or header.previous == head

    def is_fork(self, refused: Envelope, proof: bytes) -> bool:
        """Whether the author of one of our envelopes signed another one for its place."""
        try:
            shown = SignedHeader.parse(proof)
        except EnvelopeError:
            return False
        ours: Envelope | None = refused
        if shown.header.seq == refused.header.seq - 1:
            ours = self.find(refused.header.previous)
            is_own = refused.header.device == self._replica.keys.sign_public
            if ours is None and (is_own or self.is_here_otherwise(refused.header.previous)):
                # We sealed ours again, or what it carried came with a snapshot or with what
                # replaced it, so that there is nothing to compare with: the chain moves without
                # need where the relay lies, which costs some bytes and nothing else.
                chain = (shown.header.library, shown.header.author_chain)
                return chain == (refused.header.library, refused.header.author_chain)
        return ours is not None and SignedHeader.of(ours).competes_with(shown)

    def is_here_otherwise(self, envelope_hash: bytes) -> bool:
        """Whether the changes of an envelope are here, and not it."""
        replica = self._replica
        return replica.snapshots.is_covered(envelope_hash) or replica.changes.is_merged(
            envelope_hash
        )

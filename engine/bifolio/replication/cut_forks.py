"""Where a removed member made two chains of one: what its removal does not let count is taken out.

The removal names the last envelope of each of its author's chains; what that one builds on in its
chain counts for ever. A second envelope at one of those places does not: otherwise a removed
member, with a relay that forgets, would write on behind its removal. Which of two is which is seen
when the chain's end is here; until then both are merged, and this takes the other one back.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.crypto.envelope import Envelope, parse_envelope, read_header
from bifolio.crypto.membership import Membership
from bifolio.ids import content_hash
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.applying import Applier

#: Why an envelope that was merged does not count.
NOT_IN_CHAIN = "its author was removed, and what counts of its chain does not build on it"


def void(replica: Replica, member_log: LibraryMembership, applier: Applier) -> list[Envelope]:
    """Take back what lies beside the chains of removed members; inside a transaction.

    Args:
        replica: where it is.
        member_log: the replica's.
        applier: makes the records again that are concerned.

    Returns:
        the envelopes that do not count any more.
    """
    places = replica.changes.double_places()
    membership = member_log.membership() if places else None
    if membership is None:
        return []
    taken: list[Envelope] = []
    chains: dict[bytes, dict[int, bytes]] = {}
    for device, chain, seq in places:
        if device == replica.keys.sign_public or not membership.is_cut(device):
            continue  # a member that signs two of everything costs nothing here until it is removed
        for one in _at_place(replica, device, chain, seq):
            if _counts(replica, membership, one, chains):
                continue
            _take_back(replica, member_log, applier, one)
            taken.append(one)
    return taken


def _at_place(replica: Replica, device: bytes, chain: bytes, seq: int) -> Sequence[Envelope]:
    """The envelopes of a device at a place of a chain that count until now."""
    found: list[Envelope] = []
    for one in replica.changes.at_place(chain, seq):
        stored = None if replica.voided.has(one) else replica.changes.envelope(one)
        if stored is not None:
            envelope = parse_envelope(stored.envelope)
            if envelope.header.device == device:
                found.append(envelope)
    return found


def _counts(
    replica: Replica,
    membership: Membership,
    envelope: Envelope,
    chains: dict[bytes, dict[int, bytes]],
) -> bool:
    """Whether an envelope counts, as far as is known: no removal is about it, the end of its chain
    is not here yet, or that builds on it; or a snapshot has what it brought."""
    if replica.snapshots.is_asserted(envelope.hash):
        return True
    end = membership.cut_end(envelope)
    if end is None or envelope.header.seq > end.seq:
        return True
    if end.hash not in chains:
        chains[end.hash] = _places(replica, end.hash)
    at = chains[end.hash].get(envelope.header.seq)
    return at is None or at == envelope.hash


def _places(replica: Replica, end: bytes) -> dict[int, bytes]:
    """The hashes of a chain by their numbers, from its end back as far as they are here."""
    found: dict[int, bytes] = {}
    envelope_hash = end
    while (beginning := replica.changes.beginning(envelope_hash)) is not None:
        header = read_header(beginning)
        found[header.seq] = envelope_hash
        envelope_hash = header.previous
    return found


def _take_back(
    replica: Replica, member_log: LibraryMembership, applier: Applier, envelope: Envelope
) -> None:
    stored = replica.changes.envelope(envelope.hash)
    key = member_log.key(envelope.header.generation)
    assert stored is not None
    replica.voided.add(envelope.hash)
    replica.changes.drop_carrier(envelope.hash)
    device = envelope.header.device
    if not replica.changes.is_replaced_by(envelope.hash, device, own=False):
        replica.refused.add(content_hash(envelope.raw), envelope.raw, NOT_IN_CHAIN, device)
    replica.journal.index.remove(stored.number)
    if key is not None:
        applier.void(replica.formats.read_past(envelope, key).changes)

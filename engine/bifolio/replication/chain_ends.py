"""Where the chains of a device end here: the cut of a record that takes its right to write.

Everything counts that came from the device, also inside of a snapshot, and what was refused or
waits: a relay takes the record only if its own log of the device goes no further. What waits and is
not in the relay's log, as where a bundle brought it without what is before it, counts for nothing:
who lost the right brings the rest to nobody any more, and it would wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bifolio.crypto.envelope import Header, read_header
from bifolio.crypto.membership import ChainEnd, Cut
from bifolio.errors import EnvelopeError
from bifolio.replica.replica import Replica


def cut_of(replica: Replica, device: bytes) -> Cut:
    """The last envelope of each chain of a device (its signing key) that is here in any way, or
    that a snapshot brought."""
    ends: dict[bytes, ChainEnd] = {}
    for envelope_hash, header in _headers(replica, device):
        known = ends.get(header.chain)
        if known is None or header.seq > known.seq:
            ends[header.chain] = ChainEnd(header.seq, envelope_hash)
    for covered in replica.snapshots.chains():
        known = ends.get(covered.chain)
        if covered.device == device and (known is None or covered.seq > known.seq):
            ends[covered.chain] = ChainEnd(covered.seq, covered.hash)
    return ends


def _headers(replica: Replica, device: bytes) -> Iterator[tuple[bytes, Header]]:
    """Of each place an envelope of the device may be kept: the last ones of its chains there."""
    chains = {
        chain
        for chain, first in replica.changes.chain_beginnings()
        if any(header.device == device for _, header in _read([(b"", first)]))
    }
    # Of one that a snapshot brought the first envelopes are not here, and later ones may be.
    chains.update(one.chain for one in replica.snapshots.chains() if one.device == device)
    for chain in sorted(chains):
        yield from _last_of(replica, device, chain)
    kept = (
        *replica.pending.beginnings(device, in_log=bool(replica.meta.relay_url)),
        *replica.newer_envelopes.beginnings(),
        *replica.refused.beginnings(device),
    )
    yield from ((one, header) for one, header in _read(kept) if header.device == device)


def _last_of(replica: Replica, device: bytes, chain: bytes) -> Iterator[tuple[bytes, Header]]:
    """The last envelope of a device in a chain; another's chain may have the same id."""
    for envelope_hash, header in _read(replica.changes.backwards(chain)):
        if header.device == device:
            yield envelope_hash, header
            return


def _read(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, Header]]:
    for envelope_hash, beginning in rows:
        try:
            yield envelope_hash, read_header(beginning)
        except EnvelopeError:
            continue  # its header is damaged, and nobody could say whose it is

"""How far a replica has each chain, and which envelopes another one lacks by that.

A chain has no gap, so its last envelope says of all before it that they are there. Where a chain
is not the same on both sides, because its folder was copied, all of it counts as lacking: the same
envelope twice does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.bundles.file import Bundle
from bifolio.errors import EnvelopeError
from bifolio.replica.replica import Replica
from bifolio.storage.changes import EnvelopePlace
from bifolio.wire import bundle_parts
from bifolio.wire.bundle_parts import ChainHead


def heads_of(replica: Replica) -> list[ChainHead]:
    """Where the chains end that this replica has, the longest first."""
    ends = [*replica.changes.chain_ends()]
    ends += [(one.chain, one.seq, one.hash) for one in replica.snapshots.chains()]
    by_chain: dict[bytes, ChainHead] = {}
    for end in ends:
        head = ChainHead(*end)
        if head.chain not in by_chain or head.seq > by_chain[head.chain].seq:
            by_chain[head.chain] = head
    heads = list(by_chain.values())
    heads.sort(key=lambda one: (-one.seq, one.chain))
    return heads[: limits.BUNDLE_HEADS_MAX]


def lacks_only_what_is_here(replica: Replica, heads: Sequence[ChainHead]) -> bool:
    """Whether all that another replica lacks, that has these chains so far, is here as changes: a
    snapshot may have brought some without them."""
    if not replica.snapshots.has_any():
        return True
    through = {one.chain: one.seq for one in heads}
    return all(
        through.get(end.chain, 0) >= end.seq or replica.snapshots.has_changes_of(end)
        for end in replica.snapshots.chains()
    )


def heads_in(bundle: Bundle) -> list[ChainHead]:
    """How far the maker of a bundle that was checked had each chain.

    Raises:
        BundleError: that cannot be read, or is more than a bundle says.
    """
    heads: list[ChainHead] = []
    try:
        for name, content in bundle.parts():
            if name == bundle_parts.HAVE:
                heads += bundle_parts.read_heads(content)
                if len(heads) > limits.BUNDLE_HEADS_MAX:
                    raise EnvelopeError("it names more chains than a bundle may")
    except EnvelopeError as error:
        raise bundle.refuse(error) from error
    return heads


class Lacking:
    """Which envelopes of this replica another one lacks, that has these chains so far."""

    def __init__(self, replica: Replica, heads: Sequence[ChainHead]) -> None:
        forked = replica.changes.forked_chains()
        self._through = {
            one.chain: one.seq
            for one in heads
            if one.chain not in forked and _is_ours_too(replica, one)
        }

    def __call__(self, place: EnvelopePlace) -> bool:
        """Whether the other one lacks the envelope."""
        return place.seq > self._through.get(place.chain, 0)


def _is_ours_too(replica: Replica, head: ChainHead) -> bool:
    """Whether the other's chain is ours, as far as ours goes."""
    here = replica.changes.at_place(head.chain, head.seq)
    return head.hash in here if here else not replica.changes.is_own_chain(head.chain)

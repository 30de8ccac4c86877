"""A snapshot of this replica, sealed into chunks (DESIGN §6).

One transaction reads all of one moment and keeps the chunks, so that what is written while they
are sent is no part of it. Refused while anything waits: pycrdt's state would leave it out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from bifolio.crypto.envelope import parse_envelope, read_header
from bifolio.crypto.membership import Membership
from bifolio.crypto.snapshot import (
    NONCE_BYTES,
    CoveredChain,
    Snapshot,
    SnapshotHeader,
    SnapshotKey,
    parse_snapshot,
    root_of,
)
from bifolio.document.record import flatten
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.ids import content_hash
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.judging import NO_RIGHT
from bifolio.storage.snapshots import ChainEnd, Declared
from bifolio.wire.snapshot_parts import (
    Part,
    Replaced,
    cut_authors,
    cut_hashes,
    cut_records,
    cut_replaced,
)


def has_all(replica: Replica, member_log: LibraryMembership) -> bool:
    """Whether nothing of the log waits here, so that the states are all that its envelopes give.
    What waits and is in no log is in no snapshot either, and goes on waiting."""
    return has_all_merged(replica, member_log) and not replica.changes.has_unsealed()


def has_all_merged(replica: Replica, member_log: LibraryMembership) -> bool:
    """The same of what came from others: own changes may wait to be sealed."""
    membership = member_log.membership()
    return not (
        membership is None
        or membership.needs_newer
        or replica.pending.has_of_log()
        or replica.newer_envelopes.waiting()
        or replica.meta.not_kept
        or replica.meta.snapshot_loading
        or replica.quarantined.has_any_incomplete()
        or replica.refused.has_fatal()
        or replica.join_offers.first(1)
    )


def make(replica: Replica, member_log: LibraryMembership) -> Snapshot | None:
    """Make a snapshot and keep its chunks; None where this replica cannot make one now.

    Its transaction is its own. What was made before and not sent yet goes.
    """
    with replica.database.transaction():
        membership, cursor = member_log.membership(), replica.meta.cursor
        keys = replica.keys
        if membership is None or cursor is None or not has_all(replica, member_log):
            return None
        if not membership.may_write(keys.sign_public) or not note_declared(replica, member_log):
            return None
        generation, content_key = member_log.newest_key()
        nonce = replica.runtime.random_bytes(NONCE_BYTES)
        key = SnapshotKey.of(
            library=replica.library_id,
            device=keys.sign_public,
            generation=generation,
            nonce=nonce,
            content_key=content_key,
        )
        kept = replica.meta.snapshot_kept
        replica.snapshots.remove_chunks(but=[parse_snapshot(kept).id] if kept else ())
        hashes, size_bytes = [], 0
        for number, part in enumerate(_parts(replica, membership)):
            sealed = key.seal(number, part.serialize(), replica.runtime.random_bytes)
            replica.snapshots.add_chunk(nonce, number, sealed)
            hashes.append(content_hash(sealed))
            size_bytes += len(sealed)
        header = SnapshotHeader(
            library=replica.library_id,
            device=keys.sign_public,
            generation=generation,
            epoch=cursor.epoch,
            n=cursor.position,
            chain_hash=cursor.chain_hash,
            membership_head=membership.head,
            made_ms=replica.runtime.now_ms(),
            chunks=len(hashes),
            size_bytes=size_bytes,
            root=root_of(hashes),
            nonce=nonce,
            chains=find_chains(replica, replica.snapshot_source.chain_end_beginnings()),
        )
        try:
            snapshot = parse_snapshot(header.sign(keys))
        except EnvelopeError:  # more chains or chunks than a snapshot may have
            replica.snapshots.remove_chunks(but=[parse_snapshot(kept).id] if kept else ())
            return None
        replica.snapshots.rename_chunks(nonce, to=snapshot.id)
        replica.meta.snapshot_made = snapshot.raw
        return snapshot


def note_declared(replica: Replica, member_log: LibraryMembership) -> bool:
    """Note which incarnations the envelopes declare that came since the last time; inside a
    transaction. False where one cannot be opened here."""
    through = replica.meta.declared_through
    found: list[Declared] = []
    for stored in replica.snapshot_source.sealed_after(through):
        envelope = parse_envelope(stored.envelope)
        key = member_log.key(envelope.header.generation)
        if key is None:
            return False
        try:
            body = replica.formats.read_past(envelope, key)
        except (EnvelopeError, NewerFormatError):
            return False
        found += [Declared(envelope.header.device, *one) for one in body.incarnations]
        through = stored.number
    replica.snapshots.add_declared(found)
    if through != replica.meta.declared_through:
        replica.meta.declared_through = through
    return True


def _parts(replica: Replica, membership: Membership) -> Iterator[Part]:
    """All that a newcomer needs; who wrote before what was written."""
    yield from cut_authors(replica.snapshots.declared())
    covered = dict.fromkeys((*replica.snapshots.covered(), *replica.changes.hashes()))
    # An earlier version forgot the end of a chain that was sealed again.
    covered.update((end.hash, None) for end in replica.snapshots.chains())
    voided = replica.voided.all_hashes()
    covered = {one: None for one in covered if one not in voided}
    for batch in cut_hashes(list(covered)):
        yield Part(covered=batch)
    # What builds on one that does not count must not wait for it.
    # Who had no right by a list of members that lost seals again what it wrote.
    refused = {
        one
        for one in replica.refused.hashes(NO_RIGHT)
        if membership.is_cut(read_header(replica.refused.kept(one, NO_RIGHT) or b"").device)
    }
    passed = (voided | refused) - covered.keys()
    for batch in cut_hashes(sorted(passed)):
        yield Part(passed=batch)
    frontier = [one for one in replica.meta.frontier if one not in voided]
    for batch in cut_hashes(frontier):
        yield Part(frontier=batch)
    yield from cut_replaced(find_replaced(replica, set(covered)))
    yield from cut_records(_states(replica))


def find_replaced(replica: Replica, covered: Collection[bytes]) -> list[Replaced]:
    """Which covered envelopes carry the changes of others, each with its author, who says so."""
    found = []
    for envelope_hash, by, device in replica.snapshot_source.replaced():
        if by not in covered:
            continue  # it was sealed again itself
        beginning = replica.changes.beginning(by)
        author = read_header(beginning).device if beginning is not None else device
        found.append(Replaced(envelope_hash, by, author or replica.keys.sign_public))
    return found


def _states(replica: Replica) -> Iterator[tuple[str, bytes]]:
    for record_id in replica.records.all_ids():
        state = replica.records.state(record_id)
        if state is not None:
            yield record_id, flatten(state)


def find_chains(
    replica: Replica,
    beginnings: Iterable[tuple[bytes, bytes]],
    *,
    before: Iterable[ChainEnd] | None = None,
) -> tuple[CoveredChain, ...]:
    """Where each chain ends: by these envelopes, or by an earlier snapshot where that is further.

    Of two envelopes at one place, which only their author can make, it is the one with the lower
    hash; one that does not count because its author was removed is passed over.

    Args:
        replica: whose earlier snapshots count.
        beginnings: the hash and the first bytes of envelopes.
        before: where earlier snapshots end each chain, if not all of these count.
    """
    if before is None:
        before = replica.snapshots.chains()
    ends = {(one.device, one.chain): one for one in before}
    for envelope_hash, beginning in beginnings:
        header = read_header(beginning)
        place = (header.device, header.chain)
        known = ends.get(place)
        is_further = known is None or (header.seq, known.hash) > (known.seq, envelope_hash)
        if is_further and not replica.voided.has(envelope_hash):
            ends[place] = ChainEnd(header.device, header.chain, header.seq, envelope_hash)
    return tuple(CoveredChain(*ends[place]) for place in sorted(ends))

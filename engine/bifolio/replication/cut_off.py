"""What a member merged of another one before it heard of that one's removal, behind its end.

A removal names where the chains of its device end, and who hears of it first refuses what lies
behind. Who merged such an envelope before takes it back, so that all hold the same, whatever came
first. What this computer wrote on top counts: its envelopes build on what counts alone
(``Outbox.build_on_what_counts``), and where its edit of a record cannot be read without what went,
the record as it was here is written again as this computer's own: who edits a record has seen it.

What this computer itself had sent and the end of its own chain leaves out, as where a relay lost it
before its user was removed, counts nowhere: it is not sent, is listed as a draft, and with the
right to write is sealed again.

What this computer sealed itself under keys that it had before, and which lies behind their end, as
in a backup of before, is nobody else's to bring: with the right to write it is written again too,
and without it stays here as a draft.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bifolio import limits
from bifolio.crypto.envelope import Envelope, parse_envelope, read_header
from bifolio.crypto.membership import Membership, Permission
from bifolio.document.record import flatten
from bifolio.ids import SETTINGS_ID
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.applying import Applier
from bifolio.replication.drafts import Draft, DraftRecord, accept_inside
from bifolio.replication.judging import NO_RIGHT
from bifolio.replication.outbox import Outbox
from bifolio.storage.changes import StoredEnvelope
from bifolio.storage.quarantined_updates import INCOMPLETE


@dataclass(slots=True)
class CutOff:
    """What was taken back, the records that it was about as they were before, and which of these
    this computer had written itself."""

    envelopes: list[Envelope] = field(default_factory=list)
    before: dict[str, bytes] = field(default_factory=dict)
    written_here: set[str] = field(default_factory=set)


def void(replica: Replica, member_log: LibraryMembership, applier: Applier) -> CutOff:
    """Take back what lies behind the end of who lost the right to write; inside a transaction.

    Args:
        replica: where it is.
        member_log: the replica's.
        applier: makes the records again that are concerned, when it settles.
    """
    taken = CutOff()
    membership = member_log.membership()
    if membership is None or membership.needs_newer:
        return taken
    replica.meta.cut_off_at = membership.head
    # The relay's snapshots may have lost who vouches for them: who holds the changes looks now.
    replica.meta.forget("snapshots_looked_ms")
    _forget_places(replica, membership)
    for chain in _chains(replica, membership):
        taken.envelopes += _behind_end(replica, membership, chain)
    if not taken.envelopes:
        Outbox(replica, member_log).build_on_what_counts()
        return taken
    applier.save()
    own_keys = _own_keys(replica, membership)
    for envelope in taken.envelopes:
        stored = replica.changes.envelope(envelope.hash)
        key = member_log.key(envelope.header.generation)
        assert stored is not None
        is_ours = stored.own and envelope.header.device in own_keys and key is not None
        replica.voided.add(envelope.hash)
        replica.changes.drop_carrier(envelope.hash)
        if not is_ours:
            replica.refused.add(envelope.hash, envelope.raw, NO_RIGHT, envelope.header.device)
        replica.journal.index.remove(stored.number)
        if key is None:
            continue
        changes = replica.formats.read_past(envelope, key).changes
        for record_id in dict.fromkeys(one for change in changes for one, _ in change.records):
            state = replica.records.state(record_id)
            if state is not None and record_id != SETTINGS_ID:
                taken.before[record_id] = flatten(state)
                if is_ours:
                    taken.written_here.add(record_id)
        applier.void(changes)
    # What of these cannot be merged any more keeps its place: nothing else is written there.
    unsealed = replica.changes.unsealed(bytes_max=limits.DRAFT_BYTES_MAX, tag=replica.keys.tag)
    replica.end_incarnations(unsealed)
    Outbox(replica, member_log).build_on_what_counts()
    return taken


def count_again(replica: Replica, member_log: LibraryMembership) -> list[StoredEnvelope]:
    """Let go of what was taken back and is permitted now, as where the removal lost against another
    list of members and does not hold; inside a transaction.

    Returns:
        the envelopes, to be received like any other, in the order in which they were merged.
    """
    membership = member_log.membership()
    found: list[StoredEnvelope] = []
    for one in replica.voided.hashes() if membership is not None else ():
        stored = replica.changes.envelope(one)
        if stored is None or replica.refused.kept(one, NO_RIGHT) is None:
            continue  # what was taken back for another reason stays so
        assert membership is not None
        if membership.permits(parse_envelope(stored.envelope)) is not Permission.PERMITTED:
            continue
        replica.voided.remove(one)
        replica.refused.forget(one)
        replica.changes.remove_envelope(one)
        found.append(stored)
    return found


def write_again(replica: Replica, taken: CutOff) -> None:
    """Write again what this computer wrote on top and what cannot be read without what went, and
    what it wrote under earlier keys; when the records are made again, inside a transaction."""
    own = replica.keys.sign_public
    records = [
        DraftRecord(record_id, (), state)
        for record_id, state in taken.before.items()
        if record_id in taken.written_here
        or any(
            one.kind == INCOMPLETE and one.device in (own, None)
            for one in replica.quarantined.of_record(record_id)
        )
    ]
    if records:
        with replica.journal.unasked():
            accept_inside(replica, Draft(own, tuple(records)), conflicts=True)


def _forget_places(replica: Replica, membership: Membership) -> None:
    """What this computer sent and lies behind its end is not with the relay: no log counts it."""
    own_keys = [one for one in _own_keys(replica, membership) if membership.is_cut(one)]
    for chain, _, end in replica.changes.chain_ends() if own_keys else ():
        beginning = replica.changes.beginning(end)
        if beginning is None or read_header(beginning).device not in own_keys:
            continue
        for envelope, _ in _forbidden(replica, membership, chain):
            if not replica.snapshots.is_asserted(envelope.hash):
                replica.changes.set_position(envelope.hash, None)


def _chains(replica: Replica, membership: Membership) -> list[bytes]:
    """The chains of others who ever lost the right to write."""
    found: list[bytes] = []
    for chain, _, end in replica.changes.chain_ends():
        beginning = replica.changes.beginning(end)
        device = read_header(beginning).device if beginning else replica.keys.sign_public
        if device != replica.keys.sign_public and membership.is_cut(device):
            found.append(chain)
    return found


def _own_keys(replica: Replica, membership: Membership) -> frozenset[bytes]:
    """This device's signing key and those that it had before."""
    return frozenset(membership.lineage(replica.keys.sign_public))


def _behind_end(replica: Replica, membership: Membership, chain: bytes) -> Sequence[Envelope]:
    """The envelopes of a chain that count until now and lie behind its end, the last one first."""
    found: list[Envelope] = []
    own = replica.keys.sign_public
    drafted = frozenset() if membership.may_write(own) else _own_keys(replica, membership)
    for envelope, is_own in _forbidden(replica, membership, chain):
        is_draft = is_own and envelope.header.device in drafted
        is_asserted = replica.snapshots.is_asserted(envelope.hash)
        if not (is_draft or is_asserted or replica.voided.has(envelope.hash)):
            found.append(envelope)
    return found


def _forbidden(
    replica: Replica, membership: Membership, chain: bytes
) -> Iterator[tuple[Envelope, bool]]:
    """The envelopes of a chain that its author had no right to, the last one first, and whether
    each is this computer's. Where a folder was copied, two lie at one place, and one of them may
    count: what lies below that one counts."""
    counts: int | None = None
    for envelope_hash, _ in replica.changes.backwards(chain):
        stored = replica.changes.envelope(envelope_hash)
        assert stored is not None
        envelope = parse_envelope(stored.envelope)
        if counts is not None and envelope.header.seq < counts:
            return
        if membership.permits(envelope) is Permission.FORBIDDEN:
            yield envelope, stored.own
        elif counts is None:
            counts = envelope.header.seq

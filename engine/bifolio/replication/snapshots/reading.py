"""A snapshot's chunks opened, and its parts in order; each chunk is opened when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bifolio.crypto.membership import Membership
from bifolio.crypto.membership.forks import carried_records
from bifolio.crypto.membership.records import parse_record
from bifolio.crypto.snapshot import Snapshot, SnapshotKey, root_of
from bifolio.errors import EnvelopeError
from bifolio.ids import content_hash, incarnation_client_id, slot_tag
from bifolio.ids import device_tag as tag_of
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.storage.snapshots import Declared
from bifolio.wire.snapshot_parts import Part, Replaced, join_records


@dataclass(slots=True)
class SnapshotFacts:
    """What a snapshot says besides the states of the records.

    ``covered`` are the envelopes whose changes are in it, ``passed`` those that its maker had and
    that do not count; ``slots`` are those of all incarnations, by their client ids.
    """

    covered: set[bytes] = field(default_factory=set)
    passed: set[bytes] = field(default_factory=set)
    frontier: set[bytes] = field(default_factory=set)
    declared: list[Declared] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    slots: dict[int, str] = field(default_factory=dict)


class SnapshotReader:
    """Reads one snapshot whose chunks are all here."""

    def __init__(self, replica: Replica, member_log: LibraryMembership, snapshot: Snapshot) -> None:
        """Check the chunks, and that this device has the key.

        Raises:
            EnvelopeError: they are not those that the maker signed, or the key is not here.
        """
        header = snapshot.header
        key = member_log.key(header.generation)
        if key is None:
            raise EnvelopeError("the key of the snapshot is not here")
        self.snapshot = snapshot
        self._replica = replica
        self._member_log = member_log
        self._key = SnapshotKey.for_header(header, key)
        hashes = [content_hash(one) for one in replica.snapshots.chunks(snapshot.id)]
        if len(hashes) != header.chunks or root_of(hashes) != header.root:
            raise EnvelopeError("the chunks of the snapshot are not those that were signed")

    def parts(self) -> Iterator[Part]:
        """Its parts, one after the other.

        Raises:
            EnvelopeError: one cannot be read.
            NewerFormatError: only a newer program can read it.
        """
        for number in range(self.snapshot.header.chunks):
            sealed = self._replica.snapshots.chunk(self.snapshot.id, number)
            if sealed is None:
                raise EnvelopeError("a chunk of the snapshot is gone")
            yield Part.parse(self._key.open(number, sealed))

    def facts(self) -> SnapshotFacts:
        """All but the states.

        Raises:
            EnvelopeError: a part cannot be read, or a name in it is not its device's.
        """
        facts = SnapshotFacts()
        membership = self._member_log.membership()
        assert membership is not None
        for part in self.parts():
            facts.covered.update(part.covered)
            facts.passed.update(part.passed)
            facts.frontier.update(part.frontier)
            facts.replaced.extend(part.replaced)
            for author in part.authors:
                if not (membership.has_met(author.device) or _is_named(membership, author.device)):
                    raise EnvelopeError("the snapshot names a computer that was never a member")
                tag = tag_of(author.device)
                for slot, nonce in author.incarnations:
                    if slot_tag(slot) != tag:
                        raise EnvelopeError("the snapshot gives a computer another one's name")
                    client = incarnation_client_id(author.device, slot, nonce)
                    facts.slots[client] = slot
                    facts.declared.append(Declared(author.device, slot, nonce))
        # Of what is not in it nobody can see who says so; an earlier version left its own name out.
        maker = self.snapshot.header.device
        facts.replaced = [
            one if one.device else one._replace(device=maker)
            for one in facts.replaced
            if one.by in facts.covered
        ]
        facts.passed -= facts.covered
        if not facts.frontier <= facts.covered:
            raise EnvelopeError("the snapshot's frontier is not in it")
        if any(one.hash not in facts.covered for one in self.snapshot.header.chains):
            raise EnvelopeError("a chain ends in the snapshot with what is not in it")
        return facts

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Each record's id and state.

        Raises:
            EnvelopeError: a part cannot be read, or a record comes twice.
        """
        return join_records(self.parts())


def _is_named(membership: Membership, device: bytes) -> bool:
    """Whether a device came in by a list of members that lost, and has no effect where that is
    carried: what it wrote until then may be in a snapshot of who followed that list."""
    for raw in membership.records:
        record = parse_record(raw)
        if any(one.fields.get("device") == device for one in carried_records(record)):
            return True
    return False

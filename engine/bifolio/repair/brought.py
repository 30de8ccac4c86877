"""What snapshots brought, mended from the one that is kept: the last one that was loaded here.

Its chunks have their hashes in a header that its maker signed. It tells which envelopes are merged
without being here, and what each record held that came with it.
"""

from __future__ import annotations

from collections.abc import Collection

from bifolio.crypto.snapshot import Snapshot, parse_snapshot, root_of
from bifolio.errors import BifolioError
from bifolio.ids import content_hash
from bifolio.repair.damage import Damages, Source
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import refilling
from bifolio.replication.snapshots.reading import SnapshotReader
from bifolio.storage.records import check_of

#: So many bytes of a damaged hash may differ.
_CHANGED_MAX = 8


class Brought:
    """The tables that snapshots fill of one replica. Inside the caller's transaction."""

    def __init__(self, replica: Replica, damages: Damages, *, has_keys: bool) -> None:
        self._replica = replica
        self._damages = damages
        self._has_keys = has_keys
        self._reader: SnapshotReader | None = None

    def mend(self, *, is_short: bool) -> None:
        """Mend what can be mended without the records.

        Args:
            is_short: rows that say where histories begin could not be read at all.
        """
        meta = self._replica.meta
        kept = self._check_chunks(meta.snapshot_kept)
        if meta.snapshot_kept and kept is None:
            meta.snapshot_kept, meta.snapshot_kept_verdicts = b"", ()
        if meta.snapshot_made and self._check_chunks(meta.snapshot_made) is None:
            meta.snapshot_made = b""
        if kept is not None and self._has_keys and not meta.snapshot_loading:
            self._read_kept(kept)
        self._mend_bases(is_short=is_short)

    def brought(self) -> set[str]:
        """The records that a snapshot brought."""
        return {one.record for one in self._replica.snapshots.stored_bases()}

    def find_bases(self, record_ids: Collection[str]) -> None:
        """Take from the kept snapshot what these records held in it, where nothing else has it:
        until its first change a record's base is the record, and that is damaged."""
        snapshots = self._replica.snapshots
        wanted = {
            one
            for one in record_ids
            if snapshots.is_brought(one) and snapshots.own_base(one) is None
        }
        for record_id, state in self._states(wanted).items():
            base = refilling.read_state(record_id, state)
            if base is not None:
                snapshots.write_base(record_id, state, check_of(base))

    # --- small steps ----------------------------------------------------------------------

    def _check_chunks(self, raw: bytes) -> Snapshot | None:
        """The snapshot of a header, if its chunks are those that its maker signed."""
        if not raw:
            return None
        snapshots = self._replica.snapshots
        try:
            snapshot = parse_snapshot(raw)
        except BifolioError:
            self._damages.add("meta", Source.NOTHING)
            return None
        hashes = [content_hash(one) for one in snapshots.chunks(snapshot.id)]
        if root_of(hashes) == snapshot.header.root:
            return snapshot
        self._damages.add("snapshot_chunks", Source.NOTHING)
        snapshots.drop_chunks(snapshot.id)
        return None

    def _read_kept(self, kept: Snapshot) -> None:
        replica = self._replica
        try:
            reader = SnapshotReader(replica, LibraryMembership(replica), kept)
            facts = reader.facts()
        except BifolioError:
            return
        self._reader = reader
        gone = [one for one in facts.covered if not replica.changes.is_merged(one)]
        if gone:
            for one in set(replica.snapshots.covered()) - facts.covered:
                if any(_is_nearly(one, right) for right in gone):
                    replica.snapshots.remove_covered(one)
            replica.snapshots.add_covered(gone)
            self._damages.add("covered", Source.CONTENT, len(gone))

    def _mend_bases(self, *, is_short: bool) -> None:
        snapshots = self._replica.snapshots
        bases = snapshots.stored_bases()
        damaged = []
        for one in bases:
            if one.state is None:
                continue
            base = refilling.read_state(one.record, one.state)
            if base is None or one.check not in (None, check_of(base)):
                damaged.append(one.record)
        here = {one.record for one in bases}
        states = self._states(damaged)
        for record_id in damaged:
            base = None
            if record_id in states:
                base = refilling.read_state(record_id, states[record_id])
            if base is not None:
                snapshots.write_base(record_id, base.state, check_of(base))
            else:
                snapshots.begin_records([record_id])  # what it held then is known no more
            source = Source.LOST if base is None else Source.CONTENT
            self._damages.add("snapshot_bases", source)
        if is_short:
            for record_id, state in self._states(None).items():
                base = None if record_id in here else refilling.read_state(record_id, state)
                if base is not None:
                    snapshots.write_base(record_id, state, check_of(base))

    def _states(self, wanted: Collection[str] | None) -> dict[str, bytes]:
        """What the kept snapshot says of some records; of all for None."""
        if self._reader is None or (wanted is not None and not wanted):
            return {}
        try:
            records = list(self._reader.records())
        except BifolioError:
            return {}
        return {one: state for one, state in records if wanted is None or one in wanted}


def _is_nearly(damaged: bytes, right: bytes) -> bool:
    """Whether a hash is another one with a few bytes changed; no two envelopes have such hashes."""
    if len(damaged) != len(right):
        return False
    return sum(one != other for one, other in zip(damaged, right, strict=True)) <= _CHANGED_MAX

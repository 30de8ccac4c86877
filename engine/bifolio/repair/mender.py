"""The tables of a fresh file: what is damaged in them, and from what it is mended.

In an order in which each builds on what was mended before it: members and keys, changes, the index
of changes, records, the replica's own facts, what lists read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from bifolio.crypto.envelope import Envelope, parse_envelope, verify_signature
from bifolio.crypto.membership import Membership, library_id_of
from bifolio.document import canonical, view
from bifolio.document.record import RecordDocument
from bifolio.errors import (
    BifolioError,
    DamagedLibraryError,
    DocumentError,
    EnvelopeError,
    MembershipError,
)
from bifolio.history.replay import Replay, rebuild_index
from bifolio.ids import content_hash
from bifolio.repair.brought import Brought
from bifolio.repair.damage import Damages, Source
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import refilling
from bifolio.storage.content_keys import ContentKeys
from bifolio.storage.hot_states import read_head
from bifolio.storage.integrity import ChangeRow, CheckedRecord, Integrity
from bifolio.storage.lost_changes import LostChanges
from bifolio.storage.quarantined_updates import REFUSED
from bifolio.storage.records import StoredRecord, check_of
from bifolio.storage.salvaging import DERIVED_TABLES
from bifolio.wire.changes import Body, Change
from bifolio.wire.log_chain import log_next, log_start

#: What Python raises for rows that hold something else than their columns say.
FAULTS = (BifolioError, ArithmeticError, LookupError, TypeError, ValueError)


class Mender:
    """Checks one replica's file, and mends it on the way. Nobody else may use it."""

    def __init__(self, replica: Replica, *, has_keys: bool) -> None:
        self._replica = replica
        self._rows = Integrity(replica.database)
        self._has_keys = has_keys
        self._missing: set[int] = set()
        self._unsent: dict[int, list[str]] = {}
        self.damages = Damages()
        self._brought = Brought(replica, self.damages, has_keys=has_keys)

    def mend(self, lost: Sequence[str] = ()) -> Damages:
        """Check everything, and mend what is damaged.

        Args:
            lost: tables of which something could not be read at all.
        """
        with self._replica.database.transaction():
            before = self._derived()
            self._mend_members()
            self._mend_keys()
            self._mend_changes(is_short="changes" in lost)
            self._mend_index()
            self._mend_waiting()
            self._mend_log_hashes()
            self._brought.mend(is_short="snapshot_bases" in lost)
            self._mend_records()
            self._mend_facts(lost)
            self._mend_derived(before)
        return self.damages

    # --- members and keys -----------------------------------------------------------------

    def _mend_members(self) -> None:
        rows = self._rows.members()
        good = self._good_members(rows)
        wrong_hashes = 0
        for number, stored_hash, record in rows[: len(good)]:
            if content_hash(record) != stored_hash:
                self._rows.set_member_hash(number, content_hash(record))
                wrong_hashes += 1
        self.damages.add("members", Source.CONTENT, wrong_hashes)
        meta = self._replica.meta
        if good and not self._is_genesis(good[0]):
            good = []
        if len(good) < len(rows) or not rows:
            source = Source.RELAY if meta.relay_url else Source.LOST
            self.damages.add("members", source, max(1, len(rows) - len(good)))
            self._rows.keep_members(len(good))
        elif meta.library_id != library_id_of(good[0]):
            meta.library_id = library_id_of(good[0])
            self.damages.add("meta", Source.MEMBERS)

    def _good_members(self, rows: Sequence[tuple[int, bytes, bytes]]) -> list[bytes]:
        """The records from the first on that are whole and follow each other."""
        records = [record for _, _, record in rows]
        numbers = [number for number, _, _ in rows]
        in_order = numbers == list(range(numbers[0], numbers[0] + len(rows))) if rows else False
        if in_order and self._is_membership(records):
            return records
        good: list[bytes] = []
        for place, record in enumerate(records):
            follows = numbers[place] == numbers[0] + place
            if not follows or not self._is_membership([*good, record]):
                break
            good.append(record)
        return good

    def _is_membership(self, records: Sequence[bytes]) -> bool:
        try:
            Membership.from_records(records, kinds=self._replica.formats.record_kinds)
        except FAULTS:
            return False
        return True

    def _is_genesis(self, record: bytes) -> bool:
        try:
            library_id_of(record)
        except FAULTS:
            return False
        return True

    def _mend_keys(self) -> None:
        """A content key that this device cannot open any more comes from the membership log."""
        if not self._has_keys:
            return
        keys = ContentKeys(self._replica.database)
        member_log = LibraryMembership(self._replica)
        try:
            membership = member_log.membership()
        except MembershipError:
            return
        every = {*membership.generations, *membership.lost_generations} if membership else ()
        for generation in every:
            sealed = keys.read(generation)
            if sealed is None:
                continue
            try:
                self._replica.keys.unseal(sealed)
            except EnvelopeError:
                # Sealed to another device where the folder was copied: that is no damage.
                if member_log.role() is None:
                    continue
                keys.remove(generation)
                member_log.read_again_inside()
                source = Source.MEMBERS if keys.read(generation) is not None else Source.LOST
                self.damages.add("content_keys", source)

    # --- changes --------------------------------------------------------------------------

    def _mend_changes(self, *, is_short: bool) -> None:
        ids = self._replica.journal.index.ids_by_row()
        for row in self._rows.changes():
            if row.hash is None and row.chain is None:
                self._check_unsealed(row, ids.get(row.number))
            else:
                self._check_sealed(row)
        self._give_up_followers()
        if is_short:
            self.damages.add("changes", self._relay_or_lost())
            refilling.begin(self._replica, from_start=True)

    def _check_unsealed(self, row: ChangeRow, change_id: bytes | None) -> None:
        try:
            change = Change.parse(row.body)
            # Where index and change differ, the command that made it has its id too.
            is_whole = change_id in (None, change.id) or (
                self._replica.journal.operations.of_change(change.id) is not None
            )
        except EnvelopeError:
            is_whole = False
        if is_whole:
            return
        self._unsent[row.number] = self._rows.touched_by(row.number)
        self._rows.remove_change(row.number)
        self.damages.add("changes", Source.RECORDS)

    def _give_up_followers(self) -> None:
        """What was not sent either and builds on a damaged unsent change is offered with it."""
        given_up = {one for ids in self._unsent.values() for one in ids}
        if not given_up:
            return
        first = min(self._unsent)
        for row in list(self._rows.changes()):
            if row.hash is None and row.number > first and row.number not in self._unsent:
                touched = self._rows.touched_by(row.number)
                if given_up & set(touched):
                    given_up |= set(touched)
                    self._unsent[row.number] = touched
                    self._rows.remove_change(row.number)

    def _check_sealed(self, row: ChangeRow) -> None:
        envelope = parse_whole(row.body, row.hash)
        if envelope is None:
            if row.hash is None or not row.body:
                if not row.body:
                    self._missing.add(row.number)
                return
            self._missing.add(row.number)
            self._rows.write_change(replace(row, body=b""))
            self.damages.add("changes", self._relay_or_lost())
            refilling.begin(self._replica, before=row.position)
            return
        header = envelope.header
        body = self._open(envelope)
        right = replace(row, hash=envelope.hash, chain=header.chain, seq=header.seq)
        if body is not None:
            frontier = Integrity.pack_frontier(body.frontier)
            right = replace(right, count=len(body.changes), frontier=frontier)
        if self._has_keys and row.own and header.device != self._replica.keys.sign_public:
            right = replace(right, own=int(row.own != 0 and row.own == 1))
        if right != row:
            self._rows.write_change(right)
            self.damages.add("changes", Source.ENVELOPES)

    def _open(self, envelope: Envelope) -> Body | None:
        if not self._has_keys:
            return None
        try:
            key = LibraryMembership(self._replica).key(envelope.header.generation)
            return self._replica.formats.read_past(envelope, key) if key else None
        except BifolioError:
            return None

    def _relay_or_lost(self) -> Source:
        return Source.RELAY if self._replica.meta.relay_url else Source.LOST

    # --- the index of changes -----------------------------------------------------------------

    def _mend_index(self) -> None:
        """Which change touched which record, as the changes themselves say."""
        if not self._has_keys or self._replica.meta.history_unread:
            return
        past = Replay(self._replica)
        rows = self._replica.changes.numbers()
        if not all(past.can_open(number) for number in rows):
            return
        known = self._rows.history()
        wrong = 0
        for number in rows:
            if number in self._missing:
                known.pop(number, None)
                continue
            said = known.pop(number, [])
            tag = past.author(number)
            expected = [
                (
                    place,
                    change.id,
                    change.stamp,
                    tag,
                    len({one for one, _ in change.records}),
                    frozenset(bytes.fromhex(one) for one, _ in change.records),
                )
                for place, change in enumerate(past.changes_in(number) or ())
            ]
            wrong += sorted(said, key=repr) != sorted(expected, key=repr)
        wrong += len(known.keys() - self._unsent.keys())
        if wrong:
            self.damages.add("history", Source.CHANGES, wrong)
            if not self._missing:
                rebuild_index(self._replica)

    # --- what waits, and the relay's chain ------------------------------------------------------

    def _mend_waiting(self) -> None:
        for table, number, stored_hash, envelope in list(self._rows.waiting_envelopes()):
            if content_hash(envelope) != stored_hash:
                self._rows.remove_waiting(table, number)
                self.damages.add(table, Source.RELAY)
                refilling.begin(self._replica, from_start=True)
        for number, record_id, contents, envelope_hash in self._rows.quarantined():
            updates = self._updates_of(envelope_hash, record_id)
            if updates is not None and contents not in updates:
                self._rows.remove_quarantined(number)
                if updates:
                    self._replica.quarantined.add(
                        record_id,
                        updates[0],
                        "it was set aside before",
                        device=None,
                        envelope=envelope_hash,
                        kind=REFUSED,
                    )
                self.damages.add("quarantined_updates", Source.ENVELOPES)

    def _updates_of(self, envelope_hash: bytes | None, record_id: str) -> list[bytes] | None:
        stored = self._replica.changes.envelope(envelope_hash) if envelope_hash else None
        envelope = parse_whole(stored.envelope, stored.hash) if stored else None
        body = self._open(envelope) if envelope else None
        if body is None:
            return None
        return [
            update for change in body.changes for one, update in change.records if one == record_id
        ]

    def _mend_log_hashes(self) -> None:
        """Each hash of the relay's chain follows from the one before it and the envelope there."""
        self.damages.add("log_hashes", Source.NOTHING, self._rows.remove_stray_log_hashes())
        cursor = self._replica.meta.cursor
        if cursor is None:
            return
        at = LostChanges(self._replica.database).hashes_by_position()
        rows = [row for row in self._rows.log_hashes() if row[1] == cursor.epoch]
        hashes = {position: chain_hash for _, _, position, chain_hash in rows}
        whole = self._log_hashes_from_start(cursor.epoch, at)
        of_whole = frozenset(whole.values())
        for epoch, _, position, chain_hash in rows:
            if position in whole:
                if whole[position] != chain_hash:
                    hashes[position] = whole[position]
                    self._rows.set_log_hash(epoch, position, whole[position])
                    self.damages.add("log_hashes", Source.ENVELOPES)
                continue
            if chain_hash in of_whole:  # a hash of another position
                self._rows.remove_log_hash(epoch, position)
                self.damages.add("log_hashes", Source.NOTHING)
                continue
            before, after = hashes.get(position - 1), hashes.get(position + 1)
            own, following = at.get(position), at.get(position + 1)
            if before is None or own is None or log_next(before, own) == chain_hash:
                continue
            if following is not None and after == log_next(chain_hash, following):
                continue  # the one before it is the damaged one, or was thinned
            right = log_next(before, own)
            hashes[position] = right
            self._rows.set_log_hash(epoch, position, right)
            self.damages.add("log_hashes", Source.ENVELOPES)

    def _log_hashes_from_start(self, epoch: bytes, at: Mapping[int, bytes]) -> dict[int, bytes]:
        """The relay's chain of hashes as far as every envelope of its log is here."""
        chain_hash, position = log_start(self._replica.library_id, epoch), 0
        found = {position: chain_hash}
        while (own := at.get(position + 1)) is not None:
            position += 1
            chain_hash = found[position] = log_next(chain_hash, own)
        return found

    # --- records --------------------------------------------------------------------------

    def _mend_records(self) -> None:
        there, damaged = set(), []
        for one in list(map(_judge, self._rows.records())):
            record_id, is_whole = one
            if not is_id(record_id):  # its changes make it again under its own
                self._rows.remove_record(record_id)
                self.damages.add("records", Source.CHANGES)
                continue
            there.add(record_id)
            if not is_whole:
                damaged.append(record_id)
        aside = {record_id for _, record_id, _, _ in self._rows.quarantined()}
        brought = self._brought.brought()
        absent = self._rows.touched() - there - aside
        damaged += sorted(brought - there - aside)
        absent -= brought
        self._brought.find_bases(damaged)
        waits = refilling.is_due(self._replica)
        for record_id in [*damaged, *sorted(absent)]:
            if self._rebuild(record_id):
                self.damages.add("records", Source.CHANGES)
            elif record_id in absent:
                continue  # its changes made no record here: they were refused, or wait
            elif record_id in brought and self._replica.meta.relay_url:
                refilling.begin(self._replica, from_start=True)
                self.damages.add("records", Source.RELAY)
            elif waits:
                self.damages.add("records", Source.RELAY)
            else:
                self.damages.add("records", Source.LOST)
        self.damages.add("record_bases", Source.NOTHING, self._rows.remove_stray_bases())
        if refilling.is_due(self._replica):
            refilling.note_records(self._replica, damaged)
        if self._unsent:
            refilling.write_again(self._replica, self._unsent)

    def _rebuild(self, record_id: str) -> bool:
        """Make a record again from its changes; False where they do not make what it was."""
        rebuilt = refilling.rebuild_record(self._replica, record_id)
        if rebuilt is None:
            return False
        self._replica.records.write([rebuilt])
        return True

    # --- the replica's own facts ----------------------------------------------------------------

    def _mend_facts(self, lost: Sequence[str]) -> None:
        replica, meta = self._replica, self._replica.meta
        total = self._rows.sum_hashes()
        if meta.state_hash != total:
            meta.state_hash = total
            if ("records", Source.CHANGES) not in self.damages.found:
                self.damages.add("meta", Source.RECORDS)
        links = replica.changes.links()
        merged = {one for one, _ in links} | set(replica.snapshots.covered())
        if any(one not in merged for one in meta.frontier) or (merged and not meta.frontier):
            refilling.recompute_frontier(replica)
            self.damages.add("meta", Source.CHANGES)
        if meta.last_own and meta.last_own not in merged:
            meta.last_own = b""
        chain = meta.own_chain
        if chain is not None and chain.head not in merged:
            meta.own_chain = None  # the next envelope begins a new one
        if "meta" in lost:
            self.damages.add("meta", Source.NOTHING)
            if meta.relay_url and meta.cursor is None:
                refilling.begin(replica, from_start=True)
            if not meta.replica_id:
                meta.replica_id = replica.runtime.random_bytes(16)

    # --- derived --------------------------------------------------------------------------------

    def _derived(self) -> dict[str, object] | None:
        """What lists read now; None where it has not been derived in this file."""
        if not self._replica.meta.derived_version:
            return None
        found: dict[str, object] = {}
        with suppress(DamagedLibraryError, *FAULTS):
            self._replica.drain()  # what waited to be derived is no damage
        for table in sorted(DERIVED_TABLES):
            try:
                found[table] = self._rows.rows_of(table)
            except (DamagedLibraryError, *FAULTS):
                found[table] = None
        try:
            self._replica.references.check_text_index()
            found["refs_fts"] = self._replica.references.index.all_rows()
        except (DamagedLibraryError, *FAULTS):
            found["refs_fts"] = None
        return found

    def _mend_derived(self, before: dict[str, object] | None) -> None:
        rebuild_lists(self._replica.database)
        if before is None:
            return
        after = self._derived() or {}
        for table, rows in before.items():
            if rows != after.get(table):
                self.damages.add(table, Source.RECORDS)


def parse_whole(raw: bytes, stored_hash: bytes | None) -> Envelope | None:
    """An envelope that is as it was sealed: by its hash, or by its author's signature."""
    try:
        envelope = parse_envelope(raw)
        if envelope.hash != stored_hash:
            verify_signature(envelope)
    except FAULTS:
        return None
    return envelope


def is_id(text: str) -> bool:
    """Whether a text has the form of a record's id."""
    return re.fullmatch(r"[0-9a-f]{2,}", text) is not None and len(text) % 2 == 0


def _judge(checked: CheckedRecord) -> tuple[str, bool]:
    return checked.record.id, is_whole(checked)


def is_whole(checked: CheckedRecord) -> bool:
    """Whether a record is as it was written, can be read, and has the share that it says."""
    record: StoredRecord = checked.record
    if checked.check is not None and checked.check != check_of(record):
        return False
    try:
        entries = RecordDocument(record.state).entries()
        kind = view.kind_of(entries)
        shares = {canonical.record_share(record.id, kind, entries)}
        head = read_head(record.head) if record.head is not None else None
        if head is not None and head.core:
            core = RecordDocument(head.core).entries()
            shares.add(canonical.record_share(record.id, kind, core))
        return kind == record.kind and shares == {record.hash}
    except (DocumentError, *FAULTS):
        return False

"""Received envelopes: checked, put in causal order, merged (DESIGN §6, invariants I4 and I7).

A batch is one transaction: its envelopes, the records they touch, the index, the state hash and
the cursor. What waits for its frontier lies in ``pending``; what breaks a rule is refused with the
reason and the rest goes on. **What is in order, but can only be read by a newer program, is kept
whole** with all that builds on it, for as long as this program is the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bifolio import limits
from bifolio.clock import HybridClock
from bifolio.crypto.envelope import Envelope, parse_envelope, verify_signature
from bifolio.crypto.membership import Permission
from bifolio.document.record import RecordDocument
from bifolio.errors import DocumentError, EnvelopeError, NewerFormatError, ProtocolError
from bifolio.ids import content_hash, device_tag
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replica.workspace import Workspace
from bifolio.storage.changes import PendingEnvelope
from bifolio.wire.changes import Body
from bifolio.wire.position import LogPosition


@dataclass(frozen=True, slots=True)
class Received:
    """An envelope on its way in; ``position`` is None outside a relay's log."""

    envelope: bytes
    position: int | None


@dataclass(slots=True)
class ApplyResult:
    """What a batch brought; ``kept`` is for a newer program, and ``frees_kept`` tells whether
    something in it carries the changes of what is kept."""

    changes: int = 0
    records: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    kept: int = 0
    frees_kept: bool = False


class _WaitsError(Exception):
    """An envelope whose frontier, author's membership or key is not here yet."""


class _BuildsOnNewerError(Exception):
    """An envelope whose frontier is here, and can only be read by a newer program."""


class Inbox:
    """Merges what others wrote."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log

    def receive(
        self, batch: Sequence[Received], *, cursor: LogPosition | None = None
    ) -> ApplyResult:
        """Merge a batch and move the cursor, in one transaction.

        Envelopes that are merged already only learn their position. Each merged envelope may
        free others that waited for it.
        """
        merged = ApplyResult()
        with self._replica.database.transaction():
            workspace = self._replica.workspace()
            if self._replica.changes.waiting_bytes() > limits.PENDING_BYTES_MAX:
                raise ProtocolError(
                    f"more than {limits.PENDING_BYTES_MAX:,} bytes wait for earlier changes"
                )
            self._check_room_for_strangers()
            for received in batch:
                self._take(received, workspace, merged)
                if workspace.changes >= limits.DOCUMENTS_OPEN_MAX:
                    merged.records.update(workspace.save())
            if merged.changes or merged.kept:
                self._settle(workspace, merged)
            merged.records.update(workspace.save())
            if cursor is not None:
                self._replica.meta.cursor = cursor
        return merged

    def retry_pending(self) -> ApplyResult:
        """Try again what waits, after the membership grew."""
        merged = ApplyResult()
        with self._replica.database.transaction():
            workspace = self._replica.workspace()
            self._settle(workspace, merged)
            merged.records.update(workspace.save())
        return merged

    def retry_newer(self) -> ApplyResult:
        """Try again what a program of other formats kept, and what a kill left waiting.

        In parts, each a transaction: where it ends in between, the next sync goes on.
        """
        merged = ApplyResult()
        replica = self._replica
        formats = replica.formats.name
        if replica.meta.envelope_formats != formats:
            self._member_log.read_again()
        while replica.newer_envelopes.first_of_another(formats) is not None:
            with replica.database.transaction():
                workspace = replica.workspace()
                self._retry_some(formats, workspace, merged)
                merged.records.update(workspace.save())
        if merged.changes and replica.newer_envelopes.waiting():
            merged.frees_kept = True  # the order may be another one than that of the frontiers
        if merged.frees_kept or replica.changes.waiting():
            with replica.database.transaction():
                workspace = replica.workspace()
                self._settle(workspace, merged)
                merged.records.update(workspace.save())
        return merged

    def _settle(self, workspace: Workspace, merged: ApplyResult) -> None:
        """Merge what waited and what was kept, for as long as the one frees the other."""
        while True:
            if self._replica.changes.waiting():
                self._release(workspace, merged)
            if not merged.frees_kept:
                return
            merged.frees_kept = False
            before = merged.changes
            self._retry_all_newer(workspace, merged)
            if merged.changes > before and self._replica.newer_envelopes.waiting():
                merged.frees_kept = True

    def _check_room_for_strangers(self) -> None:
        """Behind a membership record that only a newer program knows nobody is refused for his
        right, so those who had none by what is known have so much room and no more."""
        if not self._replica.meta.newer_members:
            return
        if self._replica.newer_envelopes.bytes_of_strangers() > limits.PENDING_BYTES_MAX:
            raise ProtocolError(
                f"more than {limits.PENDING_BYTES_MAX:,} bytes came from computers that are no "
                "members of this library"
            )

    def _retry_some(self, formats: str, workspace: Workspace, merged: ApplyResult) -> None:
        """Take some of what another program kept as if it came just now."""
        newer = self._replica.newer_envelopes
        for _ in range(limits.BATCH_ENVELOPES_MAX):
            kept = newer.first_of_another(formats)
            if kept is None:
                return
            newer.remove(kept.hash)
            self._take(Received(kept.envelope, kept.position), workspace, merged)
            if workspace.changes >= limits.DOCUMENTS_OPEN_MAX:
                merged.records.update(workspace.save())

    def _retry_all_newer(self, workspace: Workspace, merged: ApplyResult) -> None:
        """What builds on something that is kept can go on when another envelope carries that."""
        number, last = 0, self._replica.newer_envelopes.last_number()
        while number < last:
            number = self._retry_newer(number, last, workspace, merged)

    def _retry_newer(
        self, number: int, last: int, workspace: Workspace, merged: ApplyResult
    ) -> int:
        """Take some of what is kept as if it came just now; the number of the last one."""
        newer = self._replica.newer_envelopes
        for _ in range(limits.BATCH_ENVELOPES_MAX):
            kept = newer.first(after=number, through=last)
            if kept is None:
                return last
            number = kept.number
            newer.remove(kept.hash)
            self._take(Received(kept.envelope, kept.position), workspace, merged)
            if workspace.changes >= limits.DOCUMENTS_OPEN_MAX:
                merged.records.update(workspace.save())
        return number

    def _take(self, received: Received, workspace: Workspace, merged: ApplyResult) -> None:
        changes = self._replica.changes
        try:
            envelope = parse_envelope(received.envelope)
        except EnvelopeError as error:
            merged.refused.append(error.reason)
            changes.add_refused(content_hash(received.envelope), received.envelope, error.reason)
            return
        if changes.is_stored(envelope.hash):
            if received.position is not None:
                changes.set_position(envelope.hash, received.position)
            return
        if self._replica.newer_envelopes.is_kept(envelope.hash):
            if received.position is not None:
                self._replica.newer_envelopes.set_position(envelope.hash, received.position)
            return
        try:
            body = self._check(envelope)
        except _WaitsError:
            if changes.waiting() >= limits.PENDING_MAX:
                raise ProtocolError(
                    f"more than {limits.PENDING_MAX:,} changes wait for earlier ones"
                ) from None
            changes.add_pending(envelope.hash, received.position, received.envelope)
            return
        except (NewerFormatError, _BuildsOnNewerError) as error:
            self._keep(envelope, received.position, error, merged)
            changes.remove_pending(envelope.hash)
            return
        except EnvelopeError as error:
            merged.refused.append(error.reason)
            changes.add_refused(envelope.hash, received.envelope, error.reason)
            return
        self._merge(envelope, body, received.position, workspace, merged)
        # It may have waited, and have come a second time after what it waited for.
        changes.remove_pending(envelope.hash)

    def _release(self, workspace: Workspace, merged: ApplyResult) -> None:
        """Merge what waits, for as long as that frees something."""
        changes = self._replica.changes
        waiting = changes.pending()
        progress = True
        while progress:
            progress = False
            still: list[PendingEnvelope] = []
            for one in waiting:
                envelope = parse_envelope(one.envelope)
                try:
                    body = self._check(envelope)
                except _WaitsError:
                    still.append(one)
                    continue
                except (NewerFormatError, _BuildsOnNewerError) as error:
                    self._keep(envelope, one.position, error, merged)
                    changes.remove_pending(one.hash)
                    progress = True
                    continue
                except EnvelopeError as error:
                    changes.add_refused(one.hash, one.envelope, error.reason)
                    merged.refused.append(error.reason)
                    changes.remove_pending(one.hash)
                    continue
                self._merge(envelope, body, one.position, workspace, merged)
                changes.remove_pending(one.hash)
                progress = True
            waiting = still

    def _check(self, envelope: Envelope) -> Body:
        """The envelope's content, once all rules hold and all it builds on is merged.

        Raises:
            EnvelopeError: a rule is broken.
            NewerFormatError: no rule is broken, but only a newer program can read it.
            _BuildsOnNewerError: it can be read, but not all that it builds on.
            _WaitsError: something it builds on is not here yet.
        """
        header = envelope.header
        if header.library != self._replica.library_id:
            raise EnvelopeError("it belongs to another library")
        verify_signature(envelope)
        membership = self._member_log.membership()
        permission = membership.permits(envelope) if membership else Permission.UNKNOWN_HEAD
        if membership is None or permission is Permission.UNKNOWN_HEAD:
            raise _WaitsError
        if permission is Permission.NEEDS_NEWER:
            kinds = " and ".join(f"'{kind}'" for kind in membership.needs_newer)
            raise NewerFormatError(f"membership record {kinds}")
        if permission is Permission.FORBIDDEN:
            raise EnvelopeError("its author had no right to write")
        self._replica.formats.check(header)
        key = self._member_log.key(header.generation)
        if key is None:
            raise _WaitsError
        body = self._replica.formats.read(envelope, key)
        builds_on = [*body.frontier, *([header.previous] if header.seq > 1 else [])]
        missing = [one for one in builds_on if not self._replica.changes.is_merged(one)]
        if any(map(self._replica.newer_envelopes.is_kept, missing)):
            raise _BuildsOnNewerError
        if missing:
            raise _WaitsError
        return body

    def _keep(
        self,
        envelope: Envelope,
        position: int | None,
        error: NewerFormatError | _BuildsOnNewerError,
        merged: ApplyResult,
    ) -> None:
        """Keep an envelope whole for a newer program. No bound for those who may write: it is a
        part of the log, and merged it would take as much room."""
        membership = self._member_log.membership()
        self._replica.newer_envelopes.add(
            envelope=envelope.raw,
            envelope_hash=envelope.hash,
            chain=envelope.header.chain,
            position=position,
            needs=error.needs if isinstance(error, NewerFormatError) else "",
            formats=self._replica.formats.name,
            of_member=membership is not None and membership.may_write(envelope.header.device),
        )
        merged.kept += 1

    def _merge(
        self,
        envelope: Envelope,
        body: Body,
        position: int | None,
        workspace: Workspace,
        merged: ApplyResult,
    ) -> None:
        replica = self._replica
        for change in body.changes:
            self._follow_clock(change.stamp, envelope.header.device)
            for record_id, update in change.records:
                self._apply(workspace, record_id, update)
            merged.changes += 1
        number = replica.changes.add_envelope(
            envelope=envelope.raw,
            envelope_hash=envelope.hash,
            chain=envelope.header.chain,
            seq=envelope.header.seq,
            position=position,
            own=False,
            count=len(body.changes),
            frontier=body.frontier,
        )
        device = device_tag(envelope.header.device)
        replica.journal.receive(number, body.changes, device=device)
        replica.changes.add_replacements(body.replaces, by=envelope.hash)
        merged.frees_kept |= any(map(replica.newer_envelopes.is_kept, body.replaces))
        named = {*body.frontier, envelope.header.previous}
        heads = [one for one in replica.meta.frontier if one not in named]
        replica.meta.frontier = [*heads, envelope.hash]

    def _apply(self, workspace: Workspace, record_id: str, update: bytes) -> None:
        """Merge one record's update; a bad record is quarantined with its later updates."""
        quarantined = self._replica.quarantined
        if quarantined.has(record_id):
            quarantined.add(record_id, update, "an earlier change to it could not be read")
            return
        try:
            self._note_offer(record_id, update)
            if workspace.document(record_id).merge(update):
                workspace.mark_changed(record_id)
        except DocumentError as error:
            quarantined.add(record_id, update, error.reason)

    def _note_offer(self, record_id: str, update: bytes) -> None:
        """While joining: keep what the library itself has of a record that we mean to offer."""
        state = self._replica.join_offers.remote(record_id)
        if state is None:
            return
        remote = RecordDocument(state or None)
        remote.merge(update)
        self._replica.join_offers.write_remote(record_id, remote.state())

    def _follow_clock(self, stamp: str, device: bytes) -> None:
        meta = self._replica.meta
        clock = HybridClock(meta.clock)
        before = clock.last
        if not clock.follow(stamp, self._replica.runtime.now_ms()):
            known = meta.clocks_ahead
            tag = device_tag(device)
            if stamp > known.get(tag, ""):
                meta.clocks_ahead = {**known, tag: stamp}
        elif clock.last != before:
            meta.clock = clock.last

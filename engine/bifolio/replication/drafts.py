"""Edits that this computer may not send: found, put into envelopes for an owner, accepted, dropped.

Who is removed, or becomes a reader, keeps what was not sent. Nobody may sign it as theirs, and
nobody takes it from its author; so it is given to an owner as what it made of each record. What
the owner accepts is written again as the owner's own edits: a value that was changed meanwhile
stays next to the draft's, as a conflict. What an import made bears the name of its content, and
goes on as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from msgspec import Struct

from bifolio import limits
from bifolio.crypto.envelope import (
    CHAIN_ID_BYTES,
    KIND_CHANGES,
    NO_PREVIOUS,
    Envelope,
    Header,
    parse_envelope,
    seal,
    verify_signature,
)
from bifolio.crypto.membership import Permission
from bifolio.document import deletion, registers, texts
from bifolio.document.comparing import FieldChange, compare
from bifolio.document.entries import Entries, Live, find_new_values, is_import, join
from bifolio.document.plan import Plan
from bifolio.document.record import RecordDocument, flatten
from bifolio.document.update_identity import (
    UpdateAuthor,
    UpdateKind,
    check_identity,
    is_content_named,
)
from bifolio.document.update_structure import read_update
from bifolio.document.view import kind_of
from bifolio.errors import DocumentError, EnvelopeError, Next, NotAMemberError
from bifolio.ids import SEPARATOR, SETTINGS_ID, TAG_LENGTH, device_tag, slot_tag
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica, Write
from bifolio.replication.applying import Applier
from bifolio.replication.judging import Judge
from bifolio.storage.changes import StoredEnvelope, UnsealedChange
from bifolio.storage.lost_changes import LostChanges
from bifolio.wire.changes import Body, Change

#: Records in one envelope of a draft.
_RECORDS_AT_ONCE = 64


class DraftRecord(Struct, frozen=True):
    """What a draft made of one record: updates that their content names (imports), in their order,
    and the record's state with all of it."""

    id: str
    contents: tuple[bytes, ...]
    state: bytes


class DraftedFields(Struct, frozen=True):
    """What a record is called: its citation key, and its title or name; empty without. And what it
    is: ``reference``, ``group`` or another kind."""

    key: str
    title: str
    of: str


class Draft(Struct, frozen=True):
    """What one device changed and may not send: its signing key and the records."""

    device: bytes
    records: tuple[DraftRecord, ...]


class _OtherValues(Struct, frozen=True):
    """What is in conflict with the value of a register that is shown, newest first."""

    name: str
    lives: Sequence[Live]

    def writes(self, number: int) -> Write:
        """One of them written next to what is there, as old as it is."""
        live = self.lives[number]

        def write(plan: Plan, _: Entries) -> None:
            plan.put(self.name, live.value, seen=[])
            plan.stamps[join(self.name, plan.writer.slot)] = live.stamp

        return write


class _Unsent(Struct, frozen=True):
    unsealed: Sequence[UnsealedChange]
    sealed: Sequence[StoredEnvelope]
    changes: Sequence[Change]


def find_draft(replica: Replica, member_log: LibraryMembership) -> Draft:
    """What this device changed and may not send; no records where it may send all."""
    updates: dict[str, list[bytes]] = {}
    for change in _unsent(replica, member_log).changes:
        for record_id, update in change.records:
            if record_id != SETTINGS_ID:
                updates.setdefault(record_id, []).append(update)
    records = []
    for record_id, made in updates.items():
        state = replica.records.state(record_id)
        if state is None:
            continue
        named = [one for one in made if _is_content_named(record_id, one)]
        records.append(DraftRecord(record_id, tuple(named), flatten(state)))
    return Draft(replica.keys.sign_public, tuple(records))


def seal_draft(replica: Replica, member_log: LibraryMembership, draft: Draft) -> Iterator[bytes]:
    """The draft in envelopes that every member can open and no log takes.

    Raises:
        NotAMemberError: this device never had a key of the library.
    """
    membership = member_log.membership()
    if membership is None:
        raise NotAMemberError
    generation, content_key = member_log.newest_key()
    chain, previous = replica.runtime.random_bytes(CHAIN_ID_BYTES), NO_PREVIOUS
    for seq, part in enumerate(_parts(draft.records), start=1):
        stamp = replica.meta.clock
        contents = tuple((one.id, update) for one in part for update in one.contents)
        states = tuple((one.id, one.state) for one in part)
        header = Header(
            library=replica.library_id,
            generation=generation,
            device=draft.device,
            chain=chain,
            seq=seq,
            previous=previous,
            kind=KIND_CHANGES,
            membership_head=membership.head,
        )
        sealed = seal(
            header,
            Body((), (Change(stamp, contents), Change(stamp, states))).serialize(),
            content_key=content_key,
            keys=replica.keys,
            random_bytes=replica.runtime.random_bytes,
        )
        previous = sealed.hash
        yield sealed.raw


def open_draft(
    replica: Replica, member_log: LibraryMembership, envelopes: Sequence[bytes]
) -> Draft:
    """The draft in envelopes that a member, or a former one, made.

    Raises:
        EnvelopeError: it is damaged, another library's, or of somebody who never was a member.
    """
    membership = member_log.membership()
    records: list[DraftRecord] = []
    author: bytes | None = None
    for raw in envelopes:
        envelope = parse_envelope(raw)
        header = envelope.header
        if header.library != replica.library_id:
            raise EnvelopeError("it belongs to another library")
        verify_signature(envelope)
        if membership is None or not membership.has_met(header.device):
            raise EnvelopeError(
                "its author was never a member of the library", next_step=Next.SYNC_THEN_OPEN_DRAFT
            )
        if author not in (None, header.device):
            raise EnvelopeError("it has several authors")
        author = header.device
        key = member_log.key(header.generation)
        if key is None:
            raise EnvelopeError(
                "this computer has no key to it", next_step=Next.SYNC_THEN_OPEN_DRAFT
            )
        body = replica.formats.read(envelope, key)
        if len(body.changes) != 2:
            raise EnvelopeError("it is no draft")
        contents, states = body.changes
        named: dict[str, list[bytes]] = {}
        for record_id, update in contents.records:
            named.setdefault(record_id, []).append(update)
        records += [
            DraftRecord(record_id, tuple(named.get(record_id, ())), state)
            for record_id, state in states.records
            if record_id != SETTINGS_ID
        ]
    if author is None:
        raise EnvelopeError("it is empty")
    return Draft(author, tuple(records))


def accept_draft(replica: Replica, draft: Draft) -> list[str]:
    """Write what a draft made of the library's records as edits of this device.

    Returns:
        the ids of the records that changed.

    Raises:
        DocumentError: a record in it is none; nothing was changed.
    """
    replica.check_may_write()
    with replica.database.transaction():
        changed = accept_inside(replica, draft)
    replica.mark_edit()
    return changed


def accept_inside(replica: Replica, draft: Draft, *, conflicts: bool = False) -> list[str]:
    """``accept_draft`` as part of the caller's transaction.

    Args:
        replica: the library.
        draft: what is written.
        conflicts: whether of values that are in conflict in it all are written, and not just the
            one that is shown.
    """
    changed: dict[str, None] = {}
    for one in draft.records:
        changed.update(dict.fromkeys(_merge_contents(replica, one)))
    others = [
        (one.id, values)
        for one in (draft.records if conflicts else ())
        for values in _find_others(replica, one)
    ]
    writes = [(one.id, write) for one in draft.records for write in _writes(replica, one)]
    changed.update(dict.fromkeys(_commit(replica, writes)))
    # A name has one value of each register, so that every further one is written under another.
    for number in range(max((len(values.lives) for _, values in others), default=0)):
        replica.end_incarnation()
        further = [
            (record_id, values.writes(number))
            for record_id, values in others
            if number < len(values.lives)
        ]
        changed.update(dict.fromkeys(_commit(replica, further)))
    return list(changed)


def is_deleted(one: DraftRecord) -> bool:
    """Whether a draft put the record into the trash.

    Raises:
        DocumentError: it is no record.
    """
    return deletion.is_trashed(_document(one.state).entries())


def describe(one: DraftRecord) -> DraftedFields:
    """What a record of a draft is called.

    Raises:
        DocumentError: it is no record.
    """
    entries = _document(one.state).entries()

    def shown(name: str) -> str:
        lives = entries.live(name)
        return (lives[0].value if lives else None) or ""

    title = shown("title") or shown("name")
    return DraftedFields(shown("citation-key"), title, kind_of(entries) or "reference")


def changed_fields(
    one: DraftRecord, device: bytes, *, here: bytes
) -> list[tuple[str, object, object]]:
    """The fields whose value the draft's device wrote and that are another one here: name, the
    value here, the draft's.

    Raises:
        DocumentError: one of them is no record.
    """
    now, drafted = _document(here).entries(), _document(one.state).entries()
    tag = device_tag(device)
    latest = max((live.stamp for lives in drafted.registers.values() for live in lives), default="")

    def is_drafted(change: FieldChange) -> bool:
        if change.live is not None:
            return slot_tag(change.live.slot) == tag
        # It is not in the draft: removed there, unless it was written here later.
        lives = now.live(change.field)
        return bool(lives) and all(live.stamp <= latest for live in lives)

    return [
        (change.field, change.before, change.after)
        for change in compare(now, drafted).fields
        if is_drafted(change)
    ]


def is_made_by(one: DraftRecord, device: bytes, *, here: bytes | None) -> bool:
    """Whether the draft's device made the record, as far as can be told: it is not here, or all
    that is in it is the device's own.

    Raises:
        DocumentError: it is no record.
    """
    if here is None:
        return True
    tag = device_tag(device)
    lives = _document(one.state).entries().registers.values()
    others = [live for values in lives for live in values if slot_tag(live.slot) != tag]
    return not others or (bool(one.contents) and all(map(is_import, others)))


def adopt_lost_changes(
    replica: Replica, member_log: LibraryMembership, *, of: frozenset[str] | None = None
) -> int:
    """Make the changes of another computer, which came with its folder or its backup and were never
    sent, edits of this one: that computer is lost, and nobody else can sign them.

    Args:
        replica: the library here.
        member_log: its members.
        of: the tags of the devices whose changes are meant, by default all others'.

    Returns:
        how many changes it was.
    """
    with replica.database.transaction():
        unsealed = [
            one
            for one in replica.changes.unsealed_of_others(replica.keys.tag)
            if of is None or one.slot[:TAG_LENGTH] in of
        ]
        changes = [Change.parse(one.body) for one in unsealed]
        touched = dict.fromkeys(one for change in changes for one, _ in change.records)
        records = []
        for record_id in touched:
            state = replica.records.state(record_id)
            if state is not None:
                records.append(DraftRecord(record_id, (), flatten(state)))
        if not unsealed:
            return 0
        take_out(replica, member_log, unsealed, (), changes)
        with replica.journal.unasked():
            accept_inside(replica, Draft(b"", tuple(records)))
    replica.mark_edit()
    return len(changes)


def drop_draft(replica: Replica, member_log: LibraryMembership) -> int:
    """Take back what this device changed and may not send, for good; how many changes it was."""
    with replica.database.transaction():
        unsent = _unsent(replica, member_log)
        if not unsent.changes:
            return 0
        take_out(replica, member_log, unsent.unsealed, unsent.sealed, unsent.changes)
    return len(unsent.changes)


def take_out(
    replica: Replica,
    member_log: LibraryMembership,
    unsealed: Sequence[UnsealedChange],
    sealed: Sequence[StoredEnvelope],
    changes: Sequence[Change],
) -> None:
    """Make the records again without changes that no other computer has. In a transaction."""
    judge = Judge(replica, member_log)
    judge.begin()
    applier = Applier(replica, judge.author_of)
    for change in unsealed:
        replica.journal.index.remove_unsealed(change.number)
    replica.changes.remove_unsealed(unsealed)
    for stored in sealed:
        replica.journal.index.remove(stored.number)
        replica.changes.remove_envelope(stored.hash)
    gone = {one.hash for one in sealed}
    if gone:
        meta = replica.meta
        meta.own_chain, meta.last_own = None, b""
        links = replica.changes.links()
        named = {one for _, frontier in links for one in frontier}
        named |= LostChanges(replica.database).predecessors()
        meta.frontier = [one for one, _ in links if one not in named]
    replica.end_incarnations(unsealed)
    applier.void(changes)
    applier.settle()
    applier.save()


# --- small steps --------------------------------------------------------------------------------


def _unsent(replica: Replica, member_log: LibraryMembership) -> _Unsent:
    """The changes of this device that nobody takes from it as its rights are."""
    membership, own = member_log.membership(), replica.keys.sign_public
    if membership is None or membership.may_write(own) or membership.needs_newer:
        return _Unsent((), (), ())
    own_tags = _own_tags(replica)
    unsealed = [
        one
        for tag in own_tags
        for one in replica.changes.unsealed(bytes_max=limits.DRAFT_BYTES_MAX, tag=tag)
    ]
    changes = [Change.parse(one.body) for one in unsealed]
    sealed: list[StoredEnvelope] = []
    after = 0
    before: list[Change] = []
    while found := replica.changes.unacknowledged(
        after=after, bytes_max=limits.MERGED_AT_ONCE_BYTES
    ):
        after = found[-1].number
        for stored in found:
            envelope = parse_envelope(stored.envelope)
            if device_tag(envelope.header.device) not in own_tags:
                continue
            is_member = membership.role_of(own) is not None
            if is_member and membership.permits(envelope) is not Permission.FORBIDDEN:
                continue  # inside the cut: a relay that lost it gets it back, from a member
            sealed.append(stored)
            before += _changes_in(replica, member_log, envelope)
    return _Unsent(unsealed, sealed, [*before, *changes])


def _own_tags(replica: Replica) -> list[str]:
    """This device's tag, after those of the keys that it had before."""
    own, remembered = replica.keys.tag, map(device_tag, replica.keys.earlier)
    known = (tag for tag, now in replica.meta.successors.items() if now == own)
    return [*dict.fromkeys((*known, *remembered)), own]


def _changes_in(
    replica: Replica, member_log: LibraryMembership, envelope: Envelope
) -> Sequence[Change]:
    key = member_log.key(envelope.header.generation)
    return replica.formats.read_past(envelope, key).changes if key is not None else ()


def _parts(records: Sequence[DraftRecord]) -> Iterator[list[DraftRecord]]:
    """The records in order, in parts that an envelope holds."""
    part: list[DraftRecord] = []
    size_bytes = 0
    for one in records:
        own_bytes = len(one.state) + sum(map(len, one.contents))
        is_full = size_bytes + own_bytes > limits.ENVELOPE_TARGET_BYTES
        if part and (is_full or len(part) == _RECORDS_AT_ONCE):
            yield part
            part, size_bytes = [], 0
        part.append(one)
        size_bytes += own_bytes
    if part:
        yield part


def _is_content_named(record_id: str, update: bytes) -> bool:
    return is_content_named(record_id, update, read_update(update, is_own=True))


def _merge_contents(replica: Replica, one: DraftRecord) -> list[str]:
    """Merge what bears the name of its content, as a change of ours; the id if anything did."""
    author = UpdateAuthor.of(replica.keys.sign_public, is_owner=False, incarnations=())
    workspace = replica.workspace()
    document = workspace.document(one.id)
    merged: list[tuple[str, bytes]] = []
    for update in one.contents:
        structure = read_update(update)
        if check_identity(one.id, update, structure, author) is not UpdateKind.CONTENT:
            raise DocumentError("it writes under a name that is not its content's")
        if document.has_of(structure):
            continue
        if document.merge(update, document.check(update, structure)):
            workspace.mark_changed(one.id)
            merged.append((one.id, update))
    if not merged:
        return []
    workspace.save()
    for piece in merged:
        replica.add_change(Change(replica.next_stamp(), (piece,)))
    return [one.id]


def _commit(replica: Replica, writes: Sequence[tuple[str, Write]]) -> list[str]:
    """Write to records, in as many changes as it takes; the ids of those that changed."""
    changed: list[str] = []
    for start in range(0, len(writes), limits.RECORDS_PER_CHANGE_MAX):
        changed += replica.commit_inside(writes[start : start + limits.RECORDS_PER_CHANGE_MAX])
    return changed


def _find_others(replica: Replica, one: DraftRecord) -> list[_OtherValues]:
    """The values in a draft that are in conflict with those that ``_writes`` writes, and are not
    here."""
    here, both = _here_and_both(replica, one)
    text_fields = _text_fields(here, both)
    found: list[_OtherValues] = []
    for name in sorted(both.registers):
        if not _is_written(name, text_fields):
            continue
        fresh = find_new_values(here, both, name)
        known = {live.value for live in (*here.live(name), *fresh[:1])}
        lives = [live for live in registers.distinct(fresh) if live.value not in known]
        if lives:
            found.append(_OtherValues(name, lives))
    return found


def _here_and_both(replica: Replica, one: DraftRecord) -> tuple[Entries, Entries]:
    """A record as it is here, and with a draft of it."""
    state = replica.records.state(one.id)
    both = RecordDocument(state)
    before = both.entries()
    both.merge_incomplete(one.state)
    return before, both.entries()


def _text_fields(here: Entries, drafted: Entries) -> set[str]:
    """The fields that are texts which several may type in."""
    return {key.partition(SEPARATOR)[0] for key in (*here.texts, *drafted.texts)}


def _is_written(name: str, text_fields: Set[str]) -> bool:
    """Whether a register's value is a draft's to give; who a device is, it says itself."""
    field = name.partition(SEPARATOR)[0]
    is_own = name in deletion.MARKS or field in (texts.MODIFIED, "device")
    return not is_own and field not in text_fields


def _writes(replica: Replica, one: DraftRecord) -> list[Write]:
    """What is to be written so that the record holds what the draft made of it."""
    drafted, (_, found) = _document(one.state).entries(), _here_and_both(replica, one)
    writes: list[Write] = [lambda plan, entries: _plan(plan, entries, found)]
    if deletion.is_trashed(drafted):
        writes.append(_delete)  # what was typed before goes into the trash with it
    return writes


def _delete(plan: Plan, entries: Entries) -> None:
    """Plan a deletion, unless the record is in the trash."""
    if not deletion.is_trashed(entries):
        deletion.plan_delete(plan, entries)


def _document(state: bytes) -> RecordDocument:
    """A record that another computer wrote down, read with the bounds of an update."""
    document = RecordDocument(None)
    document.merge_incomplete(state)
    return document


def _plan(plan: Plan, entries: Entries, drafted: Entries) -> None:
    """Plan the difference between a record and the same one with the draft merged."""
    text_fields = _text_fields(entries, drafted)
    for name in sorted({*entries.registers, *drafted.registers}):
        if not _is_written(name, text_fields):
            continue
        fresh = find_new_values(entries, drafted, name)
        kept = {live.slot for live in drafted.live(name)}
        gone = [live for live in entries.live(name) if live.slot not in kept]
        if fresh and fresh[0].value in [live.value for live in entries.live(name)]:
            continue  # it says so already, as where a draft is accepted twice
        if fresh:
            plan.put(name, fresh[0].value, seen=gone)
        elif gone:
            plan.remove(name, gone)
            texts.mark_modified(plan, entries)
    for field in sorted(text_fields):
        wanted = texts.content(drafted, field)
        if wanted != texts.content(entries, field):
            texts.plan_set(plan, entries, field, wanted)

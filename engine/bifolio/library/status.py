"""What a replica says of itself: status, reports, the canonical state, a rebuilt index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.attachments import attachments, opened_copies
from bifolio.attachments.attachments import NO_ROOM
from bifolio.clock import make_stamp, stamp_milliseconds
from bifolio.errors import (
    DamagedLibraryError,
    Next,
    NextStep,
    OldMembershipError,
    ReadOnlyLibraryError,
    StorageFullError,
    next_step,
)
from bifolio.library import received
from bifolio.library.counting import say_count
from bifolio.replica import lookup
from bifolio.replica.derived_tables import rebuild_lists
from bifolio.replica.replica import Replica
from bifolio.results import (
    BundleState,
    HeardDevice,
    KnownRelay,
    Notice,
    Refusal,
    RelayMoved,
    RelayStatus,
    SharingState,
    Status,
    SyncReport,
)
from bifolio.storage.members import Members

if TYPE_CHECKING:
    from bifolio.document import canonical, deletion
    from bifolio.document import view as views
    from bifolio.sync.counts import Counts
else:
    views = lazy.module("bifolio.document.view")
    canonical = lazy.module("bifolio.document.canonical")
    deletion = lazy.module("bifolio.document.deletion")


#: Files that are named one by one where no computer has them.
_LOST_SHOWN_MAX = 5


def sync_report(replica: Replica, counts: Counts, *, moved_to: str = "") -> SyncReport:
    """A round of sync, and the state of the replica after it."""
    return SyncReport(
        pushed=counts.pushed,
        pulled=counts.pulled,
        files_sent=counts.files_sent,
        files_received=counts.files_received,
        kept_back=kept_back(replica),
        conflicts=conflict_count(replica),
        state=state_hash(replica),
        moved_to=moved_to,
    )


def kept_back(replica: Replica) -> int:
    """How many changes of this computer are not sent, because it may not write into a library that
    is on a relay."""
    standing = replica.meta.standing
    if standing is None or standing.role in ("owner", "editor") or not replica.meta.relay_url:
        return 0
    return replica.changes.unsent()


def state_hash(replica: Replica) -> str:
    """The state hash in hex."""
    return f"{replica.meta.state_hash:064x}"


def of_one_moment(replica: Replica, *, name: str, replica_id: str) -> Status:
    """``status``, all of it as one commit left it."""
    with replica.snapshot():
        return status(replica, name=name, replica_id=replica_id)


def status(replica: Replica, *, name: str, replica_id: str) -> Status:
    """A replica at a glance."""
    meta, changes, references = replica.meta, replica.changes, replica.references
    url = meta.relay_url
    relay = None
    if url:
        move = meta.relay_move
        moved = RelayMoved(move.url, move.by, _moment(move.at_ms)) if move else None
        relay = RelayStatus(
            url,
            meta.reachable,
            _moment(meta.last_sync_ms),
            moved,
            meta.was_asked or bool(meta.last_sync_ms),
        )
    return Status(
        library_id=replica.library_id.hex(),
        name=name,
        replica_id=replica_id,
        path=replica.path,
        references=references.count(trashed=False),
        trashed=references.count(trashed=True),
        shown_on=_shown_on(replica),
        unsent=changes.unsent(),
        unsent_files=replica.transfers.unsent(),
        waiting=changes.waiting() + replica.newer_envelopes.waiting(),
        relay=relay,
        bundles=_bundles(replica),
        heard=tuple(_heard(replica)),
        refusals=tuple(refusals(replica)),
        sharing=_sharing(replica),
        advice=tuple(advice(replica)),
        conflicts=conflict_count(replica),
        shared_keys=references.shared_keys.count(),
        state=state_hash(replica),
        known_relay=known_relay(replica),
    )


def known_relay(replica: Replica) -> KnownRelay | None:
    """Where the library is by the members' list, if this computer is not there: it was detached, or
    follows with the next sync. None where it was there to be followed, and this one stays."""
    meta = replica.meta
    said = meta.said_relay
    if said is None or said.url == meta.relay_url:
        return None
    if meta.relay_url and meta.relay_notice == said.record:
        return None
    return KnownRelay(said.url, lookup.device_name(lookup.device_names(replica), said.by))


def _sharing(replica: Replica) -> SharingState | None:
    """What this computer is in the library, as its last reading of the members noted it."""
    standing = replica.meta.standing
    if standing is None:
        return None
    return SharingState(
        standing.role or None, standing.members, standing.owners, standing.has_recovery
    )


def advice(replica: Replica) -> Iterator[Notice]:
    """What is wise to do about the members, though nothing is wrong."""
    standing = replica.meta.standing
    if standing is None or standing.role != "owner" or not replica.meta.relay_url:
        return
    if standing.owners == 1 and not standing.has_recovery:
        yield Notice(
            "This is the only computer that owns the library: if it is lost, nobody can invite or "
            "remove members any more.",
            NextStep(Next.SECURE_OWNERSHIP),
        )


def _draft(replica: Replica) -> Iterator[Refusal]:
    """Edits that nobody takes from this computer."""
    standing, unsent = replica.meta.standing, replica.changes.unsent()
    if standing is None or standing.role in ("owner", "editor") or not unsent:
        return
    step = NextStep(Next.EXPORT_DRAFT)
    if standing.role == "reader":
        why, step = "it may only read the library now", NextStep(Next.EXPORT_DRAFT_OR_ASK)
    elif replica.meta.relay_url:
        why = "it is no member of the library"
    else:
        return  # whoever left goes on alone
    verb = "is" if unsent == 1 else "are"
    yield Refusal(
        f"{say_count(unsent, 'change')} of this computer {verb} not sent, because {why}.",
        step,
    )


def _bundles(replica: Replica) -> BundleState | None:
    """How the replica lives by bundles; None where it does not."""
    meta = replica.meta
    if meta.bundled is None and not meta.bundle_taken_ms:
        return None
    through, exported_ms = meta.bundled or (0, 0)
    return BundleState(
        _moment(exported_ms), _moment(meta.bundle_taken_ms), replica.changes.own_after(through)
    )


def _moment(milliseconds: int) -> str | None:
    if not milliseconds:
        return None
    return lookup.moment(make_stamp(milliseconds=milliseconds, counter=0))


def _shown_on(replica: Replica) -> int:
    guard = replica.deletion_guard
    return guard.noted.count() if guard.is_holding else 0


def _damage(replica: Replica) -> Iterator[Refusal]:
    """What a sync found damaged in the part of the file that it checked."""
    if tables := replica.meta.damaged_tables:
        named = ", ".join(f"'{one}'" for one in tables)
        yield Refusal(
            f"A check during a sync found this computer's copy of the library damaged ({named}).",
            NextStep(Next.REPAIR_LIBRARY),
        )


def _mass_deletion(replica: Replica) -> Iterator[Refusal]:
    """That others deleted most of the library: who, how much, and when."""
    if not replica.deletion_guard.is_holding:
        return
    names = lookup.device_names(replica)
    total = replica.references.count(trashed=False)
    for one in replica.deletion_guard.noted.by_device():
        who = lookup.device_name(names, one.device)
        yield Refusal(
            f"{who} deleted {one.references:,} of {say_count(total, 'reference')}, the last one "
            f"{lookup.moment(one.last)}. They are shown here until you confirm it.",
            NextStep(Next.CONFIRM_DELETIONS, {"time": _before(replica)}),
        )


def _before(replica: Replica) -> str:
    """A moment just before the first of the unconfirmed deletions."""
    milliseconds = stamp_milliseconds(replica.deletion_guard.noted.first_stamp())
    return _moment(max(milliseconds - 1000, 1)) or ""


def _waiting_for_bundles(replica: Replica) -> Iterator[Refusal]:
    """That earlier bundles are missing, where no relay could have what they hold."""
    waiting = replica.changes.waiting()
    if waiting and replica.meta.bundle_taken_ms and not replica.meta.relay_url:
        verb = "builds" if waiting == 1 else "build"
        yield Refusal(
            f"{say_count(waiting, 'change')} from bundles {verb} on others that did not come yet.",
            NextStep(Next.EXPORT_WHOLE_BUNDLE),
        )


def conflict_count(replica: Replica) -> int:
    """How many conflicts there are, of references and of groups."""
    return replica.references.conflict_count() + replica.groups.revived_count()


def refusals(replica: Replica) -> Iterator[Refusal]:
    """Everything that was refused, quarantined or looks wrong, each with the next step."""
    for reason, step in replica.meta.notes:
        yield Refusal(reason, step)
    yield from _damage(replica)
    yield from _mass_deletion(replica)
    yield from _waiting_for_bundles(replica)
    yield from _stories(replica)
    yield from _members(replica)
    yield from _draft(replica)
    yield from _newer(replica)
    yield from received.refusals(replica)
    for record_id, size in replica.meta.too_large.items():
        yield Refusal(
            f"The reference {record_id[:12]} has {size:,} bytes, more than one change may have "
            f"({limits.RECORD_UPDATE_BYTES_MAX:,}). It was not sent and is on this computer only.",
            NextStep(Next.ADD_AS_NEW_REFERENCE),
        )
    yield from _files(replica)
    yield from _lost_files(replica)
    yield from changed_copies(replica)
    yield from clocks(replica)


def state_json(replica: Replica) -> Iterator[str]:
    """The canonical JSON of every record that is not purged, by id."""
    for record_id in replica.records.all_ids():
        entries = replica.document(record_id).entries()
        if not deletion.is_purged(entries):  # what is shown of it may be this replica's own
            yield canonical.record_json(record_id, views.kind_of(entries), entries)


def rebuild(replica: Replica) -> int:
    """Derive again the tables that lists and the history read; returns the references."""
    # Loaded here: it opens envelopes, and showing a reference must start fast without it.
    from bifolio.history import replay

    with replica.database.transaction():
        count = rebuild_lists(replica.database)
        replay.rebuild_index(replica)
    return count


def lost_edits(replica: Replica) -> list[Notice]:
    """That edits are missing which were made here, because the database's log was removed."""
    try:
        with suppress(ReadOnlyLibraryError, StorageFullError):  # noted when it can be written
            replica.notice_lost_edits()
        lost = replica.meta.lost_edits
    except DamagedLibraryError:
        return []
    if lost is None:
        return []
    since, until = (lookup.moment(one) for one in lost)
    relay = (
        "Those that were sent come back from the relay with the next sync"
        if replica.meta.relay_url
        else "The library is on no relay, so no other copy of them is known"
    )
    return [
        Notice(
            f"The file library.sqlite-wal is gone, and with it edits that were made here between "
            f"{since} and {until}. {relay}.",
            NextStep(Next.FIND_LOST_EDITS),
        )
    ]


def _heard(replica: Replica) -> Iterator[HeardDevice]:
    """Since when nothing came of each other computer: a relay may keep something back."""
    names, own = lookup.device_names(replica), lookup.own_tag(replica)
    successors = replica.meta.successors
    latest: dict[str, str] = {}
    for tag, stamp in replica.heard.read_all().items():
        now = successors.get(tag, tag)
        latest[now] = max(stamp, latest.get(now, stamp))
    for tag, stamp in latest.items():
        if tag != own:
            yield HeardDevice(lookup.device_name(names, tag), lookup.moment(stamp))


def _stories(replica: Replica) -> Iterator[Refusal]:
    """Computers that the relay told something else than this one."""
    names = lookup.device_names(replica)
    for tag, position in replica.meta.other_stories.items():
        yield Refusal(
            f"The relay has told {lookup.device_name(names, tag)} and this computer different "
            f"things: they did not get the same changes up to number {position:,} of its log. "
            "Either it was restored from an older copy, or it is not honest.",
            NextStep(Next.COMPARE_STATES),
        )


def repair(replica: Replica) -> int:
    """Try again what was set aside of others' changes; returns how many were merged."""
    # Loaded here: it opens envelopes, and showing a reference must start fast without it.
    from bifolio.replication import repairing

    return repairing.retry_all(replica)


def _members(replica: Replica) -> Iterator[Refusal]:
    """What another Bifolio did to the members, and what this one must leave alone for it."""
    if Members(replica.database).is_of_an_earlier_program():
        error = OldMembershipError()
        yield Refusal(error.message, error.next_step)
    if kinds := replica.meta.newer_members:
        yield Refusal(
            f"The members of this library were changed with a newer Bifolio ({', '.join(kinds)}). "
            "What you change stays on this computer, and what others change is kept unread.",
            NextStep(Next.UPGRADE_THEN_SYNC),
        )


def _newer(replica: Replica) -> Iterator[Refusal]:
    """What only a newer Bifolio can read, and how much waits for it."""
    needs = replica.newer_envelopes.needs()
    if not needs:
        return
    waiting = replica.newer_envelopes.waiting()
    verb = "waits" if waiting == 1 else "wait"
    waits = f"; {say_count(waiting, 'later change')} {verb} for them" if waiting else ""
    named = ", ".join(f"{what}: {say_count(count, 'change')}" for what, count in needs.items())
    yield Refusal(
        f"Changes came that were made with a newer Bifolio ({named}). They are kept unread{waits}.",
        NextStep(Next.UPGRADE_THEN_SYNC),
    )


def _files(replica: Replica) -> Iterator[Refusal]:
    """Files that the relay did not take, and those that arrived damaged."""
    for reason, count in replica.transfers.refusals():
        if reason == NO_ROOM:
            yield Refusal(
                f"The relay has no room for {count} of this library's files; everything else is "
                "synced.",
                NextStep(Next.ASK_FOR_ROOM),
            )
        else:
            yield Refusal(
                f"The relay refused {count} of this library's files: {reason}. They are kept on "
                "this computer.",
                NextStep(Next.LIST_FILES),
            )
    for transfer in replica.transfers.damaged():
        named = replica.references.attachments.with_content(transfer.hash)
        names = ", ".join(sorted({one.name for one in named})) or transfer.hash[:12]
        yield Refusal(
            f"The content of {names} came damaged from the relay "
            f"({say_count(transfer.failures, 'time')}); nothing of it was kept.",
            NextStep(Next.SYNC_WHERE_FILE_IS_WHOLE),
        )


def notices(replica: Replica) -> list[Notice]:
    """What the user should know whatever is done next: work that is not in the library yet."""
    return [Notice(one.reason, one.next) for one in changed_copies(replica)]


def changed_copies(replica: Replica) -> Iterator[Refusal]:
    """Opened copies of files that were changed and are attached nowhere."""
    for one in opened_copies.find_changed(replica):
        of = f" of {one.key}" if one.key else ""
        yield Refusal(
            f"The opened copy of '{one.name}'{of} was changed, and is only at {one.path}.",
            next_step(Next.KEEP_CHANGED_COPY, ref=one.key or "REF", path=str(one.path)),
        )


def _lost_files(replica: Replica) -> Iterator[Refusal]:
    """Files that no computer is known to have."""
    lost = list(islice(attachments.list_lost(replica), _LOST_SHOWN_MAX + 1))
    for one in lost[:_LOST_SHOWN_MAX]:
        yield Refusal(
            f"No computer is known to have the file '{one.label}' of {one.key}.",
            NextStep(Next.ATTACH_FILE_AGAIN),
        )
    if len(lost) > _LOST_SHOWN_MAX:
        yield Refusal("No computer is known to have further files.", NextStep(Next.LIST_FILES))


def clocks(replica: Replica) -> Iterator[Refusal]:
    """Devices whose clock is far ahead, while it still is."""
    ahead = replica.meta.clocks_ahead
    names = lookup.device_names(replica)
    now_ms = replica.runtime.now_ms()
    for tag, stamp in ahead.items():
        if stamp_milliseconds(stamp) > now_ms + limits.CLOCK_AHEAD_MS_MAX:
            yield Refusal(
                f"The clock of {names.get(tag, 'device ' + tag)} is ahead: an edit made there is "
                f"dated {lookup.moment(stamp)}.",
                NextStep(Next.SET_CLOCK_OF_OTHER),
            )

"""One bundle out of a replica: what waits is sealed first, then all is written as of one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bifolio import limits
from bifolio.bundles.contents import sealed_pieces
from bifolio.bundles.file import SUFFIX, Bundle, BundleWriter, writing
from bifolio.bundles.heads import Lacking, heads_in, heads_of, lacks_only_what_is_here
from bifolio.clock import make_stamp
from bifolio.errors import BundleIncompleteError, NotAMemberError
from bifolio.replica.blob_keys import BlobKeys
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.outbox import Outbox
from bifolio.results import BundleExport
from bifolio.storage.changes import EnvelopePlace
from bifolio.wire import bundle_parts
from bifolio.wire.bundle_parts import Head

#: For ``since``: what the last bundle of this replica did not have.
LAST = "last"

_ID_SHOWN_LENGTH = 8

#: Which envelopes go into a bundle.
Chosen = Callable[[EnvelopePlace], bool]


@dataclass(frozen=True, slots=True)
class _Selection:
    """What goes into a bundle: the envelopes after a number that are chosen, or all."""

    after: int = 0
    chosen: Chosen = lambda _: True
    is_whole: bool = True


def export_bundle(
    replica: Replica,
    target: Path,
    *,
    since: datetime | Path | str | None = None,
    with_files: bool = False,
) -> BundleExport:
    """Write a bundle, whole or not at all.

    Args:
        target: a file, in whose place only an older bundle of the library may be, or a folder, in
            which it gets a name of its own.
        since: without it all goes in; from a moment, what came here then or later; of a bundle's
            path, what its maker did not have; ``LAST``: what the last bundle did not have.
        with_files: whether the contents of attached files that are here go in: all of them, or
            with ``since`` those of the references that it is about.

    Raises:
        BundleError: it cannot be written there, ``since`` is no bundle of this library, or some of
            what is to go in came by a snapshot, and is not here as changes.
    """
    member_log = LibraryMembership(replica)
    unsealed = _seal(replica, member_log)
    now_ms = replica.runtime.now_ms()
    head = Head(bundle_parts.VERSION, replica.library_id, replica.meta.replica_id, now_ms)
    path = target / _own_name(head) if target.is_dir() else target
    envelopes = files = through = 0
    with replica.snapshot():
        through = replica.changes.last_number()
        selection = _select(replica, since, path)
        with writing(path, head) as writer:
            _write_members(writer, member_log)
            writer.add(bundle_parts.HAVE, heads_of(replica))
            rows = _write_envelopes(writer, replica, selection)
            envelopes = len(rows) + _write_newer(writer, replica)
            if with_files:
                files = _write_contents(
                    writer, replica, member_log, None if selection.is_whole else rows
                )
    _note(replica, selection, through, now_ms)
    return BundleExport(path, path.stat().st_size, envelopes, files, unsealed)


def _note(replica: Replica, selection: _Selection, through: int, now_ms: int) -> None:
    """Note how far the bundles of this replica go, where this one leaves out nothing between."""
    with replica.database.transaction():
        before, _ = replica.meta.bundled or (0, 0)
        if selection.after <= before:
            replica.meta.bundled = (max(through, before), now_ms)


def _seal(replica: Replica, member_log: LibraryMembership) -> int:
    """Seal what waits; how many changes of this computer cannot be, because it is no member, its
    members are changed with a newer program, or it is about to become a part of another library."""
    if not replica.join_offers.first(1):
        with suppress(NotAMemberError):  # what others wrote can be passed on all the same
            Outbox(replica, member_log).seal()
    return replica.changes.count_unsealed(replica.keys.tag)


def _select(replica: Replica, since: datetime | Path | str | None, path: Path) -> _Selection:
    """What is asked for.

    Raises:
        BundleIncompleteError: some of it came by a snapshot, and its changes are not here.
    """
    if isinstance(since, Path):
        with Bundle.open(since) as bundle:
            bundle.check_of(replica.library_id)
            heads = heads_in(bundle)
        if not lacks_only_what_is_here(replica, heads):
            raise BundleIncompleteError(path)
        return _Selection(chosen=Lacking(replica, heads), is_whole=False)
    selection = _select_after(replica, since)
    reaches_back = selection.is_whole
    if isinstance(since, datetime):
        reaches_back = since.timestamp() * 1000 <= replica.meta.snapshot_loaded_ms
    if reaches_back and not lacks_only_what_is_here(replica, ()):
        raise BundleIncompleteError(path)
    return selection


def _select_after(replica: Replica, since: datetime | str | None) -> _Selection:
    if since is None:
        return _Selection()
    if isinstance(since, datetime):
        stamp = make_stamp(milliseconds=max(int(since.timestamp() * 1000), 0), counter=0)
        first = replica.journal.index.first_row_since(stamp)
        after = replica.changes.last_number() if first is None else first - 1
    else:
        after = replica.meta.bundled[0] if replica.meta.bundled else 0
    return _Selection(after=after, is_whole=after == 0)


def _write_members(writer: BundleWriter, member_log: LibraryMembership) -> None:
    """All of the membership log: it is small, and every other part is judged by it."""
    membership = member_log.membership()
    records = membership.records if membership else ()
    size, part = 0, list[bytes]()
    for record in records:
        full = size + len(record) > limits.BATCH_BYTES_TARGET
        if part and (full or len(part) == limits.BUNDLE_MEMBERS_PER_PART):
            writer.add(bundle_parts.MEMBERS, part)
            size, part = 0, []
        part.append(record)
        size += len(record)
    if part:
        writer.add(bundle_parts.MEMBERS, part)


def _write_envelopes(writer: BundleWriter, replica: Replica, selection: _Selection) -> list[int]:
    """The chosen envelopes; their numbers here."""
    rows: list[int] = []
    for numbers in _in_batches(replica.changes.places(after=selection.after), selection.chosen):
        writer.add(bundle_parts.ENVELOPES, replica.changes.bodies(numbers))
        rows += numbers
    return rows


def _in_batches(places: Iterator[EnvelopePlace], chosen: Chosen) -> Iterator[list[int]]:
    """The numbers of chosen envelopes, so many at once as a message would have."""
    size, numbers = 0, list[int]()
    for place in places:
        if not chosen(place):
            continue
        full = size + place.size > limits.BATCH_BYTES_TARGET
        if numbers and (full or len(numbers) == limits.BATCH_ENVELOPES_MAX):
            yield numbers
            size, numbers = 0, []
        numbers.append(place.number)
        size += place.size
    if numbers:
        yield numbers


def _write_newer(writer: BundleWriter, replica: Replica) -> int:
    """What this program cannot read is passed on; how many envelopes."""
    newer = replica.newer_envelopes
    number, last, count = 0, newer.last_number(), 0
    while (kept := newer.first(after=number, through=last)) is not None:
        number = kept.number
        writer.add(bundle_parts.ENVELOPES, [kept.envelope])
        count += 1
    return count


def _write_contents(
    writer: BundleWriter,
    replica: Replica,
    member_log: LibraryMembership,
    rows: list[int] | None,
) -> int:
    """The contents of attached files, all or those of the references that rows are about; how
    many."""
    attachments = replica.references.attachments
    if rows is None:
        wanted = dict(attachments.contents())
    else:
        touched = replica.journal.index.records_in(rows)
        wanted = {one.hash: one.size for record in touched for one in attachments.of(record)}
    count = 0
    keys = BlobKeys(replica, member_log)
    for chunk in sealed_pieces(replica, keys, sorted(wanted.items())):
        writer.add(bundle_parts.CHUNK, chunk)
        count += chunk.number == 0
    return count


def _own_name(head: Head) -> str:
    """A name for a bundle in a folder: nobody else's, and without what is in the library."""
    made = datetime.fromtimestamp(head.made_ms / 1000, UTC).strftime("%Y-%m-%d-%H%M%S")
    library, replica = (one.hex()[:_ID_SHOWN_LENGTH] for one in (head.library, head.replica))
    return f"bifolio-{library}-{replica}-{made}{SUFFIX}"

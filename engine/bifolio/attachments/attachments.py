"""Files attached to references, taken off, found by name, and what is known of each.

The bytes are in ``storage.contents``; here is what a reference says of them. A file that replaces
another of its name is one change: the removal of what was seen, and an addition; so two that
replace it at the same time are both kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bifolio import lazy
from bifolio.attachments import opened_copies
from bifolio.document.entries import Entries, is_import_slot
from bifolio.document.plan import Plan
from bifolio.errors import (
    AmbiguousFileError,
    FileNameError,
    FileNotFoundInReferenceError,
    TrashedReferenceError,
)
from bifolio.ids import slot_tag
from bifolio.records.attachments import (
    FIELD,
    HASH_SHOWN_LENGTH,
    MARK,
    Attachment,
    distinct_names,
    is_file_name,
)
from bifolio.records.canonical import nfc
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import FileState, FileView
from bifolio.storage.attachments import AttachmentRow
from bifolio.storage.contents import Content, Progress
from bifolio.storage.derived import ReferenceRow
from bifolio.storage.transfers import Transfer

if TYPE_CHECKING:
    from bifolio.document import editing, sets
else:
    editing = lazy.module("bifolio.document.editing")
    sets = lazy.module("bifolio.document.sets")

#: Why the relay did not take a file, where its room is used up (``wire.messages.Code``).
NO_ROOM = "quota"


def attach(
    replica: Replica, ref: str, paths: Sequence[Path], progress: Progress | None
) -> list[FileView]:
    """Keep files and attach them to a reference, in one change.

    Args:
        paths: files of any names; two of one name are both kept, one that the reference has
            already by that name is replaced.

    Raises:
        ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError, FileNameError,
        UnreadableFileError and others: nothing was attached.
    """
    named = [_file_name(path) for path in paths]
    _live(replica, ref)
    kept: dict[Path, Content] = {}
    while True:
        for path in paths:
            if path not in kept or not replica.contents.has(kept[path].hash):
                kept[path] = replica.contents.add(path, progress=progress)
        files = [
            Attachment(name, kept[path].hash, kept[path].size)
            for name, path in zip(named, paths, strict=True)
        ]
        with replica.database.transaction():
            row = _live(replica, ref)
            # Nobody collects a content while a transaction is open: what is here now stays.
            if all(replica.contents.has(one.hash) for one in files):
                bases = zip(files, map(partial(opened_copies.base_of, replica), paths), strict=True)
                _commit(replica, row.id, files, {one.name: base for one, base in bases if base})
                break
    hashes = {one.hash for one in files}
    return [one for one in list_files(replica, row.id) if one.hash in hashes and one.name in named]


def detach(replica: Replica, ref: str, name: str) -> FileView:
    """Take a file off a reference; its content stays as long as anything names it.

    Raises:
        FileNotFoundInReferenceError, AmbiguousFileError, TrashedReferenceError and others.
    """
    with replica.database.transaction():
        row = _live(replica, ref)
        gone = find_file(replica, row, name)

        def write(plan: Plan, entries: Entries) -> None:
            for element in sets.elements(entries, FIELD):
                one = Attachment.from_element(element)
                if one is not None and (one.name, one.hash) == (gone.name, gone.hash):
                    sets.plan_remove(plan, entries, FIELD, element)
            editing.finish(plan, entries)

        replica.commit_inside([(row.id, write)])
    return gone


def find_file(replica: Replica, row: ReferenceRow, name: str) -> FileView:
    """The file of a reference with a name, a name with the beginning of its hash, or a hash.

    Raises:
        FileNotFoundInReferenceError, AmbiguousFileError.
    """
    files = list(list_files(replica, row.id))
    wanted = nfc(name)
    stem, _, start = wanted.rpartition(MARK)
    for fitting in (
        [one for one in files if one.name == wanted],
        [one for one in files if stem and start and _begins(one, start) and one.name == stem],
        [one for one in files if len(wanted) >= HASH_SHOWN_LENGTH and _begins(one, wanted)],
    ):
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise AmbiguousFileError(name, candidates=tuple(one.label for one in fitting))
    raise FileNotFoundInReferenceError(
        lookup.shown_key(row), name, others=tuple(one.label for one in files)
    )


def list_files(replica: Replica, record_id: str) -> Iterator[FileView]:
    """The files of a reference, by name."""
    row = replica.references.read(record_id)
    if row is None:
        return
    names = lookup.device_names(replica)
    attached = bool(replica.meta.relay_url)
    files = replica.references.attachments.of(record_id)
    for file, name in zip(files, _distinct_names(files), strict=True):
        by = lookup.author(names, file.slot, file.stamp)
        place = _locate(replica, file, names, attached=attached)
        yield FileView(
            ref=record_id,
            key=lookup.shown_key(row),
            name=file.name,
            label=name,
            size=file.size,
            hash=file.hash,
            state=place.state,
            device=place.device,
            refusal=place.refusal,
            added_by=by,
            added_at=lookup.moment(file.stamp),
        )


def list_all_files(replica: Replica) -> Iterator[FileView]:
    """The files of all live references, by reference."""
    for record_id in replica.references.attachments.references():
        row = replica.references.read(record_id)
        if row is not None and not row.trashed:
            yield from list_files(replica, record_id)


def list_lost(replica: Replica) -> Iterator[FileView]:
    """The files of live references that no computer is known to have: this one attached them, and
    neither it nor the relay has their contents."""
    for hash, _ in replica.transfers.named_off_relay():
        if replica.contents.has(hash):
            continue
        for row in replica.references.attachments.with_content(hash):
            for one in list_files(replica, row.reference):
                if one.hash == hash and one.state is FileState.MISSING:
                    yield one


def _commit(
    replica: Replica, record_id: str, files: Sequence[Attachment], bases: Mapping[str, str]
) -> None:
    """Attach files in the place of those of their names.

    Args:
        bases: of a changed copy the content that it was made of, by name: only that is replaced,
            and a version that somebody else attached meanwhile stays next to it.
    """
    names = {one.name for one in files}

    def write(plan: Plan, entries: Entries) -> None:
        wanted = {one.to_element() for one in files}
        for element in sets.elements(entries, FIELD):
            seen = Attachment.from_element(element)
            if seen is None or seen.name not in names or seen in files:
                continue
            if seen.hash.startswith(bases.get(seen.name, "")):
                sets.plan_remove(plan, entries, FIELD, element)
        for element in sorted(wanted):
            sets.plan_add(plan, entries, FIELD, element)

    replica.commit_inside([(record_id, write)])
    for one in files:
        replica.transfers.mark_arrived(one.hash)


class _Whereabouts(Struct, frozen=True):
    """Where a content is: the state, and the facts that go with it."""

    state: FileState
    device: str | None = None
    refusal: str | None = None


def _locate(
    replica: Replica, file: AttachmentRow, names: dict[str, str], *, attached: bool
) -> _Whereabouts:
    transfer = replica.transfers.read(file.hash)
    if replica.contents.has(file.hash):
        return _locate_here(transfer) if attached else _Whereabouts(FileState.HERE)
    if transfer.failures:
        return _Whereabouts(FileState.DAMAGED)
    if transfer.on_relay:
        return _Whereabouts(FileState.ON_RELAY)
    tag = _brought_by(replica, file)
    if tag is None:
        return _Whereabouts(FileState.ON_IMPORTING_DEVICE)
    if tag == lookup.own_tag(replica):
        return _Whereabouts(FileState.MISSING)
    return _Whereabouts(FileState.ON_OTHER_DEVICE, device=lookup.device_name(names, tag))


def _brought_by(replica: Replica, file: AttachmentRow) -> str | None:
    """The tag of the device that has a file which is nowhere else.

    The slot of an import, or of a library that joined, names no device: then it is the one whose
    change brought the record here. None where the history begins later.
    """
    if not is_import_slot(file.slot, file.stamp) and not lookup.is_joined(file.slot):
        return slot_tag(file.slot)
    changes = replica.journal.index.of_record(file.reference)
    return changes[0].device if changes else None


def _locate_here(transfer: Transfer) -> _Whereabouts:
    if transfer.on_relay:
        return _Whereabouts(FileState.HERE)
    if not transfer.refused:
        return _Whereabouts(FileState.NOT_SENT)
    if transfer.refused == NO_ROOM:
        return _Whereabouts(FileState.NO_ROOM)
    return _Whereabouts(FileState.REFUSED, refusal=transfer.refused)


def _distinct_names(files: Sequence[AttachmentRow]) -> list[str]:
    return distinct_names([(file.name, file.hash) for file in files])


def _begins(file: FileView, start: str) -> bool:
    return file.hash.startswith(start.lower())


def _file_name(path: Path) -> str:
    name = nfc(path.name)
    if not is_file_name(name):
        raise FileNameError(path)
    return name


def _live(replica: Replica, ref: str) -> ReferenceRow:
    row = lookup.find(replica, ref)
    if row.trashed:
        raise TrashedReferenceError(ref)
    return row

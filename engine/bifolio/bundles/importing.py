"""Bundles into a replica: one file, or all of a folder in whatever order.

A bundle is checked whole before anything of it is used. Then its parts go the way of what comes
from a relay: the membership log is followed by its rules, envelopes are judged and merged, or wait
for what they build on, and pieces of files are opened. So it may come late, twice, under another
name and in any order.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bifolio import limits
from bifolio.bundles.contents import Arrivals
from bifolio.bundles.file import SUFFIX, Bundle
from bifolio.bundles.members import merge_members
from bifolio.errors import (
    BundleError,
    EnvelopeError,
    MembershipError,
    NewerBundleError,
    NotABundleError,
)
from bifolio.replica.blob_keys import BlobKeys
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.inbox import Inbox, Received
from bifolio.results import ImportedBundle, RefusedBundle
from bifolio.wire import bundle_parts
from bifolio.wire.bundle_parts import Head


@dataclass(slots=True)
class Taken:
    """What a bundle brought; ``not_kept`` are envelopes for which there was no room yet, or whose
    author is not known yet."""

    changes: int = 0
    files: int = 0
    not_kept: int = 0
    members_grew: bool = False


@dataclass(slots=True)
class ImportTotals:
    """What several bundles brought."""

    bundles: list[ImportedBundle] = field(default_factory=list)
    refused: list[RefusedBundle] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """The changes that were new."""
        return sum(one.changes for one in self.bundles)

    @property
    def files(self) -> int:
        """The files that were new."""
        return sum(one.files for one in self.bundles)


class BundleInbox:
    """Takes bundles into one replica."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._inbox = Inbox(replica, member_log)

    def import_file(self, path: Path) -> ImportedBundle:
        """Take in one bundle.

        Raises:
            BundleError: it is none, damaged, newer or another library's; nothing was taken.
        """
        self._begin()
        head, taken = self._take_file(path)
        self.finish()
        return _report(path, head, taken)

    def import_folder(self, folder: Path) -> ImportTotals:
        """Take in every bundle in a folder, without those in folders below it.

        A file that is named like a bundle and cannot be used is named, others are passed over.
        What can only be taken after another bundle is read again after that.

        Raises:
            NotABundleError: there is no bundle in the folder.
        """
        totals = ImportTotals()
        reports: dict[Path, ImportedBundle] = {}
        left = _find(folder)
        self._begin()
        for _ in range(limits.BUNDLE_PASSES_MAX):
            again: list[Path] = []
            is_progress = False
            for path in left:
                try:
                    head, taken = self._take_file(path)
                except BundleError as error:
                    totals.refused.append(RefusedBundle(path, error.message, error.next_step))
                    continue
                is_progress |= bool(taken.changes or taken.members_grew)
                before = reports.get(path)
                if before is not None:
                    taken.changes += before.changes
                    taken.files += before.files
                reports[path] = _report(path, head, taken)
                if taken.not_kept:
                    again.append(path)
            left = again
            if not left or not is_progress:
                break
        if not reports and not totals.refused:
            raise NotABundleError(folder, reason="there is no bundle in this folder")
        totals.bundles = list(reports.values())
        self.finish()
        return totals

    def take(self, bundle: Bundle) -> Taken:
        """Take in a bundle that was checked.

        Raises:
            BundleError: a part of it breaks a rule of the library, or it was altered meanwhile;
                what came before that part is taken, and good.
        """
        taken = Taken()
        records = read_members_of(bundle)
        arrivals = Arrivals(self._replica, BlobKeys(self._replica, self._member_log))
        try:
            if records:
                taken.members_grew = self._learn(records)
            for name, content in bundle.parts():
                if name == bundle_parts.ENVELOPES:
                    batch = [Received(one, None) for one in bundle_parts.read_envelopes(content)]
                    merged = self._inbox.receive(batch)
                    taken.changes += merged.changes
                    taken.not_kept += merged.not_kept
                elif name == bundle_parts.CHUNK:
                    arrivals.take(bundle_parts.read_chunk(content))
        except EnvelopeError as error:
            raise bundle.refuse(error) from error
        except MembershipError as error:
            raise bundle.refuse(EnvelopeError(error.reason)) from error
        finally:
            arrivals.close()
        taken.files = arrivals.files
        return taken

    def finish(self) -> None:
        """All bundles that there are were taken in."""
        self._replica.drain()
        with self._replica.database.transaction():
            self._replica.deletion_guard.end_session()
            self._replica.meta.bundle_taken_ms = self._replica.runtime.now_ms()

    def _take_file(self, path: Path) -> tuple[Head, Taken]:
        with Bundle.open(path) as bundle:
            head = bundle.check_of(self._replica.library_id)
            before = self._inbox.retry_newer().changes
            taken = self.take(bundle)
        taken.changes += before
        return head, taken

    def _learn(self, records: Sequence[bytes]) -> bool:
        """Follow the membership log, and merge what waited for it."""
        changed = merge_members(self._replica, self._member_log, records)
        if changed:
            self._inbox.follow_cuts()
        if changed and (self._replica.changes.waiting() or self._replica.meta.not_kept):
            self._inbox.retry_pending()
        return changed

    def _begin(self) -> None:
        self._replica.drain()
        with self._replica.database.transaction():
            self._replica.deletion_guard.begin_session()


def read_members_of(bundle: Bundle) -> list[bytes]:
    """The records of the membership log in a bundle that was checked: they come before all else.

    Raises:
        BundleError: they cannot be read, or are more than any library may have.
    """
    records: list[bytes] = []
    size_bytes = 0
    try:
        for name, content in bundle.parts():
            if name == bundle_parts.MEMBERS:
                part = bundle_parts.read_members(content)
                records += part
                size_bytes += sum(map(len, part))
                if (
                    len(records) > limits.RELAY_MEMBERSHIP_RECORDS_MAX
                    or size_bytes > limits.RELAY_MEMBERSHIP_BYTES_MAX
                ):
                    raise EnvelopeError("it has more members than any library may have")
            elif name != bundle_parts.HEAD:
                break
    except EnvelopeError as error:
        raise bundle.refuse(error) from error
    return records


def _find(folder: Path) -> list[Path]:
    """The files of a folder that begin like a bundle or are named like one, the oldest bundle
    first: then hardly anything has to wait."""
    found: list[tuple[int, str, Path]] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= limits.BUNDLE_FOLDER_FILES_MAX:
                    break
                # Hidden: what is being written, by us or by a cloud's program.
                if entry.name.startswith(".") or not entry.is_file():
                    continue
                made_ms = _made_ms(Path(entry.path))
                if made_ms is not None or entry.name.lower().endswith(SUFFIX):
                    found.append((made_ms or 0, entry.name, Path(entry.path)))
    except OSError as error:
        raise NotABundleError(folder, reason=error.strerror or str(error)) from error
    return [path for *_, path in sorted(found)]


def _made_ms(path: Path) -> int | None:
    """When a bundle says that it was made; None for a file that does not begin like one."""
    try:
        with Bundle.open(path) as bundle:
            return bundle.read_first().made_ms if bundle.begins_like_one() else None
    except NewerBundleError:
        return 0
    except BundleError as error:
        return None if isinstance(error, NotABundleError) else 0


def _report(path: Path, head: Head, taken: Taken) -> ImportedBundle:
    made = datetime.fromtimestamp(head.made_ms / 1000, UTC)
    made_at = made.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ImportedBundle(path, made_at, taken.changes, taken.files)

"""Contents that no reference names any more, dropped after a while.

References in the trash name theirs; those that were purged do not. An undo of a removal finds its
content for a day, and who has not heard of it yet may bring the reference back: so a content stays,
here and on the relay, until every replica of the library has passed the change that took its name.
One that was silent for thirty days holds nothing up. A content is removed inside the transaction
that finds it unnamed, and attached inside one that finds it here, so that neither can happen behind
the other's back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from bifolio import limits
from bifolio.attachments import opened_copies
from bifolio.replica.replica import Replica
from bifolio.storage.members import Members
from bifolio.storage.texts import Texts
from bifolio.storage.transfers import Transfer


def collect(replica: Replica) -> Sequence[str]:
    """Drop what has been unnamed for long enough, and nobody needs any more.

    Returns:
        the hashes of the contents that the relay had: it is to drop them too.
    """
    now_ms = replica.runtime.now_ms()
    before_s = replica.runtime.wall_s() - limits.UNNAMED_KEPT_S
    replica.contents.sweep(before_s=before_s)
    opened_copies.sweep(replica, before_s=before_s)
    with replica.database.transaction():
        replica.transfers.note_unnamed(now_ms)
        kept_ms = now_ms - int(limits.UNNAMED_KEPT_S * 1000)
        gone = replica.transfers.unnamed(before_ms=min(kept_ms, _passed_ms(replica, now_ms)))
        for transfer in gone:
            _remove(replica, transfer)
    return [transfer.hash for transfer in gone if transfer.on_relay]


def _passed_ms(replica: Replica, now_ms: int) -> int:
    """What nothing has named since before this time, every replica has passed; inside a
    transaction, which moves the mark."""
    meta = replica.meta
    silent_ms = now_ms - int(limits.REPLICA_GONE_S * 1000)
    cursor = meta.cursor
    if cursor is None:
        return now_ms if Members(replica.database).count() <= 1 else silent_ms
    mark, passed = meta.unnamed_mark, meta.passed_by_all
    if mark is not None and (meta.unnamed_epoch != cursor.epoch or mark[1] > now_ms):
        mark = None  # of a log that was lost, or the clock was set back
    if mark is not None and passed is not None and passed[0] == cursor.epoch:
        position, then_ms = mark
        if passed[1] >= position:
            meta.unnamed_passed_ms, mark = then_ms, None
    if mark is None and not replica.changes.unsent():
        mark = (cursor.position, now_ms)
    meta.unnamed_mark, meta.unnamed_epoch = mark, cursor.epoch
    passed_ms = meta.unnamed_passed_ms
    return max(silent_ms, passed_ms if passed_ms <= now_ms else 0)


def _remove(replica: Replica, transfer: Transfer) -> int:
    """Remove a content and what came of it so far; how many bytes were here whole."""
    size = 0
    with contextlib.suppress(FileNotFoundError):
        size = replica.contents.path(transfer.hash).stat().st_size
    replica.contents.remove(transfer.hash)
    Texts(replica.path).forget({transfer.hash})
    replica.contents.incoming(transfer.hash).unlink(missing_ok=True)
    if transfer.on_relay:
        replica.transfers.mark_missing(transfer.hash)
    else:
        replica.transfers.forget(transfer.hash)
    return size


def reserve(replica: Replica, hash: str) -> bool:
    """See to it that a content which is about to be named is not dropped before, for a day.

    One of which nothing is known nobody drops, and one that is named stays for a day anyway.

    Returns:
        whether it is here.
    """
    if replica.transfers.knows(hash) and not replica.references.attachments.with_content(hash):
        until_ms = replica.runtime.now_ms() + int(limits.UNNAMED_KEPT_S * 1000)
        with replica.database.transaction():
            replica.transfers.reserve(hash, until_ms)
            return replica.contents.has(hash)
    return replica.contents.has(hash)


def clean(replica: Replica) -> tuple[int, int]:
    """Drop everything here that nothing names now, because a user wants the room.

    Returns:
        how many contents were here, and their bytes; the relay drops its own once every replica
        has passed.
    """
    count = size = 0
    with replica.database.transaction():
        now_ms = replica.runtime.now_ms()
        # Only what a reference has named once: others may be copied at this moment, to be named.
        replica.transfers.note_unnamed(now_ms)
        for transfer in replica.transfers.unnamed(before_ms=now_ms):
            if replica.contents.has(transfer.hash):
                count += 1
            size += _remove(replica, transfer)
    collect(replica)
    return count, size


class UnnamedContent(NamedTuple):
    """A content here that nothing names; ``is_passed`` where nobody needs it any more."""

    hash: str
    size_bytes: int
    is_passed: bool


def list_unnamed(replica: Replica) -> list[UnnamedContent]:
    """The contents here that nothing names."""
    with replica.database.transaction():
        now_ms = replica.runtime.now_ms()
        replica.transfers.note_unnamed(now_ms)
        kept_ms = now_ms - int(limits.UNNAMED_KEPT_S * 1000)
        passed_ms = min(kept_ms, _passed_ms(replica, now_ms))
        found = []
        for one in replica.transfers.unnamed(before_ms=now_ms):
            with contextlib.suppress(FileNotFoundError):
                size = replica.contents.path(one.hash).stat().st_size
                found.append(
                    UnnamedContent(one.hash, size, (one.unnamed_since_ms or 0) <= passed_ms)
                )
        return found


def note_dropped_by_relay(replica: Replica, hashes: Collection[str]) -> None:
    """The relay holds these contents no longer, as it was asked."""
    with replica.database.transaction():
        for hash in hashes:
            if replica.references.attachments.with_content(hash):
                replica.transfers.mark_on_relay(hash, there=False)
            else:
                replica.transfers.forget(hash)

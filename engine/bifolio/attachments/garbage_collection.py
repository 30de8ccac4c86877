"""Contents that no reference names any more, dropped after a while.

References in the trash name theirs; those that were purged do not. An undo of a removal finds its
content for a day. A content is removed inside the transaction that finds it unnamed, and attached
inside one that finds it here, so that neither can happen behind the other's back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence

from bifolio import limits
from bifolio.attachments import opened_copies
from bifolio.replica.replica import Replica


def collect(replica: Replica) -> Sequence[str]:
    """Drop what has been unnamed for long enough.

    Returns:
        the hashes of the contents that the relay had: it is to drop them too.
    """
    now_ms = replica.runtime.now_ms()
    before_s = replica.runtime.wall_s() - limits.UNNAMED_KEPT_S
    replica.contents.sweep(before_s=before_s)
    opened_copies.sweep(replica, before_s=before_s)
    with replica.database.transaction():
        replica.transfers.note_unnamed(now_ms)
        gone = replica.transfers.unnamed(before_ms=now_ms - int(limits.UNNAMED_KEPT_S * 1000))
        for transfer in gone:
            replica.contents.remove(transfer.hash)
            replica.contents.incoming(transfer.hash).unlink(missing_ok=True)
            if transfer.on_relay:
                replica.transfers.mark_missing(transfer.hash)
            else:
                replica.transfers.forget(transfer.hash)
    return [transfer.hash for transfer in gone if transfer.on_relay]


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
    """Drop everything that nothing names now, because a user wants the room.

    Returns:
        how many contents were here, and their bytes; the relay drops its own with the next sync.
    """
    count = size = 0
    with replica.database.transaction():
        # Only what a reference has named once: others may be copied at this moment, to be named.
        replica.transfers.note_unnamed(0)
        for transfer in replica.transfers.unnamed(before_ms=replica.runtime.now_ms()):
            replica.transfers.mark_unnamed(transfer.hash, 0)
            with contextlib.suppress(FileNotFoundError):
                size += replica.contents.path(transfer.hash).stat().st_size
                count += 1
    collect(replica)
    return count, size


def note_dropped_by_relay(replica: Replica, hashes: Collection[str]) -> None:
    """The relay holds these contents no longer, as it was asked."""
    with replica.database.transaction():
        for hash in hashes:
            if replica.references.attachments.with_content(hash):
                replica.transfers.mark_on_relay(hash, there=False)
            else:
                replica.transfers.forget(hash)

"""A library and its relay: attach, join, invite, sync and watch, as coroutines.

What each does before and after the network has its turn: the backup that is made unasked, and
the report. Everything but a backup is done in short steps in the loop's thread.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from pathlib import Path
from typing import TYPE_CHECKING

from bifolio import lazy, limits
from bifolio.crypto.recovery import decode_recovery
from bifolio.crypto.relay_token import parse_relay_token
from bifolio.crypto.ticket import Ticket
from bifolio.crypto.ticket_search import find_ticket
from bifolio.errors import (
    BundleNeededError,
    BusyLibraryError,
    InvalidValueError,
    MembershipError,
    Next,
    RecoveryCodeError,
    RelayRefusedError,
    RelayUnreachableError,
)
from bifolio.home import Home
from bifolio.library import status
from bifolio.library.backups import Backups
from bifolio.library.members import read_role
from bifolio.records.values import is_one_line
from bifolio.repair.sampling import Sampler
from bifolio.replica import folder
from bifolio.replica.membership import InviteTerms, LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.remote import Remote
from bifolio.results import (
    AttachResult,
    Backup,
    JoinResult,
    Progress,
    RecoveredLibrary,
    Stage,
    SyncReport,
    TicketPreview,
)
from bifolio.storage.free_pages import give_back

if TYPE_CHECKING:
    from bifolio.bundles import joining as bundle_joining
    from bifolio.replication import drafts
else:
    # For who joins by a file, and for who may not write: an attach and a sync need neither.
    bundle_joining = lazy.module("bifolio.bundles.joining")
    drafts = lazy.module("bifolio.replication.drafts")

#: What a watch is told of and goes on after: no way to the relay, or to the library's own file.
Outage = RelayUnreachableError | BusyLibraryError


class RelayAccess:
    """What ``Library`` does with its relay."""

    def __init__(self, replica: Replica, home: Home) -> None:
        self.remote = Remote(replica, LibraryMembership(replica), Sampler(replica).check)
        self._replica = replica
        self._home = home

    async def attach(
        self, url: str, *, token: str, backup: bool, progress: Progress | None
    ) -> AttachResult:
        """Bring the library to a relay."""
        replica = self._replica
        self.remote.check_not_old()
        parsed = parse_relay_token(token) if token else None
        await self.remote.reach(url)
        kept = await self._back_up(Backups.create_before_attach, progress) if backup else None
        before = self.remote.url or replica.meta.detached_from
        known = status.known_relay(replica) if not self.remote.url else None
        if known is not None and known.url == before:  # it was there itself
            known = None
        is_reached = await self.remote.fetch_before_move(url, progress)
        ticket = await self.remote.attach(url, progress, token=parsed)
        give_back(replica.database)
        return AttachResult(
            library=replica.library_id.hex(),
            path=replica.path,
            ticket=ticket,
            backup=kept,
            references=replica.references.count(trashed=False),
            moved_from=before if before != url and known is None else "",
            is_told=is_reached and self.remote.is_told(known.url if known is not None else before),
            is_said=self.remote.member_log.said_address() == url,
            known=known if known is not None and known.url != url else None,
        )

    async def join(
        self, ticket: str, *, backup: bool, bundle: Path | None, progress: Progress | None
    ) -> JoinResult:
        """Make the library part of a ticket's, or this device a member of it."""
        replica, parsed = self._replica, find_ticket(ticket)
        is_another = replica.library_id != parsed.library
        await self._prepare_join(parsed, bundle)
        kept = None
        if backup and is_another:
            kept = await self._back_up(Backups.create_before_join, progress)
        if is_another:
            with replica.database.transaction():
                replica.meta.join_backup = os.fspath(kept) if kept is not None else ""
        left_out = await self._join(parsed, bundle, progress)
        return JoinResult(
            library=replica.library_id.hex(),
            path=replica.path,
            backup=kept,
            references=replica.references.count(trashed=False),
            left_out=left_out,
        )

    async def preview(self, ticket: str, *, asks_relay: bool) -> TicketPreview:
        """What a ticket is for, and what of this library would go along."""
        replica, parsed = self._replica, find_ticket(ticket)
        facts = await self.remote.look_at(parsed) if parsed.relay and asks_relay else None
        is_same = replica.library_id == parsed.library
        is_empty = replica.records.count_of_content() == 0
        return TicketPreview(
            library=parsed.library.hex(),
            name=facts.name if facts else "",
            maker=facts.maker if facts else "",
            role=str(facts.role) if facts else "",
            members=facts.members if facts else 0,
            member_names=facts.member_names if facts else (),
            is_same=is_same,
            is_attached=bool(self.remote.url) and not is_same and not self.remote.is_old(),
            shared=0 if is_same or is_empty else replica.references.count(trashed=False),
            is_empty=is_empty,
        )

    async def recover(
        self, code: str, relay: str | None, progress: Progress | None
    ) -> RecoveredLibrary:
        """Become an owner of this library with a recovery code."""
        replica, parsed = self._replica, decode_recovery(code)
        if parsed.library != replica.library_id:
            raise RecoveryCodeError(
                "it is for another library", next_step=Next.CHOOSE_LIBRARY_OF_CODE
            )
        url = relay or self.remote.url
        by_relay = False
        try:
            if url:
                await self.remote.recover(parsed, url, progress)
                by_relay = True
        except (RelayUnreachableError, RelayRefusedError):
            # A relay that was named is to be asked; of one that is gone the library need not wait.
            if relay is not None or self.remote.member_log.membership() is None:
                raise
        except MembershipError as error:
            raise RecoveryCodeError(
                "the library does not know it, or a later one took its place",
                next_step=Next.USE_LATEST_CODE,
            ) from error
        if not by_relay:
            try:
                self.remote.recover_here(parsed)
            except MembershipError as error:
                raise RecoveryCodeError(
                    "what is in the library here does not know it",
                    next_step=Next.USE_CODE_OF_BACKUP,
                ) from error
        adopted = drafts.adopt_lost_changes(replica, self.remote.member_log)
        return RecoveredLibrary(
            library=replica.library_id.hex(),
            path=replica.path,
            references=replica.references.count(trashed=False),
            by_relay=by_relay,
            adopted=adopted,
        )

    async def join_new(
        self, ticket: Ticket, bundle: Path | None, progress: Progress | None
    ) -> None:
        """Fill a new replica with a ticket's library."""
        await self._prepare_join(ticket, bundle)
        await self._join(ticket, bundle, progress)
        give_back(self._replica.database, was_filled=True)

    async def _prepare_join(self, ticket: Ticket, bundle: Path | None) -> None:
        if bundle is not None:
            bundle_joining.prepare(self._replica, ticket, bundle)
        elif not ticket.relay:
            raise BundleNeededError
        else:
            await self.remote.prepare_join(ticket)

    async def _join(self, ticket: Ticket, bundle: Path | None, progress: Progress | None) -> int:
        """Join by a bundle or the relay; the trashed references that stay in the backup only."""
        if bundle is not None:
            return bundle_joining.join(self._replica, self.remote.member_log, ticket, bundle)
        left_out, _ = await self.remote.join(ticket, progress)
        return left_out

    async def invite(
        self, *, role: str, uses: int | None, lasts_s: float | None, label: str
    ) -> str:
        """Another ticket."""
        return await self.remote.invite(
            invite_terms(role, uses=uses, lasts_s=lasts_s, label=label), lasts_s=lasts_s
        )

    async def sync(self, progress: Progress | None) -> SyncReport:
        """Exchange what is new, until both sides have everything."""
        counts = await self.remote.sync(progress)
        give_back(self._replica.database)
        return status.sync_report(self._replica, counts, moved_to=self._take_followed())

    def _take_followed(self) -> str:
        """The address to which this computer followed the library, told once."""
        followed, self.remote.followed = self.remote.followed, ""
        return followed

    async def watch(
        self, outage: Callable[[Outage], None], nudge: asyncio.Event | None
    ) -> AsyncGenerator[SyncReport, None]:
        """Stay in sync: one report each time both sides have everything again.

        Another program that holds the library's file is waited for, however long that takes.
        """
        while True:
            try:
                async with aclosing(self.remote.watch(outage, nudge)) as rounds:
                    async for counts in rounds:
                        moved_to = self._take_followed()
                        yield status.sync_report(self._replica, counts, moved_to=moved_to)
                return
            except BusyLibraryError as error:
                outage(error)
            await asyncio.sleep(limits.BUSY_RETRY_S)

    async def _back_up(
        self, create: Callable[[Backups, Progress], Backup], progress: Progress | None
    ) -> Path:
        """Make a backup in a thread, with an opening of its own, while the loop goes on."""
        replica = self._replica
        is_cancelled = threading.Event()

        def tell(stage: Stage, done: int, total: int) -> None:
            if is_cancelled.is_set():
                raise asyncio.CancelledError
            if progress is not None:
                progress(stage, done, total)

        def make() -> Path:
            with closing(folder.open_database(replica.path)) as database:
                other = Replica(replica.path, database, lambda: replica.keys, replica.runtime)
                return create(Backups(other, self._home), tell).path

        try:
            return await asyncio.to_thread(make)
        except asyncio.CancelledError:
            is_cancelled.set()
            raise


def invite_terms(role: str, *, uses: int | None, lasts_s: float | None, label: str) -> InviteTerms:
    """For whom a ticket is, out of what a user wrote.

    Raises:
        InvalidValueError: a value is none that a ticket can have.
    """
    if uses is not None and not 1 <= uses <= limits.INVITE_USES_MAX:
        expected = f"a number from 1 to {limits.INVITE_USES_MAX:,}"
        raise InvalidValueError("uses", expected=expected, got=f"'{uses}'")
    if lasts_s is not None and not 0 < lasts_s <= limits.INVITE_LASTS_S_MAX:
        raise InvalidValueError(
            "expires",
            expected="a time of up to ten years, such as 7d",
            got=f"{lasts_s / 86_400:,.0f} days",
        )
    label = label.strip()
    if label and not (is_one_line(label) and len(label.encode()) <= limits.INVITE_TEXT_BYTES_MAX):
        expected = f"one line of at most {limits.INVITE_TEXT_BYTES_MAX} bytes"
        raise InvalidValueError("label", expected=expected, got=f"'{label}'")
    return InviteTerms(role=read_role(role), uses=uses, label=label)

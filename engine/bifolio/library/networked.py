"""What a library does with its relay: each call plain, and as a coroutine for an event loop.

The part of ``Library`` that needs the network, which is loaded when the first of it is called.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bifolio import limits
from bifolio.errors import NotAttachedError
from bifolio.home import Home
from bifolio.replica.replica import Replica
from bifolio.results import (
    AttachResult,
    DetachedLibrary,
    JoinResult,
    Progress,
    RecoveredLibrary,
    SyncReport,
    TicketPreview,
)

if TYPE_CHECKING:
    import asyncio

    from bifolio.crypto.keys import DeviceKeys
    from bifolio.library.sharing import Outage, RelayAccess

T = TypeVar("T")


class Networked:
    """The calls of ``Library`` that talk to a relay."""

    _replica: Replica
    _home: Home

    @property
    def _relay(self) -> RelayAccess:
        from bifolio.library.sharing import RelayAccess

        return RelayAccess(self._replica, self._home)

    def attach(
        self, relay: str, *, token: str = "", backup: bool = True, progress: Progress | None = None
    ) -> AttachResult:
        """Bring the library to a relay, by its address; the answer holds a ticket for another
        computer. ``token`` is for a relay that wants one; it is kept, sealed to this device."""
        return run(self.attach_async(relay, token=token, backup=backup, progress=progress))

    async def attach_async(
        self, relay: str, *, token: str = "", backup: bool = True, progress: Progress | None = None
    ) -> AttachResult:
        """``attach`` in an event loop."""
        return await self._relay.attach(relay, token=token, backup=backup, progress=progress)

    def preview(self, ticket: str, *, asks_relay: bool = True) -> TicketPreview:
        """What a ticket is for, and what of this library joining with it would share. Nothing
        is changed; where its relay is not to be asked, little is known of the ticket.

        Raises:
            TicketError, RelayUnreachableError, RelayRefusedError and others.
        """
        return run(self.preview_async(ticket, asks_relay=asks_relay))

    async def preview_async(self, ticket: str, *, asks_relay: bool = True) -> TicketPreview:
        """``preview`` in an event loop."""
        return await self._relay.preview(ticket, asks_relay=asks_relay)

    def join(
        self,
        ticket: str,
        *,
        backup: bool = True,
        bundle: Path | None = None,
        progress: Progress | None = None,
    ) -> JoinResult:
        """Make this library part of a ticket's, or this device a member of it; by a bundle without
        a relay.

        Raises:
            TicketError, AlreadyAttachedError, RelayUnreachableError, BundleError: nothing changed.
        """
        return run(self._relay.join(ticket, backup=backup, bundle=bundle, progress=progress))

    async def join_async(
        self, ticket: str, *, backup: bool = True, progress: Progress | None = None
    ) -> JoinResult:
        """``join`` in an event loop."""
        return await self._relay.join(ticket, backup=backup, bundle=None, progress=progress)

    def recover(
        self, code: str, *, relay: str | None = None, progress: Progress | None = None
    ) -> RecoveredLibrary:
        """Become an owner with a recovery code, where every owner's computer is lost: of a restored
        backup, by its relay, or by the list of members in it where no relay has the library. What
        the lost computer had not sent becomes this one's.

        Args:
            code: as ``members.create_recovery`` gave it.
            relay: its address, if it is not the one that the library is on.
            progress: told of each stage.

        Raises:
            RecoveryCodeError, MembershipError, RelayUnreachableError, RelayRefusedError.
        """
        return run(self.recover_async(code, relay=relay, progress=progress))

    async def recover_async(
        self, code: str, *, relay: str | None = None, progress: Progress | None = None
    ) -> RecoveredLibrary:
        """``recover`` in an event loop."""
        return await self._relay.recover(code, relay, progress)

    def invite(
        self,
        *,
        role: str = "editor",
        uses: int | None = 1,
        lasts_s: float | None = limits.INVITE_LASTS_S,
        label: str = "",
    ) -> str:
        """Another ticket.

        Args:
            role: what who joins with it becomes: ``owner``, ``editor`` or ``reader``.
            uses: how many computers may join with it; any number with None.
            lasts_s: for how many seconds it lets somebody in; for ever with None.
            label: what the owners call it, in ``members.invites()``.

        Raises:
            InvalidValueError, NotAttachedError, NotTheOwnerError, RelayUnreachableError and others.
        """
        return run(self.invite_async(role=role, uses=uses, lasts_s=lasts_s, label=label))

    async def invite_async(
        self,
        *,
        role: str = "editor",
        uses: int | None = 1,
        lasts_s: float | None = limits.INVITE_LASTS_S,
        label: str = "",
    ) -> str:
        """``invite`` in an event loop."""
        return await self._relay.invite(role=role, uses=uses, lasts_s=lasts_s, label=label)

    def rotate_keys(self, successor: DeviceKeys, progress: Progress | None = None) -> bool:
        """Go on under this computer's next keys (``library.own_device``); False where the library
        does not know it.

        Raises:
            RelayUnreachableError, NotAMemberError and others.
        """
        return run(self._relay.remote.rotate(successor, progress))

    def detach(self) -> DetachedLibrary:
        """Be on no relay any more, here alone: a member it stays.

        Raises:
            NotAttachedError: it is on none.
        """
        url = self._replica.meta.relay_url
        if not url:
            raise NotAttachedError
        self._relay.remote.detach()
        return DetachedLibrary(self._replica.library_id.hex(), self._replica.path, url)

    def delete_at_relay(self) -> DetachedLibrary:
        """As an owner, have the relay delete the library with all that it holds of it. Every
        computer keeps what it has, and learns what happened at its next sync; any of them can bring
        the library to a relay again.

        Raises:
            NotAttachedError, NotTheOwnerError, RelayUnreachableError, RelayRefusedError.
        """
        url = self._replica.meta.relay_url
        run(self._relay.remote.delete_at_relay())
        return DetachedLibrary(self._replica.library_id.hex(), self._replica.path, url)

    def sync(self, progress: Progress | None = None) -> SyncReport:
        """Exchange what is new with the relay, and wait until both sides have everything."""
        return run(self.sync_async(progress))

    async def sync_async(self, progress: Progress | None = None) -> SyncReport:
        """``sync`` in an event loop."""
        return await self._relay.sync(progress)

    def watch(
        self,
        outage: Callable[[Outage], None] | None = None,
        *,
        nudge: asyncio.Event | None = None,
    ) -> AsyncGenerator[SyncReport, None]:
        """Stay in sync: one report each time both sides have everything again.

        To leave early, close it with ``contextlib.aclosing``; the connection closes with it.

        Args:
            outage: told of each attempt that did not reach the relay, and of another program
                that holds the library (``BusyLibraryError``); it is tried again.
            nudge: set when something may have been written, so that the file need not be asked.
        """
        return self._relay.watch(outage or (lambda _: None), nudge)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Wait for the network."""
    from bifolio.replication.run_blocking import run_blocking

    return run_blocking(coroutine)

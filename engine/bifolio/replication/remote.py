"""Attaching a replica to a relay, joining with a ticket, inviting, syncing.

Between the facade and the network's shell: what each needs of the replica, in which order, and
what is put back when the relay cannot be reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial

from bifolio.crypto.keys import seal_to
from bifolio.crypto.membership import Role, invite_keys
from bifolio.crypto.relay_token import RelayToken
from bifolio.crypto.ticket import Ticket
from bifolio.errors import (
    AlreadyAttachedError,
    BifolioError,
    Next,
    NextStep,
    NotAMemberError,
    NotAttachedError,
    NotTheOwnerError,
    OldMembershipError,
    RelayRefusedError,
    RelayUnreachableError,
)
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import joining, refilling
from bifolio.replication.adapter import ReplicaAdapter, membership_head
from bifolio.replication.change_watcher import ChangeWatcher
from bifolio.replication.client import Client
from bifolio.replication.greeting import make_hello, relay_name
from bifolio.results import Progress
from bifolio.sync.counts import Counts
from bifolio.sync.refusals import unknown_library
from bifolio.wire.messages import Challenge, Code, Hello, Message, Welcome
from bifolio.wire.position import LogPosition

_SECRET_BYTES = 32


class _MovedError(Exception):
    """The library is on another relay now than the one that is talked to."""


@dataclass(slots=True)
class Remote:
    """One replica and its relay."""

    replica: Replica
    member_log: LibraryMembership

    @property
    def url(self) -> str:
        """The relay's address; empty where the library is not attached."""
        return self.replica.meta.relay_url

    async def attach(
        self, url: str, progress: Progress | None, *, token: RelayToken | None = None
    ) -> str:
        """Bring the library to a relay; returns a ticket for another computer, which is empty where
        this one is no owner's: any member may move to another relay.

        A token is kept for the library, so that a relay that forgot it can be given it again.

        Raises:
            RelayUnreachableError and others: the library stays as it was.
        """
        if self.member_log.role() is None:
            raise NotAMemberError
        meta = self.replica.meta
        before = (meta.relay_url, meta.reachable, meta.notes, meta.relay_token)
        sealed = b"" if before[0] != url else before[3]  # another relay's is worth nothing there
        if token is not None:
            keys = self.replica.keys
            sealed = seal_to(keys.box_public, token.encode().encode("ascii"))
        with self.replica.database.transaction():
            meta.relay_url, meta.relay_token = url, sealed
        try:
            await self.sync(progress)
            if self.member_log.role() is not Role.OWNER:
                return ""
            return await self.invite(progress)
        except BaseException as error:  # an interrupt and a cancelled wait leave nothing either
            if before[0] != url:
                with self.replica.database.transaction():
                    meta.relay_url, meta.reachable, meta.notes, meta.relay_token = before
                if isinstance(error, RelayRefusedError) and not _wants_token(
                    error
                ):  # a sync would not ask it again
                    error.next_step = NextStep(Next.ATTACH_ELSEWHERE)
            raise

    async def invite(self, progress: Progress | None = None) -> str:
        """Append an invite to the membership log and make its ticket.

        Raises:
            NotAttachedError, NotTheOwnerError, RelayUnreachableError, NotAMemberError and others.
        """
        if not self.url:
            raise NotAttachedError
        self._check_owner()
        secret = self.replica.runtime.random_bytes(_SECRET_BYTES)
        store = ReplicaAdapter(self.replica, self.member_log, invite_secret=secret)
        await self._run(store, progress)
        cursor = self.replica.meta.cursor
        if cursor is None:
            raise NotAttachedError
        return Ticket(
            relay=self.url,
            library=self.replica.library_id,
            secret=secret,
            epoch=cursor.epoch,
            position=cursor.position,
            chain_hash=cursor.chain_hash,
            membership_head=membership_head(self.member_log),
        ).encode()

    async def join(self, ticket: Ticket, progress: Progress | None) -> tuple[int, Counts]:
        """Become a member with a ticket, and merge; a library of its own joins the ticket's.

        ``prepare_join`` comes before it.

        Returns:
            the trashed references that stay in the backup only, and what was exchanged.
        """
        replica = self.replica
        other = replica.library_id != ticket.library
        left_out = 0
        with replica.database.transaction():
            if other:
                left_out = joining.begin(replica, self.member_log, ticket.library)
            replica.meta.relay_url = ticket.relay
        expected = LogPosition(ticket.epoch, ticket.position, ticket.chain_hash)
        store = ReplicaAdapter(
            replica, self.member_log, join_secret=ticket.secret, expected=expected
        )
        return left_out, await self._run(store, progress)

    async def prepare_join(self, ticket: Ticket) -> None:
        """Find out what stands in the way of ``join``, before anything is changed here.

        Raises:
            AlreadyAttachedError: the library is another one, and attached.
            RelayUnreachableError, ProtocolError: the ticket's relay does not answer.
            RelayRefusedError: it does not hold the ticket's library.
        """
        replica = self.replica
        if replica.library_id != ticket.library and self.url and not self._is_old():
            raise AlreadyAttachedError(
                library_id=replica.library_id.hex(), ticket_library_id=ticket.library.hex()
            )
        answer = await self.reach(ticket.relay, partial(_ticket_greeting, ticket))
        if isinstance(answer, Welcome) and not answer.exists:
            raise unknown_library()

    def _is_old(self) -> bool:
        """Whether the library's members are those of an earlier program: it leaves its relay."""
        return self.member_log.is_of_an_earlier_program()

    def check_not_old(self) -> None:
        """Say so before a relay is asked, which may be gone or too new for the library.

        Raises:
            OldMembershipError: the members are those of an earlier program.
        """
        if self._is_old():
            raise OldMembershipError

    @staticmethod
    async def reach(url: str, greeting: Callable[[Challenge], Hello] | None = None) -> Message:
        """Find out that a relay answers, and what, before anything is changed here."""
        try:
            return await Client.probe(url, greeting)
        except RelayUnreachableError as error:
            # Nothing is attached yet: a sync would not try again.
            if error.next_step == NextStep(Next.CHECK_CONNECTION):
                error.next_step = NextStep(Next.ATTACH_AGAIN)
            raise

    async def sync(
        self, progress: Progress | None = None, *, only_file: str | None = None
    ) -> Counts:
        """Exchange what is new on both sides; of the files one alone, where a user wants that.

        Raises:
            NotAttachedError, RelayUnreachableError, NotAMemberError and others.
        """
        if not self.url:
            raise NotAttachedError
        self.check_not_old()
        store = ReplicaAdapter(self.replica, self.member_log, only_file=only_file)
        return await self._run(store, progress)

    async def watch(
        self,
        outage: Callable[[RelayUnreachableError], None],
        nudge: asyncio.Event | None = None,
    ) -> AsyncGenerator[Counts, None]:
        """Stay connected and exchange changes as they are made.

        Args:
            outage: told of each attempt that did not reach the relay.
            nudge: set when another process may have written; without it the file is asked often.
        """
        changes = ChangeWatcher(self.replica, nudge)

        def cut(url: str, error: RelayUnreachableError) -> None:
            # Of a relay that the library has left, nothing is to be told or noted.
            self._check_still_at(url)
            self._note_contact(reachable=False)
            outage(error)

        while True:
            url = self.url
            if not url:
                raise NotAttachedError
            self.check_not_old()
            store = ReplicaAdapter(self.replica, self.member_log)
            store.clear_notes()
            self._begin_session()
            store.retry_newer()
            client = Client(url, store, library=self.replica.library_id)
            rounds = client.watch(partial(self._changed, changes, url), partial(cut, url))
            try:
                async with aclosing(rounds):
                    async for counts in rounds:
                        self._check_still_at(url)
                        self._note_contact(reachable=True)
                        yield counts
            except _MovedError:
                continue
            except RelayUnreachableError:
                raise
            except BifolioError as error:
                if self.url != url:
                    continue
                store.note(error.message, error.next_step)
                self._note_contact(reachable=True, synced=False)
                raise

    async def _changed(self, changes: ChangeWatcher, url: str) -> None:
        """Wait until another process wrote.

        Raises:
            _MovedError: it attached the library to another relay.
        """
        await changes.wait()
        self._check_still_at(url)

    def _check_still_at(self, url: str) -> None:
        """A command may have attached the library to another relay meanwhile.

        Raises:
            _MovedError: it did.
        """
        if self.url != url:
            raise _MovedError

    async def _run(self, store: ReplicaAdapter, progress: Progress | None) -> Counts:
        store.clear_notes()
        client = Client(self.url, store, library=self.replica.library_id, progress=progress)
        try:
            with closing(store.files):
                self._begin_session()
                retried = store.retry_newer()
                counts = await client.run()
                counts.pulled += retried
                refilling.finish(self.replica)
        except RelayUnreachableError:
            self._note_contact(reachable=False)
            raise
        except BifolioError as error:
            store.note(error.message, error.next_step)
            self._note_contact(reachable=True, synced=False)
            raise
        self._note_contact(reachable=True)
        return counts

    def _begin_session(self) -> None:
        self.replica.drain()
        with self.replica.database.transaction():
            self.replica.deletion_guard.begin_session()

    def _check_owner(self) -> None:
        """Only owners invite: a member is told which computer can."""
        if self.member_log.role() not in (None, Role.OWNER):
            raise NotTheOwnerError("invite", owners=self.member_log.owner_names())

    def _note_contact(self, *, reachable: bool, synced: bool = True) -> None:
        meta = self.replica.meta
        if reachable and synced:
            self.replica.drain()
        with self.replica.database.transaction():
            meta.reachable = reachable
            if reachable and synced:
                self.replica.deletion_guard.end_session()
                meta.last_sync_ms = self.replica.runtime.now_ms()


def _wants_token(error: RelayRefusedError) -> bool:
    """Whether it is a token that the relay wants, and not another library or another relay."""
    return error.refusal == Code.TOKEN


def _ticket_greeting(ticket: Ticket, challenge: Challenge) -> Hello:
    """HELLO with the ticket's key."""
    return make_hello(
        invite_keys(ticket.secret),
        challenge,
        library=ticket.library,
        relay=relay_name(ticket.relay),
        join=True,
    )

"""Attaching a replica to a relay, joining with a ticket, inviting, syncing.

Between the facade and the network's shell: what each needs of the replica, in which order, and
what is put back when the relay cannot be reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from bifolio import limits
from bifolio.crypto.keys import DeviceKeys, seal_to
from bifolio.crypto.membership import Role
from bifolio.crypto.recovery import RecoveryCode
from bifolio.crypto.relay_token import RelayToken
from bifolio.crypto.ticket import Ticket
from bifolio.errors import (
    AlreadyAttachedError,
    BifolioError,
    Next,
    NextStep,
    NotAMemberError,
    NotTheOwnerError,
    OldMembershipError,
    RelayRefusedError,
    RelayUnreachableError,
)
from bifolio.replica.membership import InviteTerms, LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import joining, moving, refilling, rotation
from bifolio.replication.adapter import ReplicaAdapter, membership_head
from bifolio.replication.change_watcher import ChangeWatcher
from bifolio.replication.client import Client
from bifolio.replication.greeting import recovery_greeting, ticket_greeting
from bifolio.replication.member_acts import (
    InviteAct,
    LeaveAct,
    MemberAct,
    MoveAct,
    RotateAct,
)
from bifolio.replication.ticket_preview import TicketFacts, read_ticket
from bifolio.results import Progress
from bifolio.sync.counts import Counts
from bifolio.sync.refusals import unknown_library
from bifolio.wire.messages import Challenge, Code, Hello, Message, Welcome
from bifolio.wire.position import LogPosition

_SECRET_BYTES = 32

#: How often a live connection looks whether the members say that the library moved.
_MOVE_LOOK_S = 1.0


class _MovedError(Exception):
    """The library is on another relay now than the one that is talked to."""


@dataclass(slots=True)
class Remote:
    """One replica and its relay."""

    replica: Replica
    member_log: LibraryMembership
    #: Called in the transaction that notes that a sync ended well, with how long it took.
    check_sample: Callable[[float], None] | None = None
    #: The address to which this computer followed the library, until it is told.
    followed: str = ""

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
        before, before_url = moving.read_place(self.replica), self.url
        sealed = b""
        if token is not None:
            keys = self.replica.keys
            sealed = seal_to(keys.box_public, token.encode().encode("ascii"))
        is_owner = self.member_log.role() is Role.OWNER
        says_so = is_owner and moving.is_to_be_said(self.replica, self.member_log, url)
        if says_so:
            moving.remember_said(self.replica, url)
        moving.leave(self.replica, url, by=self.replica.keys.name, token=sealed)
        try:
            act = MoveAct(self.member_log, url) if says_so else None
            store = ReplicaAdapter(self.replica, self.member_log, act=act, again=True)
            await self._run(store, progress)
            moving.heed(self.replica, self.member_log)
            await moving.look_back(self.replica, self.member_log)
            if not is_owner:
                return ""
            return await self.invite(lasts_s=limits.INVITE_LASTS_S, progress=progress)
        except BaseException as error:  # an interrupt and a cancelled wait leave nothing either
            has_moved = says_so and self.member_log.said_address() == url
            if before_url != url and not has_moved:
                moving.put_back(self.replica, before)
                if isinstance(error, RelayRefusedError) and not _wants_token(
                    error
                ):  # a sync would not ask it again
                    error.next_step = NextStep(Next.ATTACH_ELSEWHERE)
            raise

    def is_told(self, url: str) -> bool:
        """Whether a relay that the library left knows where it is now."""
        return any(one.url == url and one.is_told for one in self.replica.meta.former_relays)

    async def fetch_before_move(self, url: str, progress: Progress | None) -> bool:
        """Before an owner brings the library to another relay: get what the one so far has.

        Returns:
            whether it answered, or there is none to ask.
        """
        if not self.url or self.url == url or self.member_log.role() is not Role.OWNER:
            return True
        try:
            await self._run(ReplicaAdapter(self.replica, self.member_log), progress)
        except (RelayUnreachableError, RelayRefusedError):
            return False
        return True

    async def invite(
        self,
        terms: InviteTerms | None = None,
        *,
        lasts_s: float | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Append an invite to the membership log and make its ticket.

        Args:
            terms: for whom it is; without them for one editor.
            lasts_s: how long it lets somebody in, by the relay's clock; for ever without it.
            progress: told of each stage.

        Raises:
            NotAttachedError, NotTheOwnerError, RelayUnreachableError, NotAMemberError and others.
        """
        if not self.url:
            raise moving.not_attached(self.replica)
        self.check_owner("invite")
        terms = terms or InviteTerms()
        if lasts_s is not None:
            # The relay judges it by its own clock; this computer's may be wrong by years.
            with _to_be_tried_again():
                now_s = await Client.time_of(self.url) or self.replica.runtime.wall_s()
            terms = replace(terms, expires_ms=max(int((now_s + lasts_s) * 1000), 0))
        secret = self.replica.runtime.random_bytes(_SECRET_BYTES)
        await self.act(InviteAct(self.member_log, secret, terms), progress)
        cursor = self.replica.meta.cursor
        if cursor is None:
            raise moving.not_attached(self.replica)
        return Ticket(
            relay=self.url,
            library=self.replica.library_id,
            secret=secret,
            epoch=cursor.epoch,
            position=cursor.position,
            chain_hash=cursor.chain_hash,
            membership_head=membership_head(self.member_log),
        ).encode()

    async def act(self, act: MemberAct, progress: Progress | None = None) -> None:
        """Change the members: on the relay; here alone, where the library has none.

        Raises:
            RelayUnreachableError, NotAMemberError, MembershipError and others.
        """
        if self.url:
            self.check_not_old()
            with _to_be_tried_again():
                await self._run_following(act, progress)
            return
        if self.member_log.role() is None:
            raise NotAMemberError
        store = ReplicaAdapter(self.replica, self.member_log, act=act)
        while (record := store.own_record(log_is_merged=True)) is not None:
            self.member_log.learn([record])

    async def leave(self, progress: Progress | None = None) -> None:
        """Stop being a member, once all of this computer is on the relay; what is here stays, and
        is on no relay any more.

        Raises:
            RelayUnreachableError, NotAMemberError, MembershipError and others.
        """
        try:
            await self.act(LeaveAct(self.replica), progress)
        except NotAMemberError:
            if self.member_log.role() is not None:
                raise
        self.detach()

    async def rotate(self, successor: DeviceKeys, progress: Progress | None = None) -> bool:
        """Go on under this device's next keys, once what the present ones signed is on the relay;
        what was interrupted is resumed (``rotation``).

        Returns:
            whether the library knows this device at all: a copy of another computer's does not.

        Raises:
            RelayUnreachableError, NotAMemberError, MembershipError and others: it goes on under the
                present keys.
        """
        replica, member_log = self.replica, self.member_log
        if replica.keys.sign_public == successor.sign_public:
            return True
        if not rotation.knows_this_device(replica, member_log):
            return False
        if not rotation.has_rotated(member_log, successor):
            if not self.url:
                ReplicaAdapter(replica, member_log).seal()
            try:
                await self.act(RotateAct(replica, member_log, successor), progress)
            except NotAMemberError:
                if not rotation.has_rotated(member_log, successor):
                    raise
        if not rotation.has_rotated(member_log, successor):
            raise NotAMemberError
        rotation.take(replica, member_log, successor)
        if self.url:
            await self.sync(progress)
        return True

    async def delete_at_relay(self) -> None:
        """Have the relay delete the library, with all that it holds of it, and be on no relay.
        Replicas keep everything, this one too.

        Raises:
            NotAttachedError, NotTheOwnerError, RelayUnreachableError, RelayRefusedError.
        """
        url = self.url
        if not url:
            raise moving.not_attached(self.replica)
        self.check_owner("delete it on its relay")
        with _to_be_tried_again():
            await Client.delete_library(url, ReplicaAdapter(self.replica, self.member_log))
        moving.detach(self.replica, is_deleted=True)

    def detach(self) -> None:
        """Be on no relay any more; the members know nothing of it."""
        moving.detach(self.replica)

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
            # For the next sync, where this process does not come to the end of it.
            joining.keep_ticket(replica, ticket.secret)
        expected = LogPosition(ticket.epoch, ticket.position, ticket.chain_hash)
        store = ReplicaAdapter(
            replica, self.member_log, join_secret=ticket.secret, expected=expected
        )
        counts = await self._run(store, progress)
        with replica.database.transaction():
            replica.meta.forget("ticket_secret")
        # A ticket of before the library moved leads to the relay where that is said.
        if await self._follow():
            counts += await self._run(ReplicaAdapter(replica, self.member_log), progress)
        return left_out, counts

    async def recover(self, code: RecoveryCode, url: str, progress: Progress | None = None) -> None:
        """Become an owner with a recovery code, by a relay that holds the library.

        Raises:
            RelayUnreachableError, RelayRefusedError, MembershipError: the code is not good there.
        """
        greeting = partial(recovery_greeting, code, url)
        answer = await self.reach(url, greeting)
        if isinstance(answer, Welcome) and not answer.exists:
            raise unknown_library(Next.RECOVER_BY_BACKUP)
        with self.replica.database.transaction():
            self.replica.meta.relay_url = url
        store = ReplicaAdapter(
            self.replica, self.member_log, join_secret=code.secret, is_recovery=True
        )
        await self._run(store, progress)

    def recover_here(self, code: RecoveryCode) -> None:
        """Become an owner with a recovery code, by the list of members that is here: no relay has
        the library any more.

        Raises:
            MembershipError: the code is not good by that list.
        """
        if self.member_log.role() is not Role.OWNER or not self.member_log.has_key():
            self.member_log.learn([self.member_log.recover(code.secret)])

    async def prepare_join(self, ticket: Ticket) -> None:
        """Find out what stands in the way of ``join``, before anything is changed here.

        Raises:
            AlreadyAttachedError: the library is another one, and attached.
            RelayUnreachableError, ProtocolError: the ticket's relay does not answer.
            RelayRefusedError: it does not hold the ticket's library.
        """
        replica = self.replica
        if replica.library_id != ticket.library and self.url and not self.is_old():
            raise AlreadyAttachedError(
                library_id=replica.library_id.hex(), ticket_library_id=ticket.library.hex()
            )
        answer = await self.reach(ticket.relay, partial(ticket_greeting, ticket))
        if isinstance(answer, Welcome) and not answer.exists:
            raise unknown_library()

    async def look_at(self, ticket: Ticket) -> TicketFacts:
        """What a ticket is for, before anything is changed here.

        Raises:
            TicketError: it lets nobody in any more.
            RelayUnreachableError, RelayRefusedError, ProtocolError: the relay does not say.
        """
        try:
            welcome, records = await Client.read_members(
                ticket.relay, partial(ticket_greeting, ticket)
            )
        except RelayUnreachableError as error:
            if error.next_step == NextStep(Next.CHECK_CONNECTION):
                error.next_step = NextStep(Next.ATTACH_AGAIN)
            raise
        if not welcome.exists:
            raise unknown_library()
        return read_ticket(ticket, records, self.replica.keys.sign_public)

    def is_old(self) -> bool:
        """Whether the library's members are those of an earlier program: it leaves its relay."""
        return self.member_log.is_of_an_earlier_program()

    def check_not_old(self) -> None:
        """Say so before a relay is asked, which may be gone or too new for the library.

        Raises:
            OldMembershipError: the members are those of an earlier program.
        """
        if self.is_old():
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
            raise moving.not_attached(self.replica)
        self.check_not_old()
        counts = await self._run_following(None, progress, only_file=only_file)
        if self.replica.meta.former_relays:
            await moving.look_back(self.replica, self.member_log)
            if await self._follow():
                counts += await self._run_following(None, progress, only_file=only_file)
        return counts

    async def _run_following(
        self, act: MemberAct | None, progress: Progress | None, *, only_file: str | None = None
    ) -> Counts:
        """One sync, at the relay where an owner said that the library is, also if that is only
        learnt by it."""
        counts = Counts()
        await self._follow()
        for _ in range(limits.CONNECTIONS_PER_SYNC_MAX):
            store = ReplicaAdapter(
                self.replica,
                self.member_log,
                act=act,
                join_secret=self._unused_ticket(),
                only_file=only_file,
            )
            counts += await self._run(store, progress)
            # What a backup of before this device's present keys brought is written again now.
            is_late = rotation.has_late_edits(self.replica, self.member_log)
            if not await self._follow() and not is_late:
                break
        return counts

    async def _follow(self) -> bool:
        """Go where an owner said that the library is; whether this computer went."""
        followed = await moving.follow(self.replica, self.member_log)
        if followed.why:
            ReplicaAdapter(self.replica, self.member_log).note(followed.why, None)
        self.followed = followed.to or self.followed
        return bool(followed.to)

    @property
    def is_in(self) -> bool:
        """Whether this device is a member that can read the library: an owner whose replica was
        lost is a member, and has no key before it joins again."""
        return self.member_log.role() is not None and self.member_log.has_key()

    def _unused_ticket(self) -> bytes | None:
        """The secret of the ticket of a join that was interrupted; None where there was none."""
        return None if self.is_in else joining.kept_ticket(self.replica)

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
                raise moving.not_attached(self.replica)
            self.check_not_old()
            if await self._follow():
                continue
            store = ReplicaAdapter(self.replica, self.member_log, join_secret=self._unused_ticket())
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
                if self.url != url or self.replica.check_keys():
                    continue
                store.note(error.message, error.next_step)
                self._note_contact(reachable=True, synced=False)
                raise

    async def _changed(self, changes: ChangeWatcher, url: str) -> None:
        """Wait until another process wrote.

        Raises:
            _MovedError: it attached the library to another relay, or this computer followed it.
        """
        written = asyncio.ensure_future(changes.wait())
        follow_at_s = 0.0
        try:
            while not written.done():
                await asyncio.wait({written}, timeout=_MOVE_LOOK_S)
                self._check_still_at(url)
                now_s = self.replica.runtime.monotonic_s()
                if now_s >= follow_at_s and moving.is_to_be_followed(self.replica, self.member_log):
                    follow_at_s = now_s + limits.RELAY_FOLLOW_RETRY_S
                    await self._follow()
                    self._check_still_at(url)
                await moving.look_back(self.replica, self.member_log)
            written.result()
        finally:
            written.cancel()

    def _check_still_at(self, url: str) -> None:
        """A command may have attached the library to another relay meanwhile.

        Raises:
            _MovedError: it did.
        """
        if self.url != url:
            raise _MovedError

    async def _run(self, store: ReplicaAdapter, progress: Progress | None) -> Counts:
        store.clear_notes()
        begun_s = self.replica.runtime.monotonic_s()
        was_member = self.member_log.role() is not None
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
        self._note_contact(reachable=True, worked_s=self.replica.runtime.monotonic_s() - begun_s)
        if not was_member:
            with self.replica.database.transaction():  # what was there before it came is not new
                self.replica.meta.log_read_through = self.replica.changes.last_number()
        return counts

    def _begin_session(self) -> None:
        self.replica.drain()
        self.replica.check_keys()
        rotation.adopt_late_edits(self.replica, self.member_log)
        with self.replica.database.transaction():
            self.replica.deletion_guard.begin_session()
            # A file of an earlier program does not say what this computer is in the library.
            if self.replica.meta.standing is None:
                self.member_log.read_again_inside()

    def check_owner(self, act: str) -> None:
        """Only owners do this: a member is told which computer can.

        Raises:
            NotTheOwnerError: this device is a member and no owner.
        """
        role = self.member_log.role()
        if role not in (None, Role.OWNER):
            owners = self.member_log.owner_names()
            raise NotTheOwnerError(act, owners=owners, may_write=role is Role.EDITOR)

    def _note_contact(self, *, reachable: bool, synced: bool = True, worked_s: float = 0.0) -> None:
        meta = self.replica.meta
        if reachable and synced:
            self.replica.drain()
        with self.replica.database.transaction():
            meta.reachable, meta.was_asked = reachable, True
            if reachable and synced:
                meta.is_at_another_relay = False
                self.replica.deletion_guard.end_session()
                meta.last_sync_ms = self.replica.runtime.now_ms()
                if self.check_sample is not None:
                    self.check_sample(worked_s)


@contextmanager
def _to_be_tried_again() -> Iterator[None]:
    """Where the relay does not answer a command, it is the command that is given again: a sync
    would not make up for it."""
    try:
        yield
    except RelayUnreachableError as error:
        if error.next_step == NextStep(Next.CHECK_CONNECTION):
            error.next_step = NextStep(Next.COMMAND_AGAIN)
        raise


def _wants_token(error: RelayRefusedError) -> bool:
    """Whether it is a token that the relay wants, and not another library or another relay."""
    return error.refusal == Code.TOKEN

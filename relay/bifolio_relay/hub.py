"""What joins the connections of one relay process: who asks what, the commits, who is told what.

One task makes the commits; a connection's part is its ``Peer``, a library's its ``Feed``. Decides
nothing about libraries and does not know how connections come about.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bifolio import limits
from bifolio.errors import MembershipError, RelayStorageError
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay import admission, health
from bifolio_relay.admission import Admission
from bifolio_relay.budget import ByteBudget
from bifolio_relay.care import Care
from bifolio_relay.commit_queue import CommitQueue, Waiting
from bifolio_relay.config import Config
from bifolio_relay.doorstep import health_path, tell_health, turn_away
from bifolio_relay.feed import Feed
from bifolio_relay.log_service import LogService
from bifolio_relay.metered_socket import Intake, MeteredSocket, host_of
from bifolio_relay.partials import Partials
from bifolio_relay.peer import Peer
from bifolio_relay.quotas import Quotas
from bifolio_relay.rates import Buckets, TokenBucket
from bifolio_relay.requests import (
    Answer,
    AppendMember,
    BlobStates,
    Commit,
    CreateLibrary,
    DeleteLibrary,
    MembersPart,
    Outcome,
    Question,
    ReadChunk,
    ReadLog,
    ReadMembers,
    ReadSnapshotChunk,
    Rejected,
    ReplaceMembers,
    Submission,
)
from bifolio_relay.session import Session
from bifolio_relay.storage import LogStorage

#: What an answer may take until it is sent, in the two copies that it is sent by.
_ANSWER_BYTES: Mapping[type[Question], int] = {
    ReadLog: 2 * limits.BATCH_BYTES_TARGET,
    ReadMembers: 2 * limits.BATCH_BYTES_TARGET,
    ReadChunk: 2 * limits.SEALED_CHUNK_BYTES_MAX,
    ReadSnapshotChunk: 2 * limits.SNAPSHOT_CHUNK_BYTES_MAX,
}


_DELETED = "an owner deleted the library here"


class Hub:
    """All connections of this process, and the commits and feeds between them."""

    def __init__(self, storage: LogStorage, config: Config, logger: logging.Logger) -> None:
        self._config = config
        self._logger = logger
        self._service = LogService(
            storage,
            random_bytes=os.urandom,
            now_ms=lambda: time.time_ns() // 1_000_000,
            quotas=Quotas(
                libraries=config.libraries_max,
                library_bytes=config.library_bytes_max,
                file_bytes=config.file_bytes_max,
                require_token=config.require_token,
            ),
        )
        self._commits: CommitQueue[Peer] = CommitQueue()
        self._peers: set[Peer] = set()
        self._feeds: dict[bytes, Feed] = {}
        self._partials = Partials()
        self.intake = Intake()
        self._unread = ByteBudget(
            limits.RELAY_QUEUES_BYTES_MAX, limits.RELAY_LIBRARY_QUEUES_BYTES_MAX
        )
        self._admission = Admission(config.connections_max, time.monotonic)
        self._rates = Buckets(
            limits.RELAY_QUESTIONS_PER_S,
            limits.RELAY_QUESTIONS_AT_ONCE,
            kept=limits.RELAY_RATES_KEPT,
        )
        self._strangers_at_store = asyncio.Semaphore(limits.RELAY_STRANGERS_AT_STORE_MAX)
        self._creating = asyncio.Lock()
        self._sockets: dict[Peer, MeteredSocket] = {}
        self._stopping = False
        self.care = Care(self._service, self._part_with, logger)
        #: Commits made and envelopes in them: how far writers share one.
        self.commits = 0
        self.envelopes = 0

    # --- what a peer asks for (peer.HubInterface) ---

    async def ask(self, peer: Peer, question: Question) -> Answer:
        size_bytes = _ANSWER_BYTES.get(type(question), 0)
        if not size_bytes:
            return await self._ask(peer, question)
        owner = (peer.session.library or b"") if peer.session.is_member else b""
        await self._unread.take(owner, size_bytes)
        try:
            return await self._ask(peer, question)
        finally:
            # What the answer takes in fact is counted when it is queued, before others' turns.
            self._unread.give(owner, size_bytes)

    async def _ask(self, peer: Peer, question: Question) -> Answer:
        feed = self._feed_of(peer)
        if isinstance(question, CreateLibrary) and not await self._may_create(peer, question):
            return Rejected(
                Code.RATE,
                content_hash(question.genesis),
                "too many new libraries come from your address",
            )
        if feed is not None and isinstance(question, AppendMember | ReplaceMembers | CreateLibrary):
            # The store's watch may see the record before this does: it waits, or the author would
            # be told of its own record and take that for the answer.
            async with feed.telling:
                answer = await self._service.answer(question)
                part: Answer | None = answer
                if isinstance(question, CreateLibrary):
                    part = await self._service.read_new_members(feed.library, 0)
                if isinstance(part, MembersPart) and part.grown is not None:
                    feed.tell_members(part, author=peer)
            return answer
        is_member = feed is not None and peer.session.is_member
        turns = feed.turns if feed is not None and is_member else self._strangers_at_store
        async with turns:
            answer = await self._service.answer(question)
        if (
            isinstance(question, DeleteLibrary)
            and isinstance(answer, Rejected)
            and answer.code is Code.DELETED
        ):
            await self._part_with(question.library, _DELETED, but=peer)
        if feed is not None and isinstance(answer, BlobStates) and answer.news:
            feed.tell_blobs(answer, author=peer)
        return answer

    async def _may_create(self, peer: Peer, question: CreateLibrary) -> bool:
        """Whether a library may be created now; waits for its turn where there are many."""
        if question.proof.token:
            return True  # what it is worth, the service finds out
        if not self._admission.may_create(self._sockets[peer]):
            return False
        async with self._creating:
            while wait_s := self._admission.creation_wait_s():
                await asyncio.sleep(wait_s)
        return True

    def notice_damage(self, peer: Peer, error: RelayStorageError | MembershipError) -> bool:
        return self.care.notice(error, peer.session.library)

    async def _part_with(
        self, library: bytes | None, reason: str, *, but: Peer | None = None
    ) -> None:
        """End the connections of a library (None: all), which are told nothing more of it."""
        for peer in tuple(self._peers):
            if peer is but:
                continue
            if library is None or peer.session.library == library:
                peer.stop(reason)
        for one in tuple(self._feeds) if library is None else (library,):
            feed = self._feeds.pop(one, None)
            if feed is not None:
                with contextlib.suppress(RelayStorageError, MembershipError):
                    await feed.end()

    def prove(self, peer: Peer) -> bool:
        library, device = peer.session.library, peer.session.device
        if library is None or device is None:
            return False
        return self._admission.prove(self._sockets[peer], library, device)

    def rate_of(self, peer: Peer) -> TokenBucket:
        return self._rates.of(peer.session.device or b"")

    async def submit(self, peer: Peer, submission: Submission) -> None:
        await self._commits.put(peer, await self._service.check(submission))

    def submit_at_once(self, peer: Peer, submission: Submission) -> bool:
        if self._commits.is_full:
            return False
        checked = self._service.check_at_once(submission)
        return checked is not None and self._commits.put_at_once(peer, checked)

    async def subscribe(self, peer: Peer) -> None:
        library = peer.session.library
        if library is None:
            return
        feed = self._feeds.get(library)
        if feed is None or feed.is_over:
            feed = self._feeds[library] = Feed(library, self._service, self._logger)
        if peer not in feed.peers and not peer.session.is_member:
            self._admission.greet(self._sockets[peer], library)
        feed.peers.add(peer)
        await feed.wait_until_begun()

    def count_queued(self, owner: bytes, by_bytes: int) -> None:
        if by_bytes > 0:
            self._unread.add(owner, 2 * by_bytes)
        elif by_bytes:
            self._unread.give(owner, -2 * by_bytes)

    def has_full_queues(self) -> bool:
        return self._unread.is_over

    # --- what the listener brings ---

    def connect(self, socket: MeteredSocket) -> bool:
        """A connection was made; whether it may stay."""
        host = host_of(socket)
        address = admission.address_of(host)
        socket.owner = address
        return not self._stopping and self._admission.connect(socket, address)

    def leave(self, socket: MeteredSocket) -> None:
        """A connection has ended."""
        self._admission.leave(socket)

    async def serve_connection(
        self, socket: ServerConnection, *, nonce: bytes | None = None
    ) -> None:
        """Serve one connection, which may have been challenged with ``nonce`` already."""
        assert isinstance(socket, MeteredSocket)
        if self._stopping:
            await socket.close(1013, "the relay is closing")
            return
        session = Session(
            nonce=nonce or os.urandom(32), names=self._config.names, partials=self._partials
        )
        peer = Peer(socket, session, self, self._logger)
        self._peers.add(peer)
        self._sockets[peer] = socket
        try:
            await peer.run(is_challenged=nonce is not None)
        finally:
            self._peers.discard(peer)
            del self._sockets[peer]
            await self._forget(peer)

    async def sweep_forever(self) -> None:
        """End the connections that have stopped in the middle of something."""
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(limits.RELAY_SWEEP_S)
            now_s = time.monotonic()
            is_pressed = self._unread.is_pressed or self._unread.is_over
            for peer in tuple(self._peers):
                peer.sweep(now_s - before_s, is_pressed=is_pressed)
            before_s = now_s

    async def expire_forever(self) -> None:
        """Remove libraries that strangers created and did not use."""
        while days := self._config.unused_days:
            try:
                while removed := await self._service.remove_unused(days=days):
                    self._logger.info("removed %d unused libraries", removed)
            except RelayStorageError as error:
                self._logger.error("unused libraries stay: %s", error.message)
            await asyncio.sleep(limits.RELAY_EXPIRY_LOOK_S)
        await asyncio.Event().wait()

    async def answer_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Turn away who comes through a proxy once too often; answer a question about health."""
        assert isinstance(connection, MeteredSocket)
        refused = turn_away(
            connection,
            request,
            self._config.trusted_proxies,
            lambda address: self._admission.readdress(connection, address),
        )
        path = health_path(request)
        if refused is not None or path is None:
            return refused
        try:
            facts = await self.gather_health()
        except RelayStorageError:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "the store cannot be read\n")
        return tell_health(connection, path, facts)

    async def gather_health(self) -> health.Facts:
        """What there is to tell of the store and the connections.

        Raises:
            RelayStorageError: the store cannot be read.
        """
        try:
            return await health.gather(self._service, self.care.counts, self._counts())
        except RelayStorageError as error:
            self._logger.error("the store cannot be read: %s", error.message)
            self.care.notice(error, None)
            raise

    def _counts(self) -> dict[str, int]:
        return {
            "connections": len(self._peers),
            "strangers": self._admission.strangers,
            "commits": self.commits,
            "envelopes": self.envelopes,
            "queued_bytes": self._unread.held_bytes // 2,
            "received_bytes": self.intake.held_bytes,
        }

    # --- the commits ---

    async def commit_forever(self) -> None:
        """Make one commit after the other of what has arrived.

        Without a wait for more: what arrives during one commit shares the next. Measured with
        eight writers, waiting 2 ms halved the number of commits and cost a fifth of the
        throughput; a slower disk gathers more by itself.
        """
        while True:
            batch = await self._commits.take()
            await self._commit(batch)
            self._commits.finish()

    async def _commit(self, batch: Sequence[Waiting[Peer]]) -> None:
        try:
            commit = await self._service.commit([waiting.checked for waiting in batch])
        except RelayStorageError as error:
            self._logger.error("a commit failed, nothing of it was acknowledged: %s", error.message)
            self.care.notice(error, None)
            for waiting in batch:
                waiting.source.stop("the relay cannot write now")
                waiting.source.apply_commit((), None, submitted_bytes=waiting.size_bytes)
            return
        self.commits += 1
        self.envelopes += sum(len(row) for row in commit.outcomes)
        await self._tell(batch, commit)

    async def _tell(self, batch: Sequence[Waiting[Peer]], commit: Commit) -> None:
        """Acknowledge to those who pushed, and tell the others of each library."""
        outcomes: dict[bytes, dict[Peer, list[Outcome]]] = {}
        sizes: dict[Peer, int] = {}
        for waiting, row in zip(batch, commit.outcomes, strict=True):
            library, peer = waiting.checked.submission.library, waiting.source
            outcomes.setdefault(library, {}).setdefault(peer, []).extend(row)
            sizes[peer] = sizes.get(peer, 0) + waiting.size_bytes
        for library, rows in outcomes.items():
            feed = self._feeds.get(library)
            if feed is None:  # everybody is gone
                continue
            entries = commit.appended.get(library, {})
            async with feed.telling:
                growth = await feed.gather_entries(entries, max(entries, default=0))
                for peer, told in rows.items():
                    peer.apply_commit(told, growth, submitted_bytes=sizes[peer])
                if growth is not None:
                    for peer in tuple(feed.peers):
                        if peer not in rows and peer.session.is_member:
                            peer.apply_commit((), growth, submitted_bytes=0)

    # --- the end ---

    def stop_reading(self) -> None:
        """Take nothing more from anybody."""
        self._stopping = True
        for peer in tuple(self._peers):
            peer.stop_reading()

    async def finish(self) -> None:
        """Let queued commits and their acknowledgements finish, then say BYE to everybody."""
        await self._commits.wait_until_empty()
        for peer in tuple(self._peers):
            peer.stop("the relay is closing")
        while self._peers:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Watch nothing any more."""
        for feed in tuple(self._feeds.values()):
            await feed.end()
        self._feeds.clear()

    def _feed_of(self, peer: Peer) -> Feed | None:
        library = peer.session.library
        return None if library is None else self._feeds.get(library)

    async def _forget(self, peer: Peer) -> None:
        library, device = peer.session.library, peer.session.device
        feed = self._feed_of(peer)
        if library is None or device is None or feed is None:
            return
        feed.peers.discard(peer)
        if not feed.peers:
            self._feeds.pop(library, None)
            await feed.end()
        try:
            await self._service.release_uploads(library, device)
        except RelayStorageError as error:
            self._logger.error("leases stay until they expire: %s", error.message)

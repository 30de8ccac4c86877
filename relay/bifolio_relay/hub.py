"""What joins the connections of one relay: the ledger's thread, the commits, who is told what.

One thread does all that touches the store and one task makes the commits; a connection's part is
its ``Peer``. Decides nothing about libraries and does not know how connections come about.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bifolio import __version__, limits
from bifolio.errors import RelayStorageError
from bifolio_relay.blob_rules import BlobStates
from bifolio_relay.commits import CommitQueue, Waiting
from bifolio_relay.config import Config
from bifolio_relay.peer import Peer
from bifolio_relay.rules import (
    Answer,
    AppendMember,
    Commit,
    Ledger,
    LogPart,
    MembersPart,
    Question,
    Submission,
)
from bifolio_relay.session import Session
from bifolio_relay.storage import LogStorage, Outcome

T = TypeVar("T")

HEALTH_PATH = "/healthz"


class Relay:
    """All connections, the ledger's thread and the commits between them."""

    def __init__(self, storage: LogStorage, config: Config, logger: logging.Logger) -> None:
        self._config = config
        self._logger = logger
        self._ledger = Ledger(
            storage,
            os.urandom,
            libraries_max=config.libraries_max,
            library_bytes_max=config.library_bytes_max,
            file_bytes_max=config.file_bytes_max,
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._commits: CommitQueue[Peer] = CommitQueue()
        self._peers: set[Peer] = set()
        self._subscribers: dict[bytes, set[Peer]] = {}
        self._queues_bytes = 0
        self._stopping = False
        self._closed = False
        #: Commits made and envelopes in them: how far writers share one.
        self.commits = 0
        self.envelopes = 0

    # --- what a peer asks for (peer.Exchange) ---

    async def ask(self, peer: Peer, question: Question) -> Answer:
        answer = await self._in_thread(self._ledger.answer, question)
        if isinstance(question, AppendMember) and isinstance(answer, MembersPart) and answer.grown:
            for other in tuple(self._subscribers.get(question.library, ())):
                if other is not peer:
                    other.members_grown(answer)
        if isinstance(answer, BlobStates) and answer.news and peer.session.library is not None:
            for other in tuple(self._subscribers.get(peer.session.library, ())):
                if other is not peer:
                    other.blobs_changed(answer)
        return answer

    async def submit(self, peer: Peer, submission: Submission) -> None:
        await self._commits.put(peer, submission)

    def subscribe(self, peer: Peer) -> None:
        library = peer.session.library
        if library is not None:
            self._subscribers.setdefault(library, set()).add(peer)

    def queues_changed(self, by_bytes: int) -> None:
        self._queues_bytes += by_bytes

    def queues_full(self) -> bool:
        return self._queues_bytes > limits.RELAY_QUEUES_BYTES_MAX

    # --- what the listener brings ---

    async def connected(self, socket: ServerConnection) -> None:
        """Serve one connection."""
        if self._stopping or len(self._peers) >= self._config.connections_max:
            await socket.close(1013, "the relay is full or closing")
            return
        peer = Peer(socket, Session(nonce=os.urandom(32)), self, self._logger)
        self._peers.add(peer)
        try:
            await peer.run()
        finally:
            self._forget(peer)

    def health(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a plain GET of ``/healthz``; None for everything else, which is a websocket."""
        if request.path.partition("?")[0] != HEALTH_PATH:
            return None
        facts = {
            "status": "ok",
            "version": __version__,
            "libraries": self._ledger.libraries,
            "connections": len(self._peers),
            "commits": self.commits,
            "envelopes": self.envelopes,
            "queued_bytes": self._queues_bytes,
        }
        response = connection.respond(HTTPStatus.OK, json.dumps(facts) + "\n")
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response

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
            await self._commits.done()

    async def _commit(self, batch: Sequence[Waiting[Peer]]) -> None:
        try:
            commit = await self._in_thread(
                self._ledger.commit, [waiting.submission for waiting in batch]
            )
        except RelayStorageError as error:
            self._logger.error("a commit failed, nothing of it was acknowledged: %s", error.message)
            for waiting in batch:
                waiting.source.stop("the relay cannot write now")
                waiting.source.committed((), None, submitted_bytes=waiting.size_bytes)
            return
        self.commits += 1
        self.envelopes += sum(len(row) for row in commit.outcomes)
        self._tell(batch, commit)

    def _tell(self, batch: Sequence[Waiting[Peer]], commit: Commit) -> None:
        """Acknowledge to those who pushed, then tell the others of each library."""
        outcomes: dict[Peer, list[Outcome]] = {}
        sizes: dict[Peer, int] = {}
        for waiting, row in zip(batch, commit.outcomes, strict=True):
            outcomes.setdefault(waiting.source, []).extend(row)
            sizes[waiting.source] = sizes.get(waiting.source, 0) + waiting.size_bytes
        for peer, rows in outcomes.items():
            growth = self._growth_of(peer, commit)
            peer.committed(rows, growth, submitted_bytes=sizes[peer])
        for library, growth in commit.grown.items():
            for peer in tuple(self._subscribers.get(library, ())):
                if peer not in outcomes:
                    peer.committed((), growth, submitted_bytes=0)

    def _growth_of(self, peer: Peer, commit: Commit) -> LogPart | None:
        library = peer.session.library
        return None if library is None else commit.grown.get(library)

    # --- the end ---

    def stop_reading(self) -> None:
        """Take nothing more from anybody."""
        self._stopping = True
        for peer in tuple(self._peers):
            peer.stop_reading()

    async def finish(self) -> None:
        """Let queued commits and their acknowledgements finish, then say BYE to everybody."""
        await self._commits.drained()
        for peer in tuple(self._peers):
            peer.stop("the relay is closing")
        while self._peers:
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """End the ledger's thread; a commit that runs is finished first."""
        self._closed = True
        self._thread.shutdown(wait=True)

    def _forget(self, peer: Peer) -> None:
        self._peers.discard(peer)
        if not self._closed:
            self._thread.submit(self._ledger.connection_gone, peer.session.name)
        library = peer.session.library
        if library is not None and library in self._subscribers:
            self._subscribers[library].discard(peer)
            if not self._subscribers[library]:
                del self._subscribers[library]

    async def _in_thread(self, work: Callable[..., T], argument: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, argument)

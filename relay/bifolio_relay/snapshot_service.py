"""The statements and snapshots of all libraries of one relay: the rules applied to the store.

``snapshot_rules`` decides; this carries out. What a statement or a verdict changes, the log's floor
among it, is settled with it. Knows nothing of connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bifolio import limits
from bifolio.crypto.membership import Membership
from bifolio.crypto.snapshot import parse_snapshot
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio.wire.snapshot_messages import SnapshotState
from bifolio_relay import snapshot_rules
from bifolio_relay.requests import (
    LookForSnapshots,
    OfferSnapshot,
    PublishStatement,
    ReadSnapshotChunk,
    Rejected,
    SnapshotAnswer,
    SnapshotChunkPart,
    SnapshotProgress,
    SnapshotQuestion,
    SnapshotStates,
    StatementsPart,
    StoreSnapshotChunk,
    VerifySnapshot,
)
from bifolio_relay.storage import (
    HeldSnapshot,
    HeldStatement,
    HeldVerdict,
    LibraryHead,
    LogStorage,
    Stop,
)

#: Reads the membership of a library at its head.
ReadMembership = Callable[[bytes, LibraryHead], Awaitable[Membership]]


class SnapshotService:
    """Answers questions about statements and snapshots."""

    def __init__(
        self,
        storage: LogStorage,
        read_membership: ReadMembership,
        now_ms: Callable[[], int],
        *,
        library_bytes_max: int,
    ) -> None:
        self._storage = storage
        self._snapshots = storage.snapshots
        self._read_membership = read_membership
        self._now_ms = now_ms
        self._library_bytes_max = library_bytes_max

    async def answer(self, question: SnapshotQuestion, head: LibraryHead) -> SnapshotAnswer:
        """The answer to one question of a member.

        Raises:
            RelayStorageError: the store failed.
        """
        match question:
            case PublishStatement():
                return await self._publish(question, head)
            case LookForSnapshots():
                return await self._look(question.library)
            case OfferSnapshot():
                return await self._offer(question, head)
            case StoreSnapshotChunk():
                return await self._store(question, head)
            case ReadSnapshotChunk():
                return await self._read(question)
            case VerifySnapshot():
                return await self._verify(question, head)

    async def _publish(
        self, question: PublishStatement, head: LibraryHead
    ) -> StatementsPart | Rejected:
        library = question.library
        held = await self._snapshots.read_statements(library)
        if not question.statement:
            return _told(held)
        membership = await self._read_membership(library, head)
        said = snapshot_rules.check_statement(question, membership, head)
        if isinstance(said, Rejected):
            return said
        (chain_hash,) = await self._storage.read_chain_hashes(library, [said.n])
        dropped = snapshot_rules.judge_statement(
            said, question.statement, held, chain_hash=chain_hash
        )
        if isinstance(dropped, Rejected):
            # A later one is known already: what is asked for is told all the same.
            return _told(held) if _is_known(question.statement, held) else dropped
        statement = HeldStatement(
            said.device, said.replica, said.n, self._now_ms(), question.statement
        )
        await self._snapshots.write_statement(library, statement, dropped=dropped)
        await self._settle(library, membership)
        return _told(await self._snapshots.read_statements(library))

    async def _look(self, library: bytes) -> SnapshotStates:
        held = await self._snapshots.read_snapshots(library)
        newest = sorted(held, key=lambda one: -one.n)[: limits.SNAPSHOTS_TOLD_MAX]
        return SnapshotStates(
            tuple(
                SnapshotState(
                    one.header,
                    one.held if one.is_whole else min(one.held, one.chunks - 1),
                    tuple(verdict.raw for verdict in one.verdicts[: limits.SNAPSHOT_VERDICTS_MAX]),
                )
                for one in newest
            )
        )

    async def _offer(self, question: OfferSnapshot, head: LibraryHead) -> SnapshotAnswer:
        library = question.library
        membership = await self._read_membership(library, head)
        snapshot = snapshot_rules.check_offer(question, membership, head)
        if isinstance(snapshot, Rejected):
            return snapshot
        header, now_ms = snapshot.header, self._now_ms()
        is_of_this_log = header.epoch == head.epoch
        position, chain_hash = 0, None
        if is_of_this_log:
            position = header.n
            (chain_hash,) = await self._storage.read_chain_hashes(library, [position])
        dropped = snapshot_rules.judge_offer(
            snapshot,
            await self._snapshots.read_snapshots(library),
            position=position,
            chain_hash=chain_hash,
            room_bytes=self._library_bytes_max,
            now_ms=now_ms,
        )
        if isinstance(dropped, Rejected):
            return dropped
        await self._snapshots.remove_snapshots(library, dropped)
        await self._snapshots.add_snapshot(
            library,
            HeldSnapshot(
                id=snapshot.id,
                header=snapshot.raw,
                device=header.device,
                carrier=question.device,
                n=position,
                chunks=header.chunks,
                size_bytes=header.size_bytes,
                begun_ms=now_ms,
                touched_ms=now_ms,
            ),
        )
        return await self._look(library)

    async def _store(self, question: StoreSnapshotChunk, head: LibraryHead) -> SnapshotAnswer:
        library, name = question.library, question.snapshot
        held = await self._find(library, name)
        rejected = snapshot_rules.check_chunk(question, held)
        if rejected is not None:
            return rejected
        assert held is not None
        stored = await self._snapshots.store_chunk(
            library, name, question.number, question.sealed, now_ms=self._now_ms()
        )
        if stored is Stop.FULL:
            return Rejected(Code.QUOTA, name, "the relay's disk is full")
        if isinstance(stored, Stop):
            return Rejected(Code.INVALID, name, "it is not the next chunk")
        if stored == held.chunks and not held.is_whole:
            header = parse_snapshot(held.header).header
            # Of a log that this relay has lost the ends of the chains are all that is left.
            chains = header.chains if header.epoch != head.epoch else ()
            if not await self._snapshots.finish_snapshot(
                library, name, root=header.root, chains=chains
            ):
                await self._snapshots.remove_snapshots(library, (name,))
                return Rejected(Code.INVALID, name, "its chunks are not those that were signed")
        return SnapshotProgress(name, stored)

    async def _read(self, question: ReadSnapshotChunk) -> SnapshotAnswer:
        sealed = await self._snapshots.read_chunk(
            question.library, question.snapshot, question.number
        )
        if sealed is None:
            return Rejected(Code.INVALID, question.snapshot, "it holds no such chunk")
        return SnapshotChunkPart(question.snapshot, question.number, sealed)

    async def _verify(self, question: VerifySnapshot, head: LibraryHead) -> SnapshotAnswer:
        library = question.library
        membership = await self._read_membership(library, head)
        verdict = snapshot_rules.check_verdict(question, membership)
        if isinstance(verdict, Rejected):
            return verdict
        if await self._find(library, verdict.snapshot) is None:
            return Rejected(Code.INVALID, content_hash(question.verdict), "it holds no such one")
        await self._snapshots.write_verdict(
            library,
            verdict.snapshot,
            HeldVerdict(verdict.device, verdict.is_right, question.verdict),
        )
        await self._settle(library, membership)
        return await self._look(library)

    async def _settle(self, library: bytes, membership: Membership) -> None:
        """What is attested now counts: older snapshots and the entries under them go."""
        now_ms = self._now_ms()
        statements = await self._snapshots.read_statements(library)
        held = await self._snapshots.read_snapshots(library)
        for one in held:
            attested = snapshot_rules.is_attested(one, membership, statements, now_ms=now_ms)
            if attested != one.is_attested:
                await self._snapshots.mark_attested(library, one.id, attested)
        held = await self._snapshots.read_snapshots(library)
        await self._snapshots.remove_snapshots(library, snapshot_rules.surplus_of(held))
        floor = snapshot_rules.judge_floor(held, statements, membership, now_ms=now_ms)
        head = await self._storage.read_head(library)
        if head is not None and floor > head.floor:
            await self._storage.prune(library, floor=floor)

    async def _find(self, library: bytes, snapshot: bytes) -> HeldSnapshot | None:
        held = await self._snapshots.read_snapshots(library)
        return next((one for one in held if one.id == snapshot), None)


def _told(held: tuple[HeldStatement, ...]) -> StatementsPart:
    return StatementsPart(tuple(one.raw for one in held[: limits.STATEMENTS_MAX]))


def _is_known(raw: bytes, held: tuple[HeldStatement, ...]) -> bool:
    return any(one.raw == raw for one in held)

"""The store for one machine: the event loop's side of one SQLite file and one folder.

All that blocks runs in one thread, one call after the other. What this store wrote, those who
watch learn from it at once; what another process wrote to the same file, from SQLite's
``data_version``, asked every few hundredths of a second, and only where the file is shared and
somebody watches. The only module of the relay, with the four that it runs, that knows SQLite.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, Protocol, TypeVar

from bifolio import limits
from bifolio.crypto.snapshot import CoveredChain
from bifolio.errors import Next, RelayDamagedError, RelayFullError, RelayStorageError
from bifolio_relay.storage import (
    Batch,
    BatchResult,
    BlobStorage,
    BlobView,
    ChainHeads,
    Cuts,
    Growth,
    Heads,
    HeldSnapshot,
    HeldStatement,
    HeldVerdict,
    LibraryHead,
    LogSlice,
    Place,
    Roles,
    Room,
    SnapshotStorage,
    Standing,
    Stop,
    StoredChunk,
    TokenFacts,
    UploadLease,
    sqlite_checks,
    sqlite_mending,
)
from bifolio_relay.storage.sqlite_admin import SqliteAdmin
from bifolio_relay.storage.sqlite_blobs import FolderBlobs
from bifolio_relay.storage.sqlite_file import SqliteFile
from bifolio_relay.storage.sqlite_log import SqliteLogs
from bifolio_relay.storage.sqlite_snapshots import SqliteSnapshots
from bifolio_relay.storage.watchers import Watcher, Watchers

P = ParamSpec("P")
T = TypeVar("T")


class BlockingWork(Protocol):
    """Where what blocks is run, one call after the other."""

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the call returns or raises."""
        ...

    def end(self) -> None:
        """Finish the call that runs; none follows."""
        ...


#: A call, and the future of who waits for it on which loop.
_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class OneThread:
    """Blocking work in a thread of its own.

    An executor would do, and takes as long for a call and its answer as a small commit in SQLite
    does: every message passes here.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._has_ended = False

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        if self._has_ended:
            raise RuntimeError("the store is closed")
        if self._thread is None:
            self._thread = Thread(target=_work, args=(self._jobs,), name="relay-store", daemon=True)
            self._thread.start()
        self._jobs.put((partial(work, *arguments, **named), answer, loop))
        return await answer

    def end(self) -> None:
        self._has_ended = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    """Do one job after the other, and tell each loop what came of its own."""
    while (job := jobs.get()) is not None:
        call, answer, loop = job
        if answer.cancelled():  # nobody waits, and it has not begun
            continue
        tell: Callable[[asyncio.Future[Any], Any], None] = _succeed
        try:
            value = call()
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the caller's)
            tell, value = _fail, error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(tell, answer, value)
        del job, call, answer, loop, value


def _succeed(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


class SqliteLogStorage:
    """A ``LogStorage`` in the folder ``folder``, which is made if it is missing.

    Arguments:
        folder: where the file and the blobs are.
        shared: other relays may use the folder at the same time, if they all say so.
        is_part: other processes of this relay use it too, each for libraries of its own; the one
            in front has made the folder ready, and keeps others off it.
        work: where blocking work is run; a thread of its own unless given.

    Raises:
        RelayStorageError: another relay uses the folder, or its file is damaged, of a newer
            version, or no relay's.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shared: bool = False,
        is_part: bool = False,
        work: BlockingWork | None = None,
    ) -> None:
        if is_part:
            self._file = SqliteFile(folder, shared=True, locked=False)
        else:
            self._file = open_file(folder, shared=shared)
        #: Whether others write to the libraries that are watched here.
        self._has_others = shared
        self._folder = folder
        self._round = sqlite_checks.Round(self._file.path, folder)
        self._logs = SqliteLogs(self._file)
        self._admin = SqliteAdmin(self._file)
        self._work = work or OneThread()
        self._watchers = Watchers()
        self._blobs = _FolderBlobStorage(FolderBlobs(self._file), self._work, self._watchers)
        self._snapshots = _SqliteSnapshotStorage(SqliteSnapshots(self._file), self._work)
        self._poll: asyncio.Task[None] | None = None
        self._data_version: int | None = None

    @property
    def blobs(self) -> BlobStorage:
        return self._blobs

    @property
    def snapshots(self) -> SnapshotStorage:
        return self._snapshots

    async def create_library(
        self,
        library: bytes,
        *,
        epoch: bytes,
        genesis: bytes,
        head: bytes,
        roles: Roles | None = None,
        token: bytes | None = None,
        now_ms: int = 0,
    ) -> bool:
        create = self._logs.create_library
        with _doubting(self._watchers, library):
            made = await self._work.run(create, library, epoch, genesis, head, roles, token, now_ms)
        if made:
            self._watchers.report({library: Growth(members=1)})
        return made

    async def read_standing(self, library: bytes, device: bytes) -> Standing:
        return await self._work.run(self._logs.read_standing, library, device)

    async def write_roles(self, library: bytes, *, head: bytes, roles: Roles) -> bool:
        return await self._work.run(self._logs.write_roles, library, head, roles)

    async def note_use(self, library: bytes, *, now_ms: int) -> None:
        await self._work.run(self._admin.note_use, library, now_ms)

    async def remove_unused(self, *, before_ms: int, count_max: int) -> tuple[bytes, ...]:
        removed = await self._work.run(self._admin.remove_unused, before_ms, count_max)
        for library in removed:
            self._watchers.doubt(library)
        return removed

    async def delete_library(self, library: bytes, *, now_ms: int) -> bool:
        with _doubting(self._watchers, library):
            return await self._work.run(self._admin.delete, library, now_ms)

    async def read_deletion(self, library: bytes) -> int | None:
        return await self._work.run(self._admin.read_deletion, library)

    async def read_token(self, token: bytes) -> TokenFacts | None:
        return await self._work.run(self._admin.read_token, token)

    async def use_token(self, token: bytes, library: bytes, *, now_ms: int) -> bool:
        return await self._work.run(self._admin.use_token, token, library, now_ms)

    async def count_libraries(self) -> int:
        return await self._work.run(self._logs.count_libraries)

    async def read_head(self, library: bytes) -> LibraryHead | None:
        return await self._work.run(self._logs.read_head, library)

    async def read_heads(self, library: bytes, chains: Sequence[bytes]) -> Heads | None:
        return await self._work.run(self._logs.read_heads, library, chains)

    async def read_chain_hashes(
        self, library: bytes, positions: Sequence[int]
    ) -> tuple[bytes | None, ...]:
        return await self._work.run(self._logs.read_chain_hashes, library, positions)

    async def find_places(
        self, library: bytes, links: Sequence[tuple[bytes, int]]
    ) -> tuple[Place | None, ...]:
        return await self._work.run(self._logs.find_places, library, links)

    async def read_members(self, library: bytes, *, start: int, limit: int) -> tuple[bytes, ...]:
        return await self._work.run(self._logs.read_members, library, start, limit)

    async def append_member(
        self,
        library: bytes,
        *,
        expected_head: bytes,
        expected_chain_heads: ChainHeads,
        record: bytes,
        head: bytes,
        cuts: Cuts | None = None,
        roles: Roles | None = None,
    ) -> bool:
        append = self._logs.append_member
        with _doubting(self._watchers, library):
            members = await self._work.run(
                append,
                library,
                expected_head,
                expected_chain_heads,
                record,
                head,
                cuts or {},
                roles,
            )
        if members is None:
            return False
        self._watchers.report({library: Growth(members=members)})
        return True

    async def replace_members(
        self,
        library: bytes,
        *,
        expected_head: bytes,
        kept: int,
        records: Sequence[bytes],
        head: bytes,
        roles: Roles | None = None,
    ) -> bool:
        replace = self._logs.replace_members
        with _doubting(self._watchers, library):
            members = await self._work.run(
                replace, library, expected_head, kept, records, head, roles
            )
        if members is None:
            return False
        self._watchers.report({library: Growth(members=members)})
        return True

    async def append(self, batches: Sequence[Batch]) -> tuple[BatchResult, ...]:
        with _doubting(self._watchers, *(batch.library for batch in batches)):
            results = await self._work.run(self._append, batches)
        self._watchers.report(
            {
                batch.library: Growth(n=result.head.n)
                for batch, result in zip(batches, results, strict=True)
                if result.head is not None
            }
        )
        return results

    def _append(self, batches: Sequence[Batch]) -> tuple[BatchResult, ...]:
        """Append; on a full disk what was begun of files goes first."""
        try:
            results = self._logs.append(batches)
            if not any(one.is_full for one in results):
                return results
        except RelayFullError:
            if not self._blobs.folder.drop_unfinished():
                raise
            return self._logs.append(batches)
        if not self._blobs.folder.drop_unfinished():
            return results
        again = [batch for batch, result in zip(batches, results, strict=True) if result.is_full]
        retried = iter(self._logs.append(again))
        return tuple(next(retried) if one.is_full else one for one in results)

    async def room(self) -> Room:
        return await self._work.run(self._blobs.folder.room)

    async def read(self, library: bytes, *, after: int, bytes_max: int, count_max: int) -> LogSlice:
        return await self._work.run(self._logs.read, library, after, bytes_max, count_max)

    async def prune(self, library: bytes, *, floor: int) -> None:
        while await self._work.run(self._logs.prune_some, library, floor):
            # Between two steps others get their turn at the thread.
            continue

    async def find_damaged(self) -> Sequence[tuple[bytes | None, str]]:
        # In a thread of its own: the store goes on answering meanwhile.
        found = await asyncio.to_thread(self._round.step)
        return [(one.library, one.what) for one in found]

    async def mend(self, library: bytes | None) -> None:
        await self._work.run(self._mend, library)
        for one in (library,) if library is not None else self._watchers.libraries:
            self._watchers.doubt(one)

    def _mend(self, library: bytes | None) -> None:
        if library is not None:
            with self._file.transaction() as connection:
                key = self._file.library_key(library)
                if key is not None:
                    sqlite_mending.mend_library(connection, self._folder, key, library)
            return
        if self._file.shared:
            raise RelayStorageError(
                self._folder,
                reason="it is damaged, and other relays use it too",
                next_step=Next.STOP_OTHER_RELAY,
            )
        self._blobs.folder.close()
        self._file.let_go()
        try:
            _mend_file(self._folder)
        finally:
            self._file.open_again()

    async def watch(self, library: bytes) -> AsyncGenerator[Growth, None]:
        watcher = self._watchers.add(library)
        try:
            # Registered before it is asked, so that nothing falls between.
            watcher.doubt()
            if self._has_others and (self._poll is None or self._poll.done()):
                self._poll = asyncio.create_task(self._poll_while_watched())
            while True:
                yield await self._wait(library, watcher)
        finally:
            self._watchers.remove(library, watcher)

    async def close(self) -> None:
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
        await self._work.run(self._close)
        self._work.end()

    async def _wait(self, library: bytes, watcher: Watcher) -> Growth:
        while (growth := await watcher.wait()) is None:
            watcher.report(await self._work.run(self._logs.read_growth, library))
        return growth

    async def _poll_while_watched(self) -> None:
        """Tell those who watch of what other processes wrote."""
        try:
            while libraries := self._watchers.libraries:
                self._watchers.report(await self._work.run(self._read_news, libraries))
                await asyncio.sleep(limits.RELAY_STORE_POLL_S)
        except RelayStorageError as error:
            self._watchers.fail(error)

    def _read_news(self, libraries: Sequence[bytes]) -> dict[bytes, Growth]:
        """How far libraries have come, if another process has written since the last time."""
        version = self._file.data_version()
        if version == self._data_version:
            return {}
        self._data_version = version
        return {library: self._logs.read_growth(library) for library in libraries}

    def _close(self) -> None:
        self._blobs.folder.close()
        self._file.close()


def open_file(folder: Path, *, shared: bool) -> SqliteFile:
    """The file of a folder; one that is damaged is mended first, unless others use it too."""
    sqlite_mending.finish_mending(folder)
    try:
        return SqliteFile(folder, shared=shared)
    except RelayDamagedError:
        if shared or not sqlite_mending.can_be_mended(folder):
            raise
    _mend_file(folder)
    return SqliteFile(folder, shared=shared)


def _mend_file(folder: Path) -> None:
    try:
        sqlite_mending.mend_file(folder)
    except (OSError, sqlite3.Error) as error:
        raise RelayStorageError(
            folder,
            reason=f"it is damaged, and could not be mended ({error})",
            next_step=Next.CHECK_RELAY_DISK,
        ) from error


class _SqliteSnapshotStorage:
    """The ``SnapshotStorage`` of the same file."""

    def __init__(self, rows: SqliteSnapshots, work: BlockingWork) -> None:
        self._rows = rows
        self._work = work

    async def read_statements(self, library: bytes) -> tuple[HeldStatement, ...]:
        return await self._work.run(self._rows.read_statements, library)

    async def write_statement(
        self, library: bytes, statement: HeldStatement, *, dropped: Sequence[tuple[bytes, bytes]]
    ) -> None:
        await self._work.run(self._rows.write_statement, library, statement, dropped)

    async def read_snapshots(self, library: bytes) -> tuple[HeldSnapshot, ...]:
        return await self._work.run(self._rows.read_snapshots, library)

    async def add_snapshot(self, library: bytes, snapshot: HeldSnapshot) -> None:
        await self._work.run(self._rows.add_snapshot, library, snapshot)

    async def store_chunk(
        self, library: bytes, snapshot: bytes, number: int, sealed: bytes, *, now_ms: int
    ) -> int | Stop:
        return await self._work.run(
            self._rows.store_chunk, library, snapshot, number, sealed, now_ms
        )

    async def finish_snapshot(
        self, library: bytes, snapshot: bytes, *, root: bytes, chains: Sequence[CoveredChain]
    ) -> bool:
        return await self._work.run(self._rows.finish_snapshot, library, snapshot, root, chains)

    async def read_chunk(self, library: bytes, snapshot: bytes, number: int) -> bytes | None:
        return await self._work.run(self._rows.read_chunk, library, snapshot, number)

    async def remove_snapshots(self, library: bytes, snapshots: Sequence[bytes]) -> None:
        await self._work.run(self._rows.remove_snapshots, library, snapshots)

    async def write_verdict(self, library: bytes, snapshot: bytes, verdict: HeldVerdict) -> None:
        await self._work.run(self._rows.write_verdict, library, snapshot, verdict)

    async def mark_attested(self, library: bytes, snapshot: bytes, attested: bool) -> None:
        await self._work.run(self._rows.mark_attested, library, snapshot, attested)


class _FolderBlobStorage:
    """The ``BlobStorage`` of the same folder."""

    def __init__(self, folder: FolderBlobs, work: BlockingWork, watchers: Watchers) -> None:
        self.folder = folder
        self._work = work
        self._watchers = watchers

    async def look(self, library: bytes, blobs: Sequence[bytes], *, now_ms: int) -> BlobView:
        return await self._work.run(self.folder.look, library, blobs, now_ms)

    async def read_tally_hash(self, library: bytes, n: int) -> bytes | None:
        return await self._work.run(self.folder.read_tally_hash, library, n)

    async def store_chunk(
        self,
        library: bytes,
        blob: bytes,
        *,
        size_bytes: int,
        number: int,
        sealed: bytes,
        lease: UploadLease,
    ) -> BlobView | Stop:
        store = self.folder.store_chunk
        with _doubting(self._watchers, library):
            stored = await self._work.run(store, library, blob, size_bytes, number, sealed, lease)
        if isinstance(stored, BlobView):
            self._report(library, stored)
        return stored

    async def release_uploads(self, library: bytes, device: bytes) -> None:
        await self._work.run(self.folder.release_uploads, library, device)

    async def read_chunk(self, library: bytes, blob: bytes, number: int) -> StoredChunk | None:
        chunk = await self._work.run(self.folder.read_chunk, library, blob, number)
        if chunk is None:
            # It may have been dropped, because its bytes are gone.
            self._watchers.doubt(library)
        return chunk

    async def drop(self, library: bytes, blobs: Sequence[bytes], *, now_ms: int) -> BlobView:
        with _doubting(self._watchers, library):
            view = await self._work.run(self.folder.drop, library, blobs, now_ms)
        self._report(library, view)
        return view

    def _report(self, library: bytes, view: BlobView) -> None:
        if view.tally is not None:
            self._watchers.report({library: Growth(blobs=view.tally.n)})


@contextlib.contextmanager
def _doubting(watchers: Watchers, *libraries: bytes) -> Iterator[None]:
    """A caller that is cancelled inside may have written after all: those who watch must look."""
    try:
        yield
    except asyncio.CancelledError:
        for library in libraries:
            watchers.doubt(library)
        raise

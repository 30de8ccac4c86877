"""One library kept in sync, in a thread and an event loop of its own.

A library that another program holds, or a large first sync, makes its own thread wait and no
other one. Everything is tried again: what the network or the relay's absence causes soon, what
needs the user more rarely, and at once when the library's file changes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bifolio.autosync.state import LibraryState
from bifolio.errors import (
    BifolioError,
    BusyLibraryError,
    Next,
    NextStep,
    NotALibraryError,
    RelayUnreachableError,
    next_step,
)
from bifolio.home import Home
from bifolio.library.library import Library
from bifolio.results import Link
from bifolio.sync import backoff

FILE = "library.sqlite"


@dataclass(frozen=True, slots=True)
class Signature:
    """What the file system says of a library: which file it is, and when it was last written."""

    identity: tuple[int, int] | None
    written: tuple[int, ...]

    @classmethod
    def of(cls, file: Path, log: Path) -> Signature:
        """Two looks at the disk, at a library's file and its write-ahead log; nothing is opened."""
        try:
            status = file.stat()
        except OSError:
            return cls(None, ())
        written: tuple[int, ...] = (status.st_mtime_ns, status.st_size)
        with suppress(OSError):
            logged = log.stat()
            written += (logged.st_mtime_ns, logged.st_size)
        return cls((status.st_dev, status.st_ino), written)


@dataclass(slots=True)
class LibraryWorker:
    """Keeps one library in sync until it is stopped.

    ``tell`` is called with each new state, from the worker's thread.
    """

    path: Path
    home: Home
    tell: Callable[[LibraryState], None]
    state: LibraryState = field(init=False)
    _files: tuple[Path, Path] = field(init=False)
    _loop: asyncio.AbstractEventLoop | None = None
    _session: asyncio.Task[None] | None = None
    _nudge: asyncio.Event | None = None
    _stopping: bool = False
    _seen: Signature = field(init=False)
    _future: Future[None] | None = None

    def __post_init__(self) -> None:
        self.state = LibraryState(self.path, Link.STARTING)
        self._files = (self.path / FILE, self.path / f"{FILE}-wal")
        self._seen = Signature.of(*self._files)

    # --- from the process's thread -----------------------------------------------------------

    def start(self, threads: Executor) -> None:
        """Begin, in a thread."""
        self._future = threads.submit(lambda: asyncio.run(self._keep()))

    def look(self) -> None:
        """Look at the disk: what another process wrote goes out at once; a file that was
        replaced, or came back, is opened again."""
        now = Signature.of(*self._files)
        before, self._seen = self._seen, now
        if now.identity != before.identity:
            self._call(self._end_session)
        elif now.written != before.written:
            self._call(self._set_nudge)

    def reconnect(self) -> None:
        """Drop the connection, which the computer's sleep has perhaps cut, and make a new one."""
        self._call(self._end_session)

    def stop(self) -> None:
        """End; ``fault`` then waits for the end."""
        self._stopping = True
        self._call(self._end_session)

    @property
    def has_ended(self) -> bool:
        """Whether the thread is through: after ``stop``, or by a fault of Bifolio's own."""
        return self._future is not None and self._future.done()

    def fault(self, timeout_s: float = 0.0) -> BaseException | None:
        """What ended the thread other than ``stop``.

        Raises:
            TimeoutError: it has not ended yet.
        """
        return self._future.exception(timeout_s) if self._future is not None else None

    def _call(self, act: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it was closed this moment
                loop.call_soon_threadsafe(act)

    # --- in the worker's thread --------------------------------------------------------------

    def _set_nudge(self) -> None:
        if self._nudge is not None:
            self._nudge.set()

    def _end_session(self) -> None:
        self._set_nudge()
        if self._session is not None:
            self._session.cancel()

    async def _keep(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._nudge = asyncio.Event()
        waits = backoff.LIBRARY.waits(random.random)
        while not self._stopping:
            self._session = asyncio.ensure_future(self._live())
            try:
                await self._session
            except asyncio.CancelledError:
                waits = backoff.LIBRARY.waits(random.random)
                continue
            except RelayUnreachableError as error:
                self._say(Link.WAITING, error)
            except BifolioError as error:
                self._say(Link.TROUBLED, error)
            finally:
                self._session = None
            await self._pause(next(waits))

    async def _live(self) -> None:
        """Open the library and exchange changes as they are made."""
        if not self.path.exists():
            raise _gone(self.path)
        self._seen = Signature.of(*self._files)
        with Library.open(self.path, home=self.home) as library:
            self.state = replace(self.state, library=library.id)
            rounds = library.watch(self._cut, nudge=self._nudge)
            async with aclosing(rounds):
                async for _ in rounds:
                    self._connected()

    def _connected(self) -> None:
        now = _moment()
        since = self.state.connected_since if self.state.link is Link.CONNECTED else now
        self.state = replace(
            self.state,
            link=Link.CONNECTED,
            connected_since=since,
            last_sync=now,
            reason="",
            next=None,
        )
        self.tell(self.state)

    def _cut(self, error: RelayUnreachableError | BusyLibraryError) -> None:
        self._say(Link.WAITING, error)

    def _say(self, link: Link, error: BifolioError) -> None:
        step = NextStep(Next.WAIT) if link is Link.WAITING else error.next_step
        said = replace(self.state, link=link, connected_since=None, reason=error.message, next=step)
        if said != self.state:
            self.state = said
            self.tell(said)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until somebody writes to the library or ends us."""
        assert self._nudge is not None
        # What the attempt itself wrote is no reason to try again.
        self._seen = Signature.of(*self._files)
        self._nudge.clear()
        if self._stopping:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudge.wait(), seconds)


def _gone(path: Path) -> NotALibraryError:
    error = NotALibraryError(path, found="nothing is there any more")
    error.next_step = next_step(Next.PUT_LIBRARY_BACK, path=str(path))
    return error


def _moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The libraries that are served, each in a thread of its own; what is asked of one goes there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from bifolio import limits
from bifolio.errors import BifolioError
from bifolio.home import Home
from bifolio.library.library import Library
from bifolio.library.short_names import UnnamedError
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.served_library import ServedLibrary

T = TypeVar("T")

#: Zotero's alphabet of keys, and the length of a server's name.
_ALPHABET = "23456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
_SERVER_ID_LENGTH = 12


class LibraryThread:
    """One library and its thread: whatever is asked of it is done there, one after the other."""

    def __init__(self, path: Path, home: Home, *, group: int | None = None) -> None:
        self.path = path
        self.group = group
        self.home = home
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="bifolio-library")
        self._waiting = 0
        self._served: ServedLibrary | None = None
        self._working: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._listeners: set[asyncio.Future[None]] = set()
        #: Whether who waits for a change is to be sent home.
        self.is_ending = False

    async def run(self, act: Callable[[ServedLibrary], T], *, writing: bool = False) -> T:
        """Do something with the library.

        Args:
            writing: it changes the library; otherwise all that it reads is of one moment.

        Raises:
            Refusal: too many wait for it.
            BifolioError: the library cannot be opened.
        """
        if self._waiting >= limits.SERVE_WAITING_MAX:
            raise Refusal(503, "Too many requests wait.", {"Retry-After": "1"})
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._do, act, writing)
        finally:
            self._waiting -= 1
            has_work = self._served is not None and self._served.has_work and not self.is_ending
            if has_work and (self._working is None or self._working.done()):
                self._working = asyncio.create_task(self._work_ahead())

    async def data_version(self) -> tuple[int, ...]:
        """Another value whenever anybody wrote; nothing else is read for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._data_version)

    async def written(self, seen: tuple[int, ...], *, until: float) -> bool:
        """Wait until anybody has written since ``data_version`` was ``seen``; False: nobody did
        until then (the event loop's time).

        However many wait, one of them looks.
        """
        loop = asyncio.get_running_loop()
        while loop.time() < until and not self.is_ending:
            if await self.data_version() != seen:
                return True
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(seen))
            listening = loop.create_future()
            self._listeners.add(listening)
            try:
                async with asyncio.timeout_at(until):
                    await listening
            except TimeoutError:
                return False
            finally:
                self._listeners.discard(listening)
        return False

    async def _look(self, seen: tuple[int, ...]) -> None:
        """Look for a write for as long as anybody waits for one, then wake them all."""
        await asyncio.sleep(limits.SERVE_LOOK_S)
        while self._listeners and not self.is_ending and await self.data_version() == seen:
            await asyncio.sleep(limits.SERVE_LOOK_S)
        for one in self._listeners:
            if not one.done():
                one.set_result(None)

    def close(self) -> None:
        """Do what still waits, then close the library."""
        self.is_ending = True
        self._executor.submit(self._close)
        self._executor.shutdown(wait=True)

    def _do(self, act: Callable[[ServedLibrary], T], writing: bool) -> T:
        served = self._open()
        served.catch_up(briefly=not writing)
        if writing:
            return act(served)
        while True:
            try:
                with served.windows.moment():
                    served.note_writes()
                    return act(served)
            except UnnamedError as error:  # nothing is named inside of a moment
                served.names.name(error.records)

    def _work(self) -> bool:
        try:
            return not self.is_ending and self._open().work_ahead()
        except BifolioError:  # whoever asks next says so
            return False

    async def _work_ahead(self) -> None:
        """Do what the next requests would wait for, a little at a time, between requests."""
        loop = asyncio.get_running_loop()
        while not self.is_ending and await loop.run_in_executor(self._executor, self._work):
            await asyncio.sleep(limits.SERVE_WORK_PAUSE_S)

    def _open(self) -> ServedLibrary:
        if self._served is None:
            opened = Library.open(self.path, home=self.home)
            self._served = ServedLibrary(opened, group=self.group)
        return self._served

    def _data_version(self) -> tuple[int, ...]:
        return self._open().windows.data_version()

    def _close(self) -> None:
        if self._served is not None:
            self._served.close()
            self._served = None


class Libraries:
    """The library that is a user's in Zotero's interface, and the others as groups."""

    def __init__(self, main: LibraryThread, groups: Mapping[int, LibraryThread]) -> None:
        self.main = main
        self.groups = dict(groups)

    @classmethod
    def open(cls, path: Path, home: Home, *, others: list[Path]) -> Libraries:
        """The libraries of these paths; one that cannot be opened now is opened when it can.

        Raises:
            BifolioError: the main one cannot be opened.
        """
        with Library.open(path, home=home) as opened:
            own = opened.id
        groups: dict[int, LibraryThread] = {}
        for other in others:
            with Library.open(other, home=home, reading=True) as opened:
                number = group_number(opened.id)
                if opened.id != own and number not in groups:
                    groups[number] = LibraryThread(other, home, group=number)
        return cls(LibraryThread(path, home), groups)

    def of(self, kind: str, number: int) -> LibraryThread:
        """The library of ``users/0`` or ``groups/NUMBER``.

        Raises:
            Refusal: there is none.
        """
        if kind == "users":
            if number != 0:
                raise Refusal(400, "Only users/0 is served here: the library of this computer.")
            return self.main
        if number not in self.groups:
            raise not_found("Group not found")
        return self.groups[number]

    def numbered(self, number: int | None) -> LibraryThread:
        """The library of a number; None: the user's.

        Raises:
            Refusal: there is none.
        """
        return self.main if number is None else self.of("groups", number)

    def end(self) -> None:
        """Send home who waits for a change; from any thread."""
        for one in (self.main, *self.groups.values()):
            one.is_ending = True

    def close(self) -> None:
        """Close all of them."""
        for one in (self.main, *self.groups.values()):
            one.close()


def group_number(library_id: str) -> int:
    """The number under which a library is served as a group, the same on every computer."""
    return int(library_id[:7], 16) + 1


def server_id(replica_id: str) -> str:
    """The name of what is served: it stays with the replica's file."""
    number = int.from_bytes(hashlib.blake2b(replica_id.encode(), digest_size=16).digest(), "big")
    characters = []
    for _ in range(_SERVER_ID_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[place])
    return "".join(characters)

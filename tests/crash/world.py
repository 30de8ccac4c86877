"""Two computers that share a library over a line to a relay, and what was acknowledged to whom."""

from __future__ import annotations

import contextlib
import hashlib
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.disks import SmallDisk
from tests.support import command_server
from tests.support.arrangements import make_library
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.proxy import Proxy
from tests.support.relay_process import RelayProcess

from bifolio import Library
from bifolio.doctor import leftovers
from bifolio.doctor.examination import examine
from bifolio.home import Home
from bifolio.results.doctor import CheckVerdict
from bifolio_relay.storage import sqlite_checks

#: What a killed command may leave for the next one to say or to do; all else is damage.
_NO_DAMAGE = ("pending", "clock", "autosync", "place", "relay", "leftovers")
#: What is in a library's folder between two commands.
_PARTS = (
    "library.sqlite",
    "library.sqlite-wal",
    "library.sqlite-shm",
    "files",
    "damaged",
    "last-edit",
    "merging",
)


@dataclass(slots=True)
class Facts:
    """What was acknowledged to a computer: nothing of it may ever be missing there."""

    #: The tags that each reference has, by citation key.
    tags: dict[str, set[str]] = field(default_factory=dict)
    #: The contents that are attached: citation key and name of the file, and its hash.
    files: dict[tuple[str, str], str] = field(default_factory=dict)

    def learn(self, other: Facts) -> None:
        """Know what another one knows."""
        for key, tags in other.tags.items():
            self.tags.setdefault(key, set()).update(tags)
        self.files |= other.files

    def count(self) -> int:
        """How many there are."""
        return sum(1 + len(tags) for tags in self.tags.values()) + len(self.files)


class Lost(AssertionError):
    """What was promised is not there."""


@dataclass(eq=False)
class Desk:
    """A computer with its library, its disk, and what it was told."""

    computer: Computer
    disk: SmallDisk
    facts: Facts = field(default_factory=Facts)
    #: What a sync that ended well has sent, or received.
    sent: Facts = field(default_factory=Facts)

    @property
    def home(self) -> Home:
        """Its home."""
        return Home(self.computer.home, device_name=self.computer.name)

    def opened(self) -> Library:
        """Its library, opened by this process."""
        return self.computer.opened()

    def keys(self) -> list[str]:
        """The citation keys of what is not in the trash."""
        with self.opened() as library:
            return [one.key for one in library.list() if one.key]

    def check(self) -> None:
        """All that was acknowledged is here, and the self-check finds nothing."""
        self.check_facts()
        self.check_damage(self.computer.library)

    def check_facts(self) -> None:
        """All that was acknowledged is here."""
        with self.opened() as library:
            there = {one.key: set(one.tags) for one in library.list()}
            live = set(there)
            there |= {one.key: set(one.tags) for one in library.list(trash=True)}
            for key, tags in self.facts.tags.items():
                if key not in there:
                    raise Lost(f"{self.computer.name}: the reference {key} is gone")
                if lacking := tags - there[key]:
                    raise Lost(f"{self.computer.name}: {key} lacks {sorted(lacking)}")
            held = {(one.key, one.name): one.hash for one in library.files.list()}
            for place, content in self.facts.files.items():
                if place[0] in live and held.get(place) != content:
                    raise Lost(f"{self.computer.name}: the file {place} is {held.get(place)}")

    def check_damage(self, path: Path) -> None:
        """``doctor --deep`` finds nothing in a library, and names what a kill left behind."""
        found = examine(path, self.home, deep=True, offline=True)
        wrong = [
            f"{one.check}: {one.message}"
            for one in found.checks
            if one.verdict is CheckVerdict.ATTENTION and one.check not in _NO_DAMAGE
        ]
        if wrong:
            raise Lost(f"{self.computer.name}: {path.name}: {wrong}")
        named = set(leftovers.find(path, self.home, now_s=time.time() + 1e7))
        strange = {one for one in path.iterdir() if one.name not in _PARTS} - named
        strange = {one for one in strange if not one.name.endswith(".lock")}
        if strange:
            raise Lost(f"{self.computer.name}: left behind and not named: {sorted(strange)}")


class World:
    """Everything of one run, in one folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.choose = random.Random(seed)
        self.made = 0
        relay_disk = SmallDisk(folder / "relay-disk")
        self.relay_disk = relay_disk
        self.relay = RelayProcess(relay_disk.folder)
        self.relay.start()
        self.line = Proxy(self.relay.port)
        self.line.__enter__()
        self.desks: list[Desk] = []
        for name in ("desk", "laptop"):
            disk = SmallDisk(folder / f"{name}-disk")
            self.desks.append(Desk(Computer.make(disk.folder, name), disk))
        first, second = self.desks
        make_library(first.computer, numbered_entries(12))
        first.computer.run("attach", self.line.url)
        # The owner's own device joins again with it too, in each folder that it begins again in.
        self.ticket = first.computer.run("invite", "--uses", "any")["ticket"]
        second.computer.run("attach", self.ticket, second.computer.library)
        first.facts.tags |= {f"work{number}": set() for number in range(12)}
        for facts in (first.sent, second.facts, second.sent):
            facts.learn(first.facts)

    def close(self) -> None:
        """End everything."""
        self.line.__exit__(None, None, None)
        with contextlib.suppress(AssertionError):
            self.relay.kill()
        for disk in (self.relay_disk, *(desk.disk for desk in self.desks)):
            disk.close()

    def name(self, what: str) -> str:
        """A name that was not used before."""
        self.made += 1
        return f"{what}{self.made}"

    def start(self, desk: Desk, *arguments: str) -> tuple[command_server.Started, Path]:
        """A command that runs, and what it says."""
        out, log = self.folder / "out", self.folder / "log"
        log.write_bytes(b"")
        started = command_server.start(
            ["--json", *arguments],
            environment=desk.computer.environment,
            folder=self.folder,
            out=out,
            log=log,
        )
        return started, log

    def spoil_line(self) -> None:
        """A poor line: cut now and then, or slow."""
        if self.choose.random() < 0.6:
            self.line.cut_every_bytes = self.choose.randrange(2_000, 60_000)
        else:
            self.line.bytes_per_s = self.choose.randrange(20_000, 200_000)

    def mend_line(self) -> None:
        """A good line."""
        self.line.cut_every_bytes = self.line.bytes_per_s = None

    def restart_relay(self) -> None:
        """The relay again, on the files that the kill left; they are whole."""
        damages = sqlite_checks.check_all(self.relay.data / "relay.sqlite", self.relay.data)
        if damages:
            raise Lost(f"the relay's file is damaged: {damages}")
        self.relay.start()

    def converge(self, killed: Desk) -> None:
        """Everybody syncs until all are equal: first the one that was not killed.

        What was acknowledged to the killed one as sent must come from the relay alone.
        """
        other = next(one for one in self.desks if one is not killed)
        self._sync(other)
        other.facts.learn(killed.sent)
        other.check_facts()
        for desk in (killed, other, killed):
            self._sync(desk)
        states = []
        for desk in self.desks:
            for one in self.desks:
                desk.facts.learn(one.facts)
            desk.check_facts()
            with desk.opened() as library:
                states.append((library.status().state, tuple(library.state_json())))
        if states[0] != states[1]:
            raise Lost("the replicas differ after everybody has synced")
        for desk in self.desks:
            desk.sent.learn(desk.facts)

    def _sync(self, desk: Desk) -> None:
        with desk.opened() as library:
            library.sync()


def hash_of(raw: bytes) -> str:
    """A content's name."""
    return hashlib.blake2b(raw, digest_size=32).hexdigest()

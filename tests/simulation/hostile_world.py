"""Two honest members, a third who is not, a relay between them that is not, and one that is.

What a user reads is collected; at the end both share an honest relay, and all must be well.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.relay import SimulatedRelay
from tests.support.hostile_member import HostileMember
from tests.support.hostile_relay import Attack, Network
from tests.support.stored_changes import all_envelopes
from tests.unit.replica.builders import Computer, members

from bifolio.crypto.envelope import open_envelope, parse_envelope
from bifolio.crypto.keys import new_device_keys
from bifolio.errors import BifolioError
from bifolio.library import status
from bifolio.replica import folder as replica_folder
from bifolio.replication.remote import Remote
from bifolio.results import Status
from bifolio.wire.changes import Body

EVIL, GOOD = "ws://evil", "ws://good"
#: What a hostile relay gets a client to read in one sync, and how long that lasts.
MESSAGES_MAX = 4_000
SYNC_S_MAX = 30.0


@dataclass
class World:
    """All of it; ``read`` is every sentence that a user was shown, with its next step's name."""

    folder: Path
    network: Network
    alice: Computer = field(init=False)
    bob: Computer = field(init=False)
    host: Computer = field(init=False)
    evil: SimulatedRelay = field(init=False)
    good: SimulatedRelay = field(init=False)
    read: dict[str, list[str]] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self.alice, self.bob, self.host = map(self._open, ("alice", "bob", "host"))
        self.evil = SimulatedRelay(self.folder / "evil", 1)
        self.good = SimulatedRelay(self.folder / "good", 2)
        self.network.set(EVIL, self.evil)
        self.network.set(GOOD, self.good)
        self._count = 2

    @classmethod
    def prepare(cls, folder: Path, network: Network) -> None:
        """Make a folder to be copied for each world: all have met, by a relay that was honest."""
        computers = members(folder, "alice", "bob", "host")
        for one in computers:
            one.replica.database.close()
        world = cls(folder, network)
        world._count = 0
        for one in world.all:
            world.use(one, EVIL)
        world.edit("before")
        for _ in range(2):
            for one in world.all:
                assert world.sync(one) is None
        assert world.alice.state == world.bob.state == world.host.state
        world.close()

    def _open(self, name: str) -> Computer:
        path = self.folder / f"{name}.bifolio"
        keys = new_device_keys(name, random.Random(name).randbytes)
        computer = Computer(path, name, keys, replica_folder.open_database(path))
        computer.waits(60.0)  # after all that was written before
        return computer

    @property
    def honest(self) -> tuple[Computer, Computer]:
        """Those whose changes count."""
        return self.alice, self.bob

    @property
    def all(self) -> tuple[Computer, ...]:
        """The host too."""
        return self.alice, self.bob, self.host

    @property
    def mallory(self) -> HostileMember:
        """The relay's host as a member, who writes what it likes."""
        return HostileMember.of(self.host.replica, self.host.member_log)

    def use(self, computer: Computer, url: str) -> None:
        """A library is attached to another relay."""
        with computer.replica.database.transaction():
            computer.replica.meta.relay_url = url

    def edit(self, word: str, *computers: Computer) -> None:
        """Each honest computer adds a reference and edits one that all know."""
        for computer in computers or self.honest:
            self._count += 1
            computer.adds(f"{self._count:032x}", {"title": f"{word} of {computer.name}"})
            if self._count > 1:
                computer.sets(f"{1:032x}", "note", f"{word} of {computer.name}")
            computer.outbox.seal()

    def sync(self, computer: Computer) -> BifolioError | None:
        """What ``bifolio sync`` does; the error that it ends with, bounded in every way."""
        before, began_s = self.network.told, time.monotonic()
        remote = Remote(computer.replica, computer.member_log)
        try:
            asyncio.run(asyncio.wait_for(remote.sync(), SYNC_S_MAX))
        except BifolioError as error:
            self._show(computer, f"{error.message} [{error.next_step and error.next_step.code}]")
            return error
        finally:
            assert self.network.told - before < MESSAGES_MAX
            assert time.monotonic() - began_s < SYNC_S_MAX
            for one in self.status(computer).refusals:
                self._show(computer, f"{one.reason} [{one.next and one.next.code}]")
        return None

    def status(self, computer: Computer) -> Status:
        """What ``bifolio status`` shows."""
        return status.status(computer.replica, name="Thesis", replica_id="0")

    def suffer(self, attack: Attack, *, rounds: int = 2, edits: bool = True) -> None:
        """Both work and sync while the relay is hostile."""
        self.network.set(EVIL, self.evil, attack)
        for number in range(rounds):
            if edits:
                self.edit(f"round {number}")
            for one in self.honest:
                self.sync(one)

    def recover(self, *, on: str = GOOD) -> None:
        """Both share an honest relay."""
        self.network.set(EVIL, self.evil)
        for one in self.honest:
            self.use(one, on)
            _forget_retries(one)
        for _ in range(3):
            for one in self.honest:
                error = self.sync(one)
                assert error is None, error

    def check(self) -> None:
        """Equal states, every honest edit, and nobody's name under what another wrote."""
        alice, bob = self.honest
        assert alice.state == bob.state
        own = {one.keys.sign_public: self._changes_of(one, own=True) for one in self.honest}
        for computer in self.honest:
            found = self._changes_of(computer)
            for author, changes in own.items():
                for change in changes:
                    signers = found.get(change, set()) - {self.host.keys.sign_public}
                    assert signers == {author}, (computer.name, change[:40])
            assert computer.replica.changes.unsent() == 0
        for number in range(1, self._count + 1):
            assert alice.shows(f"{number:032x}").fields["title"]

    def _changes_of(self, computer: Computer, *, own: bool = False) -> dict[bytes, set[bytes]]:
        """Each change in a replica, with the signers of the envelopes that hold it."""
        found: dict[bytes, set[bytes]] = {}
        for stored in all_envelopes(computer.replica.database):
            envelope = parse_envelope(stored.envelope)
            if own and envelope.header.device != computer.keys.sign_public:
                continue
            key = computer.member_log.key(envelope.header.generation)
            assert key is not None
            for change in Body.parse(open_envelope(envelope, key)).changes:
                found.setdefault(change.serialize(), set()).add(envelope.header.device)
        return found

    def _show(self, computer: Computer, sentence: str) -> None:
        shown = self.read.setdefault(computer.name, [])
        if sentence not in shown:
            shown.append(sentence)

    def sentences(self) -> str:
        """All that users read, one a line."""
        return "\n".join(f"{name}: {one}" for name, said in self.read.items() for one in said)

    def close(self) -> None:
        """The test ends."""
        for one in (self.evil, self.good):
            one.close()
        for computer in self.all:
            computer.replica.database.close()


def _forget_retries(computer: Computer) -> None:
    """Time enough passes that whatever had to wait is tried again."""
    computer.waits(3600.0)


def library_of_others(folder: Path) -> Sequence[bytes]:
    """Envelopes of another library."""
    folder.mkdir()
    (owner,) = members(folder, "stranger")
    for number in range(3):
        owner.adds(random.Random(number).randbytes(16).hex(), {"title": "Elsewhere"})
    return owner.envelopes()

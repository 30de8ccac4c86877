"""A seeded world of computers and a relay in which everything goes wrong that may.

Each step is drawn from the seed: somebody types; one message of one connection arrives; a
connection is cut with what is under way; a commit of the relay; the relay is wiped or rolled
back to any earlier copy of its file; a replica's folder is copied and both go on; an old backup
takes a replica's place; a process ends; a clock jumps. The invariants of DESIGN §6 are checked
after every step, the promises at the end, when all have synced until nothing moves.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from tests.simulation.computer import Clock, Computer, empty_computer, found_library
from tests.simulation.history import (
    History,
    check_equal,
    check_index,
    check_stored,
)
from tests.simulation.relay import SimulatedConnection, SimulatedRelay, sync
from tests.simulation.typist import Typist

from bifolio.crypto.envelope import NO_PREVIOUS, parse_envelope
from bifolio.ids import content_hash

COMPUTERS_MAX = 6
ROUNDS_MAX = 12


class Simulator:
    """One run; ``log`` tells in words what happened."""

    def __init__(self, folder: Path, seed: int, *, computers: int = 3) -> None:
        self.choose = random.Random(seed)
        self.folder = folder
        self.history = History()
        self.typist = Typist(self.choose, self.history)
        self.log: list[str] = []
        self.relay = SimulatedRelay(folder / "relay", seed)
        self.computers = self._members(computers, seed)
        self._backups: list[tuple[Computer, Path]] = []
        self._relay_copies = [self.relay.copy()]
        self._relay_log = self.relay.log()
        self._made = 0

    def run(self, steps: int) -> None:
        """Take random steps, then heal, then check everything that was promised."""
        for _ in range(steps):
            self.step()
            self.check()
        self.heal()

    def close(self) -> None:
        """Close every file."""
        self.relay.close()
        for computer in self.computers:
            computer.close()

    def step(self) -> None:
        """One thing happens."""
        for computer in self.computers:
            computer.clock.advance(self.choose.random() * 3)
        acts = (
            (30, self._type),
            (4, self._attach),
            (12, self._connect),
            (60, self._carry),
            (12, self._commit),
            (6, self._cut),
            (5, self._sync),
            (4, self._reopen),
            (3, self._jump),
            (3, self._back_up),
            (2, self._restore),
            (2, self._copy_folder),
            (3, self._copy_relay),
            (2, self._roll_back),
            (1, self._wipe),
        )
        weights = [weight for weight, _ in acts]
        (act,) = self.choose.choices([act for _, act in acts], weights)
        act()

    def check(self) -> None:
        """What must hold after every step (I2 to I8)."""
        log = self.relay.log()
        assert log[: len(self._relay_log)] == self._relay_log, "the log did more than grow"
        self._relay_log = log
        for computer in self.computers:
            self.history.check_causality(computer)
            check_stored(computer)

    def heal(self) -> None:
        """Everybody syncs until nothing moves; then all promises hold."""
        for connection in list(self.relay.connections):
            self._end(connection)
        typed = {one for computer in self.computers for one in computer.known()}
        for _ in range(ROUNDS_MAX):
            before = [computer.state() for computer in self.computers]
            length = len(self.relay.log())
            for computer in self.computers:
                sync(self.relay, computer)
                self.history.check_causality(computer)
            same = [computer.state() for computer in self.computers] == before
            if same and len(self.relay.log()) == length:
                break
        else:
            raise AssertionError(f"it did not come to rest in {ROUNDS_MAX} rounds")
        for computer in self.computers:
            lost = typed - computer.known()
            assert not lost, f"{computer.name} lacks {len(lost)} changes"
            assert computer.replica.changes.waiting() == 0, f"{computer.name} still waits"
            assert computer.replica.changes.unsent() == 0
            assert computer.replica.changes.refusals() == []
            self.history.check_contents(computer)
            check_stored(computer)
            check_index(computer)
        self._check_files()
        check_equal(self.computers)
        self._check_chains()
        self._check_quiet()

    def _check_files(self) -> None:
        """Every content that anything names is on every computer, and is what it should be.

        Who has one sends it in this round; in the next one all have it.
        """
        for _ in range(2):
            for computer in self.computers:
                sync(self.relay, computer)
        for computer in self.computers:
            contents = computer.replica.contents
            for named, size in computer.replica.references.attachments.contents():
                raw = contents.path(named).read_bytes()
                assert len(raw) == size
                assert hashlib.blake2b(raw, digest_size=32).hexdigest() == named
            assert computer.replica.transfers.unsent() == 0

    def _check_quiet(self) -> None:
        """A further sync sends nothing in either direction."""
        for computer in self.computers:
            relay_log, state = self.relay.log(), computer.state()
            sync(self.relay, computer)
            assert (self.relay.log(), computer.state()) == (relay_log, state)

    def _check_chains(self) -> None:
        """(I3) In the relay's log every chain is without gaps, each linked to the one before."""
        heads: dict[bytes, tuple[int, bytes]] = {}
        for raw in self.relay.log():
            header = parse_envelope(raw).header
            seq, head = heads.get(header.chain, (0, NO_PREVIOUS))
            assert (header.seq, header.previous) == (seq + 1, head)
            heads[header.chain] = (header.seq, content_hash(raw))

    # --- what may happen --------------------------------------------------------------------

    def _type(self) -> None:
        computer = self.choose.choice(self.computers)
        self.typist.type(computer)
        for connection in self.relay.connections:
            if connection.computer is computer and self.choose.random() < 0.5:
                connection.local_change()

    def _attach(self) -> None:
        computer = self.choose.choice(self.computers)
        records = [row.id for row in computer.replica.references.iter_rows(trashed=False)]
        if records:
            self.typist.attach(computer, self.choose.choice(records))

    def _connect(self) -> None:
        if len(self.relay.connections) < 4:
            computer = self.choose.choice(self.computers)
            self._say(f"{computer.name} connects")
            self.relay.connect(computer)

    def _carry(self) -> None:
        if self.relay.connections:
            connection = self.choose.choice(self.relay.connections)
            for _ in range(self.choose.randint(1, 4)):
                connection.step()
            if connection.over:
                self._end(connection)

    def _commit(self) -> None:
        self.relay.commit()

    def _cut(self) -> None:
        if self.relay.connections:
            connection = self.choose.choice(self.relay.connections)
            self._say(f"the connection of {connection.computer.name} is cut")
            if connection.submissions and self.choose.random() < 0.5:
                self.relay.commit()  # the acknowledgement is what gets lost
            self._end(connection)

    def _sync(self) -> None:
        computer = self.choose.choice(self.computers)
        self._say(f"{computer.name} syncs")
        sync(self.relay, computer)

    def _reopen(self) -> None:
        computer = self.choose.choice(self.computers)
        self._end_all_of(computer)
        computer.reopen()

    def _jump(self) -> None:
        computer = self.choose.choice(self.computers)
        seconds = self.choose.choice((-3600.0, 3600.0, -1.7e9, 3e9))
        if abs(computer.clock.wall_s + seconds) < 5e9 and computer.clock.wall_s + seconds > 0:
            self._say(f"the clock of {computer.name} jumps by {seconds}")
            computer.clock.jump(seconds)

    def _back_up(self) -> None:
        computer = self.choose.choice(self.computers)
        self._backups.append((computer, computer.copy_file(self._place("backup"))))

    def _restore(self) -> None:
        if self._backups:
            computer, backup = self.choose.choice(self._backups)
            self._say(f"{computer.name} is restored from a backup")
            self._end_all_of(computer)
            computer.restore(backup)

    def _copy_folder(self) -> None:
        if len(self.computers) < COMPUTERS_MAX:
            source = self.choose.choice(self.computers)
            target = source.copy_file(self._place("copy"))
            clock = Clock(source.clock.wall_s, self.choose.random() * 100)
            seed = self.choose.randrange(1 << 30)
            copied = Computer(target, source.keys, clock, seed, source.content_key)
            self._say(f"the folder of {source.name} is copied")
            self.computers.append(copied)

    def _copy_relay(self) -> None:
        self._relay_copies.append(self.relay.copy())

    def _roll_back(self) -> None:
        copy = self.choose.choice(self._relay_copies)
        self._say(f"the relay is rolled back to {copy.name}")
        self.relay.roll_back(copy)
        self._relay_log = self.relay.log()

    def _wipe(self) -> None:
        self._say("the relay is wiped")
        self.relay.roll_back(None)
        self._relay_log = ()

    # --- small steps --------------------------------------------------------------------------

    def _members(self, count: int, seed: int) -> list[Computer]:
        owner = found_library(self.folder / "0", seed=seed * 100 + 1, clock=Clock())
        self.ticket_secret = self.choose.randbytes(32)
        sync(self.relay, owner, invite_secret=self.ticket_secret)
        computers = [owner]
        for number in range(1, count):
            computer = empty_computer(
                self.folder / str(number),
                seed=seed * 100 + 1 + number,
                clock=Clock(),
                name=f"laptop {number}",
                library=owner,
            )
            computer.join_secret = self.ticket_secret
            sync(self.relay, computer)
            computers.append(computer)
        return computers

    def _end(self, connection: SimulatedConnection) -> None:
        self.relay.disconnect(connection)

    def _end_all_of(self, computer: Computer) -> None:
        for connection in list(self.relay.connections):
            if connection.computer is computer:
                self._end(connection)

    def _place(self, what: str) -> Path:
        self._made += 1
        return self.folder / f"{what}-{self._made}"

    def _say(self, what: str) -> None:
        self.log.append(what)

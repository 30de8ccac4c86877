"""A seeded world of computers and relays in which everything goes wrong that may.

Each step is drawn from the seed: somebody types; one message of one connection arrives; a
connection is cut with what is under way; a commit of the relay; a relay is wiped or rolled
back to any earlier copy of a relay's file; one begins at another address, as a copy or empty, and
computers move; an owner makes a ticket, for any number of computers or a few, or another owner; a
computer joins, in one go or message by message; a replica's folder is copied and both go on; an old
backup takes a replica's place; a process ends; a clock jumps. Where the library makes snapshots,
time passes in large steps too, so that they are made, verified and loaded, and what is below them
goes, and libraries are compacted, between all the rest. The invariants of DESIGN §6 are checked
after every step, the promises at the end, when all have synced until nothing moves.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.simulation.admission import Admission, Ticket
from tests.simulation.computer import Clock, Computer, empty_computer, found_library
from tests.simulation.device_steps import DeviceSteps
from tests.simulation.further_steps import FurtherSteps, small_deletions_count
from tests.simulation.history import (
    History,
    check_equal,
    check_index,
    check_stored,
)
from tests.simulation.invariants import Invariants, check_waiting
from tests.simulation.members import waits_for_key
from tests.simulation.relay import SimulatedConnection, SimulatedRelay, sync
from tests.simulation.rewriting import noting_what_is_written_again
from tests.simulation.rights_steps import RightsSteps
from tests.simulation.seeded_seals import seeded_seals
from tests.simulation.typist import Typist

from bifolio import limits
from bifolio.crypto.envelope import NO_PREVIOUS, Header, parse_envelope, seal
from bifolio.crypto.keys import new_device_keys
from bifolio.crypto.membership import Role
from bifolio.errors import BifolioError
from bifolio.ids import content_hash
from bifolio.library import status
from bifolio.library.compaction import compact_opened
from bifolio_relay.requests import Rejected, Submission

COMPUTERS_MAX = 6
RELAYS_MAX = 3
CONNECTIONS_MAX = 4
ROUNDS_MAX = 12

#: Between two acts of growing: longer than anybody waits with a statement or a snapshot, and longer
#: than a silent replica holds anybody up.
LATER_S = 2 * 3600.0
MUCH_LATER_S = 31 * 24 * 3600.0


class Simulator:
    """One run; ``log`` tells in words what happened, ``counts`` how often what was done.

    ``relay`` is the first of the relays. Where ``grows`` is not set, nobody joins after the
    beginning, and there is one relay. With ``snapshots`` any log is worth one.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        computers: int = 3,
        grows: bool = True,
        snapshots: bool = False,
        rights: bool = False,
        moves: bool = False,
    ) -> None:
        self._opened = ExitStack()
        self._opened.enter_context(seeded_seals(seed))
        self._has_snapshots = snapshots
        if snapshots:
            self._opened.enter_context(any_log_is_worth_a_snapshot())
        self._opened.enter_context(small_deletions_count())
        self.choose = random.Random(seed)
        self.folder = folder
        self.history = History()
        self.computers: list[Computer] = []
        self._opened.enter_context(
            noting_what_is_written_again(self.history, lambda: self.computers)
        )
        # Every fourth: the others are the runs that found what they found.
        self.typist = Typist(self.choose, self.history, notes=seed % 4 == 0)
        self.log: list[str] = []
        self.counts: Counter[str] = Counter()
        self.relay = SimulatedRelay(folder / "relay", seed)
        self.relays = [self.relay]
        self.admission = Admission(self.choose)
        #: Where keys and relays change: what is said of where the library is holds then.
        self.devices = DeviceSteps(self) if moves else None
        if self.devices is not None:
            self.devices.network.add(self.relay)
        self._at: dict[int, SimulatedRelay] = {}
        self.computers = self._members(computers, seed)
        self._backups: list[tuple[Computer, Path]] = []
        self._relay_copies = [self.relay.copy()]
        self._invariants = Invariants(self.history)
        self._made = 0
        self._further = FurtherSteps(self)
        self._rights = RightsSteps(self) if rights else None
        self._acts, self._weights = self._possible(grows=grows)

    def run(self, steps: int) -> None:
        """Take random steps, then heal, then check everything that was promised."""
        for _ in range(steps):
            self.step()
            self.check()
        self.heal()

    def close(self) -> None:
        """Close every file."""
        for relay in self.relays:
            relay.close()
        for computer in self.computers:
            computer.close()
        if self.devices is not None:
            self.devices.close()
        self._opened.close()

    def step(self) -> None:
        """One thing happens."""
        for computer in self.computers:
            computer.clock.advance(self.choose.random() * 3)
        (act,) = self.choose.choices(self._acts, self._weights)
        self.counts[act.__name__.strip("_").replace("_", " ")] += 1
        act()

    def check(self) -> None:
        """What must hold after every step (I2 to I8)."""
        for relay in self.relays:
            self._invariants.check_growth(relay)
        for computer in self.computers:
            self._check(computer)

    def _check(self, computer: Computer) -> None:
        if self.devices is not None:
            self.devices.note_late(computer)
        self._invariants.check(computer)

    def heal(self) -> None:
        """Everybody syncs with every relay until nothing moves; then all promises hold."""
        for relay in self.relays:
            for connection in list(relay.connections):
                self._end(connection)
        self._further.heal()
        if self.devices is not None:
            self.devices.heal()
        held = {id(computer): computer.known() for computer in self.computers}
        self._come_to_rest()
        if self._further.hand_on_bundles():
            self._come_to_rest()
        rights, live = self._rights, self.computers if self._rights is None else self._rights.live()
        if self.devices is not None:
            self.devices.follow(live)
        # Who is no member any more brings nobody anything.
        typed = {one for computer in live for one in held[id(computer)]}
        if rights is not None:
            typed = {one for one in typed if not self.history.is_restricted(one)}
        for computer in live:
            lost = typed - computer.known()
            assert not lost, f"{computer.name} lacks {len(lost)} changes"
            check_waiting(computer, live, self.relays)
            if rights is None or not rights.is_restricted(computer):
                assert computer.replica.changes.unsent() == 0
            assert self.history.has_restricted or computer.replica.changes.refusals() == []
            said = [note for note, _ in computer.replica.meta.notes if "is not what the" in note]
            assert not said, f"{computer.name} calls an honest snapshot wrong"
            assert not computer.replica.meta.lost_members, f"{computer.name} carries something"
            self.history.check_contents(computer)
            check_stored(computer)
            check_index(computer)
            self._further.check(computer)
        if rights is not None:
            rights.check(held)
            live = rights.writers()
        else:
            self._check_files()
        check_equal(live)
        if self.devices is not None:
            self.devices.check(live)
        self.admission.check(live)
        for relay in self.relays:
            self._check_relay(relay)
        self._check_quiet()

    def _come_to_rest(self) -> None:
        """All sync with all relays, until that changes nothing."""
        for _ in range(ROUNDS_MAX):
            before = self._rest()
            for relay in self.relays:
                for computer in self.computers:
                    self._come(relay, computer)
                    self._check(computer)
            if self._rest() == before:
                return
        raise AssertionError(f"it did not come to rest in {ROUNDS_MAX} rounds")

    def _rest(self) -> list[object]:
        """What does not move any more at the end."""
        ends = [(relay.end()) for relay in self.relays]
        states = [(status.state_hash(one.replica), one.member_head()) for one in self.computers]
        return [*ends, *states]

    def _come(self, relay: SimulatedRelay, computer: Computer) -> None:
        """Sync to the end; who is left out by a ticket that others used up gets another one."""
        try:
            sync(relay, computer)
        except BifolioError as error:
            if computer.keys.sign_public in self.admission.restricted:
                return
            if waits_for_key(computer, error):
                return
            if self.devices is not None and computer.keys.sign_public in self.devices.successors:
                return
            is_unknown = self.devices is not None and self.devices.is_unknown(computer)
            if computer.member_log.role() is not None or not (
                is_unknown or self.admission.may_be_out(computer)
            ):
                raise
            if is_unknown and self.devices is not None:
                self.devices.forget_old(computer)
            if not self._owners():
                return  # another relay may know of the owner's new keys
            self._say(f"{computer.name} gets another ticket")
            owner, secret = self._an_owner(), self.choose.randbytes(32)
            sync(relay, owner, invite_secret=secret)
            self.admission.admitted[computer.keys.sign_public] = Ticket(secret, None)
            computer.join_secret = secret
            sync(relay, computer)

    def _check_files(self) -> None:
        """Every content that anything names is on every computer, and is what it should be.

        Who has one sends it in this round; in the next one all have it. Nobody has one whose
        holders emptied the trash with it, long before an edit of others brought the reference back.
        """
        for _ in range(2):
            for relay in self.relays:
                for computer in self.computers:
                    sync(relay, computer)
        held = {
            one
            for one in self._invariants.let_go
            if any(computer.replica.contents.has(one) for computer in self.computers)
        }
        gone = self._invariants.let_go - held
        for computer in self.computers:
            contents = computer.replica.contents
            for named, size in computer.replica.references.attachments.contents():
                if named in gone:
                    continue
                raw = contents.path(named).read_bytes()
                assert len(raw) == size
                assert hashlib.blake2b(raw, digest_size=32).hexdigest() == named
            assert computer.replica.transfers.unsent() == 0

    def _check_quiet(self) -> None:
        """A further sync sends nothing in either direction. That a relay lets go of what all have
        passed is nothing sent: statements are said again as time passes."""
        for relay in self.relays:
            for computer in self.computers:
                before = self._logs()
                self._come(relay, computer)
                assert self._logs() == before

    def _logs(self) -> list[object]:
        """What every relay and computer has, whatever is still kept of it."""
        ends = [relay.end() for relay in self.relays]
        logs = [end and (end.epoch, end.n, end.members_head) for end in ends]
        return [*logs, *self._rest()[len(ends) :]]

    def _check_relay(self, relay: SimulatedRelay) -> None:
        """(I3) In the relay's log every chain is without gaps, each linked to the one before."""
        end = relay.end()
        assert end is not None
        assert end.members_head == self._owners()[0].member_head()
        if self._has_snapshots:
            return  # it begins anywhere; the store compares each envelope with its chain's end
        heads: dict[bytes, tuple[int, bytes]] = {}
        for raw in relay.log():
            header = parse_envelope(raw).header
            seq, head = heads.get(header.chain, (0, NO_PREVIOUS))
            assert (header.seq, header.previous) == (seq + 1, head)
            heads[header.chain] = (header.seq, content_hash(raw))

    # --- what may happen --------------------------------------------------------------------

    def _possible(self, *, grows: bool) -> tuple[list[Callable[[], None]], list[int]]:
        acts: list[tuple[int, Callable[[], None]]] = [
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
        ]
        if grows:
            acts += [
                (2, self._invite),
                (3, self._join),
                (1, self._begin_to_join),
                (1, self._promote),
                (1, self._rename),
                (1, self._second_relay),
                (4, self._move) if self.devices is None else (0, self._move),
                (1, self._intrude),
            ]
        if self._has_snapshots:
            acts += [(25, self._pass_time), (2, self._compact)]
        acts += self._further.acts(grows=grows and self._rights is None)
        if self._rights is not None:
            acts += self._rights.acts()
        if self.devices is not None:
            acts += self.devices.acts()
        return [act for _, act in acts], [weight for weight, _ in acts]

    def _type(self) -> None:
        if not (writers := self._writers()):
            return  # all are between keys that they had and keys that they have
        computer = self.choose.choice(writers)
        self.typist.type(computer)
        for connection in self._connections():
            if connection.computer is computer and self.choose.random() < 0.5:
                connection.local_change()

    def _attach(self) -> None:
        if not (writers := self._writers()):
            return
        computer = self.choose.choice(writers)
        records = [row.id for row in computer.replica.references.iter_rows(trashed=False)]
        if records:
            self.typist.attach(computer, self.choose.choice(records))

    def _connect(self) -> None:
        if len(self._connections()) < CONNECTIONS_MAX:
            computer = self.choose.choice(self.computers)
            self._say(f"{computer.name} connects")
            self._relay_of(computer).connect(computer)

    def _carry(self) -> None:
        connections = self._connections()
        if not connections:
            return
        connection = self.choose.choice(connections)
        try:
            for _ in range(self.choose.randint(1, 4)):
                connection.step()
        except BifolioError as error:
            self._refused(connection.computer, error)
            self._end(connection)
            return
        if connection.over:
            self.admission.note(connection.computer)
            self._end(connection)

    def _commit(self) -> None:
        for relay in self.relays:
            relay.commit()

    def _cut(self) -> None:
        connections = self._connections()
        if connections:
            connection = self.choose.choice(connections)
            self._say(f"the connection of {connection.computer.name} is cut")
            if connection.submissions and self.choose.random() < 0.5:
                connection.relay.commit()  # the acknowledgement is what gets lost
            self._end(connection)

    def _sync(self) -> None:
        self._sync_one(self.choose.choice(self.computers))

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
        if computer.member_log.role() is not None:
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
            if source.member_log.role() is None:
                return
            target = source.copy_file(self._place("copy"))
            clock = Clock(source.clock.wall_s, self.choose.random() * 100)
            seed = self.choose.randrange(1 << 30)
            copied = Computer(target, source.keys, clock, seed, source.content_key)
            self._say(f"the folder of {source.name} is copied")
            self.computers.append(copied)

    def _copy_relay(self) -> None:
        self._relay_copies.append(self.choose.choice(self.relays).copy())

    def _roll_back(self) -> None:
        relay, copy = self.choose.choice(self.relays), self.choose.choice(self._relay_copies)
        self._say(f"{relay.folder.name} is rolled back to {copy.name}")
        relay.roll_back(copy)
        self._invariants.forget(relay)

    def _wipe(self) -> None:
        relay = self.choose.choice(self.relays)
        self._say(f"{relay.folder.name} is wiped")
        relay.roll_back(None)
        self._invariants.forget(relay)

    def _compact(self) -> None:
        """A library's file is written again, without what nobody needs."""
        computer = self.choose.choice(self.computers)
        self._say(f"{computer.name} compacts its library")
        compact_opened(computer.replica)

    def _pass_time(self) -> None:
        """Hours or a month pass everywhere, and somebody syncs."""
        seconds = MUCH_LATER_S if self.choose.random() < 0.1 else LATER_S
        self._say(f"{seconds:.0f} seconds pass")
        for relay in self.relays:
            relay.now_ms += int(seconds * 1000)
        for computer in self.computers:
            computer.clock.advance(seconds)
        # Nobody stays connected to a relay that says nothing for hours.
        for connection in self._connections():
            self._end(connection)
        self._sync_one(self.choose.choice(self.computers))

    # --- who comes, and where to ---------------------------------------------------------------

    def _invite(self) -> None:
        if not (owners := self._owners()):
            return  # the only one is between its old keys and its new ones
        owner = self.choose.choice(owners)
        if self.admission.invite(owner, self._relay_of(owner)):
            self._say(f"{owner.name} makes a ticket for {self.admission.tickets[-1].uses}")

    def _promote(self) -> None:
        if not (owners := self._owners()):
            return
        owner = self.choose.choice(owners)
        if self.admission.promote(owner, self._relay_of(owner)):
            self._say(f"{owner.name} makes an owner")

    def _rename(self) -> None:
        computer = self.choose.choice(self.computers)
        if computer.member_log.role() is not None:
            self.admission.rename(computer, self._relay_of(computer))

    def _join(self) -> None:
        """A computer joins in one go; it stays away where the relay does not know its ticket."""
        computer = self._newcomer()
        if computer is None:
            return
        self._sync_one(computer)
        if computer.member_log.role() is None:
            self.computers.remove(computer)
            computer.close()

    def _begin_to_join(self) -> None:
        """A computer begins to join: its messages are carried like anybody's."""
        computer = self._newcomer()
        if computer is not None and len(self._connections()) < CONNECTIONS_MAX:
            self._relay_of(computer).connect(computer)

    def _second_relay(self) -> None:
        """A relay begins at another address, with a copy of another one's file, or without."""
        if len(self.relays) < RELAYS_MAX:
            copy = self.choose.choice((None, *self._relay_copies[-3:]))
            folder = self.folder / f"relay-{len(self.relays) + 1}"
            relay = SimulatedRelay(folder, self.choose.randrange(1 << 30))
            if copy is not None:
                relay.roll_back(copy)
            self._say(f"{folder.name} begins with {copy.name if copy else 'nothing'}")
            self.relays.append(relay)
            if self.devices is not None:
                self.devices.network.add(relay)

    def _move(self) -> None:
        """A computer goes to another relay from now on."""
        if len(self.relays) > 1:
            computer = self.choose.choice(self.computers)
            self._end_all_of(computer)
            self._at[id(computer)] = self.choose.choice(self.relays)
            self._say(f"{computer.name} moves to {self._relay_of(computer).folder.name}")

    def _intrude(self) -> None:
        """A member carries an envelope that a stranger signed, with the library's key."""
        carrier = self.choose.choice(self._admitted())
        keys = new_device_keys("stranger", self.choose.randbytes)
        header = Header(
            library=carrier.replica.library_id,
            generation=0,
            device=keys.sign_public,
            chain=self.choose.randbytes(16),
            seq=1,
            previous=NO_PREVIOUS,
            kind=1,
            membership_head=carrier.member_head(),
        )
        envelope = seal(
            header,
            b"",
            content_key=carrier.content_key,
            keys=keys,
            random_bytes=self.choose.randbytes,
        )
        submission = Submission(
            carrier.replica.library_id, carrier.keys.sign_public, (envelope.raw,)
        )
        ((outcome,),) = self._relay_of(carrier).push(submission).outcomes
        assert isinstance(outcome, Rejected), "a stranger wrote into the log"

    # --- small steps --------------------------------------------------------------------------

    def _members(self, count: int, seed: int) -> list[Computer]:
        owner = found_library(self.folder / "0", seed=seed * 100 + 1, clock=Clock())
        self._put_at(owner, self.relay)
        self.ticket_secret = self.choose.randbytes(32)
        sync(self.relay, owner, invite_secret=self.ticket_secret)
        self.admission.tickets.append(Ticket(self.ticket_secret, None))
        self.admission.note(owner)
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
            self._put_at(computer, self.relay)
            sync(self.relay, computer)
            self.admission.note(computer)
            computers.append(computer)
        return computers

    def _newcomer(self) -> Computer | None:
        """A new computer with a ticket that somebody was given."""
        if len(self.computers) >= COMPUTERS_MAX:
            return None
        seed = self.choose.randrange(1 << 30)
        computer = empty_computer(
            self._place("newcomer"),
            seed=seed,
            clock=Clock(self.computers[0].clock.wall_s),
            name=f"newcomer {self._made}",
            library=self.computers[0],
        )
        computer.join_secret = self.choose.choice(self.admission.tickets).secret
        self._put_at(computer, self.choose.choice(self.relays))
        self._say(f"{computer.name} comes with a ticket")
        self.computers.append(computer)
        return computer

    def _admitted(self) -> list[Computer]:
        """Those whose user sees the library: while a computer joins, there is nothing to edit."""
        admitted = self.admission.admitted
        here = [one for one in self.computers if one.keys.sign_public in admitted]
        if self._rights is not None:
            here = [one for one in here if one.member_log.role() is not None]
        return here

    def _writers(self) -> list[Computer]:
        steps = self._further if self._rights is None else self._rights
        return [one for one in self._admitted() if steps.may_write(one)]

    def _owners(self) -> list[Computer]:
        return [one for one in self.computers if one.member_log.role() is Role.OWNER]

    def _an_owner(self) -> Computer:
        """An owner whose right nobody took, nor its keys: another one may not know of that yet."""
        owners, restricted = self._owners(), self.admission.restricted
        return next((one for one in owners if one.keys.sign_public not in restricted), owners[0])

    def _sync_one(self, computer: Computer) -> None:
        self._say(f"{computer.name} syncs")
        try:
            if self.devices is not None:
                self.devices.sync(computer)
            else:
                sync(self._relay_of(computer), computer)
        except BifolioError as error:
            self._refused(computer, error)
        self.admission.note(computer)

    def _refused(self, computer: Computer, error: BifolioError) -> None:
        """Only who is not in yet or lacks a key, who lost a right, or whose ticket others used up,
        may be refused anything."""
        device = computer.keys.sign_public
        is_changing = device in self.admission.restricted or device in self.admission.rotating
        if is_changing or waits_for_key(computer, error):
            self._say(f"{computer.name} is refused: {error.message}")
            return
        is_unknown = self.devices is not None and self.devices.is_unknown(computer)
        if computer.member_log.role() is not None or not (
            is_unknown or self.admission.may_be_out(computer)
        ):
            raise error
        self._say(f"{computer.name} is refused: {error.message}")

    def _relay_of(self, computer: Computer) -> SimulatedRelay:
        if self.devices is not None:
            return self.devices.relay_of(computer)
        return self._at.get(id(computer), self.relay)

    def _put_at(self, computer: Computer, relay: SimulatedRelay) -> None:
        """A computer begins at a relay."""
        if self.devices is not None:
            self.devices.put_at(computer, relay)
        else:
            self._at[id(computer)] = relay

    def _connections(self) -> list[SimulatedConnection]:
        return [one for relay in self.relays for one in relay.connections]

    def _end(self, connection: SimulatedConnection) -> None:
        connection.relay.disconnect(connection)

    def _end_all_of(self, computer: Computer) -> None:
        for connection in self._connections():
            if connection.computer is computer:
                self._end(connection)

    def _place(self, what: str) -> Path:
        self._made += 1
        return self.folder / f"{what}-{self._made}"

    def _say(self, what: str) -> None:
        self.log.append(what)


@contextmanager
def any_log_is_worth_a_snapshot() -> Iterator[None]:
    """Snapshots of a few kilobytes, where otherwise a megabyte of log is waited for."""
    with (
        patch.object(limits, "SNAPSHOT_LOG_BYTES_MIN", 0),
        patch.object(limits, "SNAPSHOT_STATES_DIVISOR", 1_000_000),
    ):
        yield

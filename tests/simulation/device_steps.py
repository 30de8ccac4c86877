"""Computers that take new keys, and owners who bring the library to another relay: as users do it,
interrupted anywhere, with relays that nobody reaches meanwhile.

What must hold of them is in ``check``: who was told where the library is went there, unless it
attached to another relay by itself since; and who took new keys is a member under them, has what
it wrote under the old ones, and nobody else speaks with those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace
from tests.simulation.computer import Computer
from tests.simulation.history import Act, Event, Typed, typed_in
from tests.simulation.members import membership_of
from tests.simulation.network import SimulatedNetwork
from tests.simulation.relay import SimulatedRelay

from bifolio.crypto.keys import new_device_keys
from bifolio.errors import BifolioError, RelayUnreachableError
from bifolio.replication import moving, rotation
from bifolio.replication.member_acts import RotateAct

if TYPE_CHECKING:
    from tests.simulation.simulator import Simulator

#: Syncs of everybody after which nothing that was said is left to be followed.
ROUNDS = 2


class DeviceSteps:
    """The steps of one run in which keys and relays change."""

    def __init__(self, world: Simulator) -> None:
        self._world = world
        self.network = SimulatedNetwork()
        #: By a device's key the one that took its place.
        self.successors: dict[bytes, bytes] = {}
        #: By the id of a computer what was said of where the library is when it chose its relay.
        self._chose: dict[int, bytes] = {}

    def acts(self) -> list[tuple[int, Callable[[], None]]]:
        """Each with its weight."""
        return [
            (3, self._rotate),
            (2, self._finish_one),
            (3, self._attach_elsewhere),
            (2, self._sync_without_somebody),
        ]

    def put_at(self, computer: Computer, relay: SimulatedRelay) -> None:
        """A computer begins with this relay, as its ticket says."""
        with computer.replica.database.transaction():
            computer.replica.meta.relay_url = relay.url

    def relay_of(self, computer: Computer) -> SimulatedRelay:
        """Where a computer is by its own file."""
        return self.network.at(computer.replica.meta.relay_url)

    def sync(self, computer: Computer) -> None:
        """As ``bifolio sync``: it follows what is said of where the library is."""
        computer.begin_session()
        self.network.run(self.network.remote(computer).sync())

    # --- new keys ----------------------------------------------------------------------------

    def _rotate(self) -> None:
        """In one go; or the connection is carried like anybody's, and cut like anybody's."""
        world = self._world
        free = [
            one
            for one in world._admitted()
            if one.next_keys is None and one.keys.sign_public not in self.successors
        ]
        if not free:
            return
        computer = world.choose.choice(free)
        home = computer.home_keys
        fresh = replace(
            new_device_keys(computer.name, world.choose.randbytes),
            earlier=(home.sign_public, *home.earlier),
        )
        computer.next_keys = fresh
        old = computer.keys.sign_public
        if old in world.history.restricted:
            self._restrict(fresh.sign_public)
        # Until it is done, a relay may know the new keys alone.
        world.admission.rotating.add(old)
        world._say(f"{computer.name} takes new keys")
        if world.choose.random() < 0.3:
            act = RotateAct(computer.replica, computer.member_log, fresh)
            self.relay_of(computer).connect(computer, act=act)
            return
        self._go_on(computer)

    def _finish_one(self) -> None:
        """``bifolio device rotate`` once more."""
        begun = [one for one in self._world.computers if one.next_keys is not None]
        if begun:
            self._go_on(self._world.choose.choice(begun))

    def _go_on(self, computer: Computer) -> None:
        world, fresh = self._world, computer.next_keys
        assert fresh is not None
        old = computer.home_keys.sign_public
        before, merged = self._unsealed(computer), computer.known()
        computer.begin_session()
        try:
            with computer.adopting():
                known = self.network.run(self.network.remote(computer).rotate(fresh))
        except BifolioError as error:
            world._refused(computer, error)
            return
        finally:
            self._note_adopted(computer, before, merged)
        if not known:
            return
        # Also where it took the same ones before, by a list of members that another relay has.
        world.history.note_end(old, computer.known())
        if old not in self.successors:
            world._say(f"{computer.name} has new keys")
            self.successors[old] = fresh.sign_public
            if any(one.keys.sign_public == old for one in world.computers):
                # A clone of the computer is shut out, with what it has not sent.
                world.admission.restricted.add(old)
                world.history.restricted.add(old)
            if old in world.admission.admitted:
                ticket = world.admission.admitted[old]
                world.admission.admitted.setdefault(fresh.sign_public, ticket)
        if world.choose.random() < 0.8:  # otherwise another of its libraries is not through yet
            self._finish(computer)

    def _finish(self, computer: Computer) -> None:
        """The next keys take the place of the old ones in its home."""
        assert computer.next_keys is not None
        computer.home_keys, computer.next_keys = computer.next_keys, None
        if computer.replica.meta.device_key != computer.home_keys.sign_public:
            computer.reopen()

    def heal(self) -> None:
        """Who has begun goes on until it is through."""
        world = self._world
        for computer in world.computers:
            for _ in range(ROUNDS):
                if computer.next_keys is not None:
                    self._go_on(computer)
            fresh = computer.next_keys
            if fresh is None:
                continue
            if computer.replica.keys.sign_public == fresh.sign_public:
                self._finish(computer)
                continue
            # It is no member any more, or a clone of it was faster.
            own = computer.keys.sign_public
            assert own in world.admission.restricted or world.admission.may_be_out(computer)
            computer.next_keys = None

    def is_unknown(self, computer: Computer) -> bool:
        """Whether the list of members at a computer lost its new keys: by a backup of before at the
        computer, with a relay that was put back too."""
        log = computer.member_log.membership()
        device = computer.keys.sign_public
        return device in self.successors.values() and log is not None and not log.has_met(device)

    def forget_old(self, computer: Computer) -> None:
        """Nobody knows of its new keys any more: it comes back by a ticket. What it wrote under the
        old ones and had not sealed it writes again, as it remembers these; what it had sealed may
        be nobody's."""
        before = {fresh: old for old, fresh in self.successors.items()}
        device = computer.keys.sign_public
        while (old := before.pop(device, None)) is not None:
            del self.successors[old]
            self._restrict(old)
            device = old

    def restrict_successors(self, device: bytes) -> None:
        """Who takes a right of a device takes it of the keys that follow it."""
        for computer in self._world.computers:
            if computer.next_keys is not None and computer.home_keys.sign_public == device:
                self._restrict(computer.next_keys.sign_public)
        if (fresh := self.successors.get(device)) is not None:
            self._restrict(fresh)
            self.restrict_successors(fresh)

    def _restrict(self, device: bytes) -> None:
        self._world.admission.restricted.add(device)
        self._world.history.restricted.add(device)

    def _unsealed(self, computer: Computer) -> dict[str, frozenset[Typed]]:
        """What is shown of each record that anybody typed into."""
        records = {event.record for event in self._world.history.events.values()}
        return {
            one: typed_in(computer, one)
            for one in records
            if computer.replica.records.state(one) is not None
        }

    def _note_adopted(
        self,
        computer: Computer,
        before: dict[str, frozenset[Typed]],
        merged: frozenset[bytes],
    ) -> None:
        """Nothing that was shown is gone with the old keys, but what changes removed that came
        meanwhile and had seen it typed; what was written again is typed now."""
        history = self._world.history
        fresh = computer.adopted - history.adopted
        if not fresh:
            return
        history.adopted |= fresh
        events = [history.events[one] for one in fresh if one in history.events]
        came = [history.events[one] for one in computer.known() - merged if one in history.events]
        for record in sorted({one.record for one in events}):
            removed = {
                typed
                for one in came
                if one.record == record
                for typed in one.lowered - _typed_unseen(fresh, history.events, one)
            }
            lost = before.get(record, frozenset()) - typed_in(computer, record) - removed
            assert not lost, f"{computer.name} lost {sorted(lost)} with its old keys"
        if len({one.record for one in events}) == 1 and all(one.act is Act.EDIT for one in events):
            self._note_written(computer, events)

    def note_late(self, computer: Computer) -> None:
        """A sync wrote again what another process had written under the old keys, or a backup of
        before brought: it is shown, but what a later edit that knew it removed."""
        history = self._world.history
        late = computer.adopted - history.adopted
        if not late:
            return
        history.adopted |= late
        known = computer.known() | late
        for one in late & history.events.keys():
            event = history.events[one]
            later = [history.events[other] for other in known if other in history.events]
            removed = [other.lowered for other in later if one in other.known]
            lost = event.typed.difference(typed_in(computer, event.record), *removed)
            assert not lost, f"{computer.name} lost {sorted(lost)}, written late under its old keys"

    def _note_written(self, computer: Computer, events: list[Event]) -> None:
        record, known = events[0].record, computer.known()
        written = {one for one in known if one not in self._world.history.events}
        newest = computer.replica.changes.unsent() and computer.newest_change()
        if not newest or newest not in written:
            return
        typed = frozenset().union(*(one.typed for one in events)) & typed_in(computer, record)
        event = Event(known - {newest}, record, typed, frozenset(), frozenset(), Act.EDIT)
        self._world.history.note(computer, event)

    # --- where the library is -------------------------------------------------------------------

    def _attach_elsewhere(self) -> None:
        """An owner's computer tells the others; any other one goes alone. The relay so far may be
        out of reach, or the one that it goes to."""
        world, choose = self._world, self._world.choose
        candidates = world._admitted()
        if len(world.relays) < 2 or not candidates:
            return
        computer, target = choose.choice(candidates), choose.choice(world.relays)
        here = computer.replica.meta.relay_url
        world._end_all_of(computer)
        world._say(f"{computer.name} attaches to {target.folder.name}")
        gone = choose.choice(((), (), (here,), (target.url,)))
        remote = self.network.remote(computer)
        computer.begin_session()
        try:
            with self.network.without(*gone):
                self.network.run(remote.fetch_before_move(target.url, None))
                self.network.run(remote.attach(target.url, None))
        except RelayUnreachableError:
            return
        except BifolioError as error:
            world._refused(computer, error)
            return
        notice = computer.member_log.relay_notice()
        self._chose[id(computer)] = notice.hash if notice else b""

    def _sync_without_somebody(self) -> None:
        """A sync while one of the relays is out of reach."""
        world, choose = self._world, self._world.choose
        computer, gone = choose.choice(world.computers), choose.choice(world.relays)
        world._say(f"{computer.name} syncs without {gone.folder.name}")
        try:
            with self.network.without(gone.url):
                self.sync(computer)
        except RelayUnreachableError:
            return
        except BifolioError as error:
            world._refused(computer, error)
        world.admission.note(computer)

    # --- in the end -----------------------------------------------------------------------------

    def follow(self, live: list[Computer]) -> None:
        """Everybody syncs where it is by its own file, and goes where it is told."""
        for _ in range(ROUNDS):
            for computer in live:
                self.sync(computer)
        for computer in live:
            assert not moving.is_to_be_followed(computer.replica, computer.member_log)
            notice, said = computer.member_log.relay_notice(), computer.member_log.said_address()
            if notice is None or self._chose.get(id(computer)) == notice.hash:
                continue
            assert computer.replica.meta.relay_url == said, f"{computer.name} was left behind"

    def check(self, live: list[Computer]) -> None:
        """Who took new keys is a member under them."""
        log = membership_of(live[0])
        for old, fresh in self.successors.items():
            is_restricted = {old, fresh} <= self._world.admission.restricted
            assert log.role_of(old) is None or is_restricted, "old keys are good"
        for computer in live:
            if computer.keys.sign_public in self.successors.values():
                assert rotation.knows_this_device(computer.replica, computer.member_log)

    def close(self) -> None:
        """No relay is talked to any more."""
        self.network.close()


def _typed_unseen(
    written_again: Iterable[bytes], events: Mapping[bytes, Event], by: Event
) -> frozenset[Typed]:
    """What changes typed that an event knew nothing of: it removes none of that."""
    unseen = [events[one] for one in written_again if one in events and one not in by.known]
    return frozenset[Typed]().union(*(one.typed for one in unseen))

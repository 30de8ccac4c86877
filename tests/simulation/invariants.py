"""What must hold after every step, looked at only where something was written since.

A run of a thousand steps looks a thousand times at each computer and relay; what was right and has
not changed is not read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.computer import Computer
from tests.simulation.history import History, check_stored
from tests.simulation.relay import SimulatedRelay

from bifolio_relay.storage import LibraryHead


@dataclass(slots=True)
class Seen:
    """What was looked at of one computer."""

    version: tuple[int, int] = (0, 0)
    known: frozenset[bytes] = frozenset()
    stored: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Invariants:
    """The checks of one run (I2 to I8 of DESIGN §6)."""

    history: History
    _seen: dict[int, Seen] = field(default_factory=dict)
    _ends: dict[int, LibraryHead | None] = field(default_factory=dict)

    def check(self, computer: Computer) -> None:
        """Nothing was merged too early, and the tables agree with each other."""
        seen = self._seen.setdefault(id(computer), Seen())
        version = computer.version()
        if version == seen.version:
            return
        if version[0] != seen.version[0]:  # another file may have taken its place
            seen.known, seen.stored = frozenset(), set()
        seen.known = self.history.check_causes(computer, seen.known)
        check_stored(computer, seen.stored)
        seen.version = version

    def check_growth(self, relay: SimulatedRelay) -> None:
        """(I2) The log did nothing but grow, and the list of members with it."""
        before, now = self._ends.get(id(relay)), relay.end()
        if before is not None and before != now:
            assert now is not None, "the relay forgot the library"
            assert now.n >= before.n, "the log did more than grow"
            assert relay.chain_hash(before.n) == before.chain_hash, "the log did more than grow"
            assert now.members >= before.members, "the list of members shrank"
        self._ends[id(relay)] = now

    def forget(self, relay: SimulatedRelay) -> None:
        """The relay was put back: it begins where it is."""
        self._ends[id(relay)] = relay.end()

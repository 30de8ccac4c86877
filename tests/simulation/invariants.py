"""What must hold after every step, looked at only where something was written since.

A run of a thousand steps looks a thousand times at each computer and relay; what was right and has
not changed is not read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.computer import Computer
from tests.simulation.history import History, check_stored
from tests.simulation.relay import SimulatedRelay

from bifolio.ids import content_hash
from bifolio_relay.storage import LibraryHead


@dataclass(slots=True)
class Seen:
    """What was looked at of one computer."""

    version: tuple[int, int] = (0, 0)
    known: frozenset[bytes] = frozenset()
    stored: set[bytes] = field(default_factory=set)
    #: The contents of files that were here, and those that a reference named.
    contents: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


@dataclass(slots=True)
class Invariants:
    """The checks of one run (I2 to I8 of DESIGN §6)."""

    history: History
    #: The contents of files that a computer dropped because nothing there had named them for long:
    #: the trash with them was emptied, and an edit of others may name them again.
    let_go: set[str] = field(default_factory=set)
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
        self._check_contents(computer, seen)
        seen.version = version

    def _check_contents(self, computer: Computer, seen: Seen) -> None:
        """No file is dropped that a reference named a moment ago."""
        folder = computer.replica.contents.path("0" * 64).parent.parent
        here = frozenset(path.name for path in folder.glob("??/*"))
        dropped = seen.contents - here
        assert not dropped & seen.named, f"{computer.name} dropped a file that was named"
        self.let_go |= dropped
        named = computer.replica.references.attachments.contents()
        seen.contents, seen.named = here, frozenset(one for one, _ in named)

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


def check_waiting(
    computer: Computer, live: Iterable[Computer], relays: Iterable[SimulatedRelay]
) -> None:
    """What waits here waits for what nobody has any more: a bundle came without the one before it,
    and then its author was put back to an older backup."""
    had = {content_hash(raw) for relay in relays for raw in relay.log()}
    for other in live:
        rows = other.replica.database.rows(
            "SELECT hash FROM changes WHERE hash IS NOT NULL UNION SELECT hash FROM covered"
        )
        had.update(row[0] for row in rows)
    waiting = {row[0] for row in computer.replica.database.rows("SELECT hash FROM pending")}
    needed = computer.replica.database.rows(
        "SELECT envelope, max(needed IN (SELECT hash FROM pending)), max(of_members) "
        "FROM waits_for GROUP BY envelope"
    )
    assert not waiting & had, f"{computer.name} waits with what others have merged"
    assert len(needed) == len(waiting), f"{computer.name} waits for nothing"
    for envelope, is_in_row, of_members in needed:
        lacks = {
            row[0]
            for row in computer.replica.database.rows(
                "SELECT needed FROM waits_for WHERE envelope = ?", (envelope,)
            )
        }
        assert not of_members, f"{computer.name} waits for a key or a member"
        assert is_in_row or not lacks <= had, f"{computer.name} waits for what others have"

"""Further things that happen: bundles, most of the library deleted, members who lose a right.

Each is a step like those of ``simulator``, which draws them; they are here so that the world itself
stays readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from tests.simulation.computer import Computer
from tests.simulation.members import demote, membership_of, promote
from tests.simulation.relay import SimulatedRelay

from bifolio import limits
from bifolio.bundles.exporting import LAST, export_bundle
from bifolio.bundles.importing import BundleInbox
from bifolio.crypto.membership import Role
from bifolio.errors import BundleError
from bifolio.library.trash import Trash
from bifolio.records.edits import Act, Edit
from bifolio.repair.sampling import Sampler

if TYPE_CHECKING:
    from tests.simulation.simulator import Simulator

#: Of so few references, in place of fifty, is a deletion of most of the library noticed.
FEW = 3
#: Rounds in which everybody has everything before a member loses a right.
ROUNDS_MAX = 12


@contextmanager
def small_deletions_count() -> Iterator[None]:
    """The guard of deletions holds in libraries as small as those of a run."""
    with patch.object(limits, "DELETED_BY_OTHERS_MAX", FEW):
        yield


class FurtherSteps:
    """The steps of one run."""

    def __init__(self, world: Simulator) -> None:
        self._world = world
        self._bundles: list[Path] = []
        #: Members who may read only, by their signing keys.
        self.readers: set[bytes] = set()

    def acts(self, *, grows: bool) -> list[tuple[int, Callable[[], None]]]:
        """Each with its weight."""
        acts: list[tuple[int, Callable[[], None]]] = [
            (2, self._export_bundle),
            (3, self._import_bundle),
            (2, self._come_without_the_one_before),
            (3, self._quarrel),
            (1, self._delete_most),
            (1, self._confirm_deletions),
        ]
        if grows:
            acts += [(1, self._demote), (1, self._promote_reader)]
        return acts

    def may_write(self, computer: Computer) -> bool:
        """Whether its user may edit."""
        return computer.keys.sign_public not in self.readers

    def heal(self) -> None:
        """Whoever was shown deletions agrees to them."""
        for computer in self._world.computers:
            Trash(computer.replica).confirm()

    def check(self, computer: Computer) -> None:
        """A whole round of the check of samples finds nothing in an honest replica's file."""
        sampler, meta = Sampler(computer.replica), computer.replica.meta
        # Time stands still here: row by row, a round ends where changes and records end at once.
        with (
            patch.object(limits, "SAMPLE_ROWS", 1_000_000),
            computer.replica.database.transaction(),
        ):
            meta.sampled = None
            for _ in range(10_000):
                sampler.check(1e9)
                computer.clock.advance(limits.SAMPLE_WAIT_S + 1)
                if (meta.sampled or (0, "")) == (0, ""):
                    break
            assert not meta.damaged_tables, f"{computer.name}: {meta.damaged_tables}"
            meta.sampled = None

    # --- bundles ----------------------------------------------------------------------------

    def _export_bundle(self) -> None:
        computer = self._a_member()
        if computer is None:
            return
        since = self._world.choose.choice([None, LAST, LAST, *self._bundles[-3:]])
        path = self._world.folder / f"{len(self._bundles)}.bundle"
        try:
            export_bundle(computer.replica, path, since=since)
        except BundleError as error:
            self._say(f"{computer.name} makes no bundle: {error.message}")
            return
        self._say(f"{computer.name} makes the bundle {path.name}")
        self._bundles.append(path)

    def _import_bundle(self) -> None:
        """Any of them: late, twice, without the one before it, or its own."""
        computer = self._a_member()
        if computer is None or not self._bundles:
            return
        path = self._world.choose.choice(self._bundles)
        self._say(f"{computer.name} takes in the bundle {path.name}")
        self._world._end_all_of(computer)
        BundleInbox(computer.replica, computer.member_log).import_file(path)

    def hand_on_bundles(self) -> bool:
        """What came by a bundle to readers alone, and has no place on a relay since its author was
        put back, is asserted by nobody until who may write takes in the bundle too (seed 67);
        whether that was so."""
        members = [one for one in self._world.computers if one.member_log.role() is not None]
        writers = [one for one in members if membership_of(one).may_write(one.keys.sign_public)]
        read = frozenset[bytes]().union(*(one.known() for one in members if one not in writers))
        written = frozenset[bytes]().union(*(one.known() for one in writers))
        if not writers or read <= written:
            return False
        for path in self._bundles:
            BundleInbox(writers[0].replica, writers[0].member_log).import_file(path)
        return True

    def _come_without_the_one_before(self) -> None:
        """Two bundles in a row, of which the second one arrives alone."""
        computer, other = self._a_writer(), self._a_member()
        if computer is None or other is None or other is computer:
            return
        self._world._end_all_of(computer)
        self._world._end_all_of(other)
        paths = []
        for _ in range(2):
            self._world.typist.type(computer)
            path = self._world.folder / f"{len(self._bundles)}.bundle"
            try:
                export_bundle(computer.replica, path, since=LAST)
            except BundleError:
                return
            self._bundles.append(path)
            paths.append(path)
        self._say(f"{other.name} gets {paths[1].name} of {computer.name} without the one before")
        BundleInbox(other.replica, other.member_log).import_file(paths[1])

    # --- most of the library deleted ----------------------------------------------------------

    def _delete_most(self) -> None:
        computer = self._a_writer()
        if computer is None:
            return
        ids = [row.id for row in computer.replica.references.iter_rows(trashed=False)]
        self._say(f"{computer.name} deletes most of {len(ids)} references")
        for record in self._world.choose.sample(ids, len(ids) * 2 // 3):
            if computer.replica.deletion_guard.noted.read(record) is None:
                self._world.typist.delete(computer, record)

    def _quarrel(self) -> None:
        """Several write into one field, and none of them has seen what the others write."""
        writers = self._world._writers()
        listed = [
            {row.id for row in one.replica.references.iter_rows(trashed=False)} for one in writers
        ]
        common = sorted(set.intersection(*listed)) if listed else []
        if not common:
            return
        choose = self._world.choose
        record, field = choose.choice(common), choose.choice(("title", "page", "note"))
        self._say(f"{len(writers)} computers write the {field} of {record[:6]}")
        for computer in writers:
            edit = Edit(field, Act.SET, (self._world.typist.word(),))
            self._world.typist.make(computer, record, edit)

    def _confirm_deletions(self) -> None:
        computer = self._world.choose.choice(self._world.computers)
        if computer.replica.deletion_guard.is_holding:
            self._say(f"{computer.name} agrees to deletions")
            Trash(computer.replica).confirm()

    # --- rights -------------------------------------------------------------------------------

    def _demote(self) -> None:
        """An editor may read only from now on; everybody has had all that it wrote."""
        owner = self._an_owner()
        if owner is None or not self._settle():
            return
        editors = [one for one in membership_of(owner).members if one.role is Role.EDITOR]
        known = {one.keys.sign_public for one in self._world.computers}
        editors = [one for one in editors if one.device in known]
        if len(editors) < 2:
            return
        device = self._world.choose.choice(editors).device
        demote(owner, self._relay_of(owner), device)
        self.readers.add(device)
        self._say(f"{owner.name} takes the right to write from {self._name(device)}")
        self._settle()

    def _promote_reader(self) -> None:
        owner = self._an_owner()
        if owner is None or not self.readers or not self._settle():
            return
        device = self._world.choose.choice(sorted(self.readers))
        promote(owner, self._relay_of(owner), device)
        self.readers.discard(device)
        self._say(f"{owner.name} gives the right to write to {self._name(device)}")
        self._settle()

    def _settle(self) -> bool:
        """Everybody syncs with every relay until nothing moves; whether all are members then."""
        world = self._world
        for relay in world.relays:
            for connection in list(relay.connections):
                world._end(connection)
        for _ in range(ROUNDS_MAX):
            before = world._rest()
            for relay in world.relays:
                for computer in world.computers:
                    world._come(relay, computer)
                    world.admission.note(computer)
            if world._rest() == before:
                break
        # A backup of before would bring a member back who still believes that it may write.
        world._backups.clear()
        return all(one.member_log.role() is not None for one in world.computers)

    # --- who ----------------------------------------------------------------------------------

    def _a_member(self) -> Computer | None:
        members = [one for one in self._world._admitted() if one.member_log.role() is not None]
        return self._world.choose.choice(members) if members else None

    def _a_writer(self) -> Computer | None:
        writers = self._world._writers()
        return self._world.choose.choice(writers) if writers else None

    def _an_owner(self) -> Computer | None:
        owners = self._world._owners()
        return self._world.choose.choice(owners) if owners else None

    def _relay_of(self, computer: Computer) -> SimulatedRelay:
        return self._world._relay_of(computer)

    def _name(self, device: bytes) -> str:
        names = [one.name for one in self._world.computers if one.keys.sign_public == device]
        return names[0] if names else device.hex()[:8]

    def _say(self, what: str) -> None:
        self._world._say(what)

"""Builders for documents: computers that hold one record, each with its own slot and clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bifolio.clock import HybridClock
from bifolio.document import canonical, deletion, editing, view
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument, read_entries
from bifolio.ids import SLOT_LENGTH, digest
from bifolio.records.edits import Act, Edit
from bifolio.records.names import Name, parse_name
from bifolio.records.reference import Values

RECORD_ID = "ab" * 16
NOW_MS = 1_700_000_000_000

Planning = Callable[[Plan, Entries], object]


class Desk:
    """One computer's copy of one record. Its clock is ``behind_ms`` behind everybody's."""

    def __init__(self, name: str, *, behind_ms: int = 0) -> None:
        self.slot = (name + "0" * SLOT_LENGTH)[:SLOT_LENGTH]
        self.document = RecordDocument(
            client_id=int.from_bytes(digest(name.encode(), size=6), "big")
        )
        self._clock = HybridClock()
        self._behind_ms = behind_ms

    @property
    def entries(self) -> Entries:
        """The flat keys."""
        return self.document.entries()

    @property
    def view(self) -> view.RecordView:
        """What is shown."""
        return view.read_view(self.document.visible())

    @property
    def values(self) -> Values:
        """The values that are shown."""
        return self.view.values

    @property
    def conflicts(self) -> dict[str, list[object]]:
        """The values of each conflict by field, the shown one first."""
        return {one.field: [v.value for v in one.values] for one in self.view.conflicts}

    def json(self) -> str:
        """The canonical JSON."""
        return canonical.record_json(RECORD_ID, view.kind_of(self.entries), self.entries)

    def writes(self, planning: Planning, *, now_ms: int = NOW_MS) -> bytes | None:
        """Carry out a plan; its update, None where nothing was planned."""
        plan = Plan(Writer(self.slot, self._clock.next(now_ms - self._behind_ms)))
        planning(plan, self.entries)
        update = None if plan.is_empty else self.document.write(plan)
        # What a document says that it holds is what it holds.
        assert self.entries == read_entries(RecordDocument(self.document.state()).json())
        return update

    def creates(self, values: Values) -> None:
        """Make the reference."""
        self.writes(
            lambda plan, entries: editing.plan_creation(
                plan, entries, kind="reference", values=values
            )
        )

    def sets(self, field: str, *texts: str, now_ms: int = NOW_MS) -> None:
        """Set a field as a user does."""
        self.edits(Edit(field, Act.SET, texts), now_ms=now_ms)

    def adds(self, field: str, *texts: str) -> None:
        """Add to a field as a user does."""
        self.edits(Edit(field, Act.ADD, texts))

    def removes(self, field: str, *texts: str) -> None:
        """Remove from a field as a user does."""
        self.edits(Edit(field, Act.REMOVE, texts))

    def clears(self, field: str) -> None:
        """Clear a field as a user does."""
        self.edits(Edit(field, Act.CLEAR))

    def edits(self, *edits: Edit, now_ms: int = NOW_MS) -> None:
        """Edit as a user does."""
        self.writes(lambda plan, entries: editing.plan_edits(plan, entries, edits), now_ms=now_ms)

    def deletes(self) -> None:
        """Put the reference into the trash."""
        self.writes(deletion.plan_delete)

    def purges(self) -> None:
        """Empty the trash of the reference."""
        self.writes(deletion.plan_purge)

    def restores(self) -> None:
        """Take the reference out of the trash."""
        self.writes(deletion.plan_restore)

    def learns(self, *others: Desk) -> Desk:
        """Merge all that the others hold."""
        for other in others:
            self.document.merge(other.document.state())
        return self


def desks(*names: str, holding: Values | None = None) -> list[Desk]:
    """Computers that hold the same record, which the first of them made."""
    made = [Desk(name) for name in names]
    made[0].creates(holding if holding is not None else {"title": "On Paper"})
    for other in made[1:]:
        other.learns(made[0])
    return made


def meet(*all_desks: Desk) -> None:
    """Everybody learns everything; and all hold the same afterwards."""
    states = [desk.document.state() for desk in all_desks]
    for desk in all_desks:
        for state in states:
            desk.document.merge(state)
    assert len({desk.json() for desk in all_desks}) == 1


def names(*written: str) -> tuple[Name, ...]:
    """Names as a user writes them."""
    return tuple(parse_name(one) for one in written)


def shown_names(desk: Desk, role: str = "author") -> list[str]:
    """The names of a role as they are shown."""
    value = desk.values.get(role, ())
    assert isinstance(value, Sequence)
    return [str(one) for one in value]

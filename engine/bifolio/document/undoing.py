"""Taking back what some changes did to a record, as new edits that sync like any others.

A ``UndoTrace`` is fed with the record's past, step by step, and told which steps are to be taken
back. It keeps for each register what was there before them and what they left; ``plan_undo``
then writes back what is still as they left it. What somebody else wrote since stays, and is
named. Reads entries and plans writes; knows nothing of commands and devices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from bifolio.document import deletion, editing, importing, sets, texts, view
from bifolio.document.conflicts import ConflictKind
from bifolio.document.entries import (
    Entries,
    Live,
    find_new_values,
    join,
    without_superseded_imports,
)
from bifolio.document.field_kinds import KINDS, field_of, known_kind
from bifolio.document.field_kinds.field_kind import FieldKind
from bifolio.document.plan import Plan
from bifolio.ids import SEPARATOR
from bifolio.records.reference import Value

#: Registers that are no value of the record: how they go back is decided for the whole record,
#: or never (the marks of edits, what a file said, who a device is).
_NEVER = (editing.KIND, *deletion.MARKS, texts.MODIFIED)
_NEVER_UNDER = (importing.SOURCE, texts.MODIFIED, "device")


class Reason(Enum):
    """Why something was not taken back."""

    EDITED = "edited-since"
    CONFLICT = "in-conflict"
    TRASHED = "in-trash"
    BEATEN = "other-value-was-shown"
    DELETED_TOO = "deleted-by-others-too"
    UNKNOWN = "unknown-before"


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that stays as it is; ``field`` is None for the record as a whole."""

    field: str | None
    reason: Reason


@dataclass(slots=True)
class _Register:
    """What the changes did to one register.

    ``base`` was there before them (None: nothing), ``left`` is what they wrote last (None: they
    removed it). ``reduced`` is what they took from among several values, ``remaining`` the others;
    ``beaten`` says that it was not the one shown. ``last`` says that nothing came after them,
    ``others`` that what came last is another device's.
    """

    base: Live | None = None
    left: Live | None = None
    reduced: Live | None = None
    remaining: frozenset[str | None] = frozenset()
    beaten: bool = False
    written: set[tuple[str, str]] = field(default_factory=set)
    touched: bool = False
    last: bool = False
    others: bool = False


@dataclass(slots=True)
class _Whole:
    """What the changes did to a field that goes back as a whole: what it said before them, and as
    they left it."""

    kind: FieldKind
    base: Value | None = None
    left: Value | None = None
    touched: bool = False
    last: bool = False
    others: bool = False


class UndoTrace:
    """What the changes that are to be taken back did to one record.

    With ``by_value`` a register is as they left it where its value is the same and no other
    device wrote there since (an undo of a later command on this one writes it again);
    otherwise only where they wrote it themselves.
    ``counts`` tells which of the values in a step are the step's own: a library that joined
    brought values of others.
    """

    def __init__(self, *, by_value: bool, counts: Callable[[Live], bool] = lambda _: True) -> None:
        self._by_value = by_value
        self._counts = counts
        self._registers: dict[str, _Register] = {}
        self._wholes: dict[str, _Whole] = {}
        self._created = False
        self._edited_since = False
        self._was_trashed: bool | None = None
        self._left: Entries | None = None
        self._last: Entries | None = None

    def step(self, before: Entries, after: Entries, *, taken_back: bool, ours: bool) -> None:
        """The next step of the record's past; ``ours`` is one that this device made."""
        self._last = after
        if taken_back:
            if self._was_trashed is None:
                self._was_trashed = deletion.is_trashed(before)
            born = find_new_values(before, after, editing.KIND)
            self._created |= not before.live(editing.KIND) and any(map(self._counts, born))
            self._left = after
        elif self._left is not None:
            self._edited_since = True
        for name in before.registers.keys() | after.registers.keys():
            if before.live(name) != after.live(name):
                self._register(name, before, after, taken_back=taken_back)
                self._registers[name].others = not (taken_back or ours)
        for kind in KINDS:
            for name in sorted(kind.fields_that_differ(before, after)):
                whole = self._wholes.setdefault(name, _Whole(kind))
                whole.others = not (taken_back or ours)
                _note_whole(whole, name, before, after, taken_back=taken_back)

    def gives(self, entries: Entries) -> bool:
        """Whether the steps made the record what it is; if not, some of its past is missing."""
        return self._last == entries

    def plan_undo(self, plan: Plan, entries: Entries) -> list[Kept]:
        """Plan everything back that is still as the changes left it; what stays otherwise."""
        if self._left is None or view.kind_of(entries) == "import":
            return []
        if self._created:
            return self._plan_uncreate(plan, entries)
        done = self._plan_fate(plan, entries)
        return self._plan_fields(plan, entries) if done is None else done

    # --- gathering ----------------------------------------------------------------------------

    def _register(self, name: str, before: Entries, after: Entries, *, taken_back: bool) -> None:
        register = self._registers.setdefault(name, _Register())
        fresh = find_new_values(before, after, name)
        own = [live for live in fresh if self._counts(live)]
        if not taken_back or (fresh and not own):
            register.last = False
            return
        others = [
            live for live in before.live(name) if (live.slot, live.stamp) not in register.written
        ]
        if others:
            register.base = others[0]
        elif not register.last and not before.live(name):
            register.base = None
        register.touched = register.last = True
        register.written.update((live.slot, live.stamp) for live in own)
        register.left = own[0] if own else None
        register.reduced = None
        if not own and (remaining := after.live(name)):
            gone = [live for live in before.live(name) if live not in remaining]
            register.reduced = gone[0] if gone else None
            register.remaining = frozenset(live.value for live in remaining)
            # Written again it would be the latest, and shown, which it was not.
            register.beaten = bool(gone) and gone[0] != before.live(name)[0]

    # --- the record as a whole ------------------------------------------------------------------

    def _plan_uncreate(self, plan: Plan, entries: Entries) -> list[Kept]:
        """A record that the changes made goes into the trash, unless it was edited since."""
        if deletion.is_trashed(entries):
            return []
        if not self._stands(entries):
            return [Kept(None, Reason.EDITED)]
        deletion.plan_delete(plan, entries)
        return []

    def _plan_fate(self, plan: Plan, entries: Entries) -> list[Kept] | None:
        """Deletion and restoration; None where the fields are to go back too."""
        assert self._left is not None
        trashed = deletion.is_trashed(entries)
        if trashed and (done := self._plan_purge(plan, entries)) is not None:
            return done
        left_trashed = deletion.is_trashed(self._left)
        if self._was_trashed and not left_trashed:
            if trashed:
                return [Kept(None, Reason.TRASHED)] if self._touches_fields() else []
            if not self._stands(entries):
                return [Kept(None, Reason.EDITED)]
            kept = self._plan_fields(plan, entries)
            deletion.plan_delete(plan, entries)  # last: it has seen what goes back with it
            return kept
        if self._deleted():
            lives = [live for live, _ in deletion.live_deletions(entries)]
            if lives and self._marked(self._registers[deletion.REGISTER], lives):
                deletion.plan_restore(plan, entries)
                return None
            if trashed:
                return [Kept(None, Reason.DELETED_TOO)]
        if trashed and self._touches_fields():
            return [Kept(None, Reason.TRASHED)]
        return [] if trashed else None

    def _plan_purge(self, plan: Plan, entries: Entries) -> list[Kept] | None:
        """What went with an emptied trash lies in it again, or goes again; None for neither.

        Neither is an edit, and nothing marks it: an edit would bring the record back.
        """
        register = self._registers.get(deletion.PURGE)
        if register is None or not register.touched:
            return None
        lives = [live for live, _ in deletion.live_purges(entries)]
        if register.left is None:
            if register.base is not None and register.base.value is not None and not lives:
                deletion.plan_purge(plan, entries)
        elif register.left.value is not None and register.base is None:
            if not self._marked(register, lives):
                return [Kept(None, Reason.DELETED_TOO)]
            plan.remove(deletion.PURGE, lives)
        return []

    def _marked(self, register: _Register, lives: list[Live]) -> bool:
        """Whether the live deletions (or purges) are the changes' own and nobody else's.

        An undo of a restoration deletes again: that counts as what it gives back.
        """
        mine = [live for live in lives if (live.slot, live.stamp) in register.written]
        anew = self._by_value and not mine and not register.others
        return anew or len(mine) == len(lives)

    def _deleted(self) -> bool:
        register = self._registers.get(deletion.REGISTER)
        return (
            register is not None
            and register.touched
            and register.left is not None
            and register.left.value is not None
        )

    def _touches_fields(self) -> bool:
        return any(whole.touched for whole in self._wholes.values()) or any(
            register.touched and _is_value(name) and name != deletion.MERGED_INTO
            for name, register in self._registers.items()
        )

    def _stands(self, entries: Entries) -> bool:
        """Whether the whole record is as the changes left it."""
        if not self._by_value:
            return not self._edited_since
        assert self._left is not None
        return _shown(entries) == _shown(self._left)

    # --- fields -----------------------------------------------------------------------------------

    def _plan_fields(self, plan: Plan, entries: Entries) -> list[Kept]:
        """Every field back that is still as the changes left it."""
        kept = [self._plan_register(plan, entries, *one) for one in self._registers.items()]
        kept += [self._plan_whole(plan, entries, *one) for one in self._wholes.items()]
        editing.finish(plan, entries)
        return list(dict.fromkeys(one for one in kept if one is not None))

    def _plan_register(
        self, plan: Plan, entries: Entries, name: str, register: _Register
    ) -> Kept | None:
        if not register.touched or not _is_value(name):
            return None
        lives = entries.live(name)
        if register.reduced is not None:
            return self._plan_return(plan, name, register, lives)
        if register.left is None:
            return self._plan_removed(plan, name, register, lives)
        mine = self._mine(register, lives)
        base = register.base
        if mine and (base is None or len(mine) < len(lives)):
            plan.remove(name, mine)  # what others wrote at the same time stays
        elif mine and base is not None and any(live.value != base.value for live in mine):
            plan.put(name, base.value, seen=mine)
        elif not mine and _values(lives) != _values([base] if base else []):
            return Kept(_field(name, register), Reason.EDITED)
        return None

    def _plan_return(
        self, plan: Plan, name: str, register: _Register, lives: list[Live]
    ) -> Kept | None:
        """One of several values, that the changes took away, comes back next to the others."""
        assert register.reduced is not None
        if register.beaten:
            return Kept(_field(name, register), Reason.BEATEN)
        taken = any(live.slot == plan.writer.slot for live in lives)
        if _values(lives) != register.remaining or taken:
            return Kept(_field(name, register), Reason.EDITED)
        plan.put(name, register.reduced.value, seen=[])
        return None

    def _plan_removed(
        self, plan: Plan, name: str, register: _Register, lives: list[Live]
    ) -> Kept | None:
        """An element that the changes removed comes back, unless it has come back already."""
        if register.base is None:
            return None
        if lives:
            same = _values(lives) == _values([register.base])
            return None if same else Kept(_field(name, register), Reason.EDITED)
        if not self._is_last(register):
            return Kept(_field(name, register), Reason.EDITED)
        plan.put(name, register.base.value, seen=[])
        return None

    def _plan_whole(self, plan: Plan, entries: Entries, name: str, whole: _Whole) -> Kept | None:
        if not whole.touched:
            return None
        now, conflicts = whole.kind.read(entries, name)
        if now == whole.base and not conflicts:
            return None
        if now != whole.left or not self._is_last(whole):
            return Kept(name, Reason.EDITED)
        if conflicts:
            return Kept(name, Reason.CONFLICT)
        whole.kind.plan_replace(plan, entries, name, whole.base)
        return None

    def _is_last(self, what: _Register | _Whole) -> bool:
        """Whether nobody wrote there after the changes, or by value, no other device did."""
        return what.last or (self._by_value and not what.others)

    def _mine(self, register: _Register, lives: list[Live]) -> list[Live]:
        """Which of the values are those that the changes left."""
        mine = [live for live in lives if (live.slot, live.stamp) in register.written]
        if mine or not self._by_value or register.others or register.left is None:
            return mine
        left = register.left.value
        return lives if all(live.value == left for live in lives) else []


def _note_whole(
    whole: _Whole, name: str, before: Entries, after: Entries, *, taken_back: bool
) -> None:
    if not taken_back:
        whole.last = False
        return
    if not whole.last:
        whole.base = whole.kind.read(before, name).value
    whole.touched = whole.last = True
    whole.left = whole.kind.read(after, name).value


def _is_value(name: str) -> bool:
    """Whether a register goes back by itself."""
    kind = known_kind(name)
    if name in _NEVER or (kind is not None and kind.goes_back_whole):
        return False
    return not any(name.startswith(join(prefix, "")) for prefix in _NEVER_UNDER)


def _field(name: str, register: _Register) -> str:
    """The field that a register is of, as a user calls it."""
    return field_of(name, [live.value for live in (register.base, register.left) if live])


def _values(lives: list[Live]) -> frozenset[str | None]:
    return frozenset(live.value for live in lives)


def _shown(entries: Entries) -> object:
    """All that a record says, without who wrote it and when: values, conflicts, and what no field
    shows (which references were merged into it, what a group is called)."""
    visible = without_superseded_imports(entries)
    read = view.read_view(visible)
    conflicts = {
        (one.field, one.kind): [choice.value for choice in one.values]
        for one in read.conflicts
        if one.kind is not ConflictKind.REVIVED  # says who deleted it, and no value
    }
    elements = {field: frozenset(held) for field, held in sets.all_elements(visible).items()}
    named = {
        name: lives[0].value
        for name, lives in entries.registers.items()
        if SEPARATOR not in name and known_kind(name) is None and name not in _NEVER
        if lives[0].value is not None  # an undone merge leaves an empty name of whom it is in
    }
    return read.values, conflicts, elements, named

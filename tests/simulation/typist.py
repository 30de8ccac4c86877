"""Somebody who types: random edits of references by every merge rule, noted in the history.

After each commit it is checked that the edit did on this computer what its user wanted and
nothing else; only then the history's word for what was removed can be trusted.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from tests.simulation.computer import Computer
from tests.simulation.history import (
    WORD,
    Act,
    Event,
    History,
    Typed,
    names_in,
    rule_of,
    typed_in,
)

from bifolio import limits
from bifolio.document import creators, deletion, editing, sets
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import element_of
from bifolio.document.plan import Plan
from bifolio.document.view import read_view
from bifolio.ids import random_record_id
from bifolio.library import conflicts
from bifolio.records import attachments, edits
from bifolio.records.attachments import Attachment
from bifolio.records.edits import Edit
from bifolio.records.fields import MergeRule, merge_rule
from bifolio.records.names import Name
from bifolio.records.reference import Values
from bifolio.replica import lookup
from bifolio.replica.replica import Write

SCALARS = ("title", "page")
DATES = ("issued",)
LISTS = ("x.ris.U1",)
TEXTS = ("note", "abstract")
ROLES = ("author", "editor")
SETS = ("tags", "ISBN")
ONE_MORE, ANOTHER = "0VcTc8XUOneMore1", "0VcTc8XZAnother2"
#: Further notes and annotations, of every merge rule that they have.
NOTES = (
    *(f"note:{ONE_MORE}", f"note:{ANOTHER}", f"annotation:{ONE_MORE}"),
    *(f"note:{ONE_MORE}:tags", f"annotation:{ONE_MORE}:colour"),
)
FAMILIES = ("Doe", "Roe", "Poe", "Żółć", "Li")
ELEMENTS = ("red", "grün", "blue", "very " * 20 + "long")


@dataclass(frozen=True, slots=True)
class Before:
    """A computer and a record as they were before a commit."""

    known: frozenset[bytes]
    shown: frozenset[Typed]
    names: Counter[Typed]


@dataclass(slots=True)
class Typist:
    """Types on any computer; all choices are the generator's.

    ``notes``: whether it knows of several notes of one reference.
    """

    choose: random.Random
    history: History
    notes: bool = True
    words: int = 0

    def type(self, computer: Computer) -> None:
        """One edit of a reference that is there, or a new one."""
        records = [row.id for row in computer.replica.references.iter_rows(trashed=False)]
        trashed = [row.id for row in computer.replica.references.iter_rows(trashed=True)]
        purged = [row.id for row in computer.replica.references.purged.iter_rows()]
        if not records or self.choose.random() < 0.08:
            self.add(computer)
        elif trashed and self.choose.random() < 0.3:
            act = self.choose.choice((self.restore, self.restore, self.purge))
            act(computer, self.choose.choice(trashed))
        elif purged and self.choose.random() < 0.1:
            self.restore(computer, self.choose.choice(purged))
        else:
            record = self.choose.choice(records)
            acts = (*(self.edit,) * 4, self.correct, self.resolve, self.delete, self.restore)
            self.choose.choice(acts)(computer, record)

    def add(self, computer: Computer) -> str:
        """A new reference; its id."""
        record = random_record_id(computer.replica.runtime.random_bytes)
        values: Values = {
            "type": "book",
            "title": self.word(),
            "citation-key": self.word(),
            "note": self.text(3),
            "author": (Name(family="Doe", given="Jane"), Name(family="Roe")),
            "tags": ("red",),
        }

        def write(plan: Plan, entries: Entries) -> None:
            editing.plan_creation(plan, entries, kind="reference", values=values)

        self._commit(computer, record, write)
        return record

    def edit(self, computer: Computer, record: str) -> None:
        """Any edit that ``bifolio edit`` knows."""
        field = self.choose.choice(
            (*SCALARS, *DATES, *LISTS, *TEXTS, *TEXTS, *ROLES, *ROLES, *SETS) + NOTES * self.notes
        )
        self.make(computer, record, self._edit(computer, record, field))

    def attach(self, computer: Computer, record: str) -> None:
        """A file of nothing, of a few bytes, or of more than a chunk."""
        size = self.choose.choice((0, 9, limits.CHUNK_BYTES + 1))
        path = computer.folder / "typed"
        path.write_bytes(self.choose.randbytes(size))
        content = computer.replica.contents.add(path)
        element = Attachment(f"{self.word()}.pdf", content.hash, content.size).to_element()

        def write(plan: Plan, entries: Entries) -> None:
            sets.plan_add(plan, entries, attachments.FIELD, element)

        self._commit(computer, record, write, field=attachments.FIELD)

    def make(self, computer: Computer, record: str, edit: Edit) -> None:
        """One given edit."""

        def write(plan: Plan, entries: Entries) -> None:
            editing.plan_edits(plan, entries, [edit])

        self._commit(computer, record, write, field=edit.field)

    def correct(self, computer: Computer, record: str) -> None:
        """One author's name is corrected: the element stays."""
        living = creators.read_creators(computer.replica.document(record).entries()).get(
            "author", []
        )
        if not living:
            return
        element = self.choose.choice(living)
        name = self._name()

        def write(plan: Plan, entries: Entries) -> None:
            creators.plan_rename(plan, entries, element.id, "author", name)

        wrote = frozenset({("author", str(name))})
        self._commit(computer, record, write, field="author", wrote=wrote)

    def delete(self, computer: Computer, record: str) -> None:
        """Into the trash."""
        self._commit(computer, record, deletion.plan_delete, act=Act.DELETE, field="")

    def purge(self, computer: Computer, record: str) -> None:
        """Out of the trash for good; nothing where it is not in there."""
        self._commit(computer, record, deletion.plan_purge, act=Act.PURGE, field="")

    def restore(self, computer: Computer, record: str) -> None:
        """Out of the trash, emptied or not, or settle a revival; nothing where it is neither."""
        self._commit(computer, record, deletion.plan_restore, act=Act.RESTORE, field="")

    def resolve(self, computer: Computer, record: str) -> None:
        """Take one value of a conflict, or write a new one."""
        replica = computer.replica
        row = replica.references.read(record)
        assert row is not None
        listed = [one for one in lookup.conflicts(replica, row) if one.kind != "revived"]
        if not listed:
            return
        conflicts.remember(replica, listed)
        conflict = self.choose.choice(listed)
        element = element_of(conflict.field)
        name = element or conflict.field
        take = self.choose.randint(1, len(conflict.values))
        before = self._before(computer, record)
        written = None if self.choose.random() < 0.6 else self._written(name)
        conflicts.resolve(
            replica, row, conflict.field, take=None if written else take, value=written
        )
        wrote: frozenset[Typed] = frozenset()
        if element is not None:
            chosen = written or str(Name.from_csl(conflict.values[take - 1].value))
            wrote = frozenset({(name, chosen)})
        self._note(computer, record, before, act=Act.EDIT, field=name, wrote=wrote)

    def word(self) -> str:
        """A word that was never typed before."""
        self.words += 1
        return f"w{self.words}q"

    def text(self, paragraphs: int) -> str:
        """A new text, every word of which is new."""
        return "\n\n".join(f"{self.word()} 📚 {self.word()} é" for _ in range(paragraphs))

    # --- small steps ------------------------------------------------------------------------

    def _edit(self, computer: Computer, record: str, field: str) -> Edit:
        rule = merge_rule(field)
        shown = read_view(computer.replica.document(record).entries()).values.get(field)
        if shown and self.choose.random() < 0.12:
            return Edit(field, edits.Act.CLEAR)
        if rule is MergeRule.TEXT:
            return self._text_edit(field, str(shown or ""))
        act = edits.Act.SET
        if rule in (MergeRule.CREATORS, MergeRule.SET, MergeRule.LIST):
            act = self.choose.choice((edits.Act.ADD, edits.Act.ADD, edits.Act.REMOVE, act))
        there = [str(one) for one in shown] if isinstance(shown, tuple) else []
        if act is edits.Act.REMOVE and there:
            return Edit(field, act, (self.choose.choice(there),))
        act = edits.Act.ADD if act is edits.Act.REMOVE else act
        if rule is MergeRule.CREATORS and act is edits.Act.SET:
            return Edit(field, act, tuple(self._reordered(there)))
        return Edit(field, act, (self._written(field),))

    def _text_edit(self, field: str, shown: str) -> Edit:
        """A paragraph more, a word more, a word less, or another text."""
        how = self.choose.random()
        words = WORD.findall(shown)
        if not shown or how < 0.2:
            return Edit(field, edits.Act.SET, (self.text(2),))
        if how < 0.5:
            return Edit(field, edits.Act.ADD, (self.text(1),))
        at = self.choose.choice(words) if words else ""
        if how < 0.8 and at:
            new = self.choose.choice((f"{at} {self.word()} 👩‍🔬", f"{self.word()} {at}"))
            return Edit(field, edits.Act.SET, (shown.replace(at, new),))
        if at:
            return Edit(field, edits.Act.SET, (shown.replace(at + " ", "").replace(at, ""),))
        return Edit(field, edits.Act.ADD, (self.text(1),))

    def _reordered(self, there: list[str]) -> list[str]:
        names = [*there, *(str(self._name()) for _ in range(self.choose.randint(0, 2)))]
        self.choose.shuffle(names)
        kept = names[: self.choose.randint(1, len(names))] if names else []
        return kept or [str(self._name())]

    def _written(self, field: str) -> str:
        rule = merge_rule(field)
        if rule is MergeRule.DATE:
            return str(self.choose.randint(1990, 2010))
        if rule is MergeRule.CREATORS:
            return str(self._name())
        if rule is MergeRule.SET:
            return self.choose.choice(ELEMENTS)
        return self.text(2) if rule is MergeRule.TEXT else self.word()

    def _name(self) -> Name:
        given = self.choose.choice(("", "A.", "B."))
        return Name(family=self.choose.choice(FAMILIES), given=given)

    def _before(self, computer: Computer, record: str) -> Before:
        return Before(computer.known(), typed_in(computer, record), names_in(computer, record))

    def _commit(
        self,
        computer: Computer,
        record: str,
        write: Write,
        *,
        act: Act = Act.EDIT,
        field: str | None = None,
        wrote: frozenset[Typed] = frozenset(),
    ) -> None:
        before = self._before(computer, record)
        if computer.replica.commit([(record, write)]):
            self._note(computer, record, before, act=act, field=field, wrote=wrote)

    def _note(
        self,
        computer: Computer,
        record: str,
        before: Before,
        *,
        act: Act,
        field: str | None,
        wrote: frozenset[Typed],
    ) -> None:
        if computer.known() == before.known:
            return  # a choice that changed nothing
        after, names = typed_in(computer, record), names_in(computer, record)
        removed, typed = before.shown - after, after - before.shown
        touched = {name for name, _ in removed | typed}
        assert field is None or touched <= {field}, f"an edit of {field!r} touched {touched}"
        typed |= wrote | (names - before.names).keys()
        if field and _is_one_value(field):
            typed |= {one for one in after if one[0] == field}
        lowered = removed | (before.names - names).keys()
        self.history.note(computer, Event(before.known, record, typed, removed, lowered, act))


def _is_one_value(field: str) -> bool:
    """Whether a write of the field writes all that is in it."""
    return rule_of(field) in (MergeRule.SCALAR, MergeRule.DATE, MergeRule.LIST)

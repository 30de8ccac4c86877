"""A reference of which only plain fields changed is derived of its row: as a whole derivation has
it."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.support.cases import each

from bifolio.document import deletion, registers
from bifolio.document.entries import Entries, join
from bifolio.document.field_kinds import field_kind
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.records.names import Name
from bifolio.records.reference import Value
from bifolio.replica import projection
from bifolio.replica.rederiving import basis_of, rederive
from bifolio.storage.derived import StoredBefore, StoredReference

RECORD = "a" * 32
SLOTS = [f"device{number}___"[:8] + "AAAA" for number in range(3)]

PLAIN: list[tuple[str, Value]] = [
    ("title", "On Paper"),
    ("title", "On Ink"),
    ("type", "book"),
    ("type", "article"),
    ("volume", "7"),
    ("publisher", "Some Press"),
    ("container-title", "Annals"),
    ("DOI", "10.1/x"),
    ("abstract", "It speaks of ink."),
    ("abstract", "It speaks of black ink, and of paper."),
    ("note", "Read it."),
    ("annotation", "Again."),
]
OTHER: list[tuple[str, Value]] = [
    ("author", (Name("Lee", "Ann"),)),
    ("author", (Name("Lee", "Ann"), Name(literal="Bob"))),
    ("tags", ("red",)),
    ("tags", ("red", "blue")),
    ("ISBN", ("1", "2")),
    ("issued", {"date-parts": [[1980]]}),
    ("citation-key", "lee1"),
    ("citation-key", "lee2"),
    ("x.mine", ("one", "two")),
    ("note:abcdefgh12345678", "another note"),
]


class Writers:
    """Several computers that write one record, and merge what the others wrote."""

    def __init__(self) -> None:
        self.documents = [RecordDocument(client_id=number + 1) for number in range(len(SLOTS))]
        self.now = 0

    def write(self, number: int, write: Callable[[Plan, Entries], None]) -> None:
        """One change by one of them."""
        self.now += 1
        document = self.documents[number]
        plan = Plan(Writer(SLOTS[number], f"{self.now:012x}000000"))
        write(plan, document.entries())
        if not plan.is_empty:
            document.write(plan)

    def meet(self, one: int, other: int) -> None:
        """One of them merges all of another one."""
        state = self.documents[other].state()
        self.documents[one].merge_own(state)


def sets(field: str, value: Value) -> Callable[[Plan, Entries], None]:
    return lambda plan, entries: field_kind(field).plan_set(plan, entries, field, value)


def clears(field: str) -> Callable[[Plan, Entries], None]:
    return lambda plan, entries: field_kind(field).plan_clear(plan, entries, field)


def whole(document: RecordDocument) -> StoredReference:
    return projection.to_stored_whatever(projection.derive_whatever(RECORD, document.visible()))


def before_of(stored: StoredReference) -> StoredBefore:
    sources = list(stored.sources)
    return StoredBefore(stored.row, sources, bool(stored.attachments), stored.basis, 1)


def check(before: StoredReference, document: RecordDocument) -> bool:
    """Whether the short way is taken, and then gives what the long one does."""
    short = rederive(document.visible(), before_of(before))
    if short is None:
        return False
    long = whole(document)
    assert (short.row, short.key, short.purged, short.basis) == (
        *(long.row, long.key, long.purged, long.basis),
    )
    kept = short.kept
    for part in ("elements", "sources", "attachments"):
        assert getattr(before, part) == getattr(long, part)
    for part in ("places", "texts"):
        given = before if getattr(kept, part) else short
        assert getattr(given, part) == getattr(long, part), part
    assert not kept.row or before.row == long.row
    return True


@each("seed", range(8))
def test_the_short_way_gives_what_the_long_one_does_after_any_edits(seed: int) -> None:
    choose, writers = random.Random(seed), Writers()
    writers.write(0, lambda plan, _: plan.put("kind", "reference", seen=[]))
    for number in (1, 2):
        writers.meet(number, 0)
    acts = [
        *(sets(*one) for one in PLAIN * 3),
        *(sets(*one) for one in OTHER),
        *(clears(field) for field in ("title", "volume", "abstract", "author")),
        deletion.plan_delete,
        deletion.plan_restore,
        lambda plan, entries: registers.plan_set(plan, entries, "newer", "x"),
    ]
    seen = [whole(writers.documents[0])]
    for _ in range(120):
        number = choose.randrange(len(SLOTS))
        writers.write(number, choose.choice(acts))
        if choose.random() < 0.6:
            writers.meet(*choose.sample(range(len(SLOTS)), 2))
        document = writers.documents[number]
        for before in choose.sample(seen, min(3, len(seen))):
            check(before, document)
        seen.append(whole(document))


@each(("field", "value"), PLAIN)
def test_an_edit_of_a_plain_field_takes_the_short_way(field: str, value: Value) -> None:
    writers = Writers()
    writers.write(0, lambda plan, _: plan.put("kind", "reference", seen=[]))
    for one in (("title", "Earlier"), ("author", (Name("Lee", "Ann"),)), ("tags", ("red",))):
        writers.write(0, sets(*one))
    document = writers.documents[0]
    before = whole(document)
    writers.write(0, sets(field, value))
    assert check(before, document)
    before = whole(document)
    writers.write(0, clears(field))
    assert check(before, document)


@each(("field", "value"), OTHER)
def test_an_edit_of_another_field_does_not(field: str, value: Value) -> None:
    writers = Writers()
    writers.write(0, sets("title", "Earlier"))
    before = whole(writers.documents[0])
    writers.write(0, sets(field, value))
    assert not check(before, writers.documents[0])


def test_an_edit_that_also_deletes_what_another_one_wrote_does_not() -> None:
    writers = Writers()
    writers.write(0, sets("title", "Earlier"))
    writers.write(0, sets("tags", ("red",)))
    before = whole(writers.documents[0])

    def both(plan: Plan, entries: Entries) -> None:
        sets("title", "Later")(plan, entries)
        clears("tags")(plan, entries)

    writers.write(0, both)
    assert not check(before, writers.documents[0])


def test_a_reference_in_conflict_or_in_the_trash_has_no_basis() -> None:
    writers = Writers()
    writers.write(0, sets("title", "Earlier"))
    writers.meet(1, 0)
    writers.write(0, sets("title", "Mine"))
    writers.write(1, sets("title", "Theirs"))
    writers.meet(0, 1)
    document = writers.documents[0]
    assert basis_of(document.visible()) is None
    writers.write(0, sets("title", "Settled"))
    writers.write(0, deletion.plan_delete)
    assert whole(document).basis is None
    writers.write(0, deletion.plan_restore)
    before = whole(document)
    assert before.basis is not None
    writers.write(0, sets("volume", "8"))
    assert check(before, document)


def test_a_text_that_was_replaced_and_edited_unseen_is_a_conflict() -> None:
    writers = Writers()
    writers.write(0, sets("abstract", "It speaks of ink and paper."))
    writers.meet(1, 0)
    before = whole(writers.documents[0])
    writers.write(0, sets("abstract", "Nothing of that."))
    writers.write(1, sets("abstract", "It speaks of ink and of paper."))
    writers.meet(0, 1)
    assert not check(before, writers.documents[0])
    assert whole(writers.documents[0]).basis is None


def test_a_key_of_a_newer_version_counts() -> None:
    writers = Writers()
    writers.write(0, sets("title", "Earlier"))
    before = whole(writers.documents[0])
    writers.write(0, lambda plan, _: plan.put(join("newer", "thing"), "x", seen=[]))
    assert not check(before, writers.documents[0])

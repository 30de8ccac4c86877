"""A record of which computers load the core alone shows what the whole record shows, everywhere."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from bifolio.clock import HybridClock
from bifolio.document import registers, texts
from bifolio.document.core import Core, CoreWindow, NameFilter
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.document.snapshot_states import is_same_state
from bifolio.document.update_structure import read_update
from bifolio.ids import device_tag, incarnation_client_id
from bifolio.records.state_parts import join_parts

RECORD = "ab" * 16
_WORDS = "paper reads 😀 naïve merge again the of x".split()


@dataclass
class Replica:
    """A computer that edits a record by its core, and what it would have by the whole record."""

    key: bytes
    clock: HybridClock = field(default_factory=lambda: HybridClock("0" * 18))
    base: bytes = b"\x00\x00"
    tail: list[bytes] = field(default_factory=list)
    core: Core | None = None
    names: bytes = b""
    #: Updates by number, in the order in which they came.
    have: list[int] = field(default_factory=list)
    slots: int = 0
    loads: int = 0
    admitted: int = 0

    def open(self, client_id: int | None = None) -> RecordDocument:
        if self.core is None:
            return RecordDocument(self.whole(), client_id=client_id)
        window = CoreWindow(self.core, self.whole, lambda: self.names)
        return RecordDocument.of_core(window, client_id=client_id)

    def whole(self) -> bytes:
        self.loads += 1
        return join_parts(self.base, self.tail)

    def save(self, document: RecordDocument) -> None:
        assert document.added is not None
        self.tail += document.added
        shown = document.json()
        whole = RecordDocument(join_parts(self.base, self.tail))
        assert read(whole) == read(document)
        if document.is_core:
            assert self.core is not None
            self.core = Core(document.core_state(), self.core.gaps)
        else:
            self.core = None
        assert document.json() == shown

    def fold(self) -> None:
        document = self.open()
        made = document.make_core()
        assert made is not None
        self.base, self.tail, self.core = RecordDocument(self.whole()).state(), [], made
        self.names = NameFilter.of(read_update(self.base, is_own=True)).to_bytes()

    def edit(self, choose: random.Random) -> bytes:
        """A session of one to three changes, of one update each; the last one's update."""
        slot = device_tag(self.key) + f"{self.slots:04x}"
        self.slots += 1
        client = incarnation_client_id(self.key, slot, choose.randbytes(8))
        document = self.open(client)
        plan = Plan(Writer(slot, self.clock.next(1_700_000_000_000 + choose.randrange(10**6))))
        entries = document.entries()
        draw = choose.random()
        if draw < 0.75:
            texts.plan_set(plan, entries, "note", drawn(texts.content(entries, "note"), choose))
        elif draw < 0.8:
            texts.plan_replace(plan, entries, "note", "All of it is new. " * 3)
        elif draw < 0.9:
            abstract = texts.content(entries, "abstract")
            texts.plan_set(plan, entries, "abstract", drawn(abstract, choose))
        else:
            registers.plan_set(plan, entries, "title", choose.choice(_WORDS))
        if plan.is_empty:
            registers.plan_set(plan, entries, "volume", f"{choose.random()}")
        update = document.write(plan)
        self.save(document)
        return update

    def take(self, update: bytes) -> None:
        document = self.open()
        structure = read_update(update)
        document.has_of(structure)
        self.admitted += document.is_core
        document.merge(update, document.check(update, structure))
        self.save(document)


def drawn(text: str | None, choose: random.Random) -> str:
    """A text after an edit: something put in, taken out, or both, in one place or in two."""
    if not text or len(text) < 40:
        return (text or "") + "A text to begin with, of some words. "
    for _ in range(choose.choice((1, 1, 2))):
        at = choose.choice((0, len(text), choose.randrange(len(text))))
        gone = choose.choice((0, 0, 3, 9))
        put = choose.choice(("", " ".join(choose.choices(_WORDS, k=choose.randrange(1, 4))) + " "))
        text = text[:at] + put + text[at + gone :]
    return text


def read(document: RecordDocument) -> object:
    entries = document.entries()
    return (entries.registers, entries.texts)


def live(seed: int, steps: int, *, lag: float) -> list[Replica]:
    choose = random.Random(seed)
    replicas = [Replica(bytes([65 + one]) * 32) for one in range(3)]
    updates: list[tuple[bytes, frozenset[int]]] = []
    for _ in range(steps):
        one = choose.choice(replicas)
        draw = choose.random()
        if draw < 0.1:
            one.fold()
        elif draw < lag:
            update = one.edit(choose)
            updates.append((update, frozenset(one.have)))
            one.have.append(len(updates) - 1)
        else:
            catch_up(one, updates, choose, most=choose.choice((1, 3, 100)))
    for one in replicas:
        catch_up(one, updates, choose, most=len(updates))
    return replicas


def catch_up(
    one: Replica, updates: list[tuple[bytes, frozenset[int]]], choose: random.Random, *, most: int
) -> None:
    """Merge some of what others wrote, in an order that is causal."""
    for _ in range(most):
        have = set(one.have)
        ready = [at for at, (_, needs) in enumerate(updates) if at not in have and needs <= have]
        if not ready:
            return
        at = choose.choice(ready)
        one.take(updates[at][0])
        one.have.append(at)


def check(replicas: list[Replica]) -> None:
    states = [RecordDocument(one.whole()).state() for one in replicas]
    for one in replicas:
        assert read(one.open()) == read(replicas[0].open())
    assert all(is_same_state(RECORD, states[0], other) for other in states)


@pytest.mark.parametrize(
    "core_seed", [*range(6), *(pytest.param(at, marks=pytest.mark.heavy) for at in range(6, 300))]
)
def test_what_is_made_and_merged_by_cores_is_the_same_everywhere(core_seed: int) -> None:
    replicas = live(core_seed, 60, lag=0.5)
    check(replicas)


def test_who_writes_in_turns_loads_the_whole_record_no_more() -> None:
    choose = random.Random(1)
    one, other = Replica(b"1" * 32), Replica(b"2" * 32)
    for _ in range(30):
        other.take(one.edit(choose))
    one.fold()
    other.fold()
    one.loads = other.loads = other.admitted = one.admitted = 0
    for _ in range(30):
        other.take(one.edit(choose))
        one.take(other.edit(choose))
    assert one.admitted + other.admitted >= 54
    check([one, other])

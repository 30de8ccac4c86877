"""What must hold of documents whatever is written into them: no storage, no envelopes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.differential.histories import causal_order, history
from tests.support.examples import examples

from bifolio.clock import HybridClock, make_stamp, stamp_milliseconds
from bifolio.document import canonical, creators, deletion, registers, sets, texts, view
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan, TextEdit, Writer
from bifolio.document.record import RecordDocument, read_entries
from bifolio.records.names import Name

#: Words with combining marks, emoji of several code points, and scripts without spaces.
WORDS = st.sampled_from(
    ("west ", "wind ", "é", "e\u0301 ", "👩‍🔬 ", "図書館", "\n\n", "w", " ", "ß")
)
TEXTS = st.lists(WORDS, max_size=40).map("".join) | st.text(max_size=60)
NAMES = st.lists(
    st.builds(Name, family=st.sampled_from("Doe Roe Żółć Li".split())), max_size=6
).map(tuple)


class Desk:
    """One document, written by one writer after the other."""

    def __init__(self) -> None:
        self.document = RecordDocument(client_id=1)
        self._now = 0

    def entries(self) -> Entries:
        """As they are."""
        return self.document.entries()

    def plan(self, slot: str = "aaa0000") -> Plan:
        """An empty plan with a later stamp."""
        self._now += 1
        return Plan(Writer(slot, make_stamp(milliseconds=self._now, counter=0)))

    def write(self, plan: Plan) -> None:
        """Carry it out."""
        if not plan.is_empty:
            self.document.write(plan)
            held = RecordDocument(self.document.state()).json()
            assert self.document.entries() == read_entries(held)


@given(old=TEXTS, new=TEXTS)
@settings(max_examples=examples(300))
def test_differences_applied_to_the_old_text_give_the_new(old: str, new: str) -> None:
    assert applied(old, texts.differences(old, new)) == new


@given(words=st.lists(st.sampled_from("west wind warm cold".split()), min_size=1, max_size=8))
def test_a_difference_never_cuts_a_word(words: list[str]) -> None:
    old = " ".join(words)
    for at in range(len(words) + 1):
        new = " ".join([*words[:at], "weather", *words[at:]])
        for edit in texts.differences(old, new):
            cut = old[max(0, edit.start - 1) : edit.start + 1]
            assert not (len(cut) == 2 and cut.isalpha())


@given(old=TEXTS, new=TEXTS)
def test_a_text_in_a_document_reads_as_it_was_set(old: str, new: str) -> None:
    desk = Desk()
    for wanted in (old, new, old):
        plan = desk.plan()
        texts.plan_set(plan, desk.entries(), "note", wanted)
        desk.write(plan)
        assert texts.content(desk.entries(), "note") == wanted


def test_a_very_long_text_is_edited_in_place() -> None:
    desk = Desk()
    old = "".join(f"line {number} é\n" for number in range(20_000))
    for wanted in (old, old.replace("line 777 ", "line 777 👩‍🔬 "), old + "the end"):
        plan = desk.plan()
        texts.plan_set(plan, desk.entries(), "note", wanted)
        desk.write(plan)
        assert texts.content(desk.entries(), "note") == wanted
    assert len(desk.entries().texts) == 1


@given(lists=st.lists(NAMES, min_size=1, max_size=6))
def test_setting_a_list_of_creators_gives_that_list(lists: list[tuple[Name, ...]]) -> None:
    desk = Desk()
    for number, wanted in enumerate(lists):
        plan = desk.plan(f"aa{number % 2}{number:04d}")
        creators.plan_set(plan, desk.entries(), "author", wanted)
        desk.write(plan)
        assert shown(desk) == wanted


@given(names=NAMES, order=st.randoms(use_true_random=False), more=NAMES)
def test_reordering_moves_elements_and_makes_none(
    names: tuple[Name, ...], order: random.Random, more: tuple[Name, ...]
) -> None:
    desk = Desk()
    plan = desk.plan()
    creators.plan_set(plan, desk.entries(), "author", names)
    desk.write(plan)
    before = {one.id for one in creators.read_creators(desk.entries()).get("author", [])}
    wanted = list(names)
    order.shuffle(wanted)
    plan = desk.plan("bbb0000")
    creators.plan_set(plan, desk.entries(), "author", tuple(wanted))
    desk.write(plan)
    assert shown(desk) == tuple(wanted)
    assert {one.id for one in creators.read_creators(desk.entries()).get("author", [])} == before
    plan = desk.plan("ccc0000")
    creators.plan_add(plan, desk.entries(), "author", more)
    desk.write(plan)
    assert shown(desk) == (*wanted, *more)


@given(wanted=st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=90), max_size=5)))
def test_setting_a_set_gives_that_set(wanted: list[list[str]]) -> None:
    desk = Desk()
    for elements in wanted:
        plan = desk.plan()
        sets.plan_set(plan, desk.entries(), "tags", tuple(elements))
        desk.write(plan)
        names = {sets.element_name("tags", one) for one in elements}
        found = sets.elements(desk.entries(), "tags")
        assert {sets.element_name("tags", one) for one in found} == names


@given(seed=st.integers(0, 1 << 32), orders=st.tuples(st.integers(), st.integers()))
def test_any_causal_order_gives_the_same_canonical_json(seed: int, orders: tuple[int, int]) -> None:
    updates = history(seed % 997, length=15)
    found = set()
    for order in orders:
        document = RecordDocument()
        for number in causal_order(updates, random.Random(order)):
            document.merge(updates[number].raw)
            document.merge(updates[number].raw)
        entries = document.entries()
        found.add(canonical.record_json("00", view.kind_of(entries), entries))
    assert len(found) == 1


@given(edits_seen=st.integers(0, 4), unseen=st.booleans(), restored=st.booleans())
def test_a_deletion_covers_what_it_saw_and_nothing_else(
    edits_seen: int, unseen: bool, restored: bool
) -> None:
    desk = Desk()
    for number in range(edits_seen + 1):
        plan = desk.plan(f"aaa000{number}")
        registers.plan_set(plan, desk.entries(), "title", str(number))
        desk.write(plan)
    other = RecordDocument(desk.document.state(), client_id=2)
    plan = desk.plan("ddd0000")
    deletion.plan_delete(plan, desk.entries())
    desk.write(plan)
    assert deletion.is_trashed(desk.entries())
    if unseen:
        plan = desk.plan("eee0000")
        registers.plan_set(plan, other.entries(), "volume", "7")
        desk.document.merge(other.write(plan))
        assert deletion.is_revived(desk.entries())
    if restored:
        plan = desk.plan("fff0000")
        deletion.plan_restore(plan, desk.entries())
        desk.write(plan)
        assert not deletion.is_revived(desk.entries())
    assert deletion.is_trashed(desk.entries()) == (not unseen and not restored)


# --- the clock ---------------------------------------------------------------------------------


def test_a_hundred_thousand_edits_in_one_millisecond_keep_their_order() -> None:
    clock = HybridClock()
    stamps = [clock.next(1_700_000_000_000) for _ in range(100_000)]
    assert stamps == sorted(set(stamps))


def test_a_full_counter_carries_into_the_milliseconds() -> None:
    clock = HybridClock(make_stamp(milliseconds=5, counter=0xFFFFFF))
    assert clock.next(5) == make_stamp(milliseconds=6, counter=0)


@given(times=st.lists(st.integers(-(1 << 40), 1 << 50), min_size=1, max_size=40))
def test_stamps_ascend_whatever_the_computer_s_time_does(times: list[int]) -> None:
    clock = HybridClock()
    stamps = [clock.next(now) for now in times]
    assert stamps == sorted(set(stamps))
    assert all(stamp_milliseconds(one) > 0 for one in stamps)


@pytest.mark.parametrize("year_ms", [0, 1, 4_070_908_800_000])
def test_a_remote_stamp_of_1970_or_2099_does_not_drag_the_clock_along(year_ms: int) -> None:
    now = 1_700_000_000_000
    clock = HybridClock()
    clock.next(now)
    followed = clock.follow(make_stamp(milliseconds=year_ms, counter=3), now)
    assert followed == (year_ms < now)
    assert stamp_milliseconds(clock.next(now)) == now


def applied(old: str, edits: list[TextEdit]) -> str:
    """The text after edits, positions counted in the old one."""
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        old = old[: edit.start] + edit.inserted + old[edit.start + edit.removed :]
    return old


def shown(desk: Desk) -> tuple[Name, ...]:
    """The authors as shown."""
    value = view.read_view(desk.entries()).values.get("author", ())
    return tuple(one for one in value if isinstance(one, Name))

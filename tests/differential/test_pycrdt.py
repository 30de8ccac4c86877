"""What pycrdt does, measured (DESIGN §4): gates that a newer version has to pass.

Each test states a behaviour that our code relies on or works round. Where one fails after a
change of version, the code that it names must be looked at before the version may change.
"""

from __future__ import annotations

import random
import subprocess
import sys
from importlib.metadata import version

import pytest
from pycrdt import Doc, Map, Text, TransactionEvent
from tests.differential.histories import Update, causal_order, history

from bifolio.document.record import RecordDocument
from bifolio.errors import DocumentError

#: How many random histories: enough to see every behaviour, and many before a version may change.
every_count = pytest.mark.parametrize(
    "histories", [30, pytest.param(300, marks=pytest.mark.heavy)], ids=["some", "many"]
)


def test_the_version_is_the_one_that_was_measured() -> None:
    assert version("pycrdt") == "0.14.13"


@every_count
def test_causal_delivery_converges_with_saves_and_reloads_between(histories: int) -> None:
    for seed in range(histories):
        updates = history(seed)
        found = {
            content(updates, causal_order(updates, random.Random(order)), reload_at=order)
            for order in range(3)
        }
        assert len(found) == 1, f"history {seed}"


@every_count
def test_delivery_out_of_order_does_not_converge(histories: int) -> None:
    """Why nothing is applied before its frontier (replication/inbox, I4)."""
    different = 0
    for seed in range(histories):
        updates = history(seed)
        choose = random.Random(seed)
        shuffled = list(range(len(updates)))
        choose.shuffle(shuffled)
        in_order = content(updates, list(range(len(updates))), reload_at=0)
        different += content(updates, shuffled, reload_at=1) != in_order
    assert different > 0


@every_count
def test_applying_twice_is_applying_once(histories: int) -> None:
    for seed in range(histories):
        updates = history(seed)
        order = list(range(len(updates)))
        assert content(updates, order + order) == content(updates, order)


def test_an_update_that_brings_nothing_new_raises_no_event() -> None:
    """Why ``RecordDocument.merge`` can tell whether anything changed."""
    (update, *_) = history(1)
    document = RecordDocument()
    assert document.merge(update.raw)
    assert not document.merge(update.raw)


def test_a_saved_state_forgets_what_waits_for_an_earlier_update() -> None:
    """Why an envelope waits in ``pending`` and not inside a document."""
    writer, first, second = two_updates()
    reader: Doc[Map[object]] = Doc()
    reader.apply_update(second)
    reloaded: Doc[Map[object]] = Doc()
    reloaded.apply_update(reader.get_update())
    reader.apply_update(first)
    reloaded.apply_update(first)
    assert reader.get("r", type=Map).to_py() == writer.get("r", type=Map).to_py()
    assert reloaded.get("r", type=Map).to_py() != writer.get("r", type=Map).to_py()


def test_a_difference_against_an_old_state_repeats_every_deletion() -> None:
    """Why updates are taken from the transaction's event (document/record)."""
    document: Doc[Map[object]] = Doc()
    map_ = document.get("r", type=Map)
    events: list[bytes] = []
    subscription = document.observe(lambda event: events.append(event.update))
    for number in range(300):
        map_[str(number % 7)] = str(number)
    before = document.get_state()
    map_["last"] = "one"
    document.unobserve(subscription)
    assert len(document.get_update(before)) > len(events[-1])


def test_a_client_id_used_twice_diverges_for_ever() -> None:
    """Why each opening takes a client id of its own (I8)."""
    one: Doc[Map[object]] = Doc(client_id=7)
    one.get("r", type=Map)["start"] = "same"
    other: Doc[Map[object]] = Doc(client_id=7)
    other.apply_update(one.get_update())
    one.get("r", type=Map)["a"] = "one"
    other.get("r", type=Map)["b"] = "other"
    from_one, from_other = one.get_update(), other.get_update()
    one.apply_update(from_other)
    other.apply_update(from_one)
    assert one.get_state() == other.get_state()
    assert one.get("r", type=Map).to_py() != other.get("r", type=Map).to_py()


def test_an_exception_inside_a_transaction_commits_what_was_done() -> None:
    """Why a plan is checked before its transaction is opened (document/plan)."""
    document: Doc[Map[object]] = Doc()
    map_ = document.get("r", type=Map)

    def interrupted() -> None:
        with document.transaction():
            map_["a"] = "1"
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert map_.to_py() == {"a": "1"}


def test_numbers_come_back_as_floats() -> None:
    """Why stamps and values are strings."""
    document: Doc[Map[object]] = Doc()
    map_ = document.get("r", type=Map)
    map_["n"] = 1
    copy: Doc[Map[object]] = Doc()
    copy.apply_update(document.get_update())
    read = copy.get("r", type=Map)["n"]
    assert isinstance(read, float)


def test_offsets_in_a_text_count_bytes_of_utf_8() -> None:
    """Why ``record._edit_text`` counts bytes."""
    document: Doc[Map[object]] = Doc()
    map_ = document.get("r", type=Map)
    map_["t"] = Text("é👩‍🔬z")
    text = map_["t"]
    assert isinstance(text, Text)
    text.insert(len("é👩‍🔬".encode()), "|")
    assert str(text) == "é👩‍🔬|z"
    del text[0 : len("é".encode())]
    assert str(text) == "👩‍🔬|z"


def test_adding_in_place_to_a_text_inside_a_map_empties_it() -> None:
    """Why text is inserted and never added with ``+=``."""
    document: Doc[Map[object]] = Doc()
    map_ = document.get("r", type=Map)
    map_["t"] = Text("abc")
    map_["t"] += "d"  # type: ignore[operator]
    assert str(map_["t"]) != "abcd"


def test_a_lone_surrogate_panics_past_every_exception() -> None:
    """Why ``plan.checked`` refuses one, and ``_apply`` looks at the name of what was raised."""
    document: Doc[Map[object]] = Doc()
    map_ = document.get("r", type=Map)
    with pytest.raises(BaseException) as caught:
        map_["a"] = "\ud800"
    assert not isinstance(caught.value, Exception)


def test_the_order_of_a_stored_dictionary_changes_between_processes() -> None:
    """Why a register's value is canonical JSON text and never a dictionary."""
    program = (
        "from pycrdt import Doc, Map\n"
        "d = Doc(client_id=1)\n"
        "d.get('r', type=Map)['k'] = {str(n): n for n in range(12)}\n"
        "print(d.get_update().hex())\n"
    )
    seen: set[str] = set()
    for _ in range(6):
        seen.add(
            subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=True
            ).stdout
        )
        if len(seen) > 1:
            return
    pytest.fail("six processes stored it in one order")


def test_damaged_updates_end_in_a_value_or_in_our_error() -> None:
    """Why envelopes are authenticated first: some damage is accepted."""
    accepted = 0
    for seed in range(40):
        choose = random.Random(seed)
        damaged = bytearray(history(seed, length=6)[-1].raw)
        damaged[choose.randrange(len(damaged))] ^= 1 << choose.randrange(8)
        try:
            RecordDocument().merge(bytes(damaged))
            accepted += 1
        except DocumentError:
            pass
    assert accepted > 0


def two_updates() -> tuple[Doc[Map[object]], bytes, bytes]:
    """A document, and the two updates of one client that made it."""
    document: Doc[Map[object]] = Doc(client_id=5)
    map_ = document.get("r", type=Map)
    events: list[bytes] = []

    def collect(event: TransactionEvent) -> None:
        events.append(event.update)

    subscription = document.observe(collect)
    map_["x"] = "first"
    map_["x"] = "second"
    document.unobserve(subscription)
    return document, events[0], events[1]


def content(updates: list[Update], order: list[int], *, reload_at: int = 0) -> str:
    """The content after this order; every ``reload_at``-th step it is saved and loaded."""
    document = RecordDocument()
    for step, number in enumerate(order, start=1):
        document.merge_incomplete(updates[number].raw)
        if reload_at and step % reload_at == 0:
            document = RecordDocument(document.state())
    entries = document.entries()
    return repr(
        (
            sorted((name, sorted(map(repr, lives))) for name, lives in entries.registers.items()),
            sorted(entries.texts.items()),
            sorted(entries.unknown),
        )
    )

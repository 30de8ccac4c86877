"""What years of edits leave behind in a record, and what merging them costs: bounded by a budget.

Measured of pycrdt 0.14.13 (DESIGN §4): about 60 bytes for an edit in a session of one, 15 for a
pair of adding and removing a bare key; a tag's pair also writes twice when it was.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.unit.document.builders import NOW_MS, Desk, Planning

from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.document.record import RecordDocument

ENGINE = Path(__file__).parents[3] / "engine" / "bifolio"


def putting(name: str, value: str) -> Planning:
    """A plan that writes one key."""

    def write(plan: Plan, _: Entries) -> None:
        plan.put(name, value, seen=[])

    return write


#: Above the text that is seen, for a pair of a tag added and removed; and for an edit in a session
#: of its own: a fresh client id and a fresh slot each time.
BYTES_OF_PAIR_MAX = 50
BYTES_OF_SESSION_MAX = 75


def test_the_first_write_of_a_document_is_in_its_update_as_every_later_one_is() -> None:
    """Nothing has to be watched before it: a document that was just loaded, or never saved."""
    desk, follower = Desk("desk"), RecordDocument()
    for number in range(4):
        update = desk.writes(putting(f"x.{number}", "v"))
        assert update is not None
        follower.merge(update)
        loaded = Desk(f"late{number}")
        loaded.document = RecordDocument(desk.document.state(), client_id=7_000 + number)
        late = loaded.writes(putting(f"y.{number}", "w"))
        assert late is not None
        desk.document.merge(late)
        follower.merge(late)
    assert follower.entries() == desk.entries
    assert len(follower.entries().registers) == 8


def test_what_is_added_and_removed_again_and_again_leaves_little() -> None:
    desk = Desk("desk")
    desk.creates({"title": "On Paper"})
    before = len(desk.document.state())
    pairs = 400
    for number in range(pairs):
        desk.adds("tags", f"tag{number}")
        desk.removes("tags", f"tag{number}")
    grown = len(desk.document.state()) - before
    assert grown <= pairs * BYTES_OF_PAIR_MAX, f"{grown / pairs:.0f} bytes a pair"


def test_an_edit_in_a_session_of_its_own_has_a_budget() -> None:
    first = Desk("first")
    first.creates({"title": "On Paper"})
    state, sessions = first.document.state(), 200
    before = len(state)
    for number in range(sessions):
        desk = Desk(f"s{number:05d}")
        desk.document = RecordDocument(state, client_id=90_000 + number)
        desk.sets("volume", str(number % 10), now_ms=NOW_MS + number)
        state = desk.document.state()
    assert len(state) - before <= sessions * BYTES_OF_SESSION_MAX


def test_merging_many_updates_takes_time_in_their_number_and_no_more() -> None:
    """``merge_updates`` is quadratic: each update is applied to the document, once."""
    for path in ENGINE.rglob("*.py"):
        assert "merge_updates(" not in path.read_text("utf-8"), path

    def merged_s(count: int) -> float:
        desk, updates = Desk("desk"), []
        for number in range(count):
            update = desk.writes(putting("x.n", str(number)))
            assert update is not None
            updates.append(update)
        target = RecordDocument()
        begun = time.process_time()
        for update in updates:
            target.merge(update)
        return time.process_time() - begun

    few, many = min(merged_s(40) for _ in range(3)), merged_s(400)
    assert many < 10 * few * 4, f"{few:.4f} s for 40, {many:.4f} s for 400"

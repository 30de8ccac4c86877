"""What a second process derives of a large batch is what is derived here, and it may fail."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, meet, members

from bifolio import limits
from bifolio.document import sets
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.records.attachments import Attachment
from bifolio.replica import derivation, derivation_worker, worker_process
from bifolio.replica.deletion_guard import Cause
from bifolio.replica.derivation import derive_committed
from bifolio.replica.derivation_process import derive_ahead
from bifolio.replica.derived_tables import rebuild_lists

COUNT = 24


def ids() -> list[str]:
    return [f"{number:032x}" for number in range(1, COUNT + 1)]


def write_all(office: Computer) -> None:
    """References of all sorts: some with names, files and abstracts, one that is large."""
    for number, one in enumerate(ids()):
        office.adds(
            one,
            {
                "title": f"Work {number} \U0001f4d6",
                "tags": ("red", f"n{number % 3}"),
                "citation-key": f"key{number // 2}",
                "abstract": "words " * (20_000 if number == 5 else number),
                "issued": {"date-parts": [[2000 + number]]},
            },
        )
    office.sets(ids()[1], "author", "Knuth, Donald", "Lee, Ann")

    def attach(plan: Plan, entries: Entries) -> None:
        named = Attachment(hash="ab" * 32, name="one.pdf", size=7)
        sets.plan_add(plan, entries, "files", named.to_element())

    office.replica.commit([(ids()[2], attach)])


def change_some(office: Computer) -> None:
    """Edits of every sort of part, and deletions."""
    for number, one in enumerate(ids()[::2]):
        office.sets(one, ("title", "volume", "note", "citation-key")[number % 4], f"New{number}")
    for one in ids()[1:6:4]:
        office.deletes(one)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Computer, Computer]:
    """Two members, of which a second process derives whatever the one receives of the other."""
    monkeypatch.setattr(limits, "DERIVED_LATER_MIN", 1)
    monkeypatch.setattr(limits, "DERIVED_AT_ONCE", 10)
    monkeypatch.setattr(limits, "DERIVED_AHEAD_MIN", 1)
    monkeypatch.setattr(limits, "DERIVED_AHEAD_AT_ONCE", 4)
    monkeypatch.setattr(worker_process, "has_processors", lambda: True)
    office, laptop = members(tmp_path, "office", "laptop")
    return office, laptop


@pytest.fixture
def derived_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the references that are derived in this process."""
    noted: list[str] = []

    def note(record_id: str, *others: object) -> object:
        noted.append(record_id)
        return derive_committed(record_id, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(derivation, "derive_committed", note)
    return noted


def start_as(monkeypatch: pytest.MonkeyPatch, *command: str) -> None:
    monkeypatch.setattr(derivation_worker, "command_of", lambda _: command)


def wait_for_answers(computer: Computer) -> None:
    worker = computer.replica._derivation.backlog._worker
    assert worker is not None
    while worker._out and worker._keep_answer(wait=True):
        pass


def check_equal(computers: Sequence[Computer]) -> None:
    """Both list the same, and that is what a rebuild gives."""
    one, other = (computer.replica.references.all_rows() for computer in computers)
    assert one == other
    for computer in computers:
        with computer.replica.database.transaction():
            rebuild_lists(computer.replica.database)
        assert computer.replica.references.all_rows() == one


def test_what_is_derived_ahead_is_what_is_derived_here(pair: tuple[Computer, Computer]) -> None:
    office, laptop = pair
    write_all(office)
    laptop.receives(office.envelopes())
    laptop.replica.drain()
    change_some(office)
    records, guard = office.replica.records, office.replica.deletion_guard
    before = laptop.replica.references.read_stored(ids())
    shown = guard.filter(Cause.OWN)
    gone = 0
    for one, (state, _) in records.states(ids()).items():
        ahead = derive_ahead((one, state))
        for known in (None, before[one]):
            here = derive_committed(one, None, state, known, shown)
            assert here is not None
            if ahead is None:
                gone += 1
                continue
            given = ahead.keeping(known)
            assert given.kept == here.kept
            assert (given.row, given.key, given.purged) == (here.row, here.key, here.purged)
            for part in ("places", "texts", "elements", "sources", "attachments"):
                assert getattr(given.kept, part) or getattr(given, part) == getattr(here, part)
    assert gone == 4, "the two in the trash depend on what the replica knows"


def test_what_is_derived_ahead_is_stored_over_what_is_listed(
    pair: tuple[Computer, Computer],
) -> None:
    office, _ = pair
    write_all(office)
    references, database = office.replica.references, office.replica.database
    rows = references.all_rows()
    # Twice: over nothing new, and over references that changed meanwhile.
    for is_changed in (False, True):
        if is_changed:
            change_some(office)
        ahead = {
            one: derive_ahead((one, state))
            for one, (state, _) in office.replica.records.states(ids()).items()
        }
        before = references.read_stored(ids())
        with database.transaction():
            references.store(
                [one.keeping(before.get(name)) for name, one in ahead.items() if one is not None]
            )
        now = references.all_rows()
        with database.transaction():
            rebuild_lists(database)
        assert references.all_rows() == now
    assert now != rows


@pytest.mark.heavy
def test_a_second_process_derives_what_a_large_batch_brings(
    pair: tuple[Computer, Computer], derived_here: list[str]
) -> None:
    office, laptop = pair
    write_all(office)
    laptop.receives(office.envelopes())
    wait_for_answers(laptop)
    laptop.replica.drain()
    assert set(derived_here) < set(ids())
    assert ids()[5] in derived_here, "the large one"
    assert laptop.replica._derivation.backlog._worker is None, "it has ended"
    check_equal(pair)
    laptop.sets(ids()[0], "title", "Mine")
    change_some(office)
    meet(office, laptop)
    check_equal(pair)


@pytest.mark.parametrize("command", ["nothing", "false", "silent"])
def test_a_process_that_fails_leaves_all_to_be_derived_here(
    pair: tuple[Computer, Computer],
    derived_here: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    given = {
        "nothing": (str(tmp_path / "nothing"),),
        "false": (sys.executable, "-S", "-c", "raise SystemExit(1)"),
        "silent": (sys.executable, "-S", "-c", "import time; time.sleep(60)"),
    }
    start_as(monkeypatch, *given[command])
    office, laptop = pair
    write_all(office)
    begun_s = time.monotonic()
    laptop.receives(office.envelopes())
    laptop.replica.drain()
    assert time.monotonic() - begun_s < 50, "nobody waits for a process that still starts"
    assert set(derived_here) == set(ids())
    check_equal(pair)


@pytest.mark.heavy
def test_a_process_that_is_killed_leaves_the_rest_to_be_derived_here(
    pair: tuple[Computer, Computer],
) -> None:
    office, laptop = pair
    write_all(office)
    laptop.receives(office.envelopes())
    worker = laptop.replica._derivation.backlog._worker
    assert worker is not None
    assert worker._keep_answer(wait=True)
    assert worker._process is not None
    worker._process.process.kill()
    worker._process.process.wait()
    laptop.replica.drain()
    check_equal(pair)


def test_a_record_that_cannot_be_read_is_left_out_as_without_it(
    pair: tuple[Computer, Computer],
) -> None:
    assert derive_ahead((ids()[0], b"\x01\xff")) is None
    assert derive_ahead((ids()[0], "no JSON")) is None
    office, laptop = pair
    write_all(office)
    laptop.receives(office.envelopes())
    laptop.replica.drain()
    database = laptop.replica.database
    with database.transaction():
        laptop.replica._derivation.backlog.table.add(ids())
        database.execute("UPDATE records SET state = ? WHERE id = ?", (b"\x01\xff", ids()[7]))
    laptop.replica.drain()
    assert laptop.replica.references.count(trashed=False) == COUNT


def test_a_small_batch_starts_no_process(
    pair: tuple[Computer, Computer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DERIVED_AHEAD_MIN", COUNT + 1)
    office, laptop = pair
    write_all(office)
    laptop.receives(office.envelopes())
    assert laptop.replica._derivation.backlog._worker is None
    laptop.replica.drain()
    check_equal(pair)

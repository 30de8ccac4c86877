"""The states of a snapshot are checked by two processes as by one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.replica.builders import Computer, members
from tests.unit.replica.test_derivation_worker import COUNT, ids, start_as, write_all

from bifolio import limits
from bifolio.errors import DocumentError
from bifolio.ids import SETTINGS_ID
from bifolio.replica import worker_process
from bifolio.replica.checked_states import CheckedStates, StateChecker
from bifolio.replica.checking import check_one


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Computer]:
    """A computer with references of all sorts."""
    monkeypatch.setattr(limits, "DERIVED_AHEAD_AT_ONCE", 4)
    monkeypatch.setattr(worker_process, "has_processors", lambda: True)
    (made,) = members(tmp_path, "office")
    write_all(made)
    yield made
    made.replica.backlog.forget()


def records_of(computer: Computer) -> list[tuple[str, bytes]]:
    states = computer.replica.records.states([*ids(), SETTINGS_ID])
    return [(one, states[one][0]) for one in [*ids(), SETTINGS_ID]]


def slots_of(computer: Computer) -> dict[int, str]:
    incarnation = computer.replica.incarnation()
    return {incarnation.client_id: incarnation.slot}


def check_all(
    computer: Computer, records: list[tuple[str, bytes]], slots: dict[int, str] | None = None
) -> CheckedStates:
    checker = StateChecker(computer.replica.backlog, slots or slots_of(computer))
    for one in records:
        checker.check(*one)
    return checker.finish()


def wait_for_first_answer(computer: Computer) -> None:
    """Its second process has started."""
    backlog = computer.replica.backlog
    backlog.start()
    pending = backlog.check_ahead([], {})
    assert pending is not None
    assert backlog._worker is not None
    assert backlog._worker._keep_answer(wait=True)


def check_shares(computer: Computer, states: CheckedStates) -> None:
    """Of each reference the share that is stored, and of other records none."""
    assert len(states) == COUNT + 1
    hashes = computer.replica.records.hashes("reference")
    assert [states.share(number) for number in range(COUNT)] == [hashes[one] for one in ids()]
    assert states.share(COUNT) is None


def test_one_process_gives_each_reference_its_share(office: Computer) -> None:
    check_shares(office, check_all(office, records_of(office)))


def test_two_processes_give_the_same(office: Computer) -> None:
    wait_for_first_answer(office)
    check_shares(office, check_all(office, records_of(office)))


def test_what_is_wrong_is_found_in_either_process(office: Computer) -> None:
    records = records_of(office)
    records[2] = (records[2][0], records[2][1][:-9])
    with pytest.raises(DocumentError) as here:
        check_all(office, records)
    wait_for_first_answer(office)
    with pytest.raises(DocumentError) as there:
        check_all(office, records)
    assert there.value.reason == here.value.reason
    another = {client + 1: slot for client, slot in slots_of(office).items()}
    with pytest.raises(DocumentError, match="nobody's name"):
        check_all(office, records_of(office), another)


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import time; time.sleep(60)"])
def test_a_process_that_fails_leaves_all_to_be_checked_here(
    office: Computer, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    start_as(monkeypatch, sys.executable, "-S", "-c", code)
    office.replica.backlog.start()
    check_shares(office, check_all(office, records_of(office)))


def test_a_record_that_cannot_be_read_has_no_share(office: Computer) -> None:
    slots = slots_of(office)
    record, state = records_of(office)[0]
    assert check_one(record, state, slots) is not None
    assert check_one(*records_of(office)[-1], slots) is None

"""The membership log as one replica keeps it, whichever of its processes learns of a record."""

from __future__ import annotations

from pathlib import Path

from tests.unit.replica.builders import owner_of_a_library

from bifolio.replica.membership import LibraryMembership


def test_a_record_that_another_process_has_just_learnt_is_no_error(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    other = LibraryMembership(office.replica)
    record = office.member_log.invite(b"s" * 32)
    office.member_log.learn([record])
    other.learn([record])
    membership = LibraryMembership(office.replica).membership()
    assert membership is not None
    assert len(membership.records) == 2

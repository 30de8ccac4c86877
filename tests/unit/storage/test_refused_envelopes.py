"""What was refused is kept to be named, within bounds; so is what ended the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio import limits
from bifolio.storage.refused_envelopes import RefusalCount, RefusedEnvelopes

ALICE, BOB = b"a" * 32, b"b" * 32


@pytest.fixture
def refused(tmp_path: Path) -> RefusedEnvelopes:
    return RefusedEnvelopes(new_database(tmp_path))


def test_it_is_counted_by_author_and_reason_and_once_for_each_envelope(
    refused: RefusedEnvelopes,
) -> None:
    for _ in range(2):
        refused.add(b"1" * 32, b"raw", "forged", None)
        refused.add(b"2" * 32, b"raw", "out of place", ALICE)
    refused.add(b"3" * 32, b"raw", "out of place", ALICE)
    assert refused.counts() == [
        RefusalCount(None, "forged", 1, b"1" * 32),
        RefusalCount(ALICE, "out of place", 2, b"2" * 32),
    ]


def test_it_is_bounded_for_each_author_and_for_all(
    refused: RefusedEnvelopes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REFUSED_KEPT_PER_AUTHOR_MAX", 3)
    monkeypatch.setattr(limits, "REFUSED_KEPT_MAX", 5)
    for number in range(10):
        refused.add(bytes([number]) * 32, b"raw", "forged", None)
        refused.add(bytes([100 + number]) * 32, b"raw", "forged", ALICE)
    assert sum(one.count for one in refused.counts()) == 5
    assert max(one.count for one in refused.counts()) == 3


def test_of_a_large_one_the_beginning_is_kept(
    refused: RefusedEnvelopes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REFUSED_KEPT_BYTES_MAX", 3)
    refused.add(b"b" * 32, b"forged", "forged", None)
    assert refused._database.rows("SELECT envelope FROM refused") == [(b"for",)]


def test_a_death_is_counted_and_forgiven_until_it_is_set_aside(refused: RefusedEnvelopes) -> None:
    refused.add_death(b"1" * 32)
    refused.survive(b"1" * 32)
    assert refused.deaths() == {}
    refused.add_death(b"1" * 32)
    refused.add_death(b"1" * 32)
    assert refused.deaths() == {b"1" * 32: 2}
    assert refused.fatal(b"1" * 32) is None
    refused.set_fatal_aside(b"1" * 32, b"raw", ALICE, 7)
    assert refused.fatal(b"1" * 32) == b"raw"
    assert refused.fatal_by_author() == [(ALICE, 1)]
    assert refused.forgive() == [(b"raw", 7)]
    assert refused.deaths() == {b"1" * 32: 0}
    assert refused.fatal_by_author() == [(ALICE, 1)], "it stays until it was tried"
    refused.survive(b"1" * 32)
    assert refused.fatal(b"1" * 32) is None

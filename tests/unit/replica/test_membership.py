"""The membership log as one replica keeps it, whichever of its processes learns of a record."""

from __future__ import annotations

import random
from pathlib import Path

from tests.unit.replica.builders import members, owner_of_a_library

from bifolio.crypto.keys import seal_to
from bifolio.crypto.membership import make_remove
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


def test_a_stored_key_that_the_list_of_members_does_not_promise_gives_way(tmp_path: Path) -> None:
    """It is of a list that lost, which made another key under the same number."""
    office, home, laptop = members(tmp_path, "office", "home", "laptop")
    membership = office.member_log.membership()
    assert membership is not None
    generation, key = office.member_log.newest_key()
    keys = home.replica.keys
    with home.replica.database.transaction():
        home.member_log._keys.write(generation, seal_to(keys.box_public, b"w" * 32))
    assert home.member_log.key(generation) == b"w" * 32
    (record,) = make_remove(
        membership,
        office.keys,
        cuts={laptop.keys.sign_public: {}},
        content_key=b"n" * 32,
        earlier={generation: key},
        random_bytes=random.Random(1).randbytes,
    )
    home.member_log.learn([record])
    assert home.member_log.key(generation) == key
    assert home.member_log.newest_key()[1] == b"n" * 32

"""A key of a list that lost opens what was sealed under it, and is the library's no more."""

from __future__ import annotations

import pytest
from tests.unit.crypto.builders import (
    CONTENT_KEY,
    counting_bytes,
    device,
    invited,
    joined,
    new_library,
    removed,
)

from bifolio.crypto.membership import Role, find_keys, make_carry, make_keys
from bifolio.crypto.membership.records import parse_record

OWNER, SECOND, LATE = (device(name) for name in ("owner", "second", "late"))
TWO_OWNERS = joined(invited(new_library(OWNER), OWNER, "owner's", Role.OWNER), SECOND, "owner's")
BASE = invited(TWO_OWNERS, OWNER, "open")


@pytest.mark.parametrize("is_higher", [True, False])
def test_a_ticket_that_was_given_a_key_of_a_list_that_lost_brings_the_librarys(
    *, is_higher: bool
) -> None:
    """Found by seed 12135: where that key had the higher number, who came with the ticket was a
    member without the library's key, and joined again and again."""
    winner = removed(BASE, OWNER, SECOND)
    for number in range(100):
        (raw,) = make_keys(
            BASE,
            SECOND,
            content_key=b"3" * 32,
            earlier={0: CONTENT_KEY},
            random_bytes=counting_bytes(f"lost {number}"),
        )
        lost = int(str(parse_record(raw).fields["generation"]))
        if (lost > winner.generation) is is_higher:
            break
    after = winner.append(make_carry(winner, OWNER, [raw])[0])
    assert lost in after.lost_generations
    late = joined(after, LATE, "open")
    assert parse_record(late.records[-1]).fields["generation"] == winner.generation
    assert winner.generation in find_keys(late, LATE).keys
    assert LATE.sign_public not in late.without_key

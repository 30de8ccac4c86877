"""Records from before they had room to grow: the golden log of such a library goes on for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.crypto.builders import CONTENT_KEY, device, invited, joined

from bifolio.crypto.membership import Membership, content_keys
from bifolio.errors import MembershipError

GOLDEN = json.loads(
    (Path(__file__).parents[3] / "golden" / "membership-first-form.json").read_text()
)
RECORDS = [bytes.fromhex(one) for one in GOLDEN["records"]]
OWNER, EDITOR, READER, STRANGER = (device(name) for name in ("owner", "editor", "reader", "other"))


def test_a_log_of_the_first_form_says_what_it_always_said() -> None:
    membership = Membership.from_records(RECORDS)
    assert membership.library_id.hex() == GOLDEN["library"]
    assert membership.head.hex() == GOLDEN["head"]
    members = [[member.device.hex(), member.role.value] for member in membership.members]
    assert members == GOLDEN["members"]
    assert content_keys(membership, EDITOR) == {0: CONTENT_KEY}


def test_a_log_of_the_first_form_goes_on_with_records_of_today() -> None:
    grown = joined(Membership.from_records(RECORDS), STRANGER, "editor's")
    grown = invited(grown, OWNER, "third's")
    assert Membership.from_records(grown.records) == grown
    assert len(grown.members) == 4


def test_every_flipped_bit_of_a_record_of_the_first_form_is_noticed() -> None:
    for index, raw in enumerate(RECORDS):
        for place in range(len(raw)):
            damaged = bytearray(raw)
            damaged[place] ^= 1 << (place % 8)
            with pytest.raises(MembershipError):
                Membership.from_records([*RECORDS[:index], bytes(damaged)])


def test_records_of_the_first_form_keep_their_order() -> None:
    with pytest.raises(MembershipError, match="does not follow"):
        Membership.from_records([RECORDS[0], RECORDS[2]])
    with pytest.raises(MembershipError, match="one genesis"):
        Membership.from_records([RECORDS[0], RECORDS[0]])

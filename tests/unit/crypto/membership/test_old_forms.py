"""Records of earlier programs: told apart from what is damaged, and not judged any more."""

from __future__ import annotations

import pytest
from tests.support.cases import each
from tests.support.old_library import OLD_MEMBERS
from tests.unit.crypto.builders import device

from bifolio.crypto.encoding import pack
from bifolio.crypto.membership import Membership
from bifolio.crypto.membership.records import parse_record
from bifolio.errors import MembershipError, Next, NextStep, OldMembershipError

OWNER = device("owner")
FIRST_FORM = pack((pack((1, "genesis", OWNER.sign_public, OWNER.box_public, bytes(32))), bytes(64)))


@each("raw", [FIRST_FORM, *OLD_MEMBERS])
def test_a_record_of_an_earlier_program_is_told_apart_from_a_damaged_one(raw: bytes) -> None:
    with pytest.raises(OldMembershipError) as caught:
        parse_record(raw)
    assert caught.value.next_step == NextStep(Next.JOIN_NEW_LIBRARY)


def test_a_log_of_an_earlier_program_is_not_judged() -> None:
    with pytest.raises(OldMembershipError):
        Membership.from_records(OLD_MEMBERS)


def test_what_is_only_like_an_old_record_is_damaged() -> None:
    for raw in (pack((pack((1, "other")), b"")), pack((b"", b"")), b"", FIRST_FORM[:-1]):
        with pytest.raises(MembershipError) as caught:
            parse_record(raw)
        assert not isinstance(caught.value, OldMembershipError)

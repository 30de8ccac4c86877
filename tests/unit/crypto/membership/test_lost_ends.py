"""Who came in by a list of members that lost alone, and whose right ended there too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.crypto.builders import (
    device,
    envelope_of,
    invited,
    joined,
    new_library,
    removed,
    with_role,
)
from tests.unit.crypto.builders import secret as ticket_secret

from bifolio.crypto.membership import (
    Membership,
    Permission,
    Role,
    invite_keys,
    make_carry,
    make_leave,
    make_revoke,
)

OWNER, EDITOR, LATE = (device(name) for name in ("owner", "editor", "late"))
BASE = invited(
    joined(invited(new_library(OWNER), OWNER, "editor's"), EDITOR, "editor's"), OWNER, "open"
)
CLOSED = BASE.append(
    make_revoke(BASE, OWNER, sign_public=invite_keys(ticket_secret("open")).sign_public)
)
JOINED = joined(BASE, LATE, "open")


def merged(lost: Membership) -> Membership:
    """The list on which the ticket was closed, with what another one had more on top."""
    records = lost.records[len(BASE.records) :]
    return CLOSED.append(make_carry(CLOSED, OWNER, records)[0])


@pytest.mark.parametrize(
    "end",
    [
        lambda: removed(JOINED, OWNER, LATE),
        lambda: with_role(JOINED, OWNER, LATE, Role.READER, {}),
        lambda: JOINED.append(make_leave(JOINED, LATE, cut={})),
    ],
    ids=["removed", "made a reader", "left"],
)
def test_nobody_waits_for_who_came_in_by_a_list_that_lost_and_whose_right_ended_there(
    end: Callable[[], Membership],
) -> None:
    """Found by seed 208 with rights: those who had merged what it wrote kept it, and those who had
    not refused it, because it might be sealed again."""
    written = envelope_of(LATE, JOINED, b"")
    after = merged(end())
    assert not after.has_met(LATE.sign_public)
    assert after.is_cut(LATE.sign_public)
    assert after.permits(written) is Permission.FORBIDDEN
    # With another ticket it writes like anybody; what it wrote before counts no more for that.
    again = joined(invited(after, OWNER, "another"), LATE, "another")
    assert again.permits(envelope_of(LATE, again, b"")) is Permission.PERMITTED
    assert again.permits(written) is Permission.FORBIDDEN


def test_what_is_sealed_again_is_waited_for_where_nobody_ended_the_right() -> None:
    after = merged(JOINED)
    assert not after.has_met(LATE.sign_public)
    assert not after.is_cut(LATE.sign_public)


def test_only_an_owner_ends_the_right_of_another_by_a_list_that_lost() -> None:
    raised = with_role(JOINED, OWNER, EDITOR, Role.OWNER)
    lost = with_role(raised, EDITOR, LATE, Role.READER, {})
    records = lost.records[len(BASE.records) :]
    without = CLOSED.append(make_leave(CLOSED, EDITOR, cut={}))
    after = without.append(make_carry(without, OWNER, records)[0])
    assert not after.is_cut(LATE.sign_public)

"""What this device sealed and no computer takes any more, though a relay took it once.

A relay took an envelope, was put back, and an owner ended this device's right there: the end lies
before it. All others take it back or refuse it, so that it is nowhere but here: it counts as not
sent, and is a draft, also where a relay has it that was not there.
"""

from __future__ import annotations

from bifolio.crypto.envelope import parse_envelope, read_header
from bifolio.crypto.membership import Membership, Permission
from bifolio.replica.replica import Replica


def forget_places(replica: Replica, membership: Membership) -> None:
    """What lies behind the end counts as not sent, whatever a relay said; inside a transaction."""
    own, changes = replica.keys.sign_public, replica.changes
    if membership.may_write(own) or not any(map(membership.is_cut, membership.lineage(own))):
        return
    for chain, _, end in changes.chain_ends():
        beginning = changes.beginning(end)
        if not beginning or read_header(beginning).device not in membership.lineage(own):
            continue
        for one, _ in changes.backwards(chain):
            stored = changes.envelope(one)
            assert stored is not None
            if membership.permits(parse_envelope(stored.envelope)) is not Permission.FORBIDDEN:
                break
            changes.set_position(one, None)

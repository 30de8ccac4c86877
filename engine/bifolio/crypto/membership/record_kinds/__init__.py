"""What each kind of membership record says, and who may say it.

A further kind is a class here and an entry in ``KINDS``; a further field an entry in its kind,
with an uppercase first letter where an earlier program must not go on without it. A record of a
kind that is not in there, that needs a later version of one, or that has a critical field which its
kind does not have, is carried without being understood (``rules``).

============== ==========================================================================
``base``       what all kinds have: fields, and the checks that several make
``admission``  genesis, invite, join, recovery, revoke
``changes``    role, remove, leave, keys, earlier, rename
``announcing`` relay, rotate: what members tell each other of themselves
``carrying``   carry: what lost against another record is made again
============== ==========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping

from bifolio.crypto.membership.record_kinds.admission import (
    GenesisKind,
    InviteKind,
    JoinKind,
    RecoveryKind,
    RevokeKind,
)
from bifolio.crypto.membership.record_kinds.announcing import RelayKind, RotateKind
from bifolio.crypto.membership.record_kinds.base import RecordKind
from bifolio.crypto.membership.record_kinds.carrying import CarryKind
from bifolio.crypto.membership.record_kinds.changes import (
    EarlierKeysKind,
    KeysKind,
    LeaveKind,
    RemoveKind,
    RenameKind,
    RoleKind,
)

__all__ = ["KINDS", "RecordKind"]

#: The kinds that this program knows, by name.
KINDS: Mapping[str, RecordKind] = {
    kind.name: kind
    for kind in (
        GenesisKind(),
        InviteKind(),
        JoinKind(),
        RecoveryKind(),
        RevokeKind(),
        RoleKind(),
        RemoveKind(),
        LeaveKind(),
        KeysKind(),
        EarlierKeysKind(),
        RenameKind(),
        CarryKind(),
        RelayKind(),
        RotateKind(),
    )
}

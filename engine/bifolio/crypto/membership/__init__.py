"""Membership: the signed linear log of who may read and write a library (DESIGN §7).

The relay and every replica check a library's membership with this package alone, so that both come
to one answer. A log is a list of records, each of which names the hash of the one before: a
genesis, then invites, joins, roles, removals, and what later versions add. Knows nothing of time,
of relays, nor of what an envelope holds. May import only ``crypto``, ``errors``, ``ids``,
``limits``.

================ ========================================================================
``records``      the form of a record: what any version can check of it, and its signatures
``rights``       what the records of a log say so far: roles, cuts, invites, keys
``record_kinds`` what each kind of record says, and who may say it
``rules``        the log, and what it permits
``key_material`` the content keys that records bring, checked against the log's commitments
``authoring``    records of our own
``announcing``   of those the library's relay, and a device's next keys
``forks``        which of two logs goes on, and what of the other is made again
================ ========================================================================
"""

from bifolio.crypto.membership.announcing import make_relay, make_rotate, relay_address
from bifolio.crypto.membership.authoring import (
    InviteKeys,
    deletion_message,
    hello_message,
    invite_keys,
    joined_names,
    make_carry,
    make_earlier_keys,
    make_genesis,
    make_invite,
    make_join,
    make_keys,
    make_leave,
    make_recovery,
    make_recovery_join,
    make_remove,
    make_rename,
    make_revoke,
    make_role,
    member_names,
    recovery_keys,
)
from bifolio.crypto.membership.forks import (
    MergedLogs,
    carried_records,
    carry_depth,
    lost_to,
    merge_logs,
)
from bifolio.crypto.membership.key_material import (
    FoundKeys,
    find_keys,
    key_commitment,
    open_text,
    seal_text,
)
from bifolio.crypto.membership.records import library_id_of
from bifolio.crypto.membership.rights import ChainEnd, Cut, Invite, Member, RelayNotice, Role
from bifolio.crypto.membership.rules import Membership, Permission

__all__ = [
    "ChainEnd",
    "Cut",
    "FoundKeys",
    "Invite",
    "InviteKeys",
    "Member",
    "Membership",
    "MergedLogs",
    "Permission",
    "RelayNotice",
    "Role",
    "carried_records",
    "carry_depth",
    "deletion_message",
    "find_keys",
    "hello_message",
    "invite_keys",
    "joined_names",
    "key_commitment",
    "library_id_of",
    "lost_to",
    "make_carry",
    "make_earlier_keys",
    "make_genesis",
    "make_invite",
    "make_join",
    "make_keys",
    "make_leave",
    "make_recovery",
    "make_recovery_join",
    "make_relay",
    "make_remove",
    "make_rename",
    "make_revoke",
    "make_role",
    "make_rotate",
    "member_names",
    "merge_logs",
    "open_text",
    "recovery_keys",
    "relay_address",
    "seal_text",
]

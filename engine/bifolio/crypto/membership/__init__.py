"""Membership: the signed linear log of who may read and write a library (DESIGN §7).

The relay and every replica check a library's membership with this package alone, so that both come
to one answer. A log is a list of records, each of which names the hash of the one before: a
genesis, then invites, joins, and what later versions add. Knows nothing of expiry, of relays, nor
of what an envelope holds. May import only ``crypto``, ``errors``, ``ids``, ``limits``.

============== ==========================================================================
``records``    the form of a record: what any version can check of it, and its signatures
``version_1``  records of libraries that began before records had room to grow
``rights``     what the records of a log say so far: roles, invites, joins
``record_kinds`` what each kind of record says, and who may say it
``rules``      the log, and what it permits
``authoring``  records of our own, and the content keys that they bring
============== ==========================================================================
"""

from bifolio.crypto.membership.authoring import (
    InviteKeys,
    content_keys,
    hello_message,
    invite_keys,
    make_genesis,
    make_invite,
    make_join,
)
from bifolio.crypto.membership.records import library_id_of
from bifolio.crypto.membership.rights import Member, Role
from bifolio.crypto.membership.rules import Membership, Permission

__all__ = [
    "InviteKeys",
    "Member",
    "Membership",
    "Permission",
    "Role",
    "content_keys",
    "hello_message",
    "invite_keys",
    "library_id_of",
    "make_genesis",
    "make_invite",
    "make_join",
]
